//! The state that the passes of the check share.

use std::collections::HashMap;

use jackfield_loader::{Offer, Plugin};
use serde_json::Value;

use super::found::{CheckedConfig, RouteFound, SearchFound, Services};
use crate::{
    diagnostics::Fault,
    draft::{Draft, WireRef},
    plan::Source,
};

/// A draft, and what is known of it so far; lists are parallel to its stages.
pub(crate) struct Checker<'a> {
    pub(crate) draft: &'a Draft,
    /// Where each stage stands among those of the draft.
    pub(crate) places: HashMap<&'a str, usize>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) offers: Vec<Option<(&'a Plugin, &'a Offer)>>,
    pub(crate) configs: Vec<CheckedConfig>,
    /// Schema of an item.
    pub(crate) item: Value,
    /// Models and caches.
    pub(crate) services: Services<'a>,
    /// What is known of routes.
    pub(crate) routes: Vec<Option<RouteFound<'a>>>,
    /// What is known of the search.
    pub(crate) search: Option<SearchFound<'a>>,
}

impl<'a> Checker<'a> {
    /// The stage of this name.
    pub(crate) fn stage(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The names of all stages.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.draft.stages.iter().map(|stage| stage.name.text.as_str())
    }

    /// Where a wire comes from, by the order of the draft; none if it cannot be told.
    pub(crate) fn source(&self, stage: Option<usize>, wire: &WireRef) -> Option<Source> {
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

impl Checker<'_> {
    pub(crate) fn extension(&self, stage: usize) -> String {
        self.offers[stage].map(|(_, offer)| offer.descriptor.name.clone()).unwrap_or_default()
    }
}
