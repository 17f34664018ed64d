//! Reads the text of a pipeline into a tree: parses TOML, applies what the command line changes, fills in variables of the
//! environment and parameters, and checks the shape of every value.

use std::path::Path;

use toml::de::DeTable;

use super::{
    overrides, params,
    shape::ShapeCheck,
    tree::{self, Table},
    variables::{self, Environment},
};
use crate::{
    diagnostics::{Diagnostic, Diagnostics, SourceId, Sources, Span},
    keys,
    plan::EnvironmentVariable,
};

/// A text with all that its meaning depends on.
pub(crate) struct Text<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
    /// The pipeline's folder, absolute.
    pub(crate) folder: &'a Path,
    /// The current folder.
    pub(crate) current: &'a Path,
    pub(crate) set: &'a [String],
    pub(crate) input: &'a [String],
    pub(crate) environment: Environment<'a>,
}

/// The tree of a pipeline, whose shape is checked, with the diagnostics found so far.
pub(crate) struct Document {
    pub(crate) sources: Sources,
    /// The pipeline's file among the sources: values of the command line are meant for keys that the file has.
    pub(crate) file: SourceId,
    pub(crate) root: Table,
    /// The variables of the environment that `[params]` names.
    pub(crate) variables: Vec<EnvironmentVariable>,
    /// The strings whose references could not be replaced, which is reported.
    pub(crate) unfilled: Vec<Span>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads a pipeline that is already in memory.
///
/// # Errors
/// If the text cannot be read: it is not UTF-8, or not TOML.
pub(crate) fn read(given: &Text<'_>) -> Result<Document, Diagnostics> {
    let mut sources = Sources::default();
    let bytes = given.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(given.bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let offset = at + (given.bytes.len() - bytes.len());
        let message =
            format!("`{}` is not UTF-8: byte 0x{:02x} at offset {offset}, in line {line}", given.name, bytes[at]);
        Diagnostics::new(
            Sources::default(),
            vec![Diagnostic::new("not-utf8", message).hint("save the file as UTF-8".to_owned())],
        )
    })?;
    let file = sources.add(given.name, text);
    let mut diagnostics = Vec::new();
    let Some(mut root) = toml(file, text, &mut diagnostics) else {
        return Err(Diagnostics::new(sources, diagnostics));
    };
    let referenced = params::referenced(&root);
    for argument in given.set {
        overrides::set(&mut sources, &mut root, argument, &mut diagnostics);
    }
    overrides::input(&mut sources, &mut root, given.input, &mut diagnostics);
    let mut variables = variables::fill(&sources, given.environment, &mut root, &mut diagnostics);
    let unfilled = params::fill(&mut root, &referenced, &mut variables, &mut diagnostics);
    let start = Span { source: file, start: 0, end: 0 };
    ShapeCheck { sources: &sources, file: start, diagnostics: &mut diagnostics }.table(
        &root,
        &keys::FILE,
        keys::FILE.what,
        Some(start),
    );
    Ok(Document { sources, file, root, variables: variables.found, unfilled, diagnostics })
}

/// Parses TOML; none if it has errors that make the rest unreliable.
fn toml(file: SourceId, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Table> {
    let (parsed, errors) = DeTable::parse_recoverable(text);
    let mut fatal = false;
    for error in errors {
        let at = error.span().unwrap_or(0..0);
        let span = Span { source: file, start: at.start, end: at.end };
        let (what, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), ""));
        if what == "duplicate key" {
            let key = text.get(at).unwrap_or_default();
            diagnostics.push(
                Diagnostic::at("duplicate-key", span, format!("`{key}` is defined twice")).label("the second one"),
            );
        } else {
            fatal = true;
            let mut diagnostic = Diagnostic::at("syntax", span, format!("this is not TOML: {what}"));
            if !expected.is_empty() {
                diagnostic.label = format!("expected {expected}");
            }
            // After an error the parser is confused until the end of the line: the first error of a line is the one that helps.
            let line = |span: Span| text[..span.start.min(text.len())].matches('\n').count();
            let seen = diagnostics
                .iter()
                .any(|seen| seen.code == "syntax" && seen.span.is_some_and(|seen| line(seen) == line(span)));
            if !seen {
                diagnostics.push(diagnostic);
            }
        }
    }
    let mut number_diagnostics = Vec::new();
    let table = tree::table(file, 0, parsed.get_ref(), &mut number_diagnostics);
    if fatal {
        return None;
    }
    diagnostics.append(&mut number_diagnostics);
    Some(table)
}
