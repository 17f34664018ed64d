//! The JSON Schema of a pipeline file for editors: that of the language, in which every `with` is held to the schema of the
//! extension that `use` names.
//!
//! An editor reads one schema for the whole file, so the choice by `use` is a chain of `if`, `then` and `else`. Editors that
//! complete keys without looking at conditions find the schemas of all extensions in question at `with` itself, as alternatives of
//! which the last admits anything, so that they decide nothing.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_loader::Registry;
use jackfield_plugin_api::Kind;
use serde_json::{Map, Value, json};

use super::{json_schema::json_schema, parameters::admit_parameters};

/// The tables that name an extension, as JSON pointers into the schema of the language, and the kinds that they may name.
const TABLES: [(&str, &[Kind]); 5] = [
    (STAGE, &[Kind::Analyzer, Kind::DirectionExtractor]),
    ("/properties/stages/additionalProperties/properties/route", &[Kind::RoutingPolicy]),
    ("/properties/search", &[Kind::RoutingPolicy]),
    ("/properties/model/additionalProperties", &[Kind::Model]),
    ("/properties/cache/additionalProperties/properties/tiers/items", &[Kind::CacheBackend]),
];
const STAGE: &str = "/properties/stages/additionalProperties";

/// The JSON Schema (2020-12) of a pipeline file, with the `with` of every extension of these plugins. `used` is what the `use` keys
/// of a pipeline name, if these are all its plugins: then every `use` has to name one of their extensions, and those that the
/// pipeline uses are offered for `with`.
#[must_use]
pub fn editor_schema(registry: &Registry, used: Option<&BTreeSet<&str>>) -> Value {
    let mut schema = json_schema();
    for (pointer, kinds) in TABLES {
        let extensions = Extensions::new(registry, kinds);
        let is_stage = pointer == STAGE;
        let table = schema.pointer_mut(pointer).and_then(Value::as_object_mut);
        let Some(table) = table else { unreachable!("the schema of the language has a table at {pointer}") };
        extensions.add_choice(table, is_stage);
        extensions.offer(table, used);
        if is_stage && let Some(required) = extensions.required_keys() {
            // With a search, what a stage lacks may be what is searched.
            schema["if"] = json!({ "not": { "required": ["search"] } });
            schema["then"] = json!({ "properties": { "stages": { "additionalProperties": required } } });
        }
        let definitions = schema.get_mut("$defs").and_then(Value::as_object_mut);
        definitions.into_iter().for_each(|definitions| definitions.extend(extensions.definitions()));
    }
    admit_parameters(&mut schema);
    schema
}

/// The extensions that a table may name.
struct Extensions {
    found: Vec<Extension>,
}

struct Extension {
    /// `name` and `plugin/name`.
    references: [String; 2],
    summary: String,
    /// The name of its schema among the definitions.
    definition: String,
    config: Value,
}

impl Extensions {
    fn new(registry: &Registry, kinds: &[Kind]) -> Self {
        let extensions = kinds.iter().flat_map(|kind| registry.extensions(*kind));
        let extension = |(plugin, entry): (&jackfield_loader::Plugin, &jackfield_loader::ExtensionEntry)| {
            let descriptor = &entry.descriptor;
            let full = format!("{}/{}", plugin.alias, descriptor.name);
            let definition = format!("with-{}-{}", descriptor.kind, full);
            let definition = definition.replace(|char: char| !char.is_ascii_alphanumeric() && char != '-', "-");
            Extension {
                references: [descriptor.name.clone(), full],
                summary: descriptor.summary.clone(),
                config: embedded(&descriptor.config, &definition),
                definition,
            }
        };
        Self { found: extensions.map(extension).collect() }
    }

    /// By what `use` says, the extensions that may be meant: several plugins may offer one of the same name.
    fn by_reference(&self) -> BTreeMap<&str, Vec<&Extension>> {
        let mut by_reference: BTreeMap<&str, Vec<&Extension>> = BTreeMap::new();
        for extension in &self.found {
            for reference in &extension.references {
                by_reference.entry(reference).or_default().push(extension);
            }
        }
        by_reference
    }

    /// Adds to a table what `with` is, by what `use` says. Of a stage, `with` may lack keys: its route may have them.
    fn add_choice(&self, table: &mut Map<String, Value>, is_stage: bool) {
        let conclusion = |meant: &[&Extension]| {
            let mut then =
                json!({ "properties": { "with": any_of(meant.iter().map(|extension| extension.link(is_stage))) } });
            if !is_stage && meant.iter().all(|extension| extension.has_required_keys()) {
                then["required"] = json!(["with"]);
            }
            then
        };
        if let Some(choice) = self.choice(conclusion) {
            table.extend(choice);
        }
    }

    /// What the `with` of a stage without a route has to have, by what `use` says.
    fn required_keys(&self) -> Option<Value> {
        let conclusion = |meant: &[&Extension]| {
            let [extension] = meant else { return json!({}) };
            match extension.config.get("required").filter(|_| extension.has_required_keys()) {
                Some(required) => json!({ "required": ["with"], "properties": { "with": { "required": required } } }),
                None => json!({}),
            }
        };
        let choice = self.choice(conclusion)?;
        Some(json!({ "if": { "not": { "required": ["route"] } }, "then": choice }))
    }

