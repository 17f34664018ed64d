//! A cache backend in a component: each operation gets an instance of its own, as a batch does.
//!
//! One that ends in a trap is asked again all the same: whoever has the cache knows when it is worth the time.

use std::{sync::Arc, time::Duration};

use jackfield_plugin_api::{BoxFuture, CacheCalls, CacheEntry, CacheSize, CacheValue, Failure, HostCalls, Result};
use wasmtime::Store;

use super::{
    instance::{Guest, said_itself, trapped},
    state::{Bridge, State},
    v0_1::{exports::jackfield::plugin::cache_backend, jackfield::plugin::types},
};

/// What a guest's function answers, unless the guest was ended.
type Answered<'s, T> = BoxFuture<'s, wasmtime::Result<std::result::Result<T, types::Failure>>>;

impl Guest {
    /// Operates on the cache.
    async fn operated<T: Send>(
        &self,
        host: &dyn HostCalls,
        operate: impl for<'s> FnOnce(&'s cache_backend::Guest, &'s mut Store<State>) -> Answered<'s, T> + Send,
    ) -> Result<T> {
        let bridge = Arc::<Bridge>::default();
        let work = async {
            let (mut store, plugin) = self.fresh(&bridge).await?;
            let Some(cache) = &plugin.cache else {
                return Err(Failure::Internal("it exports no `cache-backend`".to_owned()));
            };
            let answered = operate(cache, &mut store).await;
            let answer = answered.map_err(|error| trapped(&error, &store, self.whose()))?;
            Ok(answer.map_err(|failure| said_itself(failure, store.data())))
        };
        self.hosted(host, &bridge, work).await?
    }
}

impl CacheCalls for Guest {
    fn get<'a>(&'a self, key: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        let key = key.to_owned();
        Box::pin(async move {
            let found = self
                .operated(host, move |cache, store| Box::pin(async move { cache.call_get(store, &key).await }))
                .await?;
            Ok(found.map(Into::into))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: CacheValue,
        ttl: Option<Duration>,
        host: &'a dyn HostCalls,
    ) -> BoxFuture<'a, Result<()>> {
        let key = key.to_owned();
        Box::pin(self.operated(host, move |cache, store| {
            Box::pin(async move { cache.call_put(store, &key, &value, ttl.map(milliseconds)).await })
        }))
    }

    fn remove<'a>(&'a self, key: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<()>> {
        let key = key.to_owned();
        Box::pin(self.operated(host, move |cache, store| Box::pin(async move { cache.call_remove(store, &key).await })))
    }

    fn clear<'a>(&'a self, prefix: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<u64>> {
        let prefix = prefix.to_owned();
        Box::pin(
            self.operated(host, move |cache, store| Box::pin(async move { cache.call_clear(store, &prefix).await })),
        )
    }

    fn size<'a>(&'a self, prefix: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<CacheSize>> {
        let prefix = prefix.to_owned();
        Box::pin(async move {
            let size = self
                .operated(host, move |cache, store| Box::pin(async move { cache.call_size(store, &prefix).await }))
                .await?;
            Ok(CacheSize { entries: size.entries, bytes: size.bytes })
        })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
        host: &'a dyn HostCalls,
    ) -> BoxFuture<'a, Result<Vec<CacheEntry>>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        Box::pin(async move {
            let page = self
                .operated(host, move |cache, store| {
                    Box::pin(async move { cache.call_entries(store, &prefix, after.as_deref(), limit).await })
                })
                .await?;
            let entry = |entry: cache_backend::CacheEntry| CacheEntry {
                key: entry.key,
                value: entry.value.into(),
                ttl: entry.ttl_ms.map(Duration::from_millis),
            };
            Ok(page.into_iter().map(entry).collect())
        })
    }

    fn is_durable(&self) -> bool {
        self.is_durable
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
