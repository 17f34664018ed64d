//! The passages that an answer is drawn from.

use jackfield_plugin_api::prelude::*;

/// A document that a search found: what `retrieve` answers, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Hit {
    /// The document's id.
    pub id: String,
    /// Its title, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its text.
    pub text: String,
    /// What it was ranked by; greater is better.
    #[serde(default)]
    pub score: f64,
}
