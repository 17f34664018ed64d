//! The policy `epsilon-greedy`, which picks the arm with the greatest mean reward, and sometimes any arm.

use jackfield_plugin_api::prelude::*;

use crate::{
    arm_statistics::{Averages, first_by_name, greatest},
    decision_random::DecisionRandom,
    reward::{Range, check_share, rewards},
};

/// Picks the arm with the greatest mean reward so far, and now and then any arm.
///
/// Any arm is picked with probability epsilon / (1 + decay n), where n is the number of rewards in the context; a decay
/// above 0 makes it fall off as 1 / n (Auer, Cesa-Bianchi and Fischer 2002). Arms without a reward come first, in order of
/// their names.
#[derive(Clone, Debug, Config)]
pub struct EpsilonGreedy {
    /// How likely any arm is picked, 0 to 1, while there are no rewards.
    #[config(default = 0.1)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub epsilon: f64,
    /// How fast that falls off, 0 to 1: after 1 / decay rewards it has halved. 0 keeps it.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub decay: f64,
    /// The reward that a failed attempt counts as.
    #[config(default = 0.0)]
    pub failure_reward: f64,
}

impl RoutingPolicy for EpsilonGreedy {
    const NAME: &'static str = "epsilon-greedy";
    const STABILITY: Stability = Stability::Beta;
    const LEARNS: Learns = Learns::Reward;
    type State = Averages;

    fn open(self) -> Result<Self> {
        check_share("epsilon", self.epsilon)?;
        check_share("decay", self.decay)?;
        if !self.failure_reward.is_finite() {
            return Err(Failure::InvalidConfig("`failure_reward` is not finite".to_owned()));
        }
        Ok(self)
    }

    fn decide(&self, state: &Averages, question: &Question) -> Result<Decision> {
        let arms = &question.arms;
        let context_averages = state.contexts.get(&question.context);
        let mut reward_count = 0.0;
        let mean_reward = |(index, arm): (usize, &Arm)| {
            let average = context_averages
                .and_then(|averages| averages.get(&arm.name, index))
                .filter(|average| average.count > 0)?;
            reward_count += average.count as f64;
            Some(average.mean)
        };
        let scores: Vec<_> = arms.iter().enumerate().map(mean_reward).collect();
        if let Some(untried) = first_by_name(arms, |index, _| scores.get(index).is_some_and(Option::is_none)) {
            return Ok(Decision { arm: untried, scores });
        }
        let epsilon = self.epsilon / (1.0 + self.decay * reward_count);
        let arm = if DecisionRandom::new(question.seed).uniform() < epsilon {
            uniform_arm(question)
        } else {
            greatest(arms, &scores)
        };
        Ok(Decision { arm: arm.unwrap_or_default(), scores })
    }

    fn learn(&self, state: &mut Averages, outcome: &Outcome) -> Result<()> {
        state.add(&outcome.context, rewards(outcome, self.failure_reward, Range::Any)?);
        Ok(())
    }

    fn examples() -> Vec<Example> {
        let state =
            json!({ "contexts": { "": { "a": { "count": 2, "mean": 0.5 }, "b": { "count": 1, "mean": 0.75 } } } });
        let arms = json!([{ "name": "a", "with": {} }, { "name": "b", "with": {} }]);
        vec![Example {
            summary: "without chance, the greatest mean is picked".to_owned(),
            config: json!({ "epsilon": 0.0 }),
            input: json!({ "state": state, "arms": arms, "decide": [{ "seed": 0 }] }),
            output: json!({ "state": state, "decisions": [{ "arm": 1, "scores": [0.5, 0.75] }] }),
        }]
    }
}

/// Any arm, each as likely as the others: the one with the greatest draw of its own.
pub(crate) fn uniform_arm(question: &Question) -> Option<u32> {
    let draw_for = |arm: &Arm| Some(DecisionRandom::of_arm(question.seed, &arm.name).uniform());
    let draws: Vec<_> = question.arms.iter().map(draw_for).collect();
    greatest(&question.arms, &draws)
}
