//! Parts of an output whose schema stands in the stage's configuration: `x-from-config` in the schema of the output.

use std::borrow::Cow;

use jackfield_plugin_api::X_FROM_CONFIG;
use serde_json::Value;

use super::expand::JsonType;

/// Objects and lists deeper than this are not looked into for marks.
const DEEPEST: usize = 32;

/// Keywords whose values are no schemas, so that a `$ref` in them refers to nothing.
const OF_VALUES: [&str; 4] = ["const", "enum", "default", "examples"];

/// Keywords whose values are schemas by name.
const OF_NAMES: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// Where a schema in a configuration is, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FromConfig {
    /// A JSON pointer into the configuration.
    pub(crate) at: String,
    /// Whether answers have more in them than the schema says; what is wrong with it is then for the extension to say.
    pub(crate) loose: bool,
}

impl FromConfig {
    fn of_schema(schema: &Value) -> Option<Self> {
        match schema.get(X_FROM_CONFIG)? {
            Value::String(at) => Some(Self { at: at.clone(), loose: false }),
            mark => Some(Self { at: mark["at"].as_str()?.to_owned(), loose: mark["loose"] == true }),
        }
    }
}

/// What is wrong with a schema in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigSchemaFault {
    /// What is wrong, as a fragment.
    pub(crate) message: String,
    /// The JSON pointer of what is wrong within the schema; empty for the whole.
    pub(crate) inside: String,
}

/// Every mark in the schema of an output.
pub(crate) fn marks(output: &Value) -> Vec<FromConfig> {
    let (mut found, mut to_visit) = (Vec::new(), vec![(output, 0)]);
    while let Some((value, depth)) = to_visit.pop() {
        if depth > DEEPEST {
            continue;
        }
        match value {
            Value::Object(map) => {
                found.extend(FromConfig::of_schema(value));
                to_visit.extend(map.values().map(|value| (value, depth + 1)));
            }
            Value::Array(list) => to_visit.extend(list.iter().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    found
}

/// The schema of what a stage answers with a configuration: what a run holds its answers to.
#[must_use]
pub fn output_schema<'a>(output: &'a Value, config: &Value) -> Cow<'a, Value> {
    filled(output, config, false)
}

/// The schema that wires into a stage are checked against.
pub(crate) fn wire_schema<'a>(output: &'a Value, config: &Value) -> Cow<'a, Value> {
    filled(output, config, true)
}

/// The schema of what an extension answers with any of these configurations.
#[must_use]
pub fn output_schema_of_any<'a>(output: &'a Value, configs: impl IntoIterator<Item = &'a Value>) -> Cow<'a, Value> {
    if marks(output).is_empty() {
        return Cow::Borrowed(output);
    }
    let mut schemas = Vec::new();
    for config in configs.into_iter().chain([&Value::Null]) {
        let schema = output_schema(output, config).into_owned();
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }
    Cow::Owned(any_of(schemas))
}

fn filled<'a>(output: &'a Value, config: &Value, with_loose: bool) -> Cow<'a, Value> {
    if marks(output).is_empty() {
        return Cow::Borrowed(output);
    }
    let mut output = output.clone();
    fill(&mut output, config, with_loose, "", 0);
    Cow::Owned(output)
}

fn fill(schema: &mut Value, config: &Value, with_loose: bool, place: &str, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    if let Some(mark) = FromConfig::of_schema(schema)
        && (with_loose || !mark.loose)
        && let Some(found) = schema_at(config, &mark.at)
    {
        // What is wrong with it is reported once; nothing is known of the answer.
        *schema = found.map_or(Value::Bool(true), |found| moved(found, place));
        return;
    }
    match schema {
        Value::Object(map) => map.iter_mut().for_each(|(key, inner)| {
            fill(inner, config, with_loose, &format!("{place}/{}", escaped(key)), depth + 1);
        }),
        Value::Array(list) => list.iter_mut().enumerate().for_each(|(index, inner)| {
            fill(inner, config, with_loose, &format!("{place}/{index}"), depth + 1);
        }),
        _ => {}
    }
}

/// One of several schemas.
pub(crate) fn any_of(mut schemas: Vec<Value>) -> Value {
    if schemas.len() == 1 {
        return schemas.remove(0);
    }
    let moved = schemas.into_iter().enumerate().map(|(index, schema)| moved(schema, &format!("/anyOf/{index}")));
    serde_json::json!({ "anyOf": moved.collect::<Vec<_>>() })
}

