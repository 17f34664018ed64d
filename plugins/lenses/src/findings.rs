//! From the answer of a lens to findings.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Evidence, confidence};
use serde_json::{Map, Value};

use crate::{
    merge::Answer,
    quote::{Record, citation},
};

/// A finding, as `lens` reads and answers it: what every finding has, and what is told of a lens's entries besides.
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
/// What a finding is worth that says nothing of its confidence.
const UNSAID: f64 = 0.5;
/// What is left of the confidence of a finding when none of its quotes was said.
const DISCREDITED: f64 = 0.25;
/// Names of what an entry is about.
const LABELS: [&str; 5] = ["term", "name", "title", "holder", "label"];
/// Fields that say what an entry has to say, the most telling first.
const STATEMENTS: [&str; 7] = ["statement", "text", "claim", "description", "summary", "meaning", "explanation"];
/// Fields that have a place of their own in a finding.
const OWN: [&str; 4] = ["confidence", "owner", "due", "priority"];

/// The entries of every list of an answer as findings, in order. The answer's citations have been checked.
pub(crate) fn draw(answer: &Answer, record: &Record, stage: &str) -> Vec<LensFinding> {
    let mut findings = Vec::new();
    for (key, entries) in answer {
        let kind = kind_of(key);
        for entry in entries.as_array().into_iter().flatten() {
            if let Some(mut finding) = drawn(entry, record) {
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
fn drawn(entry: &Value, record: &Record) -> Option<LensFinding> {
    let Value::Object(fields) = entry else {
        let text = entry.as_str().filter(|text| !text.trim().is_empty())?.to_owned();
        return Some(LensFinding { text, confidence: UNSAID, ..LensFinding::default() });
    };
    if citation(fields).is_some() {
        return None;
    }
    let (text, used) = telling(fields)?;
    let mut cited = Vec::new();
    citations(entry, &mut cited);
    let mut evidence: Vec<Evidence> = Vec::new();
    let mut missing = 0_usize;
    for (segment, quote) in &cited {
        match record.find(segment, quote) {
            Some(place) if !evidence.contains(&place) => evidence.push(place),
            Some(_) => {}
            None => missing += 1,
        }
    }
    let unsupported = missing > 0 && evidence.is_empty();
    let given = |key: &str| fields.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let rest = fields.iter().filter(|(key, _)| !used.contains(key.as_str()) && !OWN.contains(&key.as_str()));
    let details = rest.filter_map(|(key, value)| Some((key.clone(), plain(value)?))).collect();
    let (owner, due, priority) = (given("owner"), given("due"), given("priority"));
    let sure = stated(fields) * if unsupported { DISCREDITED } else { share(cited.len() - missing, cited.len()) };
    let confidence = confidence(sure);
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

fn share(found: usize, of: usize) -> f64 {
    // Nothing quoted, nothing to check: worth half of what it says.
    if of == 0 { 0.5 } else { found as f64 / of as f64 }
}

/// How sure the model says it is, 0 to 1; a number above is taken for one of a hundred.
fn stated(fields: &Map<String, Value>) -> f64 {
    match fields.get("confidence").and_then(Value::as_f64) {
        Some(sure) if sure > 1.0 => (sure / 100.0).min(1.0),
        Some(sure) => sure.max(0.0),
        None => UNSAID,
    }
}

/// The sentence that tells most of an entry, with what it is about before it, and the fields that it is made of.
fn telling(fields: &Map<String, Value>) -> Option<(String, BTreeSet<&str>)> {
    let texts: Vec<(&str, &str)> = fields
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "id" | "owner" | "due" | "priority"))
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?.trim())))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    let among = |names: &[&str]| names.iter().find_map(|name| texts.iter().find(|(key, _)| key == name)).copied();
    let label = among(&LABELS);
    let longest = || {
        let others = texts.iter().filter(|text| label.is_none_or(|label| label.0 != text.0));
        // Of those of one length the first.
        others.rev().max_by_key(|(_, text)| text.chars().count()).copied()
    };
    match (label, among(&STATEMENTS).or_else(longest)) {
        (Some(label), Some(said)) => Some((format!("{}: {}", label.1, said.1), [label.0, said.0].into())),
        (Some(one), None) | (None, Some(one)) => Some((one.1.to_owned(), [one.0].into())),
        (None, None) => None,
    }
}

fn citations<'a>(value: &'a Value, into: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| citations(value, into)),
        Value::Object(fields) => match citation(fields) {
            Some(cited) => into.push(cited),
            None => fields.values().for_each(|value| citations(value, into)),
        },
        _ => {}
    }
}

