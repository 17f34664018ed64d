//! The findings of one stage.

use jackfield_plugin_api::prelude::*;
use jackfield_text::{Evidence, Finding};

/// Findings of one stage, numbered as they come.
pub(crate) struct Findings {
    /// Name of the stage.
    source: String,
    pub(crate) list: Vec<Finding>,
}

impl Findings {
    /// No findings yet, of the stage that is called.
    pub(crate) fn new(host: &Host<'_>) -> Self {
        Self { source: host.context().stage.to_string(), list: Vec::new() }
    }

    /// Adds a finding and returns it for its other fields.
    pub(crate) fn add(&mut self, kind: &str, text: String, confidence: f64, evidence: Vec<Evidence>) -> &mut Finding {
        // Talk of fillers alone leaves nothing when it is cleaned: then the words stand as they were said.
        let text = match evidence.first() {
            Some(evidence) if text.trim().is_empty() => evidence.quote.clone(),
            _ => text,
        };
        self.list.push(Finding {
            id: format!("{}-{}", self.source, self.list.len() + 1),
            kind: kind.to_owned(),
            text,
            confidence: jackfield_text::confidence(confidence),
            source: self.source.clone(),
            evidence,
            owner: None,
            due: None,
            priority: None,
        });
        self.list.last_mut().expect("a finding was just added")
    }
}
