//! What is spent: it is on the record whatever happens, it stops at the budget, and no answer of a stage depends on it.

use std::{fs, process::Stdio, time::Duration};

use serde_json::{Value, json};

use crate::{
    model_server::{ModelServer, Reply},
    support::{Pipeline, claim_stages, jackfield, outcome, results, run_command, wait},
};

/// Claims of three wordings each against a server, with this budget.
fn claims(server: &ModelServer, budget: &str, more: &str) -> Pipeline {
    let items: Vec<String> =
        (0..40).map(|number| format!("{{ id = \"c{number}\", claim = \"Claim {number}.\" }}")).collect();
    let stages = claim_stages(50);
    let text = format!(
        r#"
[pipeline]
name = "spending"
[input]
use = "inline"
id = "id"
items = [{}]
{more}
[model.judge]
use = "openai"
with = {}
concurrency = 4
budget = {budget}
price = {{ input = 1.0, output = 2.0 }}
{stages}"#,
        items.join(", "),
        server.model("")
    );
    Pipeline::new(&text).with_bank()
}

/// An answer with this usage.
fn reply(usage: Value) -> Reply {
    Reply::json(
        200,
        &json!({
            "choices": [{ "finish_reason": "stop", "message": { "role": "assistant", "content": "{\"prob_true\": 0.4}" } }],
            "usage": usage,
        }),
    )
}

#[test]
fn a_budget_holds_over_kills() {
    let server = ModelServer::start(Duration::from_millis(5), |_| Reply::text("{\"prob_true\": 0.4}"));
    let pipeline = claims(&server, "{ tokens = 40000 }", "");
    let mut ended = None;
    for kill in 0..12 {
        let mut command = pipeline.command();
        let runs = fs::read_dir(pipeline.out()).into_iter().flatten().flatten();
        if runs.into_iter().any(|run| run.path().join("run.json").exists()) {
            command.args(["--resume", "last"]);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        let moment = Duration::from_millis(60 + 20 * (kill % 4));
        if let Some(code) = wait(&mut child, moment).flatten()
            && code == 3
        {
            ended = Some(code);
            break;
        }
    }
    let last = run_command(pipeline.command().args(["--resume", "last"]));
    assert!(ended == Some(3) || last.code == Some(3) || last.code == Some(0), "{last:?}");
    assert!(server.count() as u64 * 110 <= 40_000, "{} requests", server.count());
    let spend: Value = serde_json::from_slice(&fs::read(last.folder().join("run.json")).expect("read")).expect("JSON");
    let sample = &spend["spend"]["sample"];
    assert!(sample["tokens_in"].as_u64().expect("tokens") >= server.count() as u64 * 100, "{sample}");
}

#[test]
fn a_server_that_counts_oddly_meets_the_budget_all_the_same() {
    for usage in [
        json!({ "prompt_tokens": 0, "completion_tokens": 0 }),
        json!({ "prompt_tokens": -5, "completion_tokens": "NaN" }),
        json!("none"),
        Value::Null,
        json!({ "prompt_tokens": u64::MAX, "completion_tokens": u64::MAX }),
        json!({ "prompt_tokens": 1e300, "completion_tokens": 1e300 }),
    ] {
        let of = usage.clone();
        let server = ModelServer::start(Duration::ZERO, move |_| reply(of.clone()));
        let pipeline = claims(&server, "{ tokens = 12000 }", "");
        let run = run_command(&mut pipeline.command());
        // Whether the first item is done by then is for the machine to say.
        assert!(matches!(run.code, Some(1 | 3)), "{usage}: {:?}: {}", run.code, run.stderr);
        assert!(run.stderr.contains("the budget of model `judge` is used up"), "{usage}: {}", run.stderr);
        assert!(server.count() < 110, "{usage}: {} requests of 120", server.count());
        if usage["prompt_tokens"] != u64::MAX {
            continue;
        }
        // What is too large to count is counted as far as there are numbers, also by those who go on and who look.
        assert!(matches!(run_command(pipeline.command().args(["--resume", "last"])).code, Some(1 | 3)));
        let show = ["runs", "show", "last", "--json", "--out"];
        let shown = run_command(jackfield().args(show).arg(pipeline.out())).expect_code(0).json();
        assert!(shown["spend"]["sample"]["tokens_in"].as_u64().expect("tokens") > 500, "{usage}");
        run_command(jackfield().args(["report", "last", "--out"]).arg(pipeline.out())).expect_code(0);
    }
}

#[test]
fn what_an_item_spent_can_be_shown_and_is_in_no_result() {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::text("{\"prob_true\": 0.4}"));
    let show = "[output.show]\nspent = \"spend.sample.tokens_in\"\nall = \"spend.sample\"\n";
    let pipeline = claims(&server, "{ usd = 1.0 }", show);
    let mut command = jackfield();
    command.arg("run").arg(pipeline.path()).arg("--out").arg(pipeline.out());
    let run = run_command(&mut command).expect_code(0);
    let folder = pipeline.out().read_dir().expect("runs").next().expect("a run").expect("a run").path();
    assert!(run.stderr.contains("c7: spent: 300"), "{}", run.stderr);
    assert!(run.stderr.contains("c7: all: {\"cache_hit_rate\":null,"), "{}", run.stderr);
    assert!(!fs::read_to_string(folder.join("results.jsonl")).expect("results").contains("tokens_in"));
    let lines = fs::read_to_string(folder.join("spend.jsonl")).expect("spending");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 40);
    assert_eq!((&lines[7]["item"], &lines[7]["spend"]["sample"]["tokens_out"]), (&json!("c7"), &json!(30)));
    let cost = lines[7]["spend"]["sample"]["cost_usd"].as_f64().expect("a cost");
    assert!((cost - 3.0 * (100.0 + 20.0) / 1e6).abs() < 1e-12, "{cost}");
}

#[test]
fn an_answer_costs_the_same_whether_or_not_it_was_in_the_cache() {
    let server = ModelServer::start(Duration::ZERO, |_| {
        Reply::text("{\"answer\": [{ \"text\": \"Owls hunt at night.\", \"citations\": [] }]}")
    });
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "cached"
[input]
use = "inline"
items = [{{ query = "When do owls hunt?", hits = [{{ id = "owl", text = "Owls hunt at night.", score = 1.0 }}] }}]
[cache.answers]
tiers = [{{ use = "sqlite", with = {{ path = "answers.sqlite" }} }}]
[model.writer]
use = "openai"
with = {}
cache = "answers"
price = {{ input = 10.0, output = 20.0 }}
[stages.answer]
use = "answer"
in = {{ query = "input.query", hits = "input.hits" }}
with = {{ mode = "model" }}
model = "writer"
"#,
        server.model("")
    ));
    let [first, second] = [pipeline.run().expect_code(0), pipeline.run().expect_code(0)];
    assert_eq!(server.count(), 1);
    assert_eq!(outcome(&first.folder()), outcome(&second.folder()));
    let cost = results(&first.folder())[0]["outputs"]["answer"]["usd"].as_f64().expect("a cost");
    assert!((cost - (100.0 * 10.0 + 10.0 * 20.0) / 1e6).abs() < 1e-12, "{cost}");
    assert_eq!(second.json()["models"]["writer"]["usd"], 0.0);
}
