use jackfield_plugin_api::{
    Kind,
    testing::{FakeHost, call, check_examples},
};

use super::*;

fn summary(config: Value, input: Value) -> Result<Value> {
    call(Kind::Analyzer, "summary", config, input, &FakeHost::default())
}

#[test]
fn examples_hold() {
    check_examples(Kind::Analyzer, "summary", &FakeHost::default());
}

#[test]
fn figures_of_numbers_leave_out_what_is_missing() {
    let found = summary(json!({}), json!({ "values": [0.2, null, 0.4, 0.9, 0.5] })).unwrap();
    assert_eq!((&found["count"], &found["missing"], &found["mean"]), (&json!(4), &json!(1), &json!(0.5)));
    assert_eq!((&found["min"], &found["max"], &found["quantiles"]["p50"]), (&json!(0.2), &json!(0.9), &json!(0.45)));
    assert_eq!(found["interval"]["method"], "bootstrap");
    assert_eq!(
        (&found["pass_rate"]["passed"], &found["pass_rate"]["interval"]["method"]),
        (&json!(2), &json!("wilson"))
    );
    let counted = summary(json!({ "count_missing": true }), json!({ "values": [1, null] })).unwrap();
    assert_eq!((&counted["mean"], &counted["count"], &counted["missing"]), (&json!(0.5), &json!(2), &json!(0)));
}

#[test]
fn nothing_adds_up_to_nothing() {
    let found = summary(json!({ "k": [1] }), json!({ "values": [null, null] })).unwrap();
    for name in ["mean", "stddev", "min", "max", "quantiles", "interval", "pass_rate"] {
        assert_eq!(found[name], Value::Null, "{name}");
    }
    assert_eq!((&found["missing"], &found["pass_at_k"]), (&json!(2), &json!({})));
    assert_eq!(summary(json!({}), json!({ "values": [] })).unwrap()["count"], 0);
}

#[test]
fn numbers_beyond_one_pass_only_by_a_threshold_that_is_given() {
    let input = json!({ "values": [12, 30, 55] });
    assert_eq!(summary(json!({}), input.clone()).unwrap()["pass_rate"], Value::Null);
    let found = summary(json!({ "threshold": 30 }), input).unwrap();
    assert_eq!(found["pass_rate"]["passed"], 2);
    let truths = summary(json!({ "threshold": 30 }), json!({ "values": [true, false] })).unwrap();
    assert_eq!(truths["pass_rate"]["rate"], 0.5);
}

#[test]
fn groups_may_be_texts_numbers_and_truths() {
    let input = json!({ "values": [1, 0, 1, 1, 0], "groups": ["a", 7, true, "a", null] });
    let found = summary(json!({}), input).unwrap();
    let names: Vec<&String> = found["groups"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["7", "a", "true"]);
    assert_eq!((&found["groups"]["a"]["count"], &found["groups"]["7"]["mean"]), (&json!(2), &json!(0.0)));
    assert_eq!(found["count"], 5);
}

#[test]
fn clusters_make_the_interval_wider() {
    // Ten texts with ten questions each, all right or all wrong.
    let values: Vec<bool> = (0..100).map(|at| at / 10 % 2 == 0).collect();
    let clusters: Vec<u32> = (0..100).map(|at| at / 10).collect();
    let width =
        |found: &Value| found["interval"]["high"].as_f64().unwrap() - found["interval"]["low"].as_f64().unwrap();
    let alone = summary(json!({}), json!({ "values": values })).unwrap();
    let clustered = summary(json!({}), json!({ "values": values, "clusters": clusters })).unwrap();
    assert_eq!(clustered["interval"]["method"], "clustered-bootstrap");
    assert_eq!(clustered["pass_rate"]["interval"], clustered["interval"]);
    assert!(width(&clustered) > 2.5 * width(&alone), "{clustered} {alone}");
}

#[test]
fn tries_of_an_item_are_counted_for_each_k() {
    let input = json!({ "values": [[true, false, true, null], [false, false, false], [1, 1, 1, 1]] });
    let found = summary(json!({ "k": [1, 3, 4] }), input).unwrap();
    assert_eq!((&found["count"], &found["missing"]), (&json!(10), &json!(1)));
    let near = |name: &str, k: &str, expected: f64| {
        let value = found[name][k].as_f64().unwrap();
        assert!((value - expected).abs() < 1e-12, "{name} {k}: {value}");
    };
    near("pass_at_k", "1", (2.0 / 3.0 + 0.0 + 1.0) / 3.0);
    near("pass_at_k", "3", 2.0 / 3.0);
    near("pass_hat_k", "3", 1.0 / 3.0);
    near("pass_hat_k", "4", 1.0);
    assert_eq!(found["interval"]["method"], "clustered-bootstrap");
}

#[test]
fn labels_are_confused_and_a_missing_prediction_is_wrong() {
    let input = json!({ "expected": ["a", "a", "b", null, "b"], "predicted": ["a", "b", "b", "a", null] });
    let found = summary(json!({}), input).unwrap();
    let confusion = &found["confusion"];
    assert_eq!((&confusion["accuracy"], &found["mean"], &found["missing"]), (&json!(0.5), &json!(0.5), &json!(1)));
    assert_eq!(
        confusion["labels"]["a"],
        json!({
            "precision": 1.0, "recall": 0.5, "f1": 2.0 / 3.0, "expected": 2, "predicted": 1,
        })
    );
    assert_eq!(confusion["labels"]["(missing)"]["predicted"], 1);
    assert_eq!(confusion["counts"][0], json!({ "expected": "a", "predicted": "a", "count": 1 }));
    assert_eq!(confusion["counts"].as_array().unwrap().len(), 4);
}

#[test]
fn what_does_not_fit_together_is_named() {
    let message = |input: Value| summary(json!({}), input).unwrap_err().message().to_owned();
    assert!(message(json!({})).starts_with("there is nothing to sum up"));
    assert_eq!(
        message(json!({ "values": [1, 0], "groups": ["a"] })),
        "`groups` has 1 elements, and `values` has 2: both have one for each item"
    );
    let labels: Vec<u32> = (0..1_001).collect();
    assert!(message(json!({ "expected": labels, "predicted": labels })).contains("more than 1000 different labels"));
    for (config, name) in
        [(json!({ "level": 2 }), "level"), (json!({ "draws": 1 }), "draws"), (json!({ "k": [0] }), "k")]
    {
        assert!(summary(config, json!({ "values": [] })).unwrap_err().message().contains(name), "{name}");
    }
}

#[test]
fn wilson_is_said_not_to_hold_where_it_does_not() {
    let host = FakeHost::default();
    let config = json!({ "interval": "wilson" });
    let found = call(Kind::Analyzer, "summary", config, json!({ "values": [0.5, 0.7] }), &host).unwrap();
    assert_eq!(found["interval"]["method"], "bootstrap");
    assert_eq!(host.logged().len(), 1);
    assert_eq!(summary(json!({ "interval": "none" }), json!({ "values": [1, 0] })).unwrap()["interval"], Value::Null);
}

#[test]
fn two_hundred_thousand_values_are_summed_up_at_once() {
    let values: Vec<f64> = (0..200_000).map(|at| f64::from(at % 1_000) / 1_000.0).collect();
    let groups: Vec<u32> = (0..200_000).map(|at| at % 3).collect();
    let found = summary(json!({}), json!({ "values": values, "groups": groups })).unwrap();
    assert_eq!((&found["interval"]["method"], &found["count"]), (&json!("student"), &json!(200_000)));
    assert!((found["mean"].as_f64().unwrap() - 0.4995).abs() < 1e-9);
}
