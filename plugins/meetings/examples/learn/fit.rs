//! Logistic regression with an L2 penalty, by Newton's method: deterministic, and exact enough for six decimal places.

/// What is learned from.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    pub(crate) signals: Vec<f64>,
    pub(crate) label: bool,
    pub(crate) weight: f64,
}

/// Newton's method is done when no weight moves more than this.
const STILL: f64 = 1e-7;
const MOST_STEPS: usize = 30;

/// The bias and the weights that fit best: they minimise the weighted log loss and `penalty / 2` times the squares of the
/// weights.
pub(crate) fn logistic_regression(examples: &[Example], penalty: f64) -> (f64, Vec<f64>) {
    let count = examples.first().map_or(0, |example| example.signals.len());
    // The bias is the last weight.
    let size = count + 1;
    let rows: Vec<Vec<(usize, f64)>> = examples
        .iter()
        .map(|example| {
            let signals = example.signals.iter().copied().enumerate().filter(|&(_, value)| value != 0.0);
            signals.chain([(count, 1.0)]).collect()
        })
        .collect();
    let mut weights = vec![0.0; size];
    for _ in 0..MOST_STEPS {
        let mut gradient = vec![0.0; size];
        let mut curvature = vec![0.0; size * size];
        for (row, example) in rows.iter().zip(examples) {
            let score: f64 = row.iter().map(|&(at, value)| weights[at] * value).sum();
            let chance = jackfield_text::logistic(score);
            let error = example.weight * (chance - f64::from(u8::from(example.label)));
            let spread = example.weight * chance * (1.0 - chance);
            for (index, &(at, value)) in row.iter().enumerate() {
                gradient[at] += error * value;
                let line = &mut curvature[at * size..(at + 1) * size];
                for &(other, other_value) in &row[..=index] {
                    line[other] += spread * value * other_value;
                }
            }
        }
        for at in 0..count {
            gradient[at] += penalty * weights[at];
            curvature[at * size + at] += penalty;
        }
        curvature[count * size + count] += 1e-9;
        let step = solve(&mut curvature, gradient, size);
        let largest = step.iter().fold(0.0, |largest: f64, one| largest.max(one.abs()));
        weights.iter_mut().zip(&step).for_each(|(weight, step)| *weight -= step);
        if largest < STILL {
            break;
        }
    }
    let bias = weights.pop().unwrap_or_default();
    (bias, weights)
}

/// Solves a symmetric positive definite system whose lower half is given, by Cholesky's decomposition.
fn solve(matrix: &mut [f64], mut right: Vec<f64>, size: usize) -> Vec<f64> {
    for row in 0..size {
        for column in 0..=row {
            let dot: f64 = (0..column).map(|at| matrix[row * size + at] * matrix[column * size + at]).sum();
            let rest = matrix[row * size + column] - dot;
            matrix[row * size + column] =
                if row == column { rest.max(1e-12).sqrt() } else { rest / matrix[column * size + column] };
        }
    }
    for row in 0..size {
        let dot: f64 = (0..row).map(|at| matrix[row * size + at] * right[at]).sum();
        right[row] = (right[row] - dot) / matrix[row * size + row];
    }
    for row in (0..size).rev() {
        let dot: f64 = (row + 1..size).map(|at| matrix[at * size + row] * right[at]).sum();
        right[row] = (right[row] - dot) / matrix[row * size + row];
    }
    right
}

/// The standard deviation of each signal, 1 for one that is always the same.
pub(crate) fn deviations(examples: &[Example], count: usize) -> Vec<f64> {
    let n = examples.len().max(1) as f64;
    let (mut sums, mut squares) = (vec![0.0; count], vec![0.0; count]);
    for example in examples {
        for (at, value) in example.signals.iter().enumerate() {
            sums[at] += value;
            squares[at] += value * value;
        }
    }
    let variance = |at: usize| squares[at] / n - (sums[at] / n) * (sums[at] / n);
    (0..count).map(|at| Some(variance(at).max(0.0).sqrt()).filter(|scale| *scale > 1e-6).unwrap_or(1.0)).collect()
}
