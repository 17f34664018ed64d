//! A model of the Llama family: its weights, what it computes, and the gradient of its loss, written out by hand.

use std::ops::Range;

use crate::{
    arithmetic::{View, add_product, exp, sine_and_cosine},
    random::Random,
};

/// Sizes of the model.
pub const HIDDEN: usize = 96;
/// How many blocks there are.
pub const LAYERS: usize = 4;
/// How many heads of attention there are.
pub const HEADS: usize = 6;
/// How many of them have keys and values of their own.
pub const KEY_HEADS: usize = 3;
/// Length of a head's vectors.
pub const HEAD: usize = HIDDEN / HEADS;
/// Length of the MLP's inner vectors.
pub const INNER: usize = 256;
/// The most tokens of a sequence that the configuration promises.
pub const CONTEXT: usize = 512;
/// Base of the position encoding.
pub const ROPE_BASE: f64 = 10_000.0;
/// Added to mean squares before their root is taken.
pub const EPSILON: f32 = 1e-5;
const KEYS: usize = KEY_HEADS * HEAD;

/// A matrix, or a vector as a matrix of one row, among the weights.
#[derive(Clone)]
pub struct Tensor {
    /// Its name in `model.safetensors`.
    pub name: String,
    /// How many rows it has.
    pub rows: usize,
    /// Length of a row.
    pub columns: usize,
    /// Where its elements are among all weights.
    pub range: Range<usize>,
}

impl Tensor {
    /// Whether it is the gain of a norm.
    pub fn is_gain(&self) -> bool {
        self.rows == 1
    }

    fn of<'a>(&self, all: &'a [f32]) -> View<'a> {
        View::new(&all[self.range.clone()], self.columns)
    }
}

struct Block {
    attention_norm: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    output: Tensor,
    mlp_norm: Tensor,
    gate: Tensor,
    up: Tensor,
    down: Tensor,
}

/// Where the weights of a model are. The matrix of embeddings is the head, too.
pub struct Model {
    embedding: Tensor,
    blocks: Vec<Block>,
    norm: Tensor,
    /// How many weights there are.
    pub size: usize,
}

/// Several sequences, one after the other.
#[derive(Default)]
pub struct Batch {
    /// The tokens of all sequences.
    pub tokens: Vec<u32>,
    /// Where each sequence is among them.
    pub sequences: Vec<Range<usize>>,
    /// The positions at which a reply goes on, with the token that it goes on with.
    pub targets: Vec<(usize, u32)>,
}

/// What a block has computed, as far as the gradient needs it.
struct BlockState {
    before: Vec<f32>,
    attention_input: Vec<f32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    /// The shares of attention, of each sequence and head after each other.
    shares: Vec<Vec<f32>>,
    mixed: Vec<f32>,
    between: Vec<f32>,
    mlp_input: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    inner: Vec<f32>,
}

impl Model {
    /// A model with a vocabulary of so many tokens.
    pub fn new(vocabulary: usize) -> Self {
        let mut size = 0;
        let mut tensor = |name: String, rows: usize, columns: usize| {
            let range = size..size + rows * columns;
            size = range.end;
            Tensor { name: format!("model.{name}.weight"), rows, columns, range }
        };
        let embedding = tensor("embed_tokens".to_owned(), vocabulary, HIDDEN);
        let blocks = (0..LAYERS)
            .map(|layer| {
                let mut of = |name: &str, rows, columns| tensor(format!("layers.{layer}.{name}"), rows, columns);
                Block {
                    attention_norm: of("input_layernorm", 1, HIDDEN),
                    query: of("self_attn.q_proj", HIDDEN, HIDDEN),
                    key: of("self_attn.k_proj", KEYS, HIDDEN),
                    value: of("self_attn.v_proj", KEYS, HIDDEN),
                    output: of("self_attn.o_proj", HIDDEN, HIDDEN),
                    mlp_norm: of("post_attention_layernorm", 1, HIDDEN),
                    gate: of("mlp.gate_proj", INNER, HIDDEN),
                    up: of("mlp.up_proj", INNER, HIDDEN),
                    down: of("mlp.down_proj", HIDDEN, INNER),
                }
            })
            .collect();
        let norm = tensor("norm".to_owned(), 1, HIDDEN);
        Self { embedding, blocks, norm, size }
    }

