//! What a stage learns from vectors of its model. It does so at the first call, because a model cannot be called while a stage is
//! opened.

use std::sync::Arc;

use futures::lock::Mutex;
use jackfield_plugin_api::prelude::*;

use crate::{
    embed::{embed_by_model, other_length},
    vectors::Vectors,
};

/// Texts between two reports of progress.
const BATCH: usize = 256;

/// Something that is learned once in an instance, by the first call that gets through. Calls that come meanwhile wait for it;
/// if it fails or is given up, the next one begins anew.
pub(crate) struct LearnedOnce<T>(Mutex<Option<Arc<T>>>);

impl<T> Default for LearnedOnce<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> LearnedOnce<T> {
    /// What was learned, now or at an earlier call.
    ///
    /// # Errors
    /// Whatever `learn` fails with.
    pub(crate) async fn get(&self, learn: impl AsyncFnOnce() -> Result<T>) -> Result<Arc<T>> {
        let mut learned = self.0.lock().await;
        if let Some(learned) = &*learned {
            return Ok(Arc::clone(learned));
        }
        let fresh = Arc::new(learn().await?);
        *learned = Some(Arc::clone(&fresh));
        Ok(fresh)
    }
}

/// One row per text of the configuration, on behalf of one document. `what` names them in reports of progress, and `name`
/// the one that the model could not answer for.
///
/// # Errors
/// As those of [`embed_by_model`].
pub(crate) async fn embed_all(
    texts: &[&str],
    host: &Host<'_>,
    what: &str,
    name: impl Fn(usize) -> String,
) -> Result<Vectors> {
    let mut vectors: Option<Vectors> = None;
    for (batch_index, batch) in texts.chunks(BATCH).enumerate() {
        let first = batch_index * BATCH;
        let hosts = vec![host; batch.len()];
        let dimensions = vectors.as_ref().map(Vectors::dimensions);
        let rows = embed_by_model(batch, &hosts, dimensions).await;
        for (index, row) in (first..).zip(rows) {
            let row = row.map_err(|failure| failure_of_text(failure, &name(index)))?;
            let vectors = vectors.get_or_insert_with(|| Vectors::new(row.len()));
            if row.len() != vectors.dimensions() {
                return Err(failure_of_text(other_length(row.len(), vectors.dimensions()), &name(index)));
            }
            vectors.push(&row);
        }
        let done = first + batch.len();
        host.progress(done as u64, Some(texts.len() as u64), format!("{what} embedded"));
    }
    Ok(vectors.unwrap_or_default())
}

/// Names the text that a failure is about, unless the failure is not about the text.
fn failure_of_text(failure: Failure, text: &str) -> Failure {
    match failure {
        Failure::InvalidInput(why) => Failure::InvalidInput(format!("{text}: {why}")),
        Failure::InvalidOutput(why) => Failure::InvalidOutput(format!("{text}: {why}")),
        other => other,
    }
}

#[cfg(test)]
mod tests;
