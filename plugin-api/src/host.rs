//! What a plugin may ask of its host.

use std::{fmt, time::Duration};

use crate::{
    BoxFuture, CacheValue, Completion, CompletionRequest, Context, Failure, HttpRequest, HttpResponse, Random, Result,
    TensorElements, TensorReader, TensorRef, TensorWriter, WriteElements,
    tensors::{Gathered, checked_shape},
};

/// Weight of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warn,
    /// Something worth knowing happened.
    Info,
    /// For the plugin's author.
    Debug,
    /// For the plugin's author, in bulk.
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
    /// Hands on a log line.
    fn log(&self, level: Level, target: &str, message: &str);
    /// Says how far the request at `index` of the batch has come.
    fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str);
    /// Whether the batch is no longer wanted.
    fn cancelled(&self) -> bool;

    /// Asks the stage's model, on behalf of the request at `index` of the batch.
    fn complete<'a>(&'a self, index: u32, request: CompletionRequest) -> BoxFuture<'a, Result<Completion>> {
        let _ = (index, request);
        Box::pin(async { Err(no("model", "model")) })
    }

    /// What the stage's model is, if it has one.
    fn model_name(&self) -> Option<String> {
        None
    }

    /// Looks something up in the stage's cache.
    fn cache_get<'a>(&'a self, index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        let _ = (index, key);
        Box::pin(async { Err(no("cache", "store")) })
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
        Box::pin(async { Err(no("cache", "store")) })
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

    /// Begins a tensor that [`TensorWriter`] writes to the host as it grows. None, as by default, where its elements gather
    /// in memory and are then kept.
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

/// What a stage is told that asks for a service which the pipeline does not give it.
pub(crate) fn no(what: &str, key: &str) -> Failure {
    Failure::InvalidConfig(format!("the stage has no {what}: give it one with `{key} = \"name\"`"))
}

/// A plugin's view of the host during one call for one document.
pub struct Host<'a> {
    calls: &'a dyn HostCalls,
    context: &'a Context,
    index: u32,
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("context", self.context).field("index", &self.index).finish_non_exhaustive()
    }
}

impl<'a> Host<'a> {
    /// The view for the document at `index` of a batch.
    #[must_use]
    pub fn new(calls: &'a dyn HostCalls, context: &'a Context, index: u32) -> Self {
        Self { calls, context, index }
    }

    /// Where in the run the document belongs.
    #[must_use]
    pub fn context(&self) -> &Context {
        self.context
    }

    /// A generator seeded for this call: the only source of chance that leaves results reproducible.
    #[must_use]
    pub fn random(&self) -> Random {
        Random::new(self.context.seed)
    }

    /// Hands a line to the host's log.
    pub fn log(&self, level: Level, message: impl AsRef<str>) {
        self.calls.log(level, "plugin", message.as_ref());
    }

    /// Says how far a long call has come, in a unit of the plugin's choice.
    pub fn progress(&self, done: u64, total: Option<u64>, note: impl AsRef<str>) {
        self.calls.progress(self.index, done, total, note.as_ref());
    }

    /// Whether the answer is no longer wanted: a long computation asks now and then and returns
    /// [`Failure::Cancelled`](crate::Failure::Cancelled).
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.calls.cancelled()
    }

    /// Asks the model that the pipeline gives to the stage (`model = "name"`).
    ///
    /// The host answers from the model's cache where it can, keeps to limits and budget, tries again what can heal, and
    /// holds the answer to the request's schema.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`](crate::Failure::InvalidConfig) if the stage has no model,
    /// [`Failure::InvalidOutput`](crate::Failure::InvalidOutput) if the answer does not fit the schema or was refused,
    /// [`Failure::OverBudget`](crate::Failure::OverBudget) if the budget does not allow it, otherwise what the last try
    /// gave.
    pub async fn complete(&self, request: CompletionRequest) -> Result<Completion> {
        self.calls.complete(self.index, request).await
    }

    /// What the stage's model is, such as `openai/qwen2.5-7b`: the extension that calls it, and the model's own name where
    /// its configuration has one. None for a stage without a model.
    #[must_use]
    pub fn model_name(&self) -> Option<String> {
        self.calls.model_name()
    }

    /// Looks a value up in the cache that the pipeline gives to the stage (`store = "name"`).
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`](crate::Failure::InvalidConfig) if the stage has no cache. A cache that is away finds
    /// nothing.
    pub async fn cache_get(&self, key: &str) -> Result<Option<CacheValue>> {
        self.calls.cache_get(self.index, key).await
    }

    /// Keeps a value in the cache that the pipeline gives to the stage, for as long as the cache's tiers say, or for
    /// `ttl` if that is shorter.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`](crate::Failure::InvalidConfig) if the stage has no cache.
    pub async fn cache_put(&self, key: &str, value: impl Into<CacheValue>, ttl: Option<Duration>) -> Result<()> {
        self.calls.cache_put(self.index, key, value.into(), ttl).await
    }

    /// Makes an HTTP request to a server that the plugin asks for in its permissions (`http:HOST`) and that it was granted.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`](crate::Failure::InvalidConfig) if the server was not granted,
    /// [`Failure::InvalidInput`](crate::Failure::InvalidInput) if the request makes no sense,
    /// [`Failure::Unavailable`](crate::Failure::Unavailable) if the server cannot be reached or does not answer in time,
    /// [`Failure::OverBudget`](crate::Failure::OverBudget) if the answer is too large.
    pub async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse> {
        self.calls.fetch(self.index, request).await
    }

    /// Opens a tensor that travels by reference: one that the input named, or an answer to a call of this host, or that
    /// this call made. It can be read for as long as the call lasts.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`](crate::Failure::InvalidInput) for any other tensor,
    /// [`Failure::Unavailable`](crate::Failure::Unavailable) if it cannot be read.
    pub fn tensor(&self, tensor: &TensorRef) -> Result<TensorReader<'a>> {
        TensorReader::new(tensor.shape.clone(), self.calls.open_tensor(self.index, tensor)?)
    }

    /// Begins a tensor of this shape, to be written a piece at a time.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`](crate::Failure::InvalidInput) for a shape that no tensor has,
    /// [`Failure::OverBudget`](crate::Failure::OverBudget) beyond the stage's limit on tensors.
    pub fn create_tensor(&self, shape: &[u64]) -> Result<TensorWriter<'a>> {
        checked_shape(shape)?;
        let sink = self.calls.create_tensor(self.index, shape)?;
        let gathered = || {
            let (index, shape) = (self.index, shape.to_vec());
            Box::new(Gathered { host: self.calls, index, shape, elements: Vec::new() }) as Box<dyn WriteElements + 'a>
        };
        TensorWriter::new(shape, sink.unwrap_or_else(gathered))
    }

    /// Keeps a tensor that is in memory and gives its reference, to be put into an answer. `elements` that are shared are
    /// not copied.
    ///
    /// # Errors
    /// As those of [`create_tensor`](Self::create_tensor); [`Failure::Unavailable`](crate::Failure::Unavailable) if it
    /// cannot be kept.
    pub fn keep_tensor(&self, shape: &[u64], elements: impl Into<TensorElements<'a>>) -> Result<TensorRef> {
        let elements = elements.into();
        let (count, there) = (checked_shape(shape)?, elements.count());
        if there.is_some_and(|there| there != count) {
            let there = there.unwrap_or_default();
            return Err(Failure::InvalidInput(format!(
                "a tensor of shape {shape:?} has {count} elements, not {there}"
            )));
        }
        self.calls.keep_tensor(self.index, shape, elements)
    }
}
