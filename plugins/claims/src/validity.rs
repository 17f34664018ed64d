//! Which answers are valid: those that hold a probability and no link but one of the claim.
//!
//! Another link means that the model answered from a source, or pretends to; asked for is what the model itself believes.

use std::fmt;

use jackfield_plugin_api::{AnswerText, json_of_answer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::address::ClaimAddresses;

/// What counts of a valid answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The probability given, 0 ..= 1.
    pub prob_true: f64,
    /// The label given next to it, if there is one.
    pub label: Option<String>,
    /// The model says that it refused. It does not make the answer invalid.
    pub refused: bool,
    /// The model says that the claim is off topic. It does not make the answer invalid.
    pub off_topic: bool,
}

/// Why an answer does not count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invalid {
    /// The text is empty.
    Empty,
    /// There is no JSON object in the text.
    NotJson,
    /// There are several JSON objects, and none that is the whole answer.
    Several,
    /// There is an object, but no `prob_true` in it nor in its `belief`.
    Missing,
    /// `prob_true` is not a number.
    NotANumber,
    /// `prob_true` is a number outside 0 ..= 1.
    OutOfRange(f64),
    /// There is a URL in the answer that is not in the claim.
    Url,
}

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "the answer is empty"),
            Self::NotJson => write!(out, "the answer holds no JSON object"),
            Self::Several => write!(out, "the answer holds several JSON objects"),
            Self::Missing => write!(out, "the answer has no prob_true, neither at its top nor in belief"),
            Self::NotANumber => write!(out, "prob_true is not a number"),
            Self::OutOfRange(value) => write!(out, "prob_true is {value}, which is not in 0..=1"),
            Self::Url => write!(out, "the answer holds a URL that is not in the claim"),
        }
    }
}

impl std::error::Error for Invalid {}

/// Reads the text of an answer to `claim`: a JSON object, alone, in a code fence or with words around it.
///
/// `prob_true` counts at the top, else in `belief`. The whole answer is what counts: of several objects none does, nor does one
/// within another that cannot be read or was cut off.
///
/// ```
/// use jackfield_claims::validity::{Invalid, parse};
///
/// assert_eq!(parse(r#"{"belief": {"prob_true": 0.7, "label": "likely"}}"#, "Tea is wet.").unwrap().prob_true, 0.7);
/// assert_eq!(parse(r#"{"prob_true": 0.7, "reasons": ["see www.example.org"]}"#, "Tea is wet."), Err(Invalid::Url));
/// assert_eq!(parse(r#"{"prob_true": 0.1}? No: {"prob_true": 0.7}"#, "Tea is wet."), Err(Invalid::Several));
/// ```
///
/// # Errors
/// The reason why the answer does not count; a URL anywhere that is not in the claim comes before the others.
pub fn parse(text: &str, claim: &str) -> Result<Answer, Invalid> {
    // A host takes reasoning apart; a text from elsewhere may still have it.
    let text = AnswerText::split(text).answer;
    if text.trim().is_empty() {
        return Err(Invalid::Empty);
    }
    let of_claim = ClaimAddresses::of(claim);
    if of_claim.lack_one_of(text) {
        return Err(Invalid::Url);
    }
    let whole = json_of_answer(text).and_then(|json| serde_json::from_str::<Map<String, Value>>(json).ok());
    let objects = match whole {
        Some(object) => vec![object],
        None => objects_amid_words(text)?,
    };
    // In JSON a URL can be written so that the raw text does not show it: "http:\/\/", "\u0077ww".
    if objects.iter().any(|object| hold_foreign_url(object, &of_claim)) {
        return Err(Invalid::Url);
    }
    match &*objects {
        [] => Err(Invalid::NotJson),
        [object] => read(object),
        _ => Err(Invalid::Several),
    }
}

