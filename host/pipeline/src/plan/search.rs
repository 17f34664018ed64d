//! The plan of a search: what picks the values that a trial's stages run with, and from what.

use std::{path::PathBuf, time::Duration};

use jackfield_plugin_api::{Study, Values};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    config_identity::{PathIdentities, identity_of},
    extension::ExtensionRef,
    route::ObjectivePlan,
    stage::StagePlan,
    wire::Wire,
};

/// How the values of a trial are picked, and what is learned from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchPlan {
    /// The policy that picks them.
    pub extension: ExtensionRef,
    /// The policy's `with` table.
    pub config: Value,
    /// What replaces the paths in it where configurations are compared.
    #[serde(default, skip_serializing_if = "PathIdentities::is_empty")]
    pub paths: PathIdentities,
    /// What the search is about: the space, what is to be made less or more, and how many reports a trial makes. The space is
    /// in the order of the text, but that what a condition is on comes before what depends on it.
    pub study: Study,
    /// The numbers to learn from, once the trial is done: one for each goal of the study, in its order.
    pub objectives: Vec<ObjectivePlan>,
    /// The numbers that a trial reports before it is done, in the order of the stages: after each, the policy is asked whether
    /// the trial goes on.
    pub reports: Vec<Wire>,
    /// Values that the first trials take, in place of the policy's: each fits the study.
    pub points: Vec<Values>,
    /// Decisions that may wait for what comes of them, at least 1: the values of a trial are picked by what came of all trials
    /// but the last `in_flight` - 1 before it.
    pub in_flight: u64,
    /// What ends the search before all its trials are made.
    pub stop: SearchStop,
    /// The study that is kept from run to run.
    pub keep: Option<StudyFile>,
    /// Which key of which stage each dimension is, in the order of the space.
    pub targets: Vec<SearchTarget>,
}

/// What ends a search before all its trials are made: whichever comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchStop {
    /// Time since the run began.
    pub time: Option<Duration>,
    /// What the run spent on models, in US dollars.
    pub cost_usd: Option<f64>,
    /// Trials in a row by which the Pareto front did not change, at least 1.
    pub unchanged: Option<u64>,
}

/// The file in which a study is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyFile {
    /// The name.
    pub name: String,
    /// The file, absolute.
    pub path: PathBuf,
}

/// A key of a stage's `with` that is searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchTarget {
    /// The stage, by index.
    pub stage: usize,
    /// Name of the dimension in the space, such as `ablation.max_weight`.
    pub dimension: String,
    /// The way to the key from the stage's `with`; never empty.
    pub path: Vec<String>,
}

impl SearchPlan {
    /// The policy's configuration as it is compared: with digests in place of paths.
    #[must_use]
    pub fn config_identity(&self) -> Value {
        identity_of(&self.config, &self.paths)
    }

    /// Whether values are laid over the configuration of the stage of this index.
    #[must_use]
    pub fn varies(&self, stage: usize) -> bool {
        self.targets.iter().any(|target| target.stage == stage)
    }
}

impl StagePlan {
    /// The stage, which has this index in its plan, with those of a trial's values that are its own laid over its
    /// configuration: what is opened and called for the trial.
    #[must_use]
    pub fn with_values(&self, search: &SearchPlan, index: usize, values: &Values) -> Self {
        let mut stage = self.clone();
        for target in search.targets.iter().filter(|target| target.stage == index) {
            let Some(value) = values.get(&target.dimension) else { continue };
            lay_over(&mut stage.config, &target.path, value.clone());
            // The digest was of the value that is replaced. That a key does not change results still holds.
            let pointer = pointer(&target.path);
            stage.paths.retain(|at, replacement| {
                replacement.is_null()
                    || at.strip_prefix(&pointer).is_none_or(|rest| !(rest.is_empty() || rest.starts_with('/')))
            });
        }
        stage
    }
}

/// The JSON pointer of a key.
pub(crate) fn pointer(path: &[String]) -> String {
    path.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect()
}

/// Sets the value at a path of keys; whatever is not a table on the path becomes one.
pub(crate) fn lay_over(config: &mut Value, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *config = value;
        return;
    };
    if !config.is_object() {
        *config = Value::Object(Map::new());
    }
    if let Some(table) = config.as_object_mut() {
        lay_over(table.entry(first).or_insert(Value::Null), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_laid_over_what_is_there_and_tables_are_made_on_the_way() {
        let laid = |mut config: Value, path: &[&str], value: Value| {
            lay_over(&mut config, &path.iter().map(ToString::to_string).collect::<Vec<_>>(), value);
            config
        };
        assert_eq!(laid(json!({"a": 1, "b": 2}), &["a"], json!(3)), json!({"a": 3, "b": 2}));
        assert_eq!(laid(json!({}), &["a", "b"], json!([1])), json!({"a": {"b": [1]}}));
        assert_eq!(laid(json!({"a": "x"}), &["a", "b"], json!(1)), json!({"a": {"b": 1}}));
        assert_eq!(laid(json!({"a": {"c": 0}}), &["a", "b"], json!(1)), json!({"a": {"c": 0, "b": 1}}));
    }

    #[test]
    fn a_key_of_odd_characters_has_a_pointer() {
        assert_eq!(pointer(&["a/b".to_owned(), "~".to_owned()]), "/a~1b/~0");
    }
}
