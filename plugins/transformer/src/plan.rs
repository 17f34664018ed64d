//! Computes how much memory a batch needs, before anything is allocated.

use crate::{Architecture, Sequence, cpu::pass_bytes};

/// What a batch is, as far as its memory depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchShape<'a> {
    /// Of each sequence, how many tokens it has room for.
    pub capacities: &'a [usize],
    /// How many tokens are read in the largest pass, of all sequences together.
    pub tokens: usize,
    /// At how many positions that pass gives logits.
    pub logits: usize,
    /// How many hidden states are kept, of all positions and layers.
    pub hidden_states: usize,
    /// How many distributions over the vocabulary are kept.
    pub distributions: usize,
    /// How many threads a pass takes.
    pub threads: usize,
}

/// How many bytes a batch needs. Each is what is asked for of the system; what it rounds up to is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// The weights, which all batches share.
    pub weights: u64,
    /// Keys and values of all sequences.
    pub sequences: u64,
    /// What a pass works with.
    pub pass: u64,
    /// Hidden states and distributions that are kept.
    pub kept: u64,
}

impl MemoryPlan {
    /// What a batch of this shape needs; none for more than can be counted.
    #[must_use]
    pub fn of(architecture: &Architecture, batch: &BatchShape<'_>) -> Option<Self> {
        let float = size_of::<f32>() as u64;
        let hidden_states = (batch.hidden_states as u64).checked_mul(architecture.hidden as u64)?;
        let distributions = (batch.distributions as u64).checked_mul(architecture.vocabulary as u64)?;
        let mut sequences = 0_u64;
        for &capacity in batch.capacities {
            sequences = sequences.checked_add(Sequence::bytes_of(architecture, capacity)?)?;
        }
        Some(Self {
            weights: architecture.weight_bytes()?,
            sequences,
            pass: pass_bytes(architecture, batch.tokens, batch.logits, batch.threads)?,
            kept: hidden_states.checked_add(distributions)?.checked_mul(float)?,
        })
    }

    /// All but the weights.
    #[must_use]
    pub const fn batch(&self) -> u64 {
        self.sequences.saturating_add(self.pass).saturating_add(self.kept)
    }

    /// All together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.weights.saturating_add(self.batch())
    }
}
