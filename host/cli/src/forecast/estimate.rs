//! From what was counted to what a run would ask of its models and cost: intervals.

use std::collections::BTreeMap;

use jackfield_pipeline::{Plan, Price, Scope};
use jackfield_services::{ForecastCounts, ForecastNotes};
use jackfield_store::AnswerLengths;
use serde::Serialize;

/// So many standard errors to each side of an estimate hold the truth 99 times of 100.
const ERRORS: f64 = 2.6;
/// How far the number of elements of a list that a model writes may lie from what was made up for it.
const ELEMENTS_FACTOR: f64 = 4.0;
/// The same where earlier runs say how many there were.
const KNOWN_ELEMENTS_FACTOR: f64 = 2.0;
/// How far the length of what a model writes may lie from what was made up for it, where a later request holds it.
const LENGTH_FACTOR: f64 = 3.0;
/// How far the mean of the answers of a run may lie from that of earlier ones.
const MEAN_FACTOR: f64 = 1.25;

/// An interval that holds what is to come, and what is expected, where that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Interval {
    pub(super) low: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected: Option<f64>,
    pub(super) high: f64,
}

impl Interval {
    pub(super) const fn exactly(value: f64) -> Self {
        Self { low: value, expected: Some(value), high: value }
    }

    /// The same, wider by a factor to each side.
    fn widened(self, factor: f64) -> Self {
        Self { low: self.low / factor, high: self.high * factor, ..self }
    }

    /// The whole numbers that hold it.
    fn whole(self) -> Self {
        Self { low: self.low.floor().max(0.0), expected: self.expected.map(f64::round), high: self.high.ceil() }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let expected = self.expected.zip(other.expected).map(|(one, other)| one + other);
        Self { low: self.low + other.low, expected, high: self.high + other.high }
    }
}

/// What a stage would ask of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct StageForecast {
    pub(super) stage: String,
    pub(super) model: String,
    /// Requests that the model is called for.
    pub(super) calls: Interval,
    /// Requests that are answered by the cache.
    pub(super) cached: Interval,
    pub(super) tokens_in: Interval,
    pub(super) tokens_out: Interval,
    /// None for a model without a price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usd: Option<Interval>,
    /// What the length of answers is known from.
    pub(super) answers_from: AnswersFrom,
    /// Whether requests hold answers of models, which are made up here.
    pub(super) requests_depend_on_answers: bool,
    /// Whether answers of models, which are made up here, say how many requests there are.
    pub(super) calls_depend_on_answers: bool,
}

/// What the length of answers is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AnswersFrom {
    /// Earlier runs of the pipeline.
    EarlierRuns,
    /// What the requests and their schemas allow.
    Bounds,
    /// Some requests allow any length: it is taken to be no more than usual.
    Assumption,
}

/// How many items there are, and how many of them were looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Items {
    pub(super) total: f64,
    pub(super) sampled: f64,
}

