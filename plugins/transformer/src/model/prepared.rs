//! Prepares the edits of requests, equal ones only once.

use std::sync::Arc;

use super::job::{EditKey, KeyedEdit};
use crate::{EditSpec, Edits, RunError, Transformer};

/// How many are kept, of those used last.
const MOST_KEPT: usize = 32;

/// Edits that were made ready, those used last at the end.
#[derive(Default)]
pub(super) struct PreparedEdits {
    prepared: Vec<(Vec<EditKey>, Arc<Edits>)>,
}

impl PreparedEdits {
    /// The edits of a request, ready for the model; none where there are none.
    ///
    /// # Errors
    /// [`RunError`] for edits that cannot be.
    pub(super) fn get(&mut self, model: &Transformer, edits: &[KeyedEdit]) -> Result<Option<Arc<Edits>>, RunError> {
        if edits.is_empty() {
            return Ok(None);
        }
        let same = |key: &[EditKey]| key.iter().eq(edits.iter().map(|edit| &edit.key));
        if let Some(index) = self.prepared.iter().position(|(key, _)| same(key)) {
            let found = self.prepared.remove(index);
            let ready = Arc::clone(&found.1);
            self.prepared.push(found);
            return Ok(Some(ready));
        }
        let specs: Vec<EditSpec<'_>> = edits
            .iter()
            .map(|edit| EditSpec {
                component: edit.key.component,
                layer: edit.key.layer,
                direction: &edit.direction,
                weight: f64::from_bits(edit.key.weight),
                normalization: edit.key.normalization,
            })
            .collect();
        let ready = Arc::new(model.edits(&specs)?);
        if self.prepared.len() >= MOST_KEPT {
            self.prepared.remove(0);
        }
        self.prepared.push((edits.iter().map(|edit| edit.key.clone()).collect(), Arc::clone(&ready)));
        Ok(Some(ready))
    }
}
