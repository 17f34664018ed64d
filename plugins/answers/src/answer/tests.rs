use jackfield_plugin_api::{
    Kind,
    testing::{FakeHost, call, check_examples},
};
use serde_json::Value;

use super::*;

fn ask(config: Value, host: &FakeHost) -> Result<Value> {
    let input = json!({ "query": "When do owls hunt?", "hits": [
        { "id": "owl", "title": "Owls", "text": "The owl hunts mice at night.", "score": 1.0, "rank": 1 },
        { "id": "fox", "text": "Foxes sleep by day.", "score": 0.2, "rank": 2 },
    ] });
    call(Kind::Analyzer, "answer", config, input, host)
}

fn answering(answer: Value) -> FakeHost {
    FakeHost::default().with_model(move |_| {
        let usage = Some(Usage::new(90, 12));
        Ok(Completion { text: answer.to_string(), usage, usd: 0.003, ..Completion::default() })
    })
}

#[test]
fn examples_hold() {
    check_examples(Kind::Analyzer, "answer", &FakeHost::default());
}

#[test]
fn a_model_is_asked_with_a_schema_and_its_citations_are_checked() {
    let citations = json!([
        { "passage": 1, "quote": "hunts mice at NIGHT" },
        { "passage": 7, "quote": "hunts" },
        { "passage": 0, "quote": "hunts" },
        { "passage": 2, "quote": "foxes fly" },
    ]);
    let host = answering(json!({ "answer": [
        { "text": "Owls hunt at night.", "citations": citations }, { "text": "Foxes sleep then.", "citations": [] },
    ] }));
    let answer = ask(json!({ "mode": "model", "temperature": 0.0, "max_tokens": 200 }), &host).unwrap();
    assert_eq!(answer["text"], "Owls hunt at night. Foxes sleep then.");
    assert_eq!(
        answer["sentences"][0]["citations"],
        json!([{ "id": "owl", "quote": "hunts mice at NIGHT" }, { "id": "fox", "quote": "" }])
    );
    assert_eq!((&answer["dropped_citations"], &answer["misquoted"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&answer["tokens"]["input"], &answer["usd"], &answer["model"]),
        (&json!(90), &json!(0.003), &json!("fake"))
    );
    let asked = &host.requests()[0];
    assert!(
        asked.schema.is_some() && asked.validate && asked.max_tokens == Some(200) && asked.temperature == Some(0.0)
    );
}

#[test]
fn a_failure_of_the_model_is_a_failure() {
    let unavailable = FakeHost::default().with_model(|_| Err(Failure::Unavailable("gone".to_owned())));
    assert_eq!(ask(json!({ "mode": "model" }), &unavailable), Err(Failure::Unavailable("gone".to_owned())));
    for answer in
        [json!({}), json!({ "answer": [] }), json!({ "answer": [{ "text": " ", "citations": [] }] }), json!(3)]
    {
        let failure = ask(json!({ "mode": "model" }), &answering(answer)).unwrap_err();
        assert!(matches!(failure, Failure::InvalidOutput(_)), "{failure}");
    }
}

#[test]
fn without_passages_the_answer_is_empty_and_no_model_is_asked() {
    let host = answering(json!({}));
    for mode in ["model", "extractive"] {
        let input = json!({ "query": "x", "hits": [] });
        let answer = call(Kind::Analyzer, "answer", json!({ "mode": mode }), input, &host).unwrap();
        assert_eq!((&answer["text"], &answer["sentences"]), (&json!(""), &json!([])));
    }
    assert!(host.requests().is_empty());
}

#[test]
fn a_query_that_asks_for_nothing_has_no_answer_whatever_was_found() {
    let host = answering(json!({}));
    for mode in ["model", "extractive"] {
        for query in ["", " \n", "?!", "what is the"] {
            let input = json!({ "query": query, "hits": [{ "id": "owl", "text": "The owl hunts.", "score": 1.0 }] });
            let answer = call(Kind::Analyzer, "answer", json!({ "mode": mode }), input, &host).unwrap();
            assert_eq!((&answer["text"], &answer["sentences"]), (&json!(""), &json!([])), "{query:?}");
        }
    }
    assert!(host.requests().is_empty());
}

#[test]
fn settings_that_mean_nothing_are_refused_by_name() {
    for (config, named) in
        [(json!({ "sentences": 0 }), "`sentences`"), (json!({ "temperature": 3 }), "`temperature` is 3")]
    {
        assert!(ask(config, &FakeHost::default()).unwrap_err().message().contains(named));
    }
}
