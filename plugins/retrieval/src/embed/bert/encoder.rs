//! The forward pass of BERT (Devlin et al. 2019): embeddings, and layers of self-attention (Vaswani et al. 2017) and a
//! feed-forward network, each with what went in added and normalised.
//!
//! Texts stand one under the other, a row per token, without padding: products with weights take all rows at once, attention
//! looks at each text by itself. What a text gives does not depend on the texts beside it, to the last bit.

use std::{f32::consts::FRAC_1_SQRT_2, ops::Range};

use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Axis, Ix2, RawData, Slice, linalg::general_mat_mul};
use serde_json::Value;

use super::weights::Weights;

/// The numbers of `config.json` that say how the model is built.
pub(super) struct Config {
    words: usize,
    pub(super) positions: usize,
    types: usize,
    hidden: usize,
    inner: usize,
    layers: usize,
    heads: usize,
    epsilon: f32,
}

impl Config {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let config: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let number = |key: &str| {
            let number = config.get(key).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
            number.filter(|&number| number > 0).ok_or_else(|| format!("`{key}` has to be a whole number above 0"))
        };
        for (key, known) in [("model_type", "bert"), ("hidden_act", "gelu"), ("position_embedding_type", "absolute")] {
            if let Some(other) = config.get(key).filter(|value| *value != known) {
                return Err(format!("`{key}` is {other}, and only \"{known}\" is known here"));
            }
        }
        let epsilon = config.get("layer_norm_eps").map_or(Some(1e-12), Value::as_f64).map(|epsilon| epsilon as f32);
        let config = Self {
            words: number("vocab_size")?,
            positions: number("max_position_embeddings")?,
            types: number("type_vocab_size")?,
            hidden: number("hidden_size")?,
            inner: number("intermediate_size")?,
            layers: number("num_hidden_layers")?,
            heads: number("num_attention_heads")?,
            epsilon: epsilon
                .filter(|epsilon| (0.0..1.0).contains(epsilon))
                .ok_or("`layer_norm_eps` has to be 0 to 1")?,
        };
        if config.hidden.is_multiple_of(config.heads) {
            return Ok(config);
        }
        let Self { hidden, heads, .. } = config;
        Err(format!("`hidden_size` is {hidden}: `num_attention_heads`, which is {heads}, has to divide it"))
    }
}

/// A model's weights, ready for products.
pub(super) struct Encoder {
    heads: usize,
    words: Array2<f32>,
    /// Of each position, with that of the first type, which is everyone's.
    positions: Array2<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    /// Queries, keys and values side by side.
    asked: Dense,
    mixed: Dense,
    mixed_norm: Norm,
    inner: Dense,
    outer: Dense,
    outer_norm: Norm,
}

impl Encoder {
    pub(super) fn new(weights: &Weights<'_>, config: &Config) -> Result<Self, String> {
        let hidden = config.hidden;
        let table =
            |name: &str, rows: usize| weights.matrix(&format!("embeddings.{name}_embeddings.weight"), rows, hidden);
        let norm = |at: &str| -> Result<Norm, String> {
            let part = |part: &str| weights.vector(&format!("{at}.LayerNorm.{part}"), hidden);
            Ok(Norm { weight: part("weight")?, bias: part("bias")?, epsilon: config.epsilon })
        };
        let words = table("word", config.words)?;
        let mut positions = table("position", config.positions)?;
        positions += &table("token_type", config.types)?.row(0);
        let mut layers = Vec::new();
        // A count that is too high ends at the first layer that is not there.
        for layer in 0..config.layers {
            let at = format!("encoder.layer.{layer}");
            let dense = |name: &str, outputs, inputs| Dense::new(weights, &[format!("{at}.{name}")], outputs, inputs);
            let asked = ["query", "key", "value"].map(|name| format!("{at}.attention.self.{name}"));
            layers.push(Layer {
                asked: Dense::new(weights, &asked, hidden, hidden)?,
                mixed: dense("attention.output.dense", hidden, hidden)?,
                mixed_norm: norm(&format!("{at}.attention.output"))?,
                inner: dense("intermediate.dense", config.inner, hidden)?,
                outer: dense("output.dense", hidden, config.inner)?,
                outer_norm: norm(&format!("{at}.output"))?,
            });
        }
        Ok(Self { heads: config.heads, words, positions, norm: norm("embeddings")?, layers })
    }

    /// Length of a vector.
    pub(super) fn dimensions(&self) -> usize {
        self.words.ncols()
    }

    /// How many tokens have a vector.
    pub(super) fn words(&self) -> usize {
        self.words.nrows()
    }

    /// The last layer's row of each token, text after text. Tokens that have no vector, and those beyond the last position,
    /// are zero before the first layer.
    pub(super) fn forward(&self, texts: &[&[u32]]) -> Array2<f32> {
        let count = texts.iter().map(|text| text.len()).sum();
        let mut rows = Array2::zeros((count, self.dimensions()));
        let places = texts.iter().flat_map(|text| text.iter().enumerate());
        for (mut row, (position, &id)) in rows.rows_mut().into_iter().zip(places) {
            if (id as usize) < self.words.nrows() && position < self.positions.nrows() {
                row.assign(&self.words.row(id as usize));
                row += &self.positions.row(position);
            }
        }
        self.norm.apply(&mut rows);
        for layer in &self.layers {
            let mixed = layer.mixed.apply(self.attended(&layer.asked.apply(rows.view()), texts).view());
            rows += &mixed;
            layer.mixed_norm.apply(&mut rows);
            let mut inner = layer.inner.apply(rows.view());
            inner.as_slice_mut().unwrap_or_default().iter_mut().for_each(|x| *x = gelu(*x));
            rows += &layer.outer.apply(inner.view());
            layer.outer_norm.apply(&mut rows);
        }
        rows
    }

