//! What is known of an arm.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::by_name::ByName;

/// Rewards of an arm as evidence for a Beta posterior.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
pub struct Evidence {
    /// Sum of rewards, less what was discounted: what the posterior's `a` is above the prior's.
    pub successes: f64,
    /// Sum of what the rewards lacked to 1, less what was discounted: as `successes`, of `b`.
    pub failures: f64,
    /// How many rewards there were, discounted or not.
    pub rewards: u64,
}

impl Evidence {
    /// Takes a reward of 0 to 1 in.
    pub(crate) fn add(&mut self, reward: f64) {
        self.successes += reward;
        self.failures += 1.0 - reward;
        self.rewards = self.rewards.saturating_add(1);
    }

    /// Forgets a part: what is left of it is `share`.
    pub(crate) fn discount(&mut self, share: f64) {
        // What is next to nothing is nothing: such numbers would slow everything down, and change no draw.
        let left = |count: f64| if count * share < 1e-12 { 0.0 } else { count * share };
        self.successes = left(self.successes);
        self.failures = left(self.failures);
    }
}

/// A mean that grows with its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
pub struct Average {
    /// How many values.
    pub count: u64,
    /// Their mean; 0 of none.
    pub mean: f64,
}

impl Average {
    /// Takes a finite value in.
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
    pub contexts: BTreeMap<String, ByName<Average>>,
}

impl Averages {
    /// Takes one value for each of these arms in.
    pub(crate) fn add<'a>(&mut self, context: &str, rewards: impl Iterator<Item = (&'a str, f64)>) {
        for (arm, reward) in rewards {
            in_context(&mut self.contexts, context).entry(arm).add(reward);
        }
    }
}

/// What is known in a context, made where nothing is.
pub(crate) fn in_context<'a, T: Default>(contexts: &'a mut BTreeMap<String, T>, context: &str) -> &'a mut T {
    contexts.entry(context.to_owned()).or_default()
}

/// Index of the arm with the greatest score; of equal ones, that of the first name. None where no arm has a score.
pub(crate) fn greatest(arms: &[Arm], scores: &[Option<f64>]) -> Option<u32> {
    let mut best: Option<(f64, &str, u32)> = None;
    for (index, (arm, score)) in arms.iter().zip(scores).enumerate() {
        let Some(score) = *score else { continue };
        let better = best.is_none_or(|(top, name, _)| score > top || (score == top && arm.name.as_str() < name));
        if better {
            best = Some((score, &arm.name, index as u32));
        }
    }
    best.map(|(_, _, index)| index)
}

/// Index of the arm with the first name, of those that `wanted` tells.
pub(crate) fn first_of(arms: &[Arm], wanted: impl Fn(usize, &Arm) -> bool) -> Option<u32> {
    let wanted = arms.iter().enumerate().filter(|&(index, arm)| wanted(index, arm));
    wanted.min_by(|(_, a), (_, b)| a.name.cmp(&b.name)).map(|(index, _)| index as u32)
}
