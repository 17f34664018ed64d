//! A tier of a cache: its backend, when that is asked, and how long its answers are waited for.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jackfield_loader::waits::Wait;
use jackfield_loader::{
    Linkage,
    sandbox::{Grants, Limits, took_too_long},
};
use jackfield_plugin_api::{
    BoxFuture, CacheCalls, CatchPanic, Failure, HostCalls, Instance, Result, catch_panic, sync::lock,
};
use jackfield_store::TierCount;
use tokio::{runtime::Handle, time::timeout};

use super::{
    circuit_breaker::CircuitBreaker,
    http::{Http, LONGEST_TIMEOUT},
    native_threads::NativeThreads,
    plugin_host::ServiceHost,
    secrets::Secrets,
    times::Times,
};

/// What a tier is made of.
pub struct TierParts {
    /// Name of the extension.
    pub name: String,
    /// The form of its plugin. What is native gets threads of its own, so that it cannot keep others from working.
    pub linkage: Linkage,
    /// The opened backend.
    pub instance: Arc<dyn Instance>,
    /// What it may do.
    pub grants: Arc<Grants>,
    /// How long it keeps values.
    pub ttl: Option<Duration>,
    /// What an operation may use up: see [`TierPlan`](jackfield_pipeline::TierPlan).
    pub limits: Limits,
}

/// What an operation is for. A backend may fail at one of these alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To get something from the backend.
    Read,
    /// To have it keep a value.
    Write,
}

/// A backend fails at something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outage {
    purpose: Purpose,
    /// When it last failed.
    last: Instant,
}

/// How an operation of a backend ended.
#[derive(Clone, Copy, Debug)]
struct Operation {
    purpose: Purpose,
    began: Instant,
    ended: Instant,
    is_answered: bool,
}

/// The outage that there is after an operation. An answer to what was asked before the last failure says nothing of whether the
/// backend answers again.
fn after_operation(outage: Option<Outage>, operation: Operation) -> Option<Outage> {
    let Operation { purpose, began, ended, is_answered } = operation;
    match outage {
        None => (!is_answered).then_some(Outage { purpose, last: ended }),
        Some(outage) if outage.purpose != purpose => Some(outage),
        Some(outage) if is_answered => (began <= outage.last).then_some(outage),
        Some(_) => Some(Outage { purpose, last: ended }),
    }
}

/// A tier.
pub(super) struct Tier {
    pub(super) name: String,
    backend: Arc<Backend>,
    pub(super) ttl: Option<Duration>,
    /// How long an operation of native code is waited for. A sandbox ends its guest by itself.
    time_limit: Duration,
    /// Where native code runs.
    threads: Option<NativeThreads>,
    /// When something is asked of it.
    reads: CircuitBreaker,
    /// When it is given values: not while nothing is asked of it.
    writes: CircuitBreaker,
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) errors: AtomicU64,
    /// That it fails, if a warning of that was given.
    outage: Mutex<Option<Outage>>,
    /// How long look-ups took. Locked for a moment after each.
    get_times: Mutex<Times>,
    /// How long it took to keep values.
    put_times: Mutex<Times>,
    /// Whether a warning was given that it holds a value which cannot be used.
    pub(super) has_warned_of_value: AtomicBool,
    wait: Arc<Wait>,
}

/// A backend, and what its plugin may know and do.
struct Backend {
    cache: String,
    /// A cache backend: [`Tier::new`] makes sure of that.
    instance: Arc<dyn Instance>,
    grants: Arc<Grants>,
    secrets: Secrets,
    http: Arc<Http>,
    /// The largest response of a server that it may get, in bytes.
    max_response_bytes: u64,
}

