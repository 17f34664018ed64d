//! The analyzer `feedback`.

pub mod filter;
mod moment;

use jackfield_plugin_api::prelude::*;
use jackfield_text::six_places;
use rustc_hash::FxHashMap;

use filter::{Columns, Filter, Outcome, Rule};
pub use moment::Moment;

/// What a user said of an answer.
#[derive(Clone, Debug, Document)]
pub struct Item {
    /// Who said it.
    pub user: String,
    /// What it is about: whatever has a quota of its own.
    pub intent: String,
    /// How sure the user was, 0 to 1.
    pub confidence: f64,
    /// How specific it is, 0 to 1; 1 by default.
    #[config(default = 1.0)]
    pub specificity: f64,
    /// How helpful the user found what it is about, 0 to 1, where they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<f64>,
    /// When it was said.
    pub at: Moment,
    /// How much of the user's earlier feedback was accepted.
    #[serde(default)]
    pub accepted: u64,
    /// How much earlier feedback the user gave; 0 for a new user.
    #[serde(default)]
    pub total: u64,
}

/// What `feedback` reads: items, or, for very many of them, tensors of one length: `confidence`, `reputation`,
/// `specificity`, `age_days`, for quotas `user` and `intent` (whole numbers from 0), and, where there are any, `rating`.
#[derive(Clone, Debug, Document)]
pub struct Feedback {
    /// The present. Items need it; with tensors it says where days begin, and without it days are counted back from the
    /// present in steps of 24 hours.
    #[serde(default)]
    pub now: Option<Moment>,
    /// The items, in the order in which quotas count them.
    #[serde(default)]
    pub items: Vec<Item>,
}

/// How many items were dropped, by the first reason that held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
pub struct Reasons {
    /// A factor or a rating not within 0 to 1, or later than now.
    pub invalid: u64,
    /// Beyond the greatest age.
    pub too_old: u64,
    /// More than three standard deviations from the mean worth.
    pub outlier: u64,
    /// A score under the threshold.
    pub below_threshold: u64,
    /// Beyond the user's quota for the day.
    pub user_quota: u64,
    /// Beyond the intent's quota for the day.
    pub intent_quota: u64,
}

/// Scores of the items that count; zeros where none does.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Scores {
    /// The least.
    pub min: f64,
    /// Their mean.
    pub mean: f64,
    /// The greatest.
    pub max: f64,
}

/// What `feedback` answers. For tensors, a tensor `accepted` comes with it: the score of each item, 0 for one that was
/// dropped.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Filtered {
    /// Indices of the items that count, ascending; empty where they came as tensors.
    pub accepted: Vec<u64>,
    /// How many items count.
    pub count: u64,
    /// Their scores.
    pub scores: Scores,
    /// Mean of their ratings, weighted by their scores; none where none has a rating.
    pub rating: Option<f64>,
    /// What became of the others.
    pub dropped: Reasons,
}

/// Tells the feedback that is worth learning from.
///
/// An item is worth confidence x the user's reputation x specificity, less by half for every 14 days. What is too old, far
/// from everything else, worth too little, or more than a user or an intent may say in a day, is dropped. Days are those of
/// UTC. A million items take milliseconds.
#[derive(Config)]
pub struct FeedbackFilter {
    /// Least score of an item that counts. At most `new_user`: a perfect item, fresh, of a new user has to count.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: f64,
    /// Reputation of a user without earlier feedback; later it is accepted / total.
    #[config(default = 0.7)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub new_user: f64,
    /// Days in which a score halves.
    #[config(default = 14.0)]
    #[schemars(range(min = 0.01))]
    pub half_life: f64,
    /// Days after which an item no longer counts.
    #[config(default = 90.0)]
    #[schemars(range(min = 0.0, max = 36500.0))]
    pub max_age: f64,
    /// Standard deviations from the mean worth beyond which an item is dropped.
    #[config(default = 3.0)]
    #[schemars(range(min = 0.0))]
    pub sigmas: f64,
    /// Items of a user that count a day.
    #[config(default = 10)]
    pub per_user: u32,
    /// Items on an intent that count a day.
    #[config(default = 100)]
    pub per_intent: u32,
    /// The rule, prepared.
    #[serde(skip)]
    #[schemars(skip)]
    filter: Option<Filter>,
}

impl Analyzer for FeedbackFilter {
    const NAME: &'static str = "feedback";
    const STABILITY: Stability = Stability::Experimental;
    type Input = WithTensors<Feedback>;
    type Output = WithTensors<Filtered>;

