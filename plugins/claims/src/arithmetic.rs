//! The logit and trimmed means, in the order of operations of NumPy and CPython, so that the last digit agrees.
//!
//! `ln` and `exp` are those of the platform's C library, as in CPython. Between glibc and another library the last digit
//! may differ; so may NumPy's own array `log` on a processor with AVX-512, which is why the fixtures use `math.log`.

use jackfield_statistics::mean;

/// The least distance of a probability from 0 and from 1: beyond it a logit would outweigh every other answer.
pub const CLAMP: f64 = 1e-6;

/// ln(p / (1 - p)) of a probability clamped to [`CLAMP`] .. 1 - [`CLAMP`]: a number in about -13.8 ..= 13.8.
#[must_use]
pub fn logit(probability: f64) -> f64 {
    let clamped = probability.clamp(CLAMP, 1.0 - CLAMP);
    (clamped / (1.0 - clamped)).ln()
}

/// The probability whose logit is `logit`: 1 / (1 + e^-logit), in 0 ..= 1.
#[must_use]
pub fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// The mean without the lowest and the highest floor(`trim` x n) of n values; the plain mean if n < 5. Sorts `values`
/// where it trims. `trim` in 0 .. 0.5; of nothing, NaN.
#[must_use]
#[inline]
pub fn trimmed_mean(values: &mut [f64], trim: f64) -> f64 {
    let count = values.len();
    if count < 5 {
        return mean(values);
    }
    // Rounding could take floor(trim x n) up to half of the values when `trim` is a hair below one half.
    let cut = ((trim * count as f64) as usize).min((count - 1) / 2);
    sort(values);
    mean(&values[cut..count - cut])
}

/// Sorts finite numbers. A few of them by insertion without a branch: whether two neighbours are in order is a coin toss,
/// and a wrong guess of the processor costs more than all comparisons of a row.
#[inline]
fn sort(values: &mut [f64]) {
    if values.len() > 40 {
        return values.sort_unstable_by(f64::total_cmp);
    }
    for end in 1..values.len() {
        let (sorted, rest) = values.split_at_mut(end);
        let mut carried = rest[0];
        for value in sorted {
            let (low, high) = if carried < *value { (carried, *value) } else { (*value, carried) };
            *value = low;
            carried = high;
        }
        rest[0] = carried;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use jackfield_statistics::mean;

    use super::{logit, sigmoid, trimmed_mean};

    #[test]
    fn logits_stop_at_the_clamp() {
        assert_eq!(logit(0.5), 0.0);
        assert_eq!(logit(0.0), logit(1e-6));
        assert_eq!(logit(1.0), logit(1.0 - 1e-6));
        assert!(logit(0.0).is_finite());
    }

    #[test]
    fn trimming_starts_at_five_values() {
        assert_eq!(trimmed_mean(&mut [100.0, 0.0, 0.0, 0.0], 0.2), 25.0);
        assert_eq!(trimmed_mean(&mut [100.0, 1.0, 2.0, 3.0, -50.0], 0.2), 2.0);
        assert_eq!(trimmed_mean(&mut [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.5_f64.next_down()), 3.5, "never to nothing");
    }

    proptest! {
        #[test]
        fn trimmed_means_stay_within_the_values(mut values in prop::collection::vec(-9.0_f64..9.0, 1..40)) {
            let (low, high) = values.iter().fold((9.0_f64, -9.0_f64), |(l, h), v| (l.min(*v), h.max(*v)));
            let plain = mean(&values);
            let trimmed = trimmed_mean(&mut values, 0.2);
            prop_assert!(low - 1e-9 <= trimmed && trimmed <= high + 1e-9);
            prop_assert!(low - 1e-9 <= plain && plain <= high + 1e-9);
        }

        #[test]
        fn sigmoid_undoes_logit(probability in 0.000_01_f64..0.999_99) {
            prop_assert!((sigmoid(logit(probability)) - probability).abs() < 1e-12);
        }
    }
}
