//! What a host calls on extensions that need no documents in between: each trait is a kind with its type erased.

use std::time::Duration;

use serde_json::Value;

use crate::{
    Arm, BoxFuture, CacheEntry, CacheSize, CacheValue, Completion, CompletionRequest, Decision, Host, HostCalls,
    Outcome, Question, Result, SearchQuestion, Study, Values,
};

/// A model with its type erased: what the host calls when both are in one program.
#[doc(hidden)]
pub trait ModelCalls: Send + Sync {
    /// Makes one call.
    fn complete<'a>(&'a self, request: CompletionRequest, host: Host<'a>) -> BoxFuture<'a, Result<Completion>>;
}

/// A cache backend with its type erased: see [`CacheBackend`] for what each call does. The host makes the requests of a
/// backend that keeps its values on a server.
pub trait CacheCalls: Send + Sync {
    /// See [`CacheBackend::get`].
    fn get<'a>(&'a self, key: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<Option<CacheValue>>>;
    /// See [`CacheBackend::put`].
    fn put<'a>(
        &'a self,
        key: &'a str,
        value: CacheValue,
        ttl: Option<Duration>,
        host: &'a dyn HostCalls,
    ) -> BoxFuture<'a, Result<()>>;
    /// See [`CacheBackend::remove`].
    fn remove<'a>(&'a self, key: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<()>>;
    /// See [`CacheBackend::clear`].
    fn clear<'a>(&'a self, prefix: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<u64>>;
    /// See [`CacheBackend::size`].
    fn size<'a>(&'a self, prefix: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<CacheSize>>;
    /// See [`CacheBackend::list`].
    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
        host: &'a dyn HostCalls,
    ) -> BoxFuture<'a, Result<Vec<CacheEntry>>>;
    /// See [`CacheBackend::is_durable`].
    fn is_durable(&self) -> bool;
}

/// A routing policy with its type erased.
pub trait PolicyCalls: Send + Sync {
    /// A state in which nothing is learned.
    fn new_state(&self) -> Box<dyn PolicyState>;

    /// The state of a snapshot.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] if it is not a state of this policy.
    fn restore(&self, snapshot: &Value) -> Result<Box<dyn PolicyState>>;

    /// See [`RoutingPolicy::check`].
    fn check(&self, arms: &[Arm]) -> Result<()>;
}

/// A routing policy with what it has learned.
pub trait PolicyState: Send {
    /// See [`RoutingPolicy::decide`].
    ///
    /// # Errors
    /// The policy's own failure; [`Failure::InvalidInput`] for a question without arms, or with some that were tried;
    /// [`Failure::Internal`] if it picks an
    /// arm that is not there.
    fn decide(&self, question: &Question) -> Result<Decision>;

    /// See [`RoutingPolicy::decide_again`].
    ///
    /// # Errors
    /// As those of [`decide`](Self::decide); [`Failure::Internal`] if it picks an arm that was tried.
    fn decide_again(&self, question: &Question) -> Result<Option<Decision>>;

    /// See [`RoutingPolicy::learn`].
    fn learn(&mut self, outcome: &Outcome) -> Result<()>;

    /// What was learned, in JSON. Equal states have equal snapshots.
    fn snapshot(&self) -> Result<Value>;
}

/// A search policy with its type erased.
pub trait SearchCalls: Send + Sync {
    /// See [`SearchPolicy::check`].
    ///
    /// # Errors
    /// The policy's own failure; what is wrong with the study.
    fn check(&self, study: &Study) -> Result<()>;

    /// See [`SearchPolicy::suggest`].
    ///
    /// # Errors
    /// The policy's own failure; [`Failure::Internal`] for values that are not of the space.
    fn suggest(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<Values>;

    /// See [`SearchPolicy::stop`].
    ///
    /// # Errors
    /// The policy's own failure.
    fn stop(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<bool>;
}
