//! Schemas without references and choices.

use std::borrow::Cow;

use jackfield_plugin_api::prelude::*;
use serde_json::{Map, Value, json};

use super::prompt::pick;

/// Most references and choices that lead to one schema.
const MOST_HOPS: usize = 32;
/// Keys that do not restrict a value.
const ANNOTATIONS: [&str; 8] =
    ["$schema", "$id", "$defs", "definitions", "title", "description", "default", "examples"];

/// The schema after its references are followed, its `allOf` are put together and one of its alternatives is chosen.
/// `narrow` asks for the alternative that ends soonest.
pub(super) fn resolve<'a>(root: &'a Value, schema: &'a Value, narrow: bool, random: &mut Random) -> Cow<'a, Value> {
    let mut schema = Cow::Borrowed(schema);
    for _ in 0..MOST_HOPS {
        schema = match next_step(root, &schema, narrow, random) {
            None => return schema,
            Some(Next::In(found)) => Cow::Borrowed(found),
            Some(Next::Made(made)) => Cow::Owned(made),
            Some(Next::Within(path)) => match &schema {
                Cow::Borrowed(schema) => match follow(schema, &path) {
                    Some(found) => Cow::Borrowed(found),
                    None => return Cow::Owned(Value::Bool(true)),
                },
                Cow::Owned(schema) => Cow::Owned(follow(schema, &path).cloned().unwrap_or(Value::Bool(true))),
            },
        };
    }
    Cow::Owned(Value::Bool(true))
}

