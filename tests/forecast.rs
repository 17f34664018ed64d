//! What a run would cost, told before it is made, and what it may cost in all.

use std::{fs, time::Duration};

use serde_json::{Value, json};

use crate::{
    model_server::{ModelServer, Reply},
    support::{CommandOutput, Pipeline, claim_stages, jackfield, run_command},
};

/// So many claims, and stages that ask the model `judge` about them.
fn pipeline(items: usize, model: &str, more: &str, stages: &str) -> Pipeline {
    let claim = |number: usize| format!("{{\"claim\": \"Claim {number}: {}.\"}}\n", "it is so ".repeat(number % 7));
    let text = format!(
        r#"
[pipeline]
name = "claims"
[input]
use = "jsonl"
path = "claims.jsonl"
{more}
[model.judge]
{model}
price = {{ input = 1.0, output = 2.0 }}
{stages}"#
    );
    Pipeline::new(&text).with("claims.jsonl", (0..items).map(claim).collect::<String>())
}

/// So many claims of three wordings each.
fn claims(items: usize, model: &str, more: &str) -> Pipeline {
    pipeline(items, model, more, &claim_stages(50)).with_bank()
}

/// So many claims that are asked about three times each, through the cache of the model.
fn prompts(items: usize, model: &str, more: &str) -> Pipeline {
    let stage = r#"[stages.sample]
use = "prompt"
in = { claim = "input.claim" }
with = { user = "Is it so? {{ claim }}", max_tokens = 100 }
repeat = 3
model = "judge"
"#;
    pipeline(items, model, more, stage)
}

/// What is told of a run.
fn forecast(pipeline: &Pipeline, more: &[&str]) -> Value {
    run_command(pipeline.command().arg("--forecast").args(more)).expect_code(0).json()
}

/// Whether a number lies in an interval.
#[track_caller]
fn holds(interval: &Value, truth: &Value) {
    let (low, high) = (interval["low"].as_f64().expect("a number"), interval["high"].as_f64().expect("a number"));
    let truth = truth.as_f64().expect("a number");
    assert!(low <= truth && truth <= high, "{interval} and {truth}");
}

/// Whether what a run spent is what was told.
#[track_caller]
fn came_true(told: &Value, run: &CommandOutput) -> f64 {
    let spent = &run.json()["spend"]["sample"];
    let of_stage = &told["stages"][0];
    for (told, spent) in [
        (&of_stage["calls"], &spent["calls"]),
        (&of_stage["cached"], &spent["cached"]),
        (&of_stage["tokens_in"], &spent["tokens_in"]),
        (&of_stage["tokens_out"], &spent["tokens_out"]),
        (&of_stage["usd"], &spent["cost_usd"]),
        (&told["usd"], &spent["cost_usd"]),
    ] {
        holds(told, spent);
    }
    let number = |value: &Value| value.as_f64().expect("a number");
    let (expected, read) = (number(&of_stage["tokens_in"]["expected"]), number(&spent["tokens_in"]));
    if read > 0.0 { (expected / read - 1.0).abs() } else { expected }
}

#[test]
fn a_forecast_holds_what_the_run_spends_then_and_nothing_is_written_for_it() {
    let cache = "[cache.answers]\ntiers = [{ use = \"sqlite\", with = { path = \"kept/answers.sqlite\" } }]";
    let pipeline = prompts(40, "use = \"mock\"\ncache = \"answers\"", cache);
    let told = forecast(&pipeline, &[]);
    assert!(!pipeline.out().exists() && !pipeline.path().join("kept").exists(), "something was written");
    assert_eq!((&told["items"], &told["sampled"]), (&json!(40), &json!(40)));
    assert_eq!(told["stages"][0]["calls"]["expected"], 120.0);
    let run = pipeline.run().expect_code(0);
    assert!(came_true(&told, &run) <= 0.02);

    // All of it is in the cache now. Of further items, what was answered before is a measure.
    let told = forecast(&pipeline, &[]);
    assert_eq!(
        (&told["stages"][0]["calls"]["high"], &told["stages"][0]["cached"]["low"]),
        (&json!(0.0), &json!(120.0))
    );
    assert_eq!(told["usd"]["high"], 0.0);
    let more: String =
        (0..100).map(|number| format!("{{\"claim\": \"Claim {number}: it is so indeed.\"}}\n")).collect();
    fs::write(pipeline.path().join("claims.jsonl"), more).expect("written");
    let told = forecast(&pipeline, &[]);
    assert_eq!(told["stages"][0]["answers_from"], "earlier-runs");
    assert!(told["usd"]["high"].as_f64() < Some(3.0 * told["usd"]["low"].as_f64().expect("dollars")), "{told:#}");
    assert!(came_true(&told, &pipeline.run().expect_code(0)) <= 0.02);
}

