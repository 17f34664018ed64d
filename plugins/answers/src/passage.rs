//! The passages that an answer is drawn from.

use jackfield_plugin_api::prelude::*;
use jackfield_text::normal::composed;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// A document that a search found: what `retrieve` answers, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Hit {
    /// The document's id; a number is read as the text that it is written as.
    #[serde(deserialize_with = "read_id")]
    pub id: String,
    /// Its title, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its text.
    pub text: String,
    /// What it was ranked by; greater is better.
    #[serde(default)]
    pub score: f64,
    /// Its score by words, where the search says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bm25: Option<f64>,
    /// Its score by vectors, where the search says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<f64>,
}

/// Reads an id by the rule that holds for ids of items: a text, or a number as it is written. Letters are composed, as those
/// of a collection's ids are.
fn read_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(composed(&text).into_owned()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(D::Error::custom(format!("an id is a text or a number, not {other}"))),
    }
}

/// Reads ids as [`read_id`] does; none where there is null.
pub(crate) fn read_ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let values: Option<Vec<Value>> = Option::deserialize(deserializer)?;
    values.map(|values| values.into_iter().map(read_id).collect::<Result<_, _>>().map_err(D::Error::custom)).transpose()
}
