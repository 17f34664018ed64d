//! What a model's server can do wrong, each caused for real: nothing is lost, the cause is named, no key is shown.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use crate::{
    model_server::{Asked, ModelServer, Reply},
    support::{CommandOutput, Pipeline, run_command, tree},
};

/// The key that may turn up nowhere.
const KEY: &str = "sk-this-key-is-secret-4711";

/// Three claims, each asked three times.
fn pipeline(server: &ModelServer, model: &str, with: &str) -> Pipeline {
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "faults"

[input]
use = "inline"
items = [{{ claim = "One." }}, {{ claim = "Two." }}, {{ claim = "Three." }}]

[model.judge]
use = "openai"
with = {}
retry = {{ attempts = 4, backoff = "20ms" }}
concurrency = 4
{model}

[stages.plan]
use = "claim-plan"
in = {{ claim = "input.claim" }}
with = {{ bank = "bank.toml", slots = 3, replicates = 1, draws = 100 }}
model = "judge"

[stages.sample]
use = "claim-sample"
for_each = "plan.slots"
in = "each"
with = {{ bank = "bank.toml" }}
model = "judge"

[stages.estimate]
use = "claim-estimate"
in = {{ plan = "plan", samples = "sample" }}
"#,
        server.model(with)
    ));
    let bank = crate::support::root().join("examples/claims/bank.toml");
    fs::copy(bank, pipeline.path().join("bank.toml")).expect("copied");
    pipeline
}

fn good() -> Reply {
    Reply::text("{\"prob_true\": 0.4}")
}

fn run(pipeline: &Pipeline) -> CommandOutput {
    let run = run_command(pipeline.command().env("TEST_KEY", KEY).arg("-vvv"));
    assert!(!run.stderr.contains(KEY) && !run.stdout.contains(KEY), "the key was shown");
    for (path, content) in tree(pipeline.path()) {
        let there = content.windows(KEY.len()).any(|window| window == KEY.as_bytes());
        assert!(!there, "the key is in {}", path.display());
    }
    run
}

/// A server that behaves so for its first `count` requests, and well afterwards.
fn at_first(count: usize, reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> ModelServer {
    ModelServer::start(Duration::ZERO, move |asked| if asked.number < count { reply(asked) } else { good() })
}

const WITH_KEY: &str = "api_key_env = \"TEST_KEY\"";

/// A run that gets over what went wrong.
#[track_caller]
fn heals(server: &ModelServer) -> Duration {
    let pipeline = pipeline(server, "", WITH_KEY);
    let began = Instant::now();
    let run = run(&pipeline).expect_code(0);
    assert_eq!(run.json()["items"]["ok"], 3);
    assert!(run.json()["models"]["judge"]["retries"].as_u64().expect("a count") > 0);
    began.elapsed()
}

/// A run in which every item fails with this said.
#[track_caller]
fn fails(server: &ModelServer, model: &str, said: &str) -> CommandOutput {
    let pipeline = pipeline(server, model, WITH_KEY);
    let run = run(&pipeline);
    assert!(matches!(run.code, Some(1 | 3)), "{run:#?}");
    assert_eq!(run.json()["items"]["ok"], 0, "{run:#?}");
    assert!(run.stderr.contains(said), "not said: {said}\n{}", run.stderr);
    run
}

#[test]
fn too_many_requests_is_waited_for() {
    heals(&at_first(2, |_| Reply::error(429, "")));
}

#[test]
fn retry_after_is_obeyed_by_every_call() {
    let took = heals(&at_first(1, |_| Reply::error(429, "retry-after: 1\r\n")));
    assert!(took >= Duration::from_secs(1), "{took:?}");
}

#[test]
fn server_errors_are_tried_again() {
    heals(&at_first(2, |_| Reply::error(500, "")));
    heals(&at_first(2, |_| Reply::error(503, "")));
}

#[test]
fn a_reset_in_the_middle_of_an_answer_is_tried_again() {
    heals(&at_first(2, |_| Reply::ResetMidBody));
}

#[test]
fn a_server_that_keeps_failing_fails_the_items_with_its_message() {
    let run = fails(&ModelServer::start(Duration::ZERO, |_| Reply::error(500, "")), "", "the server says 500");
    assert!(run.stderr.contains("unavailable"), "{}", run.stderr);
}

#[test]
fn a_refused_connection_names_the_server() {
    let server = ModelServer::start(Duration::ZERO, |_| good());
    let pipeline = pipeline(&server, "", WITH_KEY);
    let address = server.address.to_string();
    drop(server);
    std::thread::sleep(Duration::from_millis(50));
    let run = run(&pipeline);
    assert_eq!(run.json()["items"]["ok"], 0);
    assert!(run.stderr.contains(&address), "{}", run.stderr);
    assert!(run.stderr.contains("unavailable"), "{}", run.stderr);
}

#[test]
fn an_answer_that_never_ends_runs_out_of_time() {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::Drip);
    fails(&server, "timeout = \"100ms\"", "gave no answer within 100ms");
}

