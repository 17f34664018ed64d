//! Computes the eigenvector of the largest eigenvalue of a symmetric matrix.
//!
//! Householder's reduction to a tridiagonal matrix, bisection for the eigenvalue, inverse iteration for the vector. The
//! number of steps depends on the size alone, and close eigenvalues do not slow it down as they do power iteration.

use crate::vectors::{add_scaled, dot, normalized};

/// A unit eigenvector of the largest eigenvalue, and that eigenvalue, of a symmetric positive semidefinite matrix, row-major,
/// both of whose triangles are given; nothing where the matrix is zero.
pub(crate) fn largest_eigenpair(mut matrix: Vec<f64>, size: usize) -> Option<(Vec<f64>, f64)> {
    let (mut diagonal, mut off_diagonal) = tridiagonalize(&mut matrix, size);
    let scale = diagonal.iter().chain(&off_diagonal).fold(0.0, |greatest: f64, x| greatest.max(x.abs()));
    if scale == 0.0 {
        return None;
    }
    diagonal.iter_mut().chain(&mut off_diagonal).for_each(|x| *x /= scale);
    let value = largest_eigenvalue(&diagonal, &off_diagonal);
    let mut vector = eigenvector(&diagonal, &off_diagonal, value);
    for step in (0..size.saturating_sub(2)).rev() {
        // The reflector of this step, kept in the row it made.
        let reflector = &matrix[step * size + step + 1..(step + 1) * size];
        let along = dot(reflector, &vector[step + 1..]);
        add_scaled(&mut vector[step + 1..], -2.0 * along, reflector);
    }
    normalized(vector).map(|(vector, _)| (vector, value * scale))
}

/// Makes a matrix tridiagonal by reflections. Answers the diagonal and what is beside it; the part of row `k` right of the
/// diagonal then holds the unit vector of the reflection of step `k`, or zeros where there was nothing to do.
fn tridiagonalize(matrix: &mut [f64], size: usize) -> (Vec<f64>, Vec<f64>) {
    let mut diagonal = vec![0.0; size];
    let mut off_diagonal = vec![0.0; size.saturating_sub(1)];
    let mut product = vec![0.0; size];
    for step in 0..size {
        let (head, tail) = matrix.split_at_mut((step + 1) * size);
        let row = &mut head[step * size + step..];
        diagonal[step] = row[0];
        let row = &mut row[1..];
        if row.len() < 2 {
            if let [last] = *row {
                off_diagonal[step] = last;
            }
            continue;
        }
        let length = dot(row, row).sqrt();
        // Away from the first component, so that nothing cancels.
        let target = if row[0] > 0.0 { -length } else { length };
        off_diagonal[step] = target;
        row[0] -= target;
        let reflector_length = dot(row, row).sqrt();
        if reflector_length == 0.0 {
            continue;
        }
        row.iter_mut().for_each(|x| *x /= reflector_length);
        // With reflector u: A - 2 u w' - 2 w u', w = A u - (u' A u) u.
        let reflector = &*row;
        let product = &mut product[..reflector.len()];
        for (out, line) in product.iter_mut().zip(tail.chunks_exact(size)) {
            *out = dot(&line[step + 1..], reflector);
        }
        let along = dot(product, reflector);
        add_scaled(product, -along, reflector);
        for (index, line) in tail.chunks_exact_mut(size).enumerate() {
            let line = &mut line[step + 1..];
            add_scaled(line, -2.0 * reflector[index], product);
            add_scaled(line, -2.0 * product[index], reflector);
        }
    }
    (diagonal, off_diagonal)
}

/// The largest eigenvalue of a tridiagonal matrix with entries up to 1, to the last bit that counting eigenvalues tells apart.
fn largest_eigenvalue(diagonal: &[f64], off_diagonal: &[f64]) -> f64 {
    let disc_radius = |index: usize| {
        let before = if index > 0 { off_diagonal[index - 1].abs() } else { 0.0 };
        before + off_diagonal.get(index).map_or(0.0, |x| x.abs())
    };
    // Gershgorin's discs.
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for (index, &x) in diagonal.iter().enumerate() {
        low = low.min(x - disc_radius(index));
        high = high.max(x + disc_radius(index));
    }
    // Entries are up to 1, and so is the eigenvalue or more: about 55 halvings leave no float in between.
    for _ in 0..128 {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if all_below(diagonal, off_diagonal, middle) { high = middle } else { low = middle }
    }
    high
}

