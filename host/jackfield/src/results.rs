//! What came of the items of a run.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader},
    path::PathBuf,
};

use jackfield_store::ItemState;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;

/// What came of an item: a line of `results.jsonl`. It holds nothing that differs between two runs of the same plan over the
/// same items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ItemResult {
    /// Id of the item.
    #[serde(rename = "item")]
    pub id: String,
    /// How it ended.
    pub state: ItemState,
    /// Why it could not be read, or its files not written, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The values of a trial, where the pipeline searches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// What the stages that run once an item answered, by name: a document each, or a list of them for a stage that runs once an element. A large
    /// tensor is named by the SHA-256 of its bytes, which lie in the run's `blobs`.
    pub outputs: BTreeMap<String, Value>,
    /// Why stages have no answer, or not all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, Vec<StageFailure>>,
}

impl ItemResult {
    /// An item whose results are on record and cannot be held as values.
    pub(crate) const fn unreadable(id: String, state: ItemState, fault: String) -> Self {
        Self { id, state, fault: Some(fault), params: None, outputs: BTreeMap::new(), failures: BTreeMap::new() }
    }
}

/// Why a call of a stage has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StageFailure {
    /// The kind: `invalid-input`, `unavailable`, `timed-out`, `skipped` …
    pub kind: String,
    /// What went wrong.
    pub message: String,
    /// Which call it was, for a stage that runs once an element.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<u64>,
}

/// The results of a run, in the order of its items.
pub struct Results(Origin);

enum Origin {
    Memory(std::vec::IntoIter<ItemResult>),
    File { path: PathBuf, lines: std::io::Lines<BufReader<File>> },
}

impl Results {
    pub(crate) fn in_memory(results: Vec<ItemResult>) -> Self {
        Self(Origin::Memory(results.into_iter()))
    }

    /// The lines of a run's `results.jsonl`, one after the other.
    pub(crate) fn in_file(path: PathBuf) -> Result<Self, Error> {
        let file = File::open(&path)
            .map_err(|error| Error::results(format!("failed to read `{}`: {error}", path.display())))?;
        Ok(Self(Origin::File { path, lines: BufReader::new(file).lines() }))
    }
}

impl Iterator for Results {
    type Item = Result<ItemResult, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Origin::Memory(results) => results.next().map(Ok),
            Origin::File { path, lines } => {
                let line = lines.next()?.map_err(|error| error.to_string());
                let result = line.and_then(|line| serde_json::from_str(&line).map_err(|error| error.to_string()));
                Some(result.map_err(|error| Error::results(format!("failed to read `{}`: {error}", path.display()))))
            }
        }
    }
}
