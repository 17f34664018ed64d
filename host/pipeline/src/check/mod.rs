//! The check: looks up every extension and every name, compares every value with its schema, and puts the stages in order. The
//! outcome is a plan, or all diagnostics.

mod abilities;
mod checker;
mod columns;
mod conditions;
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
mod output_schemas;
mod routes;
mod sandbox;
mod scopes;
mod search;
mod services;
mod sources;
mod templates;
mod tests_table;
mod types;

pub use tests_table::tests_of;

use std::cell::OnceCell;

use checker::Checker;
use found::Services;
use item_schemas::seen_item_schema;
use scopes::Scopes;

use crate::diagnostics::Diagnostics;
use crate::parsed::ParsedPipeline;
use crate::plan::Plan;
use jackfield_loader::Registry;

/// Checks a parsed pipeline against the extensions of the loaded plugins, and makes a plan of it.
///
/// # Errors
/// With every diagnostic of the pipeline: those of the parsed pipeline and those that show only now.
pub fn check(parsed: &ParsedPipeline, registry: &Registry) -> Result<Plan, Diagnostics> {
    let wire_schemas = vec![OnceCell::new(); parsed.stages.len()];
    let mut checker = Checker {
        parsed,
        stage_indices: parsed
            .stages
            .iter()
            .enumerate()
            .map(|(index, stage)| (stage.name.text.as_str(), index))
            .collect(),
        diagnostics: parsed.diagnostics.clone(),
        extensions: Vec::new(),
        configs: Vec::new(),
        wire_schemas: &wire_schemas,
        item: seen_item_schema(parsed),
        services: Services::default(),
        routes: Vec::new(),
        search: None,
    };
    checker.look_up_extensions(registry);
    checker.check_configs();
    checker.check_services(registry);
    checker.check_routes(registry);
    checker.check_search(registry);
    checker.set_wire_schemas();
    checker.check_exports();
    checker.check_abilities(registry);
    checker.check_sandbox_memory();
    let edges = checker.look_up_sources();
    let order = checker.order_stages(&edges);
    checker.check_inputs();
    checker.check_templates();
    checker.check_outputs();
    checker.look_up_rewards();
    let scopes = Scopes::new(parsed.stages.len(), &edges);
    checker.check_scopes(&edges, &scopes);
    checker.check_when_and_require(order.as_deref(), &scopes);
    checker.check_that_routed_stages_run_per_item(&scopes);
    checker.check_that_rewards_are_of_items(&scopes);
    checker.check_that_outputs_are_of_items(&scopes);
    checker.check_that_merged_stages_run_per_item(&scopes);
    checker.check_search_wires(order.as_deref(), &scopes);
    checker.check_tests(&edges);
    match order {
        Some(order) if checker.diagnostics.is_empty() => {
            Ok(checker.lower(&order, &edges, &scopes).expect("a pipeline without diagnostics can be lowered"))
        }
        _ => Err(parsed.reported(checker.diagnostics)),
    }
}
