//! Variables of the environment: in the tests, `SOME_COUNT` is `7`, and nothing else is set.

use serde_json::json;

use super::compile;
use crate::{EnvironmentVariable, Plan};

const COUNTED: &str = r#"
[pipeline]
name = "counted"

[params]
least = "${env:SOME_COUNT:-5}"
many  = "${env:SOME_NUMBER:-64}"

[input]
use = "files"
path = "*.txt"

[stages.count]
use  = "word-count"
in   = { text = "input.text" }
with = { min_len = "${least}" }
concurrency = "${many}"
"#;

fn plan(text: &str, set: &[&str]) -> Plan {
    let set: Vec<String> = set.iter().map(|&one| one.to_owned()).collect();
    compile(text, &set, &[]).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

#[test]
fn a_variable_is_a_number_where_one_is_wanted_and_is_part_of_the_digest() {
    let found = plan(COUNTED, &[]);
    assert_eq!((&found.stages[0].config["min_len"], found.stages[0].policy.concurrency), (&json!(7), Some(64)));
    let written = plan(&COUNTED.replace("${env:SOME_COUNT:-5}", "7").replace("\"7\"", "7"), &[]);
    assert_eq!(found.digest, written.digest, "where a value comes from is no part of the digest");
    assert_ne!(found.digest, plan(COUNTED, &["params.least=5"]).digest);
    let variables: Vec<(&str, bool, bool)> =
        found.variables.iter().map(|one| (one.name.as_str(), one.is_set, one.can_change_results())).collect();
    assert_eq!(variables, [("SOME_COUNT", true, true), ("SOME_NUMBER", false, false)]);
    assert_eq!(found.variables[0].used_by, ["stages.count.with.min_len"]);
}

#[test]
fn an_override_takes_the_place_of_a_variable_or_names_one() {
    assert_eq!(plan(COUNTED, &["params.least=5"]).variables.len(), 1);
    let named = plan(&COUNTED.replace("\"${env:SOME_COUNT:-5}\"", "5"), &["params.least=${env:SOME_COUNT:-1}"]);
    assert_eq!(named.stages[0].config["min_len"], 7);
}

#[test]
fn a_plan_that_an_older_program_made_has_no_variables() {
    let found = plan(COUNTED, &[]);
    let mut written = serde_json::to_value(&found).expect("JSON");
    let variables: Vec<EnvironmentVariable> = serde_json::from_value(written["variables"].clone()).expect("variables");
    assert_eq!(variables, found.variables);
    written.as_object_mut().expect("an object").remove("variables");
    let read: Plan = serde_json::from_value(written).expect("a plan");
    assert!(read.variables.is_empty());
}
