//! The frozen plan: what the engine runs.

use std::time::Duration;

use jackfield_plugin_api::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plugin::{Digest, Form, sandbox::Limits};

/// A checked pipeline: a value with the digests of all it needs, so that another process can run it with the same bytes as
/// outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Name of the pipeline.
    pub name: String,
    /// Digest of everything below that can change a result.
    pub digest: Digest,
    /// Seed of every random choice.
    pub seed: u64,
    /// Where items come from.
    pub input: InputPlan,
    /// What is written for each item.
    pub output: OutputPlan,
    /// The most items in work at a time.
    pub max_in_flight: usize,
    /// The stages; one comes after all those that it reads.
    pub stages: Vec<StagePlan>,
}

/// Where items come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InputPlan {
    /// Each file is an item: `{path, name, text}`.
    Files {
        /// Glob patterns, absolute.
        patterns: Vec<String>,
    },
    /// Each line is an item, a JSON value.
    Jsonl {
        /// Glob patterns, absolute.
        patterns: Vec<String>,
        /// The field that is the item's id; the line number otherwise.
        id: Option<String>,
    },
    /// Each record is an item, an object of strings by the header's names.
    Csv {
        /// Glob patterns, absolute.
        patterns: Vec<String>,
        /// The column that is the item's id; the record number otherwise.
        id: Option<String>,
        /// One ASCII character, `,` by default.
        delimiter: u8,
    },
    /// The items stand in the pipeline itself.
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

/// What is written for each item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputPlan {
    /// Whether `items/<item>/<stage>.json` are written.
    pub item_files: bool,
    /// Further files of an item: a name and the wire whose value it holds (a string as it is, anything else as JSON).
    pub files: Vec<(String, Wire)>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StagePlan {
    /// The name.
    pub name: String,
    /// The extension that does the work.
    pub extension: ExtensionRef,
    /// The `with` table.
    pub config: Value,
    /// What each call gets.
    pub input: InputExpr,
    /// How often the stage runs.
    pub scope: Scope,
    /// The list that it runs over, an element a call.
    pub for_each: Option<Wire>,
    /// How many calls for each element (or in all, without `for_each`); the results are a list when this is set.
    pub repeat: Option<u32>,
    /// The stages that it reads, ascending, by index.
    pub reads: Vec<usize>,
    /// How its calls are made.
    pub policy: Policy,
    /// What a call may use up.
    pub limits: Limits,
}

impl StagePlan {
    /// Whether its result is the list of its calls' results.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.for_each.is_some() || self.repeat.is_some()
    }
}

/// An extension, pinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtensionRef {
    /// Alias of the plugin.
    pub plugin: String,
    /// How the plugin came in.
    pub form: Form,
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Digest of the artifact.
    pub digest: Digest,
}

/// How often a stage runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Once a run: it depends on no item.
    Run,
    /// Once an item.
    Item,
}

/// What a call gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InputExpr {
    /// The value of a wire.
    Wire(Wire),
    /// A list; a source that failed is left out of it.
    List(Vec<InputExpr>),
    /// An object.
    Table(Vec<TableEntry>),
}

/// A field of an object that a call gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableEntry {
    /// The field.
    pub key: String,
    /// Whether the reader needs it: a field that is not needed is left out when its source failed.
    pub required: bool,
    /// Its value.
    pub value: InputExpr,
}

/// A reference to a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wire {
    /// Where the value comes from.
    pub source: Source,
    /// The way into it; empty for the whole.
    pub path: Vec<Step>,
}

/// Where a wire's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The item.
    Input,
    /// The element of `for_each`.
    Each,
    /// The stage of this index.
    Stage(usize),
}

/// A step on the way into a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// `.name`
    Field(String),
    /// `[3]`
    Index(usize),
    /// `[*]`: every element; what follows is applied to each.
    All,
}

/// How the calls of a stage are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The most time that a call may take; none for no bound.
    pub timeout: Option<Duration>,
    /// Tries in all, at least 1; a failure that can heal is tried again.
    pub attempts: u32,
    /// Delay before the second try; doubled for each further one.
    pub backoff: Duration,
    /// What a failure means for the item.
    pub on_error: OnError,
    /// The most calls at a time; none for as many as there are workers (or 64 for stages that wait).
    pub concurrency: Option<u32>,
    /// The most documents in a batch.
    pub batch: u32,
}

/// What a stage's failure means for its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// The stage alone fails; the item goes on and ends `partial`.
    Continue,
    /// The item stops and is `failed`.
    Fail,
}
