//! Times of calls, in memory that grows with how different they are and not with how many.

use std::collections::BTreeMap;

/// Times below this one are exact to a microsecond, longer ones to three digits.
const EXACT: u64 = 2048;
/// Longer times count as this one: eleven days.
const LONGEST: u64 = 1_000_000_000_000;

/// Times of calls, in microseconds: how many there were of each, to three digits. Most stages have few different ones: a
/// histogram of fixed size would cost each of them hundreds of kilobytes.
#[derive(Default)]
pub(super) struct Times {
    /// How many, by the least time of a step.
    steps: BTreeMap<u64, u64>,
    count: u64,
    /// Their sum.
    pub(super) total_us: u64,
}

impl Times {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn record(&mut self, took_us: u64) {
        self.total_us = self.total_us.saturating_add(took_us);
        let took = took_us.clamp(1, LONGEST);
        *self.steps.entry(took & !(width(took) - 1)).or_default() += 1;
        self.count += 1;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The time that this share of the calls took at the most; 0 of none.
    pub(super) fn quantile(&self, share: f64) -> u64 {
        let wanted = ((share * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (least, count) in &self.steps {
            seen += count;
            if seen >= wanted {
                return if share == 0.0 { *least } else { least + width(*least) - 1 };
            }
        }
        0
    }

    pub(super) fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.total_us as f64 / self.count as f64 }
    }

    /// Each time, to three digits, with how many calls took it.
    pub(super) fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        self.steps.iter().map(|(least, count)| (least + width(*least) - 1, *count))
    }
}

/// How many microseconds the step of a time has.
fn width(took: u64) -> u64 {
    if took < EXACT { 1 } else { 1 << (took.ilog2() - EXACT.ilog2() + 1) }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_those_of_a_histogram_of_fixed_size(
            times in prop::collection::vec(prop_oneof![0..5000_u64, any::<u32>().prop_map(u64::from), any::<u64>()], 1..60)
        ) {
            let mut theirs = Histogram::<u64>::new_with_bounds(1, LONGEST, 3).expect("constant bounds");
            let mut ours = Times::new();
            for took in times {
                theirs.saturating_record(took.clamp(1, LONGEST));
                ours.record(took);
            }
            for share in [0.0, 0.1, 0.5, 0.9, 0.99, 1.0] {
                prop_assert_eq!(ours.quantile(share), theirs.value_at_quantile(share).min(theirs.max()), "{}", share);
            }
            let each: Vec<_> =
                theirs.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect();
            prop_assert_eq!(ours.counts().collect::<Vec<_>>(), each);
            prop_assert_eq!(ours.count(), theirs.len());
        }
    }

    #[test]
    fn times_without_any_call_are_zero() {
        let times = Times::new();
        assert_eq!((times.quantile(0.5), times.count(), times.mean(), times.counts().count()), (0, 0, 0.0, 0));
    }
}
