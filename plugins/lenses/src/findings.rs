//! The findings that the answer of a lens holds.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Evidence, confidence};
use serde_json::{Map, Value};

use crate::{
    kind::kind_of,
    merge::Answer,
    quotes::{QuoteIndex, citation},
};

/// A finding, as `lens` reads and answers it: what every finding has, and what only the entries of a lens have.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct LensFinding {
    /// Unique within the item: the source and a number, such as `say-means-3`.
    pub id: String,
    /// What it is: the singular of the list that it stands in, such as `insight`. With `unsupported-` before it if
    /// what it quotes was never said.
    pub kind: String,
    /// The finding, for a reader who has not seen the transcript.
    pub text: String,
    /// How sure the model is, 0 to 1, less where quotes are missing.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: f64,
    /// Name of the stage that found it.
    pub source: String,
    /// What bears it out: those quotes that were said.
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
    /// Whether it quotes something, and none of it was said.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unsupported: bool,
    /// What else the entry says, such as the relation of a connection.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// What other stages answer, as far as `lens` reads it.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct LensFindingSet {
    /// The findings.
    pub findings: Vec<LensFinding>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Before the kind of a finding that quotes what was never said, so that no reader takes it for one that holds.
const UNSUPPORTED: &str = "unsupported-";
/// The confidence of an entry that does not state one.
const DEFAULT_CONFIDENCE: f64 = 0.5;
/// The share of its confidence that a finding keeps when none of its quotes was said.
const UNSUPPORTED_SHARE: f64 = 0.25;
/// Fields that name what an entry is about.
const LABELS: [&str; 5] = ["term", "name", "title", "holder", "label"];
/// Fields that say what an entry has to say, the most telling first.
const STATEMENTS: [&str; 7] = ["statement", "text", "claim", "description", "summary", "meaning", "explanation"];
/// Fields that a finding has as well.
const FINDING_FIELDS: [&str; 4] = ["confidence", "owner", "due", "priority"];

/// The entries of every list of an answer as findings, in order. The answer's citations have been checked.
pub(crate) fn findings_of(answer: &Answer, quotes: &QuoteIndex, stage: &str) -> Vec<LensFinding> {
    let mut findings = Vec::new();
    for (key, entries) in answer {
        let kind = kind_of(key);
        for entry in entries.as_array().into_iter().flatten() {
            if let Some(mut finding) = finding_of(entry, quotes) {
                finding.id = format!("{stage}-{}", findings.len() + 1);
                finding.kind = if finding.unsupported { format!("{UNSUPPORTED}{kind}") } else { kind.clone() };
                finding.source = stage.to_owned();
                findings.push(finding);
            }
        }
    }
    findings
}

/// What an entry says; nothing if it is a citation, or has no words.
fn finding_of(entry: &Value, quotes: &QuoteIndex) -> Option<LensFinding> {
    let Value::Object(fields) = entry else {
        let text = entry.as_str().filter(|text| !text.trim().is_empty())?.to_owned();
        return Some(LensFinding { text, confidence: DEFAULT_CONFIDENCE, ..LensFinding::default() });
    };
    if citation(fields).is_some() {
        return None;
    }
    let Statement { text, fields: used } = statement(fields)?;
    let mut cited = Vec::new();
    collect_citations(entry, &mut cited);
    let mut evidence: Vec<Evidence> = Vec::new();
    let mut missing = 0_usize;
    for (segment, quote) in &cited {
        match quotes.find(segment, quote) {
            Some(place) if !evidence.contains(&place) => evidence.push(place),
            Some(_) => {}
            None => missing += 1,
        }
    }
    let unsupported = missing > 0 && evidence.is_empty();
    let text_of =
        |key: &str| fields.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let rest = fields.iter().filter(|(key, _)| !used.contains(key.as_str()) && !FINDING_FIELDS.contains(&key.as_str()));
    let details = rest.filter_map(|(key, value)| Some((key.clone(), value_text(value)?))).collect();
    let (owner, due, priority) = (text_of("owner"), text_of("due"), text_of("priority"));
    let share = if unsupported { UNSUPPORTED_SHARE } else { supported_share(cited.len() - missing, cited.len()) };
    let confidence = confidence(stated_confidence(fields) * share);
    Some(LensFinding {
        text,
        confidence,
        evidence,
        owner,
        due,
        priority,
        unsupported,
        details,
        ..LensFinding::default()
    })
}

/// The share of its confidence that a finding keeps when `found` of its `quoted` quotes were said.
fn supported_share(found: usize, quoted: usize) -> f64 {
    // Without a quote there is nothing to check.
    if quoted == 0 { 0.5 } else { found as f64 / quoted as f64 }
}

/// How sure the model says it is, 0 to 1; a number above is taken for one of a hundred.
fn stated_confidence(fields: &Map<String, Value>) -> f64 {
    match fields.get("confidence").and_then(Value::as_f64) {
        Some(percent) if percent > 1.0 => (percent / 100.0).min(1.0),
        Some(confidence) => confidence.max(0.0),
        None => DEFAULT_CONFIDENCE,
    }
}

/// What an entry says in a sentence.
struct Statement<'a> {
    text: String,
    /// Names of the fields that it is made of.
    fields: BTreeSet<&'a str>,
}