#[test]
fn what_is_no_answer_fails_as_invalid_output_and_is_not_tried_for_ever() {
    let no_json = || ModelServer::start(Duration::ZERO, |_| Reply::Send(200, String::new(), b"<html>".to_vec()));
    let server = no_json();
    fails(&server, "", "0 of 3 answers are valid");
    assert!(server.count() <= 18, "{}", server.count());
    let empty = |body: serde_json::Value| ModelServer::start(Duration::ZERO, move |_| Reply::json(200, &body));
    fails(&empty(serde_json::json!({ "choices": 1 })), "", "0 of 3 answers are valid");
    let refusal = serde_json::json!({ "choices": [{ "message": { "content": null, "refusal": "I can't." }, "finish_reason": "stop" }] });
    fails(&empty(refusal), "", "refused");
    let wrong_schema = ModelServer::start(Duration::ZERO, |_| Reply::text("{\"prob_true\": \"high\"}"));
    fails(&wrong_schema, "", "0 of 3 answers are valid");
}

#[test]
fn an_answer_in_which_there_is_none_is_tried_again() {
    heals(&at_first(2, |_| Reply::Send(200, String::new(), Vec::new())));
    heals(&at_first(2, |_| Reply::json(200, &serde_json::json!({ "choices": [] }))));
    let busy = serde_json::json!({ "type": "error", "error": { "type": "overloaded_error", "message": "busy" } });
    heals(&at_first(2, move |_| Reply::json(200, &busy)));
    let nothing = ModelServer::start(Duration::ZERO, |_| Reply::json(200, &serde_json::json!({ "choices": [] })));
    fails(&nothing, "", "answered without choices");
}

#[test]
fn a_wait_that_is_longer_than_is_allowed_is_told_at_once() {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::error(429, "retry-after: 7200\r\n"));
    let began = Instant::now();
    fails(
        &server,
        "",
        "it asks to wait 2h before the next call; model `judge` waits no longer than `retry.longest_wait`, 2m",
    );
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert!(server.count() <= 9, "no call is tried again: {}", server.count());
}

#[test]
fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let server = ModelServer::start(Duration::ZERO, |_| good());
    let through_proxy = |pipeline: &Pipeline| {
        let proxy = format!("http://me:hunter-2-hunter@127.0.0.1:{port}");
        let mut run = pipeline.command();
        for name in ["NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"] {
            run.env_remove(name);
        }
        run.env("HTTP_PROXY", &proxy).env("http_proxy", &proxy).args(["-vvv", "--set", "model.judge.retry.attempts=1"]);
        run_command(&mut run)
    };
    let near = pipeline(&server, "", "");
    assert_eq!(through_proxy(&near).expect_code(0).json()["items"]["ok"], 3, "this machine needs no proxy");

    let far = pipeline(&server, "", "");
    let text = fs::read_to_string(far.path().join("pipeline.toml")).expect("read");
    let text = text.replace(&server.address.to_string(), "llm.example.org");
    fs::write(far.path().join("pipeline.toml"), text).expect("written");
    let run = through_proxy(&far);
    let said = format!(
        "the server at llm.example.org is not reached through the proxy at 127.0.0.1:{port} (`HTTP_PROXY` or `ALL_PROXY`): it \
         refuses connections"
    );
    assert!(run.stderr.contains(&said), "not said: {said}\n{}", run.stderr);
    assert!(!run.stderr.contains("hunter-2-hunter") && !run.stdout.contains("hunter-2-hunter"), "{run:#?}");
    for (path, content) in tree(far.path()) {
        assert!(
            !content.windows(15).any(|window| window == b"hunter-2-hunter"),
            "the password is in {}",
            path.display()
        );
    }
}

