//! Sums, means, deviations and quantiles, in the order of operations of NumPy, so that the last digit agrees.

/// The arithmetic mean; of nothing, NaN.
#[must_use]
#[inline]
pub fn mean(values: &[f64]) -> f64 {
    sum(values) / values.len() as f64
}

/// The sum by NumPy's pairwise scheme (`pairwise_sum` of `loops_utils.h.src`): one by one below eight values, eight
/// running sums up to 128, halves beyond.
#[must_use]
#[inline]
pub fn sum(values: &[f64]) -> f64 {
    if values.len() < 8 { values.iter().fold(0.0, |sum, value| sum + value) } else { long_sum(values) }
}

fn long_sum(values: &[f64]) -> f64 {
    if values.len() > 128 {
        let half = values.len() / 2;
        let (left, right) = values.split_at(half - half % 8);
        return sum(left) + sum(right);
    }
    let (blocks, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += value;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, value| sum + value)
}

/// The standard deviation of a sample, with n - 1 in the denominator: NumPy's `std(ddof=1)`. None for fewer than two values.
#[must_use]
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// The value below which this share of a sorted, non-empty slice lies, interpolated linearly: type 7 of Hyndman and Fan (1996),
/// which NumPy and R take by default. `share` is 0 to 1.
///
/// ```
/// assert_eq!(jackfield_statistics::quantile(&[1.0, 2.0, 4.0, 8.0], 0.5), 3.0);
/// ```
///
/// # Panics
/// On an empty slice.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len() - 1;
    let position = last as f64 * share;
    let below = (position.floor() as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let (step, fraction) = (high - low, position - below as f64);
    // NumPy goes from the nearer end.
    if fraction >= 0.5 { high - step * (1.0 - fraction) } else { low + step * fraction }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{quantile, standard_deviation, sum};

    #[test]
    fn quantiles_lie_between_the_neighbours() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|share| quantile(&sorted, share)), [1.0, 1.75, 3.0, 8.0]);
        assert_eq!(quantile(&[7.0], 0.975), 7.0);
    }

    #[test]
    fn one_value_does_not_deviate_from_anything() {
        assert_eq!(standard_deviation(&[3.0]), None);
        assert_eq!(standard_deviation(&[1.0, 3.0]), Some(2.0_f64.sqrt()));
    }

    proptest! {
        #[test]
        fn sums_of_whole_numbers_are_exact(values in prop::collection::vec(-1_000_000_i32..1_000_000, 0..400)) {
            let floats: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
            let exact: i64 = values.iter().map(|value| i64::from(*value)).sum();
            prop_assert_eq!(sum(&floats), exact as f64);
        }
    }
}