/// The objects that stand in a text, but for those within others and for what is in braces without being JSON.
///
/// # Errors
/// [`Invalid::NotJson`] if braces are left open: the answer was cut off.
fn objects_amid_words(text: &str) -> Result<Vec<Map<String, Value>>, Invalid> {
    let mut objects = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        rest = &rest[start..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Map<String, Value>>();
        let end = match values.next() {
            Some(Ok(object)) => {
                objects.push(object);
                values.byte_offset()
            }
            _ => end_of_braces(rest).ok_or(Invalid::NotJson)?,
        };
        rest = &rest[end..];
    }
    Ok(objects)
}

/// Where the braces that a text begins with are closed again.
fn end_of_braces(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index + 1);
        }
    }
    None
}

fn read(object: &Map<String, Value>) -> Result<Answer, Invalid> {
    let belief = object.get("belief");
    let inside = belief.and_then(|belief| belief.get("prob_true"));
    let candidates = [object.get("prob_true"), inside];
    let number = candidates.iter().flatten().find_map(|value| value.as_f64());
    let prob_true = match number {
        Some(number) if (0.0..=1.0).contains(&number) => number,
        Some(number) => return Err(Invalid::OutOfRange(number)),
        None if candidates.iter().any(Option::is_some) => return Err(Invalid::NotANumber),
        None => return Err(Invalid::Missing),
    };
    let label = belief.and_then(|belief| belief.get("label")).or_else(|| object.get("label"));
    let flag = |name: &str| object.get("flags").and_then(|flags| flags.get(name)) == Some(&Value::Bool(true));
    Ok(Answer {
        prob_true,
        label: label.and_then(Value::as_str).map(str::to_owned),
        refused: flag("refused"),
        off_topic: flag("off_topic"),
    })
}

fn hold_foreign_url(object: &Map<String, Value>, of_claim: &ClaimAddresses) -> bool {
    object.iter().any(|(key, value)| of_claim.lack_one_of(key) || holds_foreign_url(value, of_claim))
}

