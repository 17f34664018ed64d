//! Models behind servers linked in, as a native library and as a component: the same results, and a key that none of them sees.

use std::{fs, time::Duration};

use serde_json::{Value, json};

use crate::{
    model_server::{Asked, ModelServer, Reply},
    support::{CommandOutput, Pipeline, claim_stages, fixture, jackfield, run_command, same_outcome, tree},
};

/// The key that may turn up nowhere but at the server.
const KEY: &str = "sk-this-key-is-secret-4712";

/// How the plugin comes in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Linked,
    Native,
    Component,
}

/// Answers that repeat the key, and a server that has its moods.
fn server() -> ModelServer {
    ModelServer::start(Duration::ZERO, |asked| {
        let body = asked.body.to_string();
        if asked.body.get("input").is_some() {
            return Reply::json(
                200,
                &json!({ "data": [{ "embedding": vector(&body) }], "usage": { "prompt_tokens": 3 } }),
            );
        }
        if body.contains("Two") {
            return Reply::json(400, &json!({ "error": { "message": format!("the key {KEY} may not ask that") } }));
        }
        let text = format!("{{\"prob_true\": 0.4, \"reasons\": [\"by {KEY}\"]}}");
        Reply::json(
            200,
            &json!({
                "model": format!("tiny-{KEY}"),
                "choices": [{ "message": { "content": text }, "finish_reason": "stop" }],
                "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn",
                "usage": { "prompt_tokens": 100, "completion_tokens": 10, "input_tokens": 100, "output_tokens": 10 },
            }),
        )
    })
}

/// A vector that depends on the text.
fn vector(text: &str) -> Vec<f64> {
    let mut vector = vec![0.25; 8];
    for (at, byte) in text.bytes().enumerate() {
        vector[at % 8] += f64::from(byte) / 4096.0;
    }
    vector
}

/// The table of the plugin in this form; none where it is linked in.
fn plugin(form: Form, grants: &[&str]) -> String {
    let (file, line) = match form {
        Form::Linked => return String::new(),
        Form::Native => ("jackfield_models.so", "allow_native = true".to_owned()),
        Form::Component => ("jackfield_models.wasm", format!("grant = {grants:?}")),
    };
    format!("[plugins.mine]\npath = {:?}\n{line}\n", fixture(file).to_str().expect("UTF-8"))
}

fn named(form: Form, model: &str) -> String {
    if form == Form::Linked { model.to_owned() } else { format!("mine/{model}") }
}

/// Three claims that are asked about, by this model in this form.
fn claims(server: &ModelServer, form: Form, model: &str, grants: &[&str]) -> Pipeline {
    let stages = claim_stages(100);
    let text = format!(
        r#"
[pipeline]
name = "forms"

{}
[input]
use = "inline"
items = [{{ claim = "One." }}, {{ claim = "Two." }}, {{ claim = "Three." }}]

[cache.answers]
tiers = [{{ use = "sqlite" }}]

[model.judge]
use = "{}"
with = {}
retry = {{ attempts = 1 }}
cache = "answers"
record = "answers.jsonl"

{stages}retry = {{ attempts = 1 }}
"#,
        plugin(form, grants),
        named(form, model),
        server.model("api_key_env = \"FORMS_KEY\""),
    );
    locked(Pipeline::new(&text).with_bank(), form)
}

fn locked(pipeline: Pipeline, form: Form) -> Pipeline {
    if form != Form::Linked {
        run_command(jackfield().current_dir(pipeline.path()).args(["plugins", "lock"])).expect_code(0);
    }
    pipeline
}

/// Runs it with the key, which then is nowhere.
fn run(pipeline: &Pipeline) -> CommandOutput {
    let run = run_command(pipeline.command().env("FORMS_KEY", KEY).arg("-vvv"));
    assert!(!run.stderr.contains(KEY) && !run.stdout.contains(KEY), "the key was shown");
    for (path, content) in tree(pipeline.path()) {
        let there = content.windows(KEY.len()).any(|window| window == KEY.as_bytes());
        assert!(!there, "the key is in {}", path.display());
    }
    run
}

#[test]
fn a_model_has_the_same_results_in_every_form_and_sees_no_key() {
    for model in ["openai", "anthropic"] {
        // One server for all forms: its address is in the failures.
        let server = server();
        let mut asked_before = 0;
        let mut first: Option<(Pipeline, CommandOutput)> = None;
        for form in [Form::Linked, Form::Native, Form::Component] {
            let http = format!("http:{}", server.address);
            let pipeline = claims(&server, form, model, &[&http, "secret:FORMS_KEY"]);
            let run = run(&pipeline);
            assert!(server.heads().iter().all(|head| head.contains(KEY)), "{form:?}: the key goes to the server");
            assert!(server.count() >= asked_before + 9, "{form:?}: {run:#?}");
            asked_before = server.count();
            match &first {
                Some((_, linked)) => same_outcome(&linked.folder(), &run.folder()),
                None => first = Some((pipeline, run)),
            }
        }
        let (pipeline, run) = first.expect("a run");
        let results = fs::read_to_string(run.folder().join("results.jsonl")).expect("results");
        assert!(results.contains("the key [key] may not ask that"), "{results}");
        let recorded = fs::read_to_string(pipeline.path().join("answers.jsonl")).expect("recorded");
        assert!(recorded.contains("by [key]") && recorded.contains("tiny-[key]"), "{recorded}");
    }
}

