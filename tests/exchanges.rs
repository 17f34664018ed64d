//! What stages ask of models and are answered, word for word on the record: what is kept, what is not, and how it is shown.

use std::{path::Path, time::Duration};

use jackfield_store::{Db, Exchange, STORE, peek, read_record};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    model_server::{ModelServer, Reply},
    support::{Pipeline, claim_stages, jackfield, results, run_command, same_outcome},
};

/// Claims of three wordings each.
fn claims(model: &str, record: &str) -> Pipeline {
    let stages = claim_stages(50);
    let text = format!(
        r#"
[pipeline]
name = "asked"
[input]
use = "inline"
id = "id"
items = [{{ id = "moon", claim = "The moon-and-stars is made of \u001b[31mcheese." }}, {{ id = "sea", claim = "The sea is salty." }}]
{record}
[model.judge]
{model}
price = {{ input = 1.0, output = 2.0 }}
{stages}"#
    );
    Pipeline::new(&text).with_bank()
}

/// A claim that is asked about three times, through the cache of the model.
fn prompts(model: &str, record: &str) -> Pipeline {
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "asked"
[input]
use = "inline"
id = "id"
items = [{{ id = "sea", claim = "The sea is salty." }}]
{record}
[model.judge]
{model}
[stages.sample]
use = "prompt"
in = {{ claim = "input.claim" }}
with = {{ user = "Is it so? {{{{ claim }}}}" }}
repeat = 3
model = "judge"
"#
    ))
}

const FULL: &str = "[record]\ncalls = \"full\"";

/// What is on the record of an item.
fn asked(folder: &Path, item: i64) -> Vec<Exchange> {
    Db::read(&folder.join(STORE)).expect("opened").exchanges_of(item).expect("read")
}

/// `jackfield show`, as JSON.
fn shown(pipeline: &Pipeline, more: &[&str]) -> Value {
    let mut show = jackfield();
    show.args(["show", "last"]).args(more).arg("--json").arg("--out").arg(pipeline.out());
    run_command(&mut show).expect_code(0).json()
}

#[test]
fn every_call_is_on_the_record_where_that_is_asked_for_and_shown_with_its_cost() {
    let pipeline = claims("use = \"mock\"", FULL);
    let folder = pipeline.run().expect_code(0).folder();
    let exchanges = asked(&folder, 0);
    let places: Vec<(u32, u32, u32)> = exchanges.iter().map(|asked| (asked.stage, asked.call, asked.seq)).collect();
    assert_eq!(places, [(1, 0, 0), (1, 1, 0), (1, 2, 0)]);
    let shown = shown(&pipeline, &["moon", "sample"]);
    let first = &shown["exchanges"]["sample"][0];
    assert_eq!((&first["model"], &first["source"], &first["calls"]), (&json!("judge"), &json!("call"), &json!(1)));
    let messages = first["request"]["messages"].as_array().expect("messages");
    assert_eq!(messages.last().expect("a message")["role"], "user");
    assert!(messages.iter().any(|message| message["content"].as_str().is_some_and(|text| text.contains("cheese"))));
    let answer: Value = serde_json::from_str(first["answer"]["text"].as_str().expect("a text")).expect("JSON");
    assert!(answer["belief"]["prob_true"].is_number(), "{answer}");
    let cost = first["tokens_in"].as_f64().expect("tokens") / 1e6 + first["tokens_out"].as_f64().expect("tokens") / 5e5;
    assert!((first["usd"].as_f64().expect("dollars") - cost).abs() < 1e-12, "{first}");

    let mut show = jackfield();
    show.args(["show", "last", "moon", "sample", "--out"]).arg(pipeline.out());
    let text = run_command(&mut show).expect_code(0).stdout;
    for part in
        ["model judge, call 0, 1 call, ", " tokens in, ", " USD, ", "  user\n", "  answer\n    {\"assumptions\":"]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(text.contains("cheese") && !text.contains('\u{1b}'), "{text}");

    // The results are what they are without it.
    let other = claims("use = \"mock\"", "[record]\ncalls = \"none\"");
    let plain = other.run().expect_code(0).folder();
    same_outcome(&plain, &folder);
    assert!(asked(&plain, 0).is_empty());
    let mut show = jackfield();
    show.args(["show", "last", "moon", "sample", "--out"]).arg(other.out());
    let told = run_command(&mut show).expect_code(0).stderr;
    assert!(told.contains("`[record]` with `calls = \"full\"`"), "{told}");
}

