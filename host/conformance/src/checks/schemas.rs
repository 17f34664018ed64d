//! The schemas of an extension.

use serde_json::{Value, json};

use crate::{Finding, Outcome, extension_under_test::ExtensionUnderTest};

/// Names the schemas of a descriptor.
fn named_schemas<'a>(extension: &'a ExtensionUnderTest<'_>) -> [(&'static str, &'a Value); 3] {
    let descriptor = extension.descriptor();
    [("config", &descriptor.config), ("input", &descriptor.input), ("output", &descriptor.output)]
}

pub(crate) fn valid(extension: &ExtensionUnderTest<'_>) -> Outcome {
    const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
    let mut findings = Vec::new();
    for (what, schema) in named_schemas(extension) {
        let seen = match (jsonschema::draft202012::new(schema), schema["$schema"].as_str()) {
            (Err(error), _) => format!("`{}` of the {what} schema: {error}", error.instance_path()),
            (Ok(_), Some(draft)) if draft.trim_end_matches('#') != DRAFT => {
                format!("`$schema` of the {what} schema: `{draft}`")
            }
            (Ok(_), _) => continue,
        };
        findings.push(Finding::new(
            "a JSON Schema of 2020-12 that stands for itself",
            seen,
            format!("write it for {DRAFT}, with every `$ref` inside of it"),
        ));
    }
    Outcome::from_findings(findings)
}

pub(crate) fn closed(extension: &ExtensionUnderTest<'_>) -> Outcome {
    const UNKNOWN: &str = "a-key-that-nobody-knows";
    let mut findings = Vec::new();
    let schema = &extension.config;
    let mut object = crate::value_generator::minimal_value(schema, 1).unwrap_or_else(|| json!({}));
    if !object.is_object() {
        findings.push(Finding::new(
            "a configuration that is an object: the `with` table",
            format!("a schema that asks for {object}"),
            "give the config schema the type `object`",
        ));
        object = json!({});
    }
    if let Value::Object(map) = &mut object {
        map.insert(UNKNOWN.to_owned(), json!(1));
    }
    if schema.allows(&object) {
        findings.push(Finding::new(
            "a config schema that refuses unknown keys, so that a typing error is found before a run",
            format!("`{UNKNOWN}` is allowed"),
            "add `\"additionalProperties\": false` to the config schema",
        ));
    }
    for wrong in [json!([]), json!("text"), json!(1)] {
        if schema.allows(&wrong) {
            findings.push(Finding::new(
                "a configuration that is an object: the `with` table",
                format!("a schema that allows {wrong}"),
                "give the config schema the type `object`",
            ));
        }
    }
    Outcome::from_findings(findings)
}

pub(crate) fn described(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let mut findings = Vec::new();
    for (what, schema) in named_schemas(extension) {
        let mut missing = Vec::new();
        undescribed(schema, schema, &mut String::new(), &mut missing);
        missing.sort();
        missing.dedup();
        if !missing.is_empty() {
            const MOST: usize = 5;
            let count = missing.len();
            let names: Vec<String> = missing.iter().take(MOST).map(|name| format!("`{name}`")).collect();
            let more = if count > MOST { format!(" and {} more", count - MOST) } else { String::new() };
            findings.push(Finding::new(
                "a description of every property: people choose by it",
                format!("none in the {what} schema for {}{more}", names.join(", ")),
                "add `description`; in Rust, a doc comment on the field",
            ));
        }
    }
    Outcome::warning(findings)
}

/// What a variant of an enum holds, where the variant is a property by its name and has a description of its own.
fn content_of(variant: &Value) -> &Value {
    let only = variant["properties"].as_object().filter(|properties| properties.len() == 1);
    match only.and_then(|properties| properties.values().next()) {
        Some(content) if variant["description"].is_string() => content,
        _ => variant,
    }
}

/// Notes the properties that neither they nor what they refer to describe.
fn undescribed(root: &Value, schema: &Value, path: &mut String, missing: &mut Vec<String>) {
    match schema {
        // A reference to a tensor is the contract's own.
        Value::Object(map) if map.contains_key("x-tensor") => {}
        Value::Object(map) => {
            for (key, inner) in map {
                if let Some(variants) = inner.as_array().filter(|_| key == "oneOf") {
                    variants.iter().for_each(|variant| undescribed(root, content_of(variant), path, missing));
                    continue;
                }
                let Some(properties) = inner.as_object().filter(|_| key == "properties") else {
                    if !["const", "enum", "default", "examples"].contains(&key.as_str()) {
                        undescribed(root, inner, path, missing);
                    }
                    continue;
                };
                for (name, property) in properties {
                    let length = path.len();
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                    let refers = || {
                        let reference = property["$ref"].as_str()?.strip_prefix('#')?;
                        root.pointer(reference)?["description"].as_str()
                    };
                    // A tag says it all, and a property that may not be there is described where it may.
                    let says_all = property.get("const").is_some() || *property == Value::Bool(false);
                    if !says_all && property["description"].as_str().or_else(refers).is_none_or(str::is_empty) {
                        missing.push(path.clone());
                    }
                    undescribed(root, property, path, missing);
                    path.truncate(length);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| undescribed(root, inner, path, missing)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_not_be_there_needs_no_description() {
        let schema = json!({
            "properties": { "one": { "description": "The first." }, "other": { "type": "string" } },
            "anyOf": [{ "properties": { "one": false } }, { "properties": { "other": false, "third": true } }],
        });
        let mut missing = Vec::new();
        undescribed(&schema, &schema, &mut String::new(), &mut missing);
        missing.sort();
        assert_eq!(missing, ["other", "third"]);
    }
}
