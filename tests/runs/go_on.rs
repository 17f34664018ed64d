//! What a stopped run says about going on, and what it counts.

use std::{os::unix::fs::symlink, process::Command, time::Duration};

use serde_json::json;

use super::{ask, folders, run_json, talks};
use crate::{
    model_server::{ModelServer, Reply},
    support::{Pipeline, claim_stages, jackfield, run_command},
};

/// Twelve claims, each of them asked three times at 110 tokens, with a budget for a few of them.
fn claims(server: &ModelServer) -> Pipeline {
    let items: Vec<String> =
        (0..12).map(|number| format!("{{ id = \"c{number}\", claim = \"Claim {number}.\" }}")).collect();
    let stages = claim_stages(50);
    let toml = format!(
        r#"
[pipeline]
name = "claims"
max_in_flight = 2
[input]
use = "inline"
id = "id"
items = [{}]
[model.judge]
use = "openai"
with = {}
concurrency = 1
budget = {{ tokens = 2000 }}
{stages}"#,
        items.join(", "),
        server.model("")
    );
    Pipeline::new(&toml).with_bank()
}

fn server() -> ModelServer {
    ModelServer::start(Duration::ZERO, |_| {
        Reply::json(
            200,
            &json!({
                "choices": [{ "finish_reason": "stop", "message": { "role": "assistant", "content": "{\"prob_true\": 0.4}" } }],
                "usage": { "prompt_tokens": 100, "completion_tokens": 10 },
            }),
        )
    })
}

#[test]
fn the_printed_command_goes_on_when_it_is_pasted_into_a_shell() {
    let server = server();
    let pipeline = claims(&server);
    let odd = "pipeline.description=it's \"odd\": $HOME `id` \\ * & two\nlines\tand a tab";
    let mut first = jackfield();
    first.current_dir(pipeline.path()).args(["run", ".", "--out", "my runs", "--jobs", "2", "--set", odd]);
    let first = run_command(first.args(["--set", "model.judge.concurrency=2"]));
    let start = first.stderr.find("go on with: ").expect("a command") + "go on with: ".len();
    let command = first.stderr[start..].trim_end();
    assert!(command.contains("--jobs 2") && command.contains("--out 'my runs'"), "{command}");

    let programs = tempfile::tempdir().expect("a folder");
    symlink(env!("CARGO_BIN_EXE_jackfield"), programs.path().join("jackfield")).expect("a link");
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").expect("PATH"));
    let mut pasted = Command::new("sh");
    pasted.current_dir(pipeline.path()).env("PATH", path).env("NO_COLOR", "1").args(["-c", command]);
    let pasted = run_command(&mut pasted);
    let run = first.stdout.trim();
    assert_eq!(pasted.stdout.trim(), run, "the same run went on: {}", pasted.stderr);
    let run = run_json(&pipeline.path().join(run));
    assert_eq!(run["summary"]["session"]["items"], 0, "its budget was used up before: {run}");
    assert!(run["summary"]["items"]["ok"].as_u64() > Some(0), "{run}");
}

#[test]
fn a_secret_is_not_printed_and_it_is_said_that_it_has_to_be_given_again() {
    let server = server();
    let pipeline = claims(&server);
    let secret = "pipeline.description=\"Bearer abcdefghijklmnopqrstuvwxyz012345\"";
    let stopped = ask(&pipeline, &["run", ".", "--set", secret, "--set", "model.judge.concurrency=1"]);
    assert!(!stopped.stderr.contains("abcdefghijklmnop"), "{}", stopped.stderr);
    assert!(
        stopped.stderr.contains("go on with: jackfield run . --set model.judge.concurrency=1 --resume "),
        "{}",
        stopped.stderr
    );
    assert!(stopped.stderr.contains("with it, give `--set pipeline.description=...` again"), "{}", stopped.stderr);
}

