//! Calls are recorded as they are made.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jackfield_loader::{Registry, sandbox::Grants};
use jackfield_pipeline::StagePlan;
use jackfield_plugin_api::{
    BoxFuture, CacheValue, Completion, CompletionRequest, Document, HostCalls, HttpRequest, HttpResponse, Level,
    Request, Result, TensorElements, TensorReader, TensorRef, to_hex,
};
use jackfield_store::{Blobs, Elements, StoreError, digest_of, file_name_of, write_whole};
use serde_json::{Value, json};

use super::{
    format::{FORMAT, RecordedAnswer, RecordedCall, RecordedFailure, RecordedHostCall, RecordedRequest, bytes_out},
    redact::{Redactor, headers},
};

/// Writes a file for each call of a run.
pub struct CallRecorder {
    folder: PathBuf,
    /// The tensors that calls open and make, in the folder `blobs` beside the files.
    blobs: Arc<Blobs>,
    /// How many files there are of a stage and item.
    taken: Mutex<HashMap<String, u64>>,
    written: AtomicU64,
    lost: AtomicU64,
}

impl CallRecorder {
    /// Writes into a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(folder: &Path) -> std::result::Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|source| StoreError::file("make", folder, source))?;
        let (written, lost) = (AtomicU64::new(0), AtomicU64::new(0));
        let blobs = Blobs::in_run(folder, u64::MAX)?;
        Ok(Self { folder: folder.to_owned(), blobs, taken: Mutex::default(), written, lost })
    }

    /// Where the files go.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many files were written, and how many could not be.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.written.load(Ordering::Acquire), self.lost.load(Ordering::Acquire))
    }

    /// Keeps a tensor of a call beside its file.
    fn keep(&self, shape: &[u64], elements: &TensorElements<'_>) {
        let elements = match elements {
            TensorElements::Shared(elements) => Elements::Shared(Arc::clone(elements)),
            TensorElements::Lent(elements) => Elements::Lent(elements),
            TensorElements::Remote(_) => return,
        };
        if let Err(error) = self.blobs.put(shape, elements) {
            tracing::warn!("a tensor of a call is not recorded: {error}");
        }
    }

    fn write(&self, call: &RecordedCall, redactor: &Redactor) {
        let first = call.requests.first();
        let (stage, item) = first.map_or(("", ""), |first| (first.stage.as_str(), first.item.as_str()));
        let item = if item.is_empty() { "run".to_owned() } else { file_name_of(item) };
        let stem = format!("{}-{item}", file_name_of(stage));
        let path = self.next(&stem);
        match write_whole(&path, call.to_text(redactor)) {
            Ok(()) => self.written.fetch_add(1, Ordering::AcqRel),
            Err(error) => {
                tracing::warn!(stage, "a call is not recorded: {error}");
                self.lost.fetch_add(1, Ordering::AcqRel)
            }
        };
    }

    /// A name that is not taken: neither in this session nor by an earlier one.
    fn next(&self, stem: &str) -> PathBuf {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(stem.to_owned()).or_default();
        loop {
            *count += 1;
            let path = self.folder.join(format!("{stem}-{count}.json"));
            if !path.exists() {
                return path;
            }
        }
    }
}

/// Records the calls of one stage.
pub struct StageRecorder {
    recorder: Arc<CallRecorder>,
    /// What all its calls have in common.
    head: RecordedCall,
    redactor: Redactor,
}

impl StageRecorder {
    /// Records the calls of a stage.
    pub fn new(recorder: &Arc<CallRecorder>, stage: &StagePlan, registry: &Registry) -> Self {
        let extension = &stage.extension;
        let plugin = registry.plugins().iter().find(|plugin| plugin.alias == extension.plugin);
        let none = Grants::default();
        let grants = extension.offer(registry).map_or(&none, |offer| &*offer.grants);
        let head = RecordedCall {
            format: FORMAT,
            jackfield: env!("CARGO_PKG_VERSION").to_owned(),
            plugin: extension.plugin.clone(),
            file: plugin.and_then(|plugin| plugin.path.clone()),
            form: extension.form,
            sha256: extension.digest.clone(),
            kind: extension.kind,
            extension: extension.name.clone(),
            version: extension.version.clone(),
            config: stage.config.clone(),
            limits: stage.limits.clone(),
            grants: grants.granted().to_vec(),
            model: None,
            requests: Vec::new(),
            host_calls: Vec::new(),
            answer: None,
        };
        Self { recorder: Arc::clone(recorder), head, redactor: Redactor::new(grants) }
    }

