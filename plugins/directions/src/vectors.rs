//! Sums over vectors, in an order that is the same on each platform.

/// Partial sums that are kept apart. The compiler may not reorder a sum of floats, so one that is to use vector registers
/// has to be written as several.
const LANES: usize = 8;

/// The sum of `term` over two vectors, in [`LANES`] partial sums.
fn sum_in_lanes(left: &[f64], right: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    let (left_chunks, right_chunks) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let mut rest = 0.0;
    for (&x, &y) in left_chunks.remainder().iter().zip(right_chunks.remainder()) {
        rest += term(x, y);
    }
    for (x, y) in left_chunks.zip(right_chunks) {
        for lane in 0..LANES {
            sums[lane] += term(x[lane], y[lane]);
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    (((a + b) + (c + d)) + ((e + f) + (g + h))) + rest
}

/// The inner product.
pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    debug_assert_eq!(left.len(), right.len(), "vectors of one length");
    sum_in_lanes(left, right, |x, y| x * y)
}

/// The Euclidean distance.
pub(crate) fn distance(left: &[f64], right: &[f64]) -> f64 {
    debug_assert_eq!(left.len(), right.len(), "vectors of one length");
    sum_in_lanes(left, right, |x, y| (x - y) * (x - y)).sqrt()
}

/// The Euclidean norm.
pub(crate) fn norm(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

/// Adds `factor * vector` to `sum`.
pub(crate) fn add_scaled(sum: &mut [f64], factor: f64, vector: &[f64]) {
    debug_assert_eq!(sum.len(), vector.len(), "vectors of one length");
    for (sum, &x) in sum.iter_mut().zip(vector) {
        *sum += factor * x;
    }
}

/// The vector with length 1, and its length before; nothing where that is zero or out of the range of floats.
pub(crate) fn normalized(mut vector: Vec<f64>) -> Option<(Vec<f64>, f64)> {
    let length = norm(&vector);
    if length > 0.0 && length.is_finite() {
        vector.iter_mut().for_each(|x| *x /= length);
        Some((vector, length))
    } else {
        None
    }
}

/// The cosine of the angle between two vectors; nothing where one of them is zero.
pub(crate) fn cosine(left: &[f64], right: &[f64]) -> Option<f64> {
    let (left_norm, right_norm) = (norm(left), norm(right));
    (left_norm > 0.0 && right_norm > 0.0).then(|| (dot(left, right) / left_norm / right_norm).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_take_in_each_element_whatever_the_length() {
        for length in 0..40 {
            let left: Vec<f64> = (0..length).map(f64::from).collect();
            let right: Vec<f64> = (0..length).map(|x| f64::from(x) + 3.0).collect();
            // Small integers: the sums are exact in any order.
            assert_eq!(dot(&left, &right), left.iter().zip(&right).map(|(x, y)| x * y).sum::<f64>());
            assert_eq!(distance(&left, &right), (9.0 * f64::from(length)).sqrt());
        }
    }

    #[test]
    fn a_zero_vector_has_neither_a_direction_nor_an_angle() {
        assert_eq!(normalized(vec![0.0; 3]), None);
        assert_eq!(cosine(&[0.0; 2], &[1.0, 2.0]), None);
        assert_eq!(cosine(&[2.0, 0.0], &[-1.0, 0.0]), Some(-1.0));
        assert_eq!(normalized(vec![3.0, 4.0]), Some((vec![0.6, 0.8], 5.0)));
    }
}
