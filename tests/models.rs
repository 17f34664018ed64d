//! Models: keys, caches, single flight, recording, what the command line shows.

use std::{fs, time::Duration};

use crate::{
    model_server::{ModelServer, Reply},
    support::{Pipeline, outcome, run_command},
};

/// Transcripts through one lens, whose answer is a list of doubts.
fn pipeline(model: &str, files: usize) -> Pipeline {
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "doubts"

[input]
use = "files"
path = "*.txt"

[model.writer]
{model}

[cache.answers]
tiers = [{{ use = "memory" }}, {{ use = "sqlite" }}]

[stages.transcript]
use = "transcript"
in = {{ text = "input.text" }}

[stages.doubts]
use = "lens"
in = {{ transcript = "transcript" }}
with = {{ prompt = "doubts.md" }}
model = "writer"
"#
    ));
    let lens = "# Doubts\n\nFind doubts.\n\n## Answer\n\n```json\n{ \"type\": \"object\", \"additionalProperties\": false, \"required\": [\"doubts\"], \
                \"properties\": { \"doubts\": { \"type\": \"array\", \"items\": { \"type\": \"object\", \"additionalProperties\": false, \
                \"required\": [\"text\", \"evidence\"], \"properties\": { \"text\": { \"type\": \"string\" }, \"evidence\": { \"type\": \"array\", \
                \"items\": { \"type\": \"object\", \"additionalProperties\": false, \"required\": [\"segment\", \"quote\"], \
                \"properties\": { \"segment\": { \"type\": \"string\" }, \"quote\": { \"type\": \"string\" } } } } } } } } }\n```\n";
    fs::write(pipeline.path().join("doubts.md"), lens).expect("written");
    for number in 0..files {
        let text = "Ann: I am not sure that this will work.\nBo: Neither am I, to be honest.\n";
        fs::write(pipeline.path().join(format!("{number:04}.txt")), text).expect("written");
    }
    pipeline
}

fn asks(server: &ModelServer, more: &str) -> String {
    format!("use = \"openai\"\nwith = {}\n{more}", server.model(""))
}

const DOUBT: &str = r#"{"doubts": [{"text": "It may not work.", "evidence": [{"segment": "s1", "quote": "not sure that this will WORK"}]},
    {"text": "Money is short.", "evidence": [{"segment": "s1", "quote": "we have no money"}]}]}"#;

#[test]
fn a_thousand_equal_requests_at_once_make_one_call() {
    // Long enough for all of them to be asked before the answer is there.
    let server = ModelServer::start(Duration::from_secs(6), |_| Reply::text(DOUBT));
    let pipeline = pipeline(&asks(&server, "concurrency = 256"), 1000);
    let text = fs::read_to_string(pipeline.path().join("pipeline.toml")).expect("read");
    let text = text.replace("name = \"doubts\"", "name = \"doubts\"\nmax_in_flight = 1024");
    let text = text.replace("model = \"writer\"", "model = \"writer\"\nconcurrency = 1000");
    fs::write(pipeline.path().join("pipeline.toml"), text).expect("written");
    let run = pipeline.run().expect_code(0);
    assert_eq!(server.count(), 1);
    assert_eq!(run.json()["models"]["writer"]["calls"], 1);
    assert_eq!(run.json()["models"]["writer"]["cached"], 999);
}

#[test]
fn repeats_never_share_an_answer() {
    let server = ModelServer::start(Duration::from_millis(5), |_| Reply::text(DOUBT));
    let pipeline = pipeline(&asks(&server, "cache = \"answers\""), 1);
    let repeat = ["--set", "stages.doubts.repeat=5"];
    run_command(pipeline.command().args(repeat)).expect_code(0);
    assert_eq!(server.count(), 5);
    let again = run_command(pipeline.command().args(repeat)).expect_code(0);
    assert_eq!((server.count(), again.json()["models"]["writer"]["cached"].as_u64()), (5, Some(5)));
}

#[test]
fn an_answer_that_breaks_its_schema_is_repaired_once_with_the_error_in_the_question() {
    let server = ModelServer::start(Duration::ZERO, |asked| {
        let messages = asked.body["messages"].as_array().map_or(0, Vec::len);
        let told = asked.body["messages"].to_string().contains("does not fit the JSON Schema");
        Reply::text(if messages > 2 && told { DOUBT } else { "{\"doubt\": 1}" })
    });
    let pipeline = pipeline(&asks(&server, ""), 1);
    pipeline.run().expect_code(0);
    assert_eq!(server.count(), 2);
    let stubborn = ModelServer::start(Duration::ZERO, |_| Reply::text("{\"doubt\": 1}"));
    let pipeline = self::pipeline(&asks(&stubborn, ""), 1);
    let run = pipeline.run().expect_code(3);
    assert!(run.stderr.contains("invalid-output: the answer does not fit its schema"), "{}", run.stderr);
    assert_eq!(stubborn.count(), 2);
}

#[test]
fn a_quote_that_was_never_said_is_marked() {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::text(DOUBT));
    let pipeline = pipeline(&asks(&server, ""), 1);
    let run = pipeline.run().expect_code(0);
    let output = &crate::support::result(&run.folder(), "0000")["outputs"]["doubts"];
    assert_eq!(output["unsupported"], 1, "{output}");
    let kinds: Vec<&str> =
        output["findings"].as_array().expect("findings").iter().filter_map(|one| one["kind"].as_str()).collect();
    assert_eq!(kinds, ["doubt", "unsupported-doubt"]);
}

#[test]
fn what_was_recorded_is_replayed_without_a_server() {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::text(DOUBT));
    let pipeline = pipeline(&asks(&server, "record = \"answers.jsonl\""), 3);
    let first = pipeline.run().expect_code(0);
    drop(server);
    let replay = r#"model.writer={ use = "replay", with = { file = "answers.jsonl" } }"#;
    let second = run_command(pipeline.command().args(["--set", replay])).expect_code(0);
    assert_eq!(outcome(&first.folder()), outcome(&second.folder()));
    fs::write(pipeline.path().join("other.txt"), "Ann: This was never asked.\n").expect("written");
    let third = run_command(pipeline.command().args(["--set", replay])).expect_code(3);
    assert!(third.stderr.contains("never asked"), "{}", third.stderr);
    assert_eq!(third.json()["items"]["ok"], 3);
}

#[test]
fn bad_services_are_reported_with_their_position() {
    let pipeline = Pipeline::new(
        r#"
[pipeline]
name = "bad"

[model.writer]
use = "opnai"
cache = "answer"
budget = { usd = 1 }
rate = { requests_per_second = "2" }
concurrency = { strat = 4 }

[cache.answers]
tiers = []

[cache.more]
tiers = [{ use = "memry" }, { use = "sqlite", with = { pth = "x" } }]

[stages.doubts]
use = "lens"
with = { prompt = "no-such-lens.md" }
model = "writr"
cache = "answers"
store = "nowhere"
"#,
    );
    let check = run_command(crate::support::jackfield().arg("check").arg(pipeline.path())).expect_code(2);
    insta::assert_snapshot!(pipeline.said(&check));
}
