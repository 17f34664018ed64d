//! What the training program `examples/learn` needs: turns as they are described by signals, and what is found with given
//! weights. `decisions` and `actions` use the same functions.

use jackfield_text::Transcript;

use crate::{actions, decisions, reading::Reading};
pub use crate::{
    places::{Outline, PLACE_SIGNALS, Scores},
    weights::Weights,
};

/// What is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The findings of `decisions`.
    Decisions,
    /// The findings of `actions`.
    Actions,
}

/// The turns of a talk as a training program sees them.
#[derive(Clone, Debug)]
pub struct Described {
    /// The signals of each turn.
    pub signals: Vec<Vec<f64>>,
    /// What else is known of each turn.
    pub outlines: Vec<Outline>,
}

/// A finding made with given weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The turns of its evidence, numbered from 0, the one that is shown first.
    pub turns: Vec<usize>,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
}

/// The names of a turn's signals, in order.
#[must_use]
pub fn signal_names() -> Vec<String> {
    crate::signals::signal_names()
}

/// Describes every turn of a talk.
#[must_use]
pub fn describe(transcript: &Transcript, target: Target) -> Described {
    let reading = Reading::new(transcript);
    Described { signals: reading.signals(), outlines: reading.outlines(target) }
}

/// What the analyzer finds in a talk with these weights, of at least this confidence.
#[must_use]
pub fn found(transcript: &Transcript, target: Target, weights: &Weights, least: f64) -> Vec<Found> {
    let reading = Reading::new(transcript);
    let drafts = match target {
        Target::Decisions => decisions::evidence_turns(&reading, weights, least),
        Target::Actions => actions::evidence_turns(&reading, weights, least),
    };
    drafts.into_iter().map(|(turns, confidence)| Found { turns, confidence }).collect()
}
