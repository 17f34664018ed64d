//! A named cache: tiers, the fastest first.
//!
//! Caches may share a file or a server, so every key that a backend sees begins with the name of its cache.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jackfield_plugin_api::{CacheCalls, CacheEntry, CacheSize, CacheValue, Instance, Result};
use serde::{Deserialize, Serialize};

use super::{
    cache_value::{Stored, expiry, left, pack, unpack},
    http::Http,
    plugin_host::ServiceHost,
};
use crate::{
    plugin::sandbox::{Grants, Limits},
    telemetry::Wait,
};

/// What a tier is made of.
pub struct TierParts {
    /// Name of the extension.
    pub name: String,
    /// The opened backend.
    pub instance: Arc<dyn Instance>,
    /// What it may do.
    pub grants: Arc<Grants>,
    /// How long it keeps values.
    pub ttl: Option<Duration>,
}

/// A tier.
struct Tier {
    name: String,
    /// Holds a cache backend: whoever opens it makes sure of that.
    instance: Arc<dyn Instance>,
    grants: Arc<Grants>,
    http: Arc<Http>,
    ttl: Option<Duration>,
    hits: AtomicU64,
    misses: AtomicU64,
    errors: AtomicU64,
    warned: AtomicBool,
    wait: Arc<Wait>,
    /// Whether it was said that what it holds is damaged.
    mistrusted: AtomicBool,
}

/// How often a tier was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierCount {
    /// The extension.
    pub tier: String,
    /// Found.
    pub hits: u64,
    /// Not found.
    pub misses: u64,
    /// Away, or broken.
    pub errors: u64,
}

/// A named cache. A tier that is away is passed over: the first time with a warning.
pub struct Cache {
    name: String,
    /// What every key begins with, in a backend: the name and a `/`, which is in no name.
    prefix: String,
    tiers: Vec<Tier>,
}

impl Cache {
    /// A cache of these tiers. None if one is no cache backend.
    #[must_use]
    pub fn new(cache: &str, tiers: Vec<TierParts>, http: &Arc<Http>) -> Option<Self> {
        let tiers = tiers.into_iter().map(|TierParts { name, instance, grants, ttl }| {
            instance.as_cache()?;
            let http = Arc::clone(http);
            let (hits, misses, errors) = Default::default();
            let wait = Wait::new(format!("`{name}` of cache `{cache}`"));
            let (warned, mistrusted) = Default::default();
            Some(Tier { name, instance, grants, http, ttl, hits, misses, errors, warned, mistrusted, wait })
        });
        Some(Self { name: cache.to_owned(), prefix: format!("{cache}/"), tiers: tiers.collect::<Option<_>>()? })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A key, or the beginning of some, as a backend sees it.
    fn full(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }

    /// The value under a key, and the tier that had it. Faster tiers get it too.
    pub async fn get(&self, key: &str) -> Option<(CacheValue, &str)> {
        let key = &self.full(key);
        for (place, tier) in self.tiers.iter().enumerate() {
            let Some(stored) =
                self.noted(tier, tier.waited(tier.backend().get(key, &tier.host(&self.name))).await).flatten()
            else {
                continue;
            };
            let (expires, value) = match unpack(key, &stored) {
                Stored::Value(expires, value) => (expires, value),
                other => {
                    tier.misses.fetch_add(1, Ordering::Relaxed);
                    self.mistrust(tier, &other);
                    continue;
                }
            };
            tier.hits.fetch_add(1, Ordering::Relaxed);
            for faster in &self.tiers[..place] {
                let expires = expires.min(expiry(faster.ttl));
                let put = faster
                    .waited(faster.backend().put(
                        key,
                        pack(key, expires, &value),
                        left(expires),
                        &faster.host(&self.name),
                    ))
                    .await;
                self.noted(faster, put.map(Some));
            }
            return Some((value, &tier.name));
        }
        None
    }

    /// Keeps a value in every tier, for as long as the tier says, or for `ttl` if that is shorter.
    pub async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) {
        let key = &self.full(key);
        for tier in &self.tiers {
            let ttl = match (tier.ttl, ttl) {
                (Some(tier), Some(ttl)) => Some(tier.min(ttl)),
                (tier, ttl) => tier.or(ttl),
            };
            let put =
                tier.waited(tier.backend().put(key, pack(key, expiry(ttl), value), ttl, &tier.host(&self.name))).await;
            self.noted(tier, put.map(Some));
        }
    }

