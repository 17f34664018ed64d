//! DRAFT -> PLAN: looks everything up, holds every value against its schema, and puts the stages in order.

mod abilities;
mod checker;
mod config;
mod digest;
mod exports;
mod extensions;
mod files;
mod found;
mod graph;
mod item_schemas;
mod lower;
mod merged;
mod needs;
mod routes;
mod sandbox;
mod search;
mod services;
mod sources;
mod tests_table;
mod types;

pub use tests_table::tests_of;

use checker::Checker;
use found::Services;
use graph::read_items;
use item_schemas::item_schema;

use crate::diagnostics::{Fault, Faults};
use crate::draft::Draft;
use crate::plan::Plan;
use jackfield_loader::Registry;

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
        services: Services::default(),
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