    /// Attention of each text's tokens to that text's tokens, head by head. `asked` has queries, keys and values.
    fn attended(&self, asked: &Array2<f32>, texts: &[&[u32]]) -> Array2<f32> {
        let hidden = self.dimensions();
        let width = hidden / self.heads;
        let scale = 1.0 / (width as f32).sqrt();
        let mut mixed = Array2::zeros((asked.nrows(), hidden));
        let mut start = 0;
        for text in texts {
            let end = start + text.len();
            let mut scores = Array2::zeros((text.len(), text.len()));
            for head in (0..hidden).step_by(width) {
                let part = |of: usize| block(asked.view(), start..end, of * hidden + head..of * hidden + head + width);
                general_mat_mul(scale, &part(0), &part(1).t(), 0.0, &mut scores);
                scores.rows_mut().into_iter().for_each(|mut row| softmax(row.as_slice_mut().unwrap_or_default()));
                let mut mixed = block(mixed.view_mut(), start..end, head..head + width);
                general_mat_mul(1.0, &scores, &part(2), 0.0, &mut mixed);
            }
            start = end;
        }
        mixed
    }
}

/// Some rows and columns.
fn block<S: RawData>(mut of: ArrayBase<S, Ix2>, rows: Range<usize>, columns: Range<usize>) -> ArrayBase<S, Ix2> {
    of.slice_axis_inplace(Axis(0), Slice::from(rows));
    of.slice_axis_inplace(Axis(1), Slice::from(columns));
    of
}

/// `rows * weight + bias`.
struct Dense {
    /// Inputs by outputs: the other way round than in the file, so that what a product reads lies together.
    weight: Array2<f32>,
    bias: Array1<f32>,
}

impl Dense {
    /// Layers of one input, side by side, each with so many outputs.
    fn new(weights: &Weights<'_>, names: &[String], outputs: usize, inputs: usize) -> Result<Self, String> {
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            weight.push(weights.matrix(&format!("{name}.weight"), outputs, inputs)?);
            bias.push(weights.vector(&format!("{name}.bias"), outputs)?);
        }
        let all = names.len() * outputs;
        let mut joined = Array2::zeros((inputs, all));
        for (at, part) in weight.iter().enumerate() {
            block(joined.view_mut(), 0..inputs, at * outputs..(at + 1) * outputs).assign(&part.t());
        }
        let bias = bias.iter().flat_map(|part| part.iter().copied()).collect();
        Ok(Self { weight: joined, bias })
    }

    fn apply(&self, rows: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut out = Array2::zeros((rows.nrows(), self.weight.ncols()));
        general_mat_mul(1.0, &rows, &self.weight, 0.0, &mut out);
        out += &self.bias;
        out
    }
}

/// Layer normalisation (Ba, Kiros and Hinton 2016).
struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
    epsilon: f32,
}

impl Norm {
    fn apply(&self, rows: &mut Array2<f32>) {
        for mut row in rows.axis_iter_mut(Axis(0)) {
            let length = row.len() as f32;
            row -= row.sum() / length;
            row *= 1.0 / (row.dot(&row) / length + self.epsilon).sqrt();
            row *= &self.weight;
            row += &self.bias;
        }
    }
}

fn softmax(row: &mut [f32]) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for x in row.iter_mut() {
        *x = (*x - most).exp();
        sum += *x;
    }
    row.iter_mut().for_each(|x| *x /= sum);
}

/// `x` times the normal distribution's share below `x` (Hendrycks and Gimpel 2016).
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2))
}

/// The error function to a few units of the seventh place, by the quotient of polynomials that Eigen and XLA use. Without a
/// branch, so that several are computed at once.
fn erf(x: f32) -> f32 {
    const ABOVE: [f32; 7] =
        [-2.726_142_3e-10, 2.770_681_4e-8, -2.101_024e-6, -5.692_506_4e-5, -7.349_906e-4, -2.954_6e-3, -1.609_603_3e-2];
    const BELOW: [f32; 5] = [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2];
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let of = |factors: &[f32]| factors.iter().fold(0.0, |sum, factor| sum * square + factor);
    x * of(&ABOVE) / of(&BELOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_that_of_the_library_of_mathematics() {
        for step in -6000i16..=6000 {
            let x = f32::from(step) / 1000.0;
            let (found, wanted) = (erf(x), libm::erff(x));
            assert!((found - wanted).abs() < 5e-7, "{x}: {found} is not {wanted}");
        }
    }

    #[test]
    fn attention_is_shared_out_by_the_exponentials() {
        let mut row = [0.0, 2f32.ln(), 5f32.ln()];
        softmax(&mut row);
        assert!(row.iter().zip([0.125, 0.25, 0.625]).all(|(x, y)| (x - y).abs() < 1e-6), "{row:?}");
        let mut far = [1e30, -1e30];
        softmax(&mut far);
        assert_eq!(far, [1.0, 0.0]);
    }
}
