//! The questions and outcomes that a routing policy is given, and its answers.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Descriptor, Values};

/// Something a stage can run with: what a policy picks from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Arm {
    /// The name, unique among the arms, such as `alpha=0.2` or a model's name. What is learned is kept under it, so that
    /// arms can be added, removed and reordered from run to run.
    pub name: String,
    /// The configuration that the arm lays over the stage's own: an object, empty for an arm that is a name alone.
    #[serde(default)]
    pub with: Value,
}

/// Asks for an arm.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What the item has in common with others that are best served by the same arm, such as a domain; empty where the
    /// route has no context.
    pub context: String,
    /// The arms, in the order of the pipeline, at least one.
    pub arms: Arc<[Arm]>,
    /// Indices of the arms that failed for good for this item, in the order in which they were tried.
    pub tried: Vec<u32>,
    /// The decisions about earlier items whose outcomes are not known yet, in the order of the items. Which those are depends
    /// on the route alone, and not on how fast items are done.
    pub pending: Vec<Arc<PendingDecision>>,
    /// The seed of all random choices.
    pub seed: u64,
}

/// A decision whose outcome is not known yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PendingDecision {
    /// The question's context.
    #[serde(default)]
    pub context: String,
    /// Name of the arm that was picked first.
    pub arm: String,
}

/// The choice of an arm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Index of the arm in the question's list.
    pub arm: u32,
    /// What the arms were compared by, one number per arm in the order of the list; null for an arm that was not
    /// compared. Finite. For reports alone; empty where the policy compares nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Option<f64>>,
}

impl Decision {
    /// The choice of the arm at this index, without scores.
    #[must_use]
    pub const fn for_arm(arm: u32) -> Self {
        Self { arm, scores: Vec::new() }
    }
}

/// An attempt of a stage with an arm, for an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Name of the arm.
    pub arm: String,
    /// Whether the stage failed for good with it.
    #[serde(default)]
    pub failed: bool,
}

/// One of several measures of an outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Objective {
    /// The name, such as `cost`.
    pub name: String,
    /// The value; finite.
    pub value: f64,
    /// Whether less is better.
    #[serde(default)]
    pub minimize: bool,
}

/// What came of a decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The question's context.
    #[serde(default)]
    pub context: String,
    /// The arms that the item was tried with, in order. The last one is what the item used, unless it failed as well. Empty
    /// where values were picked and not an arm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// How well the item fared; absent where that never came, or the policy does not learn from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f64>,
    /// How well the item fared by several measures; empty as `reward` is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<Objective>,
    /// Number of the trial, where values were picked and not an arm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<u64>,
    /// The values that were picked; empty where an arm was.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// What the trial reported before it was done, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<f64>,
    /// Whether the trial was stopped after its last report. One that is neither pruned nor has objectives failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pruned: bool,
}

impl Outcome {
    /// Name of the arm that the item used; none if every attempt failed.
    #[must_use]
    pub fn used(&self) -> Option<&str> {
        self.attempts.last().filter(|last| !last.failed).map(|last| last.arm.as_str())
    }

    /// Names of the arms that failed, in the order in which they were tried.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        self.attempts.iter().filter(|attempt| attempt.failed).map(|attempt| attempt.arm.as_str())
    }
}

/// What an outcome has to carry for a policy to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Learns {
    /// Its attempts alone.
    Nothing,
    /// A reward.
    Reward,
    /// Objectives.
    Objectives,
}

impl Learns {
    /// Where it stands in the schema of a policy's input documents.
    pub(crate) const KEY: &'static str = "x-learns";

    /// The name on the record, such as `reward`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Reward => "reward",
            Self::Objectives => "objectives",
        }
    }

    /// What the described policy learns from: `x-learns` at the root of the schema of its input. None where that is absent,
    /// as it is for every other kind, or unknown.
    #[must_use]
    pub fn from_descriptor(descriptor: &Descriptor) -> Option<Self> {
        let name = descriptor.input.get(Self::KEY)?.as_str()?;
        [Self::Nothing, Self::Reward, Self::Objectives].into_iter().find(|learns| learns.name() == name)
    }
}

/// The work of a policy, as a document: it checks the arms, learns from the outcomes, then answers all questions from the
/// state after the last outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRequest<S = Value> {
    /// What was learned so far, as the last answer gave it; absent or null for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<S>,
    /// The arms; may be left out of a request that asks nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<Arm>,
    /// Outcomes, in the order of the items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learn: Vec<Outcome>,
    /// Questions about these arms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decide: Vec<PolicyQuestion>,
    /// Whether the questions are asked after a failure: an answer may then be that there is no other arm.
    #[serde(default)]
    pub again: bool,
}

/// A question in a document, where the arms stand beside it: see [`Question`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyQuestion {
    /// See [`Question::context`].
    #[serde(default)]
    pub context: String,
    /// See [`Question::tried`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<u32>,
    /// See [`Question::pending`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<PendingDecision>,
    /// See [`Question::seed`].
    pub seed: u64,
}

/// What a [`PolicyRequest`] gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyAnswer<S = Value> {
    /// What is learned by now.
    pub state: S,
    /// One decision per question, in order; null where no arm is left to try.
    pub decisions: Vec<Option<Decision>>,
}