#[test]
fn a_component_has_no_key_that_was_not_granted_and_sends_it_nowhere_else() {
    let (server, other) = (server(), server());
    let http = format!("http:{}", server.address);
    let said = |grants: &[&str]| {
        let pipeline = claims(&server, Form::Component, "openai", grants);
        let run = run(&pipeline);
        let faults = run.json()["faults"].as_array().map(|faults| {
            faults.iter().map(|fault| fault["message"].as_str().expect("a message").to_owned()).collect::<Vec<_>>()
        });
        let said = match faults {
            Some(faults) => faults.join("\n"),
            None => run.stderr.lines().find(|line| line.contains("is not granted")).unwrap_or(&run.stderr).to_owned(),
        };
        said.replace(&server.address.to_string(), "[server]")
            .replace(&other.address.to_string(), "[other]")
            .replace(&*pipeline.path().to_string_lossy(), "[folder]")
    };
    let elsewhere = format!("secret:FORMS_KEY={}", other.address);
    let both = format!("http:{}", other.address);
    let for_it = "`secret:FORMS_KEY` is not granted to plugin `mine` for [server]: add `grant = [\"secret:FORMS_KEY=[server]\"]`";
    let secret = "secret:FORMS_KEY";
    for (grants, denied) in [
        (
            [http.as_str()].as_slice(),
            "`secret:FORMS_KEY` is not granted to plugin `mine`: add `grant = [\"secret:FORMS_KEY\"]`",
        ),
        (&[secret], "`http:[server]` is not granted to plugin `mine`: add `grant = [\"http:[server]\"]`"),
        (&[http.as_str(), elsewhere.as_str()], for_it),
        (&[http.as_str(), both.as_str(), secret], for_it),
    ] {
        let said = said(grants);
        assert!(said.contains(denied), "{said}");
    }
    assert_eq!((server.count(), other.count()), (0, 0));
    // A redirect leads nowhere, and least of all with the key.
    let to = other.address;
    let leads_away = ModelServer::start(Duration::ZERO, move |_: &Asked| {
        Reply::Send(307, format!("location: http://{to}/v1/chat/completions\r\n"), Vec::new())
    });
    let http = format!("http:{}", leads_away.address);
    let pipeline = claims(
        &leads_away,
        Form::Component,
        "openai",
        &[&http, &both, &format!("secret:FORMS_KEY={}", leads_away.address)],
    );
    assert!(run(&pipeline).stderr.contains("sends calls elsewhere (status 307)"));
    assert!(leads_away.count() > 0 && other.count() == 0);
}

#[test]
fn vectors_of_a_server_are_the_same_in_every_form_and_are_kept() {
    let mut first: Option<(Pipeline, CommandOutput)> = None;
    for form in [Form::Linked, Form::Native, Form::Component] {
        let server = server();
        let text = format!(
            r#"
[pipeline]
name = "vectors"

{}
[input]
use = "inline"
items = [{{ text = "pay my bill" }}, {{ text = "book a flight to Rome" }}, {{ text = "pay my bill" }}]

[cache.vectors]
tiers = [{{ use = "sqlite" }}]

[model.small]
use = "{}"
with = {}
price = {{ input = 1.0, output = 1.0 }}
cache = "vectors"

[stages.domain]
use = "domain"
in = {{ text = "input.text" }}
model = "small"

[stages.domain.with]
embedder = {{ kind = "model" }}
threshold = 0.0

[stages.domain.with.domains]
banking = ["pay my bill", "freeze my card"]
travel = ["book a flight", "find a hotel in Paris"]

[stages.retrieve]
use = "retrieve"
in = {{ text = "input.text" }}
with = {{ documents = "documents.jsonl", embedder = {{ kind = "model" }}, alpha = 0.0, top = 2 }}
model = "small"
"#,
            plugin(form, &[&format!("http:{}", server.address), "secret:FORMS_KEY"]),
            named(form, "openai-embeddings"),
            server.model("api_key_env = \"FORMS_KEY\", dimensions = 8"),
        );
        let documents =
            "{\"id\": \"a\", \"text\": \"A bill is paid.\"}\n{\"id\": \"b\", \"text\": \"The flight to Rome.\"}\n";
        let pipeline = locked(Pipeline::new(&text).with("documents.jsonl", documents), form);
        let done = run(&pipeline).expect_code(0);
        let summary = done.json();
        let small = &summary["models"]["small"];
        // Five examples and queries that differ, and two documents; of equal requests, one is made.
        assert_eq!(server.count(), 7, "{form:?}: {small:#}");
        assert_eq!((small["tokens_in"].as_u64(), small["tokens_out"].as_u64()), (Some(21), Some(0)), "{form:?}");
        let again = run(&pipeline).expect_code(0);
        assert_eq!(again.json()["models"]["small"]["calls"], 0, "{form:?}: every vector is kept");
        same_outcome(&done.folder(), &again.folder());
        match &first {
            Some((_, linked)) => same_outcome(&linked.folder(), &done.folder()),
            None => first = Some((pipeline, done)),
        }
    }
}

#[test]
fn a_model_of_vectors_answers_no_prompts() {
    let server = server();
    let pipeline = claims(&server, Form::Linked, "openai-embeddings", &[]);
    let refused = run(&pipeline).expect_code(2);
    let faults: Vec<Value> = refused.json()["faults"].as_array().expect("faults").clone();
    let message = faults[0]["message"].as_str().expect("a message");
    assert!(message.contains("model `judge` (`openai-embeddings`) does not offer"), "{message}");
}
