//! The kind `cache-backend`.

use std::{
    future::Future,
    sync::{Arc, LazyLock},
    time::Duration,
};

use serde_json::{Map, Value};

use crate::{
    BoxFuture, CacheCalls, CacheEntry, CacheSize, CacheValue, Config, Context, Descriptor, Document, Example,
    Extension, Failure, Host, HostCalls, Instance, Kind, Permission, Request, Result, Stability,
    document::input_schema,
    extension::{Erased, config_of},
};

/// Keeps values for a while. Its methods are called from many threads at once.
///
/// A value that has expired is never given out. A backend that cannot be reached fails with `unavailable`: the host
/// then uses the next tier.
pub trait CacheBackend: Config {
    /// Lower-case words joined by hyphens, unique among cache backends.
    const NAME: &'static str;
    /// What the author promises.
    const STABILITY: Stability = Stability::Experimental;

    /// Prepares the backend once. It is not an error here that the store cannot be reached.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`](crate::Failure::InvalidConfig) if the configuration makes no sense;
    /// [`Failure::Unavailable`](crate::Failure::Unavailable) if, for example, there is no room: the host then works without the tier.
    fn open(self) -> Result<Self> {
        Ok(self)
    }

    /// The value under a key.
    fn get(&self, key: &str, host: &Host<'_>) -> impl Future<Output = Result<Option<CacheValue>>> + Send;

    /// Keeps a value, for `ttl` at the most, in place of the earlier value. A value that cannot be kept (because it is too
    /// large, or its time is over) removes the earlier value, and is not an error.
    fn put(
        &self,
        key: &str,
        value: CacheValue,
        ttl: Option<Duration>,
        host: &Host<'_>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Forgets a value.
    fn remove(&self, key: &str, host: &Host<'_>) -> impl Future<Output = Result<()>> + Send;

    /// Forgets every value whose key begins with `prefix`, and returns how many there were.
    fn clear(&self, prefix: &str, host: &Host<'_>) -> impl Future<Output = Result<u64>> + Send;

    /// How much is kept under keys that begin with `prefix`.
    fn size(&self, prefix: &str, host: &Host<'_>) -> impl Future<Output = Result<CacheSize>> + Send;

    /// The values whose keys begin with `prefix` and come after `after`, in order of their keys as bytes, at most `limit`.
    fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        host: &Host<'_>,
    ) -> impl Future<Output = Result<Vec<CacheEntry>>> + Send;

    /// Whether the values outlive the process.
    fn is_durable(&self) -> bool;

    /// Permissions asked for, with reasons.
    fn permissions() -> Vec<Permission> {
        Vec::new()
    }
}

/// The erased extension of a cache backend; called by `export_plugin!`.
#[doc(hidden)]
#[must_use]
pub fn extension_of_cache<C: CacheBackend>(version: &'static str) -> Arc<dyn Extension> {
    Erased::of(version, describe::<C>, |config| Ok(Arc::new(Opened(config_of::<C>(config)?.open()?))))
}

fn describe<C: CacheBackend>(version: &str) -> Descriptor {
    Descriptor {
        kind: Kind::CacheBackend,
        name: C::NAME.to_owned(),
        version: version.to_owned(),
        summary: C::SUMMARY.to_owned(),
        config: input_schema::<C>(),
        input: Value::Object(Map::new()),
        output: Value::Object(Map::new()),
        permissions: C::permissions(),
        examples: Vec::<Example>::new(),
        stability: C::STABILITY,
    }
}

struct Opened<C>(C);

impl<C: CacheBackend> Instance for Opened<C> {
    fn call<'a>(&'a self, batch: &'a [Request], _host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        let failure = Failure::InvalidInput("a cache backend is not called with documents".to_owned());
        Box::pin(async move { vec![Err(failure); batch.len()] })
    }

    fn as_cache(&self) -> Option<&dyn CacheCalls> {
        Some(self)
    }
}

/// The context of an operation of a cache, which belongs to no document of a run.
static OUTSIDE_RUN: LazyLock<Context> =
    LazyLock::new(|| Context { stage: "".into(), item: "".into(), element: 0, replicate: 0, seed: 0 });

fn host_view(host: &dyn HostCalls) -> Host<'_> {
    Host::new(host, &OUTSIDE_RUN, 0)
}

impl<C: CacheBackend> CacheCalls for Opened<C> {
    fn get<'a>(&'a self, key: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        Box::pin(async move { self.0.get(key, &host_view(host)).await })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: CacheValue,
        ttl: Option<Duration>,
        host: &'a dyn HostCalls,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.0.put(key, value, ttl, &host_view(host)).await })
    }

    fn remove<'a>(&'a self, key: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.0.remove(key, &host_view(host)).await })
    }

    fn clear<'a>(&'a self, prefix: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { self.0.clear(prefix, &host_view(host)).await })
    }

    fn size<'a>(&'a self, prefix: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<CacheSize>> {
        Box::pin(async move { self.0.size(prefix, &host_view(host)).await })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
        host: &'a dyn HostCalls,
    ) -> BoxFuture<'a, Result<Vec<CacheEntry>>> {
        Box::pin(async move { self.0.list(prefix, after, limit, &host_view(host)).await })
    }

    fn is_durable(&self) -> bool {
        self.0.is_durable()
    }
}
