//! A slice of the transcript, for a lens that reads findings.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Segment, cut::one_line};

use crate::{findings::LensFinding, parts::tokens};

/// Which part of a transcript an excerpt is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum ExcerptOf {
    /// The turns with which it begins.
    #[default]
    Beginning,
    /// The turns that the findings quote, those of the surest findings first, each with the turns before and after it.
    Findings,
}

/// Stands between turns that do not follow one another.
const GAP: &str = "[…]";

/// Whole turns of a transcript, `[segment] Speaker: words` a line, of at most `room` tokens together, in their order. None where
/// not even the first one fits, or there is none.
pub(crate) fn excerpt(segments: &[Segment], findings: &[LensFinding], of: ExcerptOf, room: usize) -> Option<String> {
    let wanted: Vec<usize> = match of {
        ExcerptOf::Beginning => (0..segments.len()).collect(),
        ExcerptOf::Findings => around(segments, findings),
    };
    let mut chosen: BTreeMap<usize, String> = BTreeMap::new();
    let mut spent = 0;
    for index in wanted {
        let line = line(&segments[index]);
        // The line break, and a gap before the turn, count too.
        let cost = tokens(&line) + 1 + if of == ExcerptOf::Findings { tokens(GAP) + 1 } else { 0 };
        if spent + cost > room {
            break;
        }
        spent += cost;
        chosen.insert(index, line);
    }
    let mut lines: Vec<String> = Vec::new();
    let mut last = None;
    for (index, line) in chosen {
        if last.is_some_and(|last| last + 1 != index) {
            lines.push(GAP.to_owned());
        }
        last = Some(index);
        lines.push(line);
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The turns that findings quote, those of the surest first, then the turns beside these, in the same order; each once.
fn around(segments: &[Segment], findings: &[LensFinding]) -> Vec<usize> {
    let places: BTreeMap<&str, usize> =
        segments.iter().enumerate().map(|(index, segment)| (segment.id.as_str(), index)).collect();
    let mut surest: Vec<&LensFinding> = findings.iter().filter(|finding| !finding.unsupported).collect();
    surest.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut found = Vec::new();
    let mut is_known = vec![false; segments.len()];
    let mut add = |index: usize| {
        if let Some(known) = is_known.get_mut(index).filter(|known| !**known) {
            *known = true;
            found.push(index);
        }
    };
    let evidence = surest.iter().flat_map(|finding| &finding.evidence);
    let quoted: Vec<usize> = evidence.filter_map(|place| places.get(place.segment.as_str()).copied()).collect();
    quoted.iter().for_each(|index| add(*index));
    for index in &quoted {
        if let Some(before) = index.checked_sub(1) {
            add(before);
        }
        add(index + 1);
    }
    found
}

fn line(segment: &Segment) -> String {
    let text = one_line(&segment.text);
    match segment.speaker.as_deref().map(str::trim).filter(|speaker| !speaker.is_empty()) {
        Some(speaker) => format!("[{}] {}: {text}", segment.id, one_line(speaker)),
        None => format!("[{}] {text}", segment.id),
    }
}

#[cfg(test)]
mod tests {
    use jackfield_text::Evidence;

    use super::{ExcerptOf, excerpt};
    use crate::{findings::LensFinding, testing::transcript};

    fn quoting(segment: &str, confidence: f64) -> LensFinding {
        let evidence = Evidence { segment: segment.into(), speaker: None, start: None, quote: "x".into() };
        LensFinding { confidence, evidence: vec![evidence], ..LensFinding::default() }
    }

    #[test]
    fn whole_turns_from_the_beginning_as_far_as_there_is_room() {
        let talk = transcript(&[("Ann", "One two\nthree."), ("", "Four."), ("Bo", "Five six seven eight nine ten.")]);
        let of = |room| excerpt(&talk.segments, &[], ExcerptOf::Beginning, room);
        assert_eq!(of(1000).expect("all").lines().count(), 3);
        assert_eq!(of(20).expect("two"), "[s1] Ann: One two three.\n[s2] Four.");
        assert_eq!(of(3), None);
        assert_eq!(excerpt(&[], &[], ExcerptOf::Beginning, 1000), None);
    }

    #[test]
    fn turns_that_the_surest_findings_quote_come_first_and_stand_in_order() {
        let turns: Vec<(&str, &str)> = (0..12).map(|_| ("Ann", "The bus is late again.")).collect();
        let talk = transcript(&turns);
        let findings = [quoting("s2", 0.3), quoting("s9", 0.9), quoting("gone", 1.0)];
        let ids = |room| -> Vec<String> {
            let text = excerpt(&talk.segments, &findings, ExcerptOf::Findings, room).unwrap_or_default();
            text.lines().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(ids(17), ["[s9]"]);
        assert_eq!(ids(34), ["[s2]", "[…]", "[s9]"]);
        assert_eq!(ids(1000), ["[s1]", "[s2]", "[s3]", "[…]", "[s8]", "[s9]", "[s10]"]);
    }
}
