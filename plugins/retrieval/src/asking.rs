//! What is learned from vectors of the stage's model: at the first call, because a stage that is opened can ask nothing.

use std::sync::Arc;

use futures::lock::Mutex;
use jackfield_plugin_api::prelude::*;

use crate::{
    embed::{embed_asked, other_length},
    vectors::Vectors,
};

/// Texts between two reports of how far it has come.
const TOGETHER: usize = 256;

/// Something that is learned once in an instance, by the first call that gets through. Calls that come meanwhile wait for it;
/// if it fails or is given up, the next one begins anew.
pub(crate) struct LearnedOnce<T>(Mutex<Option<Arc<T>>>);

impl<T> Default for LearnedOnce<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> LearnedOnce<T> {
    /// What was learned, or is now.
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

/// One row per text of the configuration, on behalf of one document. `what` they are is said as the work goes on, and `name`
/// tells which of them the model could not answer for.
///
/// # Errors
/// As those of [`embed_asked`].
pub(crate) async fn embed_all(
    texts: &[&str],
    host: &Host<'_>,
    what: &str,
    name: impl Fn(usize) -> String,
) -> Result<Vectors> {
    let mut vectors: Option<Vectors> = None;
    for (turn, together) in texts.chunks(TOGETHER).enumerate() {
        let hosts = vec![host; together.len()];
        let dimensions = vectors.as_ref().map(Vectors::dimensions);
        let rows = embed_asked(together, &hosts, dimensions).await;
        for (at, row) in rows.into_iter().enumerate() {
            let row = row.map_err(|failure| of_text(failure, &name(turn * TOGETHER + at)))?;
            let vectors = vectors.get_or_insert_with(|| Vectors::new(row.len()));
            if row.len() != vectors.dimensions() {
                return Err(of_text(other_length(row.len(), vectors.dimensions()), &name(turn * TOGETHER + at)));
            }
            vectors.push(&row);
        }
        let done = turn * TOGETHER + together.len();
        host.progress(done as u64, Some(texts.len() as u64), format!("{what} embedded"));
    }
    Ok(vectors.unwrap_or_default())
}

/// Names the text that a failure is about, unless it is about whoever asks.
fn of_text(failure: Failure, text: &str) -> Failure {
    match failure {
        Failure::InvalidInput(why) => Failure::InvalidInput(format!("{text}: {why}")),
        Failure::InvalidOutput(why) => Failure::InvalidOutput(format!("{text}: {why}")),
        other => other,
    }
}

#[cfg(test)]
mod tests;
