//! Where the items of a run come from.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where items come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InputPlan {
    /// Each file is an item: `{path, name, text}`.
    Files {
        /// Glob patterns, absolute.
        patterns: Vec<String>,
        /// The most bytes of an item; a larger one fails alone.
        #[serde(default = "max_item_size")]
        max_item_size: u64,
    },
    /// Each line is an item, a JSON value.
    Jsonl {
        /// Glob patterns, absolute.
        patterns: Vec<String>,
        /// The field that is the item's id; its position otherwise.
        id: Option<String>,
        /// The most bytes of an item; a larger one fails alone.
        #[serde(default = "max_item_size")]
        max_item_size: u64,
    },
    /// Each file is an item, or each member or element of it: a JSON value, which has its id as the member `id` where it is an
    /// object without one.
    Json {
        /// Glob patterns and folders, absolute.
        patterns: Vec<String>,
        /// The members of a file that is one item; none if no file is.
        item_keys: Vec<String>,
        /// The field that is the id of an element; its position otherwise.
        id: Option<String>,
        /// The most bytes of an item; a larger one fails alone.
        #[serde(default = "max_item_size")]
        max_item_size: u64,
    },
    /// Each record is an item, an object of strings by the header's names.
    Csv {
        /// Glob patterns, absolute.
        patterns: Vec<String>,
        /// The column that is the item's id; its position otherwise.
        id: Option<String>,
        /// One ASCII character, `,` by default.
        delimiter: u8,
        /// The most bytes of an item; a larger one fails alone.
        #[serde(default = "max_item_size")]
        max_item_size: u64,
    },
    /// The items are written in the pipeline itself.
    Inline {
        /// The items.
        items: Vec<Value>,
        /// The field that is the item's id; the position otherwise.
        id: Option<String>,
    },
    /// `count` items `{trial: n}`, n from 0.
    Trials {
        /// How many.
        count: u64,
    },
}

/// The pattern that stands for standard input.
pub const STANDARD_INPUT: &str = "-";

impl InputPlan {
    /// The patterns of its files, absolute, or [`STANDARD_INPUT`] alone; none if the items are not in files.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        match self {
            Self::Files { patterns, .. }
            | Self::Jsonl { patterns, .. }
            | Self::Json { patterns, .. }
            | Self::Csv { patterns, .. } => patterns,
            Self::Inline { .. } | Self::Trials { .. } => &[],
        }
    }

    /// Reads other files, where the items are in files.
    pub fn set_patterns(&mut self, other: Vec<String>) {
        match self {
            Self::Files { patterns, .. }
            | Self::Jsonl { patterns, .. }
            | Self::Json { patterns, .. }
            | Self::Csv { patterns, .. } => *patterns = other,
            Self::Inline { .. } | Self::Trials { .. } => {}
        }
    }
}

/// The most bytes of an item that comes from a file, unless the pipeline says otherwise.
pub(crate) const fn max_item_size() -> u64 {
    64 << 20
}
