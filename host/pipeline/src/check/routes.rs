//! Routes: which policy picks, from what, and what it learns from.

use std::collections::BTreeSet;

use jackfield_loader::{Offer, Registry};
use jackfield_plugin_api::{Arm, Kind, Learns, Picks};
use serde_json::{Map, Value};

use super::{
    checker::Checker,
    extensions::{extension_ref, policies},
    found::{CheckedConfig, RouteFound},
};
use crate::{
    diagnostics::{Fault, Span},
    draft::{Expr, RouteDraft, WireRef},
    plan::{ArmPlan, ObjectivePlan, RoutePlan, Wire},
    step::Step,
    syntax::{Key, Node, Table, Value as Toml},
};

/// The most arms that a space has.
const MOST: usize = 256;

impl<'a> Checker<'a> {
    /// Checks the routes of all stages.
    pub(crate) fn routes(&mut self, registry: &'a Registry) {
        let draft = self.draft;
        let mut states = BTreeSet::new();
        for (index, stage) in draft.stages.iter().enumerate() {
            let Some(route) = &stage.route else {
                self.routes.push(None);
                continue;
            };
            let found = self.look_up(registry, &[Kind::RoutingPolicy], route.uses.as_ref());
            let uses = route.uses.as_ref().map_or(route.span, |uses| uses.span);
            let offer = found.map(|(_, offer)| offer);
            let config = self.with_table(route.with.as_ref(), offer, route.span, uses);
            let objectives = self.objectives(route);
            if let Some(offer) = offer.filter(|offer| Picks::from_descriptor(&offer.descriptor) == Picks::Values) {
                let message = format!(
                    "`{}` picks values of a space that a pipeline searches, and a route picks one of its arms",
                    offer.descriptor.name
                );
                self.faults.push(Fault::at("bad-route", uses, message).hint(policies(registry, Picks::Arms)));
            } else if let Some(offer) = offer {
                self.learns(&stage.name.text, route, offer, &objectives);
            }
            if let Some(state) = &route.state {
                let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
                if state.value.is_empty() || !state.value.chars().all(word) {
                    let message = format!("`{}` cannot be the name of what a route learns", state.value);
                    let fault = Fault::at("bad-value", state.span, message);
                    self.faults.push(fault.hint("lower-case letters, digits, `-` and `_`".to_owned()));
                } else if !states.insert(state.value.as_str()) {
                    let message = format!("two routes keep what they learn as `{}`", state.value);
                    self.faults.push(Fault::at("duplicate-name", state.span, message));
                }
            }
            let arms = self.arms(index, route);
            self.routes.push(Some(RouteFound { found, config, arms, objectives }));
        }
    }

    /// What the policy learns from has to be there.
    fn learns(&mut self, stage: &str, route: &RouteDraft, offer: &Offer, objectives: &[(String, WireRef, bool)]) {
        let policy = &offer.descriptor.name;
        let missing = |what: &str, hint: &str| {
            let message = format!("`{policy}` learns from {what}, and the route of stage `{stage}` has none");
            Fault::at("missing-key", route.span, message).hint(hint.to_owned())
        };
        let fault = match Learns::from_descriptor(&offer.descriptor) {
            Some(Learns::Reward) if route.reward.is_none() => {
                missing("a reward", "add `reward = \"...\"`, a wire to a number")
            }
            Some(Learns::Objectives) if objectives.is_empty() => {
                missing("objectives", "add `maximize = [\"...\"]` or `minimize = [\"...\"]`, wires to numbers")
            }
            _ => return,
        };
        self.faults.push(fault);
    }

