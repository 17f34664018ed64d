//! The host, as a plugin sees it during a call.

use std::time::Duration;

use jackfield_loader::sandbox::Permission;
use jackfield_plugin_api::{
    BoxFuture, CacheValue, Completion, CompletionRequest, Context, Failure, HostCalls, HttpRequest, HttpResponse,
    Level, Request, Result, TensorElements, TensorRef, WriteElements,
};
use jackfield_services::{Caller, TensorScopes, abilities, log_plugin_line};
use jackfield_store::ExchangeRecord;

use super::{
    batch_control::BatchControl,
    stage_runtime::{PluginStore, StageRuntime},
};

/// The largest value that a plugin may keep.
const MAX_VALUE_BYTES: usize = 64 << 20;

/// The host, as a plugin sees it during a call.
pub(super) struct CallHost<'a> {
    pub(super) runtime: &'a StageRuntime,
    pub(super) requests: &'a [Request],
    pub(super) control: &'a BatchControl,
    /// The tensors that it may open.
    pub(super) tensors: TensorScopes<'a>,
}

impl CallHost<'_> {
    fn context(&self, index: u32) -> Result<&Context> {
        let request = self.requests.get(index as usize);
        request
            .map(|request| &request.context)
            .ok_or_else(|| Failure::Internal(format!("asked on behalf of request {index} of {}", self.requests.len())))
    }

    fn allowed(&self, permission: &Permission) -> Result<()> {
        let grants = &self.runtime.grants;
        if grants.allows(permission) { Ok(()) } else { Err(Failure::InvalidConfig(grants.denial(permission))) }
    }

    fn store(&self) -> Result<&PluginStore> {
        self.allowed(&Permission::Cache)?;
        self.runtime.store.as_ref().ok_or_else(|| {
            let stage = &self.runtime.name;
            Failure::InvalidConfig(format!(
                "stage `{stage}` has no cache to keep things in: add `store = \"NAME\"` to it"
            ))
        })
    }
}

impl HostCalls for CallHost<'_> {
    fn log(&self, level: Level, _target: &str, message: &str) {
        match &self.runtime.warnings {
            Some(warnings) => warnings.log(level, &self.runtime.name, message),
            None => log_plugin_line(level, Some(&self.runtime.name), None, message),
        }
    }

    fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str) {
        let stage = &*self.runtime.name;
        let item = self.requests.get(index as usize).map_or("", |request| &*request.context.item);
        tracing::info!(target: "progress", stage, item, done, total, "{note}");
    }

    fn cancelled(&self) -> bool {
        self.control.is_cancelled()
    }

    fn complete<'a>(&'a self, index: u32, request: CompletionRequest) -> BoxFuture<'a, Result<Completion>> {
        Box::pin(async move {
            self.allowed(&Permission::Model)?;
            let Some(model) = &self.runtime.model else {
                let stage = &self.runtime.name;
                let what = format!("stage `{stage}` asks for a model and has none: add `model = \"NAME\"` to it");
                return Err(Failure::InvalidConfig(what));
            };
            for ability in abilities(&request) {
                self.allowed(&Permission::ModelAbility(ability))?;
            }
            self.tensors.check_edits(index, &request)?;
            let pending = self.control.pending_completions.begin();
            let context = self.context(index)?;
            let recorded = self.runtime.exchanges.as_ref().map(|secrets| {
                let request = model.without_secrets(secrets.redact_request(request.clone()));
                (self.control.begin_exchange(), request)
            });
            let (answer, record) = model.complete(request, Caller { context, pending: &pending }).await;
            if let Some((seq, request)) = recorded {
                let answer = answer.as_ref().map(|held| held.completion.clone()).map_err(Clone::clone);
                let completion = record.clone();
                self.control.note_exchange(context, ExchangeRecord { seq, request, answer, completion });
            }
            self.control.record_completion(record);
            drop(pending);
            let held = answer?;
            self.tensors.allow_completion(index, &held)?;
            Ok(held.completion)
        })
    }

    fn model_name(&self) -> Option<String> {
        self.runtime.model.as_ref().map(|model| model.label())
    }

    fn cache_get<'a>(&'a self, index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        Box::pin(async move {
            let PluginStore { cache, key_prefix } = self.store()?;
            let found = cache.get(&format!("{key_prefix}{key}")).await.map(|(value, _)| value);
            self.control.note_lookup(&self.context(index)?.item, found.is_some());
            Ok(found)
        })
    }

    fn cache_put<'a>(
        &'a self,
        _index: u32,
        key: &'a str,
        value: CacheValue,
        ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let PluginStore { cache, key_prefix } = self.store()?;
            if value.len() > MAX_VALUE_BYTES {
                return Err(Failure::InvalidInput("a value of more than 64 MiB cannot be cached".to_owned()));
            }
            // What is kept outlives the run. All that led to it is on the record first: a run that is killed and goes on
            // must not find here what it does not know to have made.
            if let Some(ledger) = &self.runtime.ledger {
                let unwritten = |_| Failure::Cancelled("the record of the run can no longer be written".to_owned());
                ledger.barrier().await.map_err(unwritten)?;
            }
            cache.put(&format!("{key_prefix}{key}"), &value, ttl).await;
            Ok(())
        })
    }

    fn fetch<'a>(&'a self, _index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(self.runtime.http.fetch(&self.runtime.grants, request, self.runtime.max_response_bytes))
    }

    fn open_tensor<'a>(&'a self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'a>> {
        self.tensors.open(index, tensor)
    }

    fn keep_tensor(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        self.tensors.keep(index, shape, elements)
    }

    fn create_tensor<'a>(&'a self, index: u32, shape: &[u64]) -> Result<Option<Box<dyn WriteElements + 'a>>> {
        self.tensors.create(index, shape).map(Some)
    }
}
