//! What is said on standard error and in a log file: as JSON alone, as errors alone, and in a file.

use std::fs;

use serde_json::Value;

use crate::support::{CommandOutput, Pipeline, jackfield, run_command};

const PIPELINE: &str = r#"
[pipeline]
name = "spoken"

[input]
use   = "inline"
items = [{ text = "Ann: Hello.\nBo: Bye." }, { other = 3 }]

[cache.kept]
tiers = [{ use = "sqlite", with = { path = "kept.sqlite" } }]

[stages.t]
use   = "transcript"
in    = { text = "input.text" }
cache = "kept"

[[tests]]
name   = "Ann speaks"
input  = { text = "Ann: Hello." }
expect = { t = { segments = [{ speaker = "Ann" }] } }
"#;

fn command(pipeline: &Pipeline, args: &[&str]) -> CommandOutput {
    run_command(jackfield().current_dir(pipeline.path()).args(args))
}

/// Every line as JSON.
#[track_caller]
fn objects(text: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}\n{text}"));
    text.lines().map(parse).collect()
}

fn messages<'a>(objects: &'a [Value], level: &str) -> Vec<&'a str> {
    let of_level = objects.iter().filter(|object| object["level"] == level);
    of_level.map(|object| object["fields"]["message"].as_str().expect("a message")).collect()
}

#[test]
fn standard_error_is_json_alone_for_every_command() {
    let pipeline = Pipeline::new(PIPELINE);
    let json = ["--log-format", "json"];
    let said = |args: &[&str]| objects(&command(&pipeline, &[args, &json[..]].concat()).stderr);
    let run = said(&["run", "."]);
    assert!(messages(&run, "INFO").iter().any(|message| message.starts_with("run spoken-")), "{run:#?}");
    assert!(messages(&run, "ERROR").iter().any(|message| message.starts_with("failed: stage `t`")), "{run:#?}");
    let summary = run.iter().find_map(|object| object["fields"].get("summary")).expect("a summary");
    assert_eq!(summary["items"]["total"], 2);
    for args in [
        &["check", "."][..],
        &["test", "."],
        &["graph", "."],
        &["runs", "list"],
        &["runs", "show", "gone"],
        &["why", "last", "t"],
        &["show", "last", "9"],
        &["cache", "clear", "."],
        &["routes", "show", "."],
        &["plugins", "info", "gone"],
        &["doctor", "."],
        &["run", ".", "--input", "gone-*.txt"],
        &["-vvv", "check", "."],
    ] {
        said(args);
    }
    let wrong = said(&["run", ".", "--set", "stages.t.us=\"x\""]);
    let fault = wrong.iter().find(|object| object["fields"]["code"] == "unknown-key").expect("a fault");
    assert_eq!((&fault["level"], &fault["fields"]["line"]), (&Value::from("ERROR"), &Value::from(1)), "{fault:#}");
    let usage = said(&["rum", "."]);
    assert!(messages(&usage, "ERROR")[0].contains("unrecognized subcommand 'rum'"), "{usage:#?}");
    let resumed = said(&["run", ".", "--resume", "gone"]);
    assert!(resumed.iter().any(|object| object["level"] == "ERROR"), "{resumed:#?}");
}

#[test]
fn a_quiet_program_says_what_failed_and_nothing_else() {
    let pipeline = Pipeline::new(PIPELINE);
    let run = command(&pipeline, &["run", ".", "--quiet"]).expect_code(3);
    assert!(run.stdout.starts_with("runs/spoken-"), "{run:?}");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(matches!(lines[..], [line] if line.starts_with("failed: stage `t`")), "{run:?}");
    for args in [&["check", ".", "-q"][..], &["test", ".", "-q"], &["-q", "graph", "."], &["cache", "clear", ".", "-q"]]
    {
        let done = command(&pipeline, args);
        assert!(!done.stderr.contains("fine") && !done.stderr.contains("passed"), "{done:?}");
    }
    let loud = command(&pipeline, &["graph", "."]).expect_code(0);
    assert_eq!(command(&pipeline, &["graph", ".", "-q"]).expect_code(0).stdout, loud.stdout);
    let wrong = command(&pipeline, &["check", ".", "-q", "--set", "stages.t.us=1"]).expect_code(2);
    assert!(wrong.stderr.contains("error[unknown-key]") && wrong.stderr.contains("hint: "), "{wrong:?}");
    command(&pipeline, &["check", ".", "-q", "-v"]).expect_code(2);
}

#[test]
fn a_log_file_grows_by_all_that_is_said_and_more() {
    let pipeline = Pipeline::new(PIPELINE);
    fs::write(pipeline.path().join("log"), "before\n").expect("written");
    let secret = "--set=stages.t.with.token=\"sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"";
    command(&pipeline, &["run", ".", "--log-file", "log", "-q"]).expect_code(3);
    command(&pipeline, &["check", ".", secret, "--log-file", "log"]).expect_code(2);
    let log = fs::read_to_string(pipeline.path().join("log")).expect("read");
    let mut lines = log.lines();
    assert_eq!(lines.next(), Some("before"));
    for line in lines {
        let is_timed = line.split_once(' ').is_some_and(|(time, _)| time.starts_with("20") && time.ends_with('Z'));
        assert!(is_timed || line.starts_with("  "), "{line:?}\n{log}");
    }
    for part in [" INFO run spoken-", " INFO stages:\n", "ERROR failed: stage `t`", " INFO partial: 2 items in "] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert!(log.contains("ERROR error[unknown-key]") && !log.contains("sk-aaaa"), "{log}");
    command(&pipeline, &["run", ".", "--log-file", "log.jsonl", "--log-format", "json"]).expect_code(3);
    let log = fs::read_to_string(pipeline.path().join("log.jsonl")).expect("read");
    assert!(objects(&log).iter().any(|object| object["fields"]["summary"]["state"] == "partial"), "{log}");
}

#[test]
fn a_log_file_that_cannot_be_opened_is_an_error_before_anything_runs() {
    let pipeline = Pipeline::new(PIPELINE);
    let done = command(&pipeline, &["run", ".", "--log-file", "gone/log"]).expect_code(2);
    assert!(
        done.stderr.starts_with("error: cannot open the log file `gone/log`: No such file or directory"),
        "{done:?}"
    );
    assert!(done.stderr.contains("\n\nhint: name a file") && !pipeline.path().join("runs").exists(), "{done:?}");
    let full = command(&pipeline, &["graph", ".", "--log-file", "/dev/full", "-v"]);
    assert!(full.code == Some(0) || full.stderr.contains("cannot write to the log file"), "{full:?}");
}
