//! The documents for transcripts and findings, and the text analysis, that Jackfield's transcript plugins share. This crate
//! offers no extension of its own, reads no files and calls no model: it is a library for plugins.
//!
//! Everything here is deterministic and the same to the bit on every target: transcendental functions come from `libm`
//! rather than from the platform, and nothing depends on the order of a hash map.
//!
//! | module | what for |
//! | --- | --- |
//! | [`words`] | words of a text, without the marks that transcribers leave; fillers and stop words |
//! | [`language`] | the language of a text, and its stop words |
//! | [`lexicon`] | words of a text that is written without blanks |
//! | [`sentences`] | sentences as exact substrings |
//! | [`mod@clean`] | a sentence made fit to be read |
//! | [`normal`] | texts in the form in which they are compared |
//! | [`stems`] | stems of words, by language |
//! | [`unspaced`] | words of scripts that are written without blanks |
//! | [`vocabulary`] | words as numbers, with stems |
//! | [`vectors`] | tf-idf and cosine |
//! | [`rank`] | graph ranking |
//! | [`phrases`] | cue phrases with weights |
//! | [`names`] | which speaker a text speaks to or of |
//! | [`cut`] | texts made shorter, or put on one line |
//! | [`context_budget`] | what of several sources fits a model's context |
//! | [`quote`] | matching that ignores case, white space and punctuation |
#![forbid(unsafe_code)]

pub mod clean;
pub mod context_budget;
pub mod cut;
mod disfluency;
pub mod language;
pub mod lexicon;
mod model;
pub mod names;
pub mod normal;
pub mod phrases;
pub mod quote;
pub mod rank;
mod readable;
pub mod sentences;
pub mod stems;
mod talk_words;
pub mod unspaced;
pub mod vectors;
pub mod vocabulary;
pub mod words;

pub use clean::clean;
pub use model::{Evidence, Finding, FindingSet, Segment, Transcript, Warning};
pub use quote::{contains_quote, normal_title};

/// Rounds a confidence to three places, and into 0 to 1; what is not a number becomes 0.
#[must_use]
pub fn confidence(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { (value.clamp(0.0, 1.0) * 1000.0).round() / 1000.0 }
}

/// Rounds to six places, without a negative zero: what 32-bit floats can tell apart.
#[must_use]
pub fn six_places(value: f64) -> f64 {
    (value * 1e6).round() / 1e6 + 0.0
}

/// The logistic function, for turning a sum of weights into a confidence.
#[must_use]
pub fn logistic(value: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-value))
}

#[cfg(test)]
mod tests {
    use super::{confidence, logistic};

    #[test]
    fn confidences_have_three_places_and_stay_in_range() {
        assert_eq!(confidence(0.123_456), 0.123);
        assert_eq!(confidence(1.7), 1.0);
        assert_eq!(confidence(f64::NAN), 0.0);
        assert_eq!(confidence(f64::NEG_INFINITY), 0.0);
    }

    #[test]
    fn logistic_of_nothing_is_a_half() {
        assert_eq!(logistic(0.0), 0.5);
    }
}
