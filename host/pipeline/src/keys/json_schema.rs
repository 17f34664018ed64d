//! The JSON Schema of a pipeline file, for editors and the reference; made from the same tables that the compiler reads.

use serde_json::{Map, Value, json};

use super::spec::{Names, Shape, Table};
use super::{file::FILE, spec::COUNT};

/// The JSON Schema (2020-12) of a pipeline file.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = table(&FILE);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Jackfield pipeline");
    schema["$defs"] = json!({
        "wire": {
            "type": "string",
            "minLength": 1,
            "description": "A reference to a value, such as `decisions.items[*].title`: the item (`input`), the element of `for_each` (`each`) or a stage, and the way into it; after `all.`, that of every item."
        },
        "wires": {
            "description": "A wire, or a list or table of wires.",
            "anyOf": [
                { "$ref": "#/$defs/wire" },
                { "type": "array", "items": { "$ref": "#/$defs/wires" } },
                { "type": "object", "additionalProperties": { "$ref": "#/$defs/wires" } }
            ]
        },
        "input": {
            "description": "A wire, or a list or table of wires and constants.",
            "anyOf": [
                { "$ref": "#/$defs/wire" },
                { "$ref": "#/$defs/constant" },
                { "type": "array", "items": { "$ref": "#/$defs/part" } },
                { "type": "object", "additionalProperties": { "$ref": "#/$defs/part" } }
            ]
        },
        "part": {
            "description": "A part of what a stage gets.",
            "anyOf": [{ "$ref": "#/$defs/input" }, { "type": ["number", "boolean"], "description": "A constant." }]
        },
        "constant": {
            "description": "A constant of any type.",
            "type": "object",
            "properties": { "const": {} },
            "required": ["const"],
            "additionalProperties": false
        }
    });
    schema
}

fn table(spec: &Table) -> Value {
    let uses = spec.key("use").map(|key| key.shape);
    let tagged = spec.keys.iter().any(|key| key.need.only_for().is_some());
    match uses {
        // One alternative for each value of `use`, as its keys depend on it.
        Some(Shape::Choice(choices)) if tagged => {
            json!({ "oneOf": choices.iter().map(|used| keys_of(spec, Some(used))).collect::<Vec<_>>() })
        }
        _ => keys_of(spec, None),
    }
}

fn keys_of(spec: &Table, used: Option<&'static str>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in spec.keys {
        if let (Some(uses), Some(used)) = (key.need.only_for(), used)
            && !uses.contains(&used)
        {
            continue;
        }
        let mut property = match (key.name, used) {
            ("use", Some(used)) => json!({ "const": used }),
            _ => shape(&key.shape),
        };
        property["description"] = json!(key.doc);
        if let Some(default) = key.default {
            property["default"] = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
        }
        if key.need.is_required(used) {
            required.push(key.name);
        }
        properties.insert(key.name.to_owned(), property);
    }
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn shape(shape_of: &Shape) -> Value {
    match shape_of {
        Shape::Text => json!({ "type": "string", "minLength": 1 }),
        Shape::Name => json!({ "type": "string", "pattern": "^[\\p{L}\\p{N}_-][\\p{L}\\p{N}_.-]*$", "maxLength": 100 }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Integer { min, max: u64::MAX } => json!({ "type": "integer", "minimum": min }),
        Shape::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Number => json!({ "type": "number", "minimum": 0 }),
        Shape::Real => json!({ "type": "number" }),
        Shape::Duration => json!({ "type": "string", "pattern": "^\\s*\\d", "examples": ["200ms", "2m"] }),
        Shape::Size => {
            json!({ "type": ["string", "integer"], "minimum": 0, "pattern": "^\\s*\\d", "examples": ["256MiB"] })
        }
        Shape::Choice(choices) => json!({ "enum": choices }),
        Shape::Character => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        Shape::Texts => json!({
            "type": ["string", "array"],
            "minLength": 1,
            "minItems": 1,
            "items": { "type": "string", "minLength": 1 }
        }),
        Shape::Grants => json!({
            "type": "array",
            "items": {
                "type": "string",
                "pattern": "^(clock|random|model(:(capture|edits|logprobs|tokenize|embed))?|cache|http:.+|read:[a-z0-9-]+=.+|scratch:[a-z0-9-]+(=.+)?|env:.+)$"
            }
        }),
        Shape::Digest => json!({ "type": "string", "pattern": "^[0-9a-fA-F]{64}$" }),
        Shape::Wire => json!({ "$ref": "#/$defs/wire" }),
        Shape::Wires => json!({ "$ref": "#/$defs/wires" }),
        Shape::Input => json!({ "$ref": "#/$defs/input" }),
        Shape::Any => json!({}),
        Shape::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        Shape::List => json!({ "type": "array" }),
        Shape::Free => json!({ "type": "object" }),
        Shape::Overlays => json!({ "type": "array", "minItems": 1, "items": { "type": "object" } }),
        Shape::Table(spec) => table(spec),
        Shape::CountOr(spec) => json!({ "anyOf": [shape(&COUNT), table(spec)] }),
        Shape::WireOr(spec) => json!({ "anyOf": [shape(&Shape::Wire), table(spec)] }),
        Shape::ListOr(spec) => json!({ "anyOf": [{ "type": "array" }, table(spec)] }),
        Shape::Tables(spec) => json!({ "type": "array", "minItems": 1, "items": table(spec) }),
        Shape::Map { of, names } => {
            let names = match names {
                Names::Words { reserved, .. } => {
                    let reserved: Vec<_> = reserved.iter().map(|(word, _)| word).collect();
                    json!({ "pattern": "^[a-z][a-z0-9_-]*$", "maxLength": 64, "not": { "enum": reserved } })
                }
                Names::Wires => json!({ "minLength": 1 }),
                Names::Files | Names::RunFiles => {
                    json!({ "pattern": "^[^/\\\\:]+$", "maxLength": 200, "not": { "enum": [".", ".."] } })
                }
            };
            json!({ "type": "object", "additionalProperties": shape(of), "propertyNames": names })
        }
    }
}
