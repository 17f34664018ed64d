//! The sentences that `decisions` and `actions` show of the places they find.

use jackfield_text::Evidence;

use crate::{learning::Target, reading::Reading, undecided, weights::Weights};

/// A sentence that is shown as a finding.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// Index of the sentence.
    pub(crate) sentence: usize,
    /// The turns close by that are part of it, in order.
    pub(crate) others: Vec<usize>,
    /// How sure it is, 0 to 1.
    pub(crate) confidence: f64,
}

impl Shown {
    /// What the sentence says, and what the other turns say.
    pub(crate) fn evidence(&self, reading: &Reading<'_>, target: Target) -> Vec<Evidence> {
        let mut evidence = reading.talk.evidence(self.sentence);
        let pieces = &reading.talk.sentences[self.sentence].pieces;
        for &other in &self.others {
            if pieces.iter().all(|piece| piece.segment != other) {
                evidence.extend(reading.evidence_of(other, target));
            }
        }
        evidence
    }
}

/// The sentences to show of every place of at least this confidence, in order.
pub(crate) fn of_places(reading: &Reading<'_>, target: Target, weights: &Weights, least: f64) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for place in reading.places(target, weights, least) {
        for sentence in reading.shown(&place, target) {
            let none = target == Target::Decisions
                && (undecided::is_open(&reading.talk, sentence) || undecided::moves_on(&reading.talk, sentence));
            if none {
                continue;
            }
            // A sentence that goes on over several turns is shown once.
            if shown.iter().rev().take(8).all(|one| one.sentence != sentence) {
                let mut others = place.others.clone();
                others.push(place.turn);
                others.sort_unstable();
                shown.push(Shown { sentence, others, confidence: place.confidence });
            }
        }
    }
    shown
}

/// The shown of greatest confidence, `limit` at most, in the order in which they were.
pub(crate) fn surest(shown: Vec<Shown>, limit: usize) -> Vec<Shown> {
    let mut ranked: Vec<(usize, Shown)> = shown.into_iter().enumerate().collect();
    ranked.sort_by(|a, b| b.1.confidence.total_cmp(&a.1.confidence).then(a.0.cmp(&b.0)));
    ranked.truncate(limit);
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, one)| one).collect()
}
