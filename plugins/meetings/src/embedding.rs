//! Vectors that the stage's model answers with.

use futures::future::join_all;
use jackfield_plugin_api::prelude::*;

/// Texts that the model is asked about at once.
const BATCH: usize = 64;

/// The vector of each text by the stage's model, all of one length.
///
/// # Errors
/// [`Failure::InvalidOutput`] if the model answers with something else than vectors of one length, and whatever the model
/// fails with.
pub(crate) async fn embed(texts: &[String], host: &Host<'_>) -> Result<Vec<Vec<f32>>> {
    let mut vectors: Vec<Vec<f32>> = Vec::with_capacity(texts.len());
    for texts in texts.chunks(BATCH) {
        if host.cancelled() {
            return Err(Failure::Cancelled("the vectors are no longer wanted".to_owned()));
        }
        for vector in join_all(texts.iter().map(|text| host.embed(text))).await {
            let vector = vector?;
            if let Some(first) = vectors.first().filter(|first| first.len() != vector.len()) {
                let (length, before) = (vector.len(), first.len());
                let differing =
                    format!("the model answered with a vector of {length} elements, and with one of {before} before");
                return Err(Failure::InvalidOutput(differing));
            }
            vectors.push(vector);
        }
    }
    Ok(vectors)
}
