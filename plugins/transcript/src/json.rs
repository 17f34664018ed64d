//! JSON: a list of segments, or an object that holds one.

use jackfield_plugin_api::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::{Reading, Turn, detect::ACCEPTED, time};

/// A segment as files have it.
#[derive(Deserialize)]
struct Row {
    #[serde(alias = "name")]
    speaker: Option<String>,
    #[serde(alias = "content")]
    text: Option<String>,
    start: Option<Value>,
}

/// The objects that are known by their keys.
#[derive(Deserialize)]
struct Holder {
    title: Option<String>,
    meeting_transcripts: Option<Vec<Row>>,
    segments: Option<Vec<Row>>,
}

pub(crate) fn read(text: &str) -> Result<Reading> {
    if text.trim_start().starts_with('[') {
        let rows: Vec<Row> = serde_json::from_str(text).map_err(|error| fault(text, &error))?;
        return Ok(Reading { title: None, turns: turns(rows, false)? });
    }
    let holder: Holder = serde_json::from_str(text).map_err(|error| fault(text, &error))?;
    let (rows, counted) = match (holder.meeting_transcripts, holder.segments) {
        (Some(rows), _) => (rows, true),
        (None, Some(rows)) => (rows, false),
        (None, None) => return Err(unknown(text)),
    };
    Ok(Reading { title: holder.title.filter(|title| !title.trim().is_empty()), turns: turns(rows, counted)? })
}

/// `counted`: the file refers to its segments by their place, so the ids follow it even where a segment is empty.
fn turns(rows: Vec<Row>, counted: bool) -> Result<Vec<Turn>> {
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
        turns.push(Turn { speaker, text: text.trim().to_owned(), start, number: counted.then_some(index + 1) });
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

/// What serde says, with the place and what would do.
fn fault(text: &str, error: &serde_json::Error) -> Failure {
    if error.is_data()
        && text.trim_start().starts_with('{')
        && !text.contains("\"meeting_transcripts\"")
        && !text.contains("\"segments\"")
    {
        return unknown(text);
    }
    let kind = if error.is_data() { "JSON of an unknown shape" } else { "malformed JSON" };
    Failure::InvalidInput(format!("{kind}: {error}; accepted are {ACCEPTED}"))
}

/// Names the keys that the object has.
fn unknown(text: &str) -> Failure {
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
    fn ids_of_a_meeting_follow_the_place_in_the_file() {
        let text = r#"{"topic_list": [], "meeting_transcripts": [{"speaker": "A", "content": ""}, {"speaker": "B", "content": "x"}]}"#;
        assert_eq!(read(text).expect("readable").turns[1].number, Some(2));
    }

    #[test]
    fn faults_name_the_place_and_what_would_do() {
        let message = |text: &str| read(text).expect_err("refused").message().to_owned();
        assert!(message(r#"{"a": 1, "b": 2}"#).contains("keys `a`, `b`"));
        assert!(message("[{\"speaker\": \"A\"}]").contains("entry 1 has no `text`"));
        assert!(message("[{\"text\": \"x\", \"start\": \"soon\"}]").contains("\"soon\""));
        assert!(message("[{\"text\": \"x\"").contains("malformed JSON"));
        assert!(message("[1, 2]").contains("line 1 column 2"));
        assert!(message("[{\"text\": \"x\"").contains("meeting_transcripts"));
    }
}
