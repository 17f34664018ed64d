//! Stages over all items, stages that are off, and what is required of a run.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Pipeline, fixture, jackfield, over_all, results, run_command};

/// Three meetings; the stage `over` shows what it is given.
fn pipeline(more: &str) -> Pipeline {
    let plugin = fixture("jackfield_test_invalid_plugin.wasm");
    let text = r#"
[pipeline]
name = "over"

[input]
use   = "inline"
id    = "id"
items = [
  { id = "a", text = "Ann: We decided to wait.", urgent = true, kind = "billing" },
  { id = "b", text = "Bo: I will write it by Friday.", urgent = false, kind = "general" },
  { id = "c", text = "Cy: Fine.", urgent = true, kind = "general" },
]

[stages.transcript]
use = "transcript"
in  = { text = "input.text" }

[stages.decisions]
use  = "decisions"
in   = "transcript"
when = "input.urgent"

[stages.actions]
use  = "actions"
in   = "transcript"
when = { wire = "input.kind", equals = "general" }

[stages.dashboard]
use = "dashboard"
in  = { findings = ["decisions", "actions"] }

[stages.over]
use  = "odd/texts"
in   = { scores = "all.decisions.findings[*].confidence", counts = "all.dashboard.counts.decisions", kinds = "all.input.kind" }
with = { from = "texts" }
"#;
    let plugin = format!("\n[plugins.odd]\npath = {:?}\n", plugin.display().to_string());
    Pipeline::new(&format!("{text}{plugin}{more}")).with("texts/a.txt", "hello")
}

#[test]
fn a_stage_over_all_items_reads_them_in_order_and_an_item_without_the_value_is_null_in_place() {
    let pipeline = pipeline("");
    let one = run_command(pipeline.command().args(["--jobs", "1"])).expect_code(0);
    let given = &over_all(&one.folder(), "over")["given"];
    assert_eq!(given["kinds"], json!(["billing", "general", "general"]));
    assert_eq!(given["counts"], json!([1, 0, 0]));
    assert_eq!(given["scores"][1], Value::Null);
    assert_eq!(given["scores"][0].as_array().map(Vec::len), Some(1));
    assert_eq!(one.json()["all_items"]["over"], 3);
    assert_eq!(one.json()["all_items"]["results"]["over"]["given"], *given);

    let many = run_command(pipeline.command().args(["--jobs", "16"])).expect_code(0);
    for file in ["results.jsonl", "run/over.json"] {
        let read = |folder: &Path| fs::read(folder.join(file)).expect("a file");
        assert!(read(&one.folder()) == read(&many.folder()), "{file} differs");
    }
}

#[test]
fn a_stage_that_is_off_is_no_flaw_and_is_left_out_of_lists() {
    let pipeline = pipeline("");
    let run = pipeline.run().expect_code(0);
    let folder = run.folder();
    let off: Vec<Value> = results(&folder).into_iter().map(|line| line["off"].clone()).collect();
    assert_eq!(off, [json!(["actions"]), json!(["decisions"]), Value::Null]);
    assert!(results(&folder).iter().all(|line| line["state"] == "ok" && line.get("failures").is_none()));
    assert_eq!(run.json()["stages"]["actions"]["off"], 1);
    let why = run_command(jackfield().args(["why", "last", "decisions", "b", "--out"]).arg(pipeline.out()));
    assert!(why.stdout.contains("the stage is off: `input.urgent` is `false`"), "{why:#?}");
}

#[test]
fn what_is_made_of_all_items_is_made_anew_when_a_run_goes_on() {
    let pipeline = pipeline("");
    let first = run_command(pipeline.command().args(["--only", "a"])).expect_code(0);
    assert_eq!(over_all(&first.folder(), "over")["given"]["kinds"], json!(["billing"]));
    let whole = pipeline.run().expect_code(0);
    let before = fs::read(whole.folder().join("run/over.json")).expect("a file");
    let again = run_command(pipeline.command().args(["--resume", "last", "--only", "b"])).expect_code(0);
    assert_eq!(fs::read(again.folder().join("run/over.json")).expect("a file"), before);
}

#[test]
fn a_requirement_that_is_not_met_has_an_exit_code_of_its_own() {
    let unmet = pipeline("\n[require]\n\"over.given.kinds\" = { equals = [\"billing\"] }\n");
    let run = unmet.run().expect_code(5);
    assert_eq!(run.json()["requirements"][0]["met"], false);
    let met = pipeline("\n[require]\n\"over.given.counts[0]\" = { at_least = 1, at_most = 1 }\n");
    assert_eq!(met.run().expect_code(0).json()["requirements"][0]["met"], true);
}