    /// All tensors.
    pub fn tensors(&self) -> Vec<&Tensor> {
        let blocks = self.blocks.iter().flat_map(|block| {
            let Block { attention_norm, query, key, value, output, mlp_norm, gate, up, down } = block;
            [attention_norm, query, key, value, output, mlp_norm, gate, up, down]
        });
        std::iter::once(&self.embedding).chain(blocks).chain(std::iter::once(&self.norm)).collect()
    }

    /// Weights to begin with: gains of 1, the rest random.
    pub fn weights(&self, random: &mut Random) -> Vec<f32> {
        let mut weights = Vec::with_capacity(self.size);
        for tensor in self.tensors() {
            let mut deviation = 1.0 / (tensor.columns as f64).sqrt();
            if tensor.name.contains("o_proj") || tensor.name.contains("down_proj") {
                deviation /= ((2 * LAYERS) as f64).sqrt();
            }
            if tensor.name.contains("embed_tokens") {
                deviation = 0.05;
            }
            let number = |_| if tensor.is_gain() { 1.0 } else { (random.normal() * deviation) as f32 };
            weights.extend(tensor.range.clone().map(number));
        }
        weights
    }

    /// The mean loss of the batch's targets, in nats, and its gradient.
    pub fn loss_and_gradient(&self, weights: &[f32], batch: &Batch) -> (f64, Vec<f32>) {
        let rows = batch.tokens.len();
        let turns = Turns::new(batch);
        let mut states = Vec::with_capacity(LAYERS);
        let mut x = Vec::with_capacity(rows * HIDDEN);
        for token in &batch.tokens {
            let start = self.embedding.range.start + *token as usize * HIDDEN;
            x.extend_from_slice(&weights[start..start + HIDDEN]);
        }
        for block in &self.blocks {
            let state = block.forward(weights, x, batch, &turns);
            x = state.between.clone();
            linear(weights, &block.down, &state.inner, &mut x);
            states.push(state);
        }

        let mut gradient = vec![0.0; self.size];
        // The head is computed where a reply goes on alone.
        let read: Vec<f32> = batch.targets.iter().flat_map(|(at, _)| row(&x, *at).iter().copied()).collect();
        let normed = norm(weights, &self.norm, &read);
        let vocabulary = self.embedding.rows;
        let mut logits = vec![0.0; batch.targets.len() * vocabulary];
        linear(weights, &self.embedding, &normed, &mut logits);
        let mut loss = 0.0;
        let share = 1.0 / batch.targets.len() as f32;
        for (logits, (_, target)) in logits.chunks_exact_mut(vocabulary).zip(&batch.targets) {
            softmax(logits);
            loss -= f64::from(logits[*target as usize].max(1e-30)).ln() * f64::from(share);
            logits[*target as usize] -= 1.0;
            logits.iter_mut().for_each(|logit| *logit *= share);
        }
        let mut d_normed = vec![0.0; normed.len()];
        linear_backward(weights, &self.embedding, &normed, &logits, &mut d_normed, &mut gradient);
        let mut d_read = vec![0.0; read.len()];
        norm_backward(weights, &self.norm, &read, &d_normed, &mut d_read, &mut gradient);
        let mut dx = vec![0.0; rows * HIDDEN];
        for (d_read, (at, _)) in d_read.chunks_exact(HIDDEN).zip(&batch.targets) {
            add(&mut dx[at * HIDDEN..(at + 1) * HIDDEN], d_read);
        }

        for (block, state) in self.blocks.iter().zip(&states).rev() {
            dx = block.backward(weights, state, batch, &turns, dx, &mut gradient);
        }
        for (token, dx) in batch.tokens.iter().zip(dx.chunks_exact(HIDDEN)) {
            let start = self.embedding.range.start + *token as usize * HIDDEN;
            add(&mut gradient[start..start + HIDDEN], dx);
        }
        (loss, gradient)
    }
}

