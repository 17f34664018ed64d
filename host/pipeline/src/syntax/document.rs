//! Reads the text of a pipeline into a tree: parses TOML, applies what the command line changes, fills in parameters, and checks
//! the shape of every value.

use std::path::Path;

use toml::de::DeTable;

use super::{
    overrides, params,
    shape::Pass,
    tree::{self, Table},
};
use crate::{
    diagnostics::{Fault, Faults, SourceId, Sources, Span},
    keys,
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
}

/// The tree of a pipeline, whose shape is checked, with the faults found so far.
pub(crate) struct Document {
    pub(crate) sources: Sources,
    /// The pipeline's file among the sources: what came from elsewhere was meant for something that is there.
    pub(crate) file: SourceId,
    pub(crate) root: Table,
    pub(crate) faults: Vec<Fault>,
}

/// Reads a pipeline that is already in memory.
///
/// # Errors
/// If nothing can be read: no UTF-8, no TOML.
pub(crate) fn read(given: &Text<'_>) -> Result<Document, Faults> {
    let mut sources = Sources::default();
    let bytes = given.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(given.bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let offset = at + (given.bytes.len() - bytes.len());
        let message =
            format!("`{}` is not UTF-8: byte 0x{:02x} at offset {offset}, in line {line}", given.name, bytes[at]);
        Faults::new(Sources::default(), vec![Fault::new("not-utf8", message).hint("save the file as UTF-8".to_owned())])
    })?;
    let file = sources.add(given.name, text);
    let mut faults = Vec::new();
    let Some(mut root) = toml(file, text, &mut faults) else {
        return Err(Faults::new(sources, faults));
    };
    for argument in given.set {
        overrides::set(&mut sources, &mut root, argument, &mut faults);
    }
    overrides::input(&mut sources, &mut root, given.input, &mut faults);
    params::fill(&mut root, &mut faults);
    let start = Span { source: file, start: 0, end: 0 };
    Pass { sources: &sources, file: start, faults: &mut faults }.table(
        &root,
        &keys::FILE,
        keys::FILE.what,
        Some(start),
    );
    Ok(Document { sources, file, root, faults })
}

/// Parses TOML; none if it is so wrong that the rest would be guesswork.
fn toml(file: SourceId, text: &str, faults: &mut Vec<Fault>) -> Option<Table> {
    let (parsed, errors) = DeTable::parse_recoverable(text);
    let mut fatal = false;
    for error in errors {
        let at = error.span().unwrap_or(0..0);
        let place = Span { source: file, start: at.start, end: at.end };
        let (what, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), ""));
        if what == "duplicate key" {
            let key = text.get(at).unwrap_or_default();
            faults.push(Fault::at("duplicate-key", place, format!("`{key}` is there twice")).label("the second one"));
        } else {
            fatal = true;
            let mut fault = Fault::at("syntax", place, format!("this is not TOML: {what}"));
            if !expected.is_empty() {
                fault.label = format!("expected {expected}");
            }
            // A slip confuses the parser until the end of the line: the first complaint is the one that helps.
            let line = |span: Span| text[..span.start.min(text.len())].matches('\n').count();
            let seen = faults
                .iter()
                .any(|seen| seen.code == "syntax" && seen.place.is_some_and(|seen| line(seen) == line(place)));
            if !seen {
                faults.push(fault);
            }
        }
    }
    let mut number_faults = Vec::new();
    let table = tree::table(file, 0, parsed.get_ref(), &mut number_faults);
    if fatal {
        return None;
    }
    faults.append(&mut number_faults);
    Some(table)
}
