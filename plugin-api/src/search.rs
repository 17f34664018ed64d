//! The questions and outcomes that a search policy is given, and its answers. A search policy is a routing policy that picks
//! values from a space, where others pick an arm.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Descriptor, Outcome, Study, Values};

/// Asks for the values of a trial, or whether a trial is to go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchQuestion {
    /// Number of the trial, from 0.
    pub trial: u64,
    /// Values of the earlier trials whose outcomes are not known yet, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Values>,
    /// The seed of all random choices. It derives from the seed of the run and the number of the trial.
    pub seed: u64,
    /// What the trial has reported so far, where it is asked whether it goes on; empty where its values are asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<f64>,
}

/// The work of a search policy, as a document: it learns from the outcomes, then answers all questions from what is known
/// then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchRequest<E = Value> {
    /// What the search is about.
    pub study: Study,
    /// What is known: what earlier answers appended, one entry an outcome, in the order of the trials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<E>,
    /// Outcomes of the trials that come next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learn: Vec<Outcome>,
    /// Questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decide: Vec<SearchQuestion>,
}

/// What a [`SearchRequest`] gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchAnswer<E = Value> {
    /// One entry for each outcome that was learned, in order: the state grows by them, and by nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub append: Vec<E>,
    /// One for each question, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<SearchDecision>,
}

/// What a [`SearchQuestion`] gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchDecision {
    /// The values of the trial; empty where it was asked whether a trial goes on.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// Whether the trial is to be stopped.
    #[serde(default)]
    pub stop: bool,
}

/// What a routing policy picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Picks {
    /// An arm of a stage's route.
    Arms,
    /// Values of a search's space.
    Values,
}

impl Picks {
    /// Where it stands in the schema of a policy's input documents; arms where it does not.
    pub(crate) const KEY: &'static str = "x-picks";
    pub(crate) const VALUES: &'static str = "values";

    /// What the described policy picks.
    #[must_use]
    pub fn from_descriptor(descriptor: &Descriptor) -> Self {
        match descriptor.input.get(Self::KEY).and_then(Value::as_str) {
            Some(Self::VALUES) => Self::Values,
            _ => Self::Arms,
        }
    }
}