    /// The arms, each with the configuration that the stage has with it.
    fn arms(&mut self, index: usize, route: &RouteDraft) -> Vec<ArmPlan> {
        let stage = &self.draft.stages[index];
        let at = |message: String| Fault::at("bad-route", route.span, message);
        let mut arms = match (route.arms.as_slice(), &route.space, route.models.as_slice()) {
            ([], None, []) => {
                let fault = at(format!("the route of stage `{}` has nothing to pick from", stage.name.text));
                let mend =
                    "add `arms = [{ ... }, { ... }]`, `space = { key = [...] }` or `models = [\"...\", \"...\"]`";
                self.faults.push(fault.hint(mend.to_owned()));
                return Vec::new();
            }
            (overlays, None, []) => self.overlays(index, overlays),
            ([], Some(space), []) => match self.grid(space) {
                Some(points) => self.overlays(index, &points),
                None => return Vec::new(),
            },
            ([], None, _) => self.models(index, route),
            _ => {
                self.faults.push(at("a route has either `arms`, `space` or `models`".to_owned()));
                return Vec::new();
            }
        };
        let mut names = BTreeSet::new();
        arms.retain(|(arm, span)| {
            let is_new = names.insert(arm.arm.name.clone());
            if !is_new {
                let message = format!("there are two arms `{}`", arm.arm.name);
                self.faults.push(Fault::at("duplicate-name", *span, message));
            }
            is_new
        });
        if let Some((first, _)) = arms.first() {
            self.configs[index] = CheckedConfig { value: first.config.clone(), paths: first.paths.clone() };
        }
        arms.into_iter().map(|(arm, _)| arm).collect()
    }

    /// Every combination of a space's values, the last key's changing fastest; none if it is no space, which is a fault.
    fn grid(&mut self, space: &Node) -> Option<Vec<Node>> {
        if space.as_table().is_none_or(|table| table.0.is_empty()) {
            let fault = Fault::at("bad-route", space.span, "the space has no key to vary");
            self.faults.push(fault.hint("such as `space = { alpha = [0.2, 0.5, 0.8] }`".to_owned()));
            return None;
        }
        let mut points = vec![Table::default()];
        for (key, values) in space.as_table().into_iter().flat_map(|table| &table.0) {
            let list = match &values.value {
                Toml::List(list) if !list.is_empty() => list,
                _ => {
                    let message = format!("`{}` has no list of values to pick from", key.text);
                    let fault = Fault::at("bad-route", values.span, message);
                    self.faults.push(fault.hint(format!("such as `{} = [0.2, 0.5, 0.8]`", key.text)));
                    return None;
                }
            };
            let with = |point: &Table, value: &Node| {
                let mut point = point.clone();
                point.put(key.clone(), value.clone());
                point
            };
            points = points
                .iter()
                .flat_map(|point| list.iter().map(move |value| with(point, value)))
                .take(MOST + 1)
                .collect();
        }
        if points.len() > MOST {
            let fault = Fault::at("bad-route", space.span, format!("the space has more than {MOST} combinations"));
            self.faults.push(fault.hint("a policy tries each of them: leave some values out".to_owned()));
            return None;
        }
        Some(points.into_iter().map(|point| Node { span: space.span, value: Toml::Table(point) }).collect())
    }

    fn overlays(&mut self, index: usize, overlays: &[Node]) -> Vec<(ArmPlan, Span)> {
        let stage = &self.draft.stages[index];
        let uses = stage.uses.as_ref().map_or(stage.name.span, |uses| uses.span);
        let offer = self.offers[index].map(|(_, offer)| offer);
        let model = self.uses(stage).model;
        let mut arms = Vec::new();
        for overlay in overlays {
            let with = overlay.to_json(&mut self.faults);
            let mut merged = match &stage.with {
                Some(with) => with.clone(),
                None => (overlay.span, Node { span: overlay.span, value: Toml::Table(Default::default()) }),
            };
            if let (Toml::Table(into), Some(from)) = (&mut merged.1.value, overlay.as_table()) {
                from.0.iter().for_each(|(key, node)| into.put(key.clone(), node.clone()));
            }
            let before = self.faults.len();
            let config = self.with_table(Some(&merged), offer, stage.name.span, uses);
            // What is wrong with the stage's own part is wrong with every arm.
            let added = self.faults.split_off(before);
            for fault in added {
                if !self.faults.iter().any(|known| known.place == fault.place && known.message == fault.message) {
                    self.faults.push(fault);
                }
            }
            let name = name_of(&with);
            arms.push((
                ArmPlan { arm: Arm { name, with }, config: config.value, paths: config.paths, model },
                overlay.span,
            ));
        }
        arms
    }

