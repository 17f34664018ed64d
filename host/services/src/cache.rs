//! A named cache: tiers, the fastest first. What one tier has, the faster ones get too.
//!
//! Caches may share a file or a server, so every key that a backend sees begins with the name of its cache.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jackfield_plugin_api::{CacheEntry, CacheSize, CacheValue, Failure, Result};
use jackfield_store::TierCount;

use super::{
    cache_value::{Stored, expiry, pack, time_left, unpack},
    http::Http,
    tier::{Purpose, Tier, TierParts},
};

/// A named cache. A tier that is unreachable is passed over: the first time with a warning.
pub struct Cache {
    name: String,
    /// What every key begins with, in a backend: the name and a `/`, which is in no name.
    prefix: String,
    tiers: Vec<Tier>,
    /// Whether nothing is put anywhere.
    keeps_nothing: AtomicBool,
}

impl Cache {
    /// A cache of these tiers. None if the extension of one is not a cache backend.
    #[must_use]
    pub fn new(cache: &str, tiers: Vec<TierParts>, http: &Arc<Http>) -> Option<Self> {
        let tiers = tiers.into_iter().map(|parts| Tier::new(cache, parts, http));
        Some(Self {
            name: cache.to_owned(),
            prefix: format!("{cache}/"),
            tiers: tiers.collect::<Option<_>>()?,
            keeps_nothing: AtomicBool::new(false),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// From now on, it answers with what it has, and nothing is put there.
    pub fn keep_nothing(&self) {
        self.keeps_nothing.store(true, Ordering::Relaxed);
    }

    /// A key, or the beginning of some, as a backend sees it.
    fn full_key(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }

    /// The value under a key, and the tier that had it. Faster tiers get it too.
    pub async fn get(&self, key: &str) -> Option<(CacheValue, &str)> {
        let key = self.full_key(key);
        for (index, tier) in self.tiers.iter().enumerate() {
            let wanted = key.clone();
            let get = tier.operate_timed(Purpose::Read, move |cache, host| {
                Box::pin(async move { cache.get(&wanted, host).await })
            });
            let began = Instant::now();
            let answer = get.await;
            let Some(stored) = self.count_answer(tier, Purpose::Read, began, answer).flatten() else { continue };
            let (expires, value) = match unpack(&key, &stored) {
                Stored::Value(expires, value) => (expires, value),
                other => {
                    let counter = if other == Stored::Damaged { &tier.errors } else { &tier.misses };
                    counter.fetch_add(1, Ordering::Relaxed);
                    self.warn_of_value(tier, &other);
                    continue;
                }
            };
            tier.hits.fetch_add(1, Ordering::Relaxed);
            for faster in &self.tiers[..index] {
                let expires = expires.min(expiry(faster.ttl));
                self.put_in_tier(faster, &key, pack(&key, expires, &value), time_left(expires)).await;
            }
            return Some((value, &tier.name));
        }
        None
    }

    /// Keeps a value in every tier, for as long as the tier says, or for `ttl` if that is shorter.
    pub async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) {
        let key = self.full_key(key);
        for tier in &self.tiers {
            let ttl = match (tier.ttl, ttl) {
                (Some(tier), Some(ttl)) => Some(tier.min(ttl)),
                (tier, ttl) => tier.or(ttl),
            };
            self.put_in_tier(tier, &key, pack(&key, expiry(ttl), value), ttl).await;
        }
    }

    /// Puts a stored value into a tier.
    async fn put_in_tier(&self, tier: &Tier, key: &str, stored: CacheValue, ttl: Option<Duration>) {
        if self.keeps_nothing.load(Ordering::Relaxed) {
            return;
        }
        let key = key.to_owned();
        let put = tier.operate_timed(Purpose::Write, move |cache, host| {
            Box::pin(async move { cache.put(&key, stored, ttl, host).await })
        });
        let began = Instant::now();
        let answer = put.await;
        self.count_answer(tier, Purpose::Write, began, answer.map(Some));
    }

    /// Forgets every value whose key begins so, and says for each tier how many there were.
    pub async fn clear(&self, prefix: &str) -> Vec<(&str, Result<u64>)> {
        let mut cleared = Vec::new();
        for tier in &self.tiers {
            let prefix = self.full_key(prefix);
            let clear = tier
                .operate(Purpose::Read, move |cache, host| Box::pin(async move { cache.clear(&prefix, host).await }));
            let answer = clear.await;
            cleared.push((tier.name.as_str(), answer));
        }
        cleared
    }

    /// What each tier holds under keys that begin so.
    pub async fn size(&self, prefix: &str) -> Vec<(&str, Result<CacheSize>)> {
        let mut sizes = Vec::new();
        for tier in &self.tiers {
            let prefix = self.full_key(prefix);
            let size = tier
                .operate(Purpose::Read, move |cache, host| Box::pin(async move { cache.size(&prefix, host).await }));
            let answer = size.await;
            sizes.push((tier.name.as_str(), answer));
        }
        sizes
    }

    /// A page of the values of the slowest tier, which has what the others have. An empty one is the last.
    ///
    /// # Errors
    /// If the tier is unreachable, or lists what was not asked for.
    pub async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<CacheEntry>> {
        let Some(tier) = self.tiers.last() else { return Ok(Vec::new()) };
        let (prefix, after) = (self.full_key(prefix), after.map(|after| self.full_key(after)));
        let (beginning, before) = (prefix.clone(), after.clone());
        let list = tier.operate(Purpose::Read, move |cache, host| {
            Box::pin(async move { cache.list(&prefix, after.as_deref(), limit, host).await })
        });
        let page = list.await?;
        // A page that leads back would be read for ever.
        let mut last = before.as_deref();
        for entry in &page {
            if !entry.key.starts_with(&beginning) || last.is_some_and(|last| *entry.key <= *last) {
                let what = "it lists a key that was not asked for, or not in order";
                return Err(Failure::InvalidOutput(what.to_owned()));
            }
            last = Some(&entry.key);
        }
        // A value that this host did not write, or that has expired, still counts for the page: it is given as it is.
        Ok(page
            .into_iter()
            .map(|CacheEntry { key, ttl, value }| {
                let value = match unpack(&key, &value) {
                    Stored::Value(_, inner) => inner,
                    _ => value,
                };
                let key = key.strip_prefix(&self.prefix).map_or(key.clone(), str::to_owned);
                CacheEntry { key, ttl, value }
            })
            .collect())
    }

    /// Whether some tier outlives the process.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.tiers.iter().any(Tier::is_durable)
    }

    /// How often each tier was asked.
    #[must_use]
    pub fn counts(&self) -> Vec<TierCount> {
        self.tiers.iter().map(Tier::count).collect()
    }

    /// Warns of the first value of a tier that is not what was put there. Its content is made again, and replaces it.
    fn warn_of_value(&self, tier: &Tier, found: &Stored) {
        let what = match found {
            Stored::Value(..) | Stored::Expired => return,
            Stored::Damaged => "a value is damaged: it is made again, as are others like it".to_owned(),
            Stored::Newer(format) => {
                format!("a value was written by a newer jackfield (format {format}): it counts as missing")
            }
        };
        if !tier.has_warned_of_value.swap(true, Ordering::Relaxed) {
            tracing::warn!(cache = self.name, tier = tier.name, "{what}");
        }
    }

    /// Counts a miss or an error of a tier, and warns of the first error.
    fn count_answer<T>(
        &self,
        tier: &Tier,
        purpose: Purpose,
        began: Instant,
        answer: Result<Option<T>>,
    ) -> Option<Option<T>> {
        let needs_warning = tier.needs_warning(purpose, began, answer.is_ok());
        if needs_warning && answer.is_ok() {
            tracing::warn!(cache = self.name, tier = tier.name, "the cache answers again");
        }
        match answer {
            Ok(Some(value)) => Some(Some(value)),
            Ok(None) => {
                tier.misses.fetch_add(1, Ordering::Relaxed);
                Some(None)
            }
            Err(failure) => {
                tier.errors.fetch_add(1, Ordering::Relaxed);
                if needs_warning {
                    tracing::warn!(cache = self.name, tier = tier.name, "the cache is passed over: {failure}");
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use jackfield_plugin_api::{BoxFuture, CacheCalls, Document, HostCalls, Instance, Request};

    use super::*;
    use jackfield_loader::{Linkage, sandbox::Limits};

    /// A backend that two caches share, as they would a file.
    #[derive(Default)]
    struct Shared(Mutex<BTreeMap<String, CacheValue>>);

    struct Handle(Arc<Shared>);

    impl Handle {
        fn map(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, CacheValue>> {
            self.0.0.lock().expect("no panic while it is held")
        }
    }

    impl Instance for Handle {
        fn call<'a>(&'a self, _batch: &'a [Request], _host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
            Box::pin(async { Vec::new() })
        }

        fn as_cache(&self) -> Option<&dyn CacheCalls> {
            Some(self)
        }
    }

    impl CacheCalls for Handle {
        fn get<'a>(&'a self, key: &'a str, _: &'a dyn HostCalls) -> BoxFuture<'a, Result<Option<CacheValue>>> {
            Box::pin(async move { Ok(self.map().get(key).cloned()) })
        }

        fn put<'a>(
            &'a self,
            key: &'a str,
            value: CacheValue,
            _: Option<Duration>,
            _: &'a dyn HostCalls,
        ) -> BoxFuture<'a, Result<()>> {
            Box::pin(async move {
                self.map().insert(key.to_owned(), value);
                Ok(())
            })
        }

        fn remove<'a>(&'a self, key: &'a str, _: &'a dyn HostCalls) -> BoxFuture<'a, Result<()>> {
            Box::pin(async move {
                self.map().remove(key);
                Ok(())
            })
        }

