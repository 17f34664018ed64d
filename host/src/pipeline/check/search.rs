//! The search: which policy picks values, of which keys, and what it learns from.

use std::collections::BTreeSet;

use jackfield_plugin_api::{Goal, Kind, Picks, Study, Values};
use serde_json::{Map, Value, json};

use super::{CheckedConfig, Checker, search_space::SpaceFound, services::extension_ref};
use crate::{
    pipeline::{
        draft::{Expr, ItemSource, WireRef},
        faults::Fault,
        plan::{ObjectivePlan, Source},
        schema::{Fit, Type, View},
        search_draft::SearchDraft,
        search_plan::{SearchPlan, StudyPlace},
        suggest,
        tree::Key,
    },
    plugin::{Offer, Plugin, Registry},
};

/// What is known of the search.
pub(super) struct SearchFound<'a> {
    found: Option<(&'a Plugin, &'a Offer)>,
    config: CheckedConfig,
    space: SpaceFound,
    objectives: Vec<(String, WireRef, bool)>,
    reports: Vec<WireRef>,
    points: Vec<Values>,
    /// Configurations that stages have with some of the values, each with its stage.
    tried: Vec<(usize, Value)>,
}

impl<'a> SearchFound<'a> {
    /// The extension of the policy.
    pub(super) fn policy(&self) -> Option<(&'a Plugin, &'a Offer)> {
        self.found
    }

    /// Configurations that a stage has with some of the values.
    pub(super) fn configs_of(&self, stage: usize) -> impl Iterator<Item = &Value> {
        self.tried.iter().filter(move |(of, _)| *of == stage).map(|(_, config)| config)
    }

    /// The space.
    pub(super) fn space(&self) -> &SpaceFound {
        &self.space
    }
}

impl<'a> Checker<'a> {
    /// Checks the search, all but its wires.
    pub(super) fn search(&mut self, registry: &'a Registry) {
        let Some(search) = &self.draft.search else { return };
        self.makes_trials(search);
        let found = self.look_up(registry, &[Kind::RoutingPolicy], search.uses.as_ref());
        let uses = search.uses.as_ref().map_or(search.span, |uses| uses.span);
        let offer = found.map(|(_, offer)| offer);
        let config = self.with_table(search.with.as_ref(), offer, search.span, uses);
        if let Some(offer) = offer.filter(|offer| Picks::from_descriptor(&offer.descriptor) == Picks::Arms) {
            let message = format!(
                "`{}` picks one of the arms of a stage's route, and a search picks values of a space",
                offer.descriptor.name
            );
            self.faults.push(Fault::at("bad-search", uses, message).hint(policies(registry, Picks::Values)));
        }
        let space = self.space(search);
        let objectives = self.searched_for(search);
        let reports = self.reports(search, objectives.len());
        let points = self.points(search, &space);
        self.study_name(search);
        self.costs(search);
        if matches!(self.draft.input.as_ref().and_then(|input| input.source.as_ref()), Some(ItemSource::Trials { .. }))
        {
            self.item = item_of(&space);
        }
        let tried = self.search_overlays(search, &space);
        self.search = Some(SearchFound { found, config, space, objectives, reports, points, tried });
    }

    /// A search makes its items itself.
    fn makes_trials(&mut self, search: &SearchDraft) {
        let hint = "`[input]` with `use = \"trials\"` and `count = ...`, the number of trials";
        match self.draft.input.as_ref().map(|input| input.source.as_ref()) {
            // An input that cannot be read is reported.
            Some(None | Some(ItemSource::Trials { .. })) => {}
            Some(Some(_)) => {
                let message = "a search makes trials, and the items of this pipeline are others";
                self.faults.push(Fault::at("bad-search", search.span, message).hint(format!("it needs {hint}")));
            }
            None => {
                let message = "a search makes trials, and the pipeline has no `[input]`";
                self.faults.push(Fault::at("bad-search", search.span, message).hint(format!("add {hint}")));
            }
        }
    }

