//! How long the trials of a run may go on.

use std::time::{Duration, Instant};

use jackfield_services::Services;
use jackfield_store::{Db, SearchNote, StoreError};

use super::search::{Spending, TrialDecision};

/// How long the trials of a run may go on.
pub(super) struct TrialLimits {
    /// When the session began.
    pub(super) began: Instant,
    /// What earlier sessions took.
    pub(super) before: Spending,
    /// The position of the first trial that is not begun, once it is enough.
    pub(super) stopped: Option<u64>,
    /// What was decided for the trial that comes next.
    pub(super) decided: Option<DecidedTrial>,
}

impl TrialLimits {
    /// What the record says of earlier sessions.
    pub(super) fn new(began: Instant, record: Option<&Db>) -> Result<Self, StoreError> {
        let mut limits = Self { began, before: Spending::default(), stopped: None, decided: None };
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

    /// What the run has taken until now, in all its sessions.
    pub(super) fn spent(&self, services: &Services) -> Spending {
        let usd: f64 = services.models.iter().map(|model| model.count().usd).sum();
        Spending { time: self.before.time + self.began.elapsed(), usd: self.before.usd + usd }
    }
}

/// What was decided for a trial.
pub(super) struct DecidedTrial {
    pub(super) position: u64,
    pub(super) decision: TrialDecision,
}
