//! Values of one line: texts, numbers, yes and no.

use jackfield_plugin_api::prelude::*;
use serde_json::Number;

/// A text, a number, or a truth value, which is read as the text that it is written as.
#[derive(Clone, Debug, PartialEq, Document)]
#[serde(untagged)]
pub enum Plain {
    /// A text.
    Text(String),
    /// A number.
    Number(Number),
    /// Yes or no.
    Truth(bool),
}

impl Plain {
    /// The text that it is written as.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

/// What is expected of an answer: one value, or a list of which each is acceptable.
#[derive(Clone, Debug, PartialEq, Document)]
#[serde(untagged)]
pub enum Expected {
    /// This value.
    One(Plain),
    /// Any of these.
    Any(Vec<Plain>),
}

impl Expected {
    /// The acceptable values.
    pub(crate) fn values(&self) -> &[Plain] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Any(values) => values,
        }
    }
}

/// The texts of what is expected.
///
/// # Errors
/// [`Failure::InvalidInput`] if nothing is: that is no fault of the answer.
pub(crate) fn expected_texts(expected: Option<&Expected>) -> Result<Vec<String>> {
    let texts: Vec<String> = expected.into_iter().flat_map(Expected::values).map(Plain::to_text).collect();
    if texts.is_empty() { Err(nothing_expected()) } else { Ok(texts) }
}

/// The failure of an item for which nobody said what is expected.
pub(crate) fn nothing_expected() -> Failure {
    Failure::InvalidInput("`expected` is missing: the item does not say what the answer should be".to_owned())
}

/// The text of an answer: a text itself, and of any other value the JSON that it is written as. None where there is none.
pub(crate) fn text_of(answer: &Value) -> Option<String> {
    match answer {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The most characters of a text that a reason shows.
const SHOWN: usize = 80;

/// A text as a reason shows it: in quotation marks, escaped, and cut if it is long.
pub(crate) fn quoted(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?} (and more)", text[..end].trim_end()),
        None => format!("{text:?}"),
    }
}

/// Several texts as a reason shows them: `"a"`, `"a" or "b"`, or `"a", "b" or one of 3 others`.
pub(crate) fn any_of(texts: &[String]) -> String {
    match texts {
        [] => "nothing".to_owned(),
        [one] => quoted(one),
        [one, other] => format!("{} or {}", quoted(one), quoted(other)),
        [one, other, rest @ ..] => format!("{}, {} or one of {} others", quoted(one), quoted(other), rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_stay_short_and_on_one_line() {
        assert_eq!(quoted(" a\nb "), r#""a\nb""#);
        assert_eq!(quoted(&"x".repeat(81)), format!("\"{}\" (and more)", "x".repeat(80)));
        let texts = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!(any_of(&texts[..2]), r#""a" or "b""#);
        assert_eq!(any_of(&texts), r#""a", "b" or one of 2 others"#);
    }
}
