//! What graders read and answer.

use jackfield_plugin_api::prelude::*;

use crate::plain::Expected;

/// What most graders read: an answer, and what it should be.
#[derive(Clone, Debug, Document)]
pub struct Answered {
    /// The answer: a text, or any JSON value, which is read as the text that it is written as. Null did not pass.
    #[serde(default)]
    #[schemars(extend("x-never-off" = true))]
    pub answer: Value,
    /// What it should be: a text, a number, a truth value, or a list of what is acceptable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// What graders answer.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Grade {
    /// How good the answer is: 0 is wrong, 1 is right.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: f64,
    /// Whether it is good enough.
    pub passed: bool,
    /// Why, in a few words.
    pub reason: String,
}

/// The reason of an answer that is not there.
pub(crate) const NO_ANSWER: &str = "there is no answer";

impl Grade {
    /// Right or wrong.
    pub(crate) fn of(passed: bool, reason: impl Into<String>) -> Self {
        Self { score: f64::from(u8::from(passed)), passed, reason: reason.into() }
    }

    /// The grade of an answer that is not there.
    pub(crate) fn no_answer() -> Self {
        Self::of(false, NO_ANSWER)
    }
}

/// A score to six decimal places: what a person reads, and the same in each form of this plugin.
pub(crate) fn six_places(value: f64) -> f64 {
    (value * 1e6).round() / 1e6 + 0.0
}

/// Whether a share such as a threshold is one.
///
/// # Errors
/// [`Failure::InvalidConfig`], with the name of the setting.
pub(crate) fn check_share(name: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Failure::InvalidConfig(format!("`{name}` is {value}: it must be 0 to 1")))
}

#[cfg(test)]
pub(crate) mod testing {
    use jackfield_plugin_api::{
        Kind,
        testing::{FakeHost, call},
    };

    use super::*;

    /// Runs a grader without a model.
    pub(crate) fn run(name: &str, config: Value, input: Value) -> Result<Value> {
        call(Kind::Analyzer, name, config, input, &FakeHost::default())
    }

    /// Whether an answer passes, and why.
    #[track_caller]
    pub(crate) fn verdict(name: &str, config: Value, input: Value) -> (bool, String) {
        let grade = run(name, config, input).expect("a grade");
        (grade["passed"].as_bool().expect("a truth value"), grade["reason"].as_str().expect("a reason").to_owned())
    }
}
