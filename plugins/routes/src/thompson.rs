//! The policy `thompson`, which picks an arm by a draw from the posterior of each arm's reward.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::{
    arm_statistics::{Evidence, greatest, in_context},
    decision_random::DecisionRandom,
    name_map::NameMap,
    posterior::{ContextRewards, Likelihood},
    reward::{Range, check_positive, check_share, rewards},
};

/// Draws from what is believed of each arm, and picks the arm with the greatest draw.
///
/// Thompson sampling (Thompson 1933; Chapelle and Li 2011) with a posterior per context and arm. By default that is a Beta
/// distribution: a reward r of 0 to 1 counts as a success of weight r and a failure of weight 1 - r (a += r, b += 1 - r). Where
/// rewards are fractions that vary little, as grades of answers do, `likelihood = "gaussian"` learns how much they vary, and
/// finds the best arm sooner. With a discount below 1 (Raj and
/// Kalyani 2017) every outcome makes the older ones of its context count for less, so that an arm that has become better is
/// found again.
#[derive(Clone, Debug, Config)]
pub struct Thompson {
    /// How the rewards of an arm are taken to vary: `beta`, as right and wrong do; `gaussian`, around a mean and by an amount that
    /// are both learned; `centered-beta`, as `beta` once each is centred by the mean of its context's rewards and scaled by twice
    /// their standard deviation.
    #[config(default)]
    pub likelihood: Likelihood,
    /// `a` of every arm's Beta prior. The prior of `gaussian` has none.
    #[config(default = 1.0)]
    #[schemars(extend("exclusiveMinimum" = 0.0), range(max = 1e9))]
    pub successes: f64,
    /// `b` of every arm's Beta prior. The prior of `gaussian` has none.
    #[config(default = 1.0)]
    #[schemars(extend("exclusiveMinimum" = 0.0), range(max = 1e9))]
    pub failures: f64,
    /// Which arm is likely to be best before anything is learned.
    pub hints: Option<Hints>,
    /// What is left of a context's evidence after each outcome, above 0 to 1; 1 forgets nothing.
    #[config(default = 1.0)]
    #[schemars(extend("exclusiveMinimum" = 0.0), range(max = 1.0))]
    pub discount: f64,
    /// The reward that a failed attempt counts as, 0 to 1.
    #[config(default = 0.0)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub failure_reward: f64,
}

/// Hints at a number that the arms differ in: the arm that comes nearest, or both of two as near, has a better prior.
#[derive(Clone, Debug, Config)]
pub struct Hints {
    /// The key of the arms' configuration that holds the number, such as `alpha`.
    pub key: String,
    /// The number in each context, such as `{ healthcare = 0.7, finance = 0.5 }`.
    #[config(default)]
    pub contexts: BTreeMap<String, f64>,
    /// The number in every other context; no arm is preferred there without it.
    pub other: Option<f64>,
    /// How many successes the hint is worth; of `gaussian`, how many rewards of one standard deviation above the context's mean.
    #[config(default = 2.0)]
    #[schemars(extend("exclusiveMinimum" = 0.0), range(max = 1e9))]
    pub strength: f64,
}

impl Hints {
    /// The arm's number.
    fn number(&self, arm: &Arm) -> Option<f64> {
        arm.with.get(&self.key)?.as_f64()
    }

    /// The hint of a context, and how far from it an arm may be to be nearest.
    fn nearest(&self, context: &str, arms: &[Arm]) -> Option<(f64, f64)> {
        let hint = self.contexts.get(context).copied().or(self.other)?;
        let distances = arms.iter().filter_map(|arm| self.number(arm)).map(|number| (number - hint).abs());
        // 0.3 and 0.5 are as near to 0.4, whatever their last bits say.
        distances.min_by(f64::total_cmp).map(|least| (hint, least + 1e-9 * hint.abs()))
    }
}

/// What `thompson` has learned.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Beliefs {
    /// The arms of each context, without their priors.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Evidence>>")]
    pub contexts: BTreeMap<String, NameMap<Evidence>>,
}

impl RoutingPolicy for Thompson {
    const NAME: &'static str = "thompson";
    const STABILITY: Stability = Stability::Beta;
    const LEARNS: Learns = Learns::Reward;
    type State = Beliefs;

