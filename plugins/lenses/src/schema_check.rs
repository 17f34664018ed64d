//! Whether the schema of an answer is a JSON Schema: a mistake in it would make every answer fail, after it was paid for.

use serde_json::Value;

/// The names of types.
const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

/// The deepest schema that is looked into.
const DEEPEST: usize = 64;

/// What is wrong with a schema, and where in it, as a JSON pointer; none if nothing is. Keywords that are not known here are
/// left to the host.
pub(crate) fn fault_of(schema: &Value) -> Option<String> {
    // Keywords of earlier drafts have other values.
    if schema["$schema"].as_str().is_some_and(|draft| !draft.contains("2020-12")) {
        return None;
    }
    at(schema, schema, "", 0)
}

fn at(root: &Value, schema: &Value, place: &str, depth: usize) -> Option<String> {
    let Value::Object(keywords) = schema else {
        let fault = || format!("`{}` is neither an object nor `true` or `false`", shown(place));
        return (!schema.is_boolean()).then(fault);
    };
    if depth > DEEPEST {
        return Some(format!("`{}` is nested more than {DEEPEST} deep", shown(place)));
    }
    keywords.iter().find_map(|(keyword, value)| {
        let place = format!("{place}/{keyword}");
        let inside = |schema: &Value, name: &str| at(root, schema, &format!("{place}/{name}"), depth + 1);
        let not = |what: &str| Some(format!("`{place}` is not {what}"));
        match keyword.as_str() {
            "type" => type_fault(value, &place),
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => match value {
                Value::Object(schemas) => schemas.iter().find_map(|(name, schema)| inside(schema, name)),
                _ => not("an object of schemas"),
            },
            "items" | "additionalProperties" | "contains" | "not" | "propertyNames" | "if" | "then" | "else" => {
                at(root, value, &place, depth + 1)
            }
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => match value.as_array().filter(|list| !list.is_empty()) {
                Some(list) => list.iter().enumerate().find_map(|(index, schema)| inside(schema, &index.to_string())),
                None => not("a list of at least one schema"),
            },
            "required" if !is_list_of_names(value) => not("a list of names"),
            "dependentRequired" => match value.as_object() {
                Some(lists) if lists.values().all(is_list_of_names) => None,
                _ => not("an object of lists of names"),
            },
            "enum" => match value.as_array() {
                None => not("a list of values"),
                Some(values) => values.is_empty().then(|| format!("`{place}` is empty, so that no answer fits")),
            },
            "multipleOf" if value.as_f64().is_none_or(|step| step <= 0.0) => not("a number above 0"),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" if !value.is_number() => not("a number"),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties"
                if value.as_u64().is_none() =>
            {
                not("a whole number of at least 0")
            }
            "pattern" | "format" | "title" | "description" if !value.is_string() => not("a string"),
            "$ref" => match value.as_str() {
                None => not("a string"),
                Some(reference) => reference_fault(root, reference, &place),
            },
            _ => None,
        }
    })
}

fn is_list_of_names(value: &Value) -> bool {
    value.as_array().is_some_and(|names| names.iter().all(Value::is_string))
}

/// What is wrong with the value of `$ref`.
fn reference_fault(root: &Value, reference: &str, place: &str) -> Option<String> {
    let is_there = match reference.strip_prefix('#') {
        Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => root.pointer(pointer).is_some(),
        Some(anchor) => has_member(root, &|name, value| {
            matches!(name, "$anchor" | "$dynamicAnchor") && value.as_str() == Some(anchor)
        }),
        None => {
            let is_remote = reference.starts_with("http://") || reference.starts_with("https://");
            // A part of the schema may have that address.
            let is_known = reference.contains("json-schema.org") || has_member(root, &|name, _| name == "$id");
            return (is_remote && !is_known)
                .then(|| format!("`{place}` refers to `{reference}`, and nothing is fetched: put it into `$defs`"));
        }
    };
    (!is_there).then(|| format!("`{place}` refers to `{reference}`, which the schema does not have"))
}

