//! What a pass needs of whatever computes it. [`forward`](crate::forward) knows the architecture and the order of operations; a
//! backend does them, and holds what goes from one to the next. There is one, the [CPU](crate::cpu); tests have another, in
//! double precision.
//!
//! A backend holds of each row, a token on its way, four vectors: its state in the residual stream, what the next product
//! reads, what the last one made, and what a component writes.
//!
//! # What a device would need
//!
//! - **Memory.** The weights on the device, once for all passes, laid out for its kernels; there, too, [`Backend::Memory`], the
//!   keys and values of a sequence, which a [`Sequence`](crate::Sequence) holds in the process today. To copy or to shorten a
//!   sequence is then work of the device. A [`MemoryPlan`](crate::MemoryPlan) counts both, and the rows of a pass, against the
//!   memory of the device. Edits are made ready on the CPU, and would be brought over once each, not in every pass.
//! - **Order.** All operations but [`hidden`](Backend::hidden) and [`logits`](Backend::logits) may come back before they are
//!   done, as long as each sees what those before it did. Only these two wait, and only for the rows asked for.
//! - **Bits.** A row's result must have the same bits alone and in any batch. A device can keep that with kernels in which the
//!   order of each sum depends on its length alone: neither on how many rows there are, nor on which of them run at once.
//!   Libraries that choose a kernel by the size of the problem do not. Across devices, bits differ. So the name of the
//!   backend must be part of what tells a model's results from others, as the name of a [`Kernel`](crate::Kernel) is.

use jackfield_plugin_api::Component;

use crate::Edits;

/// A token on its way through the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Index of the sequence in the batch.
    pub(crate) step: usize,
    /// From 0 at the sequence's first token.
    pub(crate) position: usize,
    pub(crate) token: u32,
}

/// A product with a matrix of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// Of normed states: queries, keys and values.
    QueriesKeysValues,
    /// Of what was attended to: what attention writes.
    AttentionOutput,
    /// Of normed states: gates, and what they let through.
    GateUp,
    /// Of what the gates let through: what the MLP writes.
    Down,
}

/// The operations of a pass. Layers are blocks, counted from 0; rows are those that [`embed`](Self::embed) was given last.
pub(crate) trait Backend {
    /// The keys and values of a sequence.
    type Memory;

    /// Begins with other rows, at most [`ROWS_AT_ONCE`](crate::forward::ROWS_AT_ONCE): states are the embeddings of the tokens.
    fn embed(&mut self, rows: &[Row]);

    /// Norms the states for a component to read: attention or the MLP, by what either writes with.
    fn normalize(&mut self, layer: usize, component: Component);

    /// Multiplies each row.
    fn multiply(&mut self, layer: usize, product: Product);

    /// Turns queries and keys by their positions, keeps keys and values in the memories of their sequences, one for each step
    /// of the batch, and attends to all positions up to each row's own. Rows of a sequence come in order.
    fn attend(&mut self, layer: usize, memories: &mut [&mut Self::Memory]);

    /// Lets through what gates let through.
    fn gate(&mut self);

    /// Adds what a component writes to the states, under the edits of each step of the batch.
    fn add(&mut self, layer: usize, component: Component, edits: &[Option<&Edits>]);

    /// Shows the states of some rows, given by their indices in order, with the index of each.
    fn hidden(&mut self, rows: &[usize], show: &mut dyn FnMut(usize, &[f32]));

    /// Shows the logits after some rows, one for each token of the vocabulary, in the same way.
    fn logits(&mut self, rows: &[usize], show: &mut dyn FnMut(usize, &[f32]));
}

#[cfg(test)]
mod tests;
