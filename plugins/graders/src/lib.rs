//! This plugin grades answers, one at a time, and says what the grades of all items add up to.
//!
//! A grader is an analyzer that reads an answer and what is expected, and answers `score` (0 to 1), `passed` and `reason`. An
//! answer that is not there did not pass; something expected that is not there is a failure of the item, since nobody can say
//! whether the answer is right.
//!
//! | grader | an answer passes that |
//! | --- | --- |
//! | [`Exact`] (`exact`) | is the expected text |
//! | [`Contains`] (`contains`) | has one of the expected texts, or all |
//! | [`MatchesRegex`] (`regex`) | matches a regular expression |
//! | [`NumberGrader`] (`number`) | has the expected number, within a tolerance |
//! | [`JsonEqual`] (`json-equal`) | is the expected JSON value, as a whole or at some paths |
//! | [`Choice`] (`choice`) | settles on the expected option |
//! | [`TextOverlap`] (`text-overlap`) | has enough words or letters in common with the expected text |
//! | [`Similarity`] (`similarity`) | means something like the expected text, by the vectors of a model |
//! | [`Judge`] (`judge`) | a model rates high enough by criteria |
//! | [`JudgePair`] (`judge-pair`) | a model holds for better than another answer, whichever it reads first |
//!
//! | over all items | what it says |
//! | --- | --- |
//! | [`Summary`] (`summary`) | mean, quantiles, pass rate and intervals, by groups too; confusion; pass@k and pass^k |
//! | [`Agreement`] (`agreement`) | how far raters agree: Cohen's kappa, Krippendorff's alpha |
#![forbid(unsafe_code)]

mod agreement;
mod choice;
mod chrf;
mod contains;
mod exact;
mod grade;
mod json_equal;
mod judge;
mod judge_pair;
mod number;
mod numerals;
mod overlap;
mod plain;
mod regex;
mod similarity;
mod squad;
pub mod summary;

use jackfield_plugin_api::prelude::*;

pub use agreement::{Agreement, AgreementOf, Interval, Ratings};
pub use choice::{Choice, ChoiceGrade, Chosen};
pub use contains::Contains;
pub use exact::Exact;
pub use grade::{Answered, Grade};
pub use json_equal::JsonEqual;
pub use judge::{Judge, Judged};
pub use judge_pair::{JudgePair, Pair, PairGrade};
pub use number::{NumberGrade, NumberGrader};
pub use overlap::{OverlapGrade, TextOverlap};
pub use plain::{Expected, Plain};
pub use regex::MatchesRegex;
pub use similarity::Similarity;
pub use summary::{Columns, Summary, SummaryOf};

export_plugin!(
    Exact,
    Contains,
    MatchesRegex,
    NumberGrader,
    JsonEqual,
    Choice,
    TextOverlap,
    Similarity,
    Judge,
    JudgePair,
    Summary,
    Agreement
);
