//! The policy `round-robin`, which picks each arm in turn.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::arm_statistics::in_context;

/// Picks each arm in turn, in the order of the list; each context has turns of its own.
///
/// A turn is over when it is decided about, whatever comes of it: fifty items have two arms 25 times each, however many of
/// them are in work at a time.
#[derive(Clone, Debug, Config)]
pub struct RoundRobin {}

/// How far `round-robin` has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Document)]
pub struct Turns {
    /// Outcomes of each context.
    #[serde(default)]
    pub contexts: BTreeMap<String, u64>,
}

impl RoutingPolicy for RoundRobin {
    const NAME: &'static str = "round-robin";
    const STABILITY: Stability = Stability::Beta;
    const LEARNS: Learns = Learns::Nothing;
    type State = Turns;

    fn decide(&self, state: &Turns, question: &Question) -> Result<Decision> {
        let learned = state.contexts.get(&question.context).copied().unwrap_or_default();
        let pending = question.pending.iter().filter(|decision| decision.context == question.context).count();
        let decision_count = learned.wrapping_add(pending as u64);
        let index = decision_count.checked_rem(question.arms.len() as u64).unwrap_or_default();
        Ok(Decision::for_arm(index as u32))
    }

    fn learn(&self, state: &mut Turns, outcome: &Outcome) -> Result<()> {
        let outcome_count = in_context(&mut state.contexts, &outcome.context);
        *outcome_count = outcome_count.wrapping_add(1);
        Ok(())
    }

    fn examples() -> Vec<Example> {
        let arms = json!([{ "name": "a", "with": {} }, { "name": "b", "with": {} }]);
        let outcome = json!({ "context": "finance", "attempts": [{ "arm": "a" }] });
        vec![
            Example {
                summary: "after one outcome, the second arm is next, and in another context the first".to_owned(),
                config: json!({}),
                input: json!({
                    "arms": arms, "learn": [outcome],
                    "decide": [{ "context": "finance", "seed": 0 }, { "context": "health", "seed": 0 }],
                }),
                output: json!({ "state": { "contexts": { "finance": 1 } }, "decisions": [{ "arm": 1 }, { "arm": 0 }] }),
            },
            Example {
                summary: "a decision whose outcome is not in counts as well".to_owned(),
                config: json!({}),
                input: json!({
                    "arms": arms,
                    "decide": [{ "context": "health", "pending": [{ "context": "health", "arm": "a" }], "seed": 0 }],
                }),
                output: json!({ "state": { "contexts": {} }, "decisions": [{ "arm": 1 }] }),
            },
        ]
    }
}