/// Where to look next.
enum Next<'a> {
    /// A schema under the root.
    In(&'a Value),
    /// An alternative of the schema itself: key and index.
    Within((&'static str, usize)),
    /// A schema put together.
    Made(Value),
}

fn follow<'a>(schema: &'a Value, (key, index): &(&'static str, usize)) -> Option<&'a Value> {
    schema.get(key)?.get(index)
}

/// The next schema to look at, if this one has a reference or a choice.
fn next_step<'a>(root: &'a Value, schema: &Value, narrow: bool, random: &mut Random) -> Option<Next<'a>> {
    let map = schema.as_object()?;
    let rest = |key: &str| {
        let rest = map.iter().filter(|(other, _)| *other != key && !ANNOTATIONS.contains(&other.as_str()));
        rest.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>()
    };
    let alone = |key: &str| map.keys().all(|other| other == key || ANNOTATIONS.contains(&other.as_str()));
    if let Some(Value::String(reference)) = map.get("$ref") {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return Some(match target {
            Some(target) if alone("$ref") => Next::In(target),
            Some(target) => Next::Made(merge(rest("$ref"), target)),
            None => Next::Made(Value::Object(rest("$ref"))),
        });
    }
    if let Some(Value::Array(all)) = map.get("allOf") {
        let made = all.iter().fold(Value::Object(rest("allOf")), |made, part| match made {
            Value::Object(made) => merge(made, part),
            other => other,
        });
        return Some(Next::Made(made));
    }
    let key = ["anyOf", "oneOf"].into_iter().find(|key| matches!(map.get(*key), Some(Value::Array(_))))?;
    let options = map[key].as_array().map_or(&[][..], Vec::as_slice);
    let Some(index) = choose(options, narrow, random) else { return Some(Next::Made(Value::Object(rest(key)))) };
    Some(if alone(key) { Next::Within((key, index)) } else { Next::Made(merge(rest(key), &options[index])) })
}

/// One of the alternatives: null is one in four; the narrow choice is null, or else what has no reference.
fn choose(options: &[Value], narrow: bool, random: &mut Random) -> Option<usize> {
    let null = |option: &Value| option.get("type").and_then(Value::as_str) == Some("null");
    let nothing = options.iter().position(null);
    if narrow {
        let plain = options.iter().position(|option| option.get("$ref").is_none());
        return nothing.or(plain).or((!options.is_empty()).then_some(0));
    }
    let others = (0..options.len()).filter(|&index| !null(&options[index]) && options[index] != Value::Bool(false));
    let others = others.collect::<Vec<_>>();
    match nothing {
        Some(nothing) if others.is_empty() || random.below(4) == 0 => Some(nothing),
        _ => pick(&others, random).copied().or((!options.is_empty()).then_some(0)),
    }
}

/// A schema that asks for what both ask, as far as that can be said simply.
fn merge(mut base: Map<String, Value>, with: &Value) -> Value {
    let with = match with {
        Value::Object(with) => with,
        Value::Bool(false) => return Value::Bool(false),
        _ => return Value::Object(base),
    };
    for (key, theirs) in with {
        if ANNOTATIONS.contains(&key.as_str()) {
            continue;
        }
        let Some(ours) = base.get_mut(key) else {
            base.insert(key.clone(), theirs.clone());
            continue;
        };
        if ours != theirs {
            *ours = merge_values(key, ours.take(), theirs);
        }
    }
    Value::Object(base)
}

/// What both values of a key ask.
fn merge_values(key: &str, ours: Value, theirs: &Value) -> Value {
    match (key, ours, theirs) {
        ("properties" | "patternProperties", Value::Object(mut ours), Value::Object(theirs)) => {
            for (name, schema) in theirs {
                let schema = match ours.get_mut(name) {
                    Some(other) if other != schema => json!({ "allOf": [other.take(), schema] }),
                    _ => schema.clone(),
                };
                ours.insert(name.clone(), schema);
            }
            Value::Object(ours)
        }
        ("required", Value::Array(mut ours), Value::Array(theirs)) => {
            let new = theirs.iter().filter(|name| !ours.contains(name)).cloned().collect::<Vec<_>>();
            ours.extend(new);
            Value::Array(ours)
        }
        ("enum", Value::Array(mut ours), Value::Array(theirs)) => {
            ours.retain(|value| theirs.contains(value));
            Value::Array(ours)
        }
        ("type", ours, theirs) => common_type(ours, theirs),
        ("allOf", Value::Array(mut ours), Value::Array(theirs)) => {
            ours.extend(theirs.iter().cloned());
            Value::Array(ours)
        }
        ("minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties", ours, theirs) => {
            if theirs.as_f64() > ours.as_f64() { theirs.clone() } else { ours }
        }
        ("maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties", ours, theirs) => {
            if theirs.as_f64() < ours.as_f64() { theirs.clone() } else { ours }
        }
        ("items" | "additionalProperties", ours, theirs) if ours.is_object() && theirs.is_object() => {
            json!({ "allOf": [ours, theirs] })
        }
        ("items" | "additionalProperties", Value::Bool(false), _) => Value::Bool(false),
        ("uniqueItems", Value::Bool(true), _) => Value::Bool(true),
        ("items" | "additionalProperties", ours, Value::Bool(true)) => ours,
        (_, _, theirs) => theirs.clone(),
    }
}

/// The types that both allow.
fn common_type(ours: Value, theirs: &Value) -> Value {
    fn list(types: &Value) -> &[Value] {
        types.as_array().map_or(std::slice::from_ref(types), Vec::as_slice)
    }
    let is_within =
        |kind: &Value, kinds: &[Value]| kinds.contains(kind) || (kind == "integer" && kinds.contains(&json!("number")));
    let mut common = list(&ours).iter().filter(|kind| is_within(kind, list(theirs))).cloned().collect::<Vec<_>>();
    let further = list(theirs).iter().filter(|kind| is_within(kind, list(&ours)) && !common.contains(kind)).cloned();
    let further = further.collect::<Vec<_>>();
    common.extend(further);
    match common.len() {
        0 => theirs.clone(),
        1 => common.remove(0),
        _ => Value::Array(common),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(schema: Value) -> Value {
        resolve(&schema, &schema, false, &mut Random::new(0)).into_owned()
    }

    #[test]
    fn references_are_followed_and_put_together_with_what_stands_beside_them() {
        let schema = json!({
            "$ref": "#/$defs/a", "minLength": 3,
            "$defs": { "a": { "$ref": "#/$defs/b", "maxLength": 9 }, "b": { "type": "string", "minLength": 1 } },
        });
        assert_eq!(resolved(schema), json!({ "type": "string", "minLength": 3, "maxLength": 9 }));
    }

    #[test]
    fn what_all_ask_is_asked() {
        let schema = json!({ "allOf": [
            { "type": ["number", "null"], "minimum": 1, "required": ["a"], "properties": { "a": { "type": "string" } } },
            { "type": "integer", "minimum": 2, "required": ["b"], "properties": { "a": { "minLength": 2 } } },
        ] });
        assert_eq!(
            resolved(schema),
            json!({
                "type": "integer", "minimum": 2, "required": ["a", "b"],
                "properties": { "a": { "allOf": [{ "type": "string" }, { "minLength": 2 }] } },
            })
        );
    }

    #[test]
    fn references_that_lead_nowhere_end() {
        for schema in [
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "$ref": "#" }, { "$ref": "#" }] }),
            json!({ "anyOf": [{ "$ref": "#" }] }),
            json!({ "$ref": "#/$defs/gone" }),
            json!({ "$ref": "https://example.org/schema" }),
            json!({ "anyOf": [] }),
        ] {
            resolved(schema);
        }
    }
}
