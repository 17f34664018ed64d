//! A model that runs in the process, in pipelines.

use std::{fmt::Write as _, fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    model_abilities::run_with_jobs,
    support::{Pipeline, jackfield, results, root, run_command, same_outcome},
};

fn model(name: &str) -> PathBuf {
    root().join("plugins/transformer/fixtures").join(name)
}

/// A pipeline that looks into the model in `talking` and has it answer, with and without edits, with these keys more.
fn pipeline(items: usize, more: &str) -> Pipeline {
    let words = ["the cat", "that hat", "the other mat", "a fat cat sat"];
    let mut lines = String::new();
    for item in 0..items {
        let (text, other) = (format!("{} {}", words[item % 4], item % 16), words[(item + 1) % 4]);
        let line = json!({ "id": format!("{item:02}"), "text": text, "other": other, "reply": "the hat" });
        let _ = writeln!(lines, "{line}");
    }
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "local"

[input]
use = "jsonl"
path = "items.jsonl"
id = "id"

[model.small]
use = "transformer"
concurrency = 64
with = {{ path = "model", kernel = "portable", max_tokens = 6, temperature = 1.0, {more} }}

[stages.look]
use = "mine/look"
in = "input"
model = "small"
"#
    ));
    let folder = pipeline.path().join("model");
    fs::create_dir(&folder).expect("a folder");
    for entry in fs::read_dir(model("talking")).expect("the model") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), folder.join(entry.file_name())).expect("copied");
    }
    pipeline.with("items.jsonl", lines)
}

#[test]
fn a_run_has_the_same_bytes_however_many_requests_are_computed_side_by_side_and_by_how_many_threads() {
    let calm = pipeline(64, "threads = 1, batch = 1");
    let wanted = run_with_jobs(&calm, 1, "calm");
    let found = results(&wanted);
    assert_eq!(found.len(), 64);
    for result in &found {
        let look = &result["outputs"]["look"];
        assert_eq!(
            (&look["states"]["shape"], &look["embedding"]["shape"]),
            (&json!([1, 3, 32]), &json!([32])),
            "{result}"
        );
        assert!(look["divergence"].as_f64().is_some_and(|divergence| divergence > 0.0), "{result}");
        assert_ne!(look["logprobs"][0], look["logprobs"][1]);
    }
    let busy = pipeline(64, "threads = 2, batch = 32");
    same_outcome(&wanted, &run_with_jobs(&busy, 64, "busy"));
}

#[test]
fn settings_of_a_model_are_part_of_the_key_of_results_unless_they_have_no_effect() {
    let digest = |more: &str| {
        let pipeline = Pipeline::new(&format!(
            r#"
[pipeline]
name = "told"

[input]
use = "inline"
items = [{{ prompts = ["the cat"] }}]

[model.small]
use = "transformer"
with = {{ path = {:?}, {more} }}

[stages.residuals]
use = "residuals"
in = "input"
model = "small"
"#,
            model("talking")
        ));
        let record = pipeline.run().expect_code(0).folder().join("run.json");
        let record: Value = serde_json::from_slice(&fs::read(record).expect("a record")).expect("JSON");
        record["digest"].clone()
    };
    let base = digest("kernel = \"portable\"");
    assert!(base.is_string(), "{base}");
    assert_eq!(digest("kernel = \"portable\", threads = 2, batch = 7"), base);
    assert_ne!(digest("kernel = \"portable\", seed = 1"), base);
    // What the processor can do best stands for a key that is absent.
    let best = digest("seed = 0");
    if best != digest("kernel = \"portable\", seed = 0") {
        assert_eq!(best, digest("kernel = \"fused\", seed = 0"));
    }
}

#[test]
fn checksums_are_written_whole_left_where_they_say_something_else_and_compared() {
    let pipeline = pipeline(1, "threads = 1");
    let folder = pipeline.path().join("model");
    let checksum = |more: &[&str]| run_command(jackfield().args(["models", "checksum"]).arg(&folder).args(more));
    let said = checksum(&[]).expect_code(0).stderr;
    assert!(said.contains("holds the checksums of 4 files"), "{said}");
    assert!(checksum(&[]).expect_code(0).stderr.contains("already"));
    let written = fs::read_to_string(folder.join("checksums.json")).expect("written");
    let value: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(value["files"].as_object().map(serde_json::Map::len), Some(4));
    let other = written.replacen(":  ", ":", 1).replace("sha256\",", "sha256\" ,");
    fs::write(folder.join("checksums.json"), &other).expect("written");
    let refused = checksum(&[]).expect_code(1).stderr;
    assert!(refused.contains("says something else") && refused.contains("--force"), "{refused}");
    assert_eq!(fs::read_to_string(folder.join("checksums.json")).expect("there"), other);
    checksum(&["--force"]).expect_code(0);
    assert_eq!(fs::read_to_string(folder.join("checksums.json")).expect("there"), written);
    let missing = run_command(jackfield().args(["models", "checksum"]).arg(folder.join("none"))).expect_code(1).stderr;
    assert!(missing.contains("cannot load"), "{missing}");
    fs::remove_file(folder.join("config.json")).expect("removed");
    let no_model = checksum(&["--force"]).expect_code(2).stderr;
    assert!(no_model.contains("`config.json` is missing"), "{no_model}");
    fs::write(folder.join("config.json"), "{}").expect("written");
    let file =
        run_command(jackfield().args(["models", "checksum"]).arg(folder.join("config.json"))).expect_code(2).stderr;
    assert!(file.contains("is not a folder"), "{file}");
}
