//! Items from JSON files: `[input] use = "json"`.

use std::fs;

use serde_json::{Value, json};

use crate::support::{CommandOutput, Pipeline, jackfield, result, results, run_command, same_outcome};

const TASKS: &str = r#"
[pipeline]
name = "tasks"
[params]
tasks = "data"
[input]
use = "json"
path = "${tasks}"
item_keys = ["text", "of"]
[stages.transcript]
use = "transcript"
in = { text = "input.text", name = "input.id" }
"#;

fn task(text: &str) -> Value {
    json!({ "text": text, "of": 1 })
}

fn tasks(toml: &str) -> Pipeline {
    let many = format!("{{\"four\": {}, \"five\": {}}}", task("Ann: Four."), task("Bo: Five."));
    Pipeline::new(toml)
        .with("data/two.json", task("Bo: Two.").to_string())
        .with("data/one.json", task("Ann: One.").to_string())
        .with("data/three.txt", "not JSON")
        .with("many.json", many)
}

fn run(pipeline: &Pipeline, set: &[&str]) -> CommandOutput {
    let mut command = pipeline.command();
    command.args(set.iter().flat_map(|set| ["--set", set]));
    run_command(&mut command)
}

fn ids(run: &CommandOutput) -> Vec<String> {
    let lines = results(&run.folder());
    lines.iter().map(|line| line["item"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn a_parameter_points_a_run_at_a_folder_a_file_or_a_pattern() {
    let pipeline = tasks(TASKS);
    let whole = run(&pipeline, &[]).expect_code(0);
    assert_eq!(ids(&whole), ["one", "two"]);
    assert_eq!(result(&whole.folder(), "two")["outputs"]["transcript"]["segments"][0]["text"], "Two.");
    let absolute = format!("params.tasks={}", pipeline.path().join("many.json").display());
    for (set, wanted) in [
        ("params.tasks=many.json", &["four", "five"][..]),
        (&*absolute, &["four", "five"]),
        ("params.tasks=data/t*.json", &["two"]),
    ] {
        assert_eq!(ids(&run(&pipeline, &[set]).expect_code(0)), wanted, "{set}");
    }
    let list = tasks(&TASKS.replace("\"${tasks}\"", "[\"many.json\", \"${tasks}\"]"));
    assert_eq!(ids(&run(&list, &[]).expect_code(0)), ["one", "two", "four", "five"]);
}

#[test]
fn a_path_without_json_files_is_refused_by_check_and_by_run() {
    let pipeline = tasks(TASKS).with("empty/a.txt", "");
    for (set, wanted) in [
        ("params.tasks=empty", "the folder `[folder]/empty` holds no file whose name ends in `.json`"),
        ("params.tasks=gone.json", "no file matches [folder]/gone.json"),
        ("params.tasks=g*.json", "no file matches [folder]/g*.json"),
    ] {
        let checked = run_command(jackfield().arg("check").arg(pipeline.path()).arg("--set").arg(set)).expect_code(2);
        assert!(pipeline.said(&checked).contains(wanted), "{}", pipeline.said(&checked));
        let ran = run(&pipeline, &[set]).expect_code(2);
        assert!(pipeline.said(&ran).contains(wanted), "{}", pipeline.said(&ran));
    }
    run_command(jackfield().arg("check").arg(pipeline.path())).expect_code(0);
}

#[test]
fn a_bad_file_fails_alone_and_a_resume_takes_up_where_the_run_stopped() {
    let pipeline =
        tasks(TASKS).with("data/three.json", "{\"text\": \"Ann: ").with("data/four.json", "{\"text\": \"Ann: Hi.\"}");
    let calm = run(&pipeline, &[]).expect_code(3);
    assert_eq!(ids(&calm), ["four", "one", "three", "two"]);
    let fault = |id: &str| {
        result(&calm.folder(), id)["fault"]
            .as_str()
            .expect("a fault")
            .replace(&*pipeline.path().to_string_lossy(), "[folder]")
    };
    assert_eq!(
        fault("three"),
        "`[folder]/data/three.json` is not JSON: EOF while parsing a string at line 1 column 14"
    );
    assert_eq!(
        fault("four"),
        "`[folder]/data/four.json` has the member `text` without `of`: add it, or take it out of `item_keys` of `[input]`"
    );
    let again = run_command(pipeline.command().arg("--resume").arg(calm.folder())).expect_code(3);
    assert_eq!(again.folder(), calm.folder());
    same_outcome(&calm.folder(), &run(&pipeline, &["pipeline.max_in_flight=1"]).expect_code(3).folder());
    fs::write(pipeline.path().join("data/one.json"), task("Ann: Other.").to_string()).expect("written");
    let changed = run_command(pipeline.command().arg("--resume").arg(calm.folder())).expect_code(1);
    assert!(changed.stderr.contains("item `one` has changed since run"), "{}", changed.stderr);
}
