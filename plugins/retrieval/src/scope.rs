//! Whether a text is of any domain at all.

use crate::{classify::L2, softmax::Softmax, threshold::fit_threshold, vectors::Vectors};

/// Parts of the examples of which each is judged by what is learned from the others.
const FOLDS: usize = 5;
/// Nearest examples whose distance is measured.
const NEAREST: usize = 5;
/// Examples of the domains that are judged at most, spread over all: a few thousand say it as well as any more.
const JUDGED: usize = 1500;
/// Numbers in the vectors of examples that are kept to measure how near they are, which is a few milliseconds' work at most.
const MOST_NUMBERS: usize = 1 << 22;
/// How many signs a text has.
const SIGNS: usize = 2;

/// Tells texts of some domain from those of none, by two signs: the classifier's odds that a text is of a domain, and how
/// near the nearest examples of any domain are (their mean cosine). Each knows what the other does not: a text may be unlike
/// all examples and yet on one domain's side of every boundary. Both are brought to a deviation of 1 and added, so that few
/// examples cannot turn one of them round; a logistic regression makes a probability of the sum.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Examples of the domains.
    examples: Vectors,
    /// Mean and deviation of each sign.
    scales: [(f64, f64); SIGNS],
    weights: Softmax,
    /// What is added to the odds, because some of the examples were judged alone.
    sampled: f64,
}

impl Scope {
    /// Learns from examples that are grouped by class, classes from `domains` on being of none. Each fifth is judged by what
    /// is learned from the others. With it comes the threshold that [`fit_threshold`] finds for them. None where there are
    /// too few examples, or the signs tell nothing.
    #[must_use]
    pub fn learn(vectors: Vectors, labels: &[usize], domains: usize) -> Option<(Self, f64)> {
        let inside = labels.iter().filter(|&&label| label < domains).count();
        let step = inside.div_ceil(JUDGED).max(1);
        let (mut signs, mut outside) = (Vec::new(), Vec::new());
        for fold in 0..FOLDS {
            // Examples of a class stand together, so every fifth is a fifth of every class.
            let (mut rows, mut row_labels) = (Vectors::new(vectors.dimensions()), Vec::new());
            for (index, &label) in labels.iter().enumerate().filter(|(index, _)| index % FOLDS != fold) {
                rows.push(vectors.row(index));
                row_labels.push(label);
            }
            let examples = spread_sample(&rows, row_labels.iter().filter(|&&label| label < domains).count());
            let softmax = Softmax::fit(&rows, &row_labels, domains + 1, L2);
            for (judged, index) in (fold..labels.len()).step_by(FOLDS).enumerate() {
                if labels[index] >= domains || judged % step == 0 {
                    let row = vectors.row(index);
                    signs.push(signs_of(&softmax.probabilities(row), row, &examples));
                    outside.push(labels[index] >= domains);
                }
            }
        }
        let count = signs.len() as f64;
        let scales = std::array::from_fn(|sign| {
            let mean = signs.iter().map(|signs| signs[sign]).sum::<f64>() / count;
            let variance = signs.iter().map(|signs| (signs[sign] - mean).powi(2)).sum::<f64>() / count;
            (mean, variance.sqrt().max(1e-9))
        });
        let mut rows = Vectors::new(1);
        signs.iter().for_each(|signs| rows.push(&[sum(&scales, signs)]));
        let classes: Vec<usize> = outside.iter().map(|&out| usize::from(!out)).collect();
        let examples = spread_sample(&vectors, inside);
        let weights = Softmax::fit(&rows, &classes, 2, 1.0 / count.max(1.0));
        if weights.probabilities(&[1.0])[1] <= weights.probabilities(&[0.0])[1] {
            return None;
        }
        let judged = classes.iter().sum::<usize>().max(1);
        let weight = inside as f64 / judged as f64;
        let scope = Self { examples, scales, weights, sampled: libm::log(weight) };
        let scores: Vec<f64> = signs.iter().map(|signs| scope.weighted_probability(signs)).collect();
        let threshold = fit_threshold(&scores, &outside, weight)?;
        Some((scope, threshold))
    }

    /// The probability that a text is of some domain, from the classifier's probabilities, that of none last, and its vector.
    #[must_use]
    pub fn probability(&self, probabilities: &[f64], vector: &[f32]) -> f64 {
        self.weighted_probability(&signs_of(probabilities, vector, &self.examples))
    }

    fn weighted_probability(&self, signs: &[f64; SIGNS]) -> f64 {
        let probability = self.weights.probabilities(&[sum(&self.scales, signs)])[1];
        1.0 / (1.0 + libm::exp(-odds(probability) - self.sampled))
    }
}

/// Of the first rows, which are of the domains, a sample of at most [`MOST_NUMBERS`] numbers, spread over all.
fn spread_sample(rows: &Vectors, inside: usize) -> Vectors {
    let mut examples = Vectors::new(rows.dimensions());
    let step = (inside * rows.dimensions()).div_ceil(MOST_NUMBERS).max(1);
    rows.rows().take(inside).step_by(step).for_each(|row| examples.push(row));
    examples
}

fn signs_of(probabilities: &[f64], vector: &[f32], examples: &Vectors) -> [f64; SIGNS] {
    let none = probabilities.last().copied().unwrap_or(0.0);
    let nearest = examples.nearest(vector, NEAREST);
    let near = nearest.iter().map(|found| f64::from(found.score)).sum::<f64>() / nearest.len().max(1) as f64;
    [odds(1.0 - none), near]
}

fn sum(scales: &[(f64, f64); SIGNS], signs: &[f64; SIGNS]) -> f32 {
    signs.iter().zip(scales).map(|(sign, (mean, deviation))| (sign - mean) / deviation).sum::<f64>() as f32
}

/// The logarithm of the odds of a probability, which is brought off the ends.
fn odds(probability: f64) -> f64 {
    let probability = probability.clamp(1e-12, 1.0 - 1e-12);
    libm::log(probability / (1.0 - probability))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::normalize;

    /// Texts of two domains along two axes, and of none along a third.
    fn made(each: usize) -> (Vectors, Vec<usize>) {
        let (mut vectors, mut labels) = (Vectors::new(3), Vec::new());
        for label in 0..3 {
            for at in 0..each {
                let mut row = [0.2 * (at % 3) as f32, 0.1 * (at % 2) as f32, 0.05 * (at % 5) as f32];
                row[label] += 1.0;
                normalize(&mut row);
                vectors.push(&row);
                labels.push(label);
            }
        }
        (vectors, labels)
    }

    #[test]
    fn what_is_like_no_example_of_a_domain_is_less_likely_of_one() {
        // More than are judged, so that each stands for several.
        for each in [10, 2 * JUDGED] {
            let (vectors, labels) = made(each);
            let softmax = Softmax::fit(&vectors, &labels, 3, L2);
            let (scope, threshold) = Scope::learn(vectors, &labels, 2).unwrap();
            let probability = |row: &[f32; 3]| scope.probability(&softmax.probabilities(row), row);
            assert!(probability(&[1.0, 0.0, 0.0]) > threshold && probability(&[0.0, 1.0, 0.0]) > threshold);
            assert!(
                probability(&[0.0, 0.0, 1.0]) < threshold
                    && probability(&[0.0, 0.0, -1.0]) < probability(&[0.6, 0.8, 0.0])
            );
        }
    }

    #[test]
    fn without_examples_of_both_kinds_nothing_is_learned() {
        let (vectors, labels) = made(4);
        assert!(Scope::learn(vectors, &labels, 3).is_none());
        assert!(Scope::learn(Vectors::new(3), &[], 2).is_none());
    }
}