#[test]
fn a_ten_megabyte_answer_is_read_and_a_larger_one_is_refused() {
    let of = |size: usize| {
        ModelServer::start(Duration::ZERO, move |_| {
            let reasons = "x".repeat(size);
            Reply::text(&format!("{{\"prob_true\": 0.4, \"reasons\": [\"{reasons}\"]}}"))
        })
    };
    let pipeline = pipeline(&of(10_000_000), "", WITH_KEY);
    drop(pipeline);
    let server = of(10_000_000);
    let pipeline = self::pipeline(&server, "", WITH_KEY);
    assert_eq!(run(&pipeline).expect_code(0).json()["items"]["ok"], 3);
    fails(&of(17 << 20), "", "16 MiB");
}

#[test]
fn a_missing_key_is_reported_before_anything_runs() {
    let server = ModelServer::start(Duration::ZERO, |_| good());
    let pipeline = pipeline(&server, "", "api_key_env = \"NO_SUCH_KEY\"");
    let run = run(&pipeline).expect_code(2);
    assert!(run.stdout.contains("NO_SUCH_KEY"), "{}", run.stdout);
    assert_eq!(server.count(), 0);
}

#[test]
fn a_wrong_key_is_not_tried_again_and_not_shown() {
    let server = ModelServer::start(Duration::ZERO, |_| {
        let body = serde_json::json!({ "error": { "message": format!("Incorrect API key provided: {KEY}") } });
        Reply::json(401, &body)
    });
    fails(&server, "", "TEST_KEY");
    assert!(server.heads().iter().all(|head| head.contains(KEY)), "the key goes to the server");
    assert!(server.count() <= 9, "{}", server.count());
}

#[test]
fn a_key_that_a_good_answer_repeats_is_on_no_record_and_in_no_cache() {
    let server = ModelServer::start(Duration::ZERO, |_| {
        let text = format!("{{\"prob_true\": 0.4, \"reasons\": [\"{KEY}\"]}}");
        let message = serde_json::json!({ "role": "assistant", "content": text });
        Reply::json(
            200,
            &serde_json::json!({
                "model": format!("tiny-{KEY}"), "choices": [{ "message": message, "finish_reason": "stop" }],
                "usage": { "prompt_tokens": 100, "completion_tokens": 10 },
            }),
        )
    });
    let model = "cache = \"answers\"\nrecord = \"answers.jsonl\"\n\n[cache.answers]\ntiers = [{ use = \"sqlite\" }]";
    let pipeline = pipeline(&server, model, WITH_KEY);
    let run = run(&pipeline);
    assert!(server.count() > 0, "{run:#?}");
    let recorded = fs::read_to_string(pipeline.path().join("answers.jsonl")).expect("recorded");
    assert!(recorded.contains("tiny-[key]"), "{recorded}");
}

#[test]
fn a_budget_stops_the_run_with_what_is_finished_and_a_resume_goes_on() {
    // Each call costs 110 tokens.
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    let server = ModelServer::start(Duration::from_millis(5), |_| {
        SEEN.fetch_add(1, Ordering::SeqCst);
        good()
    });
    let pipeline = pipeline(&server, "budget = { tokens = 3000 }", WITH_KEY);
    let text = fs::read_to_string(pipeline.path().join("pipeline.toml")).expect("read");
    let items: Vec<String> = (0..30).map(|number| format!("{{ claim = \"Claim {number}.\" }}")).collect();
    let start = text.find("items = ").expect("items");
    let end = start + text[start..].find('\n').expect("a line");
    let text = format!("{}items = [{}]{}", &text[..start], items.join(", "), &text[end..]);
    fs::write(pipeline.path().join("pipeline.toml"), text).expect("written");
    let first = run(&pipeline);
    let summary = first.json();
    assert!(first.stderr.contains("the budget of model `judge` is used up"), "{}", first.stderr);
    assert_eq!(summary["state"], "partial", "{summary}");
    let spent = summary["models"]["judge"]["tokens_in"].as_u64().unwrap_or(0)
        + summary["models"]["judge"]["tokens_out"].as_u64().unwrap_or(0);
    assert!(spent <= 3000 + 4 * 110, "{spent}");
    let finished = summary["items"]["ok"].as_u64().expect("a count");
    assert!(finished > 0, "{summary}");
    let before = server.count();
    let mut more = pipeline.command();
    more.env("TEST_KEY", KEY).args(["--resume", "last", "--set", "model.judge.budget.tokens=1000000"]);
    let resumed = run_command(&mut more).expect_code(0);
    assert_eq!(resumed.json()["items"]["ok"], 30);
    // Ninety calls in all, and those that were under way when the budget ended.
    assert!(server.count() >= 90 && server.count() <= 90 + 8, "{} after {before}", server.count());
}