#[test]
fn items_that_a_budget_left_are_not_begun_and_a_run_counts_all_its_sessions() {
    let server = server();
    let pipeline = claims(&server);
    let stopped = pipeline.run().expect_code(3);
    let summary = stopped.json();
    let items = &summary["items"];
    let count = |key: &str| items[key].as_u64().unwrap_or(0);
    assert_eq!((count("failed"), count("partial")), (0, 0), "{summary}");
    assert!(count("ok") > 0 && count("not_begun") > 0, "{summary}");
    assert_eq!(count("ok") + count("unfinished") + count("not_begun"), 12, "{summary}");
    assert_eq!(count("total"), count("ok"), "{summary}");
    let shown = ask(&pipeline, &["runs", "show", "last"]).expect_code(0);
    assert!(shown.stdout.contains(&format!("{} not begun", count("not_begun"))), "{}", shown.stdout);

    let more = ["--resume", "last", "--set", "model.judge.budget.tokens=1000000"];
    let ended = run_command(pipeline.command().args(more)).expect_code(0);
    let whole = ended.json();
    assert_eq!(whole["items"]["ok"], 12, "{whole}");
    assert!(whole["items"].get("not_begun").is_none(), "{whole}");
    assert_eq!(whole["stages"]["plan"]["calls"], 12, "{whole}");
    let part = &whole["session"];
    assert_eq!(part["items"].as_u64(), Some(12 - count("ok")), "{whole}");
    assert!(part["stages"]["sample"]["calls"].as_u64() < whole["stages"]["sample"]["calls"].as_u64(), "{whole}");
    let tokens = |of: &serde_json::Value| of["models"]["judge"]["tokens_in"].as_u64().expect("tokens");
    assert_eq!(tokens(&whole), tokens(&summary) + tokens(part), "{whole}");
    assert_eq!(tokens(&whole), 100 * server.count() as u64);
    assert!(whole["wall_ms"].as_f64() > part["wall_ms"].as_f64(), "{whole}");
    let run = folders(&pipeline).pop().expect("a run");
    assert_eq!(run_json(&pipeline.out().join(run))["summary"]["stages"]["plan"]["calls"], 12);
}

#[test]
fn what_differs_is_named_with_what_was_and_what_is() {
    let server = server();
    let pipeline = claims(&server);
    pipeline.run();
    let differs = |set: &str| {
        let mut command = pipeline.command();
        let refused = run_command(command.args(["--resume", "last", "--set", set])).expect_code(2);
        refused.stderr
    };
    for (set, expected) in [
        ("model.judge.with.name=\"other\"", "model `judge`: its `with` table changed: `name` was"),
        ("model.judge.with.base_url=\"http://127.0.0.1:9/v2\"", "now it is \"http://127.0.0.1:9/v2\""),
        ("model.judge={ use = \"mock\" }", "model `judge`: it uses another extension: `mock`, which was `openai`"),
        ("pipeline.seed=7", "the seed was 0, now it is 7"),
        ("input.items=[{ id = \"c0\", claim = \"Another.\" }]", "item 1 of the input changed"),
        ("stages.plan.with.draws=60", "stage `plan`: its `with` table changed: `draws` was 50, now it is 60"),
        ("stages.sample.on_error=\"drop\"", "stage `sample`: `on_error` was"),
    ] {
        let told = differs(set);
        assert!(told.contains(expected), "{set}: {told}");
    }
    let both = run_command(pipeline.command().args([
        "--resume",
        "last",
        "--set",
        "pipeline.seed=7",
        "--set",
        "stages.plan.with.draws=60",
    ]));
    assert!(both.stderr.contains("the seed was 0, now it is 7; stage `plan`: "), "{}", both.stderr);
}

#[test]
fn the_last_run_is_that_of_the_pipeline_and_a_start_that_failed_leaves_no_folder() {
    let pipeline = talks("");
    ask(&pipeline, &["run", "."]).expect_code(0);
    let other = "[pipeline]\nname = \"other\"\n[stages.board]\nuse = \"dashboard\"\nin = { findings = [] }\n";
    let pipeline = pipeline.with("other/pipeline.toml", other);
    ask(&pipeline, &["run", "other"]).expect_code(0);
    let resumed = ask(&pipeline, &["run", ".", "--resume", "last"]).expect_code(0);
    assert!(resumed.stderr.contains("run `talks-"), "{}", resumed.stderr);
    let shown = ask(&pipeline, &["runs", "show", "last"]).expect_code(0);
    assert!(shown.stdout.starts_with("run       talks-"), "that of the pipeline in this folder: {}", shown.stdout);
    let refused = ask(&pipeline, &["run", "other", "--set", "pipeline.name=third", "--resume", "last"]);
    assert!(refused.stderr.contains("there is no run of pipeline `third` in `runs`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: there are runs of `other`, `talks`"), "{}", refused.stderr);

    let before = folders(&pipeline);
    let failed = ask(&pipeline, &["run", ".", "--metrics", "203.0.113.1:1"]).expect_code(2);
    assert!(failed.stderr.contains("cannot serve metrics"), "{}", failed.stderr);
    let failed = ask(&pipeline, &["run", ".", "--only", "nobody", "--record"]).expect_code(2);
    assert!(failed.stderr.contains("the input has no item `nobody`"), "{}", failed.stderr);
    assert_eq!(folders(&pipeline), before);
    let elsewhere = ask(&pipeline, &["run", ".", "--only", "nobody", "--out", "new/runs"]).expect_code(2);
    assert!(elsewhere.stderr.contains("hint: the input has `ferry`, `garden`, `harbour`"), "{}", elsewhere.stderr);
    assert!(!pipeline.path().join("new/runs").exists());
}
