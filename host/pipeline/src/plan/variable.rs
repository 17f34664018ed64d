//! Variables of the environment that a pipeline takes values from.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A variable of the environment that `[params]` names. Its value is where the parameter is used; here is that it came from
/// outside, so that a run can say what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: String,
    /// What it stands for: a text, a number or a truth value. Never a secret, which is refused.
    pub value: Value,
    /// Whether it was set; if not, the value is the default.
    pub is_set: bool,
    /// The default, if the pipeline has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The parameters that name it.
    pub parameters: Vec<String>,
    /// The keys of the pipeline whose values the parameters are part of, dotted: `stages.plan.with.draws`.
    pub used_by: Vec<String>,
}

impl EnvironmentVariable {
    /// What it stands for, as a text.
    #[must_use]
    pub fn text(&self) -> String {
        self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned)
    }

    /// Whether its value can change a result: not if all that it reaches is how fast and how often something is called, what that
    /// may cost, or where files lie.
    #[must_use]
    pub fn can_change_results(&self) -> bool {
        self.used_by.iter().any(|place| {
            let steps: Vec<&str> = place.split(['.', '[']).collect();
            match steps.as_slice() {
                ["pipeline", key, ..] => ["name", "seed"].contains(key),
                ["input", key, ..] => *key != "path" && *key != "count" && *key != "max_item_size",
                ["model" | "cache", _, key, ..] => ["use", "with"].contains(key),
                ["stages", _, key, ..] => {
                    !["timeout", "retry", "concurrency", "batch", "limits", "deferred", "cache", "store", "export"]
                        .contains(key)
                }
                ["search", ..] => true,
                _ => false,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_only_speed_and_money_changes_no_result() {
        let variable = |place: &str| EnvironmentVariable {
            name: "N".to_owned(),
            value: Value::from(1),
            is_set: true,
            default: None,
            parameters: vec!["n".to_owned()],
            used_by: vec![place.to_owned()],
        };
        for place in ["stages.plan.with.draws", "model.judge.with.name", "pipeline.seed", "stages.a.route.arms[0].x"] {
            assert!(variable(place).can_change_results(), "{place}");
        }
        for place in ["model.judge.concurrency", "model.judge.price.input", "cache.a.tiers[0].ttl", "stages.a.batch"] {
            assert!(!variable(place).can_change_results(), "{place}");
        }
    }
}
