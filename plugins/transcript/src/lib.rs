//! A Jackfield plugin that reads transcripts of many formats into segments. It does not transcribe audio, and it changes no word
//! of what was said.
//!
//! The analyzer [`ReadTranscript`] (`transcript`) takes a text and answers a [`Transcript`]. `detect` finds out which format
//! a text is in, and `plain` (with `court` for the minutes of courts), `captions`,
//! `table` and `json` read it. They share one grammar of times (`time`) and one of
//! speaker labels (`label`, judged by `names`). Every reader passes over the text a fixed number of times.
#![forbid(unsafe_code)]

mod captions;
mod clean;
mod court;
mod cues;
mod detect;
mod footers;
mod json;
mod label;
mod marks;
mod markup;
mod names;
mod plain;
mod table;
mod time;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Segment, Transcript, normal::speaker_label};
use serde_json::json;

/// What `transcript` reads.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Source {
    /// The whole text of one transcript.
    pub text: String,
    /// A name for it, such as that of its file; it becomes the title where the text has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// How a transcript is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Detected from the text.
    #[default]
    Auto,
    /// Plain text, with or without speakers and times.
    Text,
    /// WebVTT.
    Vtt,
    /// SubRip.
    Srt,
    /// SBV, the captions of YouTube.
    Sbv,
    /// A table with tabs between its columns, such as that of Whisper.
    Tsv,
    /// A table with commas between its columns, and a header.
    Csv,
    /// JSON: a list of segments, an object that holds one, or what a speech service answers.
    Json,
}

/// Reads plain text, WebVTT, SubRip or JSON into the segments of a transcript.
#[derive(Clone, Debug, Config)]
pub struct ReadTranscript {
    /// The format of the text; `auto` detects it from the text.
    #[config(default)]
    pub format: Format,
    /// Whether consecutive segments of one speaker become one.
    #[config(default)]
    pub merge: bool,
}

/// A segment before it has its id.
#[derive(Clone, Debug, Default, PartialEq)]
struct Turn {
    speaker: Option<String>,
    text: String,
    start: Option<f64>,
    /// Number that the id must have, where the source counts its segments.
    number: Option<usize>,
}

/// What a reader makes of a text.
#[derive(Debug, Default)]
struct Reading {
    title: Option<String>,
    turns: Vec<Turn>,
}

impl Analyzer for ReadTranscript {
    const NAME: &str = "transcript";
    const STABILITY: Stability = Stability::Beta;
    type Input = Source;
    type Output = Transcript;

    async fn analyze(&self, input: Source, _host: &Host<'_>) -> Result<Transcript> {
        let reading = self.read(&input.text)?;
        let named = reading.turns.into_iter().map(|turn| {
            let speaker = turn.speaker.map(|label| speaker_label(&label).into_owned());
            Turn { speaker, ..turn }
        });
        let turns = if self.merge { merge_turns(named.collect()) } else { named.collect() };
        let segments =
            turns.into_iter().filter(|turn| !turn.text.is_empty()).enumerate().map(|(index, turn)| Segment {
                id: format!("s{}", turn.number.unwrap_or(index + 1)),
                speaker: turn.speaker,
                text: turn.text,
                start: turn.start,
            });
        Ok(Transcript { title: reading.title.or(input.name), segments: segments.collect() })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "two turns of plain text with times".to_owned(),
            config: json!({}),
            input: json!({
                "text": "[00:05] Ann: Shall we start?\n[00:09] Bo: Yes, at 10:30: the budget.\n",
                "name": "standup",
            }),
            output: json!({
                "title": "standup",
                "segments": [
                    { "id": "s1", "speaker": "Ann", "text": "Shall we start?", "start": 5.0 },
                    { "id": "s2", "speaker": "Bo", "text": "Yes, at 10:30: the budget.", "start": 9.0 },
                ],
            }),
        }]
    }
}

impl ReadTranscript {
    fn read(&self, text: &str) -> Result<Reading> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        detect::check_is_text(text)?;
        let format = match self.format {
            Format::Auto => {
                detect::check_is_no_other_format(text)?;
                detect::format(text)
            }
            format => format,
        };
        // Marks inside of JSON may be written as escapes, so they are taken out of its values.
        if format == Format::Json {
            return json::read(text);
        }
        let text = clean::clean(text);
        match format {
            Format::Vtt | Format::Srt | Format::Sbv => Ok(captions::read(&text, format)),
            Format::Tsv | Format::Csv => table::read(&text, format),
            Format::Auto | Format::Text | Format::Json => Ok(plain::read(&text)),
        }
    }
}

/// Joins consecutive turns of one speaker; the first one's time and number hold.
fn merge_turns(turns: Vec<Turn>) -> Vec<Turn> {
    let mut merged_turns: Vec<Turn> = Vec::with_capacity(turns.len());
    for turn in turns.into_iter().filter(|turn| !turn.text.is_empty()) {
        match merged_turns.last_mut() {
            Some(last) if last.speaker == turn.speaker => {
                last.text.push(' ');
                last.text.push_str(&turn.text);
            }
            _ => merged_turns.push(turn),
        }
    }
    merged_turns
}

export_plugin!(ReadTranscript);

#[cfg(test)]
mod tests;