/// The schema that stands in a configuration at a JSON pointer, if anything does.
pub(crate) fn schema_at(config: &Value, pointer: &str) -> Option<Result<Value, ConfigSchemaFault>> {
    let value = config.pointer(pointer).filter(|value| !value.is_null())?;
    let file = text_file(value).or_else(|| text_file(value.get("file")?));
    let schema = match file {
        Some((path, text)) => match schema_of_file(path, text) {
            Ok(schema) => schema,
            Err(message) => return Some(Err(ConfigSchemaFault { message, inside: String::new() })),
        },
        None => value.clone(),
    };
    let fault = |message: String, inside: String| Some(Err(ConfigSchemaFault { message, inside }));
    if !schema.is_object() {
        return fault("a JSON Schema is an object".to_owned(), String::new());
    }
    if let Err(error) = jsonschema::meta::validate(&schema) {
        let inside = error.instance_path().to_string();
        let is_type = inside.ends_with("/type") && !inside.ends_with("/properties/type");
        let message = match schema.pointer(&inside).filter(|_| is_type) {
            Some(found) => format!("there is no type {found}; the types are {}", JsonType::NAMES.join(", ")),
            None => error.to_string(),
        };
        return fault(message, inside);
    }
    // What refers to nothing, or is no regular expression.
    match jsonschema::validator_for(&schema) {
        Ok(_) => Some(Ok(schema)),
        Err(error) => fault(error.to_string(), String::new()),
    }
}

/// Whether a file is named at a JSON pointer that is not read.
pub(crate) fn names_unread_file(config: &Value, pointer: &str) -> bool {
    let value = config.pointer(pointer);
    value.is_some_and(|value| value.is_string() || value.get("file").is_some_and(Value::is_string))
}

/// The path and the text of a file that the host has read.
pub(crate) fn text_file(value: &Value) -> Option<(&str, &str)> {
    let map = value.as_object().filter(|map| map.len() == 2)?;
    Some((map.get("path")?.as_str()?, map.get("text")?.as_str()?))
}

/// The schema in a file: the whole of it, or the last block of JSON in Markdown.
fn schema_of_file(path: &str, text: &str) -> Result<Value, String> {
    let (json, line) = if path.to_ascii_lowercase().ends_with(".md") {
        last_block(text).ok_or_else(|| format!("`{path}` has no block of `json` with the schema"))?
    } else {
        (Cow::Borrowed(text), 0)
    };
    serde_json::from_str(&json)
        .map_err(|error| format!("line {} of `{path}` is not JSON: {error}", line + error.line()))
}

/// The last block of JSON in Markdown, and the line above it.
fn last_block(text: &str) -> Option<(Cow<'_, str>, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found: Option<(usize, usize)> = None;
    // The line of a fence, its length, and whether it opens a block of JSON.
    let mut open: Option<(usize, usize, bool)> = None;
    for (at, line) in lines.iter().enumerate() {
        let bare = line.trim();
        let ticks = bare.len() - bare.trim_start_matches('`').len();
        match open {
            Some((from, fence, is_json)) if ticks >= fence && bare.len() == ticks => {
                found = if is_json { Some((from + 1, at)) } else { found };
                open = None;
            }
            None if ticks >= 3 => open = Some((at, ticks, bare[ticks..].trim() == "json")),
            _ => {}
        }
    }
    let (from, to) = found?;
    Some((Cow::Owned(lines[from..to].join("\n")), from))
}

/// A schema with what refers to its own parts leading there from `place` in another.
fn moved(mut schema: Value, place: &str) -> Value {
    if place.is_empty() {
        return schema;
    }
    if let Some(map) = schema.as_object_mut() {
        map.remove("$schema");
        map.remove("$id");
    }
    lead_references(&mut schema, place);
    schema
}

