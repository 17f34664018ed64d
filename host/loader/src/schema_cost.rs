//! How much work a schema may make of a value. A stranger's schema is followed for every answer, outside of the sandbox and
//! its limits: one of a few lines, in which each definition asks for the next one twice, would never come to an end.

use std::collections::HashMap;

use serde_json::Value;

/// The most subschemas that there may be once every reference is written out; those of the bundled plugins have thousands.
const MOST: u64 = 100_000_000;

/// # Errors
/// If there are more, as a message.
pub(super) fn check_cost(schema: &Value) -> Result<(), String> {
    let mut named = HashMap::new();
    collect_names(schema, &mut named);
    let cost = Costs { root: schema, named, known: HashMap::new() }.of(schema)?;
    if cost > MOST {
        return Err(format!("with its references written out, it has more than {MOST} parts"));
    }
    Ok(())
}

/// Subschemas that are referred to by a name of their own.
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

struct Costs<'a> {
    root: &'a Value,
    named: HashMap<&'a str, &'a Value>,
    /// By address; none while it is being counted, which is a circle: the validator goes round each only once.
    known: HashMap<*const Value, Option<u64>>,
}

impl<'a> Costs<'a> {
    fn of(&mut self, value: &'a Value) -> Result<u64, String> {
        if let Some(known) = self.known.get(&std::ptr::from_ref(value)) {
            return Ok(known.unwrap_or(1));
        }
        self.known.insert(value, None);
        let mut cost = 1_u64;
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match (key.as_str(), value) {
                        // What is not applied by itself.
                        ("$defs" | "definitions" | "const" | "enum" | "default" | "examples", _) => {}
                        ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(to)) => {
                            if let Some(to) = self.target(to)? {
                                cost = cost.saturating_add(self.of(to)?);
                            }
                        }
                        _ => cost = cost.saturating_add(self.of(value)?),
                    }
                }
            }
            Value::Array(list) => {
                for value in list {
                    cost = cost.saturating_add(self.of(value)?);
                }
            }
            _ => {}
        }
        self.known.insert(value, Some(cost));
        Ok(cost)
    }

    /// What a reference means; nothing for those that the validator itself knows or refuses.
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
            // Such as a pointer to nowhere, of which the validator says more.
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
