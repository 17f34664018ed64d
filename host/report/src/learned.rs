//! What a route learned: which arms were picked and what reward they had, over time and by context.

use std::collections::BTreeMap;

use jackfield_pipeline::RoutePlan;
use jackfield_plugin_api::Outcome;
use serde_json::Value;

/// The most contexts that are kept apart.
const CONTEXTS: usize = 2_000;
/// The most windows of a context: when there are so many, neighbours are joined, so that half of them are left.
const WINDOWS: usize = 64;

/// A running mean, and how far its values spread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    pub(super) count: u64,
    pub(super) mean: f64,
    squares: f64,
}

impl Mean {
    /// Adds a value, unless it is infinite or not a number.
    pub(super) fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        // Welford 1962.
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
    }

    /// Half the width of the normal 95 % interval of the mean; none of fewer than two values.
    pub(super) fn margin(&self) -> Option<f64> {
        let count = self.count as f64;
        (self.count > 1).then(|| 1.96 * (self.squares / (count - 1.0) / count).sqrt())
    }
}

/// Items of a context that came one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    pub(super) items: u64,
    /// How many used each arm.
    pub(super) used: Vec<u64>,
    pub(super) reward: Mean,
}

impl Window {
    fn join(&mut self, other: &Self) {
        self.items += other.items;
        self.used.iter_mut().zip(&other.used).for_each(|(sum, more)| *sum += more);
        let count = self.reward.count + other.reward.count;
        if count > 0 {
            let part = other.reward.count as f64 / count as f64;
            self.reward.mean += (other.reward.mean - self.reward.mean) * part;
        }
        self.reward.count = count;
    }
}

/// An arm in a context.
#[derive(Clone, Debug, Default)]
pub(super) struct ArmStats {
    pub(super) used: u64,
    pub(super) failed: u64,
    pub(super) reward: Mean,
    pub(super) objectives: BTreeMap<String, Mean>,
    /// The numbers that the policy keeps about it at the end, by name.
    pub(super) policy_numbers: BTreeMap<String, f64>,
    /// The policy's own means of the objectives at the end.
    pub(super) policy_objectives: BTreeMap<String, f64>,
}

/// A context of a route: which arms its items used, and their rewards.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    pub(super) outcomes: u64,
    pub(super) reward: Mean,
    /// In the order of the plan.
    pub(super) arms: Vec<ArmStats>,
    /// Of equal sizes, but for the last.
    pub(super) windows: Vec<Window>,
    /// How many items a window has.
    pub(super) size: u64,
}

impl Context {
    fn new(arms: usize) -> Self {
        Self { arms: vec![ArmStats::default(); arms], size: 1, ..Self::default() }
    }

    fn add(&mut self, arms: &BTreeMap<&str, usize>, outcome: &Outcome) {
        self.outcomes += 1;
        for arm in outcome.failed().filter_map(|arm| arms.get(arm)) {
            self.arms[*arm].failed += 1;
        }
        let used = outcome.used().and_then(|arm| arms.get(arm)).copied();
        if let Some(reward) = outcome.reward {
            self.reward.add(reward);
        }
        if let Some(used) = used {
            let stats = &mut self.arms[used];
            stats.used += 1;
            if let Some(reward) = outcome.reward {
                stats.reward.add(reward);
            }
            for objective in &outcome.objectives {
                stats.objectives.entry(objective.name.clone()).or_default().add(objective.value);
            }
        }
        if self.windows.last().is_none_or(|last| last.items >= self.size) {
            if self.windows.len() >= WINDOWS {
                self.join_neighbours();
            }
            self.windows.push(Window { used: vec![0; self.arms.len()], ..Window::default() });
        }
        let window = self.windows.last_mut().expect("every outcome has a window");
        window.items += 1;
        if let Some(used) = used {
            window.used[used] += 1;
        }
        if let Some(reward) = outcome.reward {
            window.reward.add(reward);
        }
    }

    /// Joins each window with its neighbour.
    fn join_neighbours(&mut self) {
        self.size *= 2;
        let joined = self.windows.chunks(2).map(|pair| {
            let mut window = pair[0].clone();
            pair[1..].iter().for_each(|other| window.join(other));
            window
        });
        self.windows = joined.collect();
    }

    /// The sum of each window with those before it, so many that there are some ten items or an eighth of all: shares of
    /// fewer would be all or nothing.
    pub(super) fn rolling(&self) -> Vec<Window> {
        let wanted = (self.outcomes / 8).max(10).min(self.outcomes.max(1));
        let back = wanted.div_ceil(self.size.max(1)) as usize;
        (0..self.windows.len())
            .map(|end| {
                let mut sum = Window { used: vec![0; self.arms.len()], ..Window::default() };
                // The last one may not be full.
                let back = back + usize::from(self.windows[end].items < self.size);
                self.windows[(end + 1).saturating_sub(back)..=end].iter().for_each(|window| sum.join(window));
                sum
            })
            .collect()
    }

    /// The arms' means of an objective: the policy's own if its state has them, which may be those of several runs.
    pub(super) fn objective(&self, name: &str) -> Vec<Option<f64>> {
        let mean = |arm: &ArmStats| {
            let seen = || arm.objectives.get(name).filter(|mean| mean.count > 0).map(|mean| mean.mean);
            arm.policy_objectives.get(name).copied().or_else(seen)
        };
        self.arms.iter().map(mean).collect()
    }
}

