//! A cache backend in a component: each operation gets an instance of its own, as a batch does.
//!
//! After an operation that ended in a trap, the next one is tried all the same: whether that is worth the time is decided
//! by the service that uses the cache.

use std::{sync::Arc, time::Duration};

use jackfield_plugin_api::{BoxFuture, CacheCalls, CacheEntry, CacheSize, CacheValue, Failure, HostCalls, Result};
use wasmtime::Store;

use super::{
    bridge::Bridge,
    instance::{Guest, guest_failure, trapped},
    state::State,
    v0_1::{exports::jackfield::plugin::cache_backend, jackfield::plugin::types},
};

/// The answer of a guest's function, or the error that ended the guest.
type Answered<'s, T> = BoxFuture<'s, wasmtime::Result<std::result::Result<T, types::Failure>>>;

impl Guest {
    /// Does one operation with an instance of its own.
    async fn operate<T: Send>(
        &self,
        host: &dyn HostCalls,
        operation: impl for<'s> FnOnce(&'s cache_backend::Guest, &'s mut Store<State>) -> Answered<'s, T> + Send,
    ) -> Result<T> {
        let bridge = Arc::<Bridge>::default();
        let work = async {
            let (mut store, plugin) = self.new_instance(&bridge).await?;
            let Some(cache) = &plugin.cache else {
                return Err(Failure::Internal("it exports no `cache-backend`".to_owned()));
            };
            let answered = operation(cache, &mut store).await;
            let answer = answered.map_err(|error| trapped(&error, &store, self.limits_and_owner()))?;
            Ok(answer.map_err(|failure| guest_failure(failure, store.data())))
        };
        self.hosted(host, &bridge, work).await?
    }
}

impl CacheCalls for Guest {
    fn get<'a>(&'a self, key: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        let key = key.to_owned();
        Box::pin(async move {
            let found = self
                .operate(host, move |cache, store| Box::pin(async move { cache.call_get(store, &key).await }))
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
        Box::pin(self.operate(host, move |cache, store| {
            Box::pin(async move { cache.call_put(store, &key, &value, ttl.map(milliseconds)).await })
        }))
    }

    fn remove<'a>(&'a self, key: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<()>> {
        let key = key.to_owned();
        Box::pin(self.operate(host, move |cache, store| Box::pin(async move { cache.call_remove(store, &key).await })))
    }

    fn clear<'a>(&'a self, prefix: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<u64>> {
        let prefix = prefix.to_owned();
        Box::pin(
            self.operate(host, move |cache, store| Box::pin(async move { cache.call_clear(store, &prefix).await })),
        )
    }

    fn size<'a>(&'a self, prefix: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<CacheSize>> {
        let prefix = prefix.to_owned();
        Box::pin(async move {
            let size = self
                .operate(host, move |cache, store| Box::pin(async move { cache.call_size(store, &prefix).await }))
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
                .operate(host, move |cache, store| {
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
