//! Reads JSON: a list of segments, an object that contains one, or what a speech service answers. A value that is odd in a
//! field that is not needed counts as absent.

mod repair;
mod rows;
mod services;
mod tree;

use jackfield_plugin_api::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;
use tree::Tree;

use crate::{Reading, Turn, clean::clean, detect::ACCEPTED, footers, plain};

/// Keys under which an object has its segments, or an object that has them, the likeliest first.
const HOLDERS: [&str; 20] = [
    "segments",
    "utterances",
    "entries",
    "sentences",
    "transcription",
    "chunks",
    "transcript",
    "transcripts",
    "turns",
    "dialogue",
    "conversation",
    "messages",
    "captions",
    "cues",
    "subtitles",
    "paragraphs",
    "lines",
    "items",
    "result",
    "data",
];
/// How deep in objects a list of segments is looked for.
const MOST_DEPTH: usize = 4;
/// The most characters of a first key that is looked at.
const LONGEST_KEY: usize = 200;

/// Whether a text without white space at its head is JSON, be it malformed: `{"key":`, `[{"key":`, or a whole document.
/// `[00:12]`, `{laughs}` and `[[inaudible]]` are not.
pub(crate) fn looks_like_json(head: &str) -> bool {
    let after_list = head.strip_prefix('[').map_or(head, str::trim_start);
    let key = after_list.strip_prefix('{').and_then(|inner| inner.trim_start().strip_prefix('"'));
    let after_key = key.and_then(|key| {
        let mut is_escaped = false;
        let (end, _) = key.char_indices().take(LONGEST_KEY).find(|&(_, c)| {
            let is_end = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        })?;
        Some(key[end + 1..].trim_start())
    });
    after_key.is_some_and(|rest| rest.starts_with(':'))
        || head.starts_with(['[', '{']) && serde_json::from_str::<IgnoredAny>(head).is_ok()
}

pub(crate) fn read(text: &str) -> Result<Reading> {
    let text = text.trim_start_matches('\u{feff}');
    let root = match parse(text) {
        Ok(root) => root,
        Err(_) => parse(&repair::repaired(text)).map_err(|error| read_failure("malformed JSON", &error))?,
    };
    let mut reading = match &root {
        Tree::List(rows) => {
            if let Some(error) = error_of_entry(text, rows) {
                return Err(error);
            }
            let turns =
                if rows.first().is_some_and(is_word) { services::of_words(rows) } else { rows::turns(rows, false)? };
            Reading { title: None, turns }
        }
        root => {
            let title = root.text_at("title").map(str::trim).filter(|title| !title.is_empty());
            let reading = read_object(root, 0).transpose()?.ok_or_else(|| unknown_shape(text))?;
            Reading { title: title.map(|title| clean(title).into_owned()), turns: reading.turns }
        }
    };
    footers::drop_notes(&mut reading.turns);
    Ok(reading)
}

/// One document, or one a line.
fn parse(text: &str) -> serde_json::Result<Tree> {
    let documents = serde_json::Deserializer::from_str(text).into_iter::<Tree>();
    let mut rows = documents.collect::<serde_json::Result<Vec<Tree>>>()?;
    match rows.len() {
        1 => Ok(rows.remove(0)),
        2.. if rows.iter().all(Tree::is_object) => Ok(Tree::List(rows)),
        _ => serde_json::from_str(text),
    }
}

/// The transcript in an object: under the key of a meeting, as that of a service, under another key, or as one text.
fn read_object(root: &Tree, depth: usize) -> Option<Result<Reading>> {
    let of = |turns: Result<Vec<Turn>>| Some(turns.map(|turns| Reading { title: None, turns }));
    if let Some(rows) = root.get("meeting_transcripts").and_then(Tree::list) {
        return of(rows::turns(rows, true));
    }
    if let Some(turns) = services::turns(root) {
        return of(Ok(turns));
    }
    let mut is_empty_holder = false;
    for key in HOLDERS {
        let Some(held) = root.get(key) else { continue };
        match held {
            Tree::List(rows) if rows.is_empty() => is_empty_holder = true,
            Tree::List(rows) if rows.iter().all(|row| row.is_object() || *row == Tree::Null) => {
                return of(rows::turns(rows, false));
            }
            Tree::Text(text) if !text.trim().is_empty() => return Some(Ok(plain::read(&clean(text)))),
            Tree::Object(_) if depth < MOST_DEPTH => {
                if let Some(reading) = read_object(held, depth + 1) {
                    return Some(reading);
                }
            }
            _ => {}
        }
    }
    let words = root.list_at("words");
    if !words.is_empty() && words.iter().all(Tree::is_object) {
        return of(Ok(services::of_words(words)));
    }
    match root.text_at("text").or_else(|| root.text_at("content")) {
        Some(text) if !text.trim().is_empty() => Some(Ok(plain::read(&clean(text)))),
        Some(_) => of(Ok(Vec::new())),
        None if is_empty_holder => of(Ok(Vec::new())),
        None => None,
    }
}

/// Whether an entry of a list is a word and no segment.
fn is_word(entry: &Tree) -> bool {
    entry.get("word").is_some() && rows::text_of(entry).is_none()
}

/// The failure for a list of which an entry is no object, with its place.
fn error_of_entry(text: &str, rows: &[Tree]) -> Option<Failure> {
    if rows.iter().all(Tree::is_object) {
        return None;
    }
    let error = serde_json::from_str::<Vec<std::collections::HashMap<String, IgnoredAny>>>(text).err()?;
    Some(read_failure("JSON of an unknown shape", &error))
}

/// The failure for an error of the JSON parser, with its position and the accepted formats.
fn read_failure(problem: &str, error: &serde_json::Error) -> Failure {
    Failure::InvalidInput(format!("{problem}: {error}; accepted are {ACCEPTED}"))
}

/// The failure for an object of an unknown shape, with the keys that it has.
fn unknown_shape(text: &str) -> Failure {
    let object = serde_json::from_str::<serde_json::Map<String, Value>>(text);
    let keys = match object.or_else(|_| serde_json::from_str(&repair::repaired(text))) {
        Ok(object) => object.keys().take(8).map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "),
        Err(_) => String::new(),
    };
    let has = if keys.is_empty() { "no keys".to_owned() } else { format!("keys {keys}") };
    Failure::InvalidInput(format!(
        "JSON of an unknown shape: line 1 opens an object with {has}; accepted are {ACCEPTED}"
    ))
}

#[cfg(test)]
mod tests;
