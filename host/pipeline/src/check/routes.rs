//! Checks the routes of stages: which policy picks, from which arms, and what it learns from.

use std::collections::BTreeSet;

use jackfield_plugin_api::{Arm, Kind, Learns, Picks};
use serde_json::{Map, Value};

use super::{
    checker::Checker,
    extensions::{extension_ref, policies},
    found::{CheckedConfig, Objective, RouteFound},
    scopes::Scopes,
};
use crate::{
    diagnostics::{Diagnostic, Span},
    parsed::{Expr, ParsedRoute, WireRef},
    plan::{ArmPlan, ObjectivePlan, RoutePlan, Source, Wire},
    step::Step,
    syntax::{Key, Node, Table, Value as Toml},
};
use jackfield_loader::{ExtensionEntry, Registry};

/// The most arms that a space has.
const MOST_ARMS: usize = 256;

impl<'a> Checker<'a> {
    /// Checks the routes of all stages.
    pub(crate) fn check_routes(&mut self, registry: &'a Registry) {
        let parsed = self.parsed;
        let mut states = BTreeSet::new();
        for (index, stage) in parsed.stages.iter().enumerate() {
            let Some(route) = &stage.route else {
                self.routes.push(None);
                continue;
            };
            let found = self.look_up(registry, &[Kind::RoutingPolicy], route.uses.as_ref());
            let uses = route.uses.as_ref().map_or(route.span, |uses| uses.span);
            let entry = found.map(|(_, entry)| entry);
            let config = self.with_table(route.with.as_ref(), entry, route.span, uses);
            let objectives = self.check_objectives(route);
            if let Some(entry) = entry.filter(|entry| Picks::from_descriptor(&entry.descriptor) == Picks::Values) {
                let message = format!(
                    "`{}` picks values of a space that a pipeline searches, and a route picks one of its arms",
                    entry.descriptor.name
                );
                self.diagnostics.push(Diagnostic::at("bad-route", uses, message).hint(policies(registry, Picks::Arms)));
            } else if let Some(entry) = entry {
                self.check_what_is_learned_from(&stage.name.text, route, entry, &objectives);
            }
            if let Some(state) = &route.state {
                let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
                if state.value.is_empty() || !state.value.chars().all(word) {
                    let message = format!("`{}` cannot be the name of what a route learns", state.value);
                    let diagnostic = Diagnostic::at("bad-value", state.span, message);
                    self.diagnostics.push(diagnostic.hint("lower-case letters, digits, `-` and `_`".to_owned()));
                } else if !states.insert(state.value.as_str()) {
                    let message = format!("two routes keep what they learn as `{}`", state.value);
                    self.diagnostics.push(Diagnostic::at("duplicate-name", state.span, message));
                }
            }
            let arms = self.check_arms(index, route);
            self.routes.push(Some(RouteFound { found, config, arms, objectives }));
        }
    }

    /// Reports a route that does not have what its policy learns from.
    fn check_what_is_learned_from(
        &mut self,
        stage: &str,
        route: &ParsedRoute,
        entry: &ExtensionEntry,
        objectives: &[Objective],
    ) {
        let policy = &entry.descriptor.name;
        let missing = |what: &str, hint: &str| {
            let message = format!("`{policy}` learns from {what}, and the route of stage `{stage}` has none");
            Diagnostic::at("missing-key", route.span, message).hint(hint.to_owned())
        };
        let diagnostic = match Learns::from_descriptor(&entry.descriptor) {
            Some(Learns::Reward) if route.reward.is_none() => {
                missing("a reward", "add `reward = \"...\"`, a wire to a number")
            }
            Some(Learns::Objectives) if objectives.is_empty() => {
                missing("objectives", "add `maximize = [\"...\"]` or `minimize = [\"...\"]`, wires to numbers")
            }
            _ => return,
        };
        self.diagnostics.push(diagnostic);
    }

