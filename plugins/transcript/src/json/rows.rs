//! Segments as rows of JSON: which of the fields that tools write are the speaker, the text and the start.

use std::cell::LazyCell;

use jackfield_plugin_api::prelude::*;

use super::tree::Tree;
use crate::{
    Turn,
    clean::{clean, one_spaced},
    detect::ACCEPTED,
    names::is_numbered_speaker,
    time::{self, Timeline},
};

/// Fields that hold what is said, the likeliest first. Of two that are not empty, the first counts.
const TEXT_KEYS: [&str; 12] = [
    "text",
    "content",
    "transcript",
    "utterance",
    "sentence",
    "caption",
    "body",
    "message",
    "spokenText",
    "display",
    "line",
    "speech",
];
/// Fields that name a speaker, those with names before those with numbers of a diarisation.
const SPEAKER_KEYS: [&str; 18] = [
    "speaker",
    "name",
    "speakerName",
    "speaker_name",
    "speakerDisplayName",
    "displayName",
    "display_name",
    "participant",
    "author",
    "user",
    "who",
    "speaker_label",
    "speakerLabel",
    "speaker_id",
    "speakerId",
    "speakerTag",
    "speaker_tag",
    "role",
];
/// Fields that hold the start in seconds, or as a clock time.
const START_KEYS: [&str; 15] = [
    "start",
    "start_time",
    "startTime",
    "startOffset",
    "begin",
    "from",
    "ts",
    "timestamp",
    "timestamps",
    "time",
    "offset",
    "startedAt",
    "data_start",
    "startDateTime",
    "createdDateTime",
];
/// Fields that hold the start in milliseconds.
const MILLISECOND_KEYS: [&str; 6] =
    ["start_ms", "startMs", "tStartMs", "offsetMilliseconds", "startTimeMs", "start_time_ms"];
/// Whole numbers that give each word more seconds than this are milliseconds.
const MOST_SECONDS_A_WORD: f64 = 60.0;

/// The turns of a list of rows. `ids_by_index`: the file refers to its segments by their place, so the ids follow it even
/// where a segment is empty.
pub(super) fn turns(rows: &[Tree], ids_by_index: bool) -> Result<Vec<Turn>> {
    let mut turns = Vec::with_capacity(rows.len());
    let mut timeline = Timeline::default();
    let words_have_milliseconds = LazyCell::new(|| rows.iter().any(|row| are_milliseconds(row.list_at("words"))));
    for (index, row) in rows.iter().enumerate() {
        if *row == Tree::Null {
            continue;
        }
        let Some(text) = text_of(row) else {
            return Err(Failure::InvalidInput(format!(
                "JSON entry {} has no `text` (or `content`); accepted are {ACCEPTED}",
                index + 1
            )));
        };
        let mut start = start_of(row, &mut timeline);
        if start.is_none() {
            // A segment that has no start of its own begins with its first word.
            let start_of_word = row.first_at("words").and_then(|word| start_of(word, &mut timeline));
            start = start_of_word.map(|start| if *words_have_milliseconds { start / 1000.0 } else { start });
        }
        turns.push(Turn { speaker: speaker_of(row), text, start, number: ids_by_index.then_some(index + 1) });
    }
    if are_milliseconds(rows) {
        count_as_milliseconds(&mut turns);
    }
    Ok(turns)
}

/// Makes seconds of starts that were read as if they were seconds.
pub(super) fn count_as_milliseconds(turns: &mut [Turn]) {
    for turn in turns {
        turn.start = turn.start.map(|start| start / 1000.0);
    }
}

/// What is said in a row; nothing where no field for it is there at all.
pub(super) fn text_of(row: &Tree) -> Option<String> {
    let mut said = None;
    for key in TEXT_KEYS {
        let Some(text) = row.get(key).map(written) else { continue };
        if !text.is_empty() {
            return Some(text);
        }
        said = said.or(Some(text));
    }
    let words = row.list_at("words");
    if said.is_none() && !words.is_empty() {
        return Some(words.iter().filter_map(word_of).collect::<Vec<_>>().join(" "));
    }
    said
}

/// A word of a list of words.
pub(super) fn word_of(word: &Tree) -> Option<String> {
    ["punctuated_word", "word", "text", "content", "value"].iter().find_map(|key| word.get(key)).map(written)
}

/// A value as text: a list of parts is joined.
fn written(value: &Tree) -> String {
    match value {
        Tree::Text(text) => clean(text).trim().to_owned(),
        Tree::Number(number) => number.to_string(),
        Tree::Bool(value) => value.to_string(),
        Tree::List(parts) => parts.iter().map(written).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        Tree::Object(_) => text_of(value).unwrap_or_default(),
        Tree::Null => String::new(),
    }
}

