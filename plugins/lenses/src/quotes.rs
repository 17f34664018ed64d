//! The check that what a model quotes was really said.

use std::collections::BTreeMap;

use jackfield_text::{Evidence, Transcript, quote::fold};
use serde_json::{Map, Value};

use crate::findings::LensFinding;

/// A quote of fewer letters counts only in the segment that it names, since `yes, okay` is in any transcript.
const SHORTEST_ELSEWHERE: usize = 10;

/// A segment, as far as its words are known.
#[derive(Debug)]
struct QuotableSegment {
    id: String,
    speaker: Option<String>,
    start: Option<f64>,
    /// Letters and digits of its words; of several quotes where only those are known.
    folded: Vec<String>,
}

/// All that can be quoted: the transcript, or what findings quote of it.
#[derive(Debug, Default)]
pub(crate) struct QuoteIndex {
    segments: Vec<QuotableSegment>,
    /// Indices in `segments` by id.
    by_id: BTreeMap<String, usize>,
}

impl QuoteIndex {
    /// The whole transcript.
    pub(crate) fn of_transcript(transcript: &Transcript) -> Self {
        let mut quotes = Self::default();
        for segment in &transcript.segments {
            quotes.add(&segment.id, segment.speaker.as_deref(), segment.start, &segment.text);
        }
        quotes
    }

    /// What the findings quote, where there is no transcript.
    pub(crate) fn of_findings(findings: &[LensFinding]) -> Self {
        let mut quotes = Self::default();
        for place in findings.iter().flat_map(|finding| &finding.evidence) {
            quotes.add(&place.segment, place.speaker.as_deref(), place.start, &place.quote);
        }
        quotes
    }

    fn add(&mut self, segment: &str, speaker: Option<&str>, start: Option<f64>, words: &str) {
        let index = *self.by_id.entry(segment.to_owned()).or_insert(self.segments.len());
        if index == self.segments.len() {
            let speaker = speaker.map(str::to_owned);
            self.segments.push(QuotableSegment { id: segment.to_owned(), speaker, start, folded: Vec::new() });
        }
        self.segments[index].folded.push(fold(words));
    }

    /// Where the words were said: in the segment named if they stand there, else in the first that has them.
    pub(crate) fn find(&self, segment: &str, quote: &str) -> Option<Evidence> {
        let folded = fold(quote);
        if folded.is_empty() {
            return None;
        }
        let has_quote = |segment: &&QuotableSegment| segment.folded.iter().any(|words| words.contains(&folded));
        let id = segment.trim_matches(|c: char| c.is_whitespace() || matches!(c, '[' | ']'));
        let named = self.by_id.get(id).map(|index| &self.segments[*index]).filter(has_quote);
        let segment = match named {
            Some(segment) => segment,
            None if folded.chars().count() >= SHORTEST_ELSEWHERE => self.segments.iter().find(has_quote)?,
            None => return None,
        };
        Some(Evidence {
            segment: segment.id.clone(),
            speaker: segment.speaker.clone(),
            start: segment.start,
            quote: quote.trim().to_owned(),
        })
    }

    /// Checks every citation in an answer, in place: a wrong segment is corrected, a quote that was never said gets
    /// `unsupported: true`. Returns how many such quotes there are.
    fn check(&self, value: &mut Value) -> u64 {
        match value {
            Value::Array(values) => values.iter_mut().map(|value| self.check(value)).sum(),
            Value::Object(fields) => self.check_fields(fields),
            _ => 0,
        }
    }

    /// [`QuoteIndex::check`] of an object.
    pub(crate) fn check_fields(&self, fields: &mut Map<String, Value>) -> u64 {
        let Some((segment, quote)) = citation(fields) else {
            return fields.values_mut().map(|value| self.check(value)).sum();
        };
        match self.find(segment, quote) {
            Some(evidence) => {
                fields.insert("segment".into(), evidence.segment.into());
                0
            }
            None => {
                fields.insert("unsupported".into(), true.into());
                1
            }
        }
    }
}

/// Segment and quote, if an object is a citation: it has both as texts, whatever key it stands under.
pub(crate) fn citation(fields: &Map<String, Value>) -> Option<(&str, &str)> {
    Some((fields.get("segment")?.as_str()?, fields.get("quote")?.as_str()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::QuoteIndex;
    use crate::testing::{finding, transcript};

    fn quotes() -> QuoteIndex {
        let turns =
            [("Ann", "Well , we 'll GO with rubber ."), ("Bo", "Yes, okay."), ("", "It is the cheapest, I think.")];
        QuoteIndex::of_transcript(&transcript(&turns))
    }

    #[test]
    fn a_quote_is_found_whatever_its_case_space_and_punctuation() {
        let place = quotes().find("[s1] ", " we'll go with rubber").expect("it was said");
        assert_eq!((place.segment.as_str(), place.speaker.as_deref()), ("s1", Some("Ann")));
        assert_eq!(place.quote, "we'll go with rubber");
    }

    #[test]
    fn a_segment_misnamed_is_put_right() {
        assert_eq!(quotes().find("s1", "It is the cheapest").expect("it was said").segment, "s3");
        assert_eq!(quotes().find("s99", "It is the cheapest").expect("it was said").segment, "s3");
    }

    #[test]
    fn a_word_or_two_prove_nothing_elsewhere() {
        assert!(quotes().find("s2", "yes").is_some());
        assert!(quotes().find("s1", "yes").is_none());
        assert!(quotes().find("s1", " … ").is_none());
    }

    #[test]
    fn a_quote_that_was_never_said_is_flagged_where_it_stands() {
        let cited = |segment: &str, quote: &str| json!({ "segment": segment, "quote": quote });
        let mut answer =
            json!({ "claims": [{ "evidence": [cited("s2", "go with rubber"), cited("s1", "go with steel")] }] });
        assert_eq!(quotes().check(&mut answer), 1);
        let mut steel = cited("s1", "go with steel");
        steel["unsupported"] = true.into();
        assert_eq!(answer, json!({ "claims": [{ "evidence": [cited("s1", "go with rubber"), steel] }] }));
    }

    #[test]
    fn without_a_transcript_the_quotes_of_findings_are_what_was_said() {
        let quotes =
            QuoteIndex::of_findings(&[finding("a", 1, "We take the bus."), finding("a", 2, "The bus is late.")]);
        assert!(quotes.find("s2", "bus is late").is_some());
        assert!(quotes.find("s2", "the train is late").is_none());
    }
}
