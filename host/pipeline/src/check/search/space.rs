//! Checks the space of a search: which keys of which stages are searched.

use jackfield_plugin_api::{Dimension, Values};
use serde_json::Value;

use super::domain::{allowed, canonical};
use crate::{
    check::{
        checker::Checker,
        found::{SearchedKey, SpaceFound},
    },
    diagnostics::{Diagnostic, suggest},
    parsed::{ParsedDimension, ParsedSearch},
    plan::SearchTarget,
    step::Step,
};

impl SpaceFound {
    /// The dimensions, in the order of the study.
    pub(crate) fn dimensions(&self) -> Vec<Dimension> {
        self.keys.iter().map(|key| key.dimension.clone()).collect()
    }

    /// Which key of which stage each dimension is.
    pub(crate) fn targets(&self, plan_indices: &[usize]) -> Vec<SearchTarget> {
        let target = |key: &SearchedKey| SearchTarget {
            stage: plan_indices[key.stage],
            dimension: key.dimension.name.clone(),
            path: key.path.clone(),
        };
        self.keys.iter().map(target).collect()
    }

    /// Why an object cannot be the values of a trial; none if it can.
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
    pub(crate) fn check_space(&mut self, search: &ParsedSearch) -> SpaceFound {
        let before = self.diagnostics.len();
        if let Some(at) = search.space_at.filter(|_| search.space.is_empty()) {
            let diagnostic = Diagnostic::at("bad-search", at, "the space has no key to search");
            self.diagnostics.push(diagnostic.hint("such as `\"STAGE.KEY\" = { min = 0.0, max = 1.0 }`".to_owned()));
        }
        let mut keys: Vec<SearchedKey> = Vec::new();
        let mut is_whole = !search.space.is_empty();
        for (index, parsed) in search.space.iter().enumerate() {
            let key = self.searched_key(parsed).and_then(|(stage, path)| {
                let dimension = self.check_dimension(parsed)?;
                Some(SearchedKey { dimension, stage, path, span: parsed.name.span, parsed: index })
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
                let diagnostic =
                    Diagnostic::at("duplicate-name", key.span, message).related(other.span, "the other one");
                self.diagnostics.push(diagnostic);
            } else {
                keys.push(key);
            }
        }
        self.check_conditions(search, &mut keys);
        let keys = self.named_keys_first(keys);
        let named = search.space.iter().rev().filter_map(|parsed| {
            let name = parsed.name.text.as_ref()?;
            Some((self.stage_index(&name.source)?, parsed.name.span))
        });
        let stages = named.collect();
        SpaceFound { keys, stages, whole: is_whole && self.diagnostics.len() == before }
    }

    /// The stage and the key that a name of the space means.
    fn searched_key(&mut self, parsed: &ParsedDimension) -> Option<(usize, Vec<String>)> {
        let name = &parsed.name;
        let text = name.text.as_ref()?;
        let head = self.source_span(name);
        let Some(index) = self.stage_index(&text.source) else {
            let diagnostic =
                if self.parsed.models.iter().any(|model| model.name.text == text.source) || text.source == "model" {
                    let message =
                        format!("`{}` is not of a stage: a search varies keys of the `with` of stages alone", name.raw);
                    let hint = "search a key of a stage that calls the model";
                    Diagnostic::at("unknown-stage", head, message).hint(hint.to_owned())
                } else {
                    let hint = suggest::hint_for(&text.source, "known stages", self.stage_names());
                    Diagnostic::at("unknown-stage", head, format!("there is no stage `{}`", text.source)).hint(hint)
                };
            self.diagnostics.push(diagnostic);
            return None;
        };
        let stage = &self.parsed.stages[index];
        let bad = |message: String| Diagnostic::at("bad-search", name.span, message);
        if text.path.is_empty() {
            let hint = format!("write `\"{}.KEY\" = ...`, in quotes", name.raw);
            self.diagnostics
                .push(bad(format!("`{}` is a stage, and a search varies keys of its `with`", name.raw)).hint(hint));
            return None;
        }
        let mut path = Vec::new();
        for step in &text.path {
            let Step::Field(key) = step else {
                let message = format!("`{}` is an element of a list, and a search varies keys", name.raw);
                self.diagnostics.push(bad(message).hint("let the list as a whole be one of the choices".to_owned()));
                return None;
            };
            path.push(key.clone());
        }
        if let Some(route) = &stage.route {
            let message =
                format!("stage `{}` has a route, and is searched: its `with` cannot be picked twice", text.source);
            let diagnostic = bad(message).related(route.span, "the route");
            self.diagnostics.push(diagnostic.hint("keep one of them".to_owned()));
            return None;
        }
        if stage.export.is_some() {
            let message =
                format!("stage `{}` runs when an item is exported, and a search varies what trials run", text.source);
            self.diagnostics.push(bad(message).hint("let it read `input.params` instead".to_owned()));
            return None;
        }
        Some((index, path))
    }
}
