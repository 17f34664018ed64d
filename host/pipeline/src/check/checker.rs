//! The state that the passes of the check share.

use std::{cell::OnceCell, collections::HashMap};

use serde_json::Value;

use super::found::{CheckedConfig, RouteFound, SearchFound, Services};
use crate::{
    diagnostics::Diagnostic,
    parsed::{ParsedPipeline, WireRef},
    plan::Source,
    step::Step,
};
use jackfield_loader::{ExtensionEntry, Plugin};

/// A parsed pipeline, and what is known of it so far; lists have an entry for each of its stages.
pub(crate) struct Checker<'a> {
    pub(crate) parsed: &'a ParsedPipeline,
    /// The index of each stage in the parsed pipeline, by name.
    pub(crate) stage_indices: HashMap<&'a str, usize>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) extensions: Vec<Option<(&'a Plugin, &'a ExtensionEntry)>>,
    pub(crate) configs: Vec<CheckedConfig>,
    /// Schemas that wires into stages are checked against, where they are not those of their extensions.
    pub(crate) wire_schemas: &'a [OnceCell<Value>],
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
    pub(crate) fn stage_index(&self, name: &str) -> Option<usize> {
        self.stage_indices.get(name).copied()
    }

    /// The names of all stages.
    pub(crate) fn stage_names(&self) -> impl Iterator<Item = &'a str> {
        self.parsed.stages.iter().map(|stage| stage.name.text.as_str())
    }

    /// What a wire reads of every item: its input, or a stage; none if it is not such a wire, or there is no such stage.
    pub(crate) fn column_source(&self, wire: &WireRef) -> Option<Source> {
        let text = wire.text.as_ref().filter(|text| text.is_over_all())?;
        match text.path.first()? {
            Step::Field(name) if name == "input" => self.parsed.input.as_ref().map(|_| Source::Input),
            Step::Field(name) => {
                let is_run = |stage: &usize| self.parsed.stages[*stage].export.is_none();
                self.stage_index(name).filter(is_run).map(Source::Stage)
            }
            _ => None,
        }
    }

    /// The source of a wire, with the index that a stage has in the parsed pipeline; none if there is no such source, or if the wire
    /// reads all items.
    pub(crate) fn wire_source(&self, stage: Option<usize>, wire: &WireRef) -> Option<Source> {
        let text = wire.text.as_ref()?;
        match text.source.as_str() {
            "input" => Some(Source::Input),
            "each" => stage.and_then(|stage| self.parsed.stages[stage].for_each.as_ref()).map(|_| Source::Each),
            name => match self.stage_index(name) {
                Some(index) => Some(Source::Stage(index)),
                None => (name == "spend" && stage.is_none()).then_some(Source::Spend),
            },
        }
    }
}

impl Checker<'_> {
    pub(crate) fn extension_name(&self, stage: usize) -> String {
        self.extensions[stage].map(|(_, entry)| entry.descriptor.name.clone()).unwrap_or_default()
    }
}
