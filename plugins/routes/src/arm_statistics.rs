//! The statistics of an arm that policies learn, and the choice of an arm by its score.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::name_map::NameMap;

/// Rewards of an arm as evidence for the posterior of its mean reward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
pub struct Evidence {
    /// Sum of rewards, less what was discounted: what the posterior's `a` is above the prior's.
    pub successes: f64,
    /// Sum of what the rewards lacked to 1, less what was discounted: as `successes`, of `b`.
    pub failures: f64,
    /// Sum of the squares of the rewards, less what was discounted: what says how much they vary. Of evidence that was stored
    /// without it, it is taken to be as great as it can be, as if every reward had been 0 or 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub squares: Option<f64>,
    /// How many rewards there were, discounted or not.
    pub rewards: u64,
}

impl Evidence {
    /// Adds a reward of 0 to 1.
    pub(crate) fn add(&mut self, reward: f64) {
        self.squares = Some(self.squares() + reward * reward);
        self.successes += reward;
        self.failures += 1.0 - reward;
        self.rewards = self.rewards.saturating_add(1);
    }

    /// Reduces the evidence to this share of it.
    pub(crate) fn discount(&mut self, share: f64) {
        // Tiny counts become 0: subnormal numbers are slow, and change no draw.
        let discounted = |count: f64| if count * share < 1e-12 { 0.0 } else { count * share };
        self.successes = discounted(self.successes);
        self.failures = discounted(self.failures);
        self.squares = self.squares.map(discounted);
    }

    /// Sum of the squares of the rewards.
    pub(crate) fn squares(&self) -> f64 {
        self.squares.unwrap_or(self.successes)
    }

    /// How many rewards count still, which a discount makes less than there were.
    pub(crate) fn count(&self) -> f64 {
        self.successes + self.failures
    }

    /// Sum of the squared distances of the rewards from their mean.
    pub(crate) fn squared_deviations(&self) -> f64 {
        let count = self.count();
        // Rounding may bring the difference below 0.
        if count > 0.0 { (self.squares() - self.successes * self.successes / count).max(0.0) } else { 0.0 }
    }
}

/// A running mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
pub struct Average {
    /// How many values.
    pub count: u64,
    /// Their mean; 0 of none.
    pub mean: f64,
}

impl Average {
    /// Adds a finite value.
    pub(crate) fn add(&mut self, value: f64) {
        self.count = self.count.saturating_add(1);
        // Divided first: the difference of two finite numbers may be infinite.
        let count = self.count as f64;
        self.mean += value / count - self.mean / count;
    }
}

/// Mean rewards, by context and by arm.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Averages {
    /// The arms of each context.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Average>>")]
    pub contexts: BTreeMap<String, NameMap<Average>>,
}

impl Averages {
    /// Adds one value for each of these arms.
    pub(crate) fn add<'a>(&mut self, context: &str, rewards: impl Iterator<Item = (&'a str, f64)>) {
        for (arm, reward) in rewards {
            in_context(&mut self.contexts, context).entry(arm).add(reward);
        }
    }
}

/// The entry of a context, created with the default where there is none.
pub(crate) fn in_context<'a, T: Default>(contexts: &'a mut BTreeMap<String, T>, context: &str) -> &'a mut T {
    contexts.entry(context.to_owned()).or_default()
}

/// Index of the arm with the greatest score; of equal ones, the one whose name comes first. None where no arm has a score.
pub(crate) fn greatest(arms: &[Arm], scores: &[Option<f64>]) -> Option<u32> {
    let mut best: Option<(f64, &str, u32)> = None;
    for (index, (arm, score)) in arms.iter().zip(scores).enumerate() {
        let Some(score) = *score else { continue };
        let is_better = best.is_none_or(|(best_score, best_name, _)| {
            score > best_score || (score == best_score && arm.name.as_str() < best_name)
        });
        if is_better {
            best = Some((score, &arm.name, index as u32));
        }
    }
    best.map(|(_, _, index)| index)
}

/// Index of the arm whose name comes first, of those for which `is_candidate` is true.
pub(crate) fn first_by_name(arms: &[Arm], is_candidate: impl Fn(usize, &Arm) -> bool) -> Option<u32> {
    let is_candidate = arms.iter().enumerate().filter(|&(index, arm)| is_candidate(index, arm));
    is_candidate.min_by(|(_, a), (_, b)| a.name.cmp(&b.name)).map(|(index, _)| index as u32)
}