/// Whether all eigenvalues are below `x`: by Sylvester, whether all pivots of the matrix less `x` are negative.
fn all_below(diagonal: &[f64], off_diagonal: &[f64], x: f64) -> bool {
    let mut pivot = diagonal[0] - x;
    for (entry, next) in off_diagonal.iter().zip(&diagonal[1..]) {
        if pivot >= 0.0 {
            return false;
        }
        pivot = next - x - entry * entry / pivot;
    }
    pivot < 0.0
}

/// A unit eigenvector of a tridiagonal matrix with entries up to 1 for its largest eigenvalue, by inverse iteration with a
/// shift just above it: the shifted matrix is definite, and elimination needs no pivoting.
fn eigenvector(diagonal: &[f64], off_diagonal: &[f64], value: f64) -> Vec<f64> {
    const STEPS: usize = 8;
    let shift = value + 4.0 * f64::EPSILON;
    let least = f64::EPSILON * f64::EPSILON;
    let mut pivots = Vec::with_capacity(diagonal.len());
    pivots.push((shift - diagonal[0]).max(least));
    for (index, entry) in off_diagonal.iter().enumerate() {
        pivots.push((shift - diagonal[index + 1] - entry * entry / pivots[index]).max(least));
    }
    // A start that is not likely to be at a right angle to anything: multiples of the golden ratio.
    let mut vector: Vec<f64> = (1..=diagonal.len())
        .map(|index| {
            let fraction = index as f64 * 0.618_033_988_749_894_9;
            fraction - fraction.floor() - 0.25
        })
        .collect();
    for _ in 0..STEPS {
        let mut next = vector.clone();
        for index in 1..next.len() {
            next[index] += off_diagonal[index - 1] / pivots[index - 1] * next[index - 1];
        }
        for index in (0..next.len()).rev() {
            let above = next.get(index + 1).map_or(0.0, |above| off_diagonal[index] * above);
            next[index] = (next[index] + above) / pivots[index];
        }
        // A step out of the range of floats is not taken.
        match normalized(next) {
            Some((unit, _)) => vector = unit,
            None => break,
        }
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far `A v` is from `value v`, relative to the value.
    fn relative_residual(matrix: &[f64], vector: &[f64], value: f64) -> f64 {
        let size = vector.len();
        let of_row = |(row, x): (&[f64], &f64)| (dot(row, vector) - value * x).abs();
        matrix.chunks_exact(size).zip(vector).map(of_row).fold(0.0, f64::max) / value
    }

    /// `Q diag(values) Q'` with Q a product of reflections.
    fn with_values(values: &[f64]) -> Vec<f64> {
        let size = values.len();
        let mut matrix = vec![0.0; size * size];
        for (index, value) in values.iter().enumerate() {
            matrix[index * size + index] = *value;
        }
        for round in 1..4 {
            let wave = |index: usize| libm::sin((index * round + round) as f64);
            let (u, _) = normalized((0..size).map(wave).collect()).unwrap();
            for _ in 0..2 {
                for row in matrix.chunks_exact_mut(size) {
                    let along = dot(row, &u);
                    add_scaled(row, -2.0 * along, &u);
                }
                let copy = matrix.clone();
                for (index, x) in matrix.iter_mut().enumerate() {
                    *x = copy[index % size * size + index / size];
                }
            }
        }
        matrix
    }

    #[test]
    fn eigenvalues_that_are_known_are_found() {
        for size in [1, 2, 3, 4, 9, 40] {
            let values: Vec<f64> = (1..=size).map(|x| x as f64).collect();
            let matrix = with_values(&values);
            let (vector, value) = largest_eigenpair(matrix.clone(), size).unwrap();
            assert!((value - size as f64).abs() < 1e-11 * size as f64, "{size}: {value}");
            assert!(relative_residual(&matrix, &vector, value) < 1e-12, "{size}");
        }
    }

    #[test]
    fn close_eigenvalues_are_distinguished() {
        let matrix = with_values(&[1.0, 1.0 - 1e-7, 0.5, 0.0, 0.0, 0.0]);
        let (vector, value) = largest_eigenpair(matrix.clone(), 6).unwrap();
        assert!(relative_residual(&matrix, &vector, value) < 1e-13, "{}", relative_residual(&matrix, &vector, value));
    }

    #[test]
    fn diagonal_and_zero_matrices_are_solved() {
        let (vector, value) = largest_eigenpair(vec![2.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 3.0], 3).unwrap();
        assert!((value - 5.0).abs() < 1e-14 && (vector[1].abs() - 1.0).abs() < 1e-14, "{vector:?} {value}");
        let (_, value) = largest_eigenpair(vec![7.0, 0.0, 0.0, 7.0], 2).unwrap();
        assert!((value - 7.0).abs() < 1e-14, "equal eigenvalues: {value}");
        assert_eq!(largest_eigenpair(vec![0.0; 16], 4), None);
    }
}