    /// The objectives by name, in the order of the text: the wire as it is written, or the key that it has in a table.
    fn searched_for(&mut self, search: &SearchDraft) -> Vec<(String, WireRef, bool)> {
        let before = self.faults.len();
        let mut found: Vec<(String, WireRef, bool)> = Vec::new();
        for (exprs, minimize) in &search.objectives {
            let named: Vec<(Option<&Key>, &Expr)> = match exprs {
                Expr::List(list, _) => list.iter().map(|expr| (None, expr)).collect(),
                Expr::Table(table, _) => table.iter().map(|(key, expr)| (Some(key), expr)).collect(),
                one => vec![(None, one)],
            };
            for (key, expr) in named {
                let wire = match expr {
                    Expr::Wire(wire) => wire,
                    Expr::List(_, span) | Expr::Table(_, span) => {
                        self.faults.push(Fault::at("bad-search", *span, "an objective is a wire to a number"));
                        continue;
                    }
                    Expr::Bad => continue,
                };
                let (name, span) =
                    key.map_or_else(|| (wire.raw.clone(), wire.span), |key| (key.text.clone(), key.span));
                if found.iter().any(|(known, ..)| *known == name) {
                    let message = format!("there are two objectives `{name}`");
                    let fault = Fault::at("duplicate-name", span, message);
                    self.faults.push(fault.hint("name each once: `minimize = { NAME = \"...\" }`".to_owned()));
                } else {
                    found.push((name, wire.clone(), *minimize));
                }
            }
        }
        let malformed = search.objectives.iter().any(|(expr, _)| matches!(expr, Expr::Bad));
        if found.is_empty() && self.faults.len() == before && !malformed {
            let fault =
                Fault::at("missing-key", search.span, "the search has no objective: nothing to make less or more");
            let hint = "add `minimize = [\"...\"]` or `maximize = [\"...\"]`, wires to numbers";
            self.faults.push(fault.hint(hint.to_owned()));
        }
        found
    }

