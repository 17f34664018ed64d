//! Sentences that may be findings, and the choice among them.

use jackfield_plugin_api::prelude::*;
use jackfield_text::vectors::{Sparse, cosine};

use crate::talk::Talk;

/// Two sentences more alike than this (cosine) say the same thing.
const SAME: f64 = 0.7;
/// A candidate is compared with so many of those chosen before it. Those of like confidence, which come next to each
/// other, are many in a long talk.
const COMPARED: usize = 200;
/// A short talk may be nothing but findings of one kind.
const LEAST_MOST: usize = 10;

/// A sentence that may be a finding.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Index of the sentence.
    pub(crate) sentence: usize,
    /// How sure it is, 0 to 1.
    pub(crate) confidence: f64,
    /// Index of the sentence that agrees to it or answers it.
    pub(crate) reply: Option<usize>,
}

/// How many findings are answered at most: what the configuration says, and for 0 one in so many words.
pub(crate) fn limit(configured: usize, talk: &Talk<'_>, words_per_finding: usize) -> usize {
    if configured == 0 { (talk.word_count() / words_per_finding).max(LEAST_MOST) } else { configured }
}

/// The candidates of greatest confidence, `limit` at most and none that says the same as another, in order of the
/// transcript.
pub(crate) fn best(talk: &Talk<'_>, mut candidates: Vec<Candidate>, limit: usize) -> Vec<Candidate> {
    candidates.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.sentence.cmp(&b.sentence)));
    let mut chosen: Vec<Candidate> = Vec::new();
    let mut vectors: Vec<Sparse> = Vec::new();
    for candidate in candidates {
        if chosen.len() == limit {
            break;
        }
        let vector = Sparse::counts(talk.terms(candidate.sentence));
        if vectors.iter().rev().take(COMPARED).all(|other| cosine(other, &vector) < SAME) {
            chosen.push(candidate);
            vectors.push(vector);
        }
    }
    chosen.sort_by_key(|candidate| candidate.sentence);
    chosen
}

/// Refuses a setting that does not lie between 0 and 1.
pub(crate) fn check_share(name: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Failure::InvalidConfig(format!("`{name}` is {value}: it must lie between 0 and 1")))
}