    fn open(mut self) -> Result<Self> {
        let within = |name: &str, value: f64, low: f64, high: f64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(Failure::InvalidConfig(format!("`{name}` is {value}: it must be {low} to {high}")))
        };
        within("new_user", self.new_user, 0.0, 1.0)?;
        within("threshold", self.threshold, 0.0, 1.0)?;
        within("half_life", self.half_life, 0.01, 1e6)?;
        within("max_age", self.max_age, 0.0, 36_500.0)?;
        within("sigmas", self.sigmas, 0.0, 1e6)?;
        if self.threshold > self.new_user {
            let (threshold, new_user) = (self.threshold, self.new_user);
            return Err(Failure::InvalidConfig(format!(
                "with a `threshold` of {threshold} nothing that a new user says counts, however sure, specific and fresh: \
                 lower it to `new_user`, which is {new_user}, or less"
            )));
        }
        self.filter = Some(Filter::new(Rule {
            threshold: self.threshold as f32,
            half_life: self.half_life as f32,
            max_age: self.max_age as f32,
            sigmas: self.sigmas,
            per_user: self.per_user,
            per_intent: self.per_intent,
        }));
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        let item = |user: &str, confidence: f64, at: &str| json!({ "user": user, "intent": "refund", "confidence": confidence, "at": at });
        vec![Example {
            summary: "a fresh item counts, one of last year is too old, a hesitant one is worth too little".to_owned(),
            config: json!({}),
            input: json!({ "now": "2026-03-01T12:00:00Z", "items": [
                item("ann", 1.0, "2026-03-01T12:00:00Z"),
                item("bo", 1.0, "2025-03-01T12:00:00Z"),
                item("cy", 0.6, "2026-03-01T12:00:00Z"),
            ] }),
            output: json!({
                "accepted": [0], "count": 1, "scores": { "min": 0.7, "mean": 0.7, "max": 0.7 }, "rating": null,
                "dropped": {
                    "invalid": 0, "too_old": 1, "outlier": 0, "below_threshold": 1, "user_quota": 0, "intent_quota": 0,
                },
            }),
        }]
    }

    async fn analyze(&self, input: WithTensors<Feedback>, _: &Host<'_>) -> Result<WithTensors<Filtered>> {
        let not_opened = || Failure::Internal("`feedback` was called before it was opened".to_owned());
        let filter = self.filter.as_ref().ok_or_else(not_opened)?;
        if input.tensors.is_empty() {
            let outcome = self.filter_items(filter, &input.value)?;
            let accepted = outcome.accepted.iter().map(|&item| u64::from(item)).collect();
            let rating = rating(&outcome, |index| input.value.items.get(index).and_then(|item| item.rating));
            return Ok(WithTensors { value: answer(&outcome, accepted, rating), tensors: Vec::new() });
        }
        if !input.value.items.is_empty() {
            return Err(Failure::InvalidInput("items and tensors at once: give one of them".to_owned()));
        }
        let (outcome, count) = filter_tensors(filter, &input)?;
        let ratings = input.tensors.iter().find(|tensor| tensor.name == "rating");
        if let Some(wrong) = ratings.filter(|ratings| ratings.data.len() != count) {
            let has = wrong.data.len();
            let wrong = format!("the tensor `rating` has {has} elements, but `confidence` has {count}");
            return Err(Failure::InvalidInput(wrong));
        }
        // Without a rating: not a number.
        let rating_of = |index: usize| {
            let rating = f64::from(ratings?.data[index]);
            is_rating(rating).then_some(rating)
        };
        let rating = rating(&outcome, rating_of);
        let mut scores = vec![0f32; count];
        for (&item, &score) in outcome.accepted.iter().zip(&outcome.scores) {
            scores[item as usize] = score;
        }
        let tensor = Tensor { name: "accepted".to_owned(), shape: vec![count as u64], data: scores.into() };
        Ok(WithTensors { value: answer(&outcome, Vec::new(), rating), tensors: vec![tensor] })
    }
}

