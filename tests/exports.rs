//! `jackfield export`: an item of a run is handed to the stage that writes it to a folder.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    pareto_front::valley,
    support::{CommandOutput, Pipeline, fixture, jackfield, run_command},
};

/// A search whose trials keep a tensor, and can be exported.
const STAGES: &str = r#"
with = { x = 0.5, fail_at = [1] }
on_error = "fail"
[stages.numbers]
use = "odd/folder"
in = { numbers = ["look.cost", "look.cost"] }
[stages.keep]
use = "odd/folder"
export = true
in = { tensor = "numbers.tensor", note = "input.params" }
"#;

fn search() -> Pipeline {
    valley("minimize = [\"look.loss\"]\npoints = [{ \"look.x\" = 0.25 }]", STAGES)
}

fn export(pipeline: &Pipeline, run: &Path, arguments: &[&str], folder: &str) -> CommandOutput {
    let mut command = jackfield();
    // From anywhere.
    command.current_dir(std::env::temp_dir()).arg("export").arg(run).args(arguments);
    run_command(command.arg("--to").arg(pipeline.path().join(folder)))
}

#[test]
fn an_item_is_written_with_its_values_and_the_tensors_of_the_run() {
    let pipeline = search();
    let run = pipeline.run().expect_code(3).folder();
    let before = fs::read(run.join("results.jsonl")).expect("results");
    let said = export(&pipeline, &run, &["0"], "out").expect_code(0);
    assert_eq!(said.stdout.trim_end(), pipeline.path().join("out").to_string_lossy());
    let read = |folder: &str| -> Value {
        let text = fs::read_to_string(pipeline.path().join(folder).join("export.json")).expect("an export");
        serde_json::from_str(&text).expect("JSON")
    };
    assert_eq!(read("out"), json!({ "numbers": [1.25, 1.25], "note": { "look.x": 0.25 } }));
    // An empty folder will do, and the stage can be named.
    fs::create_dir(pipeline.path().join("empty")).expect("made");
    let json = export(&pipeline, &run, &["0", "--stage", "keep", "--json"], "empty").expect_code(0).json();
    assert_eq!(
        (&json["item"], &json["stage"], &json["answers"][0]["tensor"]),
        (&"0".into(), &"keep".into(), &Value::Null)
    );
    assert_eq!(read("empty"), read("out"));
    assert_eq!(before, fs::read(run.join("results.jsonl")).expect("results"), "the run is as it was");
}

#[test]
fn what_cannot_be_exported_is_refused_by_name_and_nothing_is_made() {
    let pipeline = search();
    let run = pipeline.run().expect_code(3).folder();
    let id = run.file_name().expect("a name").to_string_lossy().into_owned();
    fs::create_dir(pipeline.path().join("full")).expect("made");
    fs::write(pipeline.path().join("full/file"), "kept").expect("written");
    let mut all = Vec::new();
    let mut told = |arguments: &[&str], folder: &str, code: i32| {
        let CommandOutput { stdout, stderr, .. } = export(&pipeline, &run, arguments, folder).expect_code(code);
        let text = format!("{arguments:?} to {folder}\n{stdout}{stderr}");
        all.push(text.replace(&id, "[run]").replace(&*pipeline.path().to_string_lossy(), "[folder]"));
    };
    told(&["99"], "out", 2);
    told(&["1"], "out", 2);
    told(&["0"], "full", 2);
    told(&["0"], "full/file", 2);
    told(&["0", "--stage", "kep"], "out", 2);
    told(&["0", "--set", "stages.look.with.depth=2"], "out", 2);
    told(&["0", "--set", "stages.keep.with.fail=true"], "out", 1);
    told(
        &[
            "0",
            "--set",
            "stages.keep.use=\"odd/landscape\"",
            "--set",
            "stages.keep.in:={ trial = \"input.trial\" }",
            "--set",
            "stages.keep.with:={ x = 0.5 }",
        ],
        "out",
        2,
    );
    insta::assert_snapshot!(all.join("\n"));
    assert!(!pipeline.path().join("out").exists());
    assert_eq!(fs::read_to_string(pipeline.path().join("full/file")).expect("kept"), "kept");
}

#[test]
fn a_pipeline_with_several_exports_or_none_says_so() {
    let several =
        format!("{STAGES}\n[stages.other]\nuse = \"odd/folder\"\nexport = true\nin = {{ note = \"look.called\" }}");
    let pipeline = valley("minimize = [\"look.loss\"]", &several);
    let run = pipeline.run().expect_code(3).folder();
    let said = export(&pipeline, &run, &["0"], "out").expect_code(2);
    assert!(said.stderr.contains("has several stages that export: `keep`, `other`"), "{}", said.stderr);
    export(&pipeline, &run, &["0", "--stage", "other"], "out").expect_code(0);

    let pipeline = valley("minimize = [\"look.loss\"]", "with = { x = 0.5 }");
    let run = pipeline.run().expect_code(0).folder();
    let said = export(&pipeline, &run, &["0"], "out").expect_code(2);
    assert!(said.stderr.contains("has no stage that exports"), "{}", said.stderr);
}

#[test]
fn an_item_that_is_not_on_record_is_read_again_and_compared_with_its_digest() {
    let file = fixture("jackfield_test_invalid_plugin.so");
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "notes"
[plugins.odd]
path = {:?}
allow_native = true
[input]
use = "jsonl"
path = "notes.jsonl"
id = "id"
[stages.numbers]
use = "odd/folder"
in = {{ numbers = "input.numbers" }}
[stages.keep]
use = "odd/folder"
export = true
in = {{ tensor = "numbers.tensor", note = "input.title" }}
"#,
        file.to_str().expect("UTF-8"),
    ));
    let lines = |title: &str| {
        let note = |id: &str, title: &str| json!({ "id": id, "title": title, "numbers": [1, 2.5] }).to_string();
        format!("{}\n{}\n", note("a", "first"), note("b", title))
    };
    let pipeline = pipeline.with("notes.jsonl", lines("second"));
    run_command(jackfield().current_dir(pipeline.path()).args(["plugins", "lock"])).expect_code(0);
    let run = pipeline.run().expect_code(0).folder();
    export(&pipeline, &run, &["b"], "out").expect_code(0);
    let written: Value =
        serde_json::from_str(&fs::read_to_string(pipeline.path().join("out/export.json")).expect("written"))
            .expect("JSON");
    assert_eq!(written, json!({ "numbers": [1.0, 2.5], "note": "second" }));

    let pipeline = pipeline.with("notes.jsonl", lines("another"));
    let said = export(&pipeline, &run, &["b"], "again").expect_code(1);
    let wanted = "error: item `b` is not in the input of the run any more, or is not what it was";
    assert!(said.stderr.starts_with(wanted), "{}", said.stderr);
    assert!(!pipeline.path().join("again").exists());
}
