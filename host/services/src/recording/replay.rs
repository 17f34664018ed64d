//! The host of a call that is made again: every answer is the recorded one.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jackfield_loader::sandbox::Grants;
use jackfield_plugin_api::{
    BoxFuture, CacheValue, Completion, CompletionRequest, Failure, HostCalls, HttpRequest, HttpResponse, Level, Result,
    TensorElements, TensorRef, sync::lock,
};
use jackfield_store::{Blobs, NamedTensor, StoreError};
use serde_json::Value;

use super::{
    format::{RecordedAnswer, RecordedCall, RecordedHostCall, bytes_from_value},
    host_requests,
    redact::Redactor,
};

/// A host call that is not as it was.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Divergence {
    /// What was asked now; none if it was asked then alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Value>,
    /// What was asked then: for a call that was not, the nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Value>,
    /// The host call.
    pub call: String,
}

/// Answers host calls from a record.
pub struct Replayer<'a> {
    record: &'a RecordedCall,
    redactor: Redactor,
    /// The tensors beside the record.
    blobs: Option<Arc<Blobs>>,
    state: Mutex<State>,
}

struct State {
    /// Which of the recorded calls were made again.
    used: Vec<bool>,
    /// How often the extension has asked whether the call is cancelled.
    cancelled_calls: u64,
    divergences: Vec<Divergence>,
}

impl<'a> Replayer<'a> {
    /// Answers for an extension with these grants.
    #[must_use]
    pub fn new(record: &'a RecordedCall, grants: &Grants) -> Self {
        let state = State { used: vec![false; record.host_calls.len()], cancelled_calls: 0, divergences: Vec::new() };
        Self { record, redactor: Redactor::new(grants), blobs: None, state: Mutex::new(state) }
    }

    /// The same, with the tensors that lie beside the file of the record.
    ///
    /// # Errors
    /// If their folder cannot be read.
    pub fn with_tensors_beside(mut self, file: &Path) -> std::result::Result<Self, StoreError> {
        self.blobs = Some(Blobs::in_run(file.parent().unwrap_or(Path::new("")), u64::MAX)?);
        Ok(self)
    }

    /// An answer as the record would hold it, without secrets.
    #[must_use]
    pub fn as_recorded(&self, answer: &RecordedAnswer) -> Value {
        let mut value = serde_json::to_value(answer).unwrap_or_default();
        self.redactor.redact(&mut value);
        value
    }

    /// The host calls that were not as recorded, in order: those that were made now alone, then those made then alone.
    #[must_use]
    pub fn divergences(self) -> Vec<Divergence> {
        let State { used, mut divergences, .. } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let not_repeated = self
            .record
            .host_calls
            .iter()
            .zip(used)
            .filter(|(entry, used)| !used && entry.call != "cancelled" && entry.call != "model-name");
        divergences.extend(not_repeated.map(|(entry, _)| Divergence {
            call: entry.call.clone(),
            now: None,
            then: Some(entry.asked.clone()),
        }));
        divergences
    }

    /// The recorded call that is the same and was not made again so far.
    fn find(&self, call: &str, request: Option<u32>, mut asked: Value) -> Result<&'a RecordedHostCall> {
        self.redactor.redact(&mut asked);
        let mut state = lock(&self.state);
        let is_of_call = |entry: &RecordedHostCall| entry.call == call && entry.request == request;
        let entries = || self.record.host_calls.iter().enumerate();
        let same = entries().find(|(index, entry)| is_of_call(entry) && !state.used[*index] && entry.asked == asked);
        if let Some((index, entry)) = same {
            state.used[index] = true;
            return Ok(entry);
        }
        let text = asked.to_string();
        let unused = entries().filter(|(index, entry)| entry.call == call && !state.used[*index]);
        let nearest = unused.max_by_key(|(_, entry)| likeness(&entry.asked.to_string(), &text));
        let then = nearest.map(|(_, entry)| entry.asked.clone());
        let nearest_call = match &then {
            Some(then) => format!("the nearest is {}", excerpt(&then.to_string())),
            None => "no such call is left".to_owned(),
        };
        let what = format!("this `{call}` is not on the record: {}; {nearest_call}", excerpt(&text));
        state.divergences.push(Divergence { call: call.to_owned(), now: Some(asked), then });
        Err(Failure::Internal(what))
    }

    /// What the record answers.
    fn answer<T>(&self, call: &str, request: u32, asked: Value, read: impl FnOnce(&Value) -> Option<T>) -> Result<T> {
        let entry = self.find(call, Some(request), asked)?;
        match (&entry.answer, &entry.failure) {
            (_, Some(failure)) => Err(failure.to_failure()),
            (Some(answer), None) => {
                read(answer).ok_or_else(|| Failure::Internal(format!("the recorded answer to `{call}` cannot be read")))
            }
            (None, None) => read(&Value::Null)
                .ok_or_else(|| Failure::Cancelled(format!("the recorded `{call}` was not answered in time"))),
        }
    }
}

