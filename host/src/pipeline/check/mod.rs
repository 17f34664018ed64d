//! DRAFT -> PLAN: looks everything up, holds every value against its schema, and puts the stages in order.

mod abilities;
mod config;
mod digest;
mod exports;
mod extensions;
mod files;
mod graph;
mod lower;
mod merged;
mod needs;
mod path_digest;
mod routes;
mod sandbox;
mod search;
mod search_overlays;
mod search_space;
mod services;
mod sources;
mod tests_table;
mod text_files;
mod types;

use std::collections::HashMap;

use serde_json::{Value, json};

pub use tests_table::tests_of;

use graph::read_items;

use super::{
    draft::{Draft, ItemSource, WireRef},
    faults::{Fault, Faults},
    plan::{PathIdentities, Plan, SPEND_MEMBERS, Source},
    schema,
};
use crate::plugin::{Offer, Plugin, Registry};

/// Checks a draft against the extensions that there are, and freezes it.
///
/// # Errors
/// With every fault of the pipeline: those of the draft and those that show only now.
pub fn check(draft: &Draft, registry: &Registry) -> Result<Plan, Faults> {
    let mut checker = Checker {
        draft,
        places: draft.stages.iter().enumerate().map(|(place, stage)| (stage.name.text.as_str(), place)).collect(),
        faults: draft.faults.clone(),
        offers: Vec::new(),
        configs: Vec::new(),
        item: item_schema(draft),
        services: services::Services::default(),
        routes: Vec::new(),
        search: None,
    };
    checker.extensions(registry);
    checker.configs();
    checker.services(registry);
    checker.routes(registry);
    checker.search(registry);
    checker.exports();
    checker.abilities(registry);
    checker.sandbox_memory();
    let edges = checker.sources();
    let order = checker.order(&edges);
    checker.types();
    checker.outputs();
    checker.rewards();
    let of_item = read_items(draft.stages.len(), &edges);
    let is_of_item = |index: usize| of_item.get(index).is_some_and(|of_item| *of_item);
    checker.routed_once(is_of_item);
    checker.merged_of_items(is_of_item);
    checker.search_wires(order.as_deref(), is_of_item);
    checker.tests(&edges);
    match order {
        Some(order) if checker.faults.is_empty() => match checker.lower(&order, &edges) {
            Some(plan) => Ok(plan),
            // Whatever could not be lowered has a fault, unless the compiler itself is wrong.
            None => Err(Faults::new(draft.sources.clone(), vec![Fault::new("bug", "the pipeline cannot be lowered")])),
        },
        _ => Err(Faults::new(draft.sources.clone(), checker.faults)),
    }
}

/// A `with` table that was checked, with what stands for the paths in it.
#[derive(Clone, Debug, Default)]
struct CheckedConfig {
    value: Value,
    paths: PathIdentities,
}

/// A draft, and what is known of it so far; lists are parallel to its stages.
struct Checker<'a> {
    draft: &'a Draft,
    /// Where each stage stands among those of the draft.
    places: HashMap<&'a str, usize>,
    faults: Vec<Fault>,
    offers: Vec<Option<(&'a Plugin, &'a Offer)>>,
    configs: Vec<CheckedConfig>,
    /// Schema of an item.
    item: Value,
    /// Models and caches.
    services: services::Services<'a>,
    /// What is known of routes.
    routes: Vec<Option<routes::RouteFound<'a>>>,
    /// What is known of the search.
    search: Option<search::SearchFound<'a>>,
}

impl<'a> Checker<'a> {
    /// The stage of this name.
    fn stage(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The names of all stages.
    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.draft.stages.iter().map(|stage| stage.name.text.as_str())
    }

    /// Where a wire comes from, by the order of the draft; none if it cannot be told.
    fn source(&self, stage: Option<usize>, wire: &WireRef) -> Option<Source> {
        let text = wire.text.as_ref()?;
        match text.source.as_str() {
            "input" => Some(Source::Input),
            "each" => stage.and_then(|stage| self.draft.stages[stage].for_each.as_ref()).map(|_| Source::Each),
            name => match self.stage(name) {
                Some(index) => Some(Source::Stage(index)),
                None => (name == "spend" && stage.is_none()).then_some(Source::Spend),
            },
        }
    }
}

/// The type of `spend`: what each stage spent.
fn spend_schema(draft: &Draft) -> Value {
    let number = |member: &&str| (member.to_string(), json!({ "type": "number" }));
    let spend = json!({
        "type": "object", "properties": SPEND_MEMBERS.iter().map(number).collect::<serde_json::Map<_, _>>(),
        "required": SPEND_MEMBERS, "additionalProperties": false,
    });
    let of_run = draft.stages.iter().filter(|stage| stage.export.is_none());
    let names: Vec<&str> = of_run.map(|stage| stage.name.text.as_str()).collect();
    let stages: serde_json::Map<String, Value> = names.iter().map(|name| (name.to_string(), spend.clone())).collect();
    json!({ "type": "object", "properties": stages, "required": names, "additionalProperties": false })
}

fn item_schema(draft: &Draft) -> Value {
    let string = json!({ "type": "string" });
    match draft.input.as_ref().and_then(|input| input.source.as_ref()) {
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
