//! Results that are kept from run to run, and why one was made anew.

use std::fs;

use crate::support::{Pipeline, jackfield, run_command};

fn pipeline() -> Pipeline {
    let pipeline = Pipeline::new(
        r#"
[pipeline]
name = "memo"

[input]
use = "files"
path = "*.txt"

[cache.results]
tiers = [{ use = "memory" }, { use = "sqlite", ttl = "1d" }]

[stages.transcript]
use   = "transcript"
in    = { text = "input.text" }
cache = "results"

[stages.participation]
use   = "participation"
in    = "transcript"
cache = "results"

[stages.actions]
use   = "actions"
in    = "transcript"
cache = "results"
"#,
    );
    fs::write(pipeline.path().join("a.txt"), "Ann: I will write the report by Friday.\nBo: Thanks.\n")
        .expect("written");
    fs::write(pipeline.path().join("b.txt"), "Cy: We decided to wait.\nAnn: Fine.\n").expect("written");
    pipeline
}

fn hits(pipeline: &Pipeline, sets: &[&str]) -> [u64; 3] {
    let mut command = pipeline.command();
    for set in sets {
        command.args(["--set", set]);
    }
    let run = run_command(&mut command).expect_code(0).json();
    ["transcript", "participation", "actions"].map(|stage| run["stages"][stage]["memo_hits"].as_u64().expect("a count"))
}

fn why(pipeline: &Pipeline, stage: &str, item: &str) -> String {
    let mut command = jackfield();
    command.args(["why", "last", stage, item, "--out"]).arg(pipeline.out());
    run_command(&mut command).expect_code(0).stdout
}

#[test]
fn a_second_run_makes_no_call_and_has_the_same_results() {
    let pipeline = pipeline();
    let first = pipeline.run().expect_code(0);
    assert_eq!(first.json()["stages"]["actions"]["calls"], 2);
    let second = pipeline.run().expect_code(0);
    assert_eq!(second.json()["stages"]["actions"]["calls"], 0);
    assert_eq!(second.json()["stages"]["actions"]["memo_hits"], 2);
    assert_eq!(crate::support::outcome(&first.folder()), crate::support::outcome(&second.folder()));
}

#[test]
fn a_change_that_comes_to_nothing_is_cut_off_early() {
    let pipeline = pipeline();
    assert_eq!(hits(&pipeline, &[]), [0, 0, 0]);
    // Blank lines change the text and not the transcript: what reads the transcript is not run again.
    fs::write(pipeline.path().join("a.txt"), "Ann: I will write the report by Friday.\n\n\nBo: Thanks.\n\n")
        .expect("written");
    assert_eq!(hits(&pipeline, &[]), [1, 2, 2]);
    assert_eq!(hits(&pipeline, &["stages.actions.with.max=3"]), [2, 2, 0]);
}

#[test]
fn why_names_the_first_part_that_differs() {
    let pipeline = pipeline();
    hits(&pipeline, &[]);
    assert!(why(&pipeline, "actions", "a").contains("there is no earlier run to compare with"));
    hits(&pipeline, &[]);
    let same = why(&pipeline, "actions", "a");
    assert!(same.contains("its result was taken from the cache"), "{same}");
    hits(&pipeline, &["stages.actions.with.max=3"]);
    let config = why(&pipeline, "actions", "a");
    assert!(config.contains("the first part that differs: config (max was absent, is 3)"), "{config}");
    hits(&pipeline, &[]);
    fs::write(pipeline.path().join("a.txt"), "Ann: I will write two reports by Friday.\n").expect("written");
    hits(&pipeline, &[]);
    let input = why(&pipeline, "actions", "a");
    assert!(input.contains("the first part that differs: input"), "{input}");
    let field =
        "`segments[0].text` was \"I will write the report by Friday.\", is \"I will write two reports by Friday.\"";
    assert!(input.contains(field), "{input}");
    assert!(why(&pipeline, "actions", "b").contains("taken from the cache"));
    let mut wrong = jackfield();
    wrong.args(["why", "last", "action", "--out"]).arg(pipeline.out());
    assert!(run_command(&mut wrong).expect_code(2).stderr.contains("did you mean `actions`?"));
}

