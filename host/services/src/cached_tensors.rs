//! The tensors of what a cache keeps: a result, or a completion, that names some is kept with their bytes, so that another
//! run has them too.
//!
//! Their entries are `blob/<sha256>/<part>`, each part of at most 16 MiB.

use std::sync::Arc;

use jackfield_plugin_api::{TensorRef, to_hex};
use jackfield_store::{BlobKey, Blobs, Elements, HeldTensors, NamedTensor, digest_of, in_pieces, named_tensors};

use super::Cache;

/// The largest part, in bytes: a whole number of elements.
const PART_BYTES: u64 = 16 << 20;

fn part_name(key: &BlobKey, part: u64) -> String {
    format!("blob/{}/{part}", to_hex(key))
}

fn part_count(tensor: NamedTensor) -> u64 {
    tensor.bytes().div_ceil(PART_BYTES).max(1)
}

/// Keeps the tensors that a text names in a cache. False if one could not be read: then there is no point in keeping the
/// text.
pub async fn keep_tensors(cache: &Cache, blobs: &Blobs, json: &str) -> bool {
    let Ok(named) = named_tensors(json) else { return false };
    for tensor in distinct(named) {
        let elements = match blobs.open(tensor) {
            Ok(elements) => elements,
            Err(error) => {
                tracing::warn!(cache = cache.name(), "a result is not kept: {error}");
                return false;
            }
        };
        if is_kept(cache, tensor).await {
            continue;
        }
        let per_part = (PART_BYTES / 4) as usize;
        for part in 0..part_count(tensor) {
            let begin = (part as usize * per_part).min(elements.len());
            let elements = &elements[begin..(begin + per_part).min(elements.len())];
            let mut bytes = Vec::with_capacity(elements.len() * 4);
            let written = in_pieces(elements, |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            });
            written.expect("writing to memory does not fail");
            cache.put(&part_name(&tensor.key, part), &bytes, None).await;
        }
    }
    true
}

/// Whether a tensor's last part is there already, which is put last.
async fn is_kept(cache: &Cache, tensor: NamedTensor) -> bool {
    // Large parts would be read for nothing: they are written again.
    tensor.bytes() <= 64 << 10 && cache.get(&part_name(&tensor.key, 0)).await.is_some()
}

/// Makes sure that the run has the tensors which a kept text names, and holds them. False if one of them is gone or damaged:
/// then the text counts as missing, too.
pub async fn restore_tensors(cache: &Cache, held: &HeldTensors, json: &str) -> bool {
    let Ok(named) = named_tensors(json) else { return false };
    for tensor in distinct(named) {
        if !held.hold(tensor) && !restore(cache, held, tensor).await {
            return false;
        }
    }
    true
}

async fn restore(cache: &Cache, held: &HeldTensors, tensor: NamedTensor) -> bool {
    let mut elements: Vec<f32> = Vec::new();
    for part in 0..part_count(tensor) {
        let Some((bytes, _)) = cache.get(&part_name(&tensor.key, part)).await else { return false };
        elements.extend(bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])));
        // A backend that keeps parts of nothing would be asked for ever more of them.
        if elements.len() as u64 != ((part + 1) * (PART_BYTES / 4)).min(tensor.count) {
            return false;
        }
    }
    if elements.len() as u64 != tensor.count || digest_of(&elements) != tensor.key {
        return false;
    }
    // It is written under its digest; what refers to it has the shape.
    match held.put(&[tensor.count], Elements::Shared(Arc::from(elements))) {
        Ok(TensorRef { .. }) => true,
        Err(error) => {
            tracing::warn!(cache = cache.name(), "a result that was kept cannot be used: {error}");
            false
        }
    }
}

fn distinct(mut named: Vec<NamedTensor>) -> Vec<NamedTensor> {
    named.sort_by_key(|tensor| tensor.key);
    named.dedup();
    named
}
