//! The schemas that do not come from an extension: that of the item, and that of what was spent for it.

use serde_json::{Map, Value, json};

use crate::{
    parsed::{ItemSource, ParsedPipeline},
    plan::SPEND_MEMBERS,
    schema,
};

pub(crate) fn item_schema(parsed: &ParsedPipeline) -> Value {
    let string = json!({ "type": "string" });
    match parsed.input.as_ref().and_then(|input| input.source.as_ref()) {
        Some(ItemSource::Files { .. }) => json!({
            "type": "object",
            "properties": { "path": string, "name": string, "text": string },
            "required": ["path", "name", "text"]
        }),
        Some(ItemSource::Csv { .. }) => json!({ "type": "object", "additionalProperties": string }),
        Some(ItemSource::Inline { items, .. }) => schema::infer(&items.iter().collect::<Vec<_>>()),
        Some(ItemSource::Trials { .. }) => json!({
            "type": "object",
            "properties": { "trial": { "type": "integer", "minimum": 0 } },
            "required": ["trial"]
        }),
        Some(ItemSource::Jsonl { .. } | ItemSource::Json { .. }) | None => Value::Bool(true),
    }
}

/// The schema of the items of this very input, if somebody looked at them: their fields are known, and, where
/// all items were looked at, what those hold.
pub(crate) fn seen_item_schema(parsed: &ParsedPipeline) -> Value {
    let mut schema = item_schema(parsed);
    if let Some(seen) = &parsed.seen_items {
        if let Some(schema) = &seen.schema {
            return schema.clone();
        }
        let of_field = schema.get("additionalProperties").cloned().unwrap_or(Value::Bool(true));
        let fields: Map<String, Value> = seen.fields.iter().map(|field| (field.clone(), of_field.clone())).collect();
        schema = json!({ "type": "object", "properties": fields });
    }
    schema
}

/// The type of `spend`: what each stage spent.
pub(crate) fn spend_schema(parsed: &ParsedPipeline) -> Value {
    let number = |member: &&str| (member.to_string(), json!({ "type": "number" }));
    let spend = json!({
        "type": "object", "properties": SPEND_MEMBERS.iter().map(number).collect::<Map<_, _>>(),
        "required": SPEND_MEMBERS, "additionalProperties": false,
    });
    let of_run = parsed.stages.iter().filter(|stage| stage.export.is_none());
    let names: Vec<&str> = of_run.map(|stage| stage.name.text.as_str()).collect();
    let stages: Map<String, Value> = names.iter().map(|name| (name.to_string(), spend.clone())).collect();
    json!({ "type": "object", "properties": stages, "required": names, "additionalProperties": false })
}
