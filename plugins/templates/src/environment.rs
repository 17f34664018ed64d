//! The language of templates.

use minijinja::{
    Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
    value::{Kwargs, ValueKind},
};
use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};

/// The most steps of a template: enough for a hundred thousand elements, and an end to a loop over a foreign list of lists.
pub(crate) const STEPS: u64 = 2_000_000;

/// An environment without templates.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(STEPS));
    environment.set_formatter(insert);
    environment.add_filter("tojson", to_json);
    // It would show what else there is in the environment.
    environment.remove_global("debug");
    environment
}

/// Writes a value into the text: strings as they are, other values as JSON.
fn insert(output: &mut Output, _: &State, value: &Value) -> Result<(), Error> {
    let written = match value.as_str() {
        Some(text) => output.write_str(text),
        // What an `if` without `else` gives.
        None if value.kind() == ValueKind::Undefined => return Ok(()),
        None => output.write_str(&json_text(value, None)?),
    };
    written.map_err(|_| Error::new(ErrorKind::WriteFailure, "the text grew too long"))
}

/// A value as JSON, with the signs of HTML as they are: what reads it is a model.
fn to_json(value: &Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    options.assert_all_used()?;
    json_text(value, indent)
}

fn json_text(value: &Value, indent: Option<usize>) -> Result<String, Error> {
    let wrong = |error: serde_json::Error| Error::new(ErrorKind::BadSerialization, error.to_string());
    let Some(width) = indent else { return serde_json::to_string(value).map_err(wrong) };
    let indent = " ".repeat(width.min(16));
    let mut text = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(indent.as_bytes())))
        .map_err(wrong)?;
    String::from_utf8(text).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}
