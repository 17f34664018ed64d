//! A linear classifier: multinomial logistic regression on vectors.
//!
//! Minimises `mean of -ln p(class | vector) + l2 / 2 * |weights|^2` by L-BFGS (Liu and Nocedal 1989). The sum is strictly
//! convex but for the offsets, so there is one answer, and it is found without chance.

use crate::{
    rows::{Rows, entries_of},
    vectors::Vectors,
};

/// Steps that L-BFGS remembers.
const MEMORY: usize = 8;
/// Steps at most.
const STEPS: usize = 150;
/// The gradient is zero when its largest entry is below this.
const FLAT: f64 = 1e-5;

/// Weights per dimension and class, and an offset per class.
#[derive(Clone, Debug)]
pub struct Softmax {
    classes: usize,
    /// `(dimensions + 1) * classes`: the classes of each dimension side by side, the offsets last.
    weights: Vec<f64>,
}

impl Softmax {
    /// Learns from rows and their classes, numbered below `classes`. `l2` above 0 says how much weights cost.
    #[must_use]
    pub fn fit(vectors: &Vectors, labels: &[usize], classes: usize, l2: f64) -> Self {
        let rows = Rows::of(vectors);
        let dimensions = vectors.dimensions();
        let count = vectors.len().min(labels.len());
        let value_and_slope = |weights: &[f64], slope: &mut [f64]| {
            slope.fill(0.0);
            let (mut loss, mut scores) = (0.0, vec![0f64; classes]);
            for (at, &label) in labels.iter().enumerate().take(count) {
                linear(weights, rows.row(at), dimensions, &mut scores);
                let score_of_label = scores[label];
                loss += probabilities(&mut scores) - score_of_label;
                scores[label] -= 1.0;
                for &(dimension, value) in rows.row(at) {
                    let start = dimension as usize * classes;
                    let value = f64::from(value);
                    slope[start..start + classes].iter_mut().zip(&scores).for_each(|(s, p)| *s += p * value);
                }
                slope[dimensions * classes..].iter_mut().zip(&scores).for_each(|(s, p)| *s += p);
            }
            let scale = 1.0 / count.max(1) as f64;
            slope.iter_mut().for_each(|s| *s *= scale);
            let mut squares = 0.0;
            let paying = dimensions * classes;
            for (s, w) in slope[..paying].iter_mut().zip(&weights[..paying]) {
                *s += l2 * w;
                squares += w * w;
            }
            loss * scale + 0.5 * l2 * squares
        };
        let weights = minimised(vec![0.0; (dimensions + 1) * classes], value_and_slope);
        Self { classes, weights }
    }

    /// The probability of each class; they sum to 1.
    #[must_use]
    pub fn probabilities(&self, vector: &[f32]) -> Vec<f64> {
        let entries: Vec<(u32, f32)> = entries_of(vector).collect();
        let mut scores = vec![0.0; self.classes];
        let dimensions = self.weights.len() / self.classes.max(1) - 1;
        linear(&self.weights, &entries, dimensions, &mut scores);
        probabilities(&mut scores);
        scores
    }
}

fn linear(weights: &[f64], row: &[(u32, f32)], dimensions: usize, scores: &mut [f64]) {
    let classes = scores.len();
    scores.copy_from_slice(&weights[dimensions * classes..]);
    for &(dimension, value) in row {
        let start = dimension as usize * classes;
        let value = f64::from(value);
        scores.iter_mut().zip(&weights[start..start + classes]).for_each(|(s, w)| *s += w * value);
    }
}

/// Makes probabilities of scores; answers the logarithm of the sum of their exponentials.
pub(crate) fn probabilities(scores: &mut [f64]) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = libm::exp(*score - most);
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
    most + libm::log(sum)
}

