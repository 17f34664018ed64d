//! What can be wrong with the text of a program.

use std::fmt;

/// What is wrong with the text of a program, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFault {
    /// Of what kind it is.
    pub kind: ParseFaultKind,
    /// The line, from 1.
    pub line: u32,
    /// The column, in characters, from 1.
    pub column: u32,
    /// What is wrong and how to fix it. What it quotes of the text is short and moves no terminal.
    pub message: String,
}

/// The kinds of what can be wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParseFaultKind {
    /// It is not as the grammar says.
    Syntax,
    /// A name that nothing has.
    UnknownName,
    /// A primitive is given more or fewer arguments than it takes.
    Arity,
    /// A line is used above, or in, the line that defines it.
    UseBeforeDefinition,
    /// A name is given twice, or is that of a primitive, of a constant or of the input.
    Redefinition,
    /// A constant or the input is called.
    Type,
}

impl ParseFaultKind {
    /// The word for it in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ParseFaultKind::Syntax => "syntax",
            ParseFaultKind::UnknownName => "unknown-name",
            ParseFaultKind::Arity => "arity",
            ParseFaultKind::UseBeforeDefinition => "use-before-definition",
            ParseFaultKind::Redefinition => "redefinition",
            ParseFaultKind::Type => "type",
        }
    }
}

/// As `line 2, column 10: unknown-name: …`.
impl fmt::Display for ParseFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseFault { kind, line, column, message } = self;
        write!(formatter, "line {line}, column {column}: {}: {message}", kind.name())
    }
}