    fn open(self) -> Result<Self> {
        check_positive("successes", self.successes)?;
        check_positive("failures", self.failures)?;
        check_share("failure_reward", self.failure_reward)?;
        if let Some(hints) = &self.hints {
            check_positive("hints.strength", hints.strength)?;
        }
        if self.discount <= 0.0 {
            return Err(Failure::InvalidConfig("`discount` is 0 or less, and would forget everything".to_owned()));
        }
        check_share("discount", self.discount)?;
        let has_beta_prior = (self.successes, self.failures) != (1.0, 1.0);
        if self.likelihood == Likelihood::Gaussian && has_beta_prior {
            return Err(Failure::InvalidConfig(
                "`successes` and `failures` are of a Beta prior, which `likelihood = \"gaussian\"` does not have: leave them out"
                    .to_owned(),
            ));
        }
        Ok(self)
    }

    fn check(&self, arms: &[Arm]) -> Result<()> {
        let Some(hints) = &self.hints else { return Ok(()) };
        match arms.iter().find(|arm| hints.number(arm).is_none()) {
            None => Ok(()),
            Some(arm) => Err(Failure::InvalidConfig(format!(
                "`hints.key` is `{}`, for which the arm `{}` has no number",
                hints.key, arm.name
            ))),
        }
    }

    fn decide(&self, state: &Beliefs, question: &Question) -> Result<Decision> {
        let arms = &question.arms;
        let context_evidence = state.contexts.get(&question.context);
        let hints = self.hints.as_ref();
        let context_hint = hints.and_then(|hints| Some((hints, hints.nearest(&question.context, arms)?)));
        // Plain Beta posteriors need nothing of the context's other arms.
        let context_rewards = (self.likelihood != Likelihood::Beta).then(|| {
            ContextRewards::of(context_evidence.into_iter().flat_map(NameMap::iter).map(|(_, evidence)| evidence))
        });
        let draw_for = |(index, arm): (usize, &Arm)| {
            let evidence =
                context_evidence.and_then(|evidence| evidence.get(&arm.name, index)).copied().unwrap_or_default();
            let bonus = context_hint.map_or(0.0, |(hints, (hint, reach))| {
                let is_nearest = hints.number(arm).is_some_and(|number| (number - hint).abs() <= reach);
                if is_nearest { hints.strength } else { 0.0 }
            });
            let mut random = DecisionRandom::of_arm(question.seed, &arm.name);
            let (successes, failures) = match (self.likelihood, context_rewards) {
                (Likelihood::Gaussian, Some(rewards)) => {
                    return Some(rewards.student_t(&evidence, bonus).draw(&mut random));
                }
                (Likelihood::CenteredBeta, Some(rewards)) if evidence.count() > 0.0 => {
                    let share = rewards.centered(evidence.successes / evidence.count());
                    (evidence.count() * share, evidence.count() * (1.0 - share))
                }
                _ => (evidence.successes, evidence.failures),
            };
            Some(random.beta(self.successes + bonus + successes, self.failures + failures))
        };
        let scores: Vec<_> = arms.iter().enumerate().map(draw_for).collect();
        Ok(Decision { arm: greatest(arms, &scores).unwrap_or_default(), scores })
    }

    fn learn(&self, state: &mut Beliefs, outcome: &Outcome) -> Result<()> {
        for (arm, reward) in rewards(outcome, self.failure_reward, Range::Share)? {
            let context_evidence = in_context(&mut state.contexts, &outcome.context);
            if self.discount < 1.0 {
                context_evidence.values_mut().for_each(|evidence| evidence.discount(self.discount));
            }
            context_evidence.entry(arm).add(reward);
        }
        Ok(())
    }

    fn examples() -> Vec<Example> {
        let state = json!({ "contexts": { "finance": {
            "alpha=0.2": { "successes": 0.25, "failures": 0.75, "squares": 0.0625, "rewards": 1 },
        } } });
        vec![Example {
            summary: "a reward of a quarter counts as a quarter of a success and three quarters of a failure"
                .to_owned(),
            config: json!({}),
            input: json!({ "learn": [
                { "context": "finance", "attempts": [{ "arm": "alpha=0.2" }], "reward": 0.25 },
                { "context": "finance", "attempts": [{ "arm": "alpha=0.5" }] },
            ] }),
            output: json!({ "state": state, "decisions": [] }),
        }]
    }
}
