//! The estimator: from the probabilities a model gave to one probability with an interval.
//!
//! Everything is computed in logit space, per template first: replicates of one wording are not independent of each
//! other, so the bootstrap draws templates and, inside each, replicates (the clustered bootstrap: Davison and Hinkley
//! 1997, section 3.8).

use std::fmt;

use serde::{Deserialize, Serialize};

use jackfield_statistics::{mean, numpy::Generator, quantile};

use crate::arithmetic::{logit, sigmoid, trimmed_mean};
use crate::score::{self, Band};

/// The most bootstrap draws there can be: 80 MB of centres.
pub const MAX_DRAWS: u32 = 10_000_000;

/// The valid answers to one claim.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// Probabilities in 0 ..= 1, one list per template, in a settled order: the order counts, since draws refer to it.
    pub templates: Vec<Vec<f64>>,
}

impl Samples {
    /// Groups `(template, probability)` pairs; templates come in the order of their first appearance.
    pub fn group<Key: PartialEq>(answers: impl IntoIterator<Item = (Key, f64)>) -> Self {
        let (mut keys, mut templates): (Vec<Key>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        for (key, probability) in answers {
            match keys.iter().position(|known| *known == key) {
                Some(index) => templates[index].push(probability),
                None => {
                    keys.push(key);
                    templates.push(vec![probability]);
                }
            }
        }
        Self { templates }
    }
}

/// How to draw the interval. It never moves the point estimate, except through `trim`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Bootstrap draws, 1 ..= [`MAX_DRAWS`]: 1,000 for a fast interval, 5,000 for the final one.
    pub draws: u32,
    /// Share of templates left out at each end, in 0 .. 0.5.
    pub trim: f64,
    /// Seed of NumPy's `default_rng`.
    pub seed: u64,
}

impl Options {
    /// `draws` and `seed` with the usual trim of 0.2.
    #[must_use]
    pub const fn new(draws: u32, seed: u64) -> Self {
        Self { draws, trim: 0.2, seed }
    }
}

/// What the answers add up to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The probability the model holds, 0 ..= 1: the trimmed mean of the templates' mean logits.
    pub prob_true: f64,
    /// The 95 % interval around it, low and high; it always contains `prob_true`.
    pub ci95: [f64; 2],
    /// High minus low.
    pub ci_width: f64,
    /// Spread of the templates' mean logits: third quartile minus first. One template has none: how far wordings agree is
    /// not known from a single one.
    pub template_iqr_logit: Option<f64>,
    /// [`score::stability`] of that spread, 0 ..= 1, where it is known.
    pub stability_score: Option<f64>,
    /// [`Band::of`] that spread, where it is known.
    pub stability_band: Option<Band>,
    /// Whether the interval is at most 0.20 wide.
    pub is_stable: bool,
    /// Answers per template, in the order of [`Samples::templates`].
    pub counts_by_template: Vec<usize>,
}

/// Why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EstimateError {
    /// There are no templates.
    NoSamples,
    /// The template at this index has no answer.
    EmptyTemplate(usize),
    /// The template at this index has an answer that is not a probability.
    NotAProbability(usize, f64),
    /// `draws` is 0, or above [`MAX_DRAWS`].
    Draws(u32),
    /// `trim` is outside 0 .. 0.5.
    Trim(f64),
    /// More than 2^32 - 1 templates or answers of one template.
    TooMany,
}

impl fmt::Display for EstimateError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSamples => write!(out, "there is no valid answer to estimate from"),
            Self::EmptyTemplate(index) => write!(out, "template {index} has no valid answer; leave it out"),
            Self::NotAProbability(index, value) => write!(out, "template {index} holds {value}, which is not in 0..=1"),
            Self::Draws(draws) => write!(out, "{draws} bootstrap draws are not in 1..={MAX_DRAWS}"),
            Self::Trim(trim) => write!(out, "a trim of {trim} is not in 0..0.5"),
            Self::TooMany => write!(out, "more than 4294967295 templates, or answers of one template"),
        }
    }
}

