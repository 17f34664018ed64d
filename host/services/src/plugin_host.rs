//! The host as the plugins of models and caches see it: it takes log lines, makes requests and serves tensors.

use std::time::Duration;

use jackfield_loader::sandbox::Grants;
use jackfield_plugin_api::{
    BoxFuture, Failure, HostCalls, HttpRequest, HttpResponse, Level, Result, TensorElements, TensorRef, WriteElements,
};

use crate::{
    Http, TensorScopes,
    http::{FetchCaller, FetchTrace},
    log_plugin_line,
    secrets::Secrets,
};

/// The host during a call of a service's plugin.
pub(super) struct ServiceHost<'a> {
    /// Name of the model or the cache.
    pub(super) service: &'a str,
    pub(super) grants: &'a Grants,
    /// What it may know and must not repeat.
    pub(super) secrets: &'a Secrets,
    pub(super) http: &'a Http,
    /// The largest response of a server that it may get, in bytes.
    pub(super) max_response_bytes: u64,
    /// How long a server may take to answer.
    pub(super) longest_fetch: Duration,
    /// What is noted of its requests, if anybody wants to know.
    pub(super) trace: Option<&'a FetchTrace>,
    /// The tensors of a model's call; a cache has none.
    pub(super) tensors: Option<&'a TensorScopes<'a>>,
}

impl ServiceHost<'_> {
    fn tensors(&self) -> Result<&TensorScopes<'_>> {
        self.tensors.ok_or_else(|| Failure::InvalidConfig("a cache backend has no tensors".to_owned()))
    }
}

impl HostCalls for ServiceHost<'_> {
    fn log(&self, level: Level, _target: &str, message: &str) {
        log_plugin_line(level, None, Some(self.service), &self.secrets.redact_text(message.to_owned()));
    }

    fn progress(&self, _index: u32, _done: u64, _total: Option<u64>, _note: &str) {}

    fn cancelled(&self) -> bool {
        false
    }

    fn fetch<'a>(&'a self, _index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(async move {
            let caller = FetchCaller {
                grants: self.grants,
                max_response_bytes: self.max_response_bytes,
                longest_timeout: self.longest_fetch,
                trace: self.trace,
            };
            self.http.fetch_for(&caller, request).await
        })
    }

    fn open_tensor<'a>(&'a self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'a>> {
        self.tensors()?.open(index, tensor)
    }

    fn keep_tensor(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        self.tensors()?.keep(index, shape, elements)
    }

    fn create_tensor<'a>(&'a self, index: u32, shape: &[u64]) -> Result<Option<Box<dyn WriteElements + 'a>>> {
        self.tensors()?.create(index, shape).map(Some)
    }
}