#[test]
fn what_failed_is_on_the_record_unless_nothing_is() {
    let pipeline = claims("use = \"mock\"\nwith = { fail_rate = 0.5, seed = 3 }\nretry = { attempts = 1 }", "");
    let run = pipeline.run();
    let folder = run.folder();
    let failed: usize =
        results(&folder).iter().map(|line| line["failures"]["sample"].as_array().map_or(0, Vec::len)).sum();
    let exchanges: Vec<Exchange> = (0..2).flat_map(|item| asked(&folder, item)).collect();
    assert!(failed > 0 && failed < 6, "the seed makes some of them fail: {failed}");
    assert_eq!(exchanges.len(), failed);
    assert!(exchanges.iter().all(|asked| asked.answer.is_none() && asked.failure.as_deref() == Some("unavailable")));
    assert!(exchanges[0].message.as_deref().is_some_and(|message| message.contains("`fail_rate` is 0.5")));
}

#[test]
fn answers_of_a_cache_are_recorded_and_calls_that_are_made_again_replace_what_was_there() {
    let cache = "use = \"mock\"\ncache = \"answers\"";
    let pipeline = prompts(
        cache,
        &format!("{FULL}\n[cache.answers]\ntiers = [{{ use = \"sqlite\", with = {{ path = \"c.sqlite\" }} }}]"),
    );
    let first = pipeline.run().expect_code(0).folder();
    let second = pipeline.run().expect_code(0).folder();
    let sources =
        |folder: &Path| asked(folder, 0).into_iter().map(|asked| (asked.source, asked.tier)).collect::<Vec<_>>();
    assert_eq!(sources(&first), vec![("call".to_owned(), None); 3]);
    assert_eq!(sources(&second)[0], ("cache".to_owned(), Some("sqlite".to_owned())));
    let texts = |folder: &Path| asked(folder, 0).into_iter().map(|asked| asked.request).collect::<Vec<_>>();
    assert_eq!(texts(&first), texts(&second));

    // What was killed before the end of an item goes on; and whatever `[record]` says then, it is the same run.
    let sql = |text: &str| Connection::open(first.join(STORE)).and_then(|db| db.execute_batch(text)).expect(text);
    sql("UPDATE results SET output = '{}' WHERE item = 0 AND stage = 0 AND call = 1");
    run_command(pipeline.command().arg("--resume").arg(&first).args(["--set", "record.calls=full"])).expect_code(0);
    assert_eq!(sources(&first).len(), 3);
    assert_eq!(sources(&first)[1].0, "cache", "the one that was made again");
    sql("UPDATE results SET output = '{}' WHERE item = 0 AND stage = 0 AND call = 1");
    run_command(pipeline.command().arg("--resume").arg(&first).args(["--set", "record.calls=none"])).expect_code(0);
    assert_eq!(sources(&first).len(), 2);
    same_outcome(&second, &first);

    // Damage is noticed, and taken out.
    sql("UPDATE exchanges SET answer = replace(answer, 'text', 'tex_')");
    let refused = run_command(jackfield().args(["show"]).arg(&first).args(["sea", "sample"])).expect_code(1);
    assert!(refused.stderr.contains("what stage `sample` asked of a model for item 1"), "{}", refused.stderr);
    run_command(pipeline.command().arg("--resume").arg(&first)).expect_code(0);
    let (_, run) = peek(&pipeline.out(), &first.to_string_lossy()).expect("a run");
    read_record(&first, &run).and_then(|db| db.verify(&run)).expect("whole");
}

#[test]
fn a_secret_that_a_prompt_or_an_answer_repeats_is_not_on_the_record() {
    let server = ModelServer::start(Duration::ZERO, |asked| {
        let content = json!({ "prob_true": 0.4 }).to_string();
        Reply::json(
            200,
            &json!({
                "choices": [{ "finish_reason": "stop", "message": { "role": "assistant", "content": content } }],
                "usage": {
                    "prompt_tokens": 100 + asked.number, "completion_tokens": 50,
                    "prompt_tokens_details": { "cached_tokens": 60 },
                    "completion_tokens_details": { "reasoning_tokens": 40 },
                },
            }),
        )
    });
    let model = format!("use = \"openai\"\nwith = {}", server.model("api_key_env = \"MOON_API_KEY\""));
    let pipeline = claims(&model, FULL);
    let run = run_command(pipeline.command().env("MOON_API_KEY", "moon-and-stars")).expect_code(0);
    let exchanges = asked(&run.folder(), 0);
    let hidden = |asked: &Exchange| ["[env:MOON_API_KEY]", "[key]"].iter().any(|hidden| asked.request.contains(hidden));
    assert!(exchanges.iter().all(hidden), "{exchanges:#?}");
    assert!(exchanges.iter().all(|asked| !asked.request.contains("moon-and-stars")), "{exchanges:#?}");

    // What the server says of its cache, and of what it thought in, is counted.
    let of_judge = &run.json()["models"]["judge"];
    assert_eq!((&of_judge["tokens_cached"], &of_judge["tokens_reasoning"]), (&json!(360), &json!(240)));
    assert_eq!(exchanges[0].tokens.tokens_cached, 60);
}