impl std::error::Error for EstimateError {}

/// Estimates the probability and its interval.
///
/// ```
/// use jackfield_claims::estimate::{Options, Samples, estimate};
///
/// let samples = Samples { templates: [0.27, 0.23, 0.25, 0.23, 0.26, 0.27].map(|p| vec![p, p]).to_vec() };
/// let found = estimate(&samples, &Options::new(500, 777)).unwrap();
/// assert_eq!(found.prob_true, 0.2522065033414231);
/// ```
///
/// # Errors
/// See [`EstimateError`].
pub fn estimate(samples: &Samples, options: &Options) -> Result<Estimate, EstimateError> {
    check(samples, options)?;
    let logits: Vec<Vec<f64>> = samples.templates.iter().map(|t| t.iter().map(|p| logit(*p)).collect()).collect();
    let mut means: Vec<f64> = logits.iter().map(|template| mean(template)).collect();
    let center = trimmed_mean(&mut means, options.trim);

    let mut centers = bootstrap(&logits, options);
    centers.sort_unstable_by(f64::total_cmp);
    let ci95 = [quantile(&centers, 0.025).min(center), quantile(&centers, 0.975).max(center)].map(sigmoid);

    means.sort_unstable_by(f64::total_cmp);
    let template_iqr_logit = (means.len() > 1).then(|| quantile(&means, 0.75) - quantile(&means, 0.25));
    let ci_width = ci95[1] - ci95[0];
    Ok(Estimate {
        prob_true: sigmoid(center),
        ci95,
        ci_width,
        template_iqr_logit,
        stability_score: template_iqr_logit.map(score::stability),
        stability_band: template_iqr_logit.map(Band::of),
        is_stable: score::is_stable(ci_width),
        counts_by_template: samples.templates.iter().map(Vec::len).collect(),
    })
}

fn check(samples: &Samples, options: &Options) -> Result<(), EstimateError> {
    if samples.templates.is_empty() {
        return Err(EstimateError::NoSamples);
    }
    if !(1..=MAX_DRAWS).contains(&options.draws) {
        return Err(EstimateError::Draws(options.draws));
    }
    if !(0.0..0.5).contains(&options.trim) {
        return Err(EstimateError::Trim(options.trim));
    }
    let longest = samples.templates.iter().map(Vec::len).max().unwrap_or(0);
    if u32::try_from(samples.templates.len().max(longest)).is_err() {
        return Err(EstimateError::TooMany);
    }
    for (index, template) in samples.templates.iter().enumerate() {
        if template.is_empty() {
            return Err(EstimateError::EmptyTemplate(index));
        }
        if let Some(value) = template.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            return Err(EstimateError::NotAProbability(index, *value));
        }
    }
    Ok(())
}

/// The centres of the draws, in the order drawn.
///
/// Per draw, as the NumPy loop does it: `integers(0, T, size=T)` for the templates, then for each of them in turn
/// `integers(0, n, size=n)` for its n replicates.
fn bootstrap(logits: &[Vec<f64>], options: &Options) -> Vec<f64> {
    let mut rng = Generator::new(options.seed);
    let longest = logits.iter().map(Vec::len).max().unwrap_or(0);
    let mut chosen_templates = vec![0_u32; logits.len()];
    let mut means = vec![0.0; logits.len()];
    let mut drawn = vec![0.0; longest];
    let mut centers = Vec::with_capacity(options.draws as usize);
    for _ in 0..options.draws {
        rng.fill_below(logits.len() as u32, &mut chosen_templates);
        for (template_mean, template) in means.iter_mut().zip(&chosen_templates) {
            let replicates = logits[*template as usize].as_slice();
            let drawn = &mut drawn[..replicates.len()];
            for value in drawn.iter_mut() {
                *value = replicates[rng.below_u32(replicates.len() as u32) as usize];
            }
            *template_mean = mean(drawn);
        }
        centers.push(trimmed_mean(&mut means, options.trim));
    }
    centers
}

#[cfg(test)]
mod tests;
