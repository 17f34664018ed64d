//! Arithmetic on single rows, in an order that does not depend on the other rows of a batch.

use std::f32::consts::FRAC_1_SQRT_2;

use super::settings::Activation;
use crate::lanes::{LANES, exp};

/// A gain and an offset for each component of a normalised row.
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) gain: Vec<f32>,
    pub(super) offset: Vec<f32>,
    pub(super) epsilon: f64,
}

impl Norm {
    /// Normalises a row (Ba, Kiros and Hinton 2016), in double precision: errors here reach all that follows.
    pub(super) fn apply(&self, row: &mut [f32]) {
        let length = row.len() as f64;
        let mean = sum(row, |x| x) / length;
        let variance = sum(row, |x| (x - mean) * (x - mean)) / length;
        let scale = 1.0 / (variance + self.epsilon).sqrt();
        for ((x, &gain), &offset) in row.iter_mut().zip(&self.gain).zip(&self.offset) {
            *x = ((f64::from(*x) - mean) * scale * f64::from(gain) + f64::from(offset)) as f32;
        }
    }
}

/// The sum of a function of each component, in sixteen partial sums.
fn sum(row: &[f32], term: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += term(f64::from(chunk[lane]));
        }
    }
    for (lane, &x) in rest.iter().enumerate() {
        sums[lane] += term(f64::from(x));
    }
    sums.iter().sum()
}

/// Adds an offset to each component and applies the activation.
pub(super) fn activate(row: &mut [f32], offset: &[f32], activation: Activation) {
    let pairs = row.iter_mut().zip(offset);
    match activation {
        Activation::Gelu => pairs.for_each(|(x, offset)| *x = gelu(*x + offset)),
        Activation::GeluTanh => pairs.for_each(|(x, offset)| *x = gelu_tanh(*x + offset)),
    }
}

/// `x` times the normal distribution's share below `x` (Hendrycks and Gimpel 2016).
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + error_function(x * FRAC_1_SQRT_2))
}

/// The same, by a hyperbolic tangent, which is written as the logistic function of twice its argument.
fn gelu_tanh(x: f32) -> f32 {
    const TWICE_ROOT: f32 = 1.595_769;
    x / (1.0 + exp(-TWICE_ROOT * (x + 0.044_715 * x * x * x)))
}

/// The error function to a few units of the seventh place, by the quotient of polynomials that Eigen and XLA use. Without a
/// branch, so that several are computed at once.
fn error_function(x: f32) -> f32 {
    const ABOVE: [f32; 7] =
        [-2.726_142_3e-10, 2.770_681_4e-8, -2.101_024e-6, -5.692_506_4e-5, -7.349_906e-4, -2.954_6e-3, -1.609_603_3e-2];
    const BELOW: [f32; 5] = [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2];
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let polynomial = |factors: &[f32]| factors.iter().fold(0.0, |sum, factor| sum * square + factor);
    x * polynomial(&ABOVE) / polynomial(&BELOW)
}

/// Adds a row to sums in double precision.
pub(super) fn add_to_sums(sums: &mut [f64], row: &[f32]) {
    for (sum, &x) in sums.iter_mut().zip(row) {
        *sum += f64::from(x);
    }
}

/// The greatest of each component; what is there already, if there is no row.
pub(super) fn greatest<'a>(greatest: &mut [f64], rows: impl Iterator<Item = &'a [f32]>) {
    for (index, row) in rows.enumerate() {
        for (greatest, &x) in greatest.iter_mut().zip(row) {
            let x = f64::from(x);
            // What is not a number stays, so that it is found.
            *greatest = if index == 0 || x > *greatest || x.is_nan() { x } else { *greatest };
        }
    }
}

/// Gives a row length 1; one of length 0 stays as it is.
pub(super) fn unit(row: &[f64], result: &mut [f32]) {
    let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
    let norm = if norm == 0.0 { 1.0 } else { norm };
    for (result, x) in result.iter_mut().zip(row) {
        *result = (x / norm) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_that_of_the_library_of_mathematics() {
        for step in -6000_i16..=6000 {
            let x = f32::from(step) / 1000.0;
            let (found, wanted) = (error_function(x), libm::erff(x));
            assert!((found - wanted).abs() < 5e-7, "{x}: {found} is not {wanted}");
        }
    }

    #[test]
    fn the_activation_by_tangents_is_that_of_its_formula() {
        for step in -6000_i16..=6000 {
            let x = f64::from(step) / 1000.0;
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
            let wanted = 0.5 * x * (1.0 + libm::tanh(inner));
            let found = f64::from(gelu_tanh(x as f32));
            assert!((found - wanted).abs() < 1e-6, "{x}: {found} is not {wanted}");
        }
        let mut row = [1.0, -1.0];
        activate(&mut row, &[1.0, -1.0], Activation::Gelu);
        assert!((row[0] - 1.954_499_7).abs() < 1e-6 && (row[1] + 0.045_500_26).abs() < 1e-6, "{row:?}");
    }

    #[test]
    fn a_normalised_row_has_the_mean_and_the_deviation_it_should_have() {
        let norm = Norm { gain: vec![2.0; 20], offset: vec![1.0; 20], epsilon: 0.0 };
        let mut row: Vec<f32> = (0..20_u8).map(|x| f32::from(x) * 3.0 + 7.0).collect();
        norm.apply(&mut row);
        let mean = sum(&row, |x| x) / 20.0;
        let variance = sum(&row, |x| (x - mean) * (x - mean)) / 20.0;
        assert!((mean - 1.0).abs() < 1e-6 && (variance - 4.0).abs() < 1e-5, "{mean} {variance}");
    }

    #[test]
    fn what_is_not_a_number_is_not_passed_over() {
        let mut found = [0.0; 2];
        greatest(&mut found, [[-3.0, f32::NAN], [-2.0, 1.0]].iter().map(<[f32; 2]>::as_slice));
        assert!(found[0] == -2.0 && found[1].is_nan(), "{found:?}");
    }
}