/// What a route learned.
pub(super) struct Learned {
    /// Position of its stage in the plan.
    pub(super) stage: usize,
    /// By context.
    pub(super) contexts: BTreeMap<String, Context>,
    /// Items of contexts beyond those.
    pub(super) others: u64,
    pub(super) outcomes: u64,
    pub(super) reward: Mean,
    /// Whether it began with what earlier runs had learned.
    pub(super) began_with_more: bool,
}

impl Learned {
    pub(super) fn new(stage: usize, began_with_more: bool) -> Self {
        let (contexts, reward) = (BTreeMap::new(), Mean::default());
        Self { stage, contexts, others: 0, outcomes: 0, reward, began_with_more }
    }

    pub(super) fn add(&mut self, arms: &BTreeMap<&str, usize>, outcome: &Outcome) {
        self.outcomes += 1;
        if let Some(reward) = outcome.reward {
            self.reward.add(reward);
        }
        if !self.contexts.contains_key(&outcome.context) {
            if self.contexts.len() >= CONTEXTS {
                self.others += 1;
                return;
            }
            self.contexts.insert(outcome.context.clone(), Context::new(arms.len()));
        }
        let context = self.contexts.get_mut(&outcome.context).expect("every outcome has a context");
        context.add(arms, outcome);
    }

    /// Adds the state of the policy at the end, as far as it has the usual form: contexts, in them arms, in them numbers.
    pub(super) fn add_policy_state(&mut self, route: &RoutePlan, state: &Value) {
        for (name, context) in &mut self.contexts {
            let Some(arms) = state.get("contexts").and_then(|contexts| contexts.get(name)) else { continue };
            let arms = arms.get("arms").filter(|arms| arms.is_object()).unwrap_or(arms);
            for (arm, stats) in route.arms.iter().zip(&mut context.arms) {
                for (field, value) in arms.get(&arm.arm.name).and_then(Value::as_object).into_iter().flatten() {
                    if let Some(number) = value.as_f64() {
                        stats.policy_numbers.insert(field.clone(), number);
                    }
                    if field == "objectives" {
                        let means = value.as_object().into_iter().flatten();
                        let means = means.filter_map(|(name, mean)| Some((name.clone(), mean.get("mean")?.as_f64()?)));
                        stats.policy_objectives.extend(means);
                    }
                }
            }
        }
    }
}

/// The two parameters of the Beta posterior of an arm; none if the policy keeps no evidence for one, or if its prior is not known
/// from its configuration.
pub(super) fn posterior(route: &RoutePlan, arm: &ArmStats) -> Option<(f64, f64)> {
    let (successes, failures) = (arm.policy_numbers.get("successes")?, arm.policy_numbers.get("failures")?);
    // How much a hint adds to a prior is known to the policy alone.
    let has_hints = route.config.get("hints").is_some_and(|hints| !hints.is_null());
    let prior = |key: &str| route.config.get(key).map_or(Some(1.0), Value::as_f64);
    let is_beta = route.config.get("likelihood").is_none_or(|likelihood| likelihood == "beta");
    (!has_hints && is_beta).then_some(())?;
    Some((prior("successes")? + successes, prior("failures")? + failures))
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Attempt;

    use super::*;

    fn outcome(arm: &str, reward: f64) -> Outcome {
        let attempts = vec![Attempt { arm: arm.into(), failed: false }];
        Outcome { context: "c".into(), attempts, reward: Some(reward), ..Outcome::default() }
    }

    #[test]
    fn windows_stay_few_and_lose_nothing() {
        let arms = BTreeMap::from([("a", 0), ("b", 1)]);
        for count in [1_u64, 63, 64, 65, 1_000, 10_000] {
            let mut learned = Learned::new(0, false);
            (0..count)
                .for_each(|index| learned.add(&arms, &outcome(if index % 4 == 0 { "a" } else { "b" }, index as f64)));
            let context = &learned.contexts["c"];
            assert!(context.windows.len() <= WINDOWS);
            assert_eq!(context.windows.iter().map(|window| window.items).sum::<u64>(), count);
            assert_eq!(context.windows.iter().map(|window| window.used[0]).sum::<u64>(), count.div_ceil(4));
            let mean: f64 = context.windows.iter().map(|window| window.reward.mean * window.reward.count as f64).sum();
            assert!((mean / count as f64 - (count - 1) as f64 / 2.0).abs() < 1e-6);
            let last = context.rolling().pop().expect("a window");
            assert!(last.items >= 10.min(count) && last.items <= count, "{} of {count}", last.items);
        }
    }

    #[test]
    fn the_interval_of_a_mean_is_the_textbooks() {
        let mut mean = Mean::default();
        assert!(mean.margin().is_none());
        [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, f64::NAN].into_iter().for_each(|value| mean.add(value));
        // The sum of squares is 32, the sample's variance 32 / 7.
        let margin = mean.margin().expect("of eight values");
        assert!((mean.mean - 5.0).abs() < 1e-12 && (margin - 1.96 * (32.0_f64 / 7.0 / 8.0).sqrt()).abs() < 1e-12);
    }
}