impl Tier {
    /// A tier of the cache of this name. None if its extension is not a cache backend.
    pub(super) fn new(cache: &str, parts: TierParts, http: &Arc<Http>) -> Option<Self> {
        let TierParts { name, linkage, instance, grants, ttl, limits } = parts;
        instance.as_cache()?;
        let (hits, misses, errors) = Default::default();
        let (outage, has_warned_of_value) = Default::default();
        let (get_times, put_times) = Default::default();
        Some(Self {
            backend: Arc::new(Backend {
                cache: cache.to_owned(),
                instance,
                secrets: Secrets::of_grants(&grants),
                grants,
                http: Arc::clone(http),
                max_response_bytes: limits.output,
            }),
            ttl,
            time_limit: limits.wall,
            threads: (linkage == Linkage::Native).then(|| NativeThreads::new("cache")),
            reads: CircuitBreaker::new(limits.traps),
            writes: CircuitBreaker::new(limits.traps),
            hits,
            misses,
            errors,
            outage,
            get_times,
            put_times,
            has_warned_of_value,
            wait: Wait::new(format!("`{name}` of cache `{cache}`")),
            name,
        })
    }

    /// Has the backend do something. A long wait is reported, and a backend that fails time and again is not asked at all.
    pub(super) async fn operate<T: Send + 'static>(
        &self,
        purpose: Purpose,
        operation: impl for<'c> FnOnce(&'c dyn CacheCalls, &'c dyn HostCalls) -> BoxFuture<'c, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let answer = async {
            let _waiting = self.wait.begin();
            match &self.threads {
                None => self.backend.operate(operation).await,
                Some(threads) => self.operate_on_thread(threads, operation).await,
            }
        };
        match purpose {
            Purpose::Read => self.reads.run(answer).await,
            Purpose::Write => {
                self.reads.check_closed()?;
                self.writes.run(answer).await
            }
        }
    }

    /// As [`Self::operate`], for a look-up or for a value that is to be kept: how long it takes counts.
    pub(super) async fn operate_timed<T: Send + 'static>(
        &self,
        purpose: Purpose,
        operation: impl for<'c> FnOnce(&'c dyn CacheCalls, &'c dyn HostCalls) -> BoxFuture<'c, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let began = Instant::now();
        let answer = self.operate(purpose, operation).await;
        let times = if purpose == Purpose::Read { &self.get_times } else { &self.put_times };
        lock(times).record(began.elapsed(), 1);
        answer
    }

    /// Native code may hold its thread for as long as it likes, and cannot be stopped.
    async fn operate_on_thread<T: Send + 'static>(
        &self,
        threads: &NativeThreads,
        operation: impl for<'c> FnOnce(&'c dyn CacheCalls, &'c dyn HostCalls) -> BoxFuture<'c, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let runtime = Handle::try_current().map_err(|error| Failure::Internal(error.to_string()))?;
        let backend = Arc::clone(&self.backend);
        let work = threads.run(move || runtime.block_on(backend.operate(operation)));
        timeout(self.time_limit, work).await.map_err(|_| Failure::Unavailable(took_too_long(self.time_limit)))??
    }

    /// Notes how an operation ended that began then. True if a warning is to be given: it fails for the first time, or answers
    /// again.
    pub(super) fn needs_warning(&self, purpose: Purpose, began: Instant, is_answered: bool) -> bool {
        let mut outage = lock(&self.outage);
        let (before, now) = (*outage, Instant::now());
        *outage = after_operation(before, Operation { purpose, began, ended: now, is_answered });
        before.is_some() != outage.is_some()
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
            get: lock(&self.get_times).stats(),
            put: lock(&self.put_times).stats(),
        }
    }
}

impl Backend {
    fn calls(&self) -> &dyn CacheCalls {
        self.instance.as_cache().unwrap_or_else(|| unreachable!("a tier is made of a cache backend"))
    }

