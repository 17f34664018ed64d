//! The space of a search: which keys of which stages are searched.

use jackfield_plugin_api::{Dimension, Values};
use serde_json::Value;

use super::domain::{allowed, canonical};
use crate::{
    check::{
        checker::Checker,
        found::{SearchedKey, SpaceFound},
    },
    diagnostics::{Fault, suggest},
    draft::{DimensionDraft, SearchDraft},
    plan::SearchTarget,
    step::Step,
};

impl SpaceFound {
    /// The dimensions, in the order of the study.
    pub(crate) fn dimensions(&self) -> Vec<Dimension> {
        self.keys.iter().map(|key| key.dimension.clone()).collect()
    }

    /// Which key of which stage each dimension is.
    pub(crate) fn targets(&self, places: &[usize]) -> Vec<SearchTarget> {
        let target = |key: &SearchedKey| SearchTarget {
            stage: places[key.stage],
            dimension: key.dimension.name.clone(),
            path: key.path.clone(),
        };
        self.keys.iter().map(target).collect()
    }

    /// What keeps an object from being the values of a trial, if anything does.
    pub(crate) fn refuses(&self, params: &Value) -> Option<String> {
        let mut values = Values::new();
        for key in self.keys.iter().filter(|_| self.whole) {
            let name = &key.dimension.name;
            let given = params.get(name);
            if let Some(value) = given {
                let Some(value) = canonical(&key.dimension, value) else {
                    return Some(format!("`{name}` is never {value}: {}", allowed(&key.dimension)));
                };
                values.insert(name.clone(), value);
            }
            match (key.dimension.applies(&values), given) {
                (true, None) => return Some(format!("it has no value of `{name}`")),
                (false, Some(_)) => return Some(format!("it has a value of `{name}`, whose `when` does not hold")),
                _ => {}
            }
        }
        None
    }
}

impl Checker<'_> {
    /// Checks the space.
    pub(crate) fn space(&mut self, search: &SearchDraft) -> SpaceFound {
        let before = self.faults.len();
        if let Some(at) = search.space_at.filter(|_| search.space.is_empty()) {
            let fault = Fault::at("bad-search", at, "the space has no key to search");
            self.faults.push(fault.hint("such as `\"STAGE.KEY\" = { min = 0.0, max = 1.0 }`".to_owned()));
        }
        let mut keys: Vec<SearchedKey> = Vec::new();
        let mut is_whole = !search.space.is_empty();
        for (index, draft) in search.space.iter().enumerate() {
            let key = self.searched_key(draft).and_then(|(stage, path)| {
                let dimension = self.dimension(draft)?;
                Some(SearchedKey { dimension, stage, path, span: draft.name.span, draft: index })
            });
            let Some(key) = key else {
                is_whole = false;
                continue;
            };
            let inside = |other: &SearchedKey| {
                let shared = other.path.len().min(key.path.len());
                other.stage == key.stage && other.path[..shared] == key.path[..shared]
            };
            if let Some(other) = keys.iter().find(|other| inside(other)) {
                let message = match other.path.len() == key.path.len() {
                    true => format!("`{}` is searched twice", key.dimension.name),
                    false => format!(
                        "`{}` and `{}` are both searched, and one is inside the other",
                        other.dimension.name, key.dimension.name
                    ),
                };
                let fault = Fault::at("duplicate-name", key.span, message).related(other.span, "the other one");
                self.faults.push(fault);
            } else {
                keys.push(key);
            }
        }
        self.conditions(search, &mut keys);
        let keys = self.conditions_first(keys);
        let named = search.space.iter().rev().filter_map(|draft| {
            let name = draft.name.text.as_ref()?;
            Some((self.stage(&name.source)?, draft.name.span))
        });
        let stages = named.collect();
        SpaceFound { keys, stages, whole: is_whole && self.faults.len() == before }
    }

    /// The stage and the key that a name of the space means.
    fn searched_key(&mut self, draft: &DimensionDraft) -> Option<(usize, Vec<String>)> {
        let name = &draft.name;
        let text = name.text.as_ref()?;
        let head = self.head(name);
        let Some(index) = self.stage(&text.source) else {
            let fault =
                if self.draft.models.iter().any(|model| model.name.text == text.source) || text.source == "model" {
                    let message =
                        format!("`{}` is not of a stage: a search varies keys of the `with` of stages alone", name.raw);
                    let hint = "search a key of a stage that calls the model";
                    Fault::at("unknown-stage", head, message).hint(hint.to_owned())
                } else {
                    let hint = suggest::hint_for(&text.source, "known stages", self.names());
                    Fault::at("unknown-stage", head, format!("there is no stage `{}`", text.source)).hint(hint)
                };
            self.faults.push(fault);
            return None;
        };
        let stage = &self.draft.stages[index];
        let bad = |message: String| Fault::at("bad-search", name.span, message);
        if text.path.is_empty() {
            let hint = format!("write `\"{}.KEY\" = ...`, in quotes", name.raw);
            self.faults
                .push(bad(format!("`{}` is a stage, and a search varies keys of its `with`", name.raw)).hint(hint));
            return None;
        }
        let mut path = Vec::new();
        for step in &text.path {
            let Step::Field(key) = step else {
                let message = format!("`{}` is an element of a list, and a search varies keys", name.raw);
                self.faults.push(bad(message).hint("let the list as a whole be one of the choices".to_owned()));
                return None;
            };
            path.push(key.clone());
        }
        if let Some(route) = &stage.route {
            let message =
                format!("stage `{}` has a route, and is searched: its `with` cannot be picked twice", text.source);
            let fault = bad(message).related(route.span, "the route");
            self.faults.push(fault.hint("keep one of them".to_owned()));
            return None;
        }
        if stage.export.is_some() {
            let message =
                format!("stage `{}` runs when an item is exported, and a search varies what trials run", text.source);
            self.faults.push(bad(message).hint("let it read `input.params` instead".to_owned()));
            return None;
        }
        Some((index, path))
    }
}
