//! Items are admitted, or passed over: those that are done on the record, and those that cannot be read.

use std::sync::Arc;

use jackfield_loader::escape_untrusted;
use jackfield_pipeline::Scope;
use jackfield_plugin_api::Document;
use jackfield_store::{Answer, ItemDone, ItemRow, ItemState, NewItem, Record, Spend, files_are_whole, named_tensors};

use super::{
    Session,
    trials::{TrialAdmission, trial_document},
};
use crate::{
    columns::input_values,
    error::EngineError,
    index::{CallIdx, StageIdx},
    item::{EarlierAnswers, Item, ItemIdentity, ItemStages},
    observe::Event,
    source::SourceItem,
};

impl Session<'_, '_> {
    /// Admits an item as it was read.
    pub(super) fn admit(&mut self, read: SourceItem) -> Result<(), EngineError> {
        // Also for an item that cannot be read: a name depends on the ids before it, and on nothing else.
        let folder = match self.selected_folders.remove(&read.index) {
            Some(folder) => folder,
            None => self.folder_of(&read.id),
        };
        let before = match self.earlier_record() {
            Some(record) => record.db.item(read.index)?,
            None => None,
        };
        // An item that could not be read then is as good as new, and may have its own id now.
        let before = before.filter(ItemRow::was_read);
        if let (Some(record), Some(row)) = (self.record, &before)
            && row.id != *read.id
        {
            let (was, now) = (row.id.clone(), read.id.to_string());
            return Err(EngineError::ItemsDiffer { place: read.index + 1, was, now, run: record.folder.id() });
        }
        let is_done =
            before.as_ref().and_then(|row| ItemState::from_name(row.state.as_deref()?)).is_some_and(ItemState::is_done);
        // What came of a trial is learned from: without it, the trial is made again, from the results that are there.
        let is_done = is_done && self.trial_is_known(read.index)?;
        let document = match read.document {
            Ok(document) => document,
            // What is done needs its document no more.
            Err(_) if is_done => return self.pass(read.index, &read.id),
            Err(fault) => {
                let digest = before.and_then(|row| row.digest.try_into().ok()).unwrap_or_default();
                self.fail_unreadable(
                    NewItem { index: read.index, id: read.id, digest, values: Vec::new() },
                    fault.message,
                );
                return Ok(());
            }
        };
        let (document, trial) = match self.admit_trial(read.index)? {
            TrialAdmission::NoSearch => (document, None),
            TrialAdmission::Trial(trial) => (trial_document(&trial), Some(trial)),
            TrialAdmission::Failed(fault) => {
                self.fail_unreadable(unread(read.index, read.id), fault);
                return Ok(());
            }
        };
        if let Some(fault) = names_tensors(&document) {
            self.fail_unreadable(unread(read.index, read.id), fault);
            return Ok(());
        }
        let digest =
            if self.scheduler.is_recorded() { self.inputs.digest(&self.plan.input, &document) } else { [0; 32] };
        if let (Some(record), Some(row)) = (self.record, before) {
            if row.digest != digest {
                return Err(EngineError::ItemChanged { item: row.id, run: record.folder.id() });
            }
            if is_done && self.has_its_files(&folder, row.files_sum) {
                return self.pass(read.index, &read.id);
            }
        }
        // Also of an item that is not on the record any more, since its row was damaged.
        let known = match self.earlier_record() {
            Some(record) => record.db.routes_of(read.index)?,
            None => Vec::new(),
        };
        let earlier = self.earlier_answers(read.index as i64)?;
        self.memory.bytes += document.len();
        if self.scheduler.is_recorded() {
            let values = input_values(self.plan, &document);
            self.scheduler.record(Record::Item(NewItem {
                index: read.index,
                id: Arc::clone(&read.id),
                digest,
                values,
            }));
        }
        let stages = ItemStages { plan: self.plan, predecessors: self.predecessors, scope: Scope::Item };
        let identity = ItemIdentity { index: read.index as i64, id: read.id, seed: read.seed };
        let mut item = Item::new(stages, identity, Document::new(document));
        item.earlier = earlier;
        item.trial = trial;
        item.routed = self.scheduler.routed_before(&known);
        if self.shows_spend() {
            item.spend = self.plan.stages.iter().map(|_| Spend::default()).collect();
            let before = self.earlier_record().map(|record| record.db.spend_of_item(&item.id)).transpose()?;
            for (stage, spend) in before.into_iter().flatten() {
                // The record may be older than the plan.
                if let Some(counted) = item.spend.get_mut(StageIdx::from_record(stage)) {
                    *counted = spend;
                }
            }
        }
        item.folder = folder;
        self.scheduler.admit(item);
        Ok(())
    }