impl Block {
    fn forward(&self, weights: &[f32], before: Vec<f32>, batch: &Batch, turns: &Turns) -> BlockState {
        let rows = batch.tokens.len();
        let attention_input = norm(weights, &self.attention_norm, &before);
        let [mut query, mut key, mut value] = [HIDDEN, KEYS, KEYS].map(|width| vec![0.0; rows * width]);
        linear(weights, &self.query, &attention_input, &mut query);
        linear(weights, &self.key, &attention_input, &mut key);
        linear(weights, &self.value, &attention_input, &mut value);
        turns.turn(&mut query, HIDDEN, 1.0);
        turns.turn(&mut key, KEYS, 1.0);
        let mut mixed = vec![0.0; rows * HIDDEN];
        let mut shares = Vec::new();
        for (sequence, head) in heads(batch) {
            let length = sequence.len();
            let (own, shared) = head_offsets(&sequence, head);
            let mut scores = vec![0.0; length * length];
            let (queries, keys) = (View::new(&query[own..], HIDDEN), View::new(&key[shared..], KEYS));
            add_product([length, length, HEAD], queries, keys.transposed(), &mut scores, length);
            for (at, scores) in scores.chunks_exact_mut(length).enumerate() {
                let (seen, later) = scores.split_at_mut(at + 1);
                seen.iter_mut().for_each(|score| *score *= scale());
                softmax(seen);
                later.fill(0.0);
            }
            let values = View::new(&value[shared..], KEYS);
            add_product([length, HEAD, length], View::new(&scores, length), values, &mut mixed[own..], HIDDEN);
            shares.push(scores);
        }
        let mut between = before.clone();
        linear(weights, &self.output, &mixed, &mut between);
        let mlp_input = norm(weights, &self.mlp_norm, &between);
        let [mut gate, mut up] = [(); 2].map(|()| vec![0.0; rows * INNER]);
        linear(weights, &self.gate, &mlp_input, &mut gate);
        linear(weights, &self.up, &mlp_input, &mut up);
        let inner = gate.iter().zip(&up).map(|(gate, up)| gate * sigmoid(*gate) * up).collect();
        BlockState { before, attention_input, query, key, value, shares, mixed, between, mlp_input, gate, up, inner }
    }

    /// The gradient of what came into the block, from that of what it gave.
    fn backward(
        &self,
        weights: &[f32],
        state: &BlockState,
        batch: &Batch,
        turns: &Turns,
        d_after: Vec<f32>,
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let rows = batch.tokens.len();
        let mut d_gate = vec![0.0; rows * INNER];
        linear_backward(weights, &self.down, &state.inner, &d_after, &mut d_gate, gradient);
        let mut d_up = vec![0.0; rows * INNER];
        for (at, d_gate) in d_gate.iter_mut().enumerate() {
            let (gate, up, d_inner) = (state.gate[at], state.up[at], *d_gate);
            let open = sigmoid(gate);
            d_up[at] = d_inner * gate * open;
            *d_gate = d_inner * up * open * (1.0 + gate * (1.0 - open));
        }
        let mut d_mlp_input = vec![0.0; rows * HIDDEN];
        linear_backward(weights, &self.gate, &state.mlp_input, &d_gate, &mut d_mlp_input, gradient);
        linear_backward(weights, &self.up, &state.mlp_input, &d_up, &mut d_mlp_input, gradient);
        let mut d_between = d_after;
        norm_backward(weights, &self.mlp_norm, &state.between, &d_mlp_input, &mut d_between, gradient);

        let mut d_mixed = vec![0.0; rows * HIDDEN];
        linear_backward(weights, &self.output, &state.mixed, &d_between, &mut d_mixed, gradient);
        let [mut d_query, mut d_key, mut d_value] = [HIDDEN, KEYS, KEYS].map(|width| vec![0.0; rows * width]);
        for ((sequence, head), shares) in heads(batch).zip(&state.shares) {
            let length = sequence.len();
            let (own, shared) = head_offsets(&sequence, head);
            let shares_view = View::new(shares, length);
            let d_out = View::new(&d_mixed[own..], HIDDEN);
            add_product([length, HEAD, length], shares_view.transposed(), d_out, &mut d_value[shared..], KEYS);
            let mut d_scores = vec![0.0; length * length];
            let values = View::new(&state.value[shared..], KEYS);
            add_product([length, length, HEAD], d_out, values.transposed(), &mut d_scores, length);
            for (d_scores, shares) in d_scores.chunks_exact_mut(length).zip(shares.chunks_exact(length)) {
                let mean: f32 = d_scores.iter().zip(shares).map(|(d, share)| d * share).sum();
                d_scores.iter_mut().zip(shares).for_each(|(d, share)| *d = (*d - mean) * share * scale());
            }
            let d_scores = View::new(&d_scores, length);
            let (queries, keys) = (View::new(&state.query[own..], HIDDEN), View::new(&state.key[shared..], KEYS));
            add_product([length, HEAD, length], d_scores, keys, &mut d_query[own..], HIDDEN);
            add_product([length, HEAD, length], d_scores.transposed(), queries, &mut d_key[shared..], KEYS);
        }
        turns.turn(&mut d_query, HIDDEN, -1.0);
        turns.turn(&mut d_key, KEYS, -1.0);
        let mut d_input = vec![0.0; rows * HIDDEN];
        linear_backward(weights, &self.query, &state.attention_input, &d_query, &mut d_input, gradient);
        linear_backward(weights, &self.key, &state.attention_input, &d_key, &mut d_input, gradient);
        linear_backward(weights, &self.value, &state.attention_input, &d_value, &mut d_input, gradient);
        let mut d_before = d_between;
        norm_backward(weights, &self.attention_norm, &state.before, &d_input, &mut d_before, gradient);
        d_before
    }
}

