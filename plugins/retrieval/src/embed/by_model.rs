//! Vectors that the stage's model answers with.

use futures::future::join_all;
use jackfield_plugin_api::prelude::*;

use super::cached;
use crate::vectors::normalize;

/// Part of the key under which a vector is cached. The model is not part of it: stages with different models share nothing.
const IDENTITY: &[u8] = b"model 1";
/// Texts that the model is asked about at once: beyond it, a model gains nothing.
const BATCH: usize = 256;

/// The vector of each text, of length 1: from the stage's cache where it is there, else from the stage's model
/// (`model = "name"`), which is asked about many texts at once. What fails for one text fails for that alone. `hosts` are
/// parallel to the texts, and `dimensions` is the number of elements that a vector has to have, where it is known.
///
/// Each may fail with [`Failure::InvalidOutput`], if the model answers with something else than such a vector, and with
/// whatever the model or the cache fails with.
pub async fn embed_by_model(texts: &[&str], hosts: &[&Host<'_>], dimensions: Option<usize>) -> Vec<Result<Vec<f32>>> {
    let mut vectors = Vec::with_capacity(texts.len());
    for (texts, hosts) in texts.chunks(BATCH).zip(hosts.chunks(BATCH)) {
        vectors.extend(join_all(texts.iter().zip(hosts).map(|(text, host)| embed(text, host, dimensions))).await);
    }
    vectors
}

/// The vector of one text, kept or asked for.
async fn embed(text: &str, host: &Host<'_>, dimensions: Option<usize>) -> Result<Vec<f32>> {
    if host.cancelled() {
        return Err(Failure::Cancelled("the vector is no longer wanted".to_owned()));
    }
    let key = cached::key(IDENTITY, text);
    let has_cache = match host.cache_get(&key).await {
        Ok(value) => match value.and_then(|bytes| cached::from_bytes(&bytes, dimensions)) {
            Some(vector) => return Ok(vector),
            None => true,
        },
        Err(Failure::InvalidConfig(_)) => false,
        Err(failure) => return Err(failure),
    };
    let mut vector = host.embed(text).await?;
    normalize(&mut vector);
    if let Some(dimensions) = dimensions.filter(|dimensions| *dimensions != vector.len()) {
        return Err(other_length(vector.len(), dimensions));
    }
    if has_cache {
        host.cache_put(&key, cached::to_bytes(&vector), None).await?;
    }
    Ok(vector)
}

/// The failure of a model whose vectors differ in length.
pub(crate) fn other_length(length: usize, before: usize) -> Failure {
    Failure::InvalidOutput(format!(
        "the model answered with a vector of {length} elements, and with one of {before} before"
    ))
}
