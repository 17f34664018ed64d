//! Projects in JavaScript and TypeScript.

use std::process::Command;

use super::{
    LONGEST,
    component::imports_what_can_be_granted,
    counts::counts_as_all_do,
    needs,
    probe::probe_of_every_kind,
    project::{WorkFolder, follow},
    the_guide_shows,
};
use crate::support::{root, run_command_within};

const NODE: (&str, &str) = ("node --version && npm --version", "Node.js with npm");

#[test]
fn an_analyzer() {
    needs(NODE.0, NODE.1);
    let made = follow(WorkFolder::new(), "word-count", "analyzer", "javascript");
    insta::assert_snapshot!(made.transcript);
    the_guide_shows("write-a-plugin-in-javascript.md", &made);
    imports_what_can_be_granted(&made, "word-count");
    counts_as_all_do(&made);
}

#[test]
fn a_model() {
    needs(NODE.0, NODE.1);
    let made = follow(WorkFolder::new(), "polly", "model", "javascript");
    insta::assert_snapshot!(made.transcript);
}

/// Every command that is printed for a project of this kind is typed; building one in JavaScript takes seconds.
#[track_caller]
fn a_project_in_javascript(name: &str, kind: &str) -> String {
    needs(NODE.0, NODE.1);
    follow(WorkFolder::new(), name, kind, "javascript").transcript
}

#[test]
fn a_cache_backend() {
    insta::assert_snapshot!(a_project_in_javascript("shelf", "cache-backend"));
}

#[test]
fn a_routing_policy() {
    insta::assert_snapshot!(a_project_in_javascript("greedy", "routing-policy"));
}

#[test]
fn a_direction_extractor() {
    insta::assert_snapshot!(a_project_in_javascript("median", "direction-extractor"));
}

#[test]
fn an_analyzer_in_typescript() {
    needs(NODE.0, NODE.1);
    let made = follow(WorkFolder::new(), "word-count", "analyzer", "typescript");
    insta::assert_snapshot!(made.transcript);
    the_guide_shows("write-a-plugin-in-javascript.md", &made);
    imports_what_can_be_granted(&made, "word-count");
    counts_as_all_do(&made);
}

#[test]
fn a_model_in_typescript() {
    needs(NODE.0, NODE.1);
    let made = follow(WorkFolder::new(), "polly", "model", "typescript");
    insta::assert_snapshot!(made.transcript);
}

#[test]
fn the_package_keeps_to_its_types() {
    needs(NODE.0, NODE.1);
    let mut tests = Command::new("node");
    tests.args(["--test", "tests/plugins_new/package.test.mjs"]).current_dir(root());
    tests.env("JACKFIELD_PACKAGE", root().join("plugin-api/javascript"));
    run_command_within(&mut tests, LONGEST).expect_code(0);
}

#[test]
fn every_kind_is_made_and_reaches_all_that_the_host_offers() {
    needs(NODE.0, NODE.1);
    // Of a seed, the bindings of QuickJS give 53 bits.
    let build = ["npm install", "npm run build"];
    probe_of_every_kind("javascript", "npm test", &build, false, "TypeError: ");
}
