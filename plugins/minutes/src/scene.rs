//! The talk around findings: the transcript, or what the findings quote of it.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_text::{Evidence, Finding, Transcript, language::Language, sentences::sentences, words::tokens};

use crate::shared::number_of;

/// One turn, or what evidence quotes of it.
#[derive(Debug)]
pub(crate) struct Line {
    /// Id of the segment.
    pub(crate) segment: String,
    /// Rank in time: lines next to each other in the transcript differ by one.
    pub(crate) order: u64,
    pub(crate) speaker: Option<String>,
    pub(crate) start: Option<f64>,
    /// Sentences, as they stand.
    pub(crate) sentences: Vec<String>,
}

impl Line {
    /// This sentence of the line, as evidence.
    pub(crate) fn evidence(&self, sentence: &str) -> Evidence {
        Evidence {
            segment: self.segment.clone(),
            speaker: self.speaker.clone(),
            start: self.start,
            quote: sentence.to_owned(),
        }
    }

    /// Whether the line asks something.
    pub(crate) fn asks(&self) -> bool {
        self.sentences.iter().any(|sentence| sentence.trim_end().ends_with('?'))
    }
}

/// The whole transcript where it is wired; else what the findings quote of it.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// In order of time.
    pub(crate) lines: Vec<Line>,
    by_segment: BTreeMap<String, usize>,
}

impl Scene {
    pub(crate) fn new(transcript: Option<Transcript>, findings: &[Finding]) -> Self {
        let lines = match transcript {
            Some(transcript) => lines_of_transcript(transcript),
            None => lines_of_quotes(findings),
        };
        let by_segment = lines.iter().enumerate().map(|(index, line)| (line.segment.clone(), index)).collect();
        Self { lines, by_segment }
    }

    /// Indices of the lines that bear the finding out, in order of time.
    pub(crate) fn lines_of(&self, finding: &Finding) -> Vec<usize> {
        let found: BTreeSet<usize> =
            finding.evidence.iter().filter_map(|place| self.by_segment.get(&place.segment).copied()).collect();
        found.into_iter().collect()
    }

    /// The language of what is said.
    pub(crate) fn language(&self) -> Language {
        Language::of(self.lines.iter().flat_map(|line| &line.sentences).map(String::as_str))
    }

    /// Indices of the lines at most `reach` turns before `index`, nearest first.
    pub(crate) fn before(&self, index: usize, reach: u64) -> impl Iterator<Item = usize> + '_ {
        let order = self.lines[index].order;
        (0..index).rev().take_while(move |at| self.lines[*at].order.saturating_add(reach) >= order)
    }

    /// Indices of the lines at most `reach` turns after `index`, nearest first.
    pub(crate) fn after(&self, index: usize, reach: u64) -> impl Iterator<Item = usize> + '_ {
        let last = self.lines[index].order.saturating_add(reach);
        (index + 1..self.lines.len()).take_while(move |at| self.lines[*at].order <= last)
    }
}

fn lines_of_transcript(transcript: Transcript) -> Vec<Line> {
    let lines = transcript.segments.into_iter().enumerate();
    lines
        .map(|(index, segment)| Line {
            sentences: sentences(&segment.text).into_iter().map(|range| segment.text[range].to_owned()).collect(),
            segment: segment.id,
            order: index as u64,
            speaker: segment.speaker,
            start: segment.start,
        })
        .collect()
}

/// Lines made of quotes, in the order of the numbers in the segments' ids.
fn lines_of_quotes(findings: &[Finding]) -> Vec<Line> {
    let mut lines: BTreeMap<(u64, &str), Line> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for place in findings.iter().flat_map(|finding| &finding.evidence) {
        if !known.insert((place.segment.as_str(), place.quote.as_str())) {
            continue;
        }
        let order = number_of(&place.segment);
        let line = lines.entry((order, &place.segment)).or_insert_with(|| Line {
            segment: place.segment.clone(),
            order,
            speaker: place.speaker.clone(),
            start: place.start,
            sentences: Vec::new(),
        });
        line.sentences.extend(sentences(&place.quote).into_iter().map(|range| place.quote[range].to_owned()));
    }
    lines.into_values().collect()
}

/// Stems of the words of a text that are not stop words.
pub(crate) fn content_stems(text: &str) -> BTreeSet<String> {
    tokens(text)
        .iter()
        .filter(|word| !jackfield_text::words::is_stop_word(word))
        .map(|word| jackfield_text::normal_title(word))
        .collect()
}
