//! Parameters in the JSON Schema: where a number or a word is wanted, `"${name}"` may stand for it.

use serde_json::{Map, Value, json};

/// What a string with a parameter looks like.
const PARAMETER: &str = r"\$\{";

/// Lets a string with a parameter stand for every value that is not a table or a list.
pub(super) fn admit_parameters(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    for key in ["properties", "patternProperties", "$defs"] {
        map.get_mut(key).and_then(Value::as_object_mut).into_iter().for_each(|schemas| {
            schemas.values_mut().for_each(admit_parameters);
        });
    }
    for key in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        map.get_mut(key).and_then(Value::as_array_mut).into_iter().for_each(|schemas| {
            schemas.iter_mut().for_each(admit_parameters);
        });
    }
    for key in ["additionalProperties", "items", "then", "else"] {
        map.get_mut(key).into_iter().for_each(admit_parameters);
    }
    admit_here(map);
}

/// Lets a string with a parameter stand for the value that the schema itself is about.
fn admit_here(map: &mut Map<String, Value>) {
    let parameter = || json!({ "type": "string", "pattern": PARAMETER });
    if map.contains_key("const") {
        return;
    }
    if let Some(values) = map.remove("enum") {
        map.remove("type");
        map.insert("anyOf".to_owned(), json!([{ "enum": values }, parameter()]));
        return;
    }
    // Words, each with what it means.
    let is_word = |schema: &Value| schema.get("const").is_some_and(|value| !value.is_object() && !value.is_array());
    for key in ["anyOf", "oneOf"] {
        if let Some(alternatives) = map.get_mut(key).and_then(Value::as_array_mut)
            && alternatives.iter().any(is_word)
        {
            alternatives.push(parameter());
            return;
        }
    }
    let types: Vec<String> = match map.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        _ => return,
    };
    let is_scalar = |name: &String| ["integer", "number", "boolean"].contains(&name.as_str());
    if types.iter().any(|name| name == "string") {
        if let Some(Value::String(pattern)) = map.get_mut("pattern") {
            *pattern = format!("({pattern})|{PARAMETER}");
        }
    } else if types.iter().any(is_scalar) {
        let types: Vec<&str> = types.iter().map(String::as_str).chain(["string"]).collect();
        map.insert("type".to_owned(), json!(types));
        map.insert("pattern".to_owned(), Value::from(PARAMETER));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_may_stand_for_a_scalar_and_another_string_may_not() {
        let mut schema = json!({
            "type": "object",
            "properties": {
                "count": { "type": "integer", "minimum": 1 },
                "how": { "enum": ["fast", "well"] },
                "word": { "oneOf": [{ "const": "a", "description": "One." }, { "const": "b" }] },
                "time": { "type": "string", "pattern": "^\\d" },
                "list": { "type": "array", "items": { "type": ["number", "null"] } },
            },
        });
        admit_parameters(&mut schema);
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        for key in ["count", "how", "word", "time"] {
            assert!(validator.is_valid(&json!({ key: "${x}" })), "{key}");
            assert!(!validator.is_valid(&json!({ key: "x" })), "{key}");
        }
        assert!(validator.is_valid(&json!({ "list": [1, null, "${x}"], "count": 2, "how": "well", "time": "2m" })));
        assert!(!validator.is_valid(&json!({ "list": "${x}" })));
        assert!(!validator.is_valid(&json!({ "count": 0 })));
    }
}
