//! Trials are taken up: in order, each with its values, and until it is enough.

use std::time::{Duration, Instant};

use jackfield_plugin_api::Outcome;
use jackfield_services::Services;
use jackfield_store::{Db, Record, SearchNote, StoreError, TrialRecord};
use serde_json::json;

use super::{
    error::EngineError,
    observe::Event,
    search::{Picked, Spent, Trial},
    session::Session,
};

/// How long the trials of a run may go on.
pub(super) struct TrialLimits {
    /// When the session began.
    pub(super) began: Instant,
    /// What earlier sessions took.
    pub(super) before: Spent,
    /// The position of the first trial that is not begun, once it is enough.
    pub(super) stopped: Option<u64>,
    /// What was picked for the trial that comes next.
    picked: Option<(u64, Picked)>,
}

impl TrialLimits {
    /// What the record says of earlier sessions.
    pub(super) fn new(began: Instant, record: Option<&Db>) -> Result<Self, StoreError> {
        let mut limits = Self { began, before: Spent::default(), stopped: None, picked: None };
        let Some(db) = record else { return Ok(limits) };
        for session in db.sessions()? {
            let time = |text: &str| humantime::parse_rfc3339(text).ok();
            let ended = session.ended.as_deref().and_then(time);
            let took = time(&session.began).zip(ended).and_then(|(began, ended)| ended.duration_since(began).ok());
            // One that was killed took at least until its last result.
            limits.before.time += match took {
                Some(took) => took,
                None => Duration::from_micros(db.last_result_us(session.id)?),
            };
        }
        limits.before.usd = db.spent()?.iter().map(|(_, spent)| spent.usd).sum();
        limits.stopped = db.search_note(SearchNote::Stop)?.and_then(|stop| stop["trial"].as_u64());
        Ok(limits)
    }

    fn spent(&self, services: &Services) -> Spent {
        let usd: f64 = services.models.iter().map(|model| model.count().usd).sum();
        Spent { time: self.before.time + self.began.elapsed(), usd: self.before.usd + usd }
    }
}

/// What becomes of the next trial.
pub(super) enum NextTrial {
    /// It is taken up; so is any item where nothing is searched.
    Begins,
    /// It gets its values once others are done.
    Waits,
    /// Neither it nor any after it is taken up.
    Stops,
}

/// An item as the search has it.
pub(super) enum Begun {
    /// Nothing is searched.
    Nothing,
    /// It is a trial.
    Trial(Trial),
    /// It is a trial that gets no values.
    Failed(String),
}

impl Session<'_, '_> {
    /// What becomes of the item at this position, which comes next. Why it is enough is put on the record before it counts, so
    /// that a resumed run stops before the same trial.
    pub(super) fn next_trial(&mut self, position: u64) -> Result<NextTrial, EngineError> {
        if self.plan.search.is_none() {
            return Ok(NextTrial::Begins);
        }
        if self.trials.stopped.is_some_and(|stopped| position >= stopped) {
            let note = self.tape.map(|tape| tape.db.search_note(SearchNote::Stop)).transpose()?.flatten();
            let why = note.and_then(|note| note["reason"].as_str().map(str::to_owned)).unwrap_or_default();
            self.scheduler.stop_search(why);
            self.scheduler.tell(&Event::Items { total: Some(position) });
            return Ok(NextTrial::Stops);
        }
        // One that an earlier session began has its values, and is asked to stop by the outcomes that were known then.
        if self.scheduler.trial_waits(position) {
            return Ok(NextTrial::Waits);
        }
        if self.on_record(position)?.is_some() {
            return Ok(NextTrial::Begins);
        }
        let why = match self.scheduler.enough_trials(self.trials.spent(self.scheduler.services())) {
            Some(why) => why,
            None => match self.scheduler.pick_values(position) {
                Some(Picked::NothingLeft(why)) => why,
                picked => {
                    self.trials.picked = picked.map(|picked| (position, picked));
                    return Ok(NextTrial::Begins);
                }
            },
        };
        self.stop_trials(position, why)?;
        Ok(NextTrial::Stops)
    }

    /// No trial from this one on is begun.
    fn stop_trials(&mut self, position: u64, why: String) -> Result<(), EngineError> {
        if let Some(tape) = self.tape {
            tape.db.note_search(SearchNote::Stop, Some(&json!({ "trial": position, "reason": why })))?;
        }
        self.scheduler.note(Record::Event(json!({ "event": "search-stopped", "trial": position, "reason": why })));
        self.trials.stopped = Some(position);
        self.scheduler.stop_search(why);
        self.scheduler.tell(&Event::Items { total: Some(position) });
        Ok(())
    }

    /// Whether it is on the record what came of the trial at this position; so it is where nothing is searched.
    pub(super) fn trial_is_known(&self, position: u64) -> Result<bool, StoreError> {
        Ok(self.plan.search.is_none() || self.on_record(position)?.is_some_and(|trial| trial.settled))
    }

    /// The trial at this position, if an earlier session began it.
    fn on_record(&self, position: u64) -> Result<Option<TrialRecord>, StoreError> {
        match self.tape.filter(|tape| tape.resumed) {
            Some(tape) => tape.db.trial(position),
            None => Ok(None),
        }
    }

    /// The item at this position as the search has it: a trial with the values that it got, or gets now.
    pub(super) fn trial(&mut self, position: u64) -> Result<Begun, EngineError> {
        if let Some(known) = self.on_record(position)? {
            let trial = self.scheduler.begin_trial(position, known.outcome.values);
            return Ok(trial.map_or(Begun::Nothing, Begun::Trial));
        }
        let values = match self.trials.picked.take().filter(|(of, _)| *of == position) {
            Some((_, Picked::Values(values))) => values,
            Some((_, Picked::Failed(failure))) => return Ok(Begun::Failed(failure.to_string())),
            Some((_, Picked::NothingLeft(why))) => return Ok(Begun::Failed(why)),
            None => return Ok(Begun::Nothing),
        };
        let Some(trial) = self.scheduler.begin_trial(position, values.clone()) else { return Ok(Begun::Nothing) };
        let outcome = Outcome { trial: Some(trial.number), values, ..Outcome::default() };
        self.scheduler.note(Record::Trial(TrialRecord { item: position, outcome, settled: false }));
        Ok(Begun::Trial(trial))
    }
}

/// What the item of a trial holds: its number and its values.
pub(super) fn trial_document(trial: &Trial) -> std::sync::Arc<str> {
    json!({ "trial": trial.number, "params": trial.values }).to_string().into()
}
