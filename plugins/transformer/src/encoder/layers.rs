//! Texts through the layers of a sentence encoder (Devlin et al. 2019; Vaswani et al. 2017).
//!
//! Texts stand one under the other, a row a token, without padding. Products take the rows of several texts at once;
//! attention looks at each text by itself. Neither changes a row's bits.

use std::mem;

use super::{
    arithmetic::{Norm, activate},
    settings::Settings,
    weights::{Dense, EncoderLayer, EncoderWeights},
};
use crate::{
    Kernel,
    kernels::{PackedRows, product},
    lanes::{add, exponentials},
    matrix::Matrix,
};

/// Most rows that go through a product at once, and about as many as there are in one pass: more take memory and gain nothing.
pub(super) const ROWS_AT_ONCE: usize = 512;

/// Memory of passes, which one thread uses again for each.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    settings: &'a Settings,
    weights: &'a EncoderWeights,
    products: Products,
    attention: Attention,
    /// A row for each token.
    states: Vec<f32>,
    projected: Vec<f32>,
    attended: Vec<f32>,
    inner: Vec<f32>,
    written: Vec<f32>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(settings: &'a Settings, weights: &'a EncoderWeights, kernel: Kernel) -> Self {
        Self {
            settings,
            weights,
            products: Products { kernel, packed: PackedRows::default(), padded: Vec::new() },
            attention: Attention::default(),
            states: Vec::new(),
            projected: Vec::new(),
            attended: Vec::new(),
            inner: Vec::new(),
            written: Vec::new(),
        }
    }

    /// The last layer's row of each token, text after text. Each token is in the vocabulary, and no text is longer than the
    /// model has positions.
    pub(super) fn read(&mut self, texts: &[&[u32]]) -> &[f32] {
        let hidden = self.settings.hidden;
        self.states.clear();
        for text in texts {
            for (position, &token) in text.iter().enumerate() {
                let word = &self.weights.words[token as usize * hidden..][..hidden];
                let begin = self.states.len();
                self.states.extend_from_slice(word);
                add(&mut self.states[begin..], &self.weights.positions[position * hidden..][..hidden]);
            }
        }
        self.states.chunks_exact_mut(hidden).for_each(|row| self.weights.norm.apply(row));
        for layer in &self.weights.layers {
            self.layer(texts, layer);
        }
        &self.states
    }

    fn layer(&mut self, texts: &[&[u32]], layer: &EncoderLayer) {
        let hidden = self.settings.hidden;
        self.products.multiply(&self.states, &layer.queries_keys_values, &mut self.projected);
        for row in self.projected.chunks_exact_mut(3 * hidden) {
            add(row, &layer.queries_keys_values.offset);
        }
        self.attended.resize(self.states.len(), 0.0);
        let mut begin = 0;
        for text in texts {
            let projected = &self.projected[3 * begin..][..3 * text.len() * hidden];
            let attended = &mut self.attended[begin..][..text.len() * hidden];
            self.attention.attend(&mut self.products, self.settings, projected, attended);
            begin += text.len() * hidden;
        }
        self.products.multiply(&self.attended, &layer.attention_output, &mut self.written);
        residual(&mut self.states, &self.written, &layer.attention_output, &layer.attention_norm);
        // Rows of the feed-forward network are long: only so many are there at once, however long a text is.
        for states in self.states.chunks_mut(ROWS_AT_ONCE * hidden) {
            self.products.multiply(states, &layer.inner, &mut self.inner);
            for row in self.inner.chunks_exact_mut(self.settings.inner) {
                activate(row, &layer.inner.offset, self.settings.activation);
            }
            self.products.multiply(&self.inner, &layer.output, &mut self.written);
            residual(states, &self.written, &layer.output, &layer.output_norm);
        }
    }
}

/// Adds what a part of a layer wrote to the rows that it read, and normalises them.
fn residual(states: &mut [f32], written: &[f32], dense: &Dense, norm: &Norm) {
    let hidden = dense.offset.len();
    for (state, written) in states.chunks_exact_mut(hidden).zip(written.chunks_exact(hidden)) {
        add(state, written);
        add(state, &dense.offset);
        norm.apply(state);
    }
}