    /// The wires that a trial reports.
    fn reports(&mut self, search: &SearchDraft, objectives: usize) -> Vec<WireRef> {
        let Some((span, expr)) = &search.report else { return Vec::new() };
        let list = match expr {
            Expr::List(list, _) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut reports: Vec<WireRef> = Vec::new();
        for expr in list {
            match expr {
                Expr::Wire(wire) if reports.iter().any(|known| known.raw == wire.raw) => {
                    let message = format!("`{}` is reported twice", wire.raw);
                    self.faults.push(Fault::at("duplicate-name", wire.span, message));
                }
                Expr::Wire(wire) => reports.push(wire.clone()),
                Expr::List(_, span) | Expr::Table(_, span) => {
                    let fault = Fault::at("bad-search", *span, "a trial reports numbers: each is a wire");
                    self.faults.push(fault.hint("such as `report = [\"short.rate\", \"full.rate\"]`".to_owned()));
                }
                Expr::Bad => {}
            }
        }
        if objectives > 1 && !reports.is_empty() {
            let message = format!("a trial is stopped by what it reports of one objective, and there are {objectives}");
            let hint = "leave `report` out, or name one objective";
            self.faults.push(Fault::at("bad-search", *span, message).hint(hint.to_owned()));
        }
        reports
    }

    /// The name of the study becomes that of a file.
    fn study_name(&mut self, search: &SearchDraft) {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let Some(study) = &search.study else { return };
        // An empty one is reported.
        if study.value.is_empty() || (study.value.len() <= LONGEST_STUDY && study.value.chars().all(word)) {
            return;
        }
        let message = format!("`{}` cannot be the name of a study", study.value.escape_debug());
        let hint = format!("lower-case letters, digits, `-` and `_`, at most {LONGEST_STUDY}");
        self.faults.push(Fault::at("bad-value", study.span, message).hint(hint));
    }

    /// Where nothing has a price, a stop by cost never comes.
    fn costs(&mut self, search: &SearchDraft) {
        let Some(at) = search.cost_at else { return };
        if self.draft.models.iter().all(|model| model.price.is_none()) {
            let message = "the search stops by what it cost, and no model of the pipeline has a price";
            let hint = "add `price = { input = ..., output = ... }` to a model, in dollars for a million tokens";
            self.faults.push(Fault::at("bad-search", at, message).hint(hint.to_owned()));
        }
    }

    /// Looks up where the wires come from that a search learns from, and holds them to be numbers that can differ from trial
    /// to trial. They are read when the trial is done, so nothing depends on them.
    pub(super) fn search_wires(&mut self, order: Option<&[usize]>, is_of_item: impl Fn(usize) -> bool) {
        let Some(found) = &self.search else { return };
        let objectives = found.objectives.iter().map(|(_, wire, _)| ("an objective", wire.clone()));
        let reports: Vec<WireRef> = found.reports.clone();
        let wires: Vec<_> =
            objectives.chain(reports.iter().map(|wire| ("what a trial reports", wire.clone()))).collect();
        // What is not searched as it should be would be the same for every trial.
        let is_whole = found.space.whole;
        let item = self.item.clone();
        let mut seen = BTreeSet::new();
        for (what, wire) in &wires {
            // An objective may be reported too.
            let is_new = seen.insert(wire.span);
            let (Some(source), true) = (self.looked_up(None, wire), is_new) else { continue };
            let ty = self.wire(None, wire, &item);
            self.is_number(what, wire, &ty);
            match source {
                Source::Stage(index) if is_whole && !is_of_item(index) => {
                    let name = &self.draft.stages[index].name.text;
                    let message = format!("`{}` is the same for every trial: stage `{name}` runs once a run", wire.raw);
                    let hint = "name a number of a stage that is searched, or that reads one";
                    self.faults.push(Fault::at("bad-search", wire.span, message).hint(hint.to_owned()));
                }
                Source::Input if *what != "an objective" => {
                    let message = format!("`{}` is known before the trial begins, and is not reported", wire.raw);
                    let hint = "name a number of a stage";
                    self.faults.push(Fault::at("bad-search", wire.span, message).hint(hint.to_owned()));
                }
                _ => {}
            }
        }
        let Some(order) = order else { return };
        let place = |wire: &WireRef| match self.source(None, wire) {
            Some(Source::Stage(index)) => order.iter().position(|stage| *stage == index),
            _ => None,
        };
        let places: Vec<_> = reports.iter().map(|wire| (place(wire), wire)).collect();
        for pair in places.windows(2) {
            let [(Some(before), first), (Some(after), second)] = pair else { continue };
            if before > after {
                let message = format!("`{}` is there before `{}` is", second.raw, first.raw);
                let hint = "name what a trial reports in the order of the stages";
                self.faults.push(Fault::at("bad-search", second.span, message).hint(hint.to_owned()));
            }
        }
    }

    fn is_number(&mut self, what: &str, wire: &WireRef, ty: &Type<'_>) {
        let number = json!({ "type": "number" });
        if let Fit::Clash(_) = View::new(&number).accepts(ty) {
            let inner: Vec<String> = ty
                .fields()
                .into_iter()
                .filter(|(_, ty)| matches!(View::new(&number).accepts(ty), Fit::Fits))
                .map(|(name, _)| format!("{}.{name}", wire.raw))
                .collect();
            let hint = (!inner.is_empty())
                .then(|| format!("numbers in it: {}", suggest::list(inner.iter().map(String::as_str))));
            let message = format!("{what} is a number, and `{}` is not one", wire.raw);
            let fault = Fault::at("type-clash", wire.span, message).label(format!("it is `{ty}`"));
            self.faults.push(fault.hint(hint));
        }
    }

    /// The plan of the search; the outer option is none where something is missing, which is reported.
    pub(super) fn lower_search(&self, places: &[usize]) -> Option<Option<SearchPlan>> {
        let (Some(search), Some(found)) = (&self.draft.search, &self.search) else { return Some(None) };
        let objectives = found.objectives.iter().map(|(name, wire, minimize)| {
            let wire = self.lower_wire(None, wire, places)?;
            Some(ObjectivePlan { name: name.clone(), wire, minimize: *minimize })
        });
        let objectives: Vec<ObjectivePlan> = objectives.collect::<Option<_>>()?;
        let reports: Vec<_> =
            found.reports.iter().map(|wire| self.lower_wire(None, wire, places)).collect::<Option<_>>()?;
        let goals = objectives.iter().map(|one| Goal { name: one.name.clone(), minimize: one.minimize }).collect();
        let keep = search.study.as_ref().map(|name| StudyPlace {
            name: name.value.clone(),
            path: self.draft.folder.join(".jackfield/studies").join(&name.value).with_extension("json"),
        });
        Some(Some(SearchPlan {
            extension: extension_ref(found.found?),
            config: found.config.value.clone(),
            paths: found.config.paths.clone(),
            study: Study { space: found.space.dimensions(), goals, reports: u32::try_from(reports.len()).ok()? },
            objectives,
            reports,
            points: found.points.clone(),
            in_flight: search.in_flight,
            stop: search.stop,
            keep,
            targets: found.space.targets(places),
        }))
    }
}

/// The most characters of a study's name.
const LONGEST_STUDY: usize = 64;

/// Where to find a policy of the other sort.
pub(super) fn policies(registry: &Registry, picks: Picks) -> Option<String> {
    let names: BTreeSet<&str> = registry
        .offers(Kind::RoutingPolicy)
        .filter(|(_, offer)| Picks::from_descriptor(&offer.descriptor) == picks)
        .map(|(_, offer)| offer.descriptor.name.as_str())
        .collect();
    let what = if picks == Picks::Values { "values" } else { "arms" };
    (!names.is_empty()).then(|| format!("policies that pick {what}: {}", suggest::list(names)))
}

/// The type of a trial whose values are picked.
fn item_of(space: &SpaceFound) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for dimension in space.dimensions() {
        properties.insert(dimension.name.clone(), super::search_space::schema_of(&dimension));
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