    /// Begins a record. It is written when it is finished, or else, without an answer, when it is dropped.
    pub fn begin<'a>(&'a self, requests: &[Request], host: &'a dyn HostCalls) -> Recording<'a> {
        let mut call = self.head.clone();
        call.requests = requests.iter().map(RecordedRequest::of).collect();
        call.model = host.model_name();
        Recording { stage: self, host, call: Mutex::new(call) }
    }
}

/// The host, as a plugin sees it during a call that is recorded.
pub struct Recording<'a> {
    stage: &'a StageRecorder,
    host: &'a dyn HostCalls,
    call: Mutex<RecordedCall>,
}

impl Recording<'_> {
    /// Adds what the call answered.
    pub fn finish(self, answered: &Result<Vec<Result<Document>>>) {
        self.call.lock().unwrap_or_else(PoisonError::into_inner).answer = Some(RecordedAnswer::of(answered));
    }

    /// Takes down what is asked; the answer is added at the place that this gives.
    fn ask(&self, call: &str, request: Option<u32>, asked: Value) -> usize {
        let mut record = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        let call = call.to_owned();
        record.host_calls.push(RecordedHostCall { call, request, asked, answer: None, failure: None, times: 1 });
        record.host_calls.len() - 1
    }

    fn answer<T>(&self, place: usize, answer: &Result<T>, value: impl FnOnce(&T) -> Value) {
        let mut record = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = &mut record.host_calls[place];
        match answer {
            Ok(answer) => entry.answer = Some(value(answer)),
            Err(failure) => entry.failure = Some(RecordedFailure::of(failure)),
        }
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        let call = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        self.stage.recorder.write(&call, &self.stage.redactor);
    }
}

/// How host calls are written: what was asked.
pub(super) mod asked {
    use super::{
        super::format::bytes_out, CompletionRequest, Duration, HttpRequest, Level, Redactor, Result, TensorElements,
        TensorReader, TensorRef, Value, digest_of, headers, json, to_hex,
    };

    pub(in super::super) fn open_tensor(tensor: &TensorRef) -> Value {
        serde_json::to_value(tensor).unwrap_or_default()
    }

    /// Also gives the elements, which are in memory then.
    pub(in super::super) fn keep_tensor<'a>(
        shape: &[u64],
        elements: TensorElements<'a>,
    ) -> Result<(Value, TensorElements<'a>)> {
        let elements = match elements {
            remote @ TensorElements::Remote(_) => {
                TensorElements::Shared(TensorReader::new(shape.to_vec(), remote)?.into_shared()?)
            }
            elements => elements,
        };
        let digest = match &elements {
            TensorElements::Shared(elements) => digest_of(elements),
            TensorElements::Lent(elements) => digest_of(elements),
            TensorElements::Remote(_) => unreachable!("it was read"),
        };
        Ok((json!({ "shape": shape, "sha256": to_hex(&digest) }), elements))
    }

    pub(in super::super) fn complete(request: &CompletionRequest) -> Value {
        serde_json::to_value(request).unwrap_or_default()
    }

    pub(in super::super) fn cache_get(key: &str) -> Value {
        json!({ "key": key })
    }

    pub(in super::super) fn cache_put(key: &str, value: &[u8], ttl: Option<Duration>, redactor: &Redactor) -> Value {
        let ttl = ttl.map(|ttl| ttl.as_millis() as u64);
        json!({ "key": key, "value": bytes_out(value, redactor), "ttl_ms": ttl })
    }

    pub(in super::super) fn fetch(request: &HttpRequest, redactor: &Redactor) -> Value {
        json!({
            "method": request.method,
            "url": request.url,
            "headers": headers(&request.headers),
            "body": bytes_out(&request.body, redactor),
            "timeout_ms": request.timeout.map(|timeout| timeout.as_millis() as u64),
        })
    }

    pub(in super::super) fn log(level: Level, target: &str, message: &str) -> Value {
        let level = ["error", "warn", "info", "debug", "trace"][level as usize];
        json!({ "level": level, "target": target, "message": message })
    }

    pub(in super::super) fn progress(done: u64, total: Option<u64>, note: &str) -> Value {
        json!({ "done": done, "total": total, "note": note })
    }
}

