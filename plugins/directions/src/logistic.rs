//! A logistic probe with an L2 penalty, by Newton's method.
//!
//! Newton's equations are solved by conjugate gradients, which need products with the rows and no matrix of their own: the
//! memory is that of the rows. The intercept is eliminated from the equations, so that the penalty bounds their condition.

use crate::{
    rows::Rows,
    vectors::{add_scaled, dot, norm},
};

/// Steps of Newton's method, of which about ten are taken.
const NEWTON_STEPS: usize = 100;
/// Where the gradient is below this, the loss is within 1e-14 of its minimum at any penalty that is allowed.
const GRADIENT: f64 = 1e-10;

/// A trained probe, on rows that were moved and scaled.
pub(crate) struct Fit {
    /// The weights.
    pub(crate) weights: Vec<f64>,
    /// The mean log loss plus the penalty.
    pub(crate) objective: f64,
    /// Share of rows on the right side.
    pub(crate) accuracy: f64,
}

/// Moves the rows to their mean and divides them by the root mean square of their distance to it.
pub(crate) fn standardize(rows: &mut Rows) {
    let width = rows.width;
    let count = (rows.values.len() / width) as f64;
    let mut mean = vec![0.0; width];
    rows.iter().for_each(|row| add_scaled(&mut mean, 1.0, row));
    mean.iter_mut().for_each(|x| *x /= count);
    let mut squares = 0.0;
    for row in rows.values.chunks_exact_mut(width) {
        add_scaled(row, -1.0, &mean);
        squares += dot(row, row);
    }
    let spread = (squares / count).sqrt();
    if spread > 0.0 {
        rows.values.iter_mut().for_each(|x| *x /= spread);
    }
}

/// Trains a probe.
pub(crate) fn fit(rows: &Rows, l2: f64) -> Fit {
    let count = rows.values.len() / rows.width;
    let problem = Problem { rows, count, l2 };
    let mut weights = vec![0.0; rows.width];
    // The score of a row is its product with the weights, plus the intercept. Scores are kept along with the weights, so that
    // the length of a step is chosen without a product with the rows.
    let mut scores = vec![0.0; count];
    let mut objective = problem.objective(&scores, &weights);
    let mut first_gradient = None;
    for _ in 0..NEWTON_STEPS {
        let Gradient { of_weights, of_intercept, curvatures } = problem.gradient(&scores, &weights);
        let length = norm(&of_weights).max(of_intercept.abs());
        if length <= GRADIENT {
            break;
        }
        let first = *first_gradient.get_or_insert(length);
        let precision = (length / first).sqrt().min(0.1);
        let total = curvatures.iter().sum::<f64>();
        if total <= 0.0 {
            break;
        }
        let (step, score_step, intercept_step) =
            problem.newton_step(&of_weights, of_intercept, &curvatures, total, precision);
        let slope = dot(&of_weights, &step) + of_intercept * intercept_step;
        // Halved until the objective falls, but for its rounding.
        let mut factor = 1.0;
        let taken = loop {
            let mut new_weights = weights.clone();
            add_scaled(&mut new_weights, factor, &step);
            let mut new_scores = scores.clone();
            add_scaled(&mut new_scores, factor, &score_step);
            let new_objective = problem.objective(&new_scores, &new_weights);
            if new_objective <= objective + 1e-4 * factor * slope + 4.0 * f64::EPSILON * objective {
                break Some((new_weights, new_scores, new_objective));
            }
            factor /= 2.0;
            if factor < 1e-12 {
                break None;
            }
        };
        let Some(taken) = taken else { break };
        (weights, scores, objective) = taken;
    }
    let is_on_right_side =
        |(index, score): (usize, &f64)| if index < rows.positive { *score > 0.0 } else { *score < 0.0 };
    let right_count = scores.iter().enumerate().filter(|&pair| is_on_right_side(pair)).count();
    Fit { weights, objective, accuracy: right_count as f64 / count as f64 }
}