#[test]
fn a_sample_says_what_all_items_would_cost_and_no_server_is_asked() {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::text("{\"prob_true\": 0.4}"));
    let pipeline = claims(400, &format!("use = \"openai\"\nwith = {}", server.model("")), "");
    let (all, some) = (forecast(&pipeline, &[]), forecast(&pipeline, &["--forecast-sample", "100"]));
    assert_eq!(server.count(), 0);
    assert_eq!((&some["items"], &some["sampled"]), (&json!(400), &json!(100)));
    let tokens = |told: &Value| told["stages"][0]["tokens_in"].clone();
    assert_eq!(tokens(&all)["low"], tokens(&all)["high"]);
    assert!(tokens(&some)["low"].as_f64() < tokens(&some)["high"].as_f64());
    holds(&tokens(&some), &tokens(&all)["expected"]);
    let (some, all) = (tokens(&some)["expected"].as_f64(), tokens(&all)["expected"].as_f64());
    let (some, all) = (some.expect("tokens"), all.expect("tokens"));
    assert!((some / all - 1.0).abs() < 0.02, "{some} and {all}");

    let text = run_command(jackfield().arg("run").arg(pipeline.path()).arg("--forecast")).expect_code(0);
    let lines: Vec<&str> = text.stdout.lines().collect();
    assert!(lines[0].starts_with("stage"), "{text:#?}");
    assert_eq!(lines[1].split_whitespace().take(3).collect::<Vec<_>>(), ["sample", "judge", "1200"]);
    assert!(lines[2].starts_with("in all, for 400 items: 1200 calls, "), "{text:#?}");
}

#[test]
fn a_run_costs_no_more_than_it_may_and_goes_on_when_it_may_cost_more() {
    // 100 tokens in and 10 out: 0.00012 dollars a call, and 120 calls.
    let server = ModelServer::start(Duration::from_millis(1), |_| Reply::text("{\"prob_true\": 0.4}"));
    let pipeline = claims(40, &format!("use = \"openai\"\nwith = {}", server.model("")), "");
    let run = |more: &[&str]| run_command(pipeline.command().args(more));
    let spent = |run: &CommandOutput| run.json()["models"]["judge"]["usd"].as_f64().expect("dollars");
    let first = run(&["--max-usd", "0.005"]);
    assert!(matches!(first.code, Some(1 | 3)), "{first:?}");
    assert!(spent(&first) <= 0.005 && spent(&first) > 0.0 && server.count() < 42, "{} {first:?}", server.count());
    let stopped = first.json()["stopped"].clone();
    assert_eq!(stopped, "the 0.005 USD that the run may cost are used up");
    // What earlier sessions cost counts.
    let asked = server.count();
    let again = run(&["--max-usd", "0.005", "--resume", "last"]);
    assert!(matches!(again.code, Some(1 | 3)) && spent(&again) <= 0.005, "{again:?}");
    assert!(server.count() - asked < 10, "{} and {asked}", server.count());
    let more = run(&["--set", "pipeline.max_usd=0.01", "--resume", "last"]);
    assert!(matches!(more.code, Some(1 | 3)) && spent(&more) <= 0.01 && spent(&more) > 0.004, "{more:?}");
    let whole = run(&["--resume", "last"]).expect_code(0);
    assert!((spent(&whole) - 120.0 * 0.00012).abs() < 1e-9, "{whole:?}");

    let free = claims(1, "use = \"mock\"", "");
    let text = fs::read_to_string(free.path().join("pipeline.toml")).expect("read");
    fs::write(free.path().join("pipeline.toml"), text.replace("price", "# price")).expect("written");
    let refused = run_command(free.command().args(["--max-usd", "1"])).expect_code(2);
    assert!(refused.stderr.contains("no model of the pipeline has a price"), "{}", refused.stderr);
    let refused = run_command(free.command().args(["--set", "pipeline.max_usd=1"])).expect_code(2);
    assert!(refused.stdout.contains("no model has a price, so that nothing counts towards `max_usd`"), "{refused:?}");
    assert!(!free.out().exists());
}
