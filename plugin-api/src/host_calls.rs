//! The host's side of the calls that a plugin makes.

use std::{future::Future, pin::Pin, time::Duration};

use crate::{
    CacheValue, Completion, CompletionRequest, Failure, HttpRequest, HttpResponse, Result, TensorElements, TensorRef,
    WriteElements,
};

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is not as it should be, but the work goes on.
    Warn,
    /// Something worth knowing happened.
    Info,
    /// For the plugin's author.
    Debug,
    /// For the plugin's author, in great detail.
    Trace,
}

impl Level {
    /// The level of this rank, 0 for [`Level::Error`] to 4 for [`Level::Trace`]; anything beyond is `Trace`.
    #[must_use]
    pub const fn from_rank(rank: u8) -> Self {
        match rank {
            0 => Self::Error,
            1 => Self::Warn,
            2 => Self::Info,
            3 => Self::Debug,
            _ => Self::Trace,
        }
    }
}

/// The host's side of the calls. A host implements it; a plugin sees [`Host`].
pub trait HostCalls: Send + Sync {
    /// Writes a line to the log.
    fn log(&self, level: Level, target: &str, message: &str);
    /// Reports how far the request at `index` of the batch has come.
    fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str);
    /// Whether the batch is no longer wanted.
    fn cancelled(&self) -> bool;

    /// Asks the stage's model, on behalf of the request at `index` of the batch.
    fn complete<'a>(&'a self, index: u32, request: CompletionRequest) -> BoxFuture<'a, Result<Completion>> {
        let _ = (index, request);
        Box::pin(async { Err(missing_service("model", "model")) })
    }

    /// What the stage's model is, if it has one.
    fn model_name(&self) -> Option<String> {
        None
    }

    /// Looks something up in the stage's cache.
    fn cache_get<'a>(&'a self, index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        let _ = (index, key);
        Box::pin(async { Err(missing_service("cache", "store")) })
    }

    /// Keeps something in the stage's cache.
    fn cache_put<'a>(
        &'a self,
        index: u32,
        key: &'a str,
        value: CacheValue,
        ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<()>> {
        let _ = (index, key, value, ttl);
        Box::pin(async { Err(missing_service("cache", "store")) })
    }

    /// Makes an HTTP request, on behalf of the request at `index` of the batch.
    fn fetch<'a>(&'a self, index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        let _ = (index, request);
        Box::pin(async { Err(Failure::InvalidConfig("this host makes no HTTP requests".to_owned())) })
    }

    /// Opens a tensor that the request at `index` of the batch named, or an answer to one of its calls, or that it made.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] for any other; [`Failure::Unavailable`] if it cannot be read.
    fn open_tensor<'a>(&'a self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'a>> {
        let _ = (index, tensor);
        Err(no_tensors())
    }

    /// Keeps a tensor, on behalf of the request at `index` of the batch. There are as many elements as the shape says.
    ///
    /// # Errors
    /// [`Failure::OverBudget`] beyond a limit; [`Failure::Unavailable`] if it cannot be kept.
    fn keep_tensor(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        let _ = (index, shape, elements);
        Err(no_tensors())
    }

    /// Begins a tensor that a [`TensorWriter`](crate::TensorWriter) writes to the host as it grows. None, as by default, for a
    /// host to which a tensor is given as a whole once all its elements are in memory.
    ///
    /// # Errors
    /// As those of [`keep_tensor`](Self::keep_tensor).
    fn create_tensor<'a>(&'a self, index: u32, shape: &[u64]) -> Result<Option<Box<dyn WriteElements + 'a>>> {
        let _ = (index, shape);
        Ok(None)
    }
}

fn no_tensors() -> Failure {
    Failure::InvalidConfig("this host keeps no tensors".to_owned())
}

/// The failure of a stage that uses a service which the pipeline does not give it.
pub(crate) fn missing_service(what: &str, key: &str) -> Failure {
    Failure::InvalidConfig(format!("the stage has no {what}: give it one with `{key} = \"name\"`"))
}
