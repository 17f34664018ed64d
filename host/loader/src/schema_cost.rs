//! Bounds the work of validating a value against a schema. The schemas of plugins are applied to every answer, outside the
//! sandbox and its limits, and a schema of a few lines, in which each definition refers to the next one twice, would never come
//! to an end.

use std::collections::HashMap;

use serde_json::Value;

/// The most subschemas of a schema in which every reference is expanded. Those of the bundled plugins have thousands.
const MOST_PARTS: u64 = 100_000_000;

/// Checks how many parts a schema has once every reference in it is expanded.
///
/// # Errors
/// If there are too many, or a reference leads nowhere, as a message.
pub(super) fn check_cost(schema: &Value) -> Result<(), String> {
    let mut named = HashMap::new();
    collect_names(schema, &mut named);
    let cost = PartCounter { root: schema, named, counted: HashMap::new() }.count(schema)?;
    if cost > MOST_PARTS {
        return Err(format!("with its references written out, it has more than {MOST_PARTS} parts"));
    }
    Ok(())
}

/// Collects the subschemas that have a name by which others can refer to them.
fn collect_names<'a>(value: &'a Value, named: &mut HashMap<&'a str, &'a Value>) {
    match value {
        Value::Object(map) => {
            for key in ["$anchor", "$dynamicAnchor", "$id"] {
                if let Some(name) = map.get(key).and_then(Value::as_str) {
                    named.insert(name, value);
                }
            }
            map.values().for_each(|value| collect_names(value, named));
        }
        Value::Array(list) => list.iter().for_each(|value| collect_names(value, named)),
        _ => {}
    }
}

/// Counts the parts of schemas.
struct PartCounter<'a> {
    root: &'a Value,
    named: HashMap<&'a str, &'a Value>,
    /// The counts by the address of the schema. It is none while a schema is being counted: then a reference back to it is a
    /// circle, which the validator follows only once.
    counted: HashMap<*const Value, Option<u64>>,
}

impl<'a> PartCounter<'a> {
    /// The parts of a schema with its references expanded.
    fn count(&mut self, value: &'a Value) -> Result<u64, String> {
        if let Some(counted) = self.counted.get(&std::ptr::from_ref(value)) {
            return Ok(counted.unwrap_or(1));
        }
        self.counted.insert(value, None);
        let mut cost = 1_u64;
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match (key.as_str(), value) {
                        // These are not applied by themselves.
                        ("$defs" | "definitions" | "const" | "enum" | "default" | "examples", _) => {}
                        ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                            if let Some(target) = self.target(reference)? {
                                cost = cost.saturating_add(self.count(target)?);
                            }
                        }
                        _ => cost = cost.saturating_add(self.count(value)?),
                    }
                }
            }
            Value::Array(list) => {
                for value in list {
                    cost = cost.saturating_add(self.count(value)?);
                }
            }
            _ => {}
        }
        self.counted.insert(value, Some(cost));
        Ok(cost)
    }

    /// The schema to which a reference leads; none for one that the validator itself knows or refuses.
    fn target(&self, reference: &str) -> Result<Option<&'a Value>, String> {
        if reference.contains("://") && !self.named.contains_key(reference) {
            return Ok(None);
        }
        let name = reference.strip_prefix('#').unwrap_or(reference);
        let found = match name {
            "" => Some(self.root),
            name if name.starts_with('/') => self.root.pointer(&name.replace("%25", "%").replace("%7E", "~")),
            name => self.named.get(name).copied(),
        };
        match found {
            Some(found) => Ok(Some(found)),
            // A pointer that leads nowhere: the message of the validator is better.
            None if name.starts_with('/') => Ok(None),
            None => Err(format!("the reference `{reference}` leads nowhere")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_that_multiply_are_refused() {
        let chain = |length: usize, keyword: &str| {
            let next = |n: usize| json!({ "$ref": format!("#/$defs/{n}") });
            let one = |n: usize| {
                let two = if keyword == "allOf" { json!([next(n + 1), next(n + 1)]) } else { next(n + 1) };
                (n.to_string(), json!({ keyword: two, "then": next(n + 1) }))
            };
            let mut all: serde_json::Map<_, _> = (0..length).map(one).collect();
            all.insert(length.to_string(), json!(true));
            json!({ "$ref": "#/$defs/0", "$defs": all })
        };
        check_cost(&chain(5, "allOf")).expect("little");
        check_cost(&chain(60, "allOf")).expect_err("much");
        check_cost(&chain(60, "if")).expect_err("much");
        check_cost(&json!({ "properties": { "a": { "$ref": "#" }, "b": { "$ref": "#" } } })).expect("circles");
        check_cost(&json!({ "$ref": "#here", "$defs": { "x": { "$anchor": "here" } } })).expect("a name");
        check_cost(&json!({ "$ref": "elsewhere" })).expect_err("nowhere");
    }
}