fn lead_references(schema: &mut Value, place: &str) {
    match schema {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                match inner {
                    Value::String(reference) if key == "$ref" && (reference == "#" || reference.starts_with("#/")) => {
                        *reference = format!("#{place}{}", &reference[1..]);
                    }
                    // Their keys are names.
                    Value::Object(named) if OF_NAMES.contains(&key.as_str()) => {
                        named.values_mut().for_each(|inner| lead_references(inner, place));
                    }
                    inner if !OF_VALUES.contains(&key.as_str()) => lead_references(inner, place),
                    _ => {}
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| lead_references(inner, place)),
        _ => {}
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn output() -> Value {
        json!({ "type": "object", "properties": {
            "answer": { "x-from-config": "/schema", "type": "object" },
            "loose": { "x-from-config": { "at": "/schema", "loose": true }, "type": "object" },
        } })
    }

    #[test]
    fn a_part_is_replaced_by_what_stands_in_the_configuration_and_its_references_lead_there() {
        let schema = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": { "A": { "enum": ["x"] } }, "properties": { "a": { "$ref": "#/$defs/A" }, "b": { "const": { "$ref": "#/no" } } } });
        let output = output();
        let found = output_schema(&output, &json!({ "schema": schema }));
        assert_eq!(
            found["properties"]["answer"],
            json!({ "$defs": { "A": { "enum": ["x"] } },
                "properties": { "a": { "$ref": "#/properties/answer/$defs/A" }, "b": { "const": { "$ref": "#/no" } } } })
        );
        assert_eq!(found["properties"]["loose"]["type"], "object", "answers are not held to it");
        let wires = wire_schema(&output, &json!({ "schema": schema }));
        assert_eq!(wires["properties"]["loose"]["properties"]["a"]["$ref"], "#/properties/loose/$defs/A");
        let validator = jsonschema::validator_for(&found).expect("a schema");
        assert!(
            validator.is_valid(&json!({ "answer": { "a": "x" } }))
                && !validator.is_valid(&json!({ "answer": { "a": 1 } }))
        );
    }

    #[test]
    fn without_a_schema_the_part_is_what_it_is() {
        let output = output();
        assert_eq!(*output_schema(&output, &json!({})), output);
        assert_eq!(*output_schema(&output, &json!({ "schema": null })), output);
        let unmarked = json!({ "type": "string" });
        assert!(matches!(output_schema(&unmarked, &json!({})), Cow::Borrowed(_)));
    }

    #[test]
    fn a_schema_is_read_from_a_file_of_json_and_from_markdown() {
        let read = |path: &str, text: &str| {
            schema_at(&json!({ "s": { "path": path, "text": text } }), "/s").expect("a schema")
        };
        assert_eq!(read("a.json", "{\"type\":\"string\"}"), Ok(json!({ "type": "string" })));
        let markdown = "# A\n\n```json\n[1]\n```\n\n````json\n{ \"type\":\n\"object\" }\n````\n\n```text\n```\n";
        assert_eq!(read("a.md", markdown), Ok(json!({ "type": "object" })));
        let file = json!({ "s": { "file": { "path": "b.json", "text": "{}" } } });
        assert_eq!(schema_at(&file, "/s"), Some(Ok(json!({}))));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let fault = |schema: Value| {
            let fault = schema_at(&json!({ "s": schema }), "/s").expect("something").expect_err("a fault");
            (fault.message, fault.inside)
        };
        let (message, inside) = fault(json!({ "properties": { "a": { "type": "objekt" } } }));
        assert!(message.contains("objekt") && inside.starts_with("/properties/a/type"), "{message} {inside}");
        assert!(fault(json!({ "$ref": "#/$defs/None" })).0.contains("None"));
        assert_eq!(fault(json!(1)).0, "a JSON Schema is an object");
        assert!(
            fault(json!({ "path": "a.md", "text": "# A\n```json\n{\n```" }))
                .0
                .starts_with("line 3 of `a.md` is not JSON")
        );
        assert_eq!(fault(json!({ "path": "a.md", "text": "# A" })).0, "`a.md` has no block of `json` with the schema");
    }

    #[test]
    fn several_schemas_become_one_that_any_of_them_satisfies() {
        let one = json!({ "$defs": { "A": { "type": "string" } }, "$ref": "#/$defs/A" });
        assert_eq!(any_of(vec![one.clone()]), one);
        let both = any_of(vec![json!({ "type": "integer" }), one]);
        assert_eq!(both["anyOf"][1]["$ref"], "#/anyOf/1/$defs/A");
        let validator = jsonschema::validator_for(&both).expect("a schema");
        assert!(validator.is_valid(&json!(1)) && validator.is_valid(&json!("a")) && !validator.is_valid(&json!([])));
    }
}
