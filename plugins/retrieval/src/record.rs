//! Records of a file of the configuration, such as documents or judged queries: JSON, or comma-separated values.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{cut::shortened, normal::composed};
use serde_json::{Map, Value};

/// An object of a file.
pub(crate) struct Record {
    /// Where it stands, such as `line 3`.
    pub(crate) place: String,
    pub(crate) value: Value,
}

/// The records of a JSON array, of lines that are JSON objects, or of a file of values separated by commas (`.csv`) or tabs
/// (`.tsv`), which has a header.
///
/// # Errors
/// The first place that is not a record, and why.
pub(crate) fn read(file: &TextFile) -> Result<Vec<Record>, String> {
    let text = file.text.trim_start_matches('\u{feff}');
    let path = file.path.to_ascii_lowercase();
    if path.ends_with(".csv") || path.ends_with(".tsv") {
        return separated(text, if path.ends_with(".tsv") { b'\t' } else { b',' });
    }
    if text.trim_start().starts_with('[') {
        let values: Vec<Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let record = |(index, value)| Record { place: format!("document {}", index + 1), value };
        return Ok(values.into_iter().enumerate().map(record).collect());
    }
    lines(text).map(|line| line.map_err(|(place, why)| format!("{place}: {why}"))).collect()
}

/// The lines of a text that are not blank, each a JSON value, or where it stands and why it is none.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Result<Record, (String, String)>> {
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(|(index, line)| {
        let place = format!("line {}", index + 1);
        match serde_json::from_str(line) {
            Ok(value) => Ok(Record { place, value }),
            Err(error) => Err((place, error.to_string())),
        }
    })
}

fn separated(text: &str, delimiter: u8) -> Result<Vec<Record>, String> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut records = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| match error.position() {
            Some(position) => format!("line {}: {error}", position.line()),
            None => error.to_string(),
        })?;
        let fields: Map<String, Value> =
            header.iter().zip(&record).map(|(name, field)| (name.to_owned(), Value::from(field))).collect();
        let line = record.position().map_or(0, csv::Position::line);
        records.push(Record { place: format!("line {line}"), value: Value::Object(fields) });
    }
    Ok(records)
}

/// What identifies a record: a text that is not empty, letters composed, or a number as it is written.
///
/// # Errors
/// Why there is none.
pub(crate) fn id(record: &Value) -> Result<String, String> {
    match field(record, "id")? {
        None => Err("missing field `id`".to_owned()),
        Some(value) => as_id(value)
            .ok_or_else(|| format!("the `id` is {}: write a text or a number", shortened(&value.to_string(), 40))),
    }
}

/// The id that a value is, by the rule that holds for ids of items.
pub(crate) fn as_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(composed(text).into_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A text of a record, empty where it is null; none where there is no such field.
///
/// # Errors
/// If it is neither a text nor a number.
pub(crate) fn text(record: &Value, name: &str) -> Result<Option<String>, String> {
    match field(record, name)? {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(String::new())),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(format!("the `{name}` is {}: write a text", shortened(&other.to_string(), 40))),
    }
}

/// A field of a record.
///
/// # Errors
/// If the record is not an object.
pub(crate) fn field<'a>(record: &'a Value, name: &str) -> Result<Option<&'a Value>, String> {
    match record {
        Value::Object(fields) => Ok(fields.get(name)),
        other => Err(format!("it is {}, not an object", shortened(&other.to_string(), 40))),
    }
}
