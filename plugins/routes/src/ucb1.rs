//! The policy `ucb1`, which picks the arm with the greatest upper confidence bound.

use std::f64::consts::SQRT_2;

use jackfield_plugin_api::prelude::*;

use crate::{
    arm_statistics::{Average, Averages, first_by_name, greatest},
    reward::{Range, check_share, rewards},
};

/// Picks the arm with the greatest upper confidence bound.
///
/// UCB1 (Auer, Cesa-Bianchi and Fischer 2002): the arm with the greatest x + c sqrt(ln n / m), where x is its mean reward, m
/// the number of its rewards and n that of all arms in the context. Arms without a reward come first, in order of their
/// names.
#[derive(Clone, Debug, Config)]
pub struct Ucb1 {
    /// The factor c of the bound: how much an arm that is little known is preferred. The paper has the square root of 2; a smaller factor explores less.
    #[config(default = SQRT_2)]
    #[schemars(range(min = 0.0, max = 1e6))]
    pub exploration: f64,
    /// The reward that a failed attempt counts as, 0 to 1.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub failure_reward: f64,
}

impl RoutingPolicy for Ucb1 {
    const NAME: &'static str = "ucb1";
    const STABILITY: Stability = Stability::Beta;
    const LEARNS: Learns = Learns::Reward;
    type State = Averages;

    fn open(self) -> Result<Self> {
        check_share("failure_reward", self.failure_reward)?;
        if !(0.0..=1e6).contains(&self.exploration) {
            let found = self.exploration;
            return Err(Failure::InvalidConfig(format!("`exploration` is {found}: it must be 0 to 1e6")));
        }
        Ok(self)
    }

    fn decide(&self, state: &Averages, question: &Question) -> Result<Decision> {
        let arms = &question.arms;
        let context_averages = state.contexts.get(&question.context);
        let averages: Vec<Average> = (arms.iter().enumerate())
            .map(|(index, arm)| {
                context_averages.and_then(|averages| averages.get(&arm.name, index)).copied().unwrap_or_default()
            })
            .collect();
        let log_of_count = libm::log(averages.iter().map(|average| average.count as f64).sum::<f64>().max(1.0));
        let upper_bound = |average: &Average| {
            (average.count > 0).then(|| average.mean + self.exploration * (log_of_count / average.count as f64).sqrt())
        };
        let scores: Vec<_> = averages.iter().map(upper_bound).collect();
        let untried = first_by_name(arms, |index, _| averages.get(index).is_some_and(|average| average.count == 0));
        Ok(Decision { arm: untried.or_else(|| greatest(arms, &scores)).unwrap_or_default(), scores })
    }

    fn learn(&self, state: &mut Averages, outcome: &Outcome) -> Result<()> {
        state.add(&outcome.context, rewards(outcome, self.failure_reward, Range::Share)?);
        Ok(())
    }

    fn examples() -> Vec<Example> {
        let known = json!({ "a": { "count": 1, "mean": 0.5 }, "b": { "count": 1, "mean": 0.25 } });
        let state = json!({ "contexts": { "": known } });
        let arms = json!([{ "name": "a", "with": {} }, { "name": "b", "with": {} }, { "name": "c", "with": {} }]);
        vec![Example {
            summary: "an arm without a reward comes first; without exploration, the bound is the mean".to_owned(),
            config: json!({ "exploration": 0.0 }),
            input: json!({ "state": state, "arms": arms, "decide": [{ "seed": 0 }] }),
            output: json!({ "state": state, "decisions": [{ "arm": 2, "scores": [0.5, 0.25, null] }] }),
        }]
    }
}
