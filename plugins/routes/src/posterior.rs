//! What `thompson` believes of an arm's mean reward, and a draw from it.

use jackfield_plugin_api::prelude::*;

use crate::{arm_statistics::Evidence, decision_random::DecisionRandom};

/// How the rewards of an arm are taken to vary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// As right and wrong do: a reward r is a success of weight r and a failure of weight 1 - r. Made for rewards of 0 and 1; of
    /// rewards that vary by less, it believes less than they say, and tries bad arms for longer.
    #[default]
    Beta,
    /// As `beta`, once a reward is centred by its context and scaled: it counts as .5 plus its distance from the mean of the
    /// context's rewards, divided by twice their standard deviation, within 0 to 1.
    CenteredBeta,
    /// Around a mean by an amount that is learned too: a normal distribution of unknown mean and variance. The prior is centred
    /// by the context: an arm's mean is drawn around that of the context's rewards until it has its own.
    Gaussian,
}

/// The variance that rewards are taken to have before there are any: that of numbers anywhere in 0 to 1. It counts as one reward.
const UNKNOWN_VARIANCE: f64 = 1.0 / 12.0;
/// How many rewards the Gaussian prior's mean is worth.
const PRIOR_REWARDS: f64 = 1.0;
/// How many degrees of freedom the Gaussian prior's variance is worth.
const PRIOR_DEGREES: f64 = 4.0;

/// The rewards of all arms of a context.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ContextRewards {
    /// Their mean; .5 of none.
    mean: f64,
    /// Their variance around it.
    variance: f64,
    /// Their variance around the mean of the arm of each.
    variance_within_arms: f64,
}

impl ContextRewards {
    pub(crate) fn of<'a>(arms: impl IntoIterator<Item = &'a Evidence>) -> Self {
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        let (mut degrees, mut squares_within) = (0.0, 0.0);
        for evidence in arms {
            count += evidence.count();
            sum += evidence.successes;
            squares += evidence.squares();
            degrees += (evidence.count() - 1.0).max(0.0);
            squares_within += evidence.squared_deviations();
        }
        let mean = if count > 0.0 { sum / count } else { 0.5 };
        let squares_around_mean = (squares - sum * mean).max(0.0);
        Self {
            mean,
            variance: (UNKNOWN_VARIANCE + squares_around_mean) / (1.0 + count),
            variance_within_arms: (UNKNOWN_VARIANCE + squares_within) / (1.0 + degrees),
        }
    }

    /// The share of successes that the mean of `centered-beta` counts as.
    pub(crate) fn centered(&self, mean: f64) -> f64 {
        (0.5 + (mean - self.mean) / (2.0 * self.variance.sqrt())).clamp(0.0, 1.0)
    }

    /// The Gaussian posterior of an arm's mean, whose prior is worth `hint` rewards more if it is hinted at: each of them one
    /// standard deviation above the context's mean.
    ///
    /// Normal-inverse-gamma (DeGroot 1970): the mean has Student's t distribution. The prior's variance is that of the context's
    /// rewards within arms. A proper prior of the variance keeps an arm whose few rewards happen to be alike from being given up
    /// for ever, which Honda and Takemura (2014) show of the reference prior.
    pub(crate) fn student_t(&self, evidence: &Evidence, hint: f64) -> StudentT {
        let prior_count = PRIOR_REWARDS + hint;
        let prior_mean = self.mean + self.variance_within_arms.sqrt() * hint / prior_count;
        let count = evidence.count();
        let total = prior_count + count;
        let degrees = PRIOR_DEGREES + count;
        let distance = if count > 0.0 { evidence.successes / count - prior_mean } else { 0.0 };
        let squares = PRIOR_DEGREES * self.variance_within_arms
            + evidence.squared_deviations()
            + prior_count * count / total * distance * distance;
        StudentT { degrees, location: prior_mean + count / total * distance, scale: (squares / degrees / total).sqrt() }
    }
}

/// Student's t distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StudentT {
    /// Degrees of freedom, above 0.
    pub(crate) degrees: f64,
    /// Its median.
    pub(crate) location: f64,
    /// How wide it is.
    pub(crate) scale: f64,
}

impl StudentT {
    pub(crate) fn draw(&self, random: &mut DecisionRandom) -> f64 {
        self.location + self.scale * random.student_t(self.degrees)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn evidence(rewards: &[f64]) -> Evidence {
        let mut evidence = Evidence::default();
        rewards.iter().for_each(|&reward| evidence.add(reward));
        evidence
    }

    #[test]
    fn the_gaussian_posterior_is_the_closed_form() {
        // By hand: means .3 and .7, deviations .02 and .02; variance (1/12 + .04) / (1 + 2).
        let (low, high) = (evidence(&[0.2, 0.4]), evidence(&[0.6, 0.8]));
        let context = ContextRewards::of([&low, &high]);
        let variance = (1.0 / 12.0 + 0.04) / 3.0;
        assert!((context.mean - 0.5).abs() < 1e-12 && (context.variance_within_arms - variance).abs() < 1e-12);
        let StudentT { degrees, location, scale } = context.student_t(&low, 0.0);
        assert_eq!(degrees, 6.0);
        assert!((location - (0.5 + 2.0 * 0.3) / 3.0).abs() < 1e-12, "{location}");
        let squares = 4.0 * variance + 0.02 + 2.0 / 3.0 * 0.04;
        assert!((scale - (squares / 6.0 / 3.0).sqrt()).abs() < 1e-12, "{scale}");
    }

    #[test]
    fn an_arm_without_rewards_is_believed_to_be_as_its_context_and_a_hinted_one_better() {
        let context = ContextRewards::of([&evidence(&[0.2, 0.3, 0.25])]);
        let unknown = context.student_t(&Evidence::default(), 0.0);
        assert!((unknown.location - 0.25).abs() < 1e-12);
        let hinted = context.student_t(&Evidence::default(), 2.0);
        assert!(hinted.location > unknown.location && hinted.scale < unknown.scale);
    }

    proptest! {
        #[test]
        fn rewards_moved_and_squeezed_are_centred_to_the_same(
            low in prop::collection::vec(0_u8..=20, 1..30), high in prop::collection::vec(0_u8..=20, 1..30),
        ) {
            let arms = |base: f64, width: f64| {
                let rewards = |ticks: &[u8]| ticks.iter().map(|&tick| base + width * f64::from(tick) / 20.0).collect::<Vec<_>>();
                [evidence(&rewards(&low)), evidence(&rewards(&high))]
            };
            let order = |arms: [Evidence; 2]| {
                let context = ContextRewards::of(&arms);
                let centered = arms.each_ref().map(|arm| context.centered(arm.successes / arm.count()));
                let located = arms.each_ref().map(|arm| context.student_t(arm, 0.0).location - context.mean);
                (centered, located)
            };
            let (wide, moved) = (order(arms(0.0, 0.5)), order(arms(0.5, 0.5)));
            for (one, other) in [(wide.0, moved.0), (wide.1, moved.1)] {
                for (one, other) in one.iter().zip(other) {
                    prop_assert!((one - other).abs() < 1e-9, "{one} {other}");
                }
            }
            // Of less spread, the same arm is ahead.
            let (narrow, _) = order(arms(0.45, 0.05));
            prop_assert_eq!(wide.0[0] > wide.0[1] + 1e-9, narrow[0] > narrow[1] + 1e-9);
        }
    }
}
