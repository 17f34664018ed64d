//! `domain` and `retrieve` with vectors of the stage's model.

use std::{
    cell::Cell,
    task::{Context as TaskContext, Poll, Waker},
};

use jackfield_plugin_api::{
    Kind, TensorRef,
    testing::{FakeHost, call},
};
use serde_json::Value;

use super::*;

/// A host whose model answers a text with the vector of the first word here that the text holds; with no vector if the vector
/// is empty, and not at all for a text with none of the words.
fn model(words: &'static [(&'static str, &'static [f32])]) -> FakeHost {
    // The model's own tensors are the host's: one that is like it gives the same references.
    let twin = FakeHost::default();
    let hold = |host: &FakeHost, vector: &[f32]| host.add_tensor(&[vector.len() as u64], vector);
    let vectors: Vec<TensorRef> = words.iter().map(|(_, vector)| hold(&twin, vector)).collect();
    let host = FakeHost::default().with_model(move |request| {
        assert!(request.embed && request.max_tokens == Some(0), "{request:?}");
        let text = &request.messages[0].content;
        let Some(at) = words.iter().position(|(word, _)| text.contains(word)) else {
            return Err(Failure::InvalidInput("a text that is too long".to_owned()));
        };
        let embedding = Some(vectors[at].clone()).filter(|_| !words[at].1.is_empty());
        Ok(Completion { embedding, ..Completion::default() })
    });
    for (_, vector) in words {
        hold(&host, vector);
    }
    host
}

const WORDS: &[(&str, &[f32])] = &[
    ("bill", &[3.0, 0.0, 0.1]),
    ("money", &[4.0, 0.2, 0.0]),
    ("flight", &[0.0, 2.0, 0.1]),
    ("hotel", &[0.1, 9.0, 0.0]),
    ("short", &[1.0]),
    ("mute", &[]),
    ("odd", &[f32::NAN, 1.0, 1.0]),
];

fn domain(examples: &[&str], text: &str, host: &FakeHost) -> Result<Value> {
    let config = json!({
        "domains": { "banking": examples, "travel": ["a flight to Rome", "which hotel"] },
        "embedder": { "kind": "model" }, "threshold": 0.5,
    });
    call(Kind::Analyzer, "domain", config, json!({ "text": text }), host)
}

fn retrieve(documents: &str, text: &str, host: &FakeHost) -> Result<Value> {
    let documents = json!({ "path": "d.jsonl", "text": documents });
    let config = json!({ "documents": documents, "embedder": { "kind": "model" }, "alpha": 0.0, "top": 1 });
    call(Kind::Analyzer, "retrieve", config, json!({ "text": text }), host)
}

#[test]
fn domains_are_learned_from_the_vectors_of_the_model_when_a_document_comes() {
    let host = model(WORDS);
    let ask = |text| domain(&["my bill", "send money"], text, &host).expect("a domain")["label"].clone();
    assert_eq!((ask("another bill"), ask("another hotel")), (json!("banking"), json!("travel")));
    assert_eq!(host.requests().len(), 2 * (4 + 1), "each instance asks about four examples and a text");
}

#[test]
fn documents_are_found_by_vectors_of_length_1() {
    let documents = "{\"id\": \"a\", \"text\": \"money\"}\n{\"id\": \"b\", \"text\": \"hotel\"}";
    let hits = retrieve(documents, "a flight", &model(WORDS)).expect("hits");
    assert_eq!(hits["hits"][0]["id"], "b");
    let cosine = hits["hits"][0]["vector"].as_f64().expect("a number");
    assert!((0.99..=1.0).contains(&cosine), "{cosine}");
}

#[test]
fn a_stage_with_a_store_asks_about_no_text_twice() {
    let host = model(WORDS).with_cache();
    for _ in 0..2 {
        domain(&["my bill", "send money"], "another bill", &host).expect("a domain");
    }
    assert_eq!(host.requests().len(), 4 + 1);
}

#[test]
fn a_vector_that_is_none_is_refused_with_the_text_that_it_is_of() {
    let told = |examples: &[&str], text: &str| domain(examples, text, &model(WORDS)).expect_err("refused").to_string();
    let found = [
        told(&["my bill", "no word of it"], "bill"),
        told(&["my bill", "mute"], "bill"),
        told(&["my bill", "odd"], "bill"),
        told(&["my bill", "short"], "bill"),
        told(&["my bill"], "short"),
        retrieve("{\"id\": \"a\", \"text\": \"mute\"}", "bill", &model(WORDS)).expect_err("refused").to_string(),
        domain(&["my bill"], "bill", &FakeHost::default()).expect_err("refused").to_string(),
    ];
    let wanted = [
        "invalid-input: the example \"no word of it\": a text that is too long",
        "invalid-output: the example \"mute\": the model answered without a vector",
        "invalid-output: the example \"odd\": the model answered with a vector that is not finite",
        "invalid-output: the example \"short\": the model answered with a vector of 1 elements, and with one of 3 before",
        "invalid-output: the model answered with a vector of 1 elements, and with one of 3 before",
        "invalid-output: the document `a`: the model answered without a vector",
        "invalid-config: the stage has no model: give it one with `model = \"name\"`",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn what_fails_to_be_learned_is_learned_by_the_next_call_and_then_once() {
    let learned = LearnedOnce::default();
    let times = Cell::new(0);
    let get = |outcome: Result<u8>| {
        let learn = async || {
            times.set(times.get() + 1);
            outcome
        };
        let mut get = std::pin::pin!(learned.get(learn));
        match get.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(learned) => learned.map(|learned| *learned),
            Poll::Pending => panic!("nothing to wait for"),
        }
    };
    assert!(get(Err(Failure::Unavailable("away".to_owned()))).is_err());
    assert_eq!((get(Ok(7)), get(Ok(8)), times.get()), (Ok(7), Ok(7), 2));
}

#[test]
fn whoever_comes_while_it_is_learned_waits_and_goes_on_if_the_first_gives_up() {
    let learned = LearnedOnce::default();
    let mut context = TaskContext::from_waker(Waker::noop());
    let mut first = Box::pin(learned.get(async || std::future::pending::<Result<u8>>().await));
    let mut second = Box::pin(learned.get(async || Ok(2)));
    assert!(first.as_mut().poll(&mut context).is_pending() && second.as_mut().poll(&mut context).is_pending());
    drop(first);
    let Poll::Ready(learned) = second.as_mut().poll(&mut context) else { panic!("nothing to wait for") };
    assert_eq!(learned.map(|learned| *learned), Ok(2));
}