/// The position encoding: by how much each pair of components of a head turns, at each row of a batch.
struct Turns(Vec<[(f32, f32); HEAD / 2]>);

impl Turns {
    fn new(batch: &Batch) -> Self {
        // The base's root of this degree, by bisection.
        let (mut low, mut high) = (1.0f64, ROPE_BASE);
        for _ in 0..200 {
            let middle = (low + high) / 2.0;
            let power = (0..HEAD / 2).fold(1.0, |power, _| power * middle);
            if power < ROPE_BASE { low = middle } else { high = middle }
        }
        let at = |position: usize| {
            let mut angle = position as f64;
            std::array::from_fn(|_| {
                let (sine, cosine) = sine_and_cosine(angle);
                angle /= low;
                (sine as f32, cosine as f32)
            })
        };
        Self(batch.sequences.iter().flat_map(|sequence| 0..sequence.len()).map(at).collect())
    }

    /// Turns the heads in rows of this width, one way (`sign` is 1) or back (-1).
    fn turn(&self, rows: &mut [f32], width: usize, sign: f32) {
        for (row, turns) in rows.chunks_exact_mut(width).zip(&self.0) {
            for head in row.chunks_exact_mut(HEAD) {
                let (first, second) = head.split_at_mut(HEAD / 2);
                for ((a, b), (sine, cosine)) in first.iter_mut().zip(second).zip(turns) {
                    let sine = sign * sine;
                    (*a, *b) = (*a * cosine - *b * sine, *b * cosine + *a * sine);
                }
            }
        }
    }
}

fn scale() -> f32 {
    1.0 / (HEAD as f32).sqrt()
}

/// Each sequence with each head.
fn heads(batch: &Batch) -> impl Iterator<Item = (Range<usize>, usize)> + '_ {
    batch.sequences.iter().flat_map(|sequence| (0..HEADS).map(move |head| (sequence.clone(), head)))
}

/// Where a head's queries begin, and where its keys and values do.
fn head_offsets(sequence: &Range<usize>, head: usize) -> (usize, usize) {
    (sequence.start * HIDDEN + head * HEAD, sequence.start * KEYS + head * KEY_HEADS / HEADS * HEAD)
}

fn row(rows: &[f32], at: usize) -> &[f32] {
    &rows[at * HIDDEN..(at + 1) * HIDDEN]
}

