use jackfield_plugin_api::{
    Document, Kind,
    testing::{FakeHost, call, call_with, check_examples, test_context},
};
use serde_json::Value;

use super::*;

fn tensor(name: &str, data: &[f32]) -> Tensor {
    Tensor { name: name.to_owned(), shape: vec![data.len() as u64], data: data.into() }
}

fn ask(config: Value, input: Value) -> Result<Value> {
    call(Kind::Analyzer, "feedback", config, input, &FakeHost::default())
}

fn ask_tensors(input: Value, tensors: Vec<Tensor>) -> Result<(Value, Vec<Tensor>)> {
    let document = Document { tensors, ..Document::new(input.to_string()) };
    call_with(Kind::Analyzer, "feedback", &json!({}), document, &test_context(), &FakeHost::default())
}

#[test]
fn examples_hold() {
    check_examples(Kind::Analyzer, "feedback", &FakeHost::default());
}

#[test]
fn tensors_and_items_are_judged_alike() {
    let (confidences, ages) = ([1.0, 0.9, 0.4, 1.0], [0.0, 1.25, 0.5, 91.0]);
    let item = |at: usize| {
        json!({ "user": "u", "intent": "i", "confidence": confidences[at], "at": 8_640_000.0 - ages[at] * 86_400.0,
                "accepted": 9, "total": 10 })
    };
    let items: Vec<Value> = (0..4).map(item).collect();
    let of_items = ask(json!({}), json!({ "now": 8_640_000, "items": items })).unwrap();
    let columns = |confidences: [f64; 4]| confidences.map(|x| x as f32);
    let (of_tensors, tensors) = ask_tensors(
        json!({ "now": 8_640_000 }),
        vec![
            tensor("confidence", &columns(confidences)),
            tensor("reputation", &[0.9; 4]),
            tensor("specificity", &[1.0; 4]),
            tensor("age_days", &columns(ages)),
            tensor("user", &[0.0; 4]),
        ],
    )
    .unwrap();
    assert_eq!(of_items["accepted"], json!([0, 1]));
    assert_eq!((&of_items["dropped"], &of_items["scores"]), (&of_tensors["dropped"], &of_tensors["scores"]));
    let kept: Vec<bool> = tensors[0].data.iter().map(|&score| score > 0.0).collect();
    assert_eq!((tensors[0].name.as_str(), kept), ("accepted", vec![true, true, false, false]));
}

#[test]
fn ratings_count_as_much_as_who_gave_them() {
    let item = |accepted: u64, rating: Value| json!({ "user": "u", "intent": "i", "confidence": 1, "at": 0, "accepted": accepted, "total": 10, "rating": rating });
    // Scores of 1, 0.6 and 0.2, of which the last is too little.
    let items =
        [item(10, json!(1.0)), item(6, json!(0.0)), item(2, json!(0.0)), item(10, json!(7)), item(10, Value::Null)];
    let found = ask(json!({}), json!({ "now": 0, "items": items })).unwrap();
    assert_eq!((&found["rating"], &found["dropped"]["invalid"]), (&json!(0.625), &json!(1)), "{found}");
    assert_eq!(ask(json!({}), json!({ "now": 0, "items": [item(10, Value::Null)] })).unwrap()["rating"], Value::Null);
    let columns = |rating: &[f32]| {
        let same = |name: &str, value: f32| tensor(name, &[value, value]);
        vec![
            same("confidence", 1.0),
            same("reputation", 1.0),
            same("specificity", 1.0),
            same("age_days", 0.0),
            tensor("rating", rating),
        ]
    };
    assert_eq!(ask_tensors(json!({}), columns(&[0.5, f32::NAN])).unwrap().0["rating"], 0.5);
    assert!(ask_tensors(json!({}), columns(&[0.5])).unwrap_err().message().contains("`rating` has 1 elements"));
}

#[test]
fn a_threshold_that_no_new_user_can_reach_is_refused() {
    let failure = ask(json!({ "threshold": 0.71 }), json!({})).unwrap_err();
    assert!(failure.message().contains("lower it to `new_user`"), "{failure}");
    assert!(ask(json!({ "threshold": 0.7 }), json!({})).is_ok());
}

#[test]
fn tensors_that_do_not_fit_together_are_named() {
    let fault = |tensors| ask_tensors(json!({}), tensors).unwrap_err().message().to_owned();
    assert!(fault(vec![tensor("confidence", &[1.0])]).contains("no tensor `reputation`"));
    let short = |user: &[f32]| {
        let one = |name| tensor(name, &[1.0, 1.0]);
        vec![one("confidence"), one("reputation"), one("specificity"), one("age_days"), tensor("user", user)]
    };
    assert!(fault(short(&[0.0])).contains("`user` has 1 elements"));
    assert!(fault(short(&[0.0, 0.5])).contains("`user` must hold whole numbers"));
}

#[test]
fn items_without_a_present_are_refused() {
    let item = json!({ "user": "u", "intent": "i", "confidence": 1, "at": 0 });
    assert!(ask(json!({}), json!({ "items": [item] })).unwrap_err().message().contains("`now` is missing"));
}

#[test]
fn more_accepted_than_given_is_invalid() {
    let item = json!({ "user": "u", "intent": "i", "confidence": 1, "at": 0, "accepted": 3, "total": 2 });
    assert_eq!(ask(json!({}), json!({ "now": 0, "items": [item] })).unwrap()["dropped"]["invalid"], 1);
}