    /// Passes over an item that is done on the record.
    fn pass(&mut self, index: u64, id: &Arc<str>) -> Result<(), EngineError> {
        let known = self.record.map(|record| record.db.routes_of(index)).transpose()?.unwrap_or_default();
        self.scheduler.skip_routes(index, known);
        let trial = match self.record.filter(|_| self.plan.search.is_some()) {
            Some(record) => record.db.trial(index)?,
            None => None,
        };
        let outcome = trial.filter(|trial| trial.settled).map(|trial| trial.outcome);
        let state =
            if outcome.as_ref().is_some_and(|outcome| outcome.pruned) { ItemState::Pruned } else { ItemState::Ok };
        self.scheduler.skip_trial(index, outcome);
        self.scheduler.count_passed_item(id, state);
        Ok(())
    }

    /// Whether the files of an item that is done are those that were written. If they are not, they are written again, from
    /// the results that are on the record.
    fn has_its_files(&self, folder: &str, sum: Option<i64>) -> bool {
        let (Some(record), Some(sum), true) = (self.record, sum, self.writes_files()) else { return true };
        let stages = self.plan.stages.iter().map(|stage| format!("{}.json", stage.name));
        let stages = stages.filter(|_| self.plan.output.item_files);
        let names = stages.chain(self.plan.output.files.iter().map(|(name, _)| name.clone())).collect();
        let folder = record.folder.path().join("items").join(folder);
        let whole = files_are_whole(&folder, &names, sum);
        if !whole {
            tracing::warn!("the files in `{}` are not as they were written: they are written again", folder.display());
        }
        whole
    }

    /// What earlier sessions found out about an item, less what is to be tried again.
    pub(super) fn earlier_answers(&self, item: i64) -> Result<EarlierAnswers, EngineError> {
        let Some(record) = self.earlier_record() else { return Ok(EarlierAnswers::new()) };
        let is_repeated = |answer: &Answer| match answer {
            Answer::Ok { .. } => false,
            Answer::Failed { kind, .. } => {
                self.retry_failed
                    || ["unavailable", "rate-limited", "cancelled", "over-budget", "timed-out"].contains(&kind.as_str())
            }
            // Whether it is off is decided again, from what is on record.
            Answer::Skipped { .. } | Answer::Off { .. } => true,
        };
        let rows = record.db.results(item)?.into_iter().filter(|row| !is_repeated(&row.answer));
        Ok(rows.map(|row| ((StageIdx::from_record(row.stage), CallIdx(row.call)), row.answer)).collect())
    }

    /// An item cannot be read: it fails, and is neither routed nor searched.
    fn fail_unreadable(&mut self, item: NewItem, fault: String) {
        let (index, id) = (item.index, Arc::clone(&item.id));
        if self.keeps_values() {
            self.kept_values.keep_unreadable(self.plan, index, &id);
        }
        self.scheduler.emit(&Event::Unreadable { item: &id, fault: &fault });
        self.scheduler.record(Record::Item(item));
        let done = ItemDone { index, state: ItemState::Failed, stopped_by: None, fault: Some(fault), files: None };
        self.scheduler.record(Record::Done(done));
        self.scheduler.skip_routes(index, Vec::new());
        self.scheduler.skip_trial(index, None);
        self.scheduler.count_item(&id, ItemState::Failed, None);
    }
}

/// An item whose document is not one of the run.
fn unread(index: u64, id: Arc<str>) -> NewItem {
    NewItem { index, id, digest: [0; 32], values: Vec::new() }
}

/// Why an item that names tensors is not admitted: those of a run are made in it.
fn names_tensors(document: &str) -> Option<String> {
    match named_tensors(document) {
        Ok(named) if named.is_empty() => None,
        Ok(_) => Some(
            "it names a tensor (`$tensor`), but what an item names is not in this run: let a stage read the numbers and \
             keep them"
                .to_owned(),
        ),
        // What is not valid JSON is reported by the stage that reads it.
        Err(_) if serde_json::from_str::<serde::de::IgnoredAny>(document).is_err() => None,
        Err(wrong) => Some(escape_untrusted(&wrong).into_owned()),
    }
}
