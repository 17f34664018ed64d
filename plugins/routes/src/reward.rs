//! The rewards of an outcome for the arms that were tried, and their ranges.

use jackfield_plugin_api::prelude::*;

/// How far a reward may lie outside its range by rounding.
const ROUNDING: f64 = 1e-9;

/// A reward of 0 to 1; what rounding puts just outside is brought back.
fn check_unit_reward(reward: f64) -> Result<f64> {
    if (-ROUNDING..=1.0 + ROUNDING).contains(&reward) {
        return Ok(reward.clamp(0.0, 1.0));
    }
    Err(Failure::InvalidInput(format!("the reward {reward} lies outside 0 to 1: scale it in the stage that gives it")))
}

/// A reward of any size.
fn check_finite_reward(reward: f64) -> Result<f64> {
    if reward.is_finite() {
        return Ok(reward);
    }
    Err(Failure::InvalidInput(format!("the reward {reward} is not finite: arms cannot be compared by it")))
}

/// How large rewards are.
#[derive(Clone, Copy)]
pub(crate) enum Range {
    /// 0 to 1.
    Share,
    /// Any finite number.
    Any,
}

impl Range {
    fn check(self, reward: f64) -> Result<f64> {
        match self {
            Self::Share => check_unit_reward(reward),
            Self::Any => check_finite_reward(reward),
        }
    }
}

/// The reward of each arm that the outcome reports: `failure` for one that failed, the outcome's for the one that was used.
///
/// Checked before anything is learned, so that an outcome is learned as a whole or not at all.
pub(crate) fn rewards(outcome: &Outcome, failure: f64, range: Range) -> Result<impl Iterator<Item = (&str, f64)>> {
    let reward = outcome.reward.map(|reward| range.check(reward)).transpose()?;
    Ok(outcome.failed().map(move |arm| (arm, failure)).chain(outcome.used().zip(reward)))
}

/// Refuses a number of the configuration outside of 0 to 1.
pub(crate) fn check_share(name: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Failure::InvalidConfig(format!("`{name}` is {value}: it must be 0 to 1")))
}

/// Refuses a number of the configuration that is not above 0 and at most 1e9.
pub(crate) fn check_positive(name: &str, value: f64) -> Result<()> {
    if value > 0.0 && value <= 1e9 {
        return Ok(());
    }
    Err(Failure::InvalidConfig(format!("`{name}` is {value}: it must be above 0 and at most 1e9")))
}
