//! Vectors kept in a stage's cache (`store`), so that a text is embedded once for every stage and run that asks for it.

use jackfield_plugin_api::prelude::*;
use sha2::{Digest, Sha256};

use super::Embedder;
use crate::vectors::Vectors;

/// One row per text, from the stage's cache where it is there. Texts that are not go through the embedder together, and are
/// kept. A stage without a cache finds and keeps nothing.
///
/// # Errors
/// As those of [`Embedder::embed`], and whatever the cache fails with.
pub async fn embed_cached(embedder: &Embedder, texts: &[&str], hosts: &[&Host<'_>]) -> Result<Vectors> {
    let mut rows: Vec<Option<Vec<f32>>> = vec![None; texts.len()];
    let mut keys = Vec::with_capacity(texts.len());
    for ((text, host), row) in texts.iter().zip(hosts).zip(&mut rows) {
        let key = key(embedder.identity(), text);
        match host.cache_get(&key).await {
            Ok(value) => *row = value.and_then(|bytes| from_bytes(&bytes, Some(embedder.dimensions()))),
            Err(Failure::InvalidConfig(_)) => return embedder.embed(texts),
            Err(failure) => return Err(failure),
        }
        keys.push(key);
    }
    let missing: Vec<usize> = (0..texts.len()).filter(|&index| rows[index].is_none()).collect();
    let missing_texts: Vec<&str> = missing.iter().map(|&index| texts[index]).collect();
    let embedded = embedder.embed(&missing_texts)?;
    for (row, &index) in missing.iter().enumerate() {
        let vector = embedded.row(row);
        if let (Some(host), Some(key)) = (hosts.get(index), keys.get(index)) {
            host.cache_put(key, to_bytes(vector), None).await?;
        }
        rows[index] = Some(vector.to_vec());
    }
    let mut vectors = Vectors::new(embedder.dimensions());
    for row in &rows {
        vectors.push(row.as_deref().unwrap_or_default());
    }
    Ok(vectors)
}

/// All that a vector depends on: what made it, and the text.
pub(super) fn key(identity: &[u8], text: &str) -> String {
    let digest = Sha256::new().chain_update(identity).chain_update(text).finalize();
    format!("vector-{digest:x}")
}

/// What the bytes of a vector begin with of which only its length and the elements that are not 0 are kept: no number that a
/// vector may have.
const SPARSE: [u8; 4] = [0xff; 4];

/// A vector that claims to be longer is none.
const MOST_DIMENSIONS: usize = 1 << 20;

/// The bytes of a vector: its elements; or, where that is shorter, those that are not 0, each behind its dimension.
pub(super) fn to_bytes(vector: &[f32]) -> Vec<u8> {
    let elements = || vector.iter().enumerate().filter(|(_, value)| **value != 0.0);
    if 8 + 8 * elements().count() < 4 * vector.len() {
        let pairs = elements().flat_map(|(at, value)| [(at as u32).to_le_bytes(), value.to_le_bytes()]);
        return [SPARSE, (vector.len() as u32).to_le_bytes()].into_iter().chain(pairs).flatten().collect();
    }
    vector.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The vector, if these are the bytes of one of this length, where that is known.
pub(super) fn from_bytes(bytes: &[u8], dimensions: Option<usize>) -> Option<Vec<f32>> {
    let (values, rest) = bytes.as_chunks::<4>();
    if let [SPARSE, length, elements @ ..] = values {
        let length = u32::from_le_bytes(*length) as usize;
        if !(1..=MOST_DIMENSIONS).contains(&length) || dimensions.is_some_and(|dimensions| dimensions != length) {
            return None;
        }
        let (elements, unpaired) = elements.as_chunks::<2>();
        let mut vector = vec![0f32; length];
        for [at, value] in elements {
            *vector.get_mut(u32::from_le_bytes(*at) as usize)? =
                Some(f32::from_le_bytes(*value)).filter(|x| x.is_finite())?;
        }
        return (rest.is_empty() && unpaired.is_empty()).then_some(vector);
    }
    let vector: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
    let length = dimensions.map_or(!vector.is_empty(), |dimensions| vector.len() == dimensions);
    (rest.is_empty() && length && vector.iter().all(|value| value.is_finite())).then_some(vector)
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering::Relaxed},
        task::{Context as TaskContext, Poll, Waker},
        time::Duration,
    };

    use jackfield_plugin_api::{
        BoxFuture, CacheValue, HostCalls, Level,
        testing::{FakeHost, test_context},
    };

    use super::*;
    use crate::embed::EmbedderConfig;

    /// A host that counts the values put into its cache.
    struct CountingHost(FakeHost, AtomicUsize);

    impl CountingHost {
        fn new() -> Self {
            Self(FakeHost::default().with_cache(), AtomicUsize::new(0))
        }

        fn put_count(&self) -> usize {
            self.1.load(Relaxed)
        }
    }

    impl HostCalls for CountingHost {
        fn log(&self, level: Level, target: &str, message: &str) {
            self.0.log(level, target, message);
        }

        fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str) {
            self.0.progress(index, done, total, note);
        }

        fn cancelled(&self) -> bool {
            false
        }

        fn cache_get<'a>(&'a self, index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>>> {
            self.0.cache_get(index, key)
        }

        fn cache_put<'a>(
            &'a self,
            index: u32,
            key: &'a str,
            value: CacheValue,
            ttl: Option<Duration>,
        ) -> BoxFuture<'a, Result<()>> {
            self.1.fetch_add(1, Relaxed);
            self.0.cache_put(index, key, value, ttl)
        }
    }

    fn done<T>(work: impl Future<Output = T>) -> T {
        match pin!(work).poll(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(done) => done,
            Poll::Pending => panic!("nothing to wait for"),
        }
    }

    fn embedded(calls: &dyn HostCalls, embedder: &Embedder, texts: &[&str]) -> Vectors {
        let context = test_context();
        let hosts: Vec<Host<'_>> = (0..texts.len()).map(|at| Host::new(calls, &context, at as u32)).collect();
        done(embed_cached(embedder, texts, &hosts.iter().collect::<Vec<_>>())).unwrap()
    }

    #[test]
    fn a_text_is_embedded_once_and_is_the_same_from_the_cache() {
        let embedder = Embedder::open(&EmbedderConfig::default(), ["owls hunt", "foxes sleep"]).unwrap();
        let plain = embedder.embed(&["owls", "foxes", "bees"]).unwrap();
        let host = CountingHost::new();
        assert_eq!(embedded(&host, &embedder, &["owls", "foxes"]).row(1), plain.row(1));
        assert_eq!(embedded(&host, &embedder, &["owls", "foxes", "bees"]), plain);
        assert_eq!(host.put_count(), 3);
        // A value that is not a vector counts as absent.
        done(host.cache_put(0, &key(embedder.identity(), "owls"), b"???".as_slice().into(), None)).unwrap();
        assert_eq!(embedded(&host, &embedder, &["owls", "foxes", "bees"]), plain);
    }

    #[test]
    fn a_vector_that_is_mostly_zero_is_kept_short() {
        let mut vector = vec![0f32; 300];
        (vector[7], vector[299]) = (0.6, -0.8);
        let bytes = to_bytes(&vector);
        assert_eq!(bytes.len(), 8 + 2 * 8);
        assert_eq!(from_bytes(&bytes, Some(300)), Some(vector.clone()));
        assert_eq!(from_bytes(&bytes, None), Some(vector));
        assert_eq!(from_bytes(&bytes, Some(299)), None);
        assert_eq!(from_bytes(&bytes[..20], Some(300)), None);
        let full = [0.5f32, 0.0, -0.5];
        assert_eq!(from_bytes(&to_bytes(&full), Some(3)), Some(full.to_vec()));
    }

    #[test]
    fn embedders_that_learned_from_other_texts_share_nothing() {
        let host = CountingHost::new();
        for texts in [["owls hunt", "foxes sleep"], ["owls", "owls again"]] {
            let embedder = Embedder::open(&EmbedderConfig::default(), texts).unwrap();
            assert_eq!(embedded(&host, &embedder, &["owls sleep"]), embedder.embed(&["owls sleep"]).unwrap());
        }
        assert_eq!(host.put_count(), 2);
    }

    #[test]
    fn a_stage_without_a_cache_embeds_all_the_same() {
        let embedder = Embedder::open(&EmbedderConfig::default(), ["owls hunt"]).unwrap();
        assert_eq!(embedded(&FakeHost::default(), &embedder, &["owls"]), embedder.embed(&["owls"]).unwrap());
    }
}
