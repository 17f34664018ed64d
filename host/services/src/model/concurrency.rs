//! How many calls of a model are made at a time: additive increase, multiplicative decrease (Chiu and Jain 1989), with the slow start of TCP
//! until the server shows that it has enough.

use std::{
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use jackfield_pipeline::Concurrency;
use jackfield_plugin_api::sync::lock;
use tokio::sync::Semaphore;

use super::pending::PendingCompletion;

/// Latency beyond this many times the best known means that calls queue up at the server.
const SLOW: f64 = 3.0;
/// Differences below this are noise.
const NOISE: f64 = 0.05;
/// A pause from this length on is worth a warning.
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// What a limit has come to by now.
struct State {
    /// The limit, with the fraction that it has grown since it last reached a whole number.
    limit: f64,
    /// It doubles each round trip until the first sign of too much.
    slow_start: bool,
    /// Permits that are to be taken out of use when they come back.
    debt: usize,
    /// Permits that are given out.
    in_use: usize,
    last_cut: Instant,
    /// The best average latency known, in seconds.
    best: Option<f64>,
    /// The present average latency, in seconds.
    present: Option<f64>,
    /// Nobody calls before this.
    paused_until: Option<Instant>,
}

/// The limit of a model.
pub(super) struct ConcurrencyLimit {
    /// Whether neither latency nor failures change it.
    is_fixed: bool,
    max: f64,
    permits: Semaphore,
    state: Mutex<State>,
}

impl ConcurrencyLimit {
    pub(super) fn new(bounds: Concurrency) -> Self {
        let state = State {
            limit: f64::from(bounds.start),
            slow_start: true,
            debt: 0,
            in_use: 0,
            last_cut: Instant::now(),
            best: None,
            present: None,
            paused_until: None,
        };
        Self {
            is_fixed: false,
            max: f64::from(bounds.max),
            permits: Semaphore::new(bounds.start as usize),
            state: Mutex::new(state),
        }
    }

    /// A limit that neither latency nor failures change: of a model on this machine, whose memory is what bounds it.
    pub(super) fn fixed(bounds: Concurrency) -> Self {
        Self { is_fixed: true, ..Self::new(bounds) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Waits for leave to make a call: given back when dropped.
    pub(super) async fn acquire<'a>(&'a self, pending: &PendingCompletion<'_>) -> Permit<'a> {
        loop {
            if let Ok(permit) = self.permits.acquire().await {
                permit.forget();
            }
            let permit = Permit(self);
            let pause = {
                let mut state = self.state();
                state.in_use += 1;
                state.paused_until.filter(|until| *until > Instant::now())
            };
            match pause {
                None => return permit,
                Some(until) => {
                    drop(permit);
                    let _delay = pending.delay();
                    tokio::time::sleep_until(until.into()).await;
                }
            }
        }
    }

    /// A call was answered after so long.
    pub(super) fn answered(&self, took: Duration) {
        if self.is_fixed {
            return;
        }
        let took = took.as_secs_f64();
        let mut state = self.state();
        let present = state.present.map_or(took, |present| present * 0.9 + took * 0.1);
        state.present = Some(present);
        // The best known drifts up, so that a server that has become slower for good is not held against its past.
        let best = state.best.map_or(present, |best| (best * 1.0005).min(present));
        state.best = Some(best);
        let queued = present > best * SLOW && present > best + NOISE;
        let round = Duration::from_secs_f64(present);
        if queued && state.last_cut.elapsed() > round * 2 {
            self.cut(&mut state, 0.9);
        } else if !queued && state.in_use as f64 + 1.0 >= state.limit {
            // Only a limit that is used up has shown anything.
            let step = if state.slow_start { 1.0 } else { 1.0 / state.limit };
            let whole = state.limit.floor();
            state.limit = (state.limit + step).min(self.max);
            let grown = (state.limit.floor() - whole) as usize;
            let paid = grown.min(state.debt);
            state.debt -= paid;
            self.permits.add_permits(grown - paid);
        }
    }

    /// The server asked for less: at once, and by half at the most once a round trip. Nobody calls before `pause` is over.
    /// True if that takes long, and longer than was known.
    pub(super) fn refused(&self, pause: Option<Duration>) -> bool {
        let mut state = self.state();
        let mut is_news = false;
        if let Some(pause) = pause {
            let until = Instant::now() + pause;
            is_news = pause >= LONG_PAUSE && state.paused_until.is_none_or(|old| until > old + LONG_PAUSE);
            state.paused_until = Some(state.paused_until.map_or(until, |old| old.max(until)));
        }
        let round = Duration::from_secs_f64(state.present.unwrap_or(0.1));
        if !self.is_fixed && (state.slow_start || state.last_cut.elapsed() > round) {
            self.cut(&mut state, 0.5);
        }
        is_news
    }

    fn cut(&self, state: &mut State, factor: f64) {
        state.slow_start = false;
        state.last_cut = Instant::now();
        let whole = state.limit.floor();
        state.limit = (state.limit * factor).max(1.0);
        let fewer = (whole - state.limit.floor()) as usize;
        let taken = self.permits.forget_permits(fewer);
        state.debt += fewer - taken;
    }

    /// The limit, and how many calls are under way.
    pub(super) fn now(&self) -> (usize, usize) {
        let state = self.state();
        (state.limit as usize, state.in_use)
    }
}

/// Leave to make a call.
pub(super) struct Permit<'a>(&'a ConcurrencyLimit);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_use = state.in_use.checked_sub(1).expect("every permit was counted when it was given out");
        if state.debt > 0 {
            state.debt -= 1;
        } else {
            self.0.permits.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pending::PendingCompletions;

    fn limit(start: u32, max: u32) -> ConcurrencyLimit {
        ConcurrencyLimit::new(Concurrency { start, max })
    }

    /// A round of calls, all under way at once.
    async fn round(limit: &ConcurrencyLimit, took: Duration) -> usize {
        let mut permits = Vec::new();
        for _ in 0..limit.now().0 {
            permits.push(limit.acquire(&PendingCompletions::default().begin()).await);
        }
        let count = permits.len();
        for permit in permits {
            limit.answered(took);
            drop(permit);
        }
        count
    }

    #[tokio::test]
    async fn it_doubles_until_the_first_refusal_and_grows_by_one_a_round_after_it() {
        let limit = limit(4, 64);
        let took = Duration::from_millis(10);
        round(&limit, took).await;
        let grown = limit.now().0;
        assert!(grown > 4, "{grown}");
        limit.refused(None);
        let halved = limit.now().0;
        assert_eq!(halved, grown / 2);
        round(&limit, took).await;
        assert!((halved..=halved + 1).contains(&limit.now().0));
    }

    #[tokio::test]
    async fn it_stays_within_its_bounds() {
        let limit = limit(8, 16);
        for _ in 0..20 {
            round(&limit, Duration::from_millis(1)).await;
        }
        assert_eq!(limit.now().0, 16);
        for _ in 0..20 {
            limit.refused(None);
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        assert_eq!(limit.now().0, 1);
        let permit = limit.acquire(&PendingCompletions::default().begin()).await;
        let second =
            tokio::time::timeout(Duration::from_millis(20), limit.acquire(&PendingCompletions::default().begin()))
                .await;
        assert!(second.is_err(), "one at a time");
        drop(permit);
        drop(limit.acquire(&PendingCompletions::default().begin()).await);
    }

    #[tokio::test]
    async fn latency_that_grows_threefold_cuts_it() {
        let limit = limit(16, 16);
        for _ in 0..4 {
            round(&limit, Duration::from_millis(20)).await;
        }
        for _ in 0..20 {
            round(&limit, Duration::from_millis(400)).await;
            limit.state().last_cut = Instant::now().checked_sub(Duration::from_secs(10)).expect("a clock that runs");
        }
        assert!(limit.now().0 < 16, "{:?}", limit.now());
    }

    #[tokio::test]
    async fn a_fixed_limit_stays_as_it_is() {
        let limit = ConcurrencyLimit::fixed(Concurrency { start: 3, max: 3 });
        for took in [1, 400, 400] {
            round(&limit, Duration::from_millis(took)).await;
            limit.state().last_cut = Instant::now().checked_sub(Duration::from_secs(10)).expect("a clock that runs");
            limit.refused(None);
            assert_eq!(limit.now().0, 3);
        }
    }

    #[test]
    fn a_long_pause_is_news_once() {
        let limit = limit(4, 4);
        assert!(!limit.refused(Some(Duration::from_secs(1))));
        assert!(limit.refused(Some(Duration::from_secs(3600))));
        assert!(!limit.refused(Some(Duration::from_secs(3600))), "known already");
        assert!(!limit.refused(None));
        assert!(limit.refused(Some(Duration::from_secs(3700))));
    }

    #[tokio::test]
    async fn nobody_calls_during_a_pause() {
        let limit = limit(4, 4);
        limit.refused(Some(Duration::from_millis(50)));
        let began = Instant::now();
        drop(limit.acquire(&PendingCompletions::default().begin()).await);
        assert!(began.elapsed() >= Duration::from_millis(50));
    }
}