    /// A panic is a failure, and no failure contains a key that the backend may know: a server may repeat it.
    async fn operate<T>(
        &self,
        operation: impl for<'c> FnOnce(&'c dyn CacheCalls, &'c dyn HostCalls) -> BoxFuture<'c, Result<T>>,
    ) -> Result<T> {
        let (service, grants, http) = (&*self.cache, &*self.grants, &*self.http);
        let host = ServiceHost {
            service,
            grants,
            secrets: &self.secrets,
            http,
            max_response_bytes: self.max_response_bytes,
            longest_fetch: LONGEST_TIMEOUT,
            trace: None,
            tensors: None,
        };
        let answer = match catch_panic("call", || operation(self.calls(), &host)) {
            Ok(operated) => CatchPanic::new("call", operated).await.and_then(|answer| answer),
            Err(failure) => Err(failure),
        };
        answer.map_err(|failure| self.secrets.redact_failure(failure))
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{__private::extension_of_cache, prelude::Config};
    use jackfield_plugin_api::{CacheBackend, CacheEntry, CacheSize, CacheValue, Host};

    use super::*;

    /// Its server repeats the key.
    #[derive(Config)]
    struct Gossip {}

    impl CacheBackend for Gossip {
        const NAME: &'static str = "gossip";

        async fn get(&self, _: &str, _: &Host<'_>) -> Result<Option<CacheValue>> {
            Err(Failure::Unavailable("401: `key-of-mine` is no key".to_owned()))
        }

        async fn put(&self, _: &str, _: CacheValue, _: Option<Duration>, _: &Host<'_>) -> Result<()> {
            panic!("no room for key-of-mine")
        }

        async fn remove(&self, _: &str, _: &Host<'_>) -> Result<()> {
            Ok(())
        }

        async fn clear(&self, _: &str, _: &Host<'_>) -> Result<u64> {
            Ok(0)
        }

        async fn size(&self, _: &str, _: &Host<'_>) -> Result<CacheSize> {
            Ok(CacheSize::default())
        }

        async fn list(&self, _: &str, _: Option<&str>, _: usize, _: &Host<'_>) -> Result<Vec<CacheEntry>> {
            Ok(Vec::new())
        }

        fn is_durable(&self) -> bool {
            false
        }
    }

    #[test]
    fn an_answer_to_what_was_asked_before_the_last_failure_ends_no_outage() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let operation =
            |purpose, from, to, is_answered| Operation { purpose, began: at(from), ended: at(to), is_answered };
        let read = |from, to, is_answered| operation(Purpose::Read, from, to, is_answered);
        let outage = |last| Some(Outage { purpose: Purpose::Read, last: at(last) });
        assert_eq!(after_operation(None, read(0, 1, true)), None);
        assert_eq!(after_operation(None, read(1, 2, false)), outage(2));
        assert_eq!(after_operation(outage(2), read(1, 3, true)), outage(2), "it was asked before");
        assert_eq!(after_operation(outage(2), read(3, 4, false)), outage(4));
        assert_eq!(after_operation(outage(4), operation(Purpose::Write, 5, 6, true)), outage(4), "it fails at reading");
        assert_eq!(after_operation(outage(4), read(5, 6, true)), None);
    }

    #[tokio::test]
    async fn what_a_backend_may_know_is_in_no_failure() {
        let known = [("STORE_KEY".to_owned(), "key-of-mine".to_owned())];
        let backend = Backend {
            cache: "c".to_owned(),
            instance: extension_of_cache::<Gossip>("0.1.0").open("{}").expect("opened"),
            grants: Arc::default(),
            secrets: Secrets::of_variables(known.into_iter()),
            http: Arc::default(),
            max_response_bytes: 0,
        };
        let got = backend.operate(|cache, host| cache.get("k", host)).await;
        assert_eq!(got, Err(Failure::Unavailable("401: `[env:STORE_KEY]` is no key".to_owned())));
        let put = backend.operate(|cache, host| cache.put("k", [][..].into(), None, host)).await;
        assert_eq!(put, Err(Failure::Internal("panicked in call: no room for [env:STORE_KEY]".to_owned())));
    }
}
