//! What is noted of the requests of one call.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use jackfield_plugin_api::{Failure, sync::lock};

use super::exchange::ExchangeError;

/// What is noted of the requests that a plugin makes in one call.
#[derive(Debug, Default)]
pub(crate) struct FetchTrace {
    /// Whether something may have reached a server.
    was_sent: AtomicBool,
    /// Whether a request found no connection, so that nothing was sent.
    found_nobody: AtomicBool,
    /// The proxy that may have answered in place of the server.
    proxy: Mutex<Option<String>>,
}

impl FetchTrace {
    /// Notes an answer. `proxy` is the one that it came through, if that could have made up the answer.
    pub(super) fn note_answer(&self, status: u16, proxy: impl FnOnce() -> Option<String>) {
        self.was_sent.store(true, Ordering::Relaxed);
        let is_doubtful = matches!(status, 403 | 407 | 502..=504);
        *lock(&self.proxy) = if is_doubtful { proxy() } else { None };
    }

    /// Notes that there was no answer.
    pub(super) fn note_failure(&self, error: &ExchangeError) {
        let is_unsent = matches!(error, ExchangeError::Broken(error) if error.is_connect() || error.is_builder());
        let what = if is_unsent { &self.found_nobody } else { &self.was_sent };
        what.store(true, Ordering::Relaxed);
    }

    /// Whether requests were made, and none of them reached a server.
    pub(crate) fn reached_nobody(&self) -> bool {
        self.found_nobody.load(Ordering::Relaxed) && !self.was_sent.load(Ordering::Relaxed)
    }

    /// The failure, with the proxy that may be to blame in place of the server.
    pub(crate) fn with_proxy(&self, failure: Failure) -> Failure {
        let Some(proxy) = lock(&self.proxy).take() else { return failure };
        let message = format!("{}; the call went through {proxy}, which may have said so", failure.message());
        match failure {
            Failure::RateLimited { retry_after, .. } => Failure::RateLimited { message, retry_after },
            other => Failure::new(other.kind(), message),
        }
    }
}
