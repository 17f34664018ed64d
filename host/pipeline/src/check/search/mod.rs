//! Checks the search: which policy picks values, of which keys, and what it learns from.

mod conditions;
mod dimension;
mod domain;
mod objectives;
mod overlays;
mod points;
mod space;

use jackfield_plugin_api::{Goal, Kind, Picks, Study};
use serde_json::{Map, Value, json};

use domain::schema_of;

use crate::{
    check::{
        checker::Checker,
        extensions::{extension_ref, policies},
        found::{SearchFound, SpaceFound},
    },
    diagnostics::Diagnostic,
    parsed::{ItemSource, ParsedSearch},
    plan::{ObjectivePlan, SearchPlan, StudyFile},
};
use jackfield_loader::Registry;

impl<'a> Checker<'a> {
    /// Checks the search, all but its wires.
    pub(crate) fn check_search(&mut self, registry: &'a Registry) {
        let Some(search) = &self.parsed.search else { return };
        self.check_that_input_makes_trials(search);
        let found = self.look_up(registry, &[Kind::RoutingPolicy], search.uses.as_ref());
        let uses = search.uses.as_ref().map_or(search.span, |uses| uses.span);
        let entry = found.map(|(_, entry)| entry);
        let config = self.with_table(search.with.as_ref(), entry, search.span, uses);
        if let Some(entry) = entry.filter(|entry| Picks::from_descriptor(&entry.descriptor) == Picks::Arms) {
            let message = format!(
                "`{}` picks one of the arms of a stage's route, and a search picks values of a space",
                entry.descriptor.name
            );
            self.diagnostics.push(Diagnostic::at("bad-search", uses, message).hint(policies(registry, Picks::Values)));
        }
        let space = self.check_space(search);
        let objectives = self.search_objectives(search);
        let reports = self.check_reports(search, objectives.len());
        let points = self.check_points(search, &space);
        self.check_study_name(search);
        self.check_that_models_have_prices(search);
        if matches!(self.parsed.input.as_ref().and_then(|input| input.source.as_ref()), Some(ItemSource::Trials { .. }))
        {
            self.item = trial_schema(&space);
        }
        let tried_configs = self.check_overlays(search, &space);
        self.search = Some(SearchFound { found, config, space, objectives, reports, points, tried_configs });
    }

    /// Reports an input that is not of trials, as a search makes its items itself.
    fn check_that_input_makes_trials(&mut self, search: &ParsedSearch) {
        let hint = "`[input]` with `use = \"trials\"` and `count = ...`, the number of trials";
        match self.parsed.input.as_ref().map(|input| input.source.as_ref()) {
            // An input that cannot be read is reported.
            Some(None | Some(ItemSource::Trials { .. })) => {}
            Some(Some(_)) => {
                let message = "a search makes trials, and the items of this pipeline are others";
                self.diagnostics
                    .push(Diagnostic::at("bad-search", search.span, message).hint(format!("it needs {hint}")));
            }
            None => {
                let message = "a search makes trials, and the pipeline has no `[input]`";
                self.diagnostics.push(Diagnostic::at("bad-search", search.span, message).hint(format!("add {hint}")));
            }
        }
    }

    /// Reports a name of a study that cannot be the name of a file.
    fn check_study_name(&mut self, search: &ParsedSearch) {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let Some(study) = &search.study else { return };
        // An empty one is reported.
        if study.value.is_empty() || (study.value.len() <= LONGEST_STUDY && study.value.chars().all(word)) {
            return;
        }
        let message = format!("`{}` cannot be the name of a study", study.value.escape_debug());
        let hint = format!("lower-case letters, digits, `-` and `_`, at most {LONGEST_STUDY}");
        self.diagnostics.push(Diagnostic::at("bad-value", study.span, message).hint(hint));
    }

    /// Reports a stop at a cost where no model has a price, as the cost is then never reached.
    fn check_that_models_have_prices(&mut self, search: &ParsedSearch) {
        let Some(at) = search.cost_at else { return };
        if self.parsed.models.iter().all(|model| model.price.is_none()) {
            let message = "the search stops at a cost, but no model of the pipeline has a price";
            let hint = "add `price = { input = ..., output = ... }` to a model, in dollars for a million tokens";
            self.diagnostics.push(Diagnostic::at("bad-search", at, message).hint(hint.to_owned()));
        }
    }

    /// The plan of the search; the outer option is none where something is missing, which is reported.
    pub(crate) fn lower_search(&self, plan_indices: &[usize]) -> Option<Option<SearchPlan>> {
        let (Some(search), Some(found)) = (&self.parsed.search, &self.search) else { return Some(None) };
        let objectives = found.objectives.iter().map(|objective| {
            let wire = self.lower_wire(None, &objective.wire, plan_indices)?;
            Some(ObjectivePlan { name: objective.name.clone(), wire, minimize: objective.minimize })
        });
        let objectives: Vec<ObjectivePlan> = objectives.collect::<Option<_>>()?;
        let reports: Vec<_> =
            found.reports.iter().map(|wire| self.lower_wire(None, wire, plan_indices)).collect::<Option<_>>()?;
        let goals = objectives
            .iter()
            .map(|objective| Goal { name: objective.name.clone(), minimize: objective.minimize })
            .collect();
        let keep = search.study.as_ref().map(|name| StudyFile {
            name: name.value.clone(),
            path: self.parsed.folder.join(".jackfield/studies").join(&name.value).with_extension("json"),
        });
        let (plugin, entry) = found.found?;
        Some(Some(SearchPlan {
            extension: extension_ref(plugin, entry),
            config: found.config.value.clone(),
            paths: found.config.paths.clone(),
            study: Study { space: found.space.dimensions(), goals, reports: u32::try_from(reports.len()).ok()? },
            objectives,
            reports,
            points: found.points.clone(),
            in_flight: search.in_flight,
            stop: search.stop,
            keep,
            targets: found.space.targets(plan_indices),
        }))
    }
}

/// The most characters of a study's name.
const LONGEST_STUDY: usize = 64;

/// The type of a trial whose values are picked.
fn trial_schema(space: &SpaceFound) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for dimension in space.dimensions() {
        properties.insert(dimension.name.clone(), schema_of(&dimension));
        if dimension.when.is_none() {
            required.push(dimension.name);
        }
    }
    let params = match space.whole {
        true => json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        }),
        false => json!({ "type": "object" }),
    };
    json!({
        "type": "object",
        "properties": { "trial": { "type": "integer", "minimum": 0 }, "params": params },
        "required": ["trial", "params"],
    })
}