fn holds_foreign_url(value: &Value, of_claim: &ClaimAddresses) -> bool {
    match value {
        Value::String(text) => of_claim.lack_one_of(text),
        Value::Array(values) => values.iter().any(|value| holds_foreign_url(value, of_claim)),
        Value::Object(fields) => hold_foreign_url(fields, of_claim),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Answer, Invalid};
    use crate::address::has_url;

    fn parse(text: &str) -> Result<Answer, Invalid> {
        super::parse(text, "Tea is wet.")
    }

    fn probability(text: &str) -> Result<f64, Invalid> {
        parse(text).map(|answer| answer.prob_true)
    }

    #[test]
    fn a_whole_answer_is_read() {
        let text = r#"{"belief": {"prob_true": 0.25, "label": "unlikely"}, "reasons": ["a"], "assumptions": [],
            "uncertainties": [], "flags": {"refused": false, "off_topic": true}}"#;
        let wanted = Answer { prob_true: 0.25, label: Some("unlikely".into()), refused: false, off_topic: true };
        assert_eq!(parse(text), Ok(wanted));
    }

    #[test]
    fn the_probability_counts_at_the_top_or_in_belief() {
        assert_eq!(probability(r#"{"prob_true": 1}"#), Ok(1.0));
        assert_eq!(probability(r#"{"prob_true": 0.1, "belief": {"prob_true": 0.9}}"#), Ok(0.1));
        assert_eq!(probability(r#"{"prob_true": null, "belief": {"prob_true": 0.9}}"#), Ok(0.9));
        assert_eq!(probability(r#"{"answer": {"prob_true": 0.9}}"#), Err(Invalid::Missing));
        assert_eq!(probability(r#"{"belief": 0.9}"#), Err(Invalid::Missing));
    }

    #[test]
    fn fences_and_words_around_the_object_are_passed_over() {
        for text in [
            "```json\n{\"prob_true\": 0.5}\n```",
            "Here {as asked} is it: {\"prob_true\": 0.5}. Anything {else}?",
            "\u{feff}{\"prob_true\": 0.5} is what I believe.",
            "<think>{\"prob_true\": 0.1}? www.example.org says no.</think>{\"prob_true\": 0.5}",
            "Not {\"prob_true\": 0.1}, but\n```json\n{\"prob_true\": 0.5}\n```",
        ] {
            assert_eq!(probability(text), Ok(0.5), "{text}");
        }
    }

    #[test]
    fn what_is_no_probability_says_why() {
        for (text, reason) in [
            (" \n", Invalid::Empty),
            ("about one half", Invalid::NotJson),
            ("[0.5]", Invalid::NotJson),
            ("{\"prob_true\": 0.5", Invalid::NotJson),
            ("{\"prob_true\": NaN}", Invalid::NotJson),
            ("{\"prob_true\": \"0.5\"}", Invalid::NotANumber),
            ("{\"prob_true\": true}", Invalid::NotANumber),
            ("{\"prob_true\": 1.2}", Invalid::OutOfRange(1.2)),
            ("{\"prob_true\": -0.1}", Invalid::OutOfRange(-0.1)),
            ("{\"prob_true\": 70}", Invalid::OutOfRange(70.0)),
            ("{\"prob_true\": 70} {\"prob_true\": 0.7}", Invalid::Several),
            ("{\"prob_true\": 0.1}? No: {\"prob_true\": 0.7}", Invalid::Several),
            ("{\"refusal\": \"no\", \"instead\": {\"prob_true\": 0.7}}", Invalid::Missing),
            ("{'refusal': {\"prob_true\": 0.7}}", Invalid::NotJson),
            ("{\"belief\": {\"prob_true\": 0.7, \"label\": \"likely\"}, \"reas", Invalid::NotJson),
            ("{\"belief\": {\"prob_true\": 0.7}, \"flags\": {\"refused\": false}", Invalid::NotJson),
            ("<think>{\"prob_true\": 0.7}", Invalid::Empty),
        ] {
            assert_eq!(parse(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn urls_anywhere_make_an_answer_invalid() {
        for text in [
            r#"{"prob_true": 0.5, "reasons": ["https://example.org"]}"#,
            r#"{"prob_true": 0.5, "reasons": [{"see": "HTTP:\/\/example.org"}]}"#,
            r#"{"prob_true": 0.5, "reasons": ["\u0077ww.example.org"]}"#,
            r#"{"prob_true": 0.5, "www.example.org": 1}"#,
            r#"{"prob_true": 0.5} Source: (WWW.example.org)"#,
            r#"{"prob_true": 0.5} {"more": "ftp:\/\/x"}"#,
        ] {
            assert_eq!(parse(text), Err(Invalid::Url), "{text}");
        }
    }

    #[test]
    fn an_address_of_the_claim_may_be_restated_but_no_other_given() {
        let claim = "The first page of the web was http://info.example.org/hyper/page.html";
        let verdict = |text: &str| super::parse(text, claim).map(|answer| answer.prob_true);
        for text in [
            r#"{"prob_true": 0.5, "reasons": ["http:\/\/info.example.org\/hyper\/page.html was first"]}"#,
            r#"The claim "http://info.example.org/hyper/page.html": {"prob_true": 0.5}"#,
        ] {
            assert_eq!(verdict(text), Ok(0.5), "{text}");
        }
        for text in [
            r#"{"prob_true": 0.5, "reasons": ["http:\/\/info.example.org\/hyper\/other.html was first"]}"#,
            r#"{"prob_true": 0.5, "reasons": ["http://info.example.org/hyper/page.html, by www.example.com"]}"#,
        ] {
            assert_eq!(verdict(text), Err(Invalid::Url), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gets_a_verdict(text in "\\PC*|[{}\\[\\]\":,a0.\\\\ ]*") {
            if let Ok(answer) = parse(&text) {
                prop_assert!((0.0..=1.0).contains(&answer.prob_true));
            }
        }

        #[test]
        fn every_probability_is_read(probability in 0.0_f64..=1.0, before in "[^{}:]*", after in "[^{}:]*") {
            prop_assume!(!has_url(&format!("{before}{after}")));
            let text = format!("{before}{{\"belief\": {{\"prob_true\": {probability:?}}}}}{after}");
            prop_assert!((parse(&text).unwrap().prob_true - probability).abs() <= f64::EPSILON);
        }
    }
}
