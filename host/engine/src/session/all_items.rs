//! Stages over all items: they run once, after the last item, over the items that are done.

use std::collections::BTreeMap;

use jackfield_loader::escape_untrusted;
use jackfield_pipeline::{Scope, Source};
use jackfield_plugin_api::Document;
use jackfield_store::{AllItems, OVER_ALL, RequirementOutcome, StoreError};
use serde_json::{Value, json};

use super::{Session, SessionEnd};
use crate::{
    columns::Columns,
    error::EngineError,
    index::StageIdx,
    input::{NoInput, SourceValue, value_of},
    item::{Item, ItemIdentity, ItemStages, StageState},
    scheduler::Polled,
    source::ItemChunk,
};

/// The longest answer that is part of the summary of a run.
const MOST_SHOWN_BYTES: usize = 16 << 10;

impl Session<'_, '_> {
    /// Runs the stages over all items, if there are any: over those that are done. Of a run that stops, only those that ask no model:
    /// the others are left to the session that goes on with it.
    pub(super) fn run_over_all_items(&mut self, end: SessionEnd) -> Result<(), EngineError> {
        if !self.plan.stages.iter().any(|stage| stage.scope == Scope::All) || self.scheduler.cancel().aborted() {
            return Ok(());
        }
        let columns = match self.record {
            Some(record) => {
                // The record is read here: what was handed over has to be on it.
                self.scheduler.flush()?;
                record.ledger.wait().map_err(|_| StoreError::WriterGone)?;
                record.forget_results_over_all()?;
                Columns::of_record(&record.db, self.plan)?
            }
            None => std::mem::take(&mut self.kept_values).into_columns(self.plan),
        };
        self.record_event(json!({ "event": "all-items", "over": columns.items }));
        let stages = ItemStages { plan: self.plan, predecessors: self.predecessors, scope: Scope::All };
        let mut item = Item::new(stages, ItemIdentity::all_items(), Document::new("{}"));
        item.columns = columns.documents;
        if end == SessionEnd::Stopped {
            self.scheduler.begin_last_stages();
            item.left_out = self.plan.stages.iter().map(|stage| stage.model.is_some()).collect();
        }
        self.scheduler.admit(item);
        loop {
            let finished = self.scheduler.take_finished();
            // Of a run that stops, an item may end now whose last call was under way: it is left to a later session.
            if let Some(mut item) = finished.into_iter().find(|item| item.index == OVER_ALL) {
                item.columns = Vec::new();
                self.over_all = Some((item, columns.items));
                return Ok(());
            }
            if let Polled::Aborted | Polled::Idle = self.scheduler.poll_once::<ItemChunk>(None)? {
                return Ok(());
            }
        }
    }

    /// What the stages over all items made of them; none if there are none, or if they were not run.
    pub(crate) fn all_items(&self) -> Option<AllItems> {
        let (item, over) = self.over_all.as_ref()?;
        // Of a run that came to its end, all items are there that it was asked for.
        let of = self.known_items.filter(|_| item.left_out.iter().next().is_some());
        let mut all = AllItems { over: *over, of, results: BTreeMap::new(), without: BTreeMap::new() };
        for (index, state) in item.stages.enumerate() {
            let stage = &self.plan.stages[index.get()];
            let why = match state {
                StageState::OtherScope => continue,
                StageState::Done { document, .. } if document.json.len() > MOST_SHOWN_BYTES => continue,
                StageState::Done { document, .. } => {
                    let value = serde_json::from_str(&document.json).unwrap_or(Value::Null);
                    all.results.insert(stage.name.clone(), value);
                    continue;
                }
                StageState::Off => "it is off",
                StageState::Skipped if item.left_out.iter().any(|left_out| *left_out) => {
                    "the run stopped before its end"
                }
                StageState::Skipped => "what it reads has no result",
                _ => "it failed",
            };
            all.without.insert(stage.name.clone(), why.to_owned());
        }
        Some(all)
    }

    /// Whether some stage over all items has no result, or one that is not whole.
    pub(crate) fn all_items_flawed(&self) -> bool {
        self.over_all.as_ref().is_some_and(|(item, _)| item.stages.iter().any(StageState::is_flawed))
    }

    /// Whether the run meets what is required of it.
    pub(crate) fn requirements(&self) -> Vec<RequirementOutcome> {
        let requirements = self.plan.requirements.iter().map(|requirement| {
            let (value, why) = match self.value_of_run(requirement.wire.source) {
                SourceValue::Present(document) => {
                    match value_of(&requirement.wire, &|_| SourceValue::Present(document)) {
                        Ok(value) => (serde_json::from_str(&value.json).ok(), None),
                        Err(NoInput::NotFound(what)) => (None, Some(escape_untrusted(&what).into_owned())),
                        Err(_) => (None, Some("there is no value".to_owned())),
                    }
                }
                SourceValue::Off => (None, Some("its stage is off".to_owned())),
                SourceValue::Absent => (None, Some("its stage has no result".to_owned())),
            };
            let holds = value.as_ref().map(|value: &Value| requirement.condition.holds(value));
            let why = why.or_else(|| Some(format!("it is {}", holds?.err()?)));
            // A long value is looked up in its file.
            let (value, why) = match value.filter(|value| value.to_string().len() <= 200) {
                None if holds.is_some() => {
                    (None, Some("it is another value, which is too long to be shown".to_owned()))
                }
                value => (value, why),
            };
            RequirementOutcome {
                wire: self.plan.wire_text(&requirement.wire),
                required: requirement.condition.words(),
                value,
                met: holds == Some(Ok(true)),
                why,
            }
        });
        requirements.collect()
    }

    /// What a stage gave that runs over all items, or once a run.
    fn value_of_run(&self, source: Source) -> SourceValue<'_> {
        let run = self.scheduler.run_stages();
        match &self.over_all {
            Some((item, _)) => item.source_value(run, None, source),
            None => match source {
                Source::Stage(stage) => run.get(StageIdx::new(stage)).map_or(SourceValue::Absent, StageState::value),
                _ => SourceValue::Absent,
            },
        }
    }

    /// Puts the values of stages over all items at the ends of the wires that are asked for and lead there.
    pub(crate) fn add_values_over_all(&mut self) {
        let is_over_all =
            |source| matches!(source, Source::Stage(stage) if self.plan.stages[stage].scope == Scope::All);
        let Some((item, _)) = &self.over_all else { return };
        let over_all = self.values_of(item);
        for ((value, wire), over_all) in self.values.iter_mut().zip(self.wires).zip(over_all) {
            if is_over_all(wire.source) {
                *value = over_all;
            }
        }
    }
}
