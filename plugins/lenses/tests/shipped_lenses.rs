//! The lens files of the example.

use std::{collections::BTreeMap, fs, path::Path};

use jackfield_lenses::Prompt;
use serde_json::{Value, json};

/// The lenses by name, each with its top-level keys as the schema has them.
fn shipped() -> BTreeMap<String, Prompt> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/transcripts/lenses");
    let files = fs::read_dir(folder).expect("the lenses").map(|entry| entry.expect("an entry").path());
    files
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a text");
            let prompt = Prompt::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, prompt)
        })
        .collect()
}

const KEYS: [(&str, &[&str]); 10] = [
    ("say-means", &["insights", "concepts", "notes"]),
    ("perspective-perception", &["perspectives", "perception_gaps", "viewpoint_alignments", "conflicting_views"]),
    ("premises-assertions", &["premises", "assertions", "logical_connections", "logical_gaps"]),
    ("postulate-theorem", &["postulates", "theorems", "hypotheses", "evidence", "proofs"]),
    ("competing-hypotheses", &["hypotheses", "evidence_matrix", "diagnostic_evidence", "rankings"]),
    ("first-principles", &["fundamental_truths", "assumptions", "derivations", "challenged_assumptions"]),
    ("determining-factors", &["causal_factors", "factor_hierarchy", "dependencies", "constraints", "risk_factors"]),
    ("patentability", &["innovations", "novelty_assessment", "prior_art_considerations", "claims_structure"]),
    ("meeting-notes", &["title", "markdown", "open_points", "sources"]),
    ("composite-note", &["title", "markdown", "open_points", "sources"]),
];

#[test]
fn ten_lenses_ship_with_the_keys_that_are_promised() {
    let shipped = shipped();
    assert_eq!(shipped.len(), KEYS.len());
    for (name, keys) in KEYS {
        let required = &shipped.get(name).unwrap_or_else(|| panic!("{name} is missing")).schema["required"];
        assert_eq!(required, &json!(keys), "{name}");
    }
}

#[test]
fn their_schemas_are_valid_and_in_the_subset_that_servers_hold_a_model_to() {
    for (name, prompt) in shipped() {
        jsonschema::draft202012::new(&prompt.schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        strict(&prompt.schema, &name);
    }
}

/// Every object is closed and needs all its properties; nothing but the plainest keywords is used.
fn strict(schema: &Value, at: &str) {
    let fields = schema.as_object().unwrap_or_else(|| panic!("{at} is no schema"));
    for key in fields.keys() {
        let known = ["type", "properties", "required", "additionalProperties", "items", "enum", "description"];
        assert!(known.contains(&key.as_str()), "{at}: `{key}`");
    }
    let Some(properties) = fields.get("properties").and_then(Value::as_object) else {
        if let Some(items) = fields.get("items") {
            strict(items, &format!("{at}[]"));
        }
        return;
    };
    assert_eq!(fields["additionalProperties"], json!(false), "{at}");
    let mut required: Vec<&str> =
        fields["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    required.sort_unstable();
    assert!(required.iter().eq(properties.keys()), "{at}: not all is required");
    properties.iter().for_each(|(key, schema)| strict(schema, &format!("{at}.{key}")));
}

#[test]
fn every_entry_of_a_list_cites_what_bears_it_out() {
    for (name, prompt) in shipped() {
        for (key, schema) in prompt.schema["properties"].as_object().expect("properties") {
            let entry = &schema["items"]["properties"];
            let cites = |schema: &Value| schema["required"] == json!(["segment", "quote"]);
            assert!(
                schema["type"] != "array" || cites(&schema["items"]) || cites(&entry["evidence"]["items"]),
                "{name}: {key} has no evidence"
            );
        }
    }
}

#[test]
fn instructions_name_every_list_and_every_choice_of_the_answer() {
    for (name, prompt) in shipped() {
        let text = prompt.instructions.to_lowercase();
        let mut missing = Vec::new();
        named(&prompt.schema, &mut |word| {
            if !text.contains(&word.to_lowercase()) && !text.contains(&word.replace('_', " ")) {
                missing.push(word.to_owned());
            }
        });
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

/// Calls `see` with the values of each enumeration, and the names of lists at the top.
fn named(schema: &Value, see: &mut dyn FnMut(&str)) {
    fn choices(schema: &Value, see: &mut dyn FnMut(&str)) {
        schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).for_each(&mut *see);
        schema["properties"].as_object().into_iter().flat_map(|all| all.values()).for_each(|inner| choices(inner, see));
        if schema["items"].is_object() {
            choices(&schema["items"], see);
        }
    }
    schema["properties"].as_object().expect("properties").keys().for_each(|key| see(key));
    choices(schema, see);
}