/// The forecast of a stage and a model.
pub(super) fn estimate(
    (stage, model): (&str, &str),
    plan: &Plan,
    notes: &ForecastNotes,
    items: Items,
    earlier: Option<&AnswerLengths>,
    asking: &BTreeMap<usize, bool>,
) -> StageForecast {
    let index = plan.stages.iter().position(|known| known.name == stage);
    let scope = index.map_or(Scope::Run, |index| plan.stages[index].scope);
    let items = if scope == Scope::Run { Items { total: 1.0, sampled: 1.0 } } else { items };
    let Dependence { requests, calls: elements } =
        index.map_or_else(Dependence::default, |index| dependence(plan, index, asking));
    let total = |of: fn(&ForecastCounts) -> u64| total_of(notes, items, of);
    let (mut calls, mut cached, mut tokens_in) =
        (total(|counts| counts.calls), total(|counts| counts.cached), total(|counts| counts.tokens_in));
    if elements {
        match earlier {
            Some(earlier) => {
                let known = Interval::exactly(earlier.per_item * items.total).widened(KNOWN_ELEMENTS_FACTOR);
                (calls, cached) = (known, Interval { low: 0.0, expected: None, high: cached.high });
                tokens_in = times(known, Interval::exactly(earlier.mean_in).widened(MEAN_FACTOR));
            }
            None => {
                (calls, cached) = (calls.widened(ELEMENTS_FACTOR), cached.widened(ELEMENTS_FACTOR));
                tokens_in = tokens_in.widened(ELEMENTS_FACTOR * LENGTH_FACTOR);
                (calls.expected, cached.expected, tokens_in.expected) = (None, None, None);
            }
        }
    } else if requests {
        tokens_in = match earlier {
            Some(earlier) => times(calls, Interval::exactly(earlier.mean_in).widened(MEAN_FACTOR)),
            None => Interval { expected: None, ..tokens_in.widened(LENGTH_FACTOR) },
        };
    }
    let calls = calls.whole();
    let (tokens_out, answers_from) = match earlier {
        Some(earlier) => (answers_like(earlier, calls), AnswersFrom::EarlierRuns),
        None => {
            let (least, most) = (total(|counts| counts.least_out), total(|counts| counts.most_out));
            let factor = if elements { ELEMENTS_FACTOR } else { 1.0 };
            let out = Interval { low: least.low / factor, expected: None, high: most.high * factor };
            (out, if notes.has_unbounded { AnswersFrom::Assumption } else { AnswersFrom::Bounds })
        }
    };
    let (tokens_in, tokens_out) = (tokens_in.whole(), tokens_out.whole());
    let price = plan.models.iter().find(|known| known.name == model).and_then(|model| model.price);
    StageForecast {
        stage: stage.to_owned(),
        model: model.to_owned(),
        calls,
        cached: cached.whole(),
        tokens_in,
        tokens_out,
        usd: price.map(|price| usd(price, tokens_in, tokens_out)),
        answers_from,
        requests_depend_on_answers: requests,
        calls_depend_on_answers: elements,
    }
}

/// What depends on the answers of models that a stage reads.
#[derive(Clone, Copy, Debug, Default)]
struct Dependence {
    /// What it asks.
    requests: bool,
    /// How often it asks.
    calls: bool,
}

/// `asking` says of the stages that ask a model whether some of their answers are made up.
fn dependence(plan: &Plan, stage: usize, asking: &BTreeMap<usize, bool>) -> Dependence {
    let mut open = plan.stages[stage].reads.clone();
    let mut above = std::collections::BTreeSet::new();
    while let Some(read) = open.pop() {
        if above.insert(read) {
            open.extend(&plan.stages[read].reads);
        }
    }
    let is_made_up = |stage: &usize| asking.get(stage).copied().unwrap_or_default();
    let requests = above.iter().any(is_made_up);
    let counts = |stage: &usize| {
        plan.stages[*stage].for_each.as_ref().is_some_and(|wire| match wire.source {
            jackfield_pipeline::Source::Stage(source) => {
                is_made_up(&source) || dependence(plan, source, asking).requests
            }
            _ => false,
        })
    };
    Dependence { requests, calls: requests && above.iter().chain([&stage]).any(counts) }
}

/// The sum of a count over all items, from those that were looked at.
fn total_of(notes: &ForecastNotes, items: Items, of: fn(&ForecastCounts) -> u64) -> Interval {
    let values = notes.items.values().map(|counts| of(counts) as f64);
    let (sum, squares) = values.fold((0.0, 0.0), |(sum, squares), value| (sum + value, squares + value * value));
    let Items { total, sampled } = items;
    if sampled >= total || sampled < 2.0 {
        return Interval::exactly(sum * if sampled > 0.0 { total / sampled } else { 0.0 });
    }
    let mean = sum / sampled;
    let variance = ((squares / sampled - mean * mean) * sampled / (sampled - 1.0)).max(0.0);
    let error = total * (variance / sampled * (1.0 - sampled / total)).sqrt();
    let expected = mean * total;
    // What was seen is there.
    Interval { low: (expected - ERRORS * error).max(sum), expected: Some(expected), high: expected + ERRORS * error }
}

