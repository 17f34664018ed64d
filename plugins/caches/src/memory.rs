//! The cache backend `memory`.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield_plugin_api::prelude::*;
use moka::{Expiry, policy::EvictionPolicy, sync::Cache};

use crate::{lifetime::Lifetime, state::State};

/// Weights are 32 bits.
const LARGEST: u64 = u32::MAX as u64;

/// Keeps values in the memory of this process, the most recently used ones.
///
/// An entry takes its share of both limits, and counts by the larger share: a cache of 2,048 entries and 256 MiB holds
/// 2,048 entries of up to 128 KiB, or 100 of 2.5 MiB. Entries are dropped soon after a limit is passed, not at that very
/// moment: for some milliseconds there may be 64 entries, or an eighth of `max_bytes`, too many.
#[derive(Debug, Config)]
pub struct Memory {
    /// Most entries that are kept. At least 1.
    #[config(default = 2048)]
    #[schemars(range(min = 1))]
    pub max_entries: u64,
    /// Most bytes of keys and values that are kept, rounded down to a multiple of `max_entries`. At least 1. A value that is larger than this, or than 4 GiB, is not
    /// kept.
    #[config(default = 256 << 20)]
    #[schemars(range(min = 1))]
    pub max_bytes: u64,
    #[serde(skip)]
    state: State<EntryStore>,
}

#[derive(Clone, Debug)]
struct Entry {
    value: CacheValue,
    expires: Option<Instant>,
}

#[derive(Debug)]
struct EntryStore {
    cache: Cache<Arc<str>, Entry>,
    scale: Scale,
}

/// What an entry weighs: its bytes, and `floor` at least, so that `max_entries` of them are the capacity.
#[derive(Clone, Copy, Debug)]
struct Scale {
    floor: u64,
    capacity: u64,
}

impl Scale {
    fn new(max_entries: u64, max_bytes: u64) -> Self {
        let floor = (max_bytes / max_entries).clamp(1, LARGEST);
        Self { floor, capacity: floor.saturating_mul(max_entries).min(max_bytes) }
    }

    fn bytes(key: &str, value: &CacheValue) -> u64 {
        (key.len() + value.len()) as u64
    }

    fn takes(&self, bytes: u64) -> bool {
        bytes <= self.capacity.min(LARGEST)
    }

    fn weight(&self, key: &str, value: &CacheValue) -> u32 {
        u32::try_from(Self::bytes(key, value).max(self.floor)).unwrap_or(u32::MAX)
    }
}

/// Tells moka what each entry says of itself.
struct OwnExpiry;

impl OwnExpiry {
    fn left(entry: &Entry, now: Instant) -> Option<Duration> {
        entry.expires.map(|at| at.saturating_duration_since(now))
    }
}

impl Expiry<Arc<str>, Entry> for OwnExpiry {
    fn expire_after_create(&self, _: &Arc<str>, entry: &Entry, now: Instant) -> Option<Duration> {
        Self::left(entry, now)
    }

    fn expire_after_update(&self, _: &Arc<str>, entry: &Entry, now: Instant, _: Option<Duration>) -> Option<Duration> {
        Self::left(entry, now)
    }
}

impl EntryStore {
    fn new(max_entries: u64, max_bytes: u64) -> Self {
        let scale = Scale::new(max_entries, max_bytes);
        let cache = Cache::builder()
            .name("jackfield-memory")
            .max_capacity(scale.capacity)
            .weigher(move |key: &Arc<str>, entry: &Entry| scale.weight(key, &entry.value))
            // The default policy may reject a new value in favour of an old one; here, what was just put is there.
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(OwnExpiry)
            .build();
        Self { cache, scale }
    }

    fn put(&self, key: &str, value: CacheValue, ttl: Option<Duration>) {
        let bytes = Scale::bytes(key, &value);
        let expires = match Lifetime::of(ttl) {
            Lifetime::UntilEvicted => None,
            Lifetime::Millis(millis) => Some(Instant::now() + Duration::from_millis(millis)),
            Lifetime::Expired => return self.cache.invalidate(key),
        };
        if !self.scale.takes(bytes) {
            tracing::debug!(key, bytes, limit = self.scale.capacity, "too large for the cache in memory");
            return self.cache.invalidate(key);
        }
        self.cache.insert(key.into(), Entry { value, expires });
        // Up to 64 puts wait for moka's housekeeping: too many where a few of them fill the cache.
        if bytes.max(self.scale.floor) > self.scale.capacity / 512 {
            self.cache.run_pending_tasks();
        }
    }

    /// Values under the prefix that have not expired.
    fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (Arc<Arc<str>>, Entry)> {
        let now = Instant::now();
        self.cache.iter().filter(move |(key, entry)| key.starts_with(prefix) && entry.expires.is_none_or(|at| now < at))
    }

    fn clear(&self, prefix: &str) -> u64 {
        // What came in time after time may still be in moka's queues; an iteration sees it all the same.
        let cleared = self.with_prefix(prefix).map(|(key, _)| self.cache.invalidate(&**key)).count() as u64;
        self.cache.run_pending_tasks();
        cleared
    }

    fn size(&self, prefix: &str) -> CacheSize {
        self.with_prefix(prefix).fold(CacheSize::default(), |size, (key, entry)| CacheSize {
            entries: size.entries + 1,
            bytes: size.bytes + Scale::bytes(&key, &entry.value),
        })
    }

    fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<CacheEntry> {
        let mut first = BTreeMap::new();
        for (key, entry) in self.with_prefix(prefix) {
            if after.is_none_or(|after| &**key > after) {
                first.insert(Arc::clone(&key), entry);
                if first.len() > limit {
                    first.pop_last();
                }
            }
        }
        let now = Instant::now();
        let listed = |(key, entry): (Arc<Arc<str>>, Entry)| CacheEntry {
            key: key.to_string(),
            ttl: entry.expires.map(|at| at.saturating_duration_since(now)),
            value: entry.value,
        };
        first.into_iter().map(listed).collect()
    }
}

impl CacheBackend for Memory {
    const NAME: &str = "memory";

    fn open(mut self) -> Result<Self> {
        if self.max_entries == 0 || self.max_bytes == 0 {
            return Err(Failure::InvalidConfig("`max_entries` and `max_bytes` are at least 1".to_owned()));
        }
        self.state = State::open(EntryStore::new(self.max_entries, self.max_bytes));
        Ok(self)
    }

    async fn get(&self, key: &str, _: &Host<'_>) -> Result<Option<CacheValue>> {
        Ok(self.state.get()?.cache.get(key).map(|entry| entry.value))
    }

    async fn put(&self, key: &str, value: CacheValue, ttl: Option<Duration>, _: &Host<'_>) -> Result<()> {
        self.state.get()?.put(key, value, ttl);
        Ok(())
    }

    async fn remove(&self, key: &str, _: &Host<'_>) -> Result<()> {
        self.state.get()?.cache.invalidate(key);
        Ok(())
    }

    async fn clear(&self, prefix: &str, _: &Host<'_>) -> Result<u64> {
        Ok(self.state.get()?.clear(prefix))
    }

    async fn size(&self, prefix: &str, _: &Host<'_>) -> Result<CacheSize> {
        Ok(self.state.get()?.size(prefix))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize, _: &Host<'_>) -> Result<Vec<CacheEntry>> {
        Ok(self.state.get()?.list(prefix, after, limit))
    }

    fn is_durable(&self) -> bool {
        false
    }
}
