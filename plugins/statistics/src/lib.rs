//! Statistics of evaluations: how good something is and how sure that is, whether of two things one is better, and how far
//! raters agree.
//!
//! | module | what for |
//! | --- | --- |
//! | [`describe`] | sums, means, deviations and quantiles |
//! | [`bootstrap`] | intervals by drawing again, whole clusters at a time where there are any |
//! | [`proportion`] | Wilson's interval, and tests of paired yes and no: sign test and McNemar |
//! | [`paired`] | the difference of two scores of the same items |
//! | [`agreement`] | Cohen's kappa and Krippendorff's alpha |
//! | [`confusion`] | what was predicted against what was expected, with precision, recall and F1 |
//! | [`repeats`] | pass@k and pass^k |
//! | [`normal`], [`student`] | the two distributions |
//! | [`numpy`] | the generator that everything is drawn with: `numpy.random.default_rng` |
//!
//! Everything is computed by sums, square roots and `libm`, so that each function answers the same to the last bit as a part of
//! a program, as a library and in WebAssembly. What is drawn depends on the seed alone. The tests compare with SciPy,
//! scikit-learn, statsmodels and `krippendorff`, by fixtures that `fixtures/make.py` writes.
#![forbid(unsafe_code)]

pub mod agreement;
pub mod bootstrap;
pub mod confusion;
pub mod describe;
#[cfg(test)]
mod fixtures;
pub mod normal;
pub mod numpy;
pub mod paired;
pub mod proportion;
pub mod repeats;
pub mod student;

pub use bootstrap::{Draws, Interval};
pub use describe::{mean, quantile, standard_deviation, sum};
