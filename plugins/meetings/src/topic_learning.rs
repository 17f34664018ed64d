//! What the training program of `topics` needs: the signals of every turn, and the division that weights of them lead to.

use jackfield_text::Transcript;

pub use crate::segment::Settings;
use crate::{
    boundary_likeness,
    boundary_signals::{self, OF_ANY_LANGUAGE, Signals},
    segment::{self, CountModel, Counts},
    talk::Talk,
};

/// What is said in each unit of a talk, which a model may embed.
#[must_use]
pub fn unit_texts(transcript: &Transcript) -> Vec<String> {
    let talk = Talk::new(transcript);
    boundary_likeness::unit_texts(&talk, &boundary_signals::words_before(&talk))
}

/// A talk as `topics` sees it when it looks for where topics begin.
pub struct DescribedTalk {
    signals: Signals,
}

impl DescribedTalk {
    /// Describes a talk by its words.
    #[must_use]
    pub fn new(transcript: &Transcript) -> Self {
        Self { signals: Signals::new(&Talk::new(transcript), None) }
    }

    /// Describes a talk with the vectors of its [units](unit_texts), one each and all of one length.
    #[must_use]
    pub fn with_vectors(transcript: &Transcript, vectors: &[Vec<f32>]) -> Self {
        Self { signals: Signals::new(&Talk::new(transcript), Some(vectors)) }
    }

    /// What the signals of a turn are called, in order; the first [`Self::of_any_language`] of them are known in any language.
    #[must_use]
    pub fn signal_names() -> Vec<String> {
        boundary_signals::names()
    }

    /// How many of the signals do not depend on English words.
    #[must_use]
    pub const fn of_any_language() -> usize {
        OF_ANY_LANGUAGE
    }

    /// The signals of each turn, in the order of their names.
    pub fn signals(&self) -> impl Iterator<Item = Vec<f64>> {
        (0..self.signals.turns()).map(|turn| self.signals.row(turn))
    }

    /// How many words are said.
    #[must_use]
    pub fn words(&self) -> f64 {
        self.signals.words_before.last().copied().unwrap_or_default()
    }

    /// Mean length of a turn in words, as the number of topics depends on it.
    #[must_use]
    pub fn turn_length(&self) -> f64 {
        segment::turn_length(self.words(), self.signals.turns() as f64)
    }

    /// How many topics there are likely to be, by a model with these two numbers: the logarithm of the number of topics for
    /// turns of one word, and what each factor of e in the mean length of a turn adds to it.
    #[must_use]
    pub fn likely_count(&self, base: f64, by_turn_length: f64) -> f64 {
        CountModel { base, by_turn_length }.likely(self.words(), self.signals.turns() as f64)
    }

    /// Divides the talk into about as many topics as are likely: the turns where they begin, but for the first. `weights` are
    /// parallel to the signals.
    #[must_use]
    pub fn divide(&self, weights: &[f64], settings: Settings, likely: f64) -> Vec<usize> {
        segment::divide(&self.signals, weights, settings, &Counts::about(likely))
    }
}