impl HostCalls for Recording<'_> {
    fn log(&self, level: Level, target: &str, message: &str) {
        self.ask("log", None, asked::log(level, target, message));
        self.host.log(level, target, message);
    }

    fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str) {
        self.ask("progress", Some(index), asked::progress(done, total, note));
        self.host.progress(index, done, total, note);
    }

    fn cancelled(&self) -> bool {
        let cancelled = self.host.cancelled();
        let answer = Some(Value::from(cancelled));
        let mut record = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        // A plugin may ask this all the time.
        match record.host_calls.last_mut() {
            Some(last) if last.call == "cancelled" && last.answer == answer => last.times += 1,
            _ => {
                let call = "cancelled".to_owned();
                let entry = RecordedHostCall { call, request: None, asked: json!({}), answer, failure: None, times: 1 };
                record.host_calls.push(entry);
            }
        }
        cancelled
    }

    fn complete<'a>(&'a self, index: u32, request: CompletionRequest) -> BoxFuture<'a, Result<Completion>> {
        let place = self.ask("complete", Some(index), asked::complete(&request));
        Box::pin(async move {
            let answer = self.host.complete(index, request).await;
            self.answer(place, &answer, |completion| serde_json::to_value(completion).unwrap_or_default());
            answer
        })
    }

    fn model_name(&self) -> Option<String> {
        let name = self.host.model_name();
        let place = self.ask("model-name", None, json!({}));
        self.answer(place, &Ok(&name), |name| json!(name));
        name
    }

    fn cache_get<'a>(&'a self, index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        let place = self.ask("cache-get", Some(index), asked::cache_get(key));
        Box::pin(async move {
            let answer = self.host.cache_get(index, key).await;
            self.answer(place, &answer, |value| {
                value.as_ref().map_or(Value::Null, |value| bytes_out(value, &self.stage.redactor))
            });
            answer
        })
    }

    fn cache_put<'a>(
        &'a self,
        index: u32,
        key: &'a str,
        value: CacheValue,
        ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<()>> {
        let place = self.ask("cache-put", Some(index), asked::cache_put(key, &value, ttl, &self.stage.redactor));
        Box::pin(async move {
            let answer = self.host.cache_put(index, key, value, ttl).await;
            self.answer(place, &answer, |()| Value::Null);
            answer
        })
    }

    fn open_tensor<'a>(&'a self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'a>> {
        let place = self.ask("open-tensor", Some(index), asked::open_tensor(tensor));
        let answer = self.host.open_tensor(index, tensor);
        if let Ok(elements) = &answer {
            self.stage.recorder.keep(&tensor.shape, elements);
        }
        self.answer(place, &answer, |_| Value::Null);
        answer
    }

    fn keep_tensor(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        let (asked, elements) = asked::keep_tensor(shape, elements)?;
        let place = self.ask("keep-tensor", Some(index), asked);
        self.stage.recorder.keep(shape, &elements);
        let answer = self.host.keep_tensor(index, shape, elements);
        self.answer(place, &answer, |tensor| serde_json::to_value(tensor).unwrap_or_default());
        answer
    }

    fn fetch<'a>(&'a self, index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        let place = self.ask("fetch", Some(index), asked::fetch(&request, &self.stage.redactor));
        Box::pin(async move {
            let answer = self.host.fetch(index, request).await;
            self.answer(place, &answer, |response| {
                json!({
                    "status": response.status,
                    "headers": headers(&response.headers),
                    "body": bytes_out(&response.body, &self.stage.redactor),
                })
            });
            answer
        })
    }
}
