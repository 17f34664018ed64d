//! The rule by which feedback counts, over columns.
//!
//! An item's *worth* is `confidence * reputation * specificity`, its *score* the worth decayed by `2^(-age / half-life)`.
//! In this order an item is dropped if
//!
//! 1. it is invalid: a factor is not within 0 to 1, or it is younger than now;
//! 2. it is too old;
//! 3. it is an outlier: its worth is more than 3 standard deviations from the mean worth of all items that are neither
//!    invalid nor too old (the deviation is that of the population; decay plays no part in either);
//! 4. its score is under the threshold;
//! 5. its user has had a day's quota of items come as far as this that day already, in the order given;
//! 6. its intent has.

use rustc_hash::FxHashMap;

use super::Reasons;

/// Steps a day in which decay is tabulated; within a step four terms of a series do.
const STEPS: f64 = 16.0;
/// How far a score computed from the table may be off, relatively, with room to spare.
const SLACK: f64 = 1e-9;
/// Items that are summed side by side.
const LANES: usize = 8;
/// Items that are looked through before those left are looked into.
const BLOCK: usize = 1024;
/// Stand for the worth of items that have none.
const INVALID: f32 = -2.0;
const OLD: f32 = -1.0;

/// The numbers in the rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Least score of an item that counts.
    pub threshold: f32,
    /// Days in which a score halves; above 0.
    pub half_life: f32,
    /// Days after which an item no longer counts; 0 to 36,500.
    pub max_age: f32,
    /// Standard deviations from the mean worth beyond which an item is an outlier.
    pub sigmas: f64,
    /// Items of a user that count a day.
    pub per_user: u32,
    /// Items on an intent that count a day.
    pub per_intent: u32,
}

/// Feedback in columns of one length; what a shorter column lacks is not looked at. An empty `user` or `intent` column has
/// no quota.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns<'a> {
    /// How sure the user was, 0 to 1.
    pub confidence: &'a [f32],
    /// Share of the user's earlier feedback that was accepted, 0 to 1.
    pub reputation: &'a [f32],
    /// How specific the feedback is, 0 to 1.
    pub specificity: &'a [f32],
    /// Days before now.
    pub age: &'a [f32],
    /// Number of the user.
    pub user: &'a [u32],
    /// Number of the intent.
    pub intent: &'a [u32],
    /// How much of the present day is over, 0 to 1: where the day of an item begins.
    pub elapsed_day: f64,
}

/// What the rule leaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Indices of the items that count, ascending.
    pub accepted: Vec<u32>,
    /// Their scores.
    pub scores: Vec<f32>,
    /// What became of the others.
    pub dropped: Reasons,
}

/// The rule, ready to be applied.
#[derive(Clone, Debug)]
pub struct Filter {
    rule: Rule,
    /// `2^(-age / half-life)` at the start of each step.
    decay: Vec<f64>,
    /// `ln 2 / half-life`.
    rate: f64,
}

