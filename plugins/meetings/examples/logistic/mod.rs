//! Logistic regression with a penalty on the squares of the weights, by Newton's method.

/// One observation.
pub(crate) struct Row {
    pub(crate) signals: Vec<f64>,
    pub(crate) is_positive: bool,
    /// What it counts; the weights of all rows sum to 1.
    pub(crate) weight: f64,
}

/// The weights of the signals, without the intercept. `ridge` weighs half the sum of the squares of the weights, of signals
/// that are divided by their standard deviation, against the mean log loss.
pub(crate) fn fit(rows: &[Row], ridge: f64) -> Vec<f64> {
    /// Newton's method converges in about six.
    const STEPS: usize = 30;
    const GRADIENT: f64 = 1e-10;
    let width = rows.first().map_or(0, |row| row.signals.len());
    let count = rows.len().max(1) as f64;
    let mut means = vec![0.0; width];
    let mut deviations = vec![0.0; width];
    for at in 0..width {
        means[at] = rows.iter().map(|row| row.signals[at]).sum::<f64>() / count;
        let square = rows.iter().map(|row| (row.signals[at] - means[at]) * (row.signals[at] - means[at])).sum::<f64>();
        deviations[at] = (square / count).sqrt().max(1e-9);
    }
    // The intercept is the last weight, of a signal that is always 1.
    let scaled: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            let mut scaled: Vec<f64> = (0..width).map(|at| (row.signals[at] - means[at]) / deviations[at]).collect();
            scaled.push(1.0);
            scaled
        })
        .collect();
    let positive: f64 = rows.iter().filter(|row| row.is_positive).map(|row| row.weight).sum();
    let mut weights = vec![0.0; width + 1];
    weights[width] = libm::log(positive.max(1e-9) / (1.0 - positive).max(1e-9));
    for _ in 0..STEPS {
        let mut gradient: Vec<f64> = weights.iter().map(|weight| ridge * weight).collect();
        gradient[width] = 0.0;
        let mut curvature = vec![vec![0.0; width + 1]; width + 1];
        for (at, line) in curvature.iter_mut().enumerate().take(width) {
            line[at] = ridge;
        }
        for (row, signals) in rows.iter().zip(&scaled) {
            let score: f64 = signals.iter().zip(&weights).map(|(signal, weight)| signal * weight).sum();
            let chance = 1.0 / (1.0 + libm::exp(-score));
            let slope = row.weight * (chance - f64::from(u8::from(row.is_positive)));
            let bend = row.weight * chance * (1.0 - chance);
            for a in 0..=width {
                gradient[a] += slope * signals[a];
                let factor = bend * signals[a];
                for b in 0..=a {
                    curvature[a][b] += factor * signals[b];
                }
            }
        }
        if gradient.iter().all(|slope| slope.abs() < GRADIENT) {
            break;
        }
        let step = solve(curvature, gradient);
        weights.iter_mut().zip(step).for_each(|(weight, step)| *weight -= step);
    }
    weights.truncate(width);
    weights.iter_mut().zip(deviations).for_each(|(weight, deviation)| *weight /= deviation);
    weights
}

/// Solves equations whose matrix is symmetric and positive; only its lower half is read (Cholesky).
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    for a in 0..size {
        for b in 0..=a {
            let sum = matrix[a][b] - (0..b).map(|k| matrix[a][k] * matrix[b][k]).sum::<f64>();
            matrix[a][b] = if a == b { sum.max(1e-12).sqrt() } else { sum / matrix[b][b] };
        }
    }
    for a in 0..size {
        right[a] = (right[a] - (0..a).map(|k| matrix[a][k] * right[k]).sum::<f64>()) / matrix[a][a];
    }
    for a in (0..size).rev() {
        right[a] = (right[a] - (a + 1..size).map(|k| matrix[k][a] * right[k]).sum::<f64>()) / matrix[a][a];
    }
    right
}