/// The tokens of so many answers that are like earlier ones.
fn answers_like(earlier: &AnswerLengths, calls: Interval) -> Interval {
    let AnswerLengths { answers, mean_out: mean, deviation_out: deviation, least_out: least, .. } = *earlier;
    let (answers, least) = (answers as f64, least as f64);
    let error = |calls: f64| ERRORS * deviation * (1.0 / calls.max(1.0) + 1.0 / answers.max(1.0)).sqrt();
    Interval {
        low: calls.low * (mean / MEAN_FACTOR - error(calls.low)).max(least),
        expected: calls.expected.map(|calls| calls * mean),
        high: calls.high * (mean * MEAN_FACTOR + error(calls.high)),
    }
}

fn times(one: Interval, other: Interval) -> Interval {
    let expected = one.expected.zip(other.expected).map(|(one, other)| one * other);
    Interval { low: one.low * other.low, expected, high: one.high * other.high }
}

/// What tokens cost. How many of them the server has in its cache, or thinks in, is not known beforehand.
fn usd(price: Price, tokens_in: Interval, tokens_out: Interval) -> Interval {
    let dearest = price.highest();
    let cheapest = Price::new(
        price.input.min(price.cached_input.unwrap_or(f64::INFINITY)).min(price.cache_write.unwrap_or(f64::INFINITY)),
        price.output.min(price.reasoning.unwrap_or(f64::INFINITY)),
    );
    let cost = |price: Price, input: f64, output: f64| (input * price.input + output * price.output) / 1e6;
    let expected = tokens_in.expected.zip(tokens_out.expected).map(|(input, output)| cost(price, input, output));
    Interval {
        low: cost(cheapest, tokens_in.low, tokens_out.low),
        expected,
        high: cost(dearest, tokens_in.high, tokens_out.high),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn notes(calls: impl Iterator<Item = u64>) -> ForecastNotes {
        let counts = |calls| ForecastCounts { calls, ..ForecastCounts::default() };
        let items = calls.enumerate().map(|(item, calls)| (Arc::from(item.to_string()), counts(calls)));
        ForecastNotes { items: items.collect(), has_unbounded: false }
    }

    #[test]
    fn all_items_say_it_exactly_and_a_sample_says_it_within_an_interval() {
        let calls = |counts: &ForecastCounts| counts.calls;
        let all = total_of(&notes([1, 2, 3].into_iter()), Items { total: 3.0, sampled: 3.0 }, calls);
        assert_eq!(all, Interval::exactly(6.0));
        let some = total_of(&notes((0..100).map(|item| item % 5)), Items { total: 10_000.0, sampled: 100.0 }, calls);
        assert_eq!(some.expected, Some(20_000.0));
        assert!((15_000.0..18_000.0).contains(&some.low) && (22_000.0..25_000.0).contains(&some.high), "{some:?}");
        let equal = total_of(&notes((0..100).map(|_| 2)), Items { total: 10_000.0, sampled: 100.0 }, calls);
        assert_eq!(equal, Interval::exactly(20_000.0));
    }

    #[test]
    fn answers_of_a_run_are_like_those_of_earlier_ones_within_reason() {
        let earlier = AnswerLengths {
            stage: 0,
            model: String::new(),
            answers: 10,
            mean_out: 100.0,
            deviation_out: 50.0,
            least_out: 20,
            mean_in: 10.0,
            per_item: 1.0,
        };
        let many = answers_like(&earlier, Interval::exactly(1000.0));
        assert_eq!(many.expected, Some(100_000.0));
        assert!(many.low < 60_000.0 && many.low >= 20_000.0 && many.high > 140_000.0, "{many:?}");
        let price = Price { cached_input: Some(0.5), ..Price::new(1.0, 2.0) };
        let cost = usd(price, Interval::exactly(1e6), Interval { low: 1e6, expected: None, high: 2e6 });
        assert_eq!(cost, Interval { low: 2.5, expected: None, high: 5.0 });
    }
}