/// What products need.
#[derive(Debug)]
struct Products {
    kernel: Kernel,
    packed: PackedRows,
    /// Results whose rows are filled up to whole panels.
    padded: Vec<f32>,
}

impl Products {
    /// The products of rows with a matrix, without its offset, a row after the other.
    fn multiply(&mut self, rows: &[f32], dense: &Dense, results: &mut Vec<f32>) {
        let matrix = &dense.matrix;
        results.resize(rows.len() / matrix.inputs() * matrix.outputs(), 0.0);
        let inputs = rows.chunks(ROWS_AT_ONCE * matrix.inputs());
        for (rows, results) in inputs.zip(results.chunks_mut(ROWS_AT_ONCE * matrix.outputs())) {
            self.multiply_into(rows, matrix, results);
        }
    }

    fn multiply_into(&mut self, rows: &[f32], matrix: &Matrix, results: &mut [f32]) {
        let width = matrix.width();
        self.packed.pack(rows, matrix.inputs());
        if width == matrix.outputs() {
            return product(self.kernel, &self.packed, matrix, 0..matrix.panels(), results, width);
        }
        self.padded.resize(self.packed.rows() * width, 0.0);
        product(self.kernel, &self.packed, matrix, 0..matrix.panels(), &mut self.padded, width);
        for (result, padded) in results.chunks_exact_mut(matrix.outputs()).zip(self.padded.chunks_exact(width)) {
            result.copy_from_slice(&padded[..matrix.outputs()]);
        }
    }
}

/// Memory of attention: what is there of one head.
#[derive(Debug, Default)]
struct Attention {
    queries: Vec<f32>,
    /// Of each token a row: its key.
    keys: Matrix,
    /// Of each component of a value a row: that of each token.
    values: Matrix,
    scores: Vec<f32>,
    results: Vec<f32>,
}

impl Attention {
    /// Attention of a text's tokens to its tokens. A row of `projected` has the queries, the keys and the values of all heads.
    fn attend(&mut self, products: &mut Products, settings: &Settings, projected: &[f32], attended: &mut [f32]) {
        let hidden = settings.hidden;
        let head = hidden / settings.heads;
        let length = attended.len() / hidden;
        if length == 0 {
            return;
        }
        let root = (head as f32).sqrt();
        for first in (0..hidden).step_by(head) {
            self.queries.clear();
            self.keys.reset(length, head);
            self.values.reset(head, length);
            for (token, row) in projected.chunks_exact(3 * hidden).enumerate() {
                self.queries.extend_from_slice(&row[first..][..head]);
                self.keys.set_row(token, &row[hidden + first..][..head]);
                self.values.set_column(token, &row[2 * hidden + first..][..head]);
            }
            // A long text has many scores: they are made for some rows at a time.
            let (queries, mut scores, mut results) =
                (mem::take(&mut self.queries), mem::take(&mut self.scores), mem::take(&mut self.results));
            let rows_at_once = (ROWS_AT_ONCE * ROWS_AT_ONCE / length).clamp(1, ROWS_AT_ONCE);
            let attended = attended.chunks_mut(rows_at_once * hidden);
            for (queries, attended) in queries.chunks(rows_at_once * head).zip(attended) {
                let rows = queries.len() / head;
                scores.resize(rows * length, 0.0);
                products.multiply_into(queries, &self.keys, &mut scores);
                results.resize(rows * head, 0.0);
                for scores in scores.chunks_exact_mut(length) {
                    scores.iter_mut().for_each(|score| *score /= root);
                    let sum = exponentials(scores);
                    scores.iter_mut().for_each(|score| *score /= sum);
                }
                products.multiply_into(&scores, &self.values, &mut results);
                for (result, attended) in results.chunks_exact(head).zip(attended.chunks_exact_mut(hidden)) {
                    attended[first..][..head].copy_from_slice(result);
                }
            }
            (self.queries, self.scores, self.results) = (queries, scores, results);
        }
    }
}
