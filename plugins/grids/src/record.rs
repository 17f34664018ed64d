//! The documents that the analyzers pass from stage to stage.

use std::cmp::Reverse;

use jackfield_plugin_api::prelude::*;

use crate::task::Cells;

/// A program that may solve a task.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Program {
    /// Where it comes from: the name of its file, or what made it.
    pub name: String,
    /// The program, as it was written.
    pub text: String,
}

/// What is wrong with the text of a program.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct TextFault {
    /// `syntax`, `unknown-name`, `arity`, `use-before-definition`, `redefinition` or `type`.
    pub kind: String,
    /// Line of the text, from 1.
    pub line: u32,
    /// Column of the line in characters, from 1.
    pub column: u32,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl TextFault {
    /// The program that has it, and where and what it is, as a row to look at.
    pub(crate) fn row(&self, program: &str) -> Row {
        // The kind is left to the score: what is to be done about it should not fall off the end of a line.
        let Self { line, column, message, .. } = self;
        Row { name: program.to_owned(), outcomes: vec![format!("{line}:{column}: {message}")] }
    }
}

/// How a program does on the demonstrations.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Score {
    /// The program's name.
    pub name: String,
    /// 0 to 1000: the mean over the demonstrations of 1000 for an equal grid, the share of equal cells times 999 for another
    /// one of the right shape, rounded down, and 0 for anything else.
    pub score: u32,
    /// What came of each demonstration: `equal`; `grid:` and a fingerprint for another grid; `not-a-grid`; `error:` and a kind;
    /// `limit:` and what ran out; `skipped` once the program could not be kept any more.
    pub outcomes: Vec<String>,
    /// Why the program is not run at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<TextFault>,
    /// Where and why the program ends without a result, on the first demonstration that it does so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
}

/// Where a program ends without a result.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Stop {
    /// Which pair: `train[0]`.
    pub pair: String,
    /// The outcome: `error:type`, `limit:steps`.
    pub outcome: String,
    /// Line of the text, from 1.
    pub line: u32,
    /// What was expected, or what ran out.
    pub message: String,
}

impl Stop {
    /// The program that ends so, and where and why, as a row to look at.
    pub(crate) fn row(&self, program: &str) -> Row {
        let Self { pair, outcome, line, message } = self;
        Row { name: program.to_owned(), outcomes: vec![format!("line {line}, {outcome} on {pair}: {message}")] }
    }
}

/// A program reduced to what it says.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Body {
    /// The name of the first program with this body.
    pub name: String,
    /// SHA-256 of the body, in hex digits: the program's identity.
    pub digest: String,
    /// The program without what has no effect, with names in order.
    pub body: String,
    /// Lines of the body.
    pub size: u32,
    /// The score on the demonstrations.
    pub score: u32,
}

impl Body {
    /// What bodies are ranked by: the best score first, then the smallest, then by the text.
    pub(crate) fn rank(&self) -> (Reverse<u32>, u32, &str) {
        (Reverse(self.score), self.size, &self.body)
    }
}

/// What came of every pair of a task.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Validation {
    /// The body's digest.
    pub digest: String,
    /// What came of each demonstration, as in a score.
    pub train: Vec<String>,
    /// What came of each test; `unknown` where its output is not known.
    pub test: Vec<String>,
}

/// A pair that a program gets wrong.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Difference {
    /// Which pair: `train[0]`, `test[0]`.
    pub pair: String,
    /// What was to come.
    pub expected: Cells,
    /// What came, if it is a grid of at most 100 rows and columns.
    pub got: Option<Cells>,
    /// The outcome.
    pub outcome: String,
}

/// A program that is kept.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Kept {
    /// The program's name.
    pub name: String,
    /// The body's digest.
    pub digest: String,
    /// The body.
    pub body: String,
    /// Lines of the body.
    pub size: u32,
    /// The score on the demonstrations.
    pub score: u32,
    /// What came of each demonstration.
    pub train: Vec<String>,
    /// What came of each test; no rank depends on it.
    pub test: Vec<String>,
    /// The pairs that it gets wrong, demonstrations first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// A program and what came of it, pair by pair.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Row {
    /// The program's name.
    pub name: String,
    /// Outcomes, demonstrations first.
    pub outcomes: Vec<String>,
}
