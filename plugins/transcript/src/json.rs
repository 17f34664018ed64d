//! Reads JSON: a list of segments, or an object that contains one.

use jackfield_plugin_api::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::{Reading, Turn, detect::ACCEPTED, time};

/// A segment as it is written in files.
#[derive(Deserialize)]
struct SegmentRecord {
    #[serde(alias = "name")]
    speaker: Option<String>,
    #[serde(alias = "content")]
    text: Option<String>,
    start: Option<Value>,
}

/// An object that contains the segments under one of the known keys.
#[derive(Deserialize)]
struct TranscriptObject {
    title: Option<String>,
    meeting_transcripts: Option<Vec<SegmentRecord>>,
    segments: Option<Vec<SegmentRecord>>,
}

pub(crate) fn read(text: &str) -> Result<Reading> {
    if text.trim_start().starts_with('[') {
        let rows: Vec<SegmentRecord> = serde_json::from_str(text).map_err(|error| read_failure(text, &error))?;
        return Ok(Reading { title: None, turns: turns(rows, false)? });
    }
    let holder: TranscriptObject = serde_json::from_str(text).map_err(|error| read_failure(text, &error))?;
    let (rows, ids_by_index) = match (holder.meeting_transcripts, holder.segments) {
        (Some(rows), _) => (rows, true),
        (None, Some(rows)) => (rows, false),
        (None, None) => return Err(unknown_shape(text)),
    };
    Ok(Reading { title: holder.title.filter(|title| !title.trim().is_empty()), turns: turns(rows, ids_by_index)? })
}

/// `counted`: the file refers to its segments by their place, so the ids follow it even where a segment is empty.
fn turns(rows: Vec<SegmentRecord>, ids_by_index: bool) -> Result<Vec<Turn>> {
    let mut turns = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        let Some(text) = row.text else {
            return Err(Failure::InvalidInput(format!(
                "JSON entry {} has no `text` (or `content`); accepted are {ACCEPTED}",
                index + 1
            )));
        };
        let start = match row.start {
            None | Some(Value::Null) => None,
            Some(value) => Some(start(&value).ok_or_else(|| {
                Failure::InvalidInput(format!(
                    "JSON entry {}: `start` is {value}, neither a number of seconds nor a time such as \"00:01:02.5\"",
                    index + 1
                ))
            })?),
        };
        let speaker = row.speaker.map(|speaker| speaker.trim().to_owned()).filter(|speaker| !speaker.is_empty());
        turns.push(Turn { speaker, text: text.trim().to_owned(), start, number: ids_by_index.then_some(index + 1) });
    }
    Ok(turns)
}

fn start(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64().filter(|seconds| *seconds >= 0.0),
        Value::String(text) => time::seconds(text),
        _ => None,
    }
}

/// The failure for an error of the JSON parser, with its position and the accepted formats.
fn read_failure(text: &str, error: &serde_json::Error) -> Failure {
    if error.is_data()
        && text.trim_start().starts_with('{')
        && !text.contains("\"meeting_transcripts\"")
        && !text.contains("\"segments\"")
    {
        return unknown_shape(text);
    }
    let problem = if error.is_data() { "JSON of an unknown shape" } else { "malformed JSON" };
    Failure::InvalidInput(format!("{problem}: {error}; accepted are {ACCEPTED}"))
}

/// The failure for an object of an unknown shape, with the keys that it has.
fn unknown_shape(text: &str) -> Failure {
    let keys = match serde_json::from_str::<serde_json::Map<String, Value>>(text) {
        Ok(object) => object.keys().take(8).map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "),
        Err(_) => String::new(),
    };
    let has = if keys.is_empty() { "no keys".to_owned() } else { format!("keys {keys}") };
    Failure::InvalidInput(format!(
        "JSON of an unknown shape: line 1 opens an object with {has}; accepted are {ACCEPTED}"
    ))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_list_of_segments_is_read() {
        let text =
            r#"[{"speaker": "Ann", "text": " hi ", "start": "00:01:02.5"}, {"name": "", "content": "x", "start": 3}]"#;
        let turns = read(text).expect("readable").turns;
        assert_eq!(
            (turns[0].speaker.as_deref(), turns[0].text.as_str(), turns[0].start),
            (Some("Ann"), "hi", Some(62.5))
        );
        assert_eq!((turns[1].speaker.as_deref(), turns[1].start), (None, Some(3.0)));
    }

    #[test]
    fn ids_of_a_meeting_follow_the_index_in_the_file() {
        let text = r#"{"topic_list": [], "meeting_transcripts": [{"speaker": "A", "content": ""}, {"speaker": "B", "content": "x"}]}"#;
        assert_eq!(read(text).expect("readable").turns[1].number, Some(2));
    }

    #[test]
    fn failures_name_the_position_and_the_accepted_formats() {
        let message = |text: &str| read(text).expect_err("refused").message().to_owned();
        assert!(message(r#"{"a": 1, "b": 2}"#).contains("keys `a`, `b`"));
        assert!(message("[{\"speaker\": \"A\"}]").contains("entry 1 has no `text`"));
        assert!(message("[{\"text\": \"x\", \"start\": \"soon\"}]").contains("\"soon\""));
        assert!(message("[{\"text\": \"x\"").contains("malformed JSON"));
        assert!(message("[1, 2]").contains("line 1 column 2"));
        assert!(message("[{\"text\": \"x\"").contains("meeting_transcripts"));
    }
}