    /// Forgets every value whose key begins so, and says for each tier how many there were.
    pub async fn clear(&self, prefix: &str) -> Vec<(&str, Result<u64>)> {
        let mut cleared = Vec::new();
        for tier in &self.tiers {
            cleared.push((
                tier.name.as_str(),
                tier.waited(tier.backend().clear(&self.full(prefix), &tier.host(&self.name))).await,
            ));
        }
        cleared
    }

    /// What each tier holds under keys that begin so.
    pub async fn size(&self, prefix: &str) -> Vec<(&str, Result<CacheSize>)> {
        let mut sizes = Vec::new();
        for tier in &self.tiers {
            sizes.push((
                tier.name.as_str(),
                tier.waited(tier.backend().size(&self.full(prefix), &tier.host(&self.name))).await,
            ));
        }
        sizes
    }

    /// A page of the values of the slowest tier, which has what the others have.
    ///
    /// # Errors
    /// If the tier is away.
    pub async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<CacheEntry>> {
        let Some(tier) = self.tiers.last() else { return Ok(Vec::new()) };
        let after = after.map(|after| self.full(after));
        let page = tier
            .waited(tier.backend().list(&self.full(prefix), after.as_deref(), limit, &tier.host(&self.name)))
            .await?;
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
        self.tiers.iter().any(|tier| tier.backend().is_durable())
    }

    /// How often each tier was asked.
    #[must_use]
    pub fn counts(&self) -> Vec<TierCount> {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let tier = |tier: &Tier| TierCount {
            tier: tier.name.clone(),
            hits: count(&tier.hits),
            misses: count(&tier.misses),
            errors: count(&tier.errors),
        };
        self.tiers.iter().map(tier).collect()
    }

    /// Warns of the first value of a tier that is not what was put there. What it stood for is made again, and put over it.
    fn mistrust(&self, tier: &Tier, found: &Stored) {
        let what = match found {
            Stored::Value(..) | Stored::Expired => return,
            Stored::Damaged => "a value is damaged: it is made again, as are others like it".to_owned(),
            Stored::Newer(format) => {
                format!("a value was written by a newer jackfield (format {format}): it counts as missing")
            }
        };
        if !tier.mistrusted.swap(true, Ordering::Relaxed) {
            tracing::warn!(cache = self.name, tier = tier.name, "{what}");
        }
    }

    /// Counts a miss or an error of a tier, and warns of the first error.
    fn noted<T>(&self, tier: &Tier, answer: Result<Option<T>>) -> Option<Option<T>> {
        match answer {
            Ok(Some(value)) => {
                if tier.warned.swap(false, Ordering::Relaxed) {
                    tracing::warn!(cache = self.name, tier = tier.name, "the cache answers again");
                }
                Some(Some(value))
            }
            Ok(None) => {
                tier.misses.fetch_add(1, Ordering::Relaxed);
                Some(None)
            }
            Err(failure) => {
                tier.errors.fetch_add(1, Ordering::Relaxed);
                if !tier.warned.swap(true, Ordering::Relaxed) {
                    tracing::warn!(cache = self.name, tier = tier.name, "the cache is passed over: {failure}");
                }
                None
            }
        }
    }
}

impl Tier {
    /// The host, as its backend sees it.
    fn host<'a>(&'a self, cache: &'a str) -> ServiceHost<'a> {
        let most = Limits::default().output;
        ServiceHost { service: cache, grants: &self.grants, http: &self.http, most, tensors: None }
    }

    fn backend(&self) -> &dyn CacheCalls {
        self.instance.as_cache().unwrap_or_else(|| unreachable!("a cache is made of cache backends"))
    }

    /// Waits for the backend: if that takes long, it is told.
    async fn waited<T>(&self, answer: impl Future<Output = T>) -> T {
        let _waiting = self.wait.begin();
        answer.await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use jackfield_plugin_api::{BoxFuture, Document, HostCalls, Request};

    use super::*;

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
            let tier = TierParts { name: "shared".to_owned(), instance, grants: Arc::default(), ttl: None };
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