/// Who speaks in a row: the first field with a name, or else the first with a number or a label of a diarisation.
pub(super) fn speaker_of(row: &Tree) -> Option<String> {
    let mut label = None;
    for key in SPEAKER_KEYS {
        let Some(name) = row.get(key).and_then(speaker_name) else { continue };
        let is_numbered = is_numbered_speaker(&name) || !name.contains(|c: char| c.is_alphabetic());
        if !is_numbered {
            return Some(name);
        }
        label = label.or(Some(name));
    }
    sender_of(row).or(label)
}

/// Who sent a message: `from` is a name in chats, and a time elsewhere.
fn sender_of(row: &Tree) -> Option<String> {
    let sender = row.get("from").filter(|from| from.text().is_some())?;
    let name = speaker_name(sender)?;
    let is_time = name.starts_with(|c: char| c.is_ascii_digit()) || seconds(sender, &mut Timeline::default()).is_some();
    (!is_time && name.contains(char::is_alphabetic)).then_some(name)
}

/// The name that a value is: a number is that of a speaker; an object has a name or an id.
fn speaker_name(value: &Tree) -> Option<String> {
    match value {
        Tree::Text(text) => {
            let name = clean(text);
            Some(one_spaced(&name).into_owned()).filter(|name| !name.is_empty())
        }
        Tree::Number(number) => Some(format!("Speaker {number}")),
        Tree::Object(_) => ["name", "displayName", "display_name", "speakerName", "label", "id"]
            .iter()
            .find_map(|key| value.get(key).and_then(speaker_name)),
        Tree::List(names) => {
            let names: Vec<String> = names.iter().filter_map(speaker_name).collect();
            (!names.is_empty()).then(|| names.join(", "))
        }
        Tree::Null | Tree::Bool(_) => None,
    }
}

/// Seconds from the start at which a row begins. A value that is none counts as absent.
pub(super) fn start_of(row: &Tree, timeline: &mut Timeline) -> Option<f64> {
    for key in MILLISECOND_KEYS {
        if let Some(milliseconds) = row.number_at(key) {
            return Some(milliseconds.max(0.0) / 1000.0);
        }
    }
    // Whisper's program in C++ has both a clock time and milliseconds.
    if let Some(milliseconds) = row.get("offsets").and_then(|offsets| offsets.number_at("from")) {
        return Some(milliseconds.max(0.0) / 1000.0);
    }
    START_KEYS.iter().find_map(|key| seconds(row.get(key)?, timeline))
}

/// Seconds that a value stands for: a number, a time as text, the beginning of a range, a number with its billionths.
pub(super) fn seconds(value: &Tree, timeline: &mut Timeline) -> Option<f64> {
    match value {
        // A segment that was moved to before the beginning begins there.
        Tree::Number(number) => Some(number.max(0.0)),
        Tree::Text(text) => match text.trim().parse::<f64>() {
            Ok(number) => number.is_finite().then_some(number.max(0.0)),
            Err(_) => time::seconds(text).or_else(|| time::whole(text).and_then(|stamp| timeline.seconds(stamp))),
        },
        Tree::List(range) => {
            range.first().filter(|first| first.list().is_none()).and_then(|first| seconds(first, timeline))
        }
        Tree::Object(_) => {
            let whole = value.number_at("seconds");
            let nanos = value.number_at("nanos");
            if whole.is_some() || nanos.is_some() {
                return Some((whole.unwrap_or(0.0) + nanos.unwrap_or(0.0) / 1e9).max(0.0));
            }
            ["start", "from"].iter().find_map(|key| {
                value.get(key).filter(|value| !value.is_object()).and_then(|value| seconds(value, timeline))
            })
        }
        Tree::Null | Tree::Bool(_) => None,
    }
}

/// Whether the starts and ends of rows are milliseconds: whole numbers by which, as seconds, nobody would speak so slowly.
pub(super) fn are_milliseconds(rows: &[Tree]) -> bool {
    let (mut sum, mut words) = (0.0, 0_usize);
    for row in rows.iter().filter(|row| row.is_object()) {
        let (Some(Tree::Number(start)), Some(Tree::Number(end))) = (row.get("start"), row.get("end")) else {
            return false;
        };
        if start.fract() != 0.0 || end.fract() != 0.0 {
            return false;
        }
        sum += end - start;
        words += text_of(row).or_else(|| word_of(row)).unwrap_or_default().split_whitespace().count();
    }
    words > 0 && sum / words as f64 > MOST_SECONDS_A_WORD
}