    /// The arms, each with the configuration that the stage has with it.
    fn check_arms(&mut self, index: usize, route: &ParsedRoute) -> Vec<ArmPlan> {
        let stage = &self.parsed.stages[index];
        let at = |message: String| Diagnostic::at("bad-route", route.span, message);
        let mut arms = match (route.arms.as_slice(), &route.space, route.models.as_slice()) {
            ([], None, []) => {
                let diagnostic = at(format!("the route of stage `{}` has nothing to pick from", stage.name.text));
                let usual_hint =
                    "add `arms = [{ ... }, { ... }]`, `space = { key = [...] }` or `models = [\"...\", \"...\"]`";
                self.diagnostics.push(diagnostic.hint(usual_hint.to_owned()));
                return Vec::new();
            }
            (overlays, None, []) => self.arms_of_overlays(index, overlays),
            ([], Some(space), []) => match self.combinations(space) {
                Some(points) => self.arms_of_overlays(index, &points),
                None => return Vec::new(),
            },
            ([], None, _) => self.arms_of_models(index, route),
            _ => {
                self.diagnostics.push(at("a route has either `arms`, `space` or `models`".to_owned()));
                return Vec::new();
            }
        };
        let mut names = BTreeSet::new();
        arms.retain(|(arm, span)| {
            let is_new = names.insert(arm.arm.name.clone());
            if !is_new {
                let message = format!("there are two arms `{}`", arm.arm.name);
                self.diagnostics.push(Diagnostic::at("duplicate-name", *span, message));
            }
            is_new
        });
        if let Some((first, _)) = arms.first() {
            let templates = self.configs[index].templates.take();
            self.configs[index] = CheckedConfig { value: first.config.clone(), paths: first.paths.clone(), templates };
        }
        arms.into_iter().map(|(arm, _)| arm).collect()
    }

    /// Every combination of a space's values, the last key's changing fastest; none if it is not a space, which is reported.
    fn combinations(&mut self, space: &Node) -> Option<Vec<Node>> {
        if space.as_table().is_none_or(|table| table.0.is_empty()) {
            let diagnostic = Diagnostic::at("bad-route", space.span, "the space has no key to vary");
            self.diagnostics.push(diagnostic.hint("such as `space = { alpha = [0.2, 0.5, 0.8] }`".to_owned()));
            return None;
        }
        let mut points = vec![Table::default()];
        for (key, values) in space.as_table().into_iter().flat_map(|table| &table.0) {
            let list = match &values.value {
                Toml::List(list) if !list.is_empty() => list,
                _ => {
                    let message = format!("`{}` has no list of values to pick from", key.text);
                    let diagnostic = Diagnostic::at("bad-route", values.span, message);
                    self.diagnostics.push(diagnostic.hint(format!("such as `{} = [0.2, 0.5, 0.8]`", key.text)));
                    return None;
                }
            };
            let with = |point: &Table, value: &Node| {
                let mut point = point.clone();
                point.insert(key.clone(), value.clone());
                point
            };
            points = points
                .iter()
                .flat_map(|point| list.iter().map(move |value| with(point, value)))
                .take(MOST_ARMS + 1)
                .collect();
        }
        if points.len() > MOST_ARMS {
            let diagnostic =
                Diagnostic::at("bad-route", space.span, format!("the space has more than {MOST_ARMS} combinations"));
            self.diagnostics.push(diagnostic.hint("a policy tries each of them: leave some values out".to_owned()));
            return None;
        }
        Some(points.into_iter().map(|point| Node { span: space.span, value: Toml::Table(point) }).collect())
    }