struct Gradient {
    of_weights: Vec<f64>,
    of_intercept: f64,
    /// Of the log loss of each row along its score.
    curvatures: Vec<f64>,
}

struct Problem<'a> {
    rows: &'a Rows,
    count: usize,
    l2: f64,
}

impl Problem<'_> {
    fn objective(&self, scores: &[f64], weights: &[f64]) -> f64 {
        let mut loss = 0.0;
        for (index, &score) in scores.iter().enumerate() {
            // ln(1 + e^x), with no overflow.
            let x = if index < self.rows.positive { -score } else { score };
            loss += x.max(0.0) + libm::log1p(libm::exp(-x.abs()));
        }
        loss / self.count as f64 + self.l2 / 2.0 * dot(weights, weights)
    }

    fn gradient(&self, scores: &[f64], weights: &[f64]) -> Gradient {
        let count = self.count as f64;
        let mut of_weights: Vec<f64> = weights.iter().map(|x| x * self.l2).collect();
        let mut of_intercept = 0.0;
        let mut curvatures = Vec::with_capacity(self.count);
        for (index, (row, &score)) in self.rows.iter().zip(scores).enumerate() {
            // The probability of the wrong side, small without cancellation.
            let sign = if index < self.rows.positive { 1.0 } else { -1.0 };
            let margin = sign * score;
            let small = libm::exp(-margin.abs());
            let wrong = if margin > 0.0 { small / (1.0 + small) } else { 1.0 / (1.0 + small) };
            curvatures.push(small / ((1.0 + small) * (1.0 + small)));
            let slope = -sign * wrong / count;
            add_scaled(&mut of_weights, slope, row);
            of_intercept += slope;
        }
        Gradient { of_weights, of_intercept, curvatures }
    }

    /// The step of the weights, of the scores, and of the intercept.
    fn newton_step(
        &self,
        of_weights: &[f64],
        of_intercept: f64,
        curvatures: &[f64],
        total: f64,
        precision: f64,
    ) -> (Vec<f64>, Vec<f64>, f64) {
        let count = self.count as f64;
        // The scores of `weights`, less their mean by curvature, and that mean.
        let centred_scores = |weights: &[f64]| {
            let mut scores: Vec<f64> = self.rows.iter().map(|row| dot(row, weights)).collect();
            let mean = dot(&scores, curvatures) / total;
            scores.iter_mut().for_each(|x| *x -= mean);
            (scores, mean)
        };
        let add_weighted_rows = |factor: f64, scores: &[f64], sum: &mut [f64]| {
            for ((row, x), curvature) in self.rows.iter().zip(scores).zip(curvatures) {
                add_scaled(sum, factor * curvature * x, row);
            }
        };

        let mut residual: Vec<f64> = of_weights.iter().map(|x| -x).collect();
        add_weighted_rows(of_intercept / total, &vec![1.0; self.count], &mut residual);
        let mut step = vec![0.0; residual.len()];
        let mut direction = residual.clone();
        let mut square = dot(&residual, &residual);
        let target_square = square * precision * precision;
        // In exact arithmetic one step for each dimension would do.
        for _ in 0..2 * self.count.min(self.rows.width) + 10 {
            if square <= target_square || square == 0.0 {
                break;
            }
            let (scores, _) = centred_scores(&direction);
            let mut product: Vec<f64> = direction.iter().map(|x| x * self.l2).collect();
            add_weighted_rows(1.0 / count, &scores, &mut product);
            let factor = square / dot(&direction, &product);
            add_scaled(&mut step, factor, &direction);
            add_scaled(&mut residual, -factor, &product);
            let new_square = dot(&residual, &residual);
            let ratio = new_square / square;
            square = new_square;
            for (x, r) in direction.iter_mut().zip(&residual) {
                *x = r + ratio * *x;
            }
        }
        let (mut scores, mean) = centred_scores(&step);
        let intercept_step = -of_intercept * count / total - mean;
        let intercept_shift = mean + intercept_step;
        scores.iter_mut().for_each(|x| *x += intercept_shift);
        (step, scores, intercept_step)
    }
}
