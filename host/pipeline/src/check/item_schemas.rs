//! The schemas that do not come from an extension: that of the item, and that of what was spent for it.

use serde_json::{Value, json};

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

/// The type of `spend`: what each stage spent.
pub(crate) fn spend_schema(parsed: &ParsedPipeline) -> Value {
    let number = |member: &&str| (member.to_string(), json!({ "type": "number" }));
    let spend = json!({
        "type": "object", "properties": SPEND_MEMBERS.iter().map(number).collect::<serde_json::Map<_, _>>(),
        "required": SPEND_MEMBERS, "additionalProperties": false,
    });
    let of_run = parsed.stages.iter().filter(|stage| stage.export.is_none());
    let names: Vec<&str> = of_run.map(|stage| stage.name.text.as_str()).collect();
    let stages: serde_json::Map<String, Value> = names.iter().map(|name| (name.to_string(), spend.clone())).collect();
    json!({ "type": "object", "properties": stages, "required": names, "additionalProperties": false })
}
