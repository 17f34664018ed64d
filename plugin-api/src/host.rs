//! The host as a plugin sees it.

use std::{fmt, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    CacheValue, Completion, CompletionRequest, Context, Failure, HostCalls, HttpRequest, HttpResponse, Level, Random,
    Result, TensorElements, TensorReader, TensorRef, TensorWriter, WriteElements, checked_shape,
};

/// The longest JSON text, in bytes, that [`Host::cache_put_json`] keeps.
const LARGEST_CACHED_JSON: usize = 32 << 20;

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

    /// Writes a line to the host's log.
    pub fn log(&self, level: Level, message: impl AsRef<str>) {
        self.calls.log(level, "plugin", message.as_ref());
    }

    /// Reports how far a long call has come, in a unit of the plugin's choice.
    pub fn progress(&self, done: u64, total: Option<u64>, note: impl AsRef<str>) {
        self.calls.progress(self.index, done, total, note.as_ref());
    }

    /// Whether the answer is no longer wanted: a long computation checks this now and then, and returns
    /// [`Failure::Cancelled`](crate::Failure::Cancelled).
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.calls.cancelled()
    }

    /// Asks the model that the pipeline gives to the stage (`model = "name"`).
    ///
    /// The host answers from the model's cache where it can, keeps to limits and budget, retries failures that may pass, and
    /// validates the answer against the request's schema.
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
    /// [`Failure::InvalidConfig`](crate::Failure::InvalidConfig) if the stage has no cache. A cache that cannot
    /// be reached finds nothing.
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

    /// Looks a JSON value up in the cache of the stage. Nothing is found in a stage that has no cache, nor where the value
    /// under the key is not JSON of this type, as it may be after the plugin has changed: callers need not handle either.
    ///
    /// # Errors
    /// As those of [`cache_get`](Self::cache_get), but for a missing cache.
    pub async fn cache_get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        match self.cache_get(key).await {
            Ok(value) => Ok(value.and_then(|value| serde_json::from_slice(&value).ok())),
            Err(Failure::InvalidConfig(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Keeps a value as JSON in the cache of the stage. Nothing happens in a stage that has no cache, nor if the JSON text is
    /// longer than 32 MiB: such a value takes longer to read than to compute again, and a cache may refuse it.
    ///
    /// # Errors
    /// [`Failure::Internal`](crate::Failure::Internal) for a value that JSON cannot express; otherwise as those of
    /// [`cache_put`](Self::cache_put), but for a missing cache.
    pub async fn cache_put_json<T: Serialize + Sync>(&self, key: &str, value: &T) -> Result<()> {
        let json = serde_json::to_vec(value).map_err(|error| Failure::Internal(error.to_string()))?;
        if json.len() > LARGEST_CACHED_JSON {
            return Ok(());
        }
        match self.cache_put(key, json, None).await {
            Ok(()) | Err(Failure::InvalidConfig(_)) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// The vector that stands for a text, from the model that the pipeline gives to the stage, which has to offer `embed`. It is
    /// as long as the model makes it: divide by its length to compare directions.
    ///
    /// # Errors
    /// [`Failure::InvalidOutput`](crate::Failure::InvalidOutput) if the model answers with something else than a vector of
    /// finite numbers; otherwise as those of [`complete`](Self::complete).
    pub async fn embed(&self, text: &str) -> Result<Vec<f32>> {
        let messages = vec![crate::Message::user(text)];
        let request = CompletionRequest { embed: true, max_tokens: Some(0), ..CompletionRequest::new(messages) };
        let invalid = |what: String| Failure::InvalidOutput(format!("the model answered {what}"));
        let tensor = self.complete(request).await?.embedding.ok_or_else(|| invalid("without a vector".to_owned()))?;
        let length = match tensor.shape[..] {
            [length] if length > 0 => length,
            _ => return Err(invalid(format!("with a vector of shape {:?}, not [d]", tensor.shape))),
        };
        let reader = self.tensor(&tensor)?;
        // The reader has checked that there are as many elements as the shape says.
        let mut vector = vec![0.0; length as usize];
        reader.read(0, &mut vector)?;
        if vector.iter().any(|element| !element.is_finite()) {
            return Err(invalid("with a vector that is not finite".to_owned()));
        }
        Ok(vector)
    }

    /// Makes an HTTP request to a server that the plugin asks for in its permissions (`http:HOST`) and that it was granted.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`](crate::Failure::InvalidConfig) if the server, or a secret in a header, was not granted,
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
        let sink: Box<dyn WriteElements + 'a> = match self.calls.create_tensor(self.index, shape)? {
            Some(sink) => sink,
            None => Box::new(GatheredElements {
                host: self.calls,
                index: self.index,
                shape: shape.to_vec(),
                elements: Vec::new(),
            }),
        };
        TensorWriter::new(shape, sink)
    }

    /// Keeps a tensor that is in memory and gives its reference, to be put into an answer. `elements` that are shared are
    /// not copied.
    ///
    /// # Errors
    /// As those of [`create_tensor`](Self::create_tensor); [`Failure::Unavailable`](crate::Failure::Unavailable) if it
    /// cannot be kept.
    pub fn keep_tensor(&self, shape: &[u64], elements: impl Into<TensorElements<'a>>) -> Result<TensorRef> {
        let elements = elements.into();
        let expected = checked_shape(shape)?;
        if let Some(given) = elements.count().filter(|given| *given != expected) {
            return Err(Failure::InvalidInput(format!(
                "a tensor of shape {shape:?} has {expected} elements, not {given}"
            )));
        }
        self.calls.keep_tensor(self.index, shape, elements)
    }
}

/// Gathers elements in memory, and passes all of them to the host at the end.
struct GatheredElements<'a> {
    host: &'a dyn HostCalls,
    index: u32,
    shape: Vec<u64>,
    elements: Vec<f32>,
}

impl WriteElements for GatheredElements<'_> {
    fn write(&mut self, elements: &[f32]) -> Result<()> {
        self.elements.extend_from_slice(elements);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<TensorRef> {
        self.host.keep_tensor(self.index, &self.shape, TensorElements::Lent(&self.elements))
    }
}