fn add(to: &mut [f32], what: &[f32]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += what);
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = exp(*score - largest);
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// Adds the product of each row of `x` with a matrix to the row of `out`.
fn linear(weights: &[f32], matrix: &Tensor, x: &[f32], out: &mut [f32]) {
    let rows = x.len() / matrix.columns;
    let sizes = [rows, matrix.rows, matrix.columns];
    add_product(sizes, View::new(x, matrix.columns), matrix.of(weights).transposed(), out, matrix.rows);
}

/// Adds to the gradients of a matrix and of what it was multiplied with.
fn linear_backward(weights: &[f32], matrix: &Tensor, x: &[f32], d_out: &[f32], dx: &mut [f32], gradient: &mut [f32]) {
    let &Tensor { rows: outputs, columns, .. } = matrix;
    let rows = x.len() / columns;
    let d_out = View::new(d_out, outputs);
    add_product([rows, columns, outputs], d_out, matrix.of(weights), dx, columns);
    let d_matrix = &mut gradient[matrix.range.clone()];
    add_product([outputs, columns, rows], d_out.transposed(), View::new(x, columns), d_matrix, columns);
}

fn inverse_root(row: &[f32]) -> f32 {
    let squares: f32 = row.iter().map(|x| x * x).sum();
    1.0 / (squares / HIDDEN as f32 + EPSILON).sqrt()
}

fn norm(weights: &[f32], gain: &Tensor, x: &[f32]) -> Vec<f32> {
    let gain = &weights[gain.range.clone()];
    let mut out = Vec::with_capacity(x.len());
    for row in x.chunks_exact(HIDDEN) {
        let inverse = inverse_root(row);
        out.extend(row.iter().zip(gain).map(|(x, gain)| x * inverse * gain));
    }
    out
}

/// Adds to the gradients of a norm's gain and of what it normed.
fn norm_backward(weights: &[f32], gain: &Tensor, x: &[f32], d_out: &[f32], dx: &mut [f32], gradient: &mut [f32]) {
    let gains = &weights[gain.range.clone()];
    let d_gains = &mut gradient[gain.range.clone()];
    let rows = x.chunks_exact(HIDDEN).zip(d_out.chunks_exact(HIDDEN)).zip(dx.chunks_exact_mut(HIDDEN));
    for ((x, d_out), dx) in rows {
        let inverse = inverse_root(x);
        let along: f32 = (0..HIDDEN).map(|at| gains[at] * d_out[at] * x[at]).sum();
        let along = along * inverse * inverse * inverse / HIDDEN as f32;
        for at in 0..HIDDEN {
            dx[at] += inverse * gains[at] * d_out[at] - along * x[at];
            d_gains[at] += d_out[at] * x[at] * inverse;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let model = Model::new(20);
        let mut random = Random::new(3);
        let mut weights = model.weights(&mut random);
        // Large enough for the norms to be smooth, and small enough for no probability to vanish.
        weights[model.embedding.range.clone()].iter_mut().for_each(|weight| *weight *= 4.0);
        let tokens: Vec<u32> = (0..17).map(|_| random.below(20) as u32).collect();
        let targets = vec![(4, 7), (6, 2), (16, 9)];
        let batch = Batch { tokens, sequences: vec![0..7, 7..17], targets };
        let (_, gradient) = model.loss_and_gradient(&weights, &batch);
        for tensor in model.tensors() {
            // Along the gradient of a tensor, so that the slope is as steep as it can be.
            let slope: f64 = gradient[tensor.range.clone()].iter().map(|d| f64::from(*d).powi(2)).sum::<f64>().sqrt();
            let loss = |step: f64| {
                let mut moved = weights.clone();
                for at in tensor.range.clone() {
                    moved[at] += (f64::from(gradient[at]) / slope * step) as f32;
                }
                model.loss_and_gradient(&moved, &batch).0
            };
            // The loss changes by about a fiftieth at most.
            let step = 2e-2 / slope.max(1.0);
            let found = (8.0 * (loss(step) - loss(-step)) - (loss(2.0 * step) - loss(-2.0 * step))) / (12.0 * step);
            assert!((found - slope).abs() < 1e-2 * slope + 1e-5, "{}: {found} {slope}", tensor.name);
        }
    }
}
