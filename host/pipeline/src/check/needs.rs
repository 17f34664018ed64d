//! The abilities that an extension needs of its model, which depend on its configuration and its input: `x-needs` in the schemas
//! of both.

use std::collections::BTreeSet;

use jackfield_plugin_api::{Ability, X_NEEDS};
use serde_json::Value;

use jackfield_loader::sandbox::Permission;

/// References and combinators deeper than this are no longer followed.
const DEEPEST: usize = 24;

/// What is asked of a model by a permission's name; none for another permission.
pub(crate) fn ability(permission: &str) -> Option<Ability> {
    match permission.parse() {
        Ok(Permission::ModelAbility(ability)) => Some(ability),
        Ok(Permission::Model) => Some(Ability::Complete),
        _ => None,
    }
}

/// What is needed with some configuration of this schema, if not with each.
pub(crate) fn conditional(schema: &Value) -> BTreeSet<Ability> {
    let mut found = BTreeSet::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                found.extend(map.get(X_NEEDS).and_then(Value::as_str).and_then(ability));
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    found
}

/// What is needed with this configuration.
pub(crate) fn needed(schema: &Value, config: &Value) -> BTreeSet<Ability> {
    let mut needs = Needs { root: schema, found: BTreeSet::new() };
    needs.value(schema, config, 0);
    needs.found
}

/// What is needed where this field of the input is given.
pub(crate) fn needed_with(schema: &Value, field: &str) -> Option<Ability> {
    schema["properties"][field][X_NEEDS].as_str().and_then(ability)
}

struct Needs<'a> {
    root: &'a Value,
    found: BTreeSet<Ability>,
}

impl<'a> Needs<'a> {
    /// Visits a value that satisfies this schema.
    fn value(&mut self, schema: &'a Value, value: &'a Value, depth: usize) {
        if depth > DEEPEST || !self.may_hold(schema, value, depth) {
            return;
        }
        self.found.extend(schema[X_NEEDS].as_str().and_then(ability));
        if let Some(referred) = self.referred(schema) {
            self.value(referred, value, depth + 1);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for part in schema[key].as_array().into_iter().flatten() {
                self.value(part, value, depth + 1);
            }
        }
        match value {
            Value::Object(map) => {
                for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                    if let Some(value) = map.get(name).or_else(|| schema.get("default")) {
                        self.value(schema, value, depth + 1);
                    }
                }
            }
            Value::Array(list) => {
                if let Some(schema) = schema.get("items") {
                    list.iter().for_each(|value| self.value(schema, value, depth + 1));
                }
            }
            _ => {}
        }
    }

    fn referred(&self, schema: &Value) -> Option<&'a Value> {
        self.root.pointer(schema["$ref"].as_str()?.strip_prefix('#')?)
    }

    /// Whether the schema can be the one that holds, of several: none of its constants differs from the value's.
    fn may_hold(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let differs = |(name, schema): (&String, &Value)| {
            let wanted = schema.get("const");
            wanted.is_some_and(|wanted| value.get(name) != Some(wanted))
        };
        let fits = schema.get("const").is_none_or(|wanted| wanted == value) && !properties.into_iter().any(differs);
        fits && self.referred(schema).is_none_or(|schema| depth >= DEEPEST || self.may_hold(schema, value, depth + 1))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_needed_depends_on_the_variant_that_is_configured() {
        let schema = json!({
            "$defs": { "How": { "oneOf": [
                { "properties": { "kind": { "const": "here" } }, "required": ["kind"] },
                { "properties": { "kind": { "const": "asked" } }, "required": ["kind"], "x-needs": "model:embed" },
            ] } },
            "properties": {
                "how": { "$ref": "#/$defs/How", "default": { "kind": "here" } },
                "more": { "items": { "anyOf": [{ "$ref": "#/$defs/How" }, { "type": "null" }] } },
                "deep": { "x-needs": "model:capture", "default": 1 },
                "odd": { "x-needs": "model:fly" },
            },
        });
        assert_eq!(conditional(&schema), BTreeSet::from([Ability::Capture, Ability::Embed]));
        let needed = |config: Value| needed(&schema, &config).into_iter().collect::<Vec<_>>();
        assert_eq!(needed(json!({})), [Ability::Capture]);
        assert_eq!(needed(json!({ "how": { "kind": "asked" }, "odd": 1 })), [Ability::Capture, Ability::Embed]);
        assert_eq!(needed(json!({ "more": [null, { "kind": "here" }] })), [Ability::Capture]);
        assert_eq!(needed(json!({ "more": [null, { "kind": "asked" }] })), [Ability::Capture, Ability::Embed]);
    }

    #[test]
    fn a_schema_that_refers_to_itself_comes_to_an_end() {
        let schema = json!({ "$ref": "#", "x-needs": "model:embed" });
        assert_eq!(needed(&schema, &json!({})), BTreeSet::from([Ability::Embed]));
        let pair = json!({ "allOf": [{ "$ref": "#" }] });
        assert_eq!(needed(&pair, &json!({})), BTreeSet::new());
    }
}