    fn arms_of_overlays(&mut self, index: usize, overlays: &[Node]) -> Vec<(ArmPlan, Span)> {
        let stage = &self.parsed.stages[index];
        let uses = stage.uses.as_ref().map_or(stage.name.span, |uses| uses.span);
        let entry = self.extensions[index].map(|(_, entry)| entry);
        let model = self.services_of_stage(stage).model;
        let (mut arms, mut templates) = (Vec::new(), Some(Vec::new()));
        for overlay in overlays {
            let with = overlay.to_json(&mut self.diagnostics);
            let mut merged = match &stage.with {
                Some(with) => with.clone(),
                None => (overlay.span, Node { span: overlay.span, value: Toml::Table(Default::default()) }),
            };
            if let (Toml::Table(into), Some(from)) = (&mut merged.1.value, overlay.as_table()) {
                from.0.iter().for_each(|(key, node)| into.insert(key.clone(), node.clone()));
            }
            let before = self.diagnostics.len();
            let config = self.with_table(Some(&merged), entry, stage.name.span, uses);
            // What is wrong with the stage's own part is wrong with every arm.
            let added = self.diagnostics.split_off(before);
            for diagnostic in added {
                if !self
                    .diagnostics
                    .iter()
                    .any(|known| known.span == diagnostic.span && known.message == diagnostic.message)
                {
                    self.diagnostics.push(diagnostic);
                }
            }
            templates = templates.zip(config.templates).map(|(known, added)| [known, added].concat());
            let name = arm_name(&with);
            arms.push((
                ArmPlan { arm: Arm { name, with }, config: config.value, paths: config.paths, model },
                overlay.span,
            ));
        }
        self.configs[index].templates = templates;
        arms
    }

    fn arms_of_models(&mut self, index: usize, route: &ParsedRoute) -> Vec<(ArmPlan, Span)> {
        let parsed = self.parsed;
        let stage = &parsed.stages[index];
        if let Some(model) = &stage.model {
            let message = format!("stage `{}` has a model, and a route that picks one", stage.name.text);
            let diagnostic = Diagnostic::at("bad-route", model.span, message);
            self.diagnostics.push(diagnostic.hint("leave `model` out, or name it among `models`".to_owned()));
        }
        let mut arms = Vec::new();
        for name in &route.models {
            self.check_reference("model", name, parsed.models.iter().map(|model| model.name.text.as_str()));
            let model = parsed.models.iter().position(|model| model.name.text == name.value);
            let mut with = Map::new();
            with.insert("model".to_owned(), Value::from(name.value.as_str()));
            let arm = Arm { name: name.value.clone(), with: Value::Object(with) };
            let CheckedConfig { value: config, paths, .. } = self.configs[index].clone();
            arms.push((ArmPlan { arm, config, paths, model }, name.span));
        }
        arms
    }

    /// The objectives by name: the last field of each wire, or the key that it has in a table.
    fn check_objectives(&mut self, route: &ParsedRoute) -> Vec<Objective> {
        let mut found: Vec<Objective> = Vec::new();
        for (exprs, minimize) in route.objectives.iter().zip([false, true]) {
            let named: Vec<(Option<&Key>, &Expr)> = match exprs {
                Some(Expr::List(list, _)) => list.iter().map(|expr| (None, expr)).collect(),
                Some(Expr::Table(table, _)) => table.iter().map(|(key, expr)| (Some(key), expr)).collect(),
                Some(one) => vec![(None, one)],
                None => Vec::new(),
            };
            for (key, expr) in named {
                let wire = match expr {
                    Expr::Wire(wire) => wire,
                    Expr::List(_, span) | Expr::Table(_, span) => {
                        self.diagnostics.push(Diagnostic::at("bad-route", *span, "an objective is a wire to a number"));
                        continue;
                    }
                    Expr::Constant(_) | Expr::Bad => continue,
                };
                let (name, span) =
                    key.map_or_else(|| (last_field(wire), wire.span), |key| (key.text.clone(), key.span));
                if found.iter().any(|known| known.name == name) {
                    let message = format!("there are two objectives `{name}`");
                    let diagnostic = Diagnostic::at("duplicate-name", span, message);
                    self.diagnostics.push(diagnostic.hint("name them: `maximize = { NAME = \"...\" }`".to_owned()));
                } else {
                    found.push(Objective { name, wire: wire.clone(), minimize });
                }
            }
        }
        found
    }

