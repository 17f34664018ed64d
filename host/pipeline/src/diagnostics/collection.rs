//! Everything that is wrong with a pipeline, reported at once.

use std::fmt;

use serde::Serialize;

use super::{
    diagnostic::Diagnostic,
    masking,
    render::{self, Style},
    source::{Lines, Sources},
};

/// The most diagnostics that are shown to people; programs get all.
pub(crate) const SHOWN: usize = 100;

/// All that is wrong with a pipeline, in the order of the text; never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostics {
    sources: Sources,
    list: Vec<Diagnostic>,
}

/// A diagnostic for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiagnosticRecord<'a> {
    /// The stable name.
    pub code: &'static str,
    /// What is wrong.
    pub message: &'a str,
    /// Name of the text, unless the diagnostic has no span.
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

impl Diagnostics {
    /// All diagnostics of these sources, without the secrets in them.
    pub(crate) fn new(mut sources: Sources, mut list: Vec<Diagnostic>) -> Self {
        // Those without a span come first: they are about the whole pipeline.
        list.sort_by_key(|diagnostic| diagnostic.span);
        list.dedup();
        masking::mask(&mut sources, &mut list);
        Self { sources, list }
    }

    /// The diagnostics, in the order of the text.
    #[must_use]
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// The texts that the spans are in.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// For people: a block for each diagnostic, a blank line between two; of very many, the first.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let block = |diagnostic| render::block(&self.sources, diagnostic, style);
        let mut blocks: Vec<String> = self.list.iter().take(SHOWN).map(block).collect();
        if self.list.len() > SHOWN {
            blocks.push(format!("... and {} more faults\n", self.list.len() - SHOWN));
        }
        blocks.join("\n")
    }

    /// For programs: one object for each diagnostic.
    #[must_use]
    pub fn records(&self) -> Vec<DiagnosticRecord<'_>> {
        let mut lines = Lines::new(&self.sources);
        let mut record = |diagnostic: &'_ Diagnostic| {
            let position = diagnostic.span.map(|span| lines.position(span));
            (diagnostic.span.map(|span| self.sources.get(span.source).name.as_str()), position)
        };
        self.list
            .iter()
            .map(|diagnostic| {
                let (file, position) = record(diagnostic);
                DiagnosticRecord {
                    code: diagnostic.code,
                    message: &diagnostic.message,
                    file,
                    line: position.map(|(line, _)| line),
                    column: position.map(|(_, column)| column),
                    hint: diagnostic.hint.as_deref(),
                    notes: &diagnostic.notes,
                }
            })
            .collect()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Style::PLAIN).trim_end())
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

impl std::error::Error for Diagnostics {}
