//! Whether what a model quotes was said.

use std::collections::BTreeMap;

use jackfield_text::{Evidence, Transcript, quote::fold};
use serde_json::{Map, Value};

use crate::findings::LensFinding;

/// A shorter quote, in letters, counts only where it is said to stand: `yes, okay` stands everywhere.
const TELLING: usize = 10;

/// A segment, as far as it is known.
#[derive(Debug)]
struct Said {
    segment: String,
    speaker: Option<String>,
    start: Option<f64>,
    /// Letters and digits of its words; of several quotes where only those are known.
    folded: Vec<String>,
}

/// All that can be quoted: the transcript, or what findings quote of it.
#[derive(Debug, Default)]
pub(crate) struct Record {
    said: Vec<Said>,
    by_segment: BTreeMap<String, usize>,
}

impl Record {
    /// The whole transcript.
    pub(crate) fn of_transcript(transcript: &Transcript) -> Self {
        let mut record = Self::default();
        for segment in &transcript.segments {
            record.add(&segment.id, segment.speaker.as_deref(), segment.start, &segment.text);
        }
        record
    }

    /// What the findings quote, where there is no transcript.
    pub(crate) fn of_findings(findings: &[LensFinding]) -> Self {
        let mut record = Self::default();
        for place in findings.iter().flat_map(|finding| &finding.evidence) {
            record.add(&place.segment, place.speaker.as_deref(), place.start, &place.quote);
        }
        record
    }

    fn add(&mut self, segment: &str, speaker: Option<&str>, start: Option<f64>, words: &str) {
        let at = *self.by_segment.entry(segment.to_owned()).or_insert(self.said.len());
        if at == self.said.len() {
            let speaker = speaker.map(str::to_owned);
            self.said.push(Said { segment: segment.to_owned(), speaker, start, folded: Vec::new() });
        }
        self.said[at].folded.push(fold(words));
    }

    /// Where the words were said: in the segment named if they stand there, else in the first that has them.
    pub(crate) fn find(&self, segment: &str, quote: &str) -> Option<Evidence> {
        let folded = fold(quote);
        let has = |said: &&Said| said.folded.iter().any(|words| words.contains(&folded));
        let segment = segment.trim_matches(|c: char| c.is_whitespace() || matches!(c, '[' | ']'));
        let named = self.by_segment.get(segment).map(|at| &self.said[*at]);
        let elsewhere = || self.said.iter().find(has).filter(|_| folded.chars().count() >= TELLING);
        let said = if folded.is_empty() { None } else { named.filter(has).or_else(elsewhere) }?;
        Some(Evidence {
            segment: said.segment.clone(),
            speaker: said.speaker.clone(),
            start: said.start,
            quote: quote.trim().to_owned(),
        })
    }

    /// Checks every citation in an answer, in place: a segment misnamed is put right, a quote that was never said gets
    /// `unsupported: true`. How many such quotes there are.
    pub(crate) fn check(&self, value: &mut Value) -> u64 {
        match value {
            Value::Array(values) => values.iter_mut().map(|value| self.check(value)).sum(),
            Value::Object(fields) => match citation(fields) {
                Some((segment, quote)) => match self.find(segment, quote) {
                    Some(place) => {
                        fields.insert("segment".into(), place.segment.into());
                        0
                    }
                    None => {
                        fields.insert("unsupported".into(), true.into());
                        1
                    }
                },
                None => fields.values_mut().map(|value| self.check(value)).sum(),
            },
            _ => 0,
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

    use super::Record;
    use crate::testing::{finding, transcript};

    fn record() -> Record {
        let turns =
            [("Ann", "Well , we 'll GO with rubber ."), ("Bo", "Yes, okay."), ("", "It is the cheapest, I think.")];
        Record::of_transcript(&transcript(&turns))
    }

    #[test]
    fn a_quote_is_found_whatever_its_case_space_and_punctuation() {
        let place = record().find("[s1] ", " we'll go with rubber").expect("it was said");
        assert_eq!((place.segment.as_str(), place.speaker.as_deref()), ("s1", Some("Ann")));
        assert_eq!(place.quote, "we'll go with rubber");
    }

    #[test]
    fn a_segment_misnamed_is_put_right() {
        assert_eq!(record().find("s1", "It is the cheapest").expect("it was said").segment, "s3");
        assert_eq!(record().find("s99", "It is the cheapest").expect("it was said").segment, "s3");
    }

    #[test]
    fn a_word_or_two_prove_nothing_elsewhere() {
        assert!(record().find("s2", "yes").is_some());
        assert!(record().find("s1", "yes").is_none());
        assert!(record().find("s1", " … ").is_none());
    }

    #[test]
    fn a_quote_that_was_never_said_is_flagged_where_it_stands() {
        let cited = |segment: &str, quote: &str| json!({ "segment": segment, "quote": quote });
        let mut answer =
            json!({ "claims": [{ "evidence": [cited("s2", "go with rubber"), cited("s1", "go with steel")] }] });
        assert_eq!(record().check(&mut answer), 1);
        let mut steel = cited("s1", "go with steel");
        steel["unsupported"] = true.into();
        assert_eq!(answer, json!({ "claims": [{ "evidence": [cited("s1", "go with rubber"), steel] }] }));
    }

    #[test]
    fn without_a_transcript_the_quotes_of_findings_are_what_was_said() {
        let record = Record::of_findings(&[finding("a", 1, "We take the bus."), finding("a", 2, "The bus is late.")]);
        assert!(record.find("s2", "bus is late").is_some());
        assert!(record.find("s2", "the train is late").is_none());
    }
}
