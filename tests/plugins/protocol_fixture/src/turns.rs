//! The kind `routing-policy`.

use jackfield_plugin_api::prelude::*;

/// Picks each arm in turn, by how many outcomes are in and how many are still to come.
#[derive(Config)]
pub struct Turns {}

impl RoutingPolicy for Turns {
    const NAME: &'static str = "witness-turns";
    const STABILITY: Stability = Stability::Stable;
    const LEARNS: Learns = Learns::Nothing;
    /// Outcomes so far.
    type State = u64;

    fn decide(&self, state: &u64, question: &Question) -> Result<Decision> {
        let turn = state + question.pending.len() as u64;
        Ok(Decision::for_arm((turn % question.arms.len() as u64) as u32))
    }

    fn decide_again(&self, _: &u64, question: &Question) -> Result<Option<Decision>> {
        let left = (0..question.arms.len() as u32).find(|arm| !question.tried.contains(arm));
        Ok(left.map(Decision::for_arm))
    }

    fn learn(&self, state: &mut u64, _: &Outcome) -> Result<()> {
        *state += 1;
        Ok(())
    }
}

export_plugin!(policies: Turns);