/// The sentence that says most of an entry, with what it is about before it; nothing if it has no text.
fn statement(fields: &Map<String, Value>) -> Option<Statement<'_>> {
    let texts: Vec<(&str, &str)> = fields
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "id" | "owner" | "due" | "priority"))
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?.trim())))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    let first_of = |names: &[&str]| names.iter().find_map(|name| texts.iter().find(|(key, _)| key == name)).copied();
    let label = first_of(&LABELS);
    let longest = || {
        let others = texts.iter().filter(|text| label.is_none_or(|label| label.0 != text.0));
        // Of those of one length the first.
        others.rev().max_by_key(|(_, text)| text.chars().count()).copied()
    };
    match (label, first_of(&STATEMENTS).or_else(longest)) {
        (Some((label_field, label)), Some((field, text))) => {
            Some(Statement { text: format!("{label}: {text}"), fields: [label_field, field].into() })
        }
        (Some((field, text)), None) | (None, Some((field, text))) => {
            Some(Statement { text: text.to_owned(), fields: [field].into() })
        }
        (None, None) => None,
    }
}

/// Adds the segment and the quote of every citation in a value.
fn collect_citations<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect_citations(value, found)),
        Value::Object(fields) => match citation(fields) {
            Some(cited) => found.push(cited),
            None => fields.values().for_each(|value| collect_citations(value, found)),
        },
        _ => {}
    }
}

/// A value as text, without citations; nothing if nothing is left.
fn value_text(value: &Value) -> Option<String> {
    let joined = |parts: Vec<String>, by: &str| (!parts.is_empty()).then(|| parts.join(by));
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(values) => joined(values.iter().filter_map(value_text).collect(), "; "),
        Value::Object(fields) if citation(fields).is_some() => None,
        Value::Object(fields) => joined(fields.values().filter_map(value_text).collect(), ": "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{LensFinding, findings_of};
    use crate::{
        quotes::QuoteIndex,
        testing::{citation as cited, transcript},
    };

    fn findings(answer: &Value) -> Vec<LensFinding> {
        let quotes =
            QuoteIndex::of_transcript(&transcript(&[("Ann", "We take the bus."), ("Bo", "It is late, mostly.")]));
        findings_of(answer.as_object().expect("an object"), &quotes, "lens")
    }

    #[test]
    fn an_entry_becomes_a_finding_with_its_speaker_and_the_rest_as_details() {
        let entry = json!({
            "id": "A1", "holder": "Ann", "statement": "The bus will do.", "support": "bare", "from": ["P1", "P2"],
            "resolution": null, "confidence": 0.8, "evidence": [cited("s1", "take the bus")],
        });
        let finding = findings(&json!({ "assertions": [entry] })).remove(0);
        assert_eq!(
            (finding.id.as_str(), finding.kind.as_str(), finding.source.as_str()),
            ("lens-1", "assertion", "lens")
        );
        assert_eq!((finding.text.as_str(), finding.confidence), ("Ann: The bus will do.", 0.8));
        assert_eq!(finding.evidence[0].speaker.as_deref(), Some("Ann"));
        let details: Vec<_> = finding.details.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(details, [("from", "P1; P2"), ("id", "A1"), ("support", "bare")]);
    }

    #[test]
    fn a_finding_whose_quotes_were_never_said_is_no_fact() {
        let entry = json!({ "text": "They fly.", "confidence": 0.8, "evidence": [cited("s1", "we take the plane")] });
        let finding = findings(&json!({ "decisions": [entry] })).remove(0);
        assert!(finding.unsupported && finding.evidence.is_empty());
        assert_eq!((finding.kind.as_str(), finding.confidence), ("unsupported-decision", 0.2));
    }

    #[test]
    fn a_quote_that_is_missing_among_others_costs_its_share() {
        let evidence = [cited("s1", "take the bus"), cited("s2", "it is never late")];
        let finding =
            findings(&json!({ "facts": [{ "text": "It is late.", "confidence": 80, "evidence": evidence }] }))
                .remove(0);
        assert_eq!((finding.confidence, finding.evidence.len(), finding.unsupported), (0.4, 1, false));
    }

    #[test]
    fn any_lens_has_a_text_for_its_findings() {
        let texts =
            |entry: Value| findings(&json!({ "things": [entry] })).into_iter().map(|f| f.text).collect::<Vec<_>>();
        assert_eq!(texts(json!("Plain words.")), ["Plain words."]);
        assert_eq!(texts(json!({ "why": "Because it rains.", "sort": "weather" })), ["Because it rains."]);
        assert_eq!(texts(json!({ "term": "bus" })), ["bus"]);
        assert!(texts(json!({ "id": "X1", "rank": 2 })).is_empty());
        assert!(texts(cited("s1", "take the bus")).is_empty(), "a list of quotes is not a list of findings");
    }

    #[test]
    fn owner_due_date_and_priority_are_taken_over() {
        let entry = json!({ "text": "Book it.", "owner": "Bo", "due": "Friday", "priority": "high" });
        let finding = findings(&json!({ "actions": [entry] })).remove(0);
        assert_eq!((finding.owner.as_deref(), finding.due.as_deref()), (Some("Bo"), Some("Friday")));
        assert_eq!((finding.priority.as_deref(), finding.details.len()), (Some("high"), 0));
    }
}
