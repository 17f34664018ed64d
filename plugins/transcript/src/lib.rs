//! A Jackfield plugin that reads transcripts of many formats into segments. It does not transcribe audio, and it changes no word
//! of what was said.
//!
//! The analyzer [`ReadTranscript`] (`transcript`) takes a text and answers a [`Transcript`]. Each format has a module of
//! its own, and `detect` finds out which one a text is in. Every reader passes over the text a fixed number of times.
#![forbid(unsafe_code)]

mod cues;
mod detect;
mod json;
mod plain;
mod speaker;
mod srt;
mod time;
mod vtt;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Segment, Transcript};
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
    /// JSON: a list of segments, or an object that holds one.
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
        let turns = if self.merge { merge_turns(reading.turns) } else { reading.turns };
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
        match self.format {
            Format::Auto => match detect::format(text) {
                Format::Json => json::read(text),
                Format::Vtt => Ok(vtt::read(text)),
                Format::Srt => Ok(srt::read(text)),
                Format::Auto | Format::Text => Ok(plain::read(text)),
            },
            Format::Text => Ok(plain::read(text)),
            Format::Vtt => Ok(vtt::read(text)),
            Format::Srt => Ok(srt::read(text)),
            Format::Json => json::read(text),
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

/// Lines of a text that ends them with `\n`, `\r\n` or `\r`.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

export_plugin!(ReadTranscript);

#[cfg(test)]
mod tests;
