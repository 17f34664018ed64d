//! The policy `fallback`, which picks the first arm that has not failed too often.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::name_map::NameMap;

/// Picks the first arm that has not failed too often in a row, and on failure the next.
///
/// An arm's circuit (Nygard 2007, "Release It!") opens after so many failures in a row: the arm is passed over. After so
/// many outcomes one item probes it: if the arm answers, its circuit is closed, otherwise it stays open as long again.
/// Where every circuit is open, the first arm that was not tried is probed. Everything is counted in outcomes, never in
/// time, and over all contexts.
#[derive(Clone, Debug, Config)]
pub struct Fallback {
    /// Failures in a row that open an arm's circuit; at least 1.
    #[config(default = 3)]
    #[schemars(range(min = 1))]
    pub failures: u32,
    /// Outcomes that an open circuit waits for before a probe; at least 1.
    #[config(default = 20)]
    #[schemars(range(min = 1))]
    pub probe_after: u32,
}

/// What `fallback` knows of the arms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Document)]
pub struct Circuits {
    /// Outcomes so far.
    #[serde(default)]
    pub outcomes: u64,
    /// The arms whose last attempt failed.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Circuit>")]
    pub arms: NameMap<Circuit>,
}

/// An arm that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
pub struct Circuit {
    /// Failures in a row, up to the last.
    pub failures: u32,
    /// The outcome, counted from 1, that brought the last failure.
    pub at: u64,
}

impl Fallback {
    /// The first arm not tried that can be called, or else the first not tried.
    fn next_arm(&self, state: &Circuits, question: &Question) -> Option<u32> {
        let untried = || (0..).zip(question.arms.iter()).filter(|(index, _)| !question.tried.contains(index));
        let is_callable = |&(index, arm): &(u32, &Arm)| match state.arms.get(&arm.name, index as usize) {
            Some(circuit) if circuit.failures >= self.failures => {
                state.outcomes.saturating_sub(circuit.at) >= u64::from(self.probe_after)
            }
            _ => true,
        };
        untried().find(is_callable).or_else(|| untried().next()).map(|(index, _)| index)
    }
}

impl RoutingPolicy for Fallback {
    const NAME: &'static str = "fallback";
    const STABILITY: Stability = Stability::Beta;
    const LEARNS: Learns = Learns::Nothing;
    type State = Circuits;

    fn open(self) -> Result<Self> {
        if self.failures == 0 || self.probe_after == 0 {
            return Err(Failure::InvalidConfig("`failures` and `probe_after` are at least 1".to_owned()));
        }
        Ok(self)
    }

    fn decide(&self, state: &Circuits, question: &Question) -> Result<Decision> {
        Ok(Decision::for_arm(self.next_arm(state, question).unwrap_or_default()))
    }

    fn decide_again(&self, state: &Circuits, question: &Question) -> Result<Option<Decision>> {
        Ok(self.next_arm(state, question).map(Decision::for_arm))
    }

    fn learn(&self, state: &mut Circuits, outcome: &Outcome) -> Result<()> {
        state.outcomes = state.outcomes.saturating_add(1);
        for attempt in &outcome.attempts {
            if attempt.failed {
                let circuit = state.arms.entry(&attempt.arm);
                circuit.failures = circuit.failures.saturating_add(1);
                circuit.at = state.outcomes;
            } else {
                state.arms.remove(&attempt.arm);
            }
        }
        Ok(())
    }

    fn examples() -> Vec<Example> {
        let arms = json!([{ "name": "dear", "with": {} }, { "name": "cheap", "with": {} }]);
        let outcome = json!({ "attempts": [{ "arm": "dear", "failed": true }, { "arm": "cheap" }] });
        vec![Example {
            summary: "an arm that failed twice in a row is passed over".to_owned(),
            config: json!({ "failures": 2 }),
            input: json!({ "arms": arms, "learn": [outcome, outcome], "decide": [{ "seed": 0 }] }),
            output: json!({
                "state": { "outcomes": 2, "arms": { "dear": { "failures": 2, "at": 2 } } },
                "decisions": [{ "arm": 1 }],
            }),
        }]
    }
}
