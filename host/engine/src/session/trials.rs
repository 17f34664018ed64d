//! Trials are admitted: in order, each with its values, and until there is a reason to stop.

use std::sync::Arc;

use jackfield_plugin_api::Outcome;
use jackfield_store::{Record, SearchNote, StoreError, TrialRecord};
use serde_json::json;

use super::Session;
use crate::{
    error::EngineError,
    observe::Event,
    search::{Trial, TrialDecision},
    trial_limits::DecidedTrial,
};

/// What becomes of the next trial.
pub(super) enum NextTrial {
    /// It is admitted; so is any item where nothing is searched.
    Begins,
    /// It gets its values once others are done.
    Waits,
    /// Neither it nor any after it is admitted.
    Stops,
}

/// An item as the search has it.
pub(super) enum TrialAdmission {
    /// Nothing is searched.
    NoSearch,
    /// It is a trial.
    Trial(Trial),
    /// It is a trial that gets no values.
    Failed(String),
}

impl Session<'_, '_> {
    /// What becomes of the item at this position, which comes next. The reason to stop is put on the record before it counts, so
    /// that a resumed run stops before the same trial.
    pub(super) fn next_trial(&mut self, position: u64) -> Result<NextTrial, EngineError> {
        if self.plan.search.is_none() {
            return Ok(NextTrial::Begins);
        }
        if self.trials.stopped.is_some_and(|stopped| position >= stopped) {
            let note = self.record.map(|record| record.db.search_note(SearchNote::Stop)).transpose()?.flatten();
            let why = note.and_then(|note| note["reason"].as_str().map(str::to_owned)).unwrap_or_default();
            self.scheduler.stop_search(why);
            self.scheduler.emit(&Event::Items { total: Some(position) });
            return Ok(NextTrial::Stops);
        }
        // One that an earlier session began has its values, and is asked to stop by the outcomes that were known then.
        if self.scheduler.trial_waits(position) {
            return Ok(NextTrial::Waits);
        }
        if self.on_record(position)?.is_some() {
            return Ok(NextTrial::Begins);
        }
        let spent = self.trials.spent(self.scheduler.services());
        let why = match self.scheduler.reason_to_stop_search(spent) {
            Some(why) => why,
            None => match self.scheduler.decide_trial(position) {
                Some(TrialDecision::NothingLeft(why)) => why,
                decision => {
                    self.trials.decided = decision.map(|decision| DecidedTrial { position, decision });
                    return Ok(NextTrial::Begins);
                }
            },
        };
        self.stop_trials(position, why)?;
        Ok(NextTrial::Stops)
    }

    /// No trial from this one on is begun.
    fn stop_trials(&mut self, position: u64, why: String) -> Result<(), EngineError> {
        if let Some(record) = self.record {
            record.db.note_search(SearchNote::Stop, Some(&json!({ "trial": position, "reason": why })))?;
        }
        self.scheduler.record(Record::Event(json!({ "event": "search-stopped", "trial": position, "reason": why })));
        self.trials.stopped = Some(position);
        self.scheduler.stop_search(why);
        self.scheduler.emit(&Event::Items { total: Some(position) });
        Ok(())
    }

    /// Whether it is on the record what came of the trial at this position; so it is where nothing is searched.
    pub(super) fn trial_is_known(&self, position: u64) -> Result<bool, StoreError> {
        Ok(self.plan.search.is_none() || self.on_record(position)?.is_some_and(|trial| trial.settled))
    }

    /// The trial at this position, if an earlier session began it.
    fn on_record(&self, position: u64) -> Result<Option<TrialRecord>, StoreError> {
        match self.earlier_record() {
            Some(record) => record.db.trial(position),
            None => Ok(None),
        }
    }

    /// The item at this position as the search has it: a trial with the values that it got, or gets now.
    pub(super) fn admit_trial(&mut self, position: u64) -> Result<TrialAdmission, EngineError> {
        if let Some(known) = self.on_record(position)? {
            let trial = self.scheduler.begin_trial(position, known.outcome.values);
            return Ok(trial.map_or(TrialAdmission::NoSearch, TrialAdmission::Trial));
        }
        let decided = self.trials.decided.take().filter(|decided| decided.position == position);
        let values = match decided.map(|decided| decided.decision) {
            Some(TrialDecision::Values(values)) => values,
            Some(TrialDecision::Failed(failure)) => return Ok(TrialAdmission::Failed(failure.to_string())),
            Some(TrialDecision::NothingLeft(why)) => return Ok(TrialAdmission::Failed(why)),
            None => return Ok(TrialAdmission::NoSearch),
        };
        let Some(trial) = self.scheduler.begin_trial(position, values.clone()) else {
            return Ok(TrialAdmission::NoSearch);
        };
        let outcome = Outcome { trial: Some(trial.number), values, ..Outcome::default() };
        self.scheduler.record(Record::Trial(TrialRecord { item: position, outcome, settled: false }));
        Ok(TrialAdmission::Trial(trial))
    }
}

/// What the item of a trial holds: its number and its values.
pub(super) fn trial_document(trial: &Trial) -> Arc<str> {
    json!({ "trial": trial.number, "params": trial.values }).to_string().into()
}