/// Whether an object in the value, however deep, has such a member.
fn has_member(value: &Value, is_it: &dyn Fn(&str, &Value) -> bool) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| is_it(name, value) || has_member(value, is_it)),
        Value::Array(values) => values.iter().any(|value| has_member(value, is_it)),
        _ => false,
    }
}

/// What is wrong with the value of `type`.
fn type_fault(value: &Value, place: &str) -> Option<String> {
    let names = match value {
        Value::Array(names) if !names.is_empty() => names.as_slice(),
        one => std::slice::from_ref(one),
    };
    let unknown = names.iter().find(|name| name.as_str().is_none_or(|name| !TYPES.contains(&name)))?;
    Some(format!("`{place}` is {unknown}, and the types are {}", TYPES.join(", ")))
}

fn shown(place: &str) -> &str {
    if place.is_empty() { "/" } else { place }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_is_named_with_its_place() {
        let faults = [
            json!({ "type": "objekt" }),
            json!({ "type": ["string", "nul"] }),
            json!({ "properties": { "a": { "items": { "type": 7 } } } }),
            json!({ "properties": [] }),
            json!({ "items": "string" }),
            json!({ "required": "a" }),
            json!({ "anyOf": [] }),
            json!({ "oneOf": [true, { "enum": "a" }] }),
            json!({ "minimum": "0" }),
            json!({ "maxItems": -1 }),
            json!({ "pattern": 7 }),
            json!({ "$ref": "#/$defs/None" }),
        ];
        let named: Vec<String> = faults.iter().map(|schema| fault_of(schema).expect("a fault")).collect();
        insta::assert_snapshot!(named.join("\n"));
    }

    #[test]
    fn what_only_an_answer_would_show_is_a_fault() {
        for (schema, fault) in [
            (json!({ "multipleOf": 0 }), "`/multipleOf` is not a number above 0"),
            (json!({ "multipleOf": -1.5 }), "`/multipleOf` is not a number above 0"),
            (json!({ "enum": [] }), "`/enum` is empty, so that no answer fits"),
            (json!({ "dependentRequired": { "a": "b" } }), "`/dependentRequired` is not an object of lists of names"),
            (
                json!({ "$ref": "https://example.org/other" }),
                "`/$ref` refers to `https://example.org/other`, and nothing is fetched: put it into `$defs`",
            ),
            (json!({ "$ref": "#a" }), "`/$ref` refers to `#a`, which the schema does not have"),
        ] {
            assert_eq!(fault_of(&schema).as_deref(), Some(fault), "{schema}");
        }
    }

    #[test]
    fn what_is_no_fault_is_let_through() {
        for schema in [
            json!({ "type": ["string", "null"], "enum": ["a", null], "minLength": 0 }),
            json!({ "$defs": { "A": { "$ref": "#" } }, "properties": { "type": { "$ref": "#/$defs/A" } } }),
            json!({ "additionalProperties": false, "const": { "type": "any" }, "default": { "required": 1 } }),
            json!({ "$ref": "https://json-schema.org/draft/2020-12/schema" }),
            json!({ "$defs": { "A": { "$id": "https://example.org/a" } }, "$ref": "https://example.org/a" }),
            json!({ "$defs": { "A": { "$anchor": "a" } }, "$ref": "#a" }),
            json!({ "multipleOf": 0.5, "dependentRequired": { "a": ["b"], "c": [] } }),
        ] {
            assert_eq!(fault_of(&schema), None, "{schema}");
        }
    }

    proptest! {
        /// What is found here is a fault for a validator, too.
        #[test]
        fn a_validator_refuses_what_is_refused_here(
            keyword in prop::sample::select(vec!["type", "properties", "items", "required", "anyOf", "enum", "minimum", "maxItems", "pattern"]),
            value in prop::sample::select(vec![json!("string"), json!(["a"]), json!([]), json!(7), json!(-1), json!({}), json!({ "a": 1 }), json!([{}]), json!(true)]),
        ) {
            let schema = json!({ keyword: value });
            // An empty list of values is a schema, and one that nothing fits.
            if fault_of(&schema).is_some() && schema["enum"] != json!([]) {
                prop_assert!(jsonschema::meta::validate(&schema).is_err(), "{}", schema);
            }
        }
    }
}
