use proptest::prelude::*;

use super::*;

const RULE: Rule = Rule { threshold: 0.5, half_life: 14.0, max_age: 90.0, sigmas: 3.0, per_user: 10, per_intent: 100 };

/// Items as they come, and the columns of them.
#[derive(Clone, Debug, Default)]
struct Items {
    confidence: Vec<f32>,
    reputation: Vec<f32>,
    specificity: Vec<f32>,
    age: Vec<f32>,
    user: Vec<u32>,
    intent: Vec<u32>,
}

impl Items {
    fn push(&mut self, [confidence, reputation, specificity, age]: [f32; 4], user: u32, intent: u32) {
        self.confidence.push(confidence);
        self.reputation.push(reputation);
        self.specificity.push(specificity);
        self.age.push(age);
        self.user.push(user);
        self.intent.push(intent);
    }

    fn of(items: &[[f32; 4]]) -> Self {
        let mut all = Self::default();
        items.iter().zip(0..).for_each(|(item, number)| all.push(*item, number, number));
        all
    }

    fn columns(&self, elapsed_day: f64) -> Columns<'_> {
        let Self { confidence, reputation, specificity, age, user, intent } = self;
        Columns { confidence, reputation, specificity, age, user, intent, elapsed_day }
    }

    fn filtered(&self) -> Outcome {
        Filter::new(RULE).apply(&self.columns(0.5))
    }
}

/// The rule as it is written, one item at a time, in 64 bits.
fn plain(rule: &Rule, items: &Items, elapsed_day: f64) -> (Vec<u32>, Reasons) {
    let worth: Vec<f32> =
        (0..items.age.len()).map(|at| items.confidence[at] * items.reputation[at] * items.specificity[at]).collect();
    let valid = |at: usize| {
        [items.confidence[at], items.reputation[at], items.specificity[at]].iter().all(|x| (0.0..=1.0).contains(x))
            && items.age[at] >= 0.0
    };
    let counted: Vec<f64> = (0..worth.len())
        .filter(|&at| valid(at) && items.age[at] <= rule.max_age)
        .map(|at| f64::from(worth[at]))
        .collect();
    let mean = counted.iter().sum::<f64>() / counted.len().max(1) as f64;
    let variance = counted.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / counted.len().max(1) as f64;
    let (mut accepted, mut dropped) = (Vec::new(), Reasons::default());
    let mut users = std::collections::BTreeMap::new();
    let mut intents = std::collections::BTreeMap::new();
    for (at, &worth) in worth.iter().enumerate() {
        let age = f64::from(items.age[at]);
        let day = (age - elapsed_day).ceil().max(0.0) as u64;
        let user = (items.user[at], day);
        let intent = (items.intent[at], day);
        if !valid(at) {
            dropped.invalid += 1;
        } else if items.age[at] > rule.max_age {
            dropped.too_old += 1;
        } else if (f64::from(worth) - mean).abs() > rule.sigmas * variance.sqrt() + 1e-6 {
            dropped.outlier += 1;
        } else if f64::from(worth) * libm::exp2(-age / f64::from(rule.half_life)) < f64::from(rule.threshold) {
            dropped.below_threshold += 1;
        } else if users.get(&user).copied().unwrap_or(0) >= rule.per_user {
            dropped.user_quota += 1;
        } else {
            *users.entry(user).or_insert(0) += 1;
            if intents.get(&intent).copied().unwrap_or(0) >= rule.per_intent {
                dropped.intent_quota += 1;
            } else {
                *intents.entry(intent).or_insert(0) += 1;
                accepted.push(at as u32);
            }
        }
    }
    (accepted, dropped)
}

#[test]
fn a_perfect_fresh_item_of_a_new_user_counts_up_to_a_threshold_of_its_reputation() {
    let items = Items::of(&[[1.0, 0.7, 1.0, 0.0]]);
    for threshold in [0.5, 0.7] {
        let outcome = Filter::new(Rule { threshold, ..RULE }).apply(&items.columns(0.5));
        assert_eq!((outcome.accepted, outcome.scores), (vec![0], vec![0.7]));
    }
    assert!(Filter::new(Rule { threshold: 0.71, ..RULE }).apply(&items.columns(0.5)).accepted.is_empty());
}

