//! What the searches' examples have in common.

use jackfield_plugin_api::prelude::*;

/// Outcomes of trials of one value and one objective, less of which is better: as they are learned and appended.
pub(crate) fn outcomes(name: &str, goal: &str, trials: &[(Value, f64)]) -> Vec<Value> {
    let outcome = |(at, (value, found)): (usize, &(Value, f64))| {
        json!({
            "context": "",
            "trial": at,
            "values": { name: value },
            "objectives": [{ "name": goal, "value": found, "minimize": true }],
        })
    };
    trials.iter().enumerate().map(outcome).collect()
}
