use jackfield_plugin_api::{
    Document, Kind, Request, linked_extension,
    testing::{FakeHost, call, check_examples, test_context},
};
use serde_json::Value;

use super::*;

const DOCUMENTS: &str = r#"{"id": "d", "text": "The potter throws clay on the wheel."}
{"id": "b", "title": "Mills", "text": "A wheel turns the stone that grinds grain."}
{"id": "c", "text": "Bread rises slowly in a cool kitchen."}
{"id": "a", "text": "The potter throws clay on the wheel."}
{"id": "e", "text": "Glaze is glass, ground in water."}"#;

fn with(more: Value) -> Value {
    let mut config = json!({ "documents": { "path": "d.jsonl", "text": DOCUMENTS } });
    if let (Some(config), Value::Object(more)) = (config.as_object_mut(), more) {
        config.extend(more);
    }
    config
}

fn ask(config: Value, query: &str) -> Result<Value> {
    call(Kind::Analyzer, "retrieve", with(config), json!({ "text": query }), &FakeHost::default())
}

fn ids(config: Value, query: &str) -> Vec<String> {
    let answer = ask(config, query).unwrap();
    answer["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn examples_hold() {
    check_examples(Kind::Analyzer, "retrieve", &FakeHost::default());
}

#[test]
fn equal_documents_come_in_order_of_their_ids() {
    for fusion in ["weighted", "rrf"] {
        for alpha in [0.0, 0.5, 1.0] {
            let found = ids(json!({ "fusion": fusion, "alpha": alpha, "top": 2 }), "potter's clay");
            assert!(found[0] == "a" || fusion == "rrf", "{fusion} {alpha}: {found:?}");
            assert!(found.contains(&"a".to_owned()) && found.contains(&"d".to_owned()), "{fusion} {alpha}: {found:?}");
        }
    }
}

#[test]
fn the_title_is_searched_and_answered() {
    let answer = ask(json!({ "top": 1, "alpha": 1 }), "mills").unwrap();
    assert_eq!((&answer["hits"][0]["id"], &answer["hits"][0]["title"]), (&json!("b"), &json!("Mills")));
}

#[test]
fn scores_fall_with_the_rank_and_each_document_comes_once() {
    for config in [json!({}), json!({ "fusion": "rrf" }), json!({ "candidates": 2 })] {
        let answer = ask(config, "wheel stone bread").unwrap();
        let hits = answer["hits"].as_array().unwrap();
        let scores: Vec<f64> = hits.iter().map(|hit| hit["score"].as_f64().unwrap()).collect();
        assert!(scores.is_sorted_by(|left, right| left >= right), "{scores:?}");
        let mut ids: Vec<&str> = hits.iter().map(|hit| hit["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), hits.len());
        assert_eq!(hits.last().unwrap()["rank"], hits.len());
    }
}

#[test]
fn diversity_puts_a_copy_behind_another_document() {
    assert_eq!(ids(json!({ "top": 2 }), "potter clay wheel"), ["a", "d"]);
    assert_eq!(ids(json!({ "top": 2, "mmr": 0.5 }), "potter clay wheel"), ["a", "b"]);
}

#[test]
fn a_query_without_words_or_without_one_that_is_known_has_no_hits() {
    for config in
        [json!({}), json!({ "fusion": "rrf" }), json!({ "alpha": 0, "embedder": { "kind": "hashing", "idf": false } })]
    {
        for query in ["", " \t", "?!", "xylophone", "quantum chromodynamics"] {
            assert_eq!(ids(config.clone(), query), [""; 0], "{config} {query:?}");
        }
    }
}

#[test]
fn a_document_without_a_word_and_a_score_is_no_hit() {
    assert_eq!(ids(json!({ "alpha": 1 }), "bread"), ["c"]);
    for config in [json!({}), json!({ "fusion": "rrf" }), json!({ "mmr": 0.5 })] {
        let answer = ask(config, "bread").unwrap();
        let hits = answer["hits"].as_array().unwrap();
        assert!(hits.iter().all(|hit| hit["score"].as_f64().unwrap() > 0.0), "{answer}");
    }
}

#[test]
fn a_collection_of_one_document_scores_its_match() {
    for (config, score) in [(json!({}), 1.0), (json!({ "alpha": 0 }), 1.0), (json!({ "alpha": 1 }), 1.0)] {
        let mut config = config;
        config["documents"] = json!({ "path": "d.jsonl", "text": r#"{"id": 7, "text": "Clay."}"# });
        let answer = ask(config.clone(), "clay").unwrap();
        let hit = &answer["hits"][0];
        assert_eq!((&hit["id"], &hit["score"]), (&json!("7"), &json!(score)), "{config}");
        assert!(hit["bm25"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn of_a_few_documents_that_match_none_has_the_score_zero() {
    let documents = json!({ "path": "d.jsonl", "text": "{\"id\": 1, \"text\": \"Clay.\"}\n{\"id\": 2, \"text\": \"Clay, and much else besides.\"}" });
    let answer = ask(json!({ "documents": documents }), "clay").unwrap();
    let scores: Vec<f64> =
        answer["hits"].as_array().unwrap().iter().map(|hit| hit["score"].as_f64().unwrap()).collect();
    assert!(scores.len() == 2 && scores[0] > scores[1] && scores[1] > 0.0, "{answer}");
}

#[test]
fn a_query_is_answered_as_it_was_written_and_found_however_that_is() {
    let documents = json!({ "path": "d.jsonl", "text": "{\"id\": \"a\", \"text\": \"Das Café.\"}\n{\"id\": \"b\", \"text\": \"Der Hund.\"}" });
    let (composed, decomposed) = ("café", "cafe\u{301}");
    let both = [composed, decomposed].map(|query| ask(json!({ "documents": documents }), query).unwrap());
    assert_eq!(both[0]["hits"], both[1]["hits"]);
    assert_eq!((&both[0]["hits"][0]["id"], &both[1]["query"]), (&json!("a"), &json!(decomposed)));
}

#[test]
fn a_batch_has_the_answers_of_its_documents_one_by_one() {
    let instance = linked_extension(Kind::Analyzer, "retrieve").unwrap().open(&with(json!({})).to_string()).unwrap();
    let queries = ["clay", "cool bread", "", "stone wheel"];
    let request =
        |text: &str| Request { document: Document::new(json!({ "text": text }).to_string()), context: test_context() };
    let batch: Vec<Request> = queries.iter().map(|text| request(text)).collect();
    let host = FakeHost::default();
    let mut call = instance.call(&batch, &host);
    let std::task::Poll::Ready(answers) =
        call.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    else {
        panic!("nothing to wait for")
    };
    for (query, answer) in queries.iter().zip(answers) {
        let answer: Value = serde_json::from_str(&answer.unwrap().json).unwrap();
        assert_eq!(answer, ask(json!({}), query).unwrap());
    }
}

#[test]
fn settings_that_mean_nothing_are_refused_by_name() {
    for (config, named) in [
        (json!({ "alpha": 1.5 }), "`alpha` is 1.5"),
        (json!({ "mmr": -0.1 }), "`mmr` is -0.1"),
        (json!({ "k1": -1 }), "`k1` is -1"),
        (json!({ "top": 0 }), "`top` is 0"),
        (json!({ "fusion": "sum" }), "sum"),
        (json!({ "embedder": { "kind": "hashing", "dimensions": 1 } }), "`embedder.dimensions` is 1"),
        (
            json!({ "embedder": { "kind": "bert", "folder": "/nowhere" } }),
            if cfg!(feature = "models") { "/nowhere" } else { "models" },
        ),
    ] {
        let failure = ask(config, "x").unwrap_err();
        assert!(matches!(failure, Failure::InvalidConfig(_)) && failure.message().contains(named), "{failure}");
    }
}

#[test]
fn arms_that_differ_in_alpha_share_an_index() {
    let open = |alpha: f64| {
        let read = |value: Value| serde_json::from_value::<Retrieve>(value).unwrap().open().unwrap();
        read(with(json!({ "alpha": alpha, "k1": 1.3 })))
    };
    let (left, right) = (open(0.1), open(0.9));
    let (Some(Indexed::Opened(left)), Some(Indexed::Opened(right))) = (&left.indexed, &right.indexed) else {
        panic!("indexed when they were opened")
    };
    assert!(Arc::ptr_eq(left, right));
}
