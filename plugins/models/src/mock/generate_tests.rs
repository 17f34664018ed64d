//! Do answers follow their schemas?

use jackfield_plugin_api::prelude::*;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{belief::Belief, generate::answer, prompt::Prompt};

const TALK: &str = "What was decided? Answer from these lines.\n\
    [s1] Ann: We take the early train to Lyon, as the late one is always full.\n\
    [s2] Bo: Then I'll book the seats today, all six of them.\n\
    [s3] Cy: And who tells the hotel that we come before noon?";

fn made(schema: &Value, message: &str, seed: u64) -> Value {
    answer(schema, &Prompt::new(message), Belief::about(message, ""), Random::new(seed))
}

#[test]
fn answers_follow_their_schema() {
    let schemas = [
        json!({ "type": "object", "additionalProperties": false, "required": ["verdict", "score", "tags", "note"],
            "properties": {
                "verdict": { "enum": ["yes", "no", null] },
                "score": { "type": "integer", "minimum": 1, "maximum": 5 },
                "tags": { "type": "array", "items": { "type": "string", "maxLength": 12 }, "minItems": 2, "maxItems": 4, "uniqueItems": true },
                "note": { "type": ["string", "null"], "minLength": 40 },
            } }),
        json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/Node" }, "$defs": { "Node": {
            "type": "object", "required": ["name", "children"],
            "properties": {
                "name": { "type": "string" },
                "children": { "type": "array", "items": { "$ref": "#/$defs/Node" } },
                "next": { "anyOf": [{ "$ref": "#/$defs/Node" }, { "type": "null" }] },
            } } } }),
        json!({ "oneOf": [{ "const": { "a": 1 } }, { "type": "boolean" }, { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.01 }] }),
        json!({ "allOf": [{ "type": "object", "required": ["a"] }, { "properties": { "a": { "type": "integer", "multipleOf": 7, "minimum": 50 } } }] }),
        json!({ "type": "number", "multipleOf": 0.05, "minimum": -1, "maximum": 1 }),
        json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }], "items": false, "minItems": 2 }),
        json!({ "type": "object", "additionalProperties": { "type": "number" }, "minProperties": 3, "maxProperties": 3 }),
        json!({ "type": "object", "required": ["unnamed"], "maxProperties": 1, "properties": { "a": {}, "b": {} } }),
        json!({ "type": "string", "minLength": 5, "maxLength": 5 }),
        json!({ "type": "string", "maxLength": 0 }),
        json!(true),
        json!({}),
    ];
    for schema in schemas {
        let validator = jsonschema::validator_for(&schema).unwrap();
        for seed in 0..300 {
            for message in [TALK, "Judge the claim: the sky is green.", ""] {
                let value = made(&schema, message, seed);
                let error = validator.validate(&value).err().map(|error| error.to_string());
                assert_eq!(error, None, "{schema} {value}");
            }
        }
    }
}

#[test]
fn a_quote_is_of_the_segment_beside_it() {
    let schema = json!({ "type": "object", "properties": { "findings": { "type": "array", "minItems": 2, "items": {
        "type": "object", "properties": {
            "text": { "type": "string" },
            "evidence": { "type": "object", "properties": {
                "quote": { "type": "string" }, "segment": { "type": "string" }, "speaker": { "type": "string" } } },
        } } } } });
    let mut segments = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let value = made(&schema, TALK, seed);
        for finding in value["findings"].as_array().unwrap() {
            let evidence = |key: &str| finding["evidence"][key].as_str().unwrap();
            let line = TALK.lines().find(|line| line.starts_with(&format!("[{}]", evidence("segment")))).unwrap();
            assert!(line.contains(&format!("] {}: ", evidence("speaker"))), "{finding}");
            assert!(line.contains(evidence("quote")), "{finding}");
            assert!(TALK.contains(finding["text"].as_str().unwrap()), "{finding}");
            segments.insert(evidence("segment").to_owned());
        }
    }
    assert_eq!(segments.len(), 3);
}

#[test]
fn a_probability_belongs_to_its_claim() {
    let schema =
        json!({ "type": "object", "properties": { "probability": { "type": "number", "minimum": 0, "maximum": 1 } } });
    let of = |message: &str, seed| made(&schema, message, seed)["probability"].as_f64().unwrap();
    let spread = |message: &str| {
        let mut all = (0..200).map(|seed| of(message, seed)).collect::<Vec<_>>();
        all.sort_by(f64::total_cmp);
        (all[20], all[100], all[180])
    };
    let (low, middle, high) = spread("Claim: the moon is made of cheese");
    assert!(0.0 < low && low < middle && middle < high && high < 1.0);
    let (_, other, _) = spread("Claim: water boils at a hundred degrees at sea level");
    assert!((middle - other).abs() > 0.02, "{middle} {other}");
    let percent = json!({ "properties": { "confidence": { "type": "integer", "minimum": 0, "maximum": 100 } } });
    assert!(made(&percent, "a claim", 1)["confidence"].is_i64());
}

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
        prop::sample::select(vec![
            "#",
            "#/$defs/a",
            "#/properties/quote",
            "string",
            "object",
            "array",
            "number",
            "null",
            "integer"
        ])
        .prop_map(Value::from),
        Just(Value::Null),
    ];
    let key = prop::sample::select(vec![
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "prefixItems",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "$defs",
        "a",
        "quote",
        "segment",
        "confidence",
        "enum",
        "const",
        "minProperties",
        "maxProperties",
    ]);
    leaf.prop_recursive(6, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn any_schema_has_an_answer(schema in schema(), message in "(\\PC|\n|\\[s1\\] A: ){0,40}", seed in any::<u64>()) {
        let value = made(&schema, &message, seed);
        prop_assert_eq!(made(&schema, &message, seed), value);
    }
}

#[test]
fn a_schema_that_grows_without_end_has_an_answer_soon() {
    let myself = json!({ "$ref": "#" });
    let list = json!({ "type": "array", "minItems": 1_000_000_000, "items": myself });
    for schema in [
        json!({ "allOf": [myself, myself, myself], "properties": { "a": { "allOf": [myself, myself, myself] }, "b": myself } }),
        json!({ "type": "object", "properties": { "a": list, "b": list, "c": { "anyOf": [list, myself] } }, "required": ["a", "b"] }),
        json!({ "type": "string", "minLength": 1_000_000_000_000_u64 }),
        json!({ "type": "object", "minProperties": 1e9 as u64 }),
    ] {
        let began = std::time::Instant::now();
        made(&schema, TALK, 0);
        assert!(began.elapsed().as_secs() < 5, "{schema}");
    }
}
