//! Arithmetic over rows in an order that is the same on each platform, whatever else is in the batch.
//!
//! Sums are kept in sixteen partial sums, which the compiler turns into vector registers; it may not reorder a sum of floats
//! by itself. Nothing here is fused, and no function of the system's mathematics library is called.

/// How many partial sums a sum has, and how many outputs of a matrix lie side by side.
pub(crate) const LANES: usize = 16;

/// The inner product of two rows of one length.
#[inline]
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    debug_assert_eq!(left.len(), right.len(), "rows of one length");
    let mut sums = [0.0; LANES];
    let (left_chunks, left_rest) = left.as_chunks::<LANES>();
    let (right_chunks, right_rest) = right.as_chunks::<LANES>();
    for (x, y) in left_chunks.iter().zip(right_chunks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    for (lane, (x, y)) in left_rest.iter().zip(right_rest).enumerate() {
        sums[lane] += x * y;
    }
    folded(sums)
}

/// The sum of partial sums, halves added to halves.
#[inline]
fn folded(mut sums: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// Adds `factor * row` to `sum`.
#[inline]
pub(crate) fn add_scaled(sum: &mut [f32], factor: f32, row: &[f32]) {
    for (sum, &x) in sum.iter_mut().zip(row) {
        *sum += factor * x;
    }
}

/// Adds a row to another.
#[inline]
pub(crate) fn add(sum: &mut [f32], row: &[f32]) {
    for (sum, &x) in sum.iter_mut().zip(row) {
        *sum += x;
    }
}

/// Divides a row by its root mean square and multiplies it with a gain for each component, in double precision: errors here
/// reach all that follows.
pub(crate) fn rms_norm(output: &mut [f32], row: &[f32], gain: &[f32], epsilon: f32) {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += f64::from(chunk[lane]) * f64::from(chunk[lane]);
        }
    }
    for (lane, &x) in rest.iter().enumerate() {
        sums[lane] += f64::from(x) * f64::from(x);
    }
    let mean = sums.iter().sum::<f64>() / row.len() as f64;
    let scale = 1.0 / (mean + f64::from(epsilon)).sqrt();
    for ((output, &x), &gain) in output.iter_mut().zip(row).zip(gain) {
        *output = (f64::from(x) * scale * f64::from(gain)) as f32;
    }
}

/// Turns scores into weights, relative to the largest score, and gives the sum of the weights.
pub(crate) fn exponentials(scores: &mut [f32]) -> f32 {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0; LANES];
    let (chunks, rest) = scores.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            chunk[lane] = exp(chunk[lane] - largest);
            sums[lane] += chunk[lane];
        }
    }
    for (lane, score) in rest.iter_mut().enumerate() {
        *score = exp(*score - largest);
        sums[lane] += *score;
    }
    folded(sums)
}

/// `gate / (1 + exp(-gate)) * up`, for each component.
pub(crate) fn gated(output: &mut [f32], gate: &[f32], up: &[f32]) {
    for ((output, &gate), &up) in output.iter_mut().zip(gate).zip(up) {
        *output = gate / (1.0 + exp(-gate)) * up;
    }
}

/// Adding this to a float of a small size, and taking it away again, rounds the float to an integer.
const ROUNDER: f32 = 12_582_912.0;
/// ln 2 in two parts, the first of few bits, so that its product with a small integer is exact.
const LN_2_HIGH: f32 = 355.0 / 512.0;
const LN_2_LOW: f32 = (std::f64::consts::LN_2 - 355.0 / 512.0) as f32;

/// e to the power of `x`, within two units in the last place: the Taylor series of the rest that a power of two leaves.
/// Below -87, where results would lose digits, it is 0; above 88 it is that of 88.
#[inline]
pub(crate) fn exp(x: f32) -> f32 {
    let bounded = x.clamp(-87.0, 88.0);
    let power = (bounded * std::f32::consts::LOG2_E + ROUNDER) - ROUNDER;
    let rest = bounded - power * LN_2_HIGH - power * LN_2_LOW;
    let mut series = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5] {
        series = series * rest + factor;
    }
    let fraction = series * (rest * rest) + rest + 1.0;
    let scaled = fraction * f32::from_bits(((power as i32 + 127) as u32) << 23);
    if x < -87.0 { 0.0 } else { scaled }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_take_in_each_element_whatever_the_length() {
        for length in 0..70_u8 {
            let left: Vec<f32> = (0..length).map(f32::from).collect();
            let right: Vec<f32> = (0..length).map(|x| f32::from(x) + 3.0).collect();
            // Small integers: the sums are exact in any order.
            assert_eq!(dot(&left, &right), left.iter().zip(&right).map(|(x, y)| x * y).sum::<f32>());
        }
    }

    #[test]
    fn exponentials_are_those_of_double_precision_within_two_units() {
        for step in -86_000..88_000_i32 {
            let x = step as f32 / 1000.0;
            let (found, wanted) = (f64::from(exp(x)), libm::exp(f64::from(x)));
            assert!((found - wanted).abs() <= wanted * 2.0 * f64::from(f32::EPSILON), "{x}: {found} {wanted}");
        }
        assert_eq!([exp(f32::NEG_INFINITY), exp(-100.0), exp(0.0)], [0.0, 0.0, 1.0]);
        assert!(exp(f32::NAN).is_nan() && exp(1000.0).is_finite());
    }

    #[test]
    fn weights_of_scores_are_relative_to_the_largest() {
        let mut scores = [1000.0, 1000.0, -1000.0];
        assert_eq!((exponentials(&mut scores), scores), (2.0, [1.0, 1.0, 0.0]));
    }
}