    /// Looks up where the wires come from that a route learns from. They are read when the item is done, so nothing
    /// depends on them.
    pub(crate) fn look_up_rewards(&mut self) {
        let parsed = self.parsed;
        let item = self.item.clone();
        for route in parsed.stages.iter().filter_map(|stage| stage.route.as_ref()) {
            if let Some(wire) = &route.context {
                // Its source is looked up with those of the stage.
                self.wire_type(None, wire, &item);
            }
            if let Some(wire) = &route.reward {
                self.check_learned_from("a reward", wire, &item);
            }
        }
        let objectives: Vec<WireRef> = self
            .routes
            .iter()
            .flatten()
            .flat_map(|route| &route.objectives)
            .map(|objective| objective.wire.clone())
            .collect();
        for wire in &objectives {
            self.check_learned_from("an objective", wire, &item);
        }
    }

    /// Checks a wire that a route learns from. What a field of an item holds is left to the run, whatever the items have that
    /// somebody looked at: it learns from a text that is a number, as all are in a CSV file, and counts what is none.
    fn check_learned_from(&mut self, what: &str, wire: &WireRef, item: &Value) {
        let Some(source) = self.look_up_source(None, wire) else { return };
        let ty = self.wire_type(None, wire, item);
        let is_field_of_item = source == Source::Input && wire.text.as_ref().is_some_and(|text| !text.path.is_empty());
        if !is_field_of_item {
            self.check_is_number(what, wire, &ty);
        }
    }

    /// The route of a stage; the outer option is none where something is missing, which is reported.
    pub(crate) fn lower_route(&self, index: usize, plan_indices: &[usize]) -> Option<Option<RoutePlan>> {
        let (Some(route), Some(known)) = (&self.parsed.stages[index].route, &self.routes[index]) else {
            return Some(None);
        };
        let wire = |wire: &Option<WireRef>| -> Option<Option<Wire>> {
            match wire {
                Some(wire) => self.lower_wire(None, wire, plan_indices).map(Some),
                None => Some(None),
            }
        };
        let objectives = known.objectives.iter().map(|objective| {
            let wire = self.lower_wire(None, &objective.wire, plan_indices)?;
            Some(ObjectivePlan { name: objective.name.clone(), wire, minimize: objective.minimize })
        });
        let state = route
            .state
            .as_ref()
            .map(|name| self.parsed.folder.join(".jackfield/routes").join(&name.value).with_extension("json"));
        let (plugin, entry) = known.found?;
        Some(Some(RoutePlan {
            extension: extension_ref(plugin, entry),
            config: known.config.value.clone(),
            paths: known.config.paths.clone(),
            arms: known.arms.clone(),
            context: wire(&route.context)?,
            reward: wire(&route.reward)?,
            objectives: objectives.collect::<Option<_>>()?,
            in_flight: u64::from(route.in_flight.max(1)),
            state,
        }))
    }

    /// Reports routes of stages that run once a run, as there is no item to pick an arm for.
    pub(crate) fn check_that_routed_stages_run_per_item(&mut self, scopes: &Scopes) {
        for (index, stage) in self.parsed.stages.iter().enumerate() {
            if let Some(route) = stage.route.as_ref().filter(|_| !scopes.is_per_item(index)) {
                let (name, often) = (&stage.name.text, scopes.often(index));
                let message = format!("stage `{name}` runs {often}, and a route picks an arm for each item");
                self.diagnostics.push(Diagnostic::at("bad-route", route.span, message));
            }
        }
    }
}

/// `alpha=0.2`: the name under which what is learned of an arm is kept.
fn arm_name(with: &Value) -> String {
    let parts = with.as_object().into_iter().flatten().map(|(key, value)| match value {
        Value::String(text) => format!("{key}={text}"),
        value => format!("{key}={value}"),
    });
    parts.collect::<Vec<_>>().join(",")
}

fn last_field(wire: &WireRef) -> String {
    let field = wire.text.as_ref().and_then(|text| {
        text.path.iter().rev().find_map(|step| match step {
            Step::Field(name) => Some(name.clone()),
            _ => None,
        })
    });
    field.unwrap_or_else(|| wire.raw.clone())
}
