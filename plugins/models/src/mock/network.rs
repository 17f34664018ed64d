//! A network of a few thousand weights, drawn from a seed: what `mock` shows of itself to those who look into it.
//!
//! It has the shape of a transformer: embeddings, blocks of attention (here the plain mean of all positions so far) and an
//! MLP, both of which add to the residual stream, and logits by the embeddings. Every sum has its order and every function is
//! `libm`'s, so that it is the same bits on every machine.

use std::{borrow::Cow, fmt};

use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::{Component, RowNormalization};

use super::belief::normal;

/// How much of the mean the attention copies as it is; the rest is mixed.
const COPIED: f64 = 0.9;
const MIXED: f64 = 0.2;
/// The logit of a token whose embedding is the state itself.
const SHARPNESS: f64 = 12.0;

/// A matrix, row-major.
#[derive(Clone)]
struct Matrix {
    columns: usize,
    elements: Vec<f64>,
}

impl Matrix {
    /// One of `rows` rows whose products with a vector of ones have a variance of `columns` by `scale` squared.
    fn drawn(rows: usize, columns: usize, scale: f64, random: &mut Random) -> Self {
        Self { columns, elements: (0..rows * columns).map(|_| scale * normal(random)).collect() }
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.elements.chunks(self.columns)
    }

    /// Adds its product with a vector to another.
    fn add_product(&self, vector: &[f64], into: &mut [f64]) {
        for (sum, row) in into.iter_mut().zip(self.rows()) {
            *sum += dot(row, vector);
        }
    }

    /// The matrix after an edit. With rows `W_i` of norms `n_i`, the direction `v` and the weight `w`: `none` takes
    /// `w v (v W)` away; `pre` does so with rows of norm 1, which get their norms back; `full` gives each row its norm.
    fn edited(&self, edit: &NetworkEdit) -> Self {
        let norms: Vec<f64> = self.rows().map(|row| libm::sqrt(dot(row, row))).collect();
        let scales: Vec<f64> = match edit.row_normalization {
            RowNormalization::None => vec![1.0; norms.len()],
            // A row of nothing stays so.
            RowNormalization::Pre | RowNormalization::Full => {
                norms.iter().map(|norm| if *norm > 0.0 { *norm } else { 1.0 }).collect()
            }
        };
        let mut along = vec![0.0; self.columns];
        for ((row, scale), part) in self.rows().zip(&scales).zip(&edit.direction) {
            for (sum, element) in along.iter_mut().zip(row) {
                *sum += part * (element / scale);
            }
        }
        let mut elements = Vec::with_capacity(self.elements.len());
        for (((row, scale), norm), part) in self.rows().zip(&scales).zip(&norms).zip(&edit.direction) {
            let taken = edit.weight * part;
            let mut new: Vec<f64> =
                row.iter().zip(&along).map(|(element, along)| scale * (element / scale - taken * along)).collect();
            let length = libm::sqrt(dot(&new, &new));
            if edit.row_normalization == RowNormalization::Full && length > 0.0 {
                new.iter_mut().for_each(|element| *element *= norm / length);
            }
            elements.extend(new);
        }
        Self { columns: self.columns, elements }
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// A vector with a mean square of 1.
fn normalised(vector: &[f64]) -> Vec<f64> {
    let scale = 1.0 / libm::sqrt(dot(vector, vector) / vector.len() as f64 + 1e-6);
    vector.iter().map(|element| element * scale).collect()
}

struct Block {
    attention_out: Matrix,
    mlp_up: Matrix,
    mlp_down: Matrix,
}

/// An edit with its direction at hand.
#[derive(Clone, Debug)]
pub(super) struct NetworkEdit {
    pub(super) component: Component,
    /// The block.
    pub(super) layer: usize,
    /// As long as the network is wide.
    pub(super) direction: Vec<f64>,
    pub(super) weight: f64,
    pub(super) row_normalization: RowNormalization,
}

/// The network.
pub(super) struct Network {
    width: usize,
    embeddings: Matrix,
    blocks: Vec<Block>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("width", &self.width).field("blocks", &self.blocks.len()).finish()
    }
}

/// A network under edits.
pub(super) struct Edited<'a> {
    network: &'a Network,
    /// The output projections of attention and MLP, by block.
    outputs: Vec<[Cow<'a, Matrix>; 2]>,
}

impl Network {
    /// A network of this many blocks, so wide, with so many tokens.
    pub(super) fn new(seed: u64, layers: usize, width: usize, vocabulary: usize) -> Self {
        let mut random = Random::new(seed);
        let embeddings = Matrix::drawn(vocabulary, width, 1.0, &mut random);
        let even = 1.0 / libm::sqrt(width as f64);
        let block = |_| {
            let mut attention_out = Matrix::drawn(width, width, MIXED * even, &mut random);
            for diagonal in attention_out.elements.iter_mut().step_by(width + 1) {
                *diagonal += COPIED;
            }
            let mlp_up = Matrix::drawn(2 * width, width, even, &mut random);
            let mlp_down = Matrix::drawn(width, 2 * width, 0.2 * even, &mut random);
            Block { attention_out, mlp_up, mlp_down }
        };
        Self { width, embeddings, blocks: (0..layers).map(block).collect() }
    }

