//! The state of a sequence: the keys and values of each position, block by block.

use std::sync::Arc;

use crate::{Architecture, RunError};

/// A sequence that a model has read. A copy shares what was read with the original until either reads on, so several
/// replies to one prompt need the prompt once.
#[derive(Clone, Debug)]
pub struct Sequence {
    pub(crate) layers: Vec<Arc<LayerCache>>,
    length: usize,
    capacity: usize,
    width: usize,
}

/// The keys and values of one block, position by position.
#[derive(Clone, Debug, Default)]
pub(crate) struct LayerCache {
    pub(crate) keys: Vec<f32>,
    pub(crate) values: Vec<f32>,
}

impl Sequence {
    /// An empty sequence that has room for so many tokens.
    ///
    /// # Errors
    /// [`RunError::TooLong`] for more than the model's context.
    pub fn new(architecture: &Architecture, capacity: usize) -> Result<Self, RunError> {
        if capacity > architecture.context {
            return Err(RunError::TooLong { tokens: capacity, most: architecture.context });
        }
        let layers = (0..architecture.layers).map(|_| Arc::default()).collect();
        Ok(Self { layers, length: 0, capacity, width: architecture.keys() })
    }

    /// How many tokens were read.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// How many tokens there is room for.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all tokens from the one at `length` on.
    pub fn truncate(&mut self, length: usize) {
        if length >= self.length {
            return;
        }
        self.length = length;
        for layer in &mut self.layers {
            let layer = Arc::make_mut(layer);
            layer.keys.truncate(length * self.width);
            layer.values.truncate(length * self.width);
        }
    }

    /// How many bytes the keys and values of so many tokens take; none for more than can be counted.
    #[must_use]
    pub fn bytes_of(architecture: &Architecture, capacity: usize) -> Option<u64> {
        let row = 2 * size_of::<f32>() as u64 * architecture.keys() as u64;
        row.checked_mul(architecture.layers as u64)?.checked_mul(capacity as u64)
    }

    /// Whether it was begun by a model of this shape.
    pub(crate) fn fits(&self, architecture: &Architecture) -> bool {
        self.layers.len() == architecture.layers && self.width == architecture.keys()
    }

    /// The same sequence, with room for so many tokens, and no fewer than it has.
    #[cfg(feature = "model")]
    pub(crate) fn with_room_for(&self, capacity: usize) -> Self {
        Self { capacity: capacity.max(self.length), ..self.clone() }
    }

    /// The first so many tokens of it, which it has, as a sequence of its own with room for so many.
    ///
    /// # Errors
    /// [`RunError::OutOfMemory`] if the system does not give the memory.
    #[cfg(feature = "model")]
    pub(crate) fn beginning(&self, length: usize, capacity: usize) -> Result<Self, RunError> {
        debug_assert!(length <= self.length && length <= capacity, "it has them, and there is room");
        let room = capacity * self.width;
        let out_of_memory = |_| RunError::OutOfMemory { bytes: (room * size_of::<f32>()) as u64 };
        let copy = |read: &[f32]| {
            let mut own = Vec::new();
            own.try_reserve_exact(room).map_err(out_of_memory)?;
            own.extend_from_slice(&read[..length * self.width]);
            Ok::<_, RunError>(own)
        };
        let layer = |layer: &Arc<LayerCache>| {
            Ok(Arc::new(LayerCache { keys: copy(&layer.keys)?, values: copy(&layer.values)? }))
        };
        let layers = self.layers.iter().map(layer).collect::<Result<_, RunError>>()?;
        Ok(Self { layers, length, capacity, width: self.width })
    }

    /// Takes the memory for all tokens there is room for, if it is not there yet, so that no more is held than was planned for
    /// and nothing is taken later.
    ///
    /// # Errors
    /// [`RunError::OutOfMemory`] if the system does not give it.
    pub(crate) fn make_room(&mut self) -> Result<(), RunError> {
        let room = self.capacity * self.width;
        let out_of_memory = |_| RunError::OutOfMemory { bytes: (room * size_of::<f32>()) as u64 };
        for layer in &mut self.layers {
            if let Some(layer) = Arc::get_mut(layer) {
                for kept in [&mut layer.keys, &mut layer.values] {
                    kept.try_reserve_exact(room.saturating_sub(kept.len())).map_err(out_of_memory)?;
                }
                continue;
            }
            let mut own = LayerCache::default();
            for (kept, read) in [(&mut own.keys, &layer.keys), (&mut own.values, &layer.values)] {
                kept.try_reserve_exact(room.max(read.len())).map_err(out_of_memory)?;
                kept.extend_from_slice(read);
            }
            *layer = Arc::new(own);
        }
        Ok(())
    }

    /// Adds keys and values of the next position to a block. There must be [room](Self::make_room).
    pub(crate) fn push(&mut self, layer: usize, keys: &[f32], values: &[f32]) {
        let layer = Arc::make_mut(&mut self.layers[layer]);
        layer.keys.extend_from_slice(keys);
        layer.values.extend_from_slice(values);
    }

    /// Notes that so many tokens went through all blocks.
    pub(crate) fn advance(&mut self, tokens: usize) {
        self.length += tokens;
    }
}
