//! The documents that the stages of a transcript pipeline pass to each other.

use jackfield_plugin_api::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

use crate::normal::speaker_label;

/// Reads the label of a speaker in the form in which labels are compared.
fn read_label<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<String>, D::Error> {
    let label = Option::<String>::deserialize(deserializer)?;
    Ok(label.map(|label| speaker_label(&label).into_owned()))
}

/// One turn of talk.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Segment {
    /// Stable within the transcript: `s1`, `s2` and so on, in order.
    pub id: String,
    /// Who speaks, where the source says so. Names that differ in spaces or marks that cannot be seen are read as one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_label")]
    pub speaker: Option<String>,
    /// What is said.
    pub text: String,
    /// Seconds from the start of the recording, where the source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
}

/// A transcript as segments, in order of time. Where a transcript is read, a plain text is read as one: a string, or an object
/// with `text` and without segments. Each paragraph of it is a segment, and nobody is named.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Transcript {
    /// A title, where the source has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The turns, in order.
    pub segments: Vec<Segment>,
}

/// The place in the transcript that bears a finding out.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Evidence {
    /// Id of the segment.
    pub segment: String,
    /// Who speaks there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_label")]
    pub speaker: Option<String>,
    /// When, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
    /// The words, as they stand in the segment (but for case, white space and punctuation).
    pub quote: String,
}

/// Something an analyzer found.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Finding {
    /// Unique within the item: the source and a number, such as `decisions-3`.
    pub id: String,
    /// What it is, such as `decision`, `action`, `question`.
    pub kind: String,
    /// The finding, for a reader who has not seen the transcript.
    pub text: String,
    /// How sure the analyzer is, 0 to 1, rounded to three places.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: f64,
    /// Name of the stage that found it.
    pub source: String,
    /// What bears it out; never empty for a finding drawn from words said.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// Who is to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When it is due, in the words used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// `high`, `medium` or `low`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
}

/// What a stage could not read, and so may have missed: it stands in the answer beside the findings, so that an item without
/// findings says why.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Warning {
    /// Name of the stage.
    pub source: String,
    /// What it could not read, and what follows from that.
    pub text: String,
}

/// What every analyzer's answer has at least: its findings.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct FindingSet {
    /// The findings, in order of the transcript.
    pub findings: Vec<Finding>,
    /// What it could not read, and so may have missed; absent where there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}