impl FeedbackFilter {
    fn filter_items(&self, filter: &Filter, feedback: &Feedback) -> Result<Outcome> {
        let now = match &feedback.now {
            Some(now) => now.days()?,
            None if feedback.items.is_empty() => 0.0,
            None => {
                return Err(Failure::InvalidInput("`now` is missing: the age of an item follows from it".to_owned()));
            }
        };
        let count = feedback.items.len();
        let mut columns: [Vec<f32>; 4] = std::array::from_fn(|_| Vec::with_capacity(count));
        let (mut users, mut intents) = (Numbers::default(), Numbers::default());
        for item in &feedback.items {
            // A reputation above 1 makes the item invalid.
            let reputation = if item.total == 0 { self.new_user } else { item.accepted as f64 / item.total as f64 };
            // So does a rating outside 0 to 1.
            let confidence = if item.rating.is_none_or(is_rating) { item.confidence } else { f64::NAN };
            let values = [confidence, reputation, item.specificity, now - item.at.days()?];
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value as f32);
            }
            users.push(&item.user);
            intents.push(&item.intent);
        }
        let [confidence, reputation, specificity, age] = &columns;
        let (user, intent) = (&users.column, &intents.column);
        Ok(filter.apply(&Columns {
            confidence,
            reputation,
            specificity,
            age,
            user,
            intent,
            elapsed_day: elapsed_day(now),
        }))
    }
}

/// How much of the day is over.
fn elapsed_day(now: f64) -> f64 {
    let fraction = now - now.floor();
    if fraction.is_finite() { fraction } else { 0.0 }
}

fn filter_tensors(filter: &Filter, input: &WithTensors<Feedback>) -> Result<(Outcome, usize)> {
    let confidence = &input.tensor("confidence")?.data;
    let count = confidence.len();
    let same_length = |name: &str| -> Result<&Tensor> {
        let tensor = input.tensor(name)?;
        if tensor.data.len() == count {
            return Ok(tensor);
        }
        let has = tensor.data.len();
        Err(Failure::InvalidInput(format!("the tensor `{name}` has {has} elements, but `confidence` has {count}")))
    };
    let numbers = |name: &str| -> Result<Vec<u32>> {
        if !input.tensors.iter().any(|tensor| tensor.name == name) {
            return Ok(Vec::new());
        }
        let tensor = same_length(name)?;
        // A float of 32 bits cannot hold all whole numbers above this.
        let number = |&x: &f32| ((0.0..=16_777_216.0).contains(&x) && x.trunc() == x).then_some(x as u32);
        let wrong = || Failure::InvalidInput(format!("the tensor `{name}` must hold whole numbers from 0 to 2^24"));
        tensor.data.iter().map(number).collect::<Option<_>>().ok_or_else(wrong)
    };
    let (user, intent) = (numbers("user")?, numbers("intent")?);
    let elapsed_day = input.value.now.as_ref().map(Moment::days).transpose()?.map_or(1.0, elapsed_day);
    let columns = Columns {
        confidence,
        reputation: &same_length("reputation")?.data,
        specificity: &same_length("specificity")?.data,
        age: &same_length("age_days")?.data,
        user: &user,
        intent: &intent,
        elapsed_day,
    };
    Ok((filter.apply(&columns), count))
}

/// Names as numbers, in order of first use.
#[derive(Default)]
struct Numbers<'a> {
    known: FxHashMap<&'a str, u32>,
    column: Vec<u32>,
}

impl<'a> Numbers<'a> {
    fn push(&mut self, name: &'a str) {
        let next = self.known.len() as u32;
        self.column.push(*self.known.entry(name).or_insert(next));
    }
}

/// Whether this is a rating.
fn is_rating(rating: f64) -> bool {
    (0.0..=1.0).contains(&rating)
}

/// Mean of the ratings of what counts, weighted by its score.
fn rating(outcome: &Outcome, rating_of: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (&item, &score) in outcome.accepted.iter().zip(&outcome.scores) {
        if let Some(rating) = rating_of(item as usize) {
            sum += f64::from(score) * rating;
            weight += f64::from(score);
        }
    }
    (weight > 0.0).then(|| six_places(sum / weight))
}

fn answer(outcome: &Outcome, accepted: Vec<u64>, rating: Option<f64>) -> Filtered {
    let count = outcome.scores.len();
    let scores = || outcome.scores.iter().map(|&score| f64::from(score));
    let summary = |value: f64| if count == 0 { 0.0 } else { six_places(value) };
    Filtered {
        accepted,
        count: count as u64,
        scores: Scores {
            min: summary(scores().fold(f64::INFINITY, f64::min)),
            mean: summary(scores().sum::<f64>() / count.max(1) as f64),
            max: summary(scores().fold(f64::NEG_INFINITY, f64::max)),
        },
        rating,
        dropped: outcome.dropped,
    }
}

#[cfg(test)]
mod tests;