impl Filter {
    /// Prepares a rule.
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        let half_life = f64::from(rule.half_life);
        let steps = (f64::from(rule.max_age.clamp(0.0, 36_500.0)) * STEPS) as usize + 1;
        let decay = (0..=steps).map(|step| libm::exp2(-(step as f64) / STEPS / half_life)).collect();
        Self { rule, decay, rate: std::f64::consts::LN_2 / half_life }
    }

    /// Applies the rule.
    #[must_use]
    pub fn apply(&self, columns: &Columns<'_>) -> Outcome {
        let worth = self.worth(columns);
        let (low, high) = self.bounds(&worth);
        let threshold = f64::from(self.rule.threshold);
        // Decay only lowers: most items need none of it. Marks of worths that are none lie below 0.
        let least = low.max(self.rule.threshold).max(0.0);
        let mut dropped = Reasons::default();
        let mut users = Quota::new(columns.user, self.rule.per_user, self.days());
        let mut intents = Quota::new(columns.intent, self.rule.per_intent, self.days());
        let (mut accepted, mut scores) = (Vec::new(), Vec::new());
        let mut candidates = [0u32; BLOCK];
        for (block, worths) in worth.chunks(BLOCK).enumerate() {
            let first = block * BLOCK;
            // No branch in either loop: which items go on is as good as chance. Sums alone are taken several at once.
            let (mut invalid, mut old, mut outliers) = (0u32, 0u32, 0u32);
            for &worth in worths {
                invalid += u32::from(worth == INVALID);
                old += u32::from(worth == OLD);
                outliers += u32::from((worth >= 0.0) & ((worth < low) | (worth > high)));
            }
            let mut count = 0usize;
            for (at, &worth) in (0u32..).zip(worths) {
                candidates[count] = at;
                count += usize::from((worth >= least) & (worth <= high));
            }
            dropped.invalid += u64::from(invalid);
            dropped.too_old += u64::from(old);
            dropped.outlier += u64::from(outliers);
            dropped.below_threshold += worths.len() as u64 - u64::from(invalid + old + outliers) - count as u64;
            for &candidate in &candidates[..count] {
                let at = first + candidate as usize;
                let (worth, age) = (f64::from(worth[at]), f64::from(columns.age[at]));
                let mut score = worth * self.decayed(age);
                if (score - threshold).abs() <= threshold * SLACK {
                    score = worth * libm::exp2(-age / f64::from(self.rule.half_life));
                }
                if score < threshold {
                    dropped.below_threshold += 1;
                    continue;
                }
                let day = days_back(age - columns.elapsed_day);
                if !users.take(at, day) {
                    dropped.user_quota += 1;
                } else if !intents.take(at, day) {
                    dropped.intent_quota += 1;
                } else {
                    accepted.push(at as u32);
                    scores.push(score as f32);
                }
            }
        }
        Outcome { accepted, scores, dropped }
    }

    /// The worth of each item, or why it has none.
    fn worth(&self, columns: &Columns<'_>) -> Vec<f32> {
        let Columns { confidence, reputation, specificity, age, .. } = *columns;
        let max_age = self.rule.max_age;
        let worth_of = |((&confidence, &reputation), (&specificity, &age)): ((&f32, &f32), (&f32, &f32))| {
            let within = |x: f32| x.clamp(0.0, 1.0) == x;
            let valid = within(confidence) & within(reputation) & within(specificity) & (age >= 0.0);
            let worth = if age <= max_age { confidence * reputation * specificity } else { OLD };
            if valid { worth } else { INVALID }
        };
        confidence.iter().zip(reputation).zip(specificity.iter().zip(age)).map(worth_of).collect()
    }

    /// The least and the greatest worth that is not an outlier.
    fn bounds(&self, worth: &[f32]) -> (f32, f32) {
        let (mut sums, mut squares, mut counts) = ([0f64; LANES], [0f64; LANES], [0f64; LANES]);
        let mut add = |lane: usize, worth: f32| {
            let counted = if worth >= 0.0 { 1.0 } else { 0.0 };
            let worth = f64::from(worth) * counted;
            sums[lane] += worth;
            squares[lane] += worth * worth;
            counts[lane] += counted;
        };
        let (chunks, rest) = worth.as_chunks::<LANES>();
        for chunk in chunks {
            for (lane, &worth) in chunk.iter().enumerate() {
                add(lane, worth);
            }
        }
        rest.iter().enumerate().for_each(|(lane, &worth)| add(lane, worth));
        let count = counts.iter().sum::<f64>().max(1.0);
        let mean = sums.iter().sum::<f64>() / count;
        let variance = (squares.iter().sum::<f64>() / count - mean * mean).max(0.0);
        // Equal worths have a deviation of rounding alone, and none of them is an outlier.
        let width = self.rule.sigmas * variance.sqrt() + 1e-6;
        // The numbers of 32 bits next within, so that items can be compared in 32 bits.
        let (low, high) = (mean - width, mean + width);
        let (near_low, near_high) = (low as f32, high as f32);
        (
            if f64::from(near_low) < low { near_low.next_up() } else { near_low },
            if f64::from(near_high) > high { near_high.next_down() } else { near_high },
        )
    }

    /// `2^(-age / half-life)` from the table, good to twelve places.
    fn decayed(&self, age: f64) -> f64 {
        let step = (age * STEPS) as usize;
        let Some(start) = self.decay.get(step) else { return 0.0 };
        let x = (age - step as f64 / STEPS) * self.rate;
        start * (1.0 - x * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x / 24.0))))
    }

    /// How many days back an item can be that comes as far as the quotas, today included. Worths are 1 at most, so that a
    /// score over the threshold is of an age at which decay is.
    fn days(&self) -> usize {
        let decayed = -f64::from(self.rule.half_life) * libm::log2(f64::from(self.rule.threshold).max(0.0));
        // A day more, for rounding.
        f64::from(self.rule.max_age.clamp(0.0, 36_500.0)).min(decayed.max(0.0) + 1.0).ceil() as usize + 1
    }
}

/// Rounded up, 0 at least. By hand: the baseline of x86-64 has no instruction for `ceil`, and calls a function.
fn days_back(days: f64) -> usize {
    let whole = days as usize;
    whole + usize::from(days > whole as f64)
}

/// How many items were accepted of each user, or on each intent, a day.
enum Quota<'a> {
    None,
    /// A cell per number and day.
    Table {
        numbers: &'a [u32],
        most: u32,
        days: usize,
        cells: Vec<u16>,
    },
    /// For numbers too far apart for a table.
    Map {
        numbers: &'a [u32],
        most: u32,
        cells: FxHashMap<(u32, u32), u32>,
    },
}

impl<'a> Quota<'a> {
    fn new(numbers: &'a [u32], most: u32, days: usize) -> Self {
        if numbers.is_empty() {
            return Self::None;
        }
        // No number is above all their bits together, which are had faster than the greatest.
        let bits = numbers.iter().fold(0, |bits, number| bits | number);
        let cells = (bits as usize + 1).saturating_mul(days);
        if most <= u32::from(u16::MAX) && cells <= numbers.len().saturating_mul(16).saturating_add(1 << 12) {
            Self::Table { numbers, most, days, cells: vec![0; cells] }
        } else {
            Self::Map { numbers, most, cells: FxHashMap::default() }
        }
    }

    /// Counts the item, if there is room for it that day.
    fn take(&mut self, item: usize, day: usize) -> bool {
        match self {
            Self::None => true,
            Self::Table { numbers, most, days, cells } => {
                let cell = numbers.get(item).map(|&number| number as usize * *days + day);
                let Some(count) = cell.and_then(|cell| cells.get_mut(cell)) else { return true };
                let has_room = u32::from(*count) < *most;
                *count += u16::from(has_room);
                has_room
            }
            Self::Map { numbers, most, cells } => {
                let Some(&number) = numbers.get(item) else { return true };
                let count = cells.entry((number, day as u32)).or_insert(0);
                let has_room = *count < *most;
                *count += u32::from(has_room);
                has_room
            }
        }
    }
}

#[cfg(test)]
mod tests;