/// How much of two texts is the same, from both ends.
fn likeness(left: &str, right: &str) -> usize {
    let prefix = left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count();
    let suffix = left.bytes().rev().zip(right.bytes().rev()).take_while(|(left, right)| left == right).count();
    prefix + suffix
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(300) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn pairs(value: &Value) -> Option<Vec<(String, String)>> {
    serde_json::from_value(value.clone()).ok()
}

impl HostCalls for Replayer<'_> {
    fn log(&self, level: Level, target: &str, message: &str) {
        let _ = self.find("log", None, host_requests::log(level, target, message));
    }

    fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str) {
        let _ = self.find("progress", Some(index), host_requests::progress(done, total, note));
    }

    fn cancelled(&self) -> bool {
        let mut state = lock(&self.state);
        let mut remaining = state.cancelled_calls;
        state.cancelled_calls += 1;
        let entries = self.record.host_calls.iter().filter(|entry| entry.call == "cancelled");
        let mut answer = false;
        for entry in entries {
            answer = entry.answer == Some(Value::Bool(true));
            if remaining < entry.times {
                break;
            }
            remaining -= entry.times;
        }
        answer
    }

    fn complete<'a>(&'a self, index: u32, request: CompletionRequest) -> BoxFuture<'a, Result<Completion>> {
        Box::pin(async move {
            self.answer("complete", index, host_requests::complete(&request), |value| {
                serde_json::from_value(value.clone()).ok()
            })
        })
    }

    fn model_name(&self) -> Option<String> {
        self.record.model.clone()
    }

    fn cache_get<'a>(&'a self, index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        Box::pin(async move {
            self.answer("cache-get", index, host_requests::cache_get(key), |value| match value {
                Value::Null => Some(None),
                value => Some(Some(bytes_from_value(value)?.into())),
            })
        })
    }

    fn cache_put<'a>(
        &'a self,
        index: u32,
        key: &'a str,
        value: CacheValue,
        ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.answer("cache-put", index, host_requests::cache_put(key, &value, ttl, &self.redactor), |_| Some(()))
        })
    }

    fn open_tensor<'a>(&'a self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'a>> {
        self.answer("open-tensor", index, host_requests::open_tensor(tensor), |_| Some(()))?;
        let named = NamedTensor::of(tensor).map_err(Failure::InvalidInput)?;
        let blobs = self.blobs.as_ref();
        let blobs = blobs.ok_or_else(|| Failure::Unavailable("no tensors lie beside the record".to_owned()))?;
        Ok(TensorElements::Shared(blobs.open(named)?))
    }

    fn keep_tensor(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        let (asked, _) = host_requests::keep_tensor(shape, elements)?;
        self.answer("keep-tensor", index, asked, |value| serde_json::from_value(value.clone()).ok())
    }

    fn fetch<'a>(&'a self, index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(async move {
            self.answer("fetch", index, host_requests::fetch(&request, &self.redactor), |value| {
                Some(HttpResponse {
                    status: value["status"].as_u64()?.try_into().ok()?,
                    headers: pairs(&value["headers"])?,
                    body: bytes_from_value(&value["body"])?,
                })
            })
        })
    }
}