#[test]
fn a_score_halves_in_a_half_life() {
    let outcome = Items::of(&[[1.0, 1.0, 1.0, 7.0], [1.0, 1.0, 1.0, 13.999], [1.0, 1.0, 1.0, 14.001]]).filtered();
    assert_eq!(outcome.accepted, [0, 1]);
    assert!((outcome.scores[0] - 0.5f32.sqrt()).abs() < 1e-6);
    assert_eq!(outcome.dropped.below_threshold, 1);
}

#[test]
fn on_the_threshold_to_the_last_digit_is_over_it() {
    assert_eq!(Items::of(&[[1.0, 1.0, 1.0, 14.0]]).filtered().accepted, [0]);
}

#[test]
fn items_too_old_or_invalid_do_not_count_and_do_not_sway_the_mean() {
    let nan = f32::NAN;
    let outcome = Items::of(&[
        [1.0, 0.9, 1.0, 90.001],
        [nan, 0.9, 1.0, 1.0],
        [1.1, 0.9, 1.0, 1.0],
        [1.0, -0.1, 1.0, 1.0],
        [1.0, 0.9, 1.0, -0.5],
        [1.0, 0.9, 1.0, nan],
        [1.0, 0.9, 1.0, 1.0],
    ])
    .filtered();
    assert_eq!(outcome.accepted, [6]);
    assert_eq!(outcome.dropped, Reasons { too_old: 1, invalid: 5, ..Reasons::default() });
}

#[test]
fn a_worth_far_from_all_others_is_an_outlier() {
    let mut items = Items::default();
    (0..40).for_each(|user| items.push([0.8, 0.7, 1.0, 0.1], user, user));
    items.push([1.0, 1.0, 1.0, 0.1], 40, 40);
    let outcome = items.filtered();
    assert_eq!((outcome.accepted.len(), outcome.dropped.outlier), (40, 1));
}

#[test]
fn quotas_are_per_day_and_in_the_order_given() {
    let mut items = Items::default();
    // Half of the day is over: an age of 0.4 is today, 0.6 yesterday.
    for age in [0.4, 0.6] {
        (0..12).for_each(|intent| items.push([1.0, 0.9, 1.0, age], 7, intent));
    }
    let outcome = items.filtered();
    assert_eq!(outcome.accepted, (0..10).chain(12..22).collect::<Vec<u32>>());
    assert_eq!(outcome.dropped.user_quota, 4);

    let mut items = Items::default();
    (0..103).for_each(|user| items.push([1.0, 0.9, 1.0, 0.4], user, 3));
    assert_eq!(items.filtered().dropped, Reasons { intent_quota: 3, ..Reasons::default() });
}

#[test]
fn numbers_far_apart_have_quotas_too() {
    let mut items = Items::default();
    (0..15).for_each(|intent| items.push([1.0, 0.9, 1.0, 0.4], u32::MAX, intent * 90_000_000));
    assert_eq!(items.filtered().dropped, Reasons { user_quota: 5, ..Reasons::default() });
}

proptest! {
    #[test]
    fn the_fast_filter_keeps_what_the_rule_keeps(
        items in prop::collection::vec((0.0f32..1.02, 0.0f32..1.0, 0.5f32..1.0, -0.5f32..95.0, 0u32..4, 0u32..3), 0..200),
        elapsed_day in 0.0f64..1.0,
        threshold in 0.05f32..0.7,
        scale in 1u32..2_000_000,
    ) {
        let rule = Rule { threshold, per_user: 3, per_intent: 7, ..RULE };
        let mut all = Items::default();
        for (confidence, reputation, specificity, age, user, intent) in items {
            // Ages that bunch, so that quotas matter.
            let age = if user == 0 { age } else { age / 30.0 };
            all.push([confidence, reputation, specificity, age], user * scale, intent * scale);
        }
        let outcome = Filter::new(rule).apply(&all.columns(elapsed_day));
        prop_assert_eq!((outcome.accepted, outcome.dropped), plain(&rule, &all, elapsed_day));
    }
}
