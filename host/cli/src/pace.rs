//! How far a run has come: how many items of how many, how fast, how long it will take, and what it has cost.

use std::time::{Duration, Instant};

use jackfield_store::ItemCounts;
use serde_json::{Value, json};

/// Before this has gone by, a rate is a matter of chance.
const SHORTEST: Duration = Duration::from_secs(1);

/// How far a run has come.
#[derive(Debug)]
pub(super) struct Pace {
    /// When the session began.
    began: Instant,
    /// How many items there are, where that is known.
    pub(super) total: Option<u64>,
    counts: ItemCounts,
    /// How many of them were done in this session.
    done_now: u64,
    /// What the models have cost in this session, in US dollars.
    pub(super) usd: f64,
}

impl Pace {
    /// Of a session that begins at this moment.
    pub(super) fn new(began: Instant) -> Self {
        Self { began, total: None, counts: ItemCounts::default(), done_now: 0, usd: 0.0 }
    }

    /// An item is done, in this session or in an earlier one. `counts` has it.
    pub(super) fn count(&mut self, counts: &ItemCounts, in_this_session: bool) {
        self.counts = *counts;
        self.done_now += u64::from(in_this_session);
    }

    /// Items a second, once that can be told.
    fn rate(&self, now: Instant) -> Option<f64> {
        let gone = now.duration_since(self.began);
        (self.done_now > 0 && gone >= SHORTEST).then(|| self.done_now as f64 / gone.as_secs_f64())
    }

    /// How long the rest will take, once that can be told.
    fn left(&self, now: Instant) -> Option<Duration> {
        let rest = self.total?.checked_sub(self.counts.total).filter(|rest| *rest > 0)?;
        Duration::try_from_secs_f64((rest as f64 / self.rate(now)?).ceil()).ok()
    }

    /// In words, the most important first: a narrow terminal cuts the end.
    pub(super) fn text(&self, now: Instant) -> String {
        let ItemCounts { total: done, partial, failed, .. } = self.counts;
        let mut parts = vec![match self.total {
            Some(total) => format!("{done} of {total} items"),
            None => format!("{done} items"),
        }];
        if failed > 0 {
            parts.push(format!("{failed} failed"));
        }
        if partial > 0 {
            parts.push(format!("{partial} partial"));
        }
        parts.extend(self.left(now).map(|left| format!("{} left", coarse(left))));
        parts.extend(self.rate(now).map(rate_text));
        if self.usd > 0.0 {
            parts.push(format!("{:.4} USD", self.usd));
        }
        parts.join(", ")
    }

    /// The same for a program.
    pub(super) fn fields(&self, now: Instant) -> Value {
        let ItemCounts { total: done, partial, failed, .. } = self.counts;
        json!({
            "done": done, "total": self.total, "failed": failed, "partial": partial,
            "items_per_second": self.rate(now), "seconds_left": self.left(now).map(|left| left.as_secs()),
            "usd": self.usd,
        })
    }
}

/// A rate in words: by the second, or by the minute or hour where an item takes longer.
pub(super) fn rate_text(per_second: f64) -> String {
    let (rate, unit) = match per_second {
        rate if rate >= 1.0 => (rate, "s"),
        rate if rate * 60.0 >= 1.0 => (rate * 60.0, "min"),
        rate => (rate * 3600.0, "h"),
    };
    if rate >= 100.0 { format!("{rate:.0} items/{unit}") } else { format!("{rate:.1} items/{unit}") }
}

/// A time by its two largest units.
fn coarse(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d {:02}h", seconds / 86400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(total: u64, failed: u64) -> ItemCounts {
        ItemCounts { total, ok: total - failed, failed, ..ItemCounts::default() }
    }

    #[test]
    fn what_earlier_sessions_did_is_no_part_of_the_rate() {
        let began = Instant::now();
        let mut pace = Pace::new(began);
        assert_eq!(pace.text(began), "0 items");
        pace.total = Some(400);
        (1..=100).for_each(|done| pace.count(&counts(done, 0), false));
        pace.count(&counts(101, 0), true);
        assert_eq!(pace.text(began + Duration::from_millis(900)), "101 of 400 items", "too early to tell");
        (102..=120).for_each(|done| pace.count(&counts(done, 1), true));
        pace.usd = 0.25;
        let now = began + Duration::from_secs(10);
        assert_eq!(pace.text(now), "120 of 400 items, 1 failed, 2m 20s left, 2.0 items/s, 0.2500 USD");
        assert_eq!(pace.fields(now)["seconds_left"], 140);
    }

    #[test]
    fn nothing_is_left_at_the_end() {
        let began = Instant::now();
        let mut pace = Pace::new(began);
        pace.total = Some(1);
        pace.count(&counts(1, 0), true);
        assert_eq!(pace.text(began + Duration::from_secs(2)), "1 of 1 items, 30.0 items/min");
    }

    #[test]
    fn rates_and_times_have_units_that_fit() {
        assert_eq!(
            [1200.0, 2.25, 0.5, 0.001].map(rate_text),
            ["1200 items/s", "2.2 items/s", "30.0 items/min", "3.6 items/h"]
        );
        let times = [59, 60, 3661, 90_061].map(|seconds| coarse(Duration::from_secs(seconds)));
        assert_eq!(times, ["59s", "1m 00s", "1h 01m", "1d 01h"]);
    }
}
