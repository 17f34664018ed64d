//! A pipeline's folder that is moved, and files beside it that change.

use std::{fs, path::Path, time::Duration};

use crate::{
    model_server::{ModelServer, Reply},
    support::{CommandOutput, Pipeline, jackfield, run_command},
};

const PIPELINE: &str = r#"
[pipeline]
name = "moved"

[input]
use = "inline"
items = [{ claim = "One." }]

[model.judge]
use = "openai"
record = "answers.jsonl"
with = WITH

[cache.kept]
tiers = [{ use = "sqlite", with = { path = "../kept.sqlite" } }]

[stages.plan]
use = "claim-plan"
in = { claim = "input.claim" }
with = { bank = "bank.toml", slots = 3, replicates = 1, draws = 100 }
model = "judge"
cache = "kept"
"#;

const ANSWER: &str =
    r#"{"request": {"messages": [{"role": "user", "content": "Is it?"}]}, "completion": {"text": "yes"}}"#;

/// A folder with a pipeline whose model answers from a file.
fn place() -> Pipeline {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::text("{\"prob_true\": 0.4}"));
    let bank = fs::read(crate::support::root().join("examples/claims/bank.toml")).expect("read");
    let place = Pipeline::new("").with("one/bank.toml", bank).with("one/answers.jsonl", ANSWER);
    place.with("one/pipeline.toml", PIPELINE.replace("WITH", &server.model("")))
}

fn run(place: &Pipeline, folder: &str, more: &[&str]) -> CommandOutput {
    let replay = r#"model.judge={ use = "replay", with = { file = "answers.jsonl" } }"#;
    let mut command = jackfield();
    command.arg("run").arg(place.path().join(folder)).arg("--out").arg(place.out()).args(["--json", "--set", replay]);
    run_command(command.args(more))
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("read");
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).expect("written");
}

#[test]
fn a_moved_folder_is_the_same_and_a_changed_file_is_another() {
    let place = place();
    let first = run(&place, "one", &[]).expect_code(0);
    assert_eq!(first.json()["stages"]["plan"]["calls"], 1);
    fs::rename(place.path().join("one"), place.path().join("two")).expect("moved");
    // The run goes on, and a new one finds what was kept.
    run(&place, "two", &["--resume", "last"]).expect_code(0);
    let second = run(&place, "two", &[]).expect_code(0);
    assert_eq!(second.json()["stages"]["plan"]["memo_hits"], 1);

    // What is recorded is another answer, of the same length.
    replace(&place.path().join("two/answers.jsonl"), "yes", "no!");
    let refused = run(&place, "two", &["--resume", "last"]).expect_code(2);
    assert!(refused.stderr.contains("model `judge`: what lies at `"), "{}", refused.stderr);
    assert!(refused.stderr.contains("two/answers.jsonl`, which its `with` table names, changed"), "{}", refused.stderr);
    let third = run(&place, "two", &[]).expect_code(0);
    assert_eq!(third.json()["stages"]["plan"]["memo_hits"], 0);

    // A file whose text is part of the configuration is told apart as ever.
    replace(&place.path().join("two/bank.toml"), "claims-1", "claims-2");
    let refused = run(&place, "two", &["--resume", "last"]).expect_code(2);
    assert!(refused.stderr.contains("stage `plan`: its `with` table changed"), "{}", refused.stderr);
}

#[test]
fn a_file_that_is_not_there_is_a_fault_with_its_place() {
    let place = place();
    fs::remove_file(place.path().join("one/answers.jsonl")).expect("removed");
    let refused = run(&place, "one", &[]).expect_code(2);
    let fault = &refused.json()["faults"][0];
    assert_eq!(fault["message"], "cannot read `answers.jsonl`: there is no such file or folder", "{refused:?}");
    assert_eq!((&fault["file"], &fault["line"]), (&"--set model.judge".into(), &1.into()), "{refused:?}");
}

#[test]
fn a_run_over_files_goes_on_after_its_folder_was_moved() {
    let text = r#"
[pipeline]
name = "moved"

[input]
use = "files"
path = "data/*"

[stages.transcript]
use = "transcript"
in = { text = "input.text" }
"#;
    let place = Pipeline::new("").with("one/pipeline.toml", text).with("one/data/a.txt", "Ann: Hello.\n");
    let place = place.with("one/data/b.txt", b"caf\xe9");
    let run = |folder: &str, more: &[&str]| {
        let mut command = jackfield();
        command.arg("run").arg(place.path().join(folder)).arg("--out").arg(place.out()).arg("--json");
        run_command(command.args(more))
    };
    run("one", &[]).expect_code(3);
    fs::rename(place.path().join("one"), place.path().join("two")).expect("moved");
    fs::write(place.path().join("two/data/b.txt"), "Bo: Coffee.\n").expect("written");
    let resumed = run("two", &["--resume", "last"]).expect_code(0);
    assert_eq!(resumed.json()["items"]["ok"], 2);
    fs::write(place.path().join("two/data/a.txt"), "Ann: Bye.\n").expect("written");
    let refused = run("two", &["--resume", "last"]);
    assert!(refused.stderr.contains("item `a` has changed"), "{}", refused.stderr);
}
