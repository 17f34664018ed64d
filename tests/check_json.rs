//! What `check --json` prints: the pipeline in the words of its file, or its faults. The page of the reference is held to it.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::support::{Pipeline, jackfield, root, run_command};

const PIPELINE: &str = r#"
[pipeline]
name = "told"

[input]
use   = "inline"
items = [{ text = "Ann: Hello.\nBo: I will." , domain = "x" }]

[model.writer]
use   = "mock"
cache = "kept"

[cache.kept]
tiers = [{ use = "memory", ttl = "15m" }]

[stages.t]
use = "transcript"
in  = { text = "input.text" }

[stages.actions]
use     = "actions"
in      = "t"
with    = { max = 5 }
cache   = "kept"
timeout = "2m"
route   = { use = "thompson", context = "input.domain", reward = "graded.speakers[0].share", arms = [{ max = 1 }, { max = 2 }] }

[stages.graded]
use = "participation"
in  = "t"

[output]
show = { who = "graded.speakers[*].speaker" }
"#;

fn check(pipeline: &Pipeline, code: i32) -> Value {
    run_command(jackfield().arg("check").arg(pipeline.path()).arg("--json")).expect_code(code).json()
}

#[test]
fn a_pipeline_in_order_is_told_in_the_words_of_its_file() {
    let pipeline = Pipeline::new(PIPELINE);
    let told = check(&pipeline, 0);
    assert_eq!((&told["ok"], &told["faults"]), (&json!(true), &json!([])));
    assert_eq!(told["pipeline"]["name"], "told");
    assert_eq!(told["input"]["use"], "inline");
    assert_eq!(told["stages"]["t"]["in"], json!({ "text": "input.text" }));
    let actions = &told["stages"]["actions"];
    assert_eq!((&actions["in"], &actions["use"]), (&json!("t"), &json!("bundled/actions")));
    assert_eq!((&actions["timeout"], &actions["cache"]), (&json!("2m"), &json!("kept")));
    assert_eq!(actions["route"]["context"], "input.domain");
    assert_eq!(actions["route"]["reward"], "graded.speakers[0].share");
    assert_eq!(actions["route"]["arms"][1]["with"]["max"], 2);
    assert_eq!(told["cache"]["kept"]["tiers"][0]["ttl"], "15m");
    assert_eq!(told["model"]["writer"]["cache"], "kept");
    assert_eq!(told["output"]["show"]["who"], "graded.speakers[*].speaker");
    let order: Vec<&str> = told["order"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(order.iter().position(|name| *name == "t") < order.iter().position(|name| *name == "actions"), "{order:?}");
}

#[test]
fn a_fault_has_its_place_its_code_and_what_to_do() {
    let pipeline = Pipeline::new(&PIPELINE.replace("\"t\"\nwith    = { max = 5 }", "\"tt\"\nwith    = { maxx = 5 }"));
    let told = check(&pipeline, 2);
    assert_eq!(told["ok"], false);
    let faults = told["faults"].as_array().expect("a list");
    let fault = faults.iter().find(|fault| fault["message"].as_str().is_some_and(|text| text.contains("tt")));
    let fault = fault.unwrap_or_else(|| panic!("{told:#}"));
    assert_eq!((&fault["line"], &fault["column"]), (&json!(22), &json!(12)), "{fault:#}");
    assert!(fault["file"].as_str().is_some_and(|file| file.ends_with("pipeline.toml")), "{fault:#}");
    assert!(fault["hint"].as_str().is_some_and(|hint| hint.contains("`t`")), "{fault:#}");
    assert!(faults.iter().any(|fault| fault["message"].as_str().is_some_and(|text| text.contains("maxx"))), "{told:#}");
}

#[test]
fn what_is_missing_beside_the_pipeline_is_a_fault_for_programs_too() {
    let pipeline = Pipeline::new(
        "[pipeline]\nname = \"p\"\n[input]\nuse = \"json\"\npath = \"gone.json\"\n[stages.s]\nuse = \"transcript\"\nin = { text = \"input.text\" }\n",
    );
    let told = check(&pipeline, 2);
    assert_eq!(told["ok"], false);
    assert!(told["faults"][0]["message"].as_str().is_some_and(|text| text.contains("gone.json")), "{told:#}");
}

#[test]
fn the_page_of_the_reference_names_every_key() {
    let told = check(&Pipeline::new(PIPELINE), 0);
    let page = fs::read_to_string(root().join("docs/reference/check-json.md")).expect("the page");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let named: BTreeSet<&str> = rows.flat_map(|row| row.split('`').step_by(2)).collect();
    let stage = &told["stages"]["actions"];
    for object in [&told, stage, &told["stages"]["t"]] {
        for key in object.as_object().expect("an object").keys() {
            assert!(named.contains(key.as_str()), "`{key}` is not on the page");
        }
    }
}