#[test]
fn why_tells_of_a_stage_with_a_model_which_answers_it_got_and_why_they_were_made() {
    let pipeline = Pipeline::new(
        r#"
[pipeline]
name = "asked"

[input]
use   = "inline"
items = [{ prompts = ["Say it.", "Say it again."] }]

[model.writer]
use   = "mock"
cache = "answers"
price = { input = 1.0, output = 1.0 }

[cache.answers]
tiers = [{ use = "sqlite" }]

[stages.said]
use   = "reply"
in    = { prompts = "input.prompts" }
model = "writer"
"#,
    );
    let run = |sets: &[&str]| {
        let mut command = pipeline.command();
        for set in sets {
            command.args(["--set", set]);
        }
        run_command(&mut command).expect_code(0);
        let mut command = jackfield();
        command.args(["why", "last", "said", "--json", "--out"]).arg(pipeline.out());
        run_command(&mut command).expect_code(0).json()
    };
    let first = run(&[]);
    let answers = first["answers"].as_array().expect("answers");
    assert_eq!(answers.len(), 2, "{first:#}");
    assert!(answers.iter().all(|answer| answer["source"] == "call" && answer["calls"] == 1), "{first:#}");
    assert!(answers[0]["usd"].as_f64().is_some_and(|usd| usd > 0.0), "{first:#}");
    let second = run(&[]);
    assert!(second["first_difference"].is_null(), "{second:#}");
    let answers = second["answers"].as_array().expect("answers");
    assert!(answers.iter().all(|answer| answer["source"] == "cache" && answer["tier"] == "sqlite"), "{second:#}");
    let other = run(&["model.writer.with.seed=5"]);
    assert_eq!(other["first_difference"], "model", "{other:#}");
    let text = why(&pipeline, "said", "1");
    assert!(text.contains("the first part that differs: model (config: seed was absent, is 5)"), "{text}");
    assert!(text.contains("writer  the model    ok"), "{text}");
    let asked = run(&["model.writer.with.seed=5", r#"input.items=[{ prompts = ["Say it.", "Say no more."] }]"#]);
    assert_eq!(asked["input_difference"]["path"], ".prompts[1]", "{asked:#}");
    assert_eq!(asked["input_difference"]["was"], "Say it again.", "{asked:#}");
    assert_eq!(asked["input_difference"]["is"], "Say no more.", "{asked:#}");
}

#[test]
fn caches_can_be_looked_into_cleared_and_exported() {
    let pipeline = pipeline();
    hits(&pipeline, &[]);
    let cache = |arguments: &[&str]| {
        let mut command = jackfield();
        command.arg("cache").arg(arguments[0]).arg(pipeline.path()).args(&arguments[1..]);
        run_command(&mut command).expect_code(0)
    };
    let stats = cache(&["stats", "--json"]).json();
    assert_eq!(stats["caches"][1]["tier"], "sqlite");
    assert_eq!(stats["caches"][1]["entries"], 6);
    let exported = cache(&["export"]).stdout;
    assert_eq!(exported.lines().count(), 6);
    assert!(exported.lines().all(|line| line.contains("\"key\":\"memo/")), "{exported}");
    assert!(cache(&["clear"]).stderr.contains("sqlite: 6 cleared"));
    assert_eq!(hits(&pipeline, &[]), [0, 0, 0]);
}

#[test]
fn clearing_one_cache_leaves_the_others_in_its_file() {
    let pipeline = pipeline();
    let text = fs::read_to_string(pipeline.path().join("pipeline.toml")).expect("read");
    let two = "[cache.result]\ntiers = [{ use = \"sqlite\" }]\n\n[stages.transcript]";
    let text = text.replace("[stages.transcript]", two);
    let (before, actions) = text.split_once("[stages.actions]").expect("the last stage");
    let text = format!("{before}[stages.actions]{}", actions.replace("\"results\"", "\"result\""));
    let pipeline = pipeline.with("pipeline.toml", text);
    hits(&pipeline, &[]);
    let cache = |arguments: &[&str]| {
        let mut command = jackfield();
        command.arg("cache").arg(arguments[0]).arg(pipeline.path()).args(&arguments[1..]);
        run_command(&mut command).expect_code(0)
    };
    let entries = || -> Vec<u64> {
        let stats = cache(&["stats", "--json"]).json();
        let tiers = stats["caches"].as_array().expect("caches").iter().filter(|tier| tier["tier"] == "sqlite");
        tiers.map(|tier| tier["entries"].as_u64().expect("a count")).collect()
    };
    assert_eq!(entries(), [4, 2]);
    // The name of the one is the beginning of the other's.
    assert!(cache(&["clear", "--cache", "result"]).stderr.contains("sqlite: 2 cleared"));
    assert_eq!(entries(), [4, 0]);
    assert_eq!(hits(&pipeline, &[]), [2, 2, 0]);
}

#[test]
fn runs_are_compared_and_a_regression_has_its_exit_code() {
    let pipeline = pipeline();
    let first = pipeline.run().expect_code(0).json()["run"].as_str().expect("a run").to_owned();
    fs::write(pipeline.path().join("c.txt"), "").expect("written");
    let second = run_command(&mut pipeline.command()).json()["run"].as_str().expect("a run").to_owned();
    let compare = |before: &str, after: &str, threshold: &str| {
        let mut command = jackfield();
        command
            .args(["runs", "compare", before, after, "--threshold", threshold, "--json", "--out"])
            .arg(pipeline.out());
        run_command(&mut command)
    };
    compare(&first, &first, "0").expect_code(0);
    let report = compare(&first, &second, "1000").expect_code(4).json();
    let failed = report["rows"].as_array().expect("rows").iter().find(|row| row["what"] == "items partial or failed");
    assert_eq!(failed.expect("a row")["regression"], true);
}
