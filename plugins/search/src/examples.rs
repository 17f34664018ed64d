//! Parts that the worked examples of the searches share.

use jackfield_plugin_api::prelude::*;

/// Outcomes of trials of one value and one objective, less of which is better: as they are learned and appended.
pub(crate) fn outcomes(name: &str, goal: &str, trials: &[(Value, f64)]) -> Vec<Value> {
    let outcome = |(index, (value, loss)): (usize, &(Value, f64))| {
        json!({
            "context": "",
            "trial": index,
            "values": { name: value },
            "objectives": [{ "name": goal, "value": loss, "minimize": true }],
        })
    };
    trials.iter().enumerate().map(outcome).collect()
}
