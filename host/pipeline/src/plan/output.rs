//! What is written and shown besides the results.

use serde::{Deserialize, Serialize};

use super::wire::Wire;

/// Which calls of models are on the record word for word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordedCalls {
    /// All: each request of a stage and its answer.
    Full,
    /// Those of calls that failed, and those that failed themselves.
    #[default]
    Failures,
    /// None.
    None,
}

impl RecordedCalls {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What is written for each item, and of all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputPlan {
    /// Whether `items/<item>/<stage>.json` are written.
    pub item_files: bool,
    /// Further files of an item: a name and the wire whose value it holds (a string as it is, anything else as JSON).
    pub files: Vec<(String, Wire)>,
    /// Files of the run: a name and the wire to the objects whose members it holds, those of all items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<(String, Wire)>,
    /// What is shown of an item on the screen as soon as it is known: a name and the wire whose value it is.
    #[serde(default)]
    pub show: Vec<(String, Wire)>,
}