/// A value in a line, without citations; nothing if there is nothing in it.
fn plain(value: &Value) -> Option<String> {
    let joined = |parts: Vec<String>, by: &str| (!parts.is_empty()).then(|| parts.join(by));
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(values) => joined(values.iter().filter_map(plain).collect(), "; "),
        Value::Object(fields) if citation(fields).is_some() => None,
        Value::Object(fields) => joined(fields.values().filter_map(plain).collect(), ": "),
    }
}

/// The kind of the entries of a list: its name, lower-case, with hyphens, in the singular.
fn kind_of(key: &str) -> String {
    let words = key.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.map(str::to_lowercase).collect();
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    if words.is_empty() { "finding".to_owned() } else { words.join("-") }
}

fn singular(word: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    let but = |length: usize, with: &str| format!("{}{with}", &word[..word.len() - length]);
    if ends(&["ies"]) && word.len() > 4 {
        but(3, "y")
    } else if ends(&["theses", "alyses", "crises"]) {
        but(2, "is")
    } else if ends(&["sses", "shes", "ches", "xes"]) {
        but(2, "")
    } else if ends(&["s"]) && !ends(&["ss", "us", "is"]) && word.len() > 2 {
        but(1, "")
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{LensFinding, draw, kind_of};
    use crate::{
        quote::Record,
        testing::{said, transcript},
    };

    fn drawn(answer: &Value) -> Vec<LensFinding> {
        let record = Record::of_transcript(&transcript(&[("Ann", "We take the bus."), ("Bo", "It is late, mostly.")]));
        draw(answer.as_object().expect("an object"), &record, "lens")
    }

    #[test]
    fn lists_give_their_entries_a_kind_in_the_singular() {
        let named = [
            ("insights", "insight"),
            ("hypotheses", "hypothesis"),
            ("premises", "premise"),
            ("dependencies", "dependency"),
            ("evidence_matrix", "evidence-matrix"),
            ("fundamental_truths", "fundamental-truth"),
            ("novelty_assessment", "novelty-assessment"),
            ("Open Points", "open-point"),
            ("analyses", "analysis"),
            ("losses", "loss"),
            ("status", "status"),
            ("_", "finding"),
        ];
        for (key, kind) in named {
            assert_eq!(kind_of(key), kind);
        }
    }

    #[test]
    fn an_entry_becomes_a_finding_with_its_speaker_and_the_rest_as_details() {
        let entry = json!({
            "id": "A1", "holder": "Ann", "statement": "The bus will do.", "support": "bare", "from": ["P1", "P2"],
            "resolution": null, "confidence": 0.8, "evidence": [said("s1", "take the bus")],
        });
        let finding = drawn(&json!({ "assertions": [entry] })).remove(0);
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
        let entry = json!({ "text": "They fly.", "confidence": 0.8, "evidence": [said("s1", "we take the plane")] });
        let finding = drawn(&json!({ "decisions": [entry] })).remove(0);
        assert!(finding.unsupported && finding.evidence.is_empty());
        assert_eq!((finding.kind.as_str(), finding.confidence), ("unsupported-decision", 0.2));
    }

    #[test]
    fn a_quote_that_is_missing_among_others_costs_its_share() {
        let evidence = [said("s1", "take the bus"), said("s2", "it is never late")];
        let finding =
            drawn(&json!({ "facts": [{ "text": "It is late.", "confidence": 80, "evidence": evidence }] })).remove(0);
        assert_eq!((finding.confidence, finding.evidence.len(), finding.unsupported), (0.4, 1, false));
    }

    #[test]
    fn any_lens_has_a_text_for_its_findings() {
        let texts = |entry: Value| drawn(&json!({ "things": [entry] })).into_iter().map(|f| f.text).collect::<Vec<_>>();
        assert_eq!(texts(json!("Plain words.")), ["Plain words."]);
        assert_eq!(texts(json!({ "why": "Because it rains.", "sort": "weather" })), ["Because it rains."]);
        assert_eq!(texts(json!({ "term": "bus" })), ["bus"]);
        assert!(texts(json!({ "id": "X1", "rank": 2 })).is_empty());
        assert!(texts(said("s1", "take the bus")).is_empty(), "a list of quotes is no list of findings");
    }

    #[test]
    fn owner_due_date_and_priority_are_taken_over() {
        let entry = json!({ "text": "Book it.", "owner": "Bo", "due": "Friday", "priority": "high" });
        let finding = drawn(&json!({ "actions": [entry] })).remove(0);
        assert_eq!((finding.owner.as_deref(), finding.due.as_deref()), (Some("Bo"), Some("Friday")));
        assert_eq!((finding.priority.as_deref(), finding.details.len()), (Some("high"), 0));
    }
}