        fn clear<'a>(&'a self, prefix: &'a str, _: &'a dyn HostCalls) -> BoxFuture<'a, Result<u64>> {
            Box::pin(async move {
                let mut map = self.map();
                let before = map.len();
                map.retain(|key, _| !key.starts_with(prefix));
                Ok((before - map.len()) as u64)
            })
        }

        fn size<'a>(&'a self, prefix: &'a str, _: &'a dyn HostCalls) -> BoxFuture<'a, Result<CacheSize>> {
            Box::pin(async move {
                let entries = self.map().keys().filter(|key| key.starts_with(prefix)).count() as u64;
                Ok(CacheSize { entries, bytes: 0 })
            })
        }

        fn list<'a>(
            &'a self,
            prefix: &'a str,
            after: Option<&'a str>,
            limit: usize,
            _: &'a dyn HostCalls,
        ) -> BoxFuture<'a, Result<Vec<CacheEntry>>> {
            Box::pin(async move {
                let map = self.map();
                let wanted = map
                    .iter()
                    .filter(|(key, _)| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after));
                let entry = |(key, value): (&String, &CacheValue)| CacheEntry {
                    key: key.clone(),
                    value: Arc::clone(value),
                    ttl: None,
                };
                Ok(wanted.take(limit).map(entry).collect())
            })
        }

        fn is_durable(&self) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn caches_that_share_a_backend_keep_apart() {
        let shared = Arc::new(Shared::default());
        let cache = |name: &str| {
            let instance: Arc<dyn Instance> = Arc::new(Handle(Arc::clone(&shared)));
            let tier = TierParts {
                name: "shared".to_owned(),
                linkage: Linkage::LinkedIn,
                instance,
                grants: Arc::default(),
                ttl: None,
                limits: Limits::of_cache(),
            };
            Cache::new(name, vec![tier], &Arc::default()).expect("a cache backend")
        };
        // The name of one is the beginning of another's, and of its keys.
        let (a, ab, nested) = (cache("a"), cache("ab"), cache("b"));
        a.put("b/x", b"1", None).await;
        a.put("y", b"2", None).await;
        ab.put("y", b"3", None).await;
        nested.put("x", b"4", None).await;
        assert_eq!(a.get("y").await.expect("a value").0[..], *b"2");
        assert_eq!(ab.get("y").await.expect("a value").0[..], *b"3");
        assert!(nested.get("y").await.is_none());
        let page = a.list("", None, 1).await.expect("a page");
        assert_eq!((page[0].key.as_str(), &page[0].value[..]), ("b/x", &b"1"[..]));
        assert_eq!(a.list("", Some("b/x"), 9).await.expect("a page")[0].key, "y");
        assert_eq!(a.size("").await[0].1.as_ref().expect("a size").entries, 2);
        assert_eq!(a.clear("").await[0].1, Ok(2));
        assert!(a.get("y").await.is_none());
        assert_eq!(ab.size("").await[0].1.as_ref().expect("a size").entries, 1);
        assert_eq!(nested.get("x").await.expect("a value").0[..], *b"4");
    }
}