    /// The network under edits, which are made one after the other.
    pub(super) fn edited(&self, edits: &[NetworkEdit]) -> Edited<'_> {
        let whole = |block: &'_ Block| -> [Cow<'_, Matrix>; 2] {
            [Cow::Owned(block.attention_out.clone()), Cow::Owned(block.mlp_down.clone())]
        };
        let mut outputs: Vec<[Cow<'_, Matrix>; 2]> = Vec::new();
        for (layer, block) in self.blocks.iter().enumerate() {
            let of_layer: Vec<&NetworkEdit> = edits.iter().filter(|edit| edit.layer == layer).collect();
            if of_layer.is_empty() {
                outputs.push([Cow::Borrowed(&block.attention_out), Cow::Borrowed(&block.mlp_down)]);
                continue;
            }
            let mut both = whole(block);
            for edit in of_layer {
                let output = &mut both[usize::from(edit.component == Component::MlpDown)];
                *output = Cow::Owned(output.edited(edit));
            }
            outputs.push(both);
        }
        Edited { network: self, outputs }
    }
}

impl Edited<'_> {
    /// Reads tokens, and shows the residual stream at each: a row a layer, the embeddings first.
    pub(super) fn read(&self, tokens: impl Iterator<Item = u32>, mut each: impl FnMut(usize, &[Vec<f64>])) {
        let Network { width, embeddings, blocks } = self.network;
        let mut means = vec![vec![0.0; *width]; blocks.len()];
        let mut rows = vec![Vec::new(); blocks.len() + 1];
        for (position, token) in tokens.enumerate() {
            let first = token as usize * width;
            let mut state = embeddings.elements[first..first + width].to_vec();
            rows[0].clone_from(&state);
            for (layer, (block, [attention_out, mlp_down])) in blocks.iter().zip(&self.outputs).enumerate() {
                for (mean, element) in means[layer].iter_mut().zip(&state) {
                    *mean += (element - *mean) / (position + 1) as f64;
                }
                attention_out.add_product(&normalised(&means[layer]), &mut state);
                let mut inner = vec![0.0; 2 * width];
                block.mlp_up.add_product(&normalised(&state), &mut inner);
                inner.iter_mut().for_each(|element| *element = libm::tanh(*element));
                mlp_down.add_product(&inner, &mut state);
                rows[layer + 1].clone_from(&state);
            }
            each(position, &rows);
        }
    }

    /// The log-probability of every token to come next, given the last row of the residual stream.
    pub(super) fn logprobs(&self, state: &[f64]) -> Vec<f64> {
        let state = normalised(state);
        let scale = SHARPNESS / state.len() as f64;
        let mut logits: Vec<f64> = self.network.embeddings.rows().map(|row| scale * dot(row, &state)).collect();
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.iter().map(|logit| libm::exp(logit - largest)).sum();
        let whole = largest + libm::log(sum);
        logits.iter_mut().for_each(|logit| *logit -= whole);
        logits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 12;

    fn network() -> Network {
        Network::new(7, 3, WIDTH, 40)
    }

    fn direction() -> Vec<f64> {
        let mut random = Random::new(99);
        let drawn: Vec<f64> = (0..WIDTH).map(|_| normal(&mut random)).collect();
        let length = libm::sqrt(dot(&drawn, &drawn));
        drawn.iter().map(|element| element / length).collect()
    }

    fn edit(component: Component, layer: usize, weight: f64, row_normalization: RowNormalization) -> NetworkEdit {
        NetworkEdit { component, layer, direction: direction(), weight, row_normalization }
    }

    /// The residual stream at the last of some tokens.
    fn last(edits: &[NetworkEdit]) -> Vec<Vec<f64>> {
        let (network, mut rows) = (network(), Vec::new());
        network.edited(edits).read([5, 9, 11, 2].into_iter(), |_, found| rows = found.to_vec());
        rows
    }

    fn along(vector: &[f64]) -> f64 {
        dot(vector, &direction())
    }

    #[test]
    fn an_edit_takes_the_direction_out_of_what_a_component_adds() {
        let matrix = &network().blocks[1].mlp_down;
        let vector: Vec<f64> = (0..2 * WIDTH).map(|index| libm::sin(index as f64)).collect();
        let product = |matrix: &Matrix| {
            let mut product = vec![0.0; WIDTH];
            matrix.add_product(&vector, &mut product);
            product
        };
        let plain = product(matrix);
        for weight in [1.0, 0.4, -0.5] {
            let edited = product(&matrix.edited(&edit(Component::MlpDown, 1, weight, RowNormalization::None)));
            assert!((along(&edited) - (1.0 - weight) * along(&plain)).abs() < 1e-12, "{weight}");
            let pre = product(&matrix.edited(&edit(Component::MlpDown, 1, weight, RowNormalization::Pre)));
            let full = product(&matrix.edited(&edit(Component::MlpDown, 1, weight, RowNormalization::Full)));
            assert!(plain != edited && edited != pre && pre != full, "{weight}");
        }
    }

    #[test]
    fn row_norms_are_kept_by_full_as_the_closed_form_says() {
        let matrix = &network().blocks[0].attention_out;
        let (v, w) = (direction(), 0.7);
        let norms: Vec<f64> = matrix.rows().map(|row| libm::sqrt(dot(row, row))).collect();
        let a: Vec<f64> = (0..WIDTH)
            .map(|column| matrix.rows().zip(&norms).zip(&v).map(|((row, n), v)| v * row[column] / n).sum())
            .collect();
        let pre = matrix.edited(&edit(Component::AttentionOutput, 0, w, RowNormalization::Pre));
        let full = matrix.edited(&edit(Component::AttentionOutput, 0, w, RowNormalization::Full));
        for (index, ((old, pre), full)) in matrix.rows().zip(pre.rows()).zip(full.rows()).enumerate() {
            let (n, v) = (norms[index], v[index]);
            assert!((libm::sqrt(dot(full, full)) - n).abs() < 1e-12);
            let s = 1.0 / libm::sqrt(1.0 - 2.0 * w * v * dot(old, &a) / n + w * w * v * v * dot(&a, &a));
            for column in 0..WIDTH {
                assert!((pre[column] - (old[column] - w * n * v * a[column])).abs() < 1e-12);
                assert!((full[column] - s * pre[column]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn an_edit_changes_the_layers_after_it_and_none_before() {
        let plain = last(&[]);
        for component in [Component::AttentionOutput, Component::MlpDown] {
            let edited = last(&[edit(component, 1, 1.0, RowNormalization::None)]);
            assert_eq!(edited[..2], plain[..2]);
            assert!(edited[2] != plain[2] && edited[3] != plain[3]);
        }
    }

    #[test]
    fn probabilities_sum_to_one() {
        let (network, rows) = (network(), last(&[]));
        let sum: f64 = network.edited(&[]).logprobs(&rows[3]).iter().map(|logprob| libm::exp(*logprob)).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }
}