    /// A chain of conditions on `use`, each with its conclusion; conclusions that say nothing are left out.
    fn choice(&self, conclusion: impl Fn(&[&Extension]) -> Value) -> Option<Map<String, Value>> {
        let mut by_conclusion: Vec<(Vec<&str>, Value)> = Vec::new();
        for (reference, meant) in self.by_reference() {
            let then = conclusion(&meant);
            match by_conclusion.iter_mut().find(|(_, known)| *known == then) {
                Some((references, _)) => references.push(reference),
                None if then.as_object().is_some_and(Map::is_empty) => {}
                None => by_conclusion.push((vec![reference], then)),
            }
        }
        by_conclusion.into_iter().rev().fold(None, |otherwise: Option<Map<String, Value>>, (references, then)| {
            let mut link = Map::new();
            link.insert(
                "if".to_owned(),
                json!({ "properties": { "use": { "enum": references } }, "required": ["use"] }),
            );
            link.insert("then".to_owned(), then);
            otherwise.into_iter().for_each(|otherwise| {
                link.insert("else".to_owned(), Value::Object(otherwise));
            });
            Some(link)
        })
    }

    /// Offers extensions at `use`, and their keys at `with`. If all are known, `use` is one of them.
    fn offer(&self, table: &mut Map<String, Value>, used: Option<&BTreeSet<&str>>) {
        let all_are_known = used.is_some();
        let Some(properties) = table.get_mut("properties").and_then(Value::as_object_mut) else { return };
        let by_reference = self.by_reference();
        let is_usual = |reference: &&&str| !reference.contains('/') || all_are_known;
        let references: Vec<&str> = by_reference.keys().filter(is_usual).copied().collect();
        if let Some(uses) = properties.get_mut("use").and_then(Value::as_object_mut) {
            if all_are_known {
                uses.insert("enum".to_owned(), json!(references));
            } else {
                uses.insert("anyOf".to_owned(), json!([{ "enum": references }, { "type": "string" }]));
            }
        }
        let is_offered = |extension: &&Extension| match used {
            Some(used) => extension.references.iter().any(|reference| used.contains(reference.as_str())),
            None => true,
        };
        let mut alternatives: Vec<Value> =
            self.found.iter().filter(is_offered).map(|extension| extension.link(true)).collect();
        alternatives.push(json!({ "type": "object" }));
        if let Some(with) = properties.get_mut("with").and_then(Value::as_object_mut) {
            with.insert("anyOf".to_owned(), Value::from(alternatives));
        }
    }

    /// The schemas of all `with` tables, and the same without what has to be there.
    fn definitions(&self) -> Vec<(String, Value)> {
        let mut definitions = Vec::new();
        for extension in &self.found {
            let mut config = extension.config.clone();
            if let Some(config) = config.as_object_mut() {
                config.entry("title").or_insert_with(|| Value::from(extension.references[0].as_str()));
                config.entry("description").or_insert_with(|| Value::from(extension.summary.as_str()));
            }
            if extension.has_required_keys() {
                let mut partial = config.clone();
                partial.as_object_mut().into_iter().for_each(|partial| {
                    partial.remove("required");
                });
                definitions.push((format!("{}-in-part", extension.definition), partial));
            }
            definitions.push((extension.definition.clone(), config));
        }
        definitions
    }
}

impl Extension {
    fn has_required_keys(&self) -> bool {
        self.config["required"].as_array().is_some_and(|required| !required.is_empty())
    }

    /// A reference to its schema; in part, without what has to be there.
    fn link(&self, in_part: bool) -> Value {
        let end = if in_part && self.has_required_keys() { "-in-part" } else { "" };
        json!({ "$ref": format!("#/$defs/{}{end}", self.definition) })
    }
}

/// One schema as it is, several as alternatives.
fn any_of(schemas: impl Iterator<Item = Value>) -> Value {
    let mut schemas: Vec<Value> = schemas.collect();
    if schemas.len() == 1 { schemas.remove(0) } else { json!({ "anyOf": schemas }) }
}

/// The schema of an extension as a definition of another schema: its references lead to where it stands then. One that is no JSON
/// Schema admits any table: `jackfield check` reports it.
fn embedded(config: &Value, definition: &str) -> Value {
    if !config.is_object() || jsonschema::validator_for(config).is_err() {
        return json!({ "type": "object" });
    }
    let mut config = config.clone();
    for key in ["$schema", "$id"] {
        config.as_object_mut().into_iter().for_each(|config| {
            config.remove(key);
        });
    }
    move_references(&mut config, definition);
    config
}

fn move_references(schema: &mut Value, definition: &str) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(reference) if key == "$ref" => {
                        if let Some(rest) = reference.strip_prefix('#') {
                            *reference = format!("#/$defs/{definition}{rest}");
                        }
                    }
                    // Data, in which a `$ref` is a key like any other.
                    _ if ["const", "default", "enum", "examples"].contains(&key.as_str()) => {}
                    value => move_references(value, definition),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| move_references(value, definition)),
        _ => {}
    }
}
