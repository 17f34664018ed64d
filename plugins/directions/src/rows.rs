//! One layer of both sets in `f64`: checked, clamped, averaged.

use crate::{
    ExtractError, LayerRows, PromptSet, Shape,
    vectors::{cosine, norm},
};

/// How far two numbers may be apart, relative to their size, and be the same but for the rounding to `f32`.
const ROUNDING: f64 = f32::EPSILON as f64;

/// The rows of both sets at one layer, the positive ones first.
pub(crate) struct Rows {
    /// Row-major.
    pub(crate) values: Vec<f64>,
    pub(crate) width: usize,
    /// How many rows are positive.
    pub(crate) positive: usize,
}

impl Rows {
    /// The rows of a layer, each of which must be finite.
    pub(crate) fn new(layer: usize, positive: LayerRows<'_>, negative: LayerRows<'_>) -> Result<Self, ExtractError> {
        let width = positive.width();
        let mut values = Vec::new();
        let length = positive.prompts().checked_add(negative.prompts()).and_then(|rows| rows.checked_mul(width));
        if length.is_none_or(|length| values.try_reserve_exact(length).is_err()) {
            let shape = |rows: LayerRows<'_>| Shape { prompts: rows.prompts(), layers: 1, width };
            return Err(ExtractError::TooLarge { positive: shape(positive), negative: shape(negative) });
        }
        for (set, rows) in [(PromptSet::Positive, positive), (PromptSet::Negative, negative)] {
            for prompt in 0..rows.prompts() {
                let row = rows.row(prompt);
                if let Some(component) = row.iter().position(|value| !value.is_finite()) {
                    return Err(ExtractError::NotFinite { set, prompt, layer, component, value: row[component] });
                }
                values.extend(row.iter().map(|&value| f64::from(value)));
            }
        }
        Ok(Self { values, width, positive: positive.prompts() })
    }

    /// The positive rows, then the negative ones.
    pub(crate) fn halves(&self) -> (&[f64], &[f64]) {
        self.values.split_at(self.positive * self.width)
    }

    /// All rows.
    pub(crate) fn iter(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.width)
    }

    /// The means of both halves.
    pub(crate) fn means(&self) -> Means {
        let (positive, negative) = self.halves();
        let [positive_sizes, sizes] = [positive, negative].map(|rows| mean_of(rows, self.width, f64::abs));
        let noise = positive_sizes.iter().zip(&sizes).map(|(p, n)| p.max(*n) * ROUNDING).collect();
        let [positive, negative] = [positive, negative].map(|rows| mean_of(rows, self.width, |x| x));
        let difference = positive.iter().zip(&negative).map(|(p, n)| p - n).collect();
        Means { positive, negative, difference, noise }
    }

    /// Whether all rows are the same but for rounding.
    pub(crate) fn are_all_alike(&self) -> bool {
        let first = &self.values[..self.width];
        let differ_by_rounding_only = |(x, y): (&f64, &f64)| (x - y).abs() <= ROUNDING * x.abs().max(y.abs());
        self.iter().all(|row| row.iter().zip(first).all(differ_by_rounding_only))
    }

    /// Clamps each row to plus and minus the quantile of its absolute values.
    pub(crate) fn winsorize(&mut self, quantile: f64) {
        let mut magnitudes = Vec::with_capacity(self.width);
        for row in self.values.chunks_exact_mut(self.width) {
            magnitudes.clear();
            magnitudes.extend(row.iter().map(|x| x.abs()));
            let limit = quantile_of(&mut magnitudes, quantile);
            row.iter_mut().for_each(|x| *x = x.clamp(-limit, limit));
        }
    }
}

/// The mean of what `of` makes of rows, each added in turn.
fn mean_of(rows: &[f64], width: usize, term: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut mean = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(sum, &x)| *sum += term(x));
    }
    let count = (rows.len() / width) as f64;
    mean.iter_mut().for_each(|x| *x /= count);
    mean
}

/// The quantile of values that are not empty, interpolated linearly between order statistics; puts them in another order.
fn quantile_of(values: &mut [f64], quantile: f64) -> f64 {
    let position = quantile * (values.len() - 1) as f64;
    let below = position.floor();
    let (_, &mut low, above) = values.select_nth_unstable_by(below as usize, f64::total_cmp);
    let fraction = position - below;
    match above.iter().copied().min_by(f64::total_cmp) {
        Some(high) if fraction > 0.0 => low + (high - low) * fraction,
        _ => low,
    }
}

/// The means of the two sets at one layer.
pub(crate) struct Means {
    pub(crate) positive: Vec<f64>,
    pub(crate) negative: Vec<f64>,
    /// Positive less negative.
    pub(crate) difference: Vec<f64>,
    /// What the rounding of the residuals can make of a component that is zero.
    noise: Vec<f64>,
}

impl Means {
    /// The norms of the positive mean, of the negative one, and of the difference.
    pub(crate) fn norms(&self) -> [f64; 3] {
        [norm(&self.positive), norm(&self.negative), norm(&self.difference)]
    }

    /// The cosines of positive and negative mean, of positive mean and difference, and of negative mean and difference.
    pub(crate) fn cosines(&self) -> [Option<f64>; 3] {
        [
            cosine(&self.positive, &self.negative),
            cosine(&self.positive, &self.difference),
            cosine(&self.negative, &self.difference),
        ]
    }

    /// Whether `factor` times a vector is more than rounding can make of zero, in one component at least.
    pub(crate) fn exceeds_rounding(&self, vector: &[f64], factor: f64) -> bool {
        vector.iter().zip(&self.noise).any(|(x, noise)| x.abs() * factor > *noise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_order_statistics() {
        let quantile = |quantile: f64| quantile_of(&mut [4.0, 1.0, 3.0, 2.0], quantile);
        assert_eq!([0.0, 0.5, 0.75, 1.0].map(quantile), [1.0, 2.5, 3.25, 4.0]);
        assert_eq!(quantile_of(&mut [7.0], 0.3), 7.0);
    }
}