    fn models(&mut self, index: usize, route: &RouteDraft) -> Vec<(ArmPlan, Span)> {
        let draft = self.draft;
        let stage = &draft.stages[index];
        if let Some(model) = &stage.model {
            let message = format!("stage `{}` has a model, and a route that picks one", stage.name.text);
            let fault = Fault::at("bad-route", model.span, message);
            self.faults.push(fault.hint("leave `model` out, or name it among `models`".to_owned()));
        }
        let mut arms = Vec::new();
        for name in &route.models {
            self.named("model", name, draft.models.iter().map(|model| model.name.text.as_str()));
            let model = draft.models.iter().position(|model| model.name.text == name.value);
            let mut with = Map::new();
            with.insert("model".to_owned(), Value::from(name.value.as_str()));
            let arm = Arm { name: name.value.clone(), with: Value::Object(with) };
            let CheckedConfig { value: config, paths } = self.configs[index].clone();
            arms.push((ArmPlan { arm, config, paths, model }, name.span));
        }
        arms
    }

    /// The objectives by name: the last field of each wire, or the key that it has in a table.
    fn objectives(&mut self, route: &RouteDraft) -> Vec<(String, WireRef, bool)> {
        let mut found: Vec<(String, WireRef, bool)> = Vec::new();
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
                        self.faults.push(Fault::at("bad-route", *span, "an objective is a wire to a number"));
                        continue;
                    }
                    Expr::Bad => continue,
                };
                let (name, span) =
                    key.map_or_else(|| (last_field(wire), wire.span), |key| (key.text.clone(), key.span));
                if found.iter().any(|(known, ..)| *known == name) {
                    let message = format!("there are two objectives `{name}`");
                    let fault = Fault::at("duplicate-name", span, message);
                    self.faults.push(fault.hint("name them: `maximize = { NAME = \"...\" }`".to_owned()));
                } else {
                    found.push((name, wire.clone(), minimize));
                }
            }
        }
        found
    }

    /// Looks up where the wires come from that a route learns from. They are read when the item is done, so nothing
    /// depends on them.
    pub(crate) fn rewards(&mut self) {
        for route in self.draft.stages.iter().filter_map(|stage| stage.route.as_ref()) {
            if let Some(wire) = &route.reward {
                self.looked_up(None, wire);
            }
        }
        let objectives: Vec<WireRef> =
            self.routes.iter().flatten().flat_map(|route| &route.objectives).map(|(_, wire, _)| wire.clone()).collect();
        for wire in &objectives {
            self.looked_up(None, wire);
        }
    }

    /// The route of a stage; the outer option is none where something is missing, which is reported.
    pub(crate) fn lower_route(&self, index: usize, places: &[usize]) -> Option<Option<RoutePlan>> {
        let (Some(route), Some(known)) = (&self.draft.stages[index].route, &self.routes[index]) else {
            return Some(None);
        };
        let wire = |wire: &Option<WireRef>| -> Option<Option<Wire>> {
            match wire {
                Some(wire) => self.lower_wire(None, wire, places).map(Some),
                None => Some(None),
            }
        };
        let objectives = known.objectives.iter().map(|(name, wire, minimize)| {
            let wire = self.lower_wire(None, wire, places)?;
            Some(ObjectivePlan { name: name.clone(), wire, minimize: *minimize })
        });
        let state = route
            .state
            .as_ref()
            .map(|name| self.draft.folder.join(".jackfield/routes").join(&name.value).with_extension("json"));
        Some(Some(RoutePlan {
            extension: extension_ref(known.found?),
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

    /// The stages that run once a run have no item to pick for.
    pub(crate) fn routed_once(&mut self, is_of_item: impl Fn(usize) -> bool) {
        for (index, stage) in self.draft.stages.iter().enumerate() {
            if let Some(route) = stage.route.as_ref().filter(|_| !is_of_item(index)) {
                let message =
                    format!("stage `{}` runs once a run, and a route picks an arm for each item", stage.name.text);
                self.faults.push(Fault::at("bad-route", route.span, message));
            }
        }
    }
}

/// `alpha=0.2`: the name under which what is learned of an arm is kept.
fn name_of(with: &Value) -> String {
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
