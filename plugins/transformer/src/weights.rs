//! The weights of a model, in the layout in which they are used.

use crate::{Architecture, matrix::Matrix};

/// All weights of a model.
#[derive(Debug)]
pub(crate) struct Weights {
    /// A row for each token. The head, too, if there is none of its own.
    pub(crate) embedding: Matrix,
    pub(crate) head: Option<Matrix>,
    pub(crate) final_norm: Vec<f32>,
    pub(crate) layers: Vec<Layer>,
}

/// The weights of a block.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) attention_norm: Vec<f32>,
    /// Queries, keys and values, one below the other.
    pub(crate) queries_keys_values: Matrix,
    pub(crate) attention_output: Matrix,
    pub(crate) mlp_norm: Vec<f32>,
    /// Gates, and below them what they let through.
    pub(crate) gate_up: Matrix,
    pub(crate) down: Matrix,
}

impl Weights {
    /// The matrix that turns a hidden state into logits.
    pub(crate) fn head(&self) -> &Matrix {
        self.head.as_ref().unwrap_or(&self.embedding)
    }
}

impl Architecture {
    /// How many bytes the weights take in memory; none for more than can be counted.
    #[must_use]
    pub fn weight_bytes(&self) -> Option<u64> {
        let [hidden, inner, vocabulary, queries, keys] =
            [self.hidden, self.inner, self.vocabulary, self.queries(), self.keys()].map(|size| size as u64);
        let norm = hidden * size_of::<f32>() as u64;
        let layer = [
            Matrix::bytes_of(queries + 2 * keys, hidden)?,
            Matrix::bytes_of(hidden, queries)?,
            Matrix::bytes_of(2 * inner, hidden)?,
            Matrix::bytes_of(hidden, inner)?,
            2 * norm,
        ];
        let layer = layer.into_iter().try_fold(0_u64, u64::checked_add)?;
        let ends = Matrix::bytes_of(vocabulary, hidden)?.checked_mul(if self.tied { 1 } else { 2 })?;
        layer.checked_mul(self.layers as u64)?.checked_add(ends)?.checked_add(norm)
    }
}
