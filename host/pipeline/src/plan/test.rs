//! A test of a pipeline, ready to run: the stages that it speaks of and all that they read, over its one item.

use std::path::PathBuf;

use serde_json::Value;

use super::{
    input::{InputPlan, max_item_size},
    pipeline_plan::Plan,
    wire::Wire,
};

/// A test of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct TestPlan {
    /// The name.
    pub name: String,
    /// What runs: of the pipeline, the stages that the test needs, over its one item. No result is kept from run to run.
    pub plan: Plan,
    /// What has to come out, in the order of the text.
    pub expect: Vec<Expectation>,
    /// The stages that have to fail, by index, each with a part of its message.
    pub fails: Vec<(usize, String)>,
}

/// What has to come out.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The wire as it is written.
    pub text: String,
    /// The wire.
    pub wire: Wire,
    /// The part of its value that is expected.
    pub part: Value,
}

/// The one item of a test.
pub(crate) enum TestItem {
    /// There is none: no stage of the test depends on an item.
    None,
    /// This value.
    Value(Value),
    /// This file.
    File(PathBuf),
}

impl TestItem {
    pub(crate) fn into_input(self, like: &InputPlan) -> InputPlan {
        let id = match like {
            InputPlan::Jsonl { id, .. } | InputPlan::Csv { id, .. } | InputPlan::Inline { id, .. } => id.clone(),
            InputPlan::Files { .. } => Some("name".to_owned()),
            InputPlan::Json { .. } => Some("id".to_owned()),
            InputPlan::Trials { .. } => Some("trial".to_owned()),
        };
        match self {
            Self::None => InputPlan::Inline { items: Vec::new(), id: None },
            Self::Value(item) => InputPlan::Inline { items: vec![item], id },
            Self::File(path) => {
                let patterns = vec![glob::Pattern::escape(&path.to_string_lossy())];
                let max_item_size = match like {
                    InputPlan::Files { max_item_size, .. } => *max_item_size,
                    _ => max_item_size(),
                };
                InputPlan::Files { patterns, max_item_size }
            }
        }
    }
}
