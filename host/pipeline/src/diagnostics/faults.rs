//! Everything that is wrong with a pipeline, reported at once.

use std::fmt;

use serde::Serialize;

use super::{
    fault::Fault,
    masking,
    render::{self, Style},
    source::{Lines, Sources},
};

/// The most faults that are shown to people; programs get all.
pub(crate) const SHOWN: usize = 100;

/// All that is wrong with a pipeline, in the order of the text; never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Faults {
    sources: Sources,
    list: Vec<Fault>,
}

/// A fault for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultRecord<'a> {
    /// The stable name.
    pub code: &'static str,
    /// What is wrong.
    pub message: &'a str,
    /// Name of the text, unless the fault has no place.
    pub file: Option<&'a str>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// What to do about it.
    pub hint: Option<&'a str>,
    /// What else is worth knowing.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub notes: &'a [String],
}

impl Faults {
    /// All faults of these sources, without the secrets in them.
    pub(crate) fn new(mut sources: Sources, mut list: Vec<Fault>) -> Self {
        // Those without a place come first: they are about the whole.
        list.sort_by_key(|fault| fault.place);
        list.dedup();
        masking::mask(&mut sources, &mut list);
        Self { sources, list }
    }

    /// The faults, in the order of the text.
    #[must_use]
    pub fn list(&self) -> &[Fault] {
        &self.list
    }

    /// The texts that the places are in.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// For people: a block for each fault, a blank line between two; of very many, the first.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let block = |fault| render::block(&self.sources, fault, style);
        let mut blocks: Vec<String> = self.list.iter().take(SHOWN).map(block).collect();
        if self.list.len() > SHOWN {
            blocks.push(format!("... and {} more faults\n", self.list.len() - SHOWN));
        }
        blocks.join("\n")
    }

    /// For programs: one object for each fault.
    #[must_use]
    pub fn records(&self) -> Vec<FaultRecord<'_>> {
        let mut lines = Lines::new(&self.sources);
        let mut record = |fault: &'_ Fault| {
            let position = fault.place.map(|place| lines.position(place));
            (fault.place.map(|place| self.sources.get(place.source).name.as_str()), position)
        };
        self.list
            .iter()
            .map(|fault| {
                let (file, position) = record(fault);
                FaultRecord {
                    code: fault.code,
                    message: &fault.message,
                    file,
                    line: position.map(|(line, _)| line),
                    column: position.map(|(_, column)| column),
                    hint: fault.hint.as_deref(),
                    notes: &fault.notes,
                }
            })
            .collect()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Style::PLAIN).trim_end())
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

impl std::error::Error for Faults {}
