//! Texts whose domains are known.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

use crate::classify::GENERAL;

/// Share of right answers that are kept where nothing else is said.
pub const RIGHT_ANSWERS_KEPT: f64 = 0.95;

/// Texts whose domains are known, to learn from.
#[derive(Clone, Debug)]
pub struct Examples {
    /// Names of the domains, and last [`GENERAL`] where there are examples of it.
    names: Vec<String>,
    domains: usize,
    /// Grouped by name.
    texts: Vec<String>,
    /// For each text, the index of its name.
    labels: Vec<usize>,
    believing: Believing,
}

/// When a domain is believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Believing {
    /// Least confidence, 0 to 1; by default fitted on the examples.
    pub threshold: Option<f64>,
    /// Where the threshold is fitted without examples of no domain: the share of right answers that shall stay above it, 0 to 1.
    pub right_answers_kept: f64,
}

impl Default for Believing {
    fn default() -> Self {
        Self { threshold: None, right_answers_kept: RIGHT_ANSWERS_KEPT }
    }
}

impl Examples {
    /// Examples by domain; those named [`GENERAL`] are of no domain.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if there are fewer than two domains, a domain has no examples, or a number of `believing` is
    /// not within 0 to 1.
    pub fn new(examples: &BTreeMap<String, Vec<String>>, believing: Believing) -> Result<Self> {
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        let kept = believing.right_answers_kept;
        for (name, value) in [("threshold", believing.threshold), ("right_answers_kept", Some(kept))] {
            if let Some(value) = value.filter(|value| !(0.0..=1.0).contains(value)) {
                return invalid(format!("`{name}` is {value}: it must be 0 to 1"));
            }
        }
        let general = examples.get(GENERAL).filter(|texts| !texts.is_empty());
        let mut names: Vec<String> = examples.keys().filter(|name| *name != GENERAL).cloned().collect();
        if let Some(empty) = names.iter().find(|name| examples[*name].iter().all(|text| text.trim().is_empty())) {
            return invalid(format!("the domain `{empty}` has no examples: give it a few texts"));
        }
        let domains = names.len();
        if domains < 2 {
            let hint = "name at least two in `domains` or `domains_file`, each with a few texts";
            return invalid(format!("there are {domains} domains to tell apart: {hint}"));
        }
        names.extend(general.map(|_| GENERAL.to_owned()));
        let (mut texts, mut labels) = (Vec::new(), Vec::new());
        for (label, name) in names.iter().enumerate() {
            texts.extend(examples[name].iter().cloned());
            labels.resize(texts.len(), label);
        }
        Ok(Self { names, domains, texts, labels, believing })
    }

    /// The texts, grouped by name.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// Names of the domains, and last [`GENERAL`] where there are examples of it.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many domains there are, [`GENERAL`] not being one.
    #[must_use]
    pub fn domains(&self) -> usize {
        self.domains
    }

    /// Of each text the index of its name.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// When a domain is believed.
    #[must_use]
    pub fn believing(&self) -> Believing {
        self.believing
    }
}
