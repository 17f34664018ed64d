//! Counters that differ in their last label alone.

use std::{borrow::Cow, sync::OnceLock};

use prometheus_client::metrics::{counter::Counter, family::Family};

/// Names and values of labels.
pub(super) type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];

/// A counter for each value of the last label. Those of known values are looked up once, and begun when they are first
/// needed; the first known value is there from the start, so that a rate can be told from its first call.
#[derive(Debug)]
pub(super) struct Series<const N: usize> {
    family: Family<Labels<N>, Counter>,
    /// The value of the last one is replaced by that which is counted.
    labels: Labels<N>,
    known: &'static [&'static str],
    counters: Box<[OnceLock<Counter>]>,
}

impl<const N: usize> Series<N> {
    pub(super) fn new(family: &Family<Labels<N>, Counter>, labels: Labels<N>, known: &'static [&'static str]) -> Self {
        let counters = known.iter().map(|_| OnceLock::new()).collect();
        let series = Self { family: family.clone(), labels, known, counters };
        if let Some(first) = known.first() {
            series.add(first, 0);
        }
        series
    }

    pub(super) fn add(&self, value: &str, count: u64) {
        match self.known.iter().position(|known| *known == value) {
            Some(index) => self.counters[index].get_or_init(|| self.look_up(value)).inc_by(count),
            None => self.look_up(value).inc_by(count),
        };
    }

    fn look_up(&self, value: &str) -> Counter {
        let mut labels = self.labels.clone();
        if let Some((_, last)) = labels.last_mut() {
            *last = Cow::Owned(value.to_owned());
        }
        self.family.get_or_create_owned(&labels)
    }
}
