//! A tier of a cache: its backend, when that is asked, and how long it is waited for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jackfield_plugin_api::{BoxFuture, CacheCalls, Failure, Guarded, HostCalls, Instance, Result, guarded};
use serde::{Deserialize, Serialize};
use tokio::{runtime::Handle, time::timeout};

use super::{http::Http, native_threads::NativeThreads, patience::Patience, plugin_host::ServiceHost};
use crate::{
    plugin::{
        Form,
        sandbox::{Grants, Limits, took_too_long},
    },
    telemetry::Wait,
};

/// What a tier is made of.
pub struct TierParts {
    /// Name of the extension.
    pub name: String,
    /// The form of its plugin. What is native gets threads of its own, so that it cannot keep others from working.
    pub form: Form,
    /// The opened backend.
    pub instance: Arc<dyn Instance>,
    /// What it may do.
    pub grants: Arc<Grants>,
    /// How long it keeps values.
    pub ttl: Option<Duration>,
    /// What an operation may use up: see [`TierPlan`](crate::pipeline::TierPlan).
    pub limits: Limits,
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
    /// Unreachable, or broken: it did not answer, or not with what was put there.
    pub errors: u64,
}

/// A tier.
pub(super) struct Tier {
    pub(super) name: String,
    backend: Arc<Backend>,
    pub(super) ttl: Option<Duration>,
    /// How long an operation of native code is waited for. A sandbox ends its guest by itself.
    wall: Duration,
    /// Where native code runs.
    threads: Option<NativeThreads>,
    patience: Patience,
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) errors: AtomicU64,
    /// Whether it was said that it does not answer.
    pub(super) warned: AtomicBool,
    /// Whether it was said that what it holds is damaged.
    pub(super) mistrusted: AtomicBool,
    wait: Arc<Wait>,
}

/// A backend and its host.
struct Backend {
    cache: String,
    /// Holds a cache backend: whoever opens it makes sure of that.
    instance: Arc<dyn Instance>,
    grants: Arc<Grants>,
    http: Arc<Http>,
    /// The largest answer of a server that it may get, in bytes.
    most: u64,
}

impl Tier {
    /// A tier of the cache of this name. None if it is no cache backend.
    pub(super) fn new(cache: &str, parts: TierParts, http: &Arc<Http>) -> Option<Self> {
        let TierParts { name, form, instance, grants, ttl, limits } = parts;
        instance.as_cache()?;
        let (hits, misses, errors) = Default::default();
        let (warned, mistrusted) = Default::default();
        Some(Self {
            backend: Arc::new(Backend {
                cache: cache.to_owned(),
                instance,
                grants,
                http: Arc::clone(http),
                most: limits.output,
            }),
            ttl,
            wall: limits.wall,
            threads: (form == Form::Native).then(|| NativeThreads::new("cache")),
            patience: Patience::new(limits.traps),
            hits,
            misses,
            errors,
            warned,
            mistrusted,
            wait: Wait::new(format!("`{name}` of cache `{cache}`")),
            name,
        })
    }

    /// Operates on the backend: if that takes long, it is told, and if it fails time and again, it is not even asked.
    pub(super) async fn operate<T: Send + 'static>(
        &self,
        operation: impl for<'c> FnOnce(&'c dyn CacheCalls, &'c dyn HostCalls) -> BoxFuture<'c, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let attempt = self.patience.begin()?;
        let answer = {
            let _waiting = self.wait.begin();
            match &self.threads {
                None => self.backend.operate(operation).await,
                Some(threads) => self.on_a_thread(threads, operation).await,
            }
        };
        attempt.ended(answer.is_ok());
        answer
    }

    /// Native code may hold its thread for as long as it likes, and cannot be stopped.
    async fn on_a_thread<T: Send + 'static>(
        &self,
        threads: &NativeThreads,
        operation: impl for<'c> FnOnce(&'c dyn CacheCalls, &'c dyn HostCalls) -> BoxFuture<'c, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let runtime = Handle::try_current().map_err(|error| Failure::Internal(error.to_string()))?;
        let backend = Arc::clone(&self.backend);
        let work = threads.run(move || runtime.block_on(backend.operate(operation)));
        timeout(self.wall, work).await.map_err(|_| Failure::Unavailable(took_too_long(self.wall)))??
    }

    /// Whether its values outlive the process.
    pub(super) fn is_durable(&self) -> bool {
        self.backend.calls().is_durable()
    }

    /// How often it was asked.
    pub(super) fn count(&self) -> TierCount {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        TierCount {
            tier: self.name.clone(),
            hits: count(&self.hits),
            misses: count(&self.misses),
            errors: count(&self.errors),
        }
    }
}

impl Backend {
    fn calls(&self) -> &dyn CacheCalls {
        self.instance.as_cache().unwrap_or_else(|| unreachable!("a cache is made of cache backends"))
    }

    /// A panic is a failure.
    async fn operate<T>(
        &self,
        operation: impl for<'c> FnOnce(&'c dyn CacheCalls, &'c dyn HostCalls) -> BoxFuture<'c, Result<T>>,
    ) -> Result<T> {
        let (service, grants, http) = (&*self.cache, &*self.grants, &*self.http);
        let host = ServiceHost { service, grants, http, most: self.most, tensors: None };
        let operated = guarded("call", || operation(self.calls(), &host))?;
        Guarded::new("call", operated).await?
    }
}
