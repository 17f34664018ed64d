//! Projects in Python.

use std::process::Command;

use super::{
    LONGEST,
    component::imports_what_can_be_granted,
    counts::counts_as_all_do,
    needs,
    probe::probe_of_every_kind,
    project::{WorkFolder, follow, follow_until},
    the_guide_shows,
};
use crate::support::{root, run_command_within};

const PYTHON: (&str, &str) = ("python3 -c 'import ensurepip, venv'", "Python with venv");

#[test]
fn an_analyzer() {
    needs(PYTHON.0, PYTHON.1);
    let made = follow(WorkFolder::new(), "word-count", "analyzer", "python");
    insta::assert_snapshot!(made.transcript);
    the_guide_shows("write-a-plugin-in-python.md", &made);
    imports_what_can_be_granted(&made, "word-count");
    counts_as_all_do(&made);
}

#[test]
fn a_model() {
    needs(PYTHON.0, PYTHON.1);
    // Building one takes a minute of computing: the analyzer is built, and the probe, which holds a model.
    let made = follow_until(WorkFolder::new(), "polly", "model", "python", "./build");
    insta::assert_snapshot!(made.transcript);
}

#[test]
fn the_package_keeps_to_its_types() {
    needs(PYTHON.0, PYTHON.1);
    let mut tests = Command::new("python3");
    tests.args(["-m", "unittest", "tests/plugins_new/test_package.py"]).current_dir(root());
    tests.env("PYTHONPATH", root().join("plugin-api/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    run_command_within(&mut tests, LONGEST).expect_code(0);
}

#[test]
fn every_kind_is_made_and_reaches_all_that_the_host_offers() {
    needs(PYTHON.0, PYTHON.1);
    probe_of_every_kind(
        "python",
        "PYTHONPATH=vendor python3 -m unittest",
        &["./build"],
        true,
        "TypeError: 'Nothing' object is not subscriptable (probe.py:",
    );
}