fn inner(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// L-BFGS with steps halved until they gain enough (Armijo 1966).
fn minimised(mut at: Vec<f64>, value_and_slope: impl Fn(&[f64], &mut [f64]) -> f64) -> Vec<f64> {
    let mut slope = vec![0.0; at.len()];
    let mut value = value_and_slope(&at, &mut slope);
    let mut past: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    let mut next_slope = vec![0.0; at.len()];
    for _ in 0..STEPS {
        if slope.iter().all(|s| s.abs() < FLAT) {
            break;
        }
        let mut way: Vec<f64> = slope.iter().map(|s| -s).collect();
        let mut shares = Vec::with_capacity(past.len());
        for (step, change, scale) in past.iter().rev() {
            let share = scale * inner(step, &way);
            way.iter_mut().zip(change).for_each(|(w, c)| *w -= share * c);
            shares.push(share);
        }
        if let Some((step, change, _)) = past.last() {
            let scale = inner(step, change) / inner(change, change);
            way.iter_mut().for_each(|w| *w *= scale);
        }
        for ((step, change, scale), share) in past.iter().zip(shares.into_iter().rev()) {
            let back = share - scale * inner(change, &way);
            way.iter_mut().zip(step).for_each(|(w, s)| *w += back * s);
        }
        let fall = inner(&slope, &way);
        if fall >= 0.0 {
            past.clear();
            continue;
        }
        // Before anything is known of the curvature, a step of length 1 at most.
        let mut length = if past.is_empty() { (1.0 / inner(&slope, &slope).sqrt()).max(1.0) } else { 1.0 };
        let moved = loop {
            let next: Vec<f64> = at.iter().zip(&way).map(|(a, w)| a + length * w).collect();
            let next_value = value_and_slope(&next, &mut next_slope);
            if next_value <= value + 1e-4 * length * fall {
                break Some((next, next_value));
            }
            length *= 0.5;
            if length < 1e-12 {
                break None;
            }
        };
        let Some((next, next_value)) = moved else { break };
        let step: Vec<f64> = next.iter().zip(&at).map(|(n, a)| n - a).collect();
        let change: Vec<f64> = next_slope.iter().zip(&slope).map(|(n, s)| n - s).collect();
        let curvature = inner(&step, &change);
        if curvature > 1e-14 {
            if past.len() == MEMORY {
                past.remove(0);
            }
            past.push((step, change, 1.0 / curvature));
        }
        at = next;
        value = next_value;
        std::mem::swap(&mut slope, &mut next_slope);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[[f32; 2]]) -> Vectors {
        let mut vectors = Vectors::new(2);
        rows.iter().for_each(|row| vectors.push(row));
        vectors
    }

    #[test]
    fn the_answer_is_where_the_loss_is_flat() {
        // One dimension that says the class, two classes: w solves l2 * w = sigmoid(-2w) by symmetry, where the scores of
        // the two classes are ±w for a row of +1.
        let l2 = 0.1;
        let softmax = Softmax::fit(&rows(&[[1.0, 0.0], [-1.0, 0.0]]), &[0, 1], 2, l2);
        let weight = softmax.weights[0];
        assert!((l2 * weight - 1.0 / (1.0 + libm::exp(2.0 * weight))).abs() < 1e-4, "{weight}");
        assert!((softmax.weights[1] + weight).abs() < 1e-6);
        assert!((softmax.probabilities(&[1.0, 0.0])[0] - 1.0 / (1.0 + libm::exp(-2.0 * weight))).abs() < 1e-9);
    }

    #[test]
    fn classes_that_a_line_parts_are_learned() {
        let vectors = rows(&[[1.0, 0.1], [0.9, -0.2], [0.0, 1.0], [0.2, 0.9], [-1.0, -1.0], [-0.8, -1.1]]);
        let labels = [0, 0, 1, 1, 2, 2];
        let softmax = Softmax::fit(&vectors, &labels, 3, 1e-3);
        for (row, label) in vectors.rows().zip(labels) {
            assert!(softmax.probabilities(row)[label] > 0.8);
        }
    }

    #[test]
    fn probabilities_sum_to_one_whatever_the_vector() {
        let softmax = Softmax::fit(&rows(&[[1.0, 0.0], [0.0, 1.0]]), &[0, 1], 2, 1e-6);
        for vector in [[1e30, -1e30], [0.0, 0.0], [3.0, 4.0]] {
            let sum: f64 = softmax.probabilities(&vector).iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
    }
}
