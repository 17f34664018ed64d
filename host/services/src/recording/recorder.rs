//! Records the calls of stages while they are made: a file for each.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jackfield_loader::{Registry, sandbox::Grants};
use jackfield_pipeline::StagePlan;
use jackfield_plugin_api::{
    BoxFuture, CacheValue, Completion, CompletionRequest, Document, HostCalls, HttpRequest, HttpResponse, Level,
    Request, Result, TensorElements, TensorRef, sync::lock,
};
use jackfield_store::{Blobs, Elements, StoreError, file_name_of, write_whole};
use serde_json::{Value, json};

use super::{
    format::{
        FORMAT, RecordedAnswer, RecordedCall, RecordedFailure, RecordedHostCall, RecordedRequest, bytes_to_value,
    },
    host_requests,
    redact::{Redactor, redact_headers},
};

/// Writes a file for each call of a run.
pub struct CallRecorder {
    folder: PathBuf,
    /// The tensors that calls open and make, in the folder `blobs` beside the files.
    blobs: Arc<Blobs>,
    /// For each stage and item, the number of its last file.
    taken: Mutex<HashMap<String, u64>>,
    /// Files that were written.
    written: AtomicU64,
    /// Files that could not be written.
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
    fn keep_tensor(&self, shape: &[u64], elements: &TensorElements<'_>) {
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
        let path = self.unused_path(&stem);
        match write_whole(&path, call.to_text(redactor)) {
            Ok(()) => self.written.fetch_add(1, Ordering::AcqRel),
            Err(error) => {
                tracing::warn!(stage, "a call is not recorded: {error}");
                self.lost.fetch_add(1, Ordering::AcqRel)
            }
        };
    }

    /// A name that is not taken: neither in this session nor by an earlier one.
    fn unused_path(&self, stem: &str) -> PathBuf {
        let mut taken = lock(&self.taken);
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
    common: RecordedCall,
    redactor: Redactor,
}

impl StageRecorder {
    /// Records the calls of a stage.
    pub fn new(recorder: &Arc<CallRecorder>, stage: &StagePlan, registry: &Registry) -> Self {
        let extension = &stage.extension;
        let plugin = registry.plugins().iter().find(|plugin| plugin.alias == extension.plugin);
        let no_grants = Grants::default();
        let grants = extension.entry(registry).map_or(&no_grants, |entry| &*entry.grants);
        let common = RecordedCall {
            format: FORMAT,
            jackfield: env!("CARGO_PKG_VERSION").to_owned(),
            plugin: extension.plugin.clone(),
            file: plugin.and_then(|plugin| plugin.path.clone()),
            linkage: extension.linkage,
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
        Self { recorder: Arc::clone(recorder), common, redactor: Redactor::new(grants) }
    }

    /// Begins a record. It is written when it is finished, or else, without an answer, when it is dropped.
    pub fn begin<'a>(&'a self, requests: &[Request], host: &'a dyn HostCalls) -> Recording<'a> {
        let mut call = self.common.clone();
        call.requests = requests.iter().map(RecordedRequest::from_request).collect();
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
    /// Adds what the extension answered, and writes the file.
    pub fn finish(self, answered: &Result<Vec<Result<Document>>>) {
        lock(&self.call).answer = Some(RecordedAnswer::from_results(answered));
    }

    /// Records what is asked. Returns the index of the host call, under which the answer is added.
    fn begin_host_call(&self, call: &str, request: Option<u32>, asked: Value) -> usize {
        let mut record = lock(&self.call);
        let call = call.to_owned();
        record.host_calls.push(RecordedHostCall { call, request, asked, answer: None, failure: None, times: 1 });
        record.host_calls.len() - 1
    }

    fn finish_host_call<T>(&self, entry: usize, answer: &Result<T>, value: impl FnOnce(&T) -> Value) {
        let mut record = lock(&self.call);
        let entry = &mut record.host_calls[entry];
        match answer {
            Ok(answer) => entry.answer = Some(value(answer)),
            Err(failure) => entry.failure = Some(RecordedFailure::from_failure(failure)),
        }
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        let call = lock(&self.call);
        self.stage.recorder.write(&call, &self.stage.redactor);
    }
}

impl HostCalls for Recording<'_> {
    fn log(&self, level: Level, target: &str, message: &str) {
        self.begin_host_call("log", None, host_requests::log(level, target, message));
        self.host.log(level, target, message);
    }

    fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str) {
        self.begin_host_call("progress", Some(index), host_requests::progress(done, total, note));
        self.host.progress(index, done, total, note);
    }

    fn cancelled(&self) -> bool {
        let cancelled = self.host.cancelled();
        let answer = Some(Value::from(cancelled));
        let mut record = lock(&self.call);
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
        let entry = self.begin_host_call("complete", Some(index), host_requests::complete(&request));
        Box::pin(async move {
            let answer = self.host.complete(index, request).await;
            self.finish_host_call(entry, &answer, |completion| serde_json::to_value(completion).unwrap_or_default());
            answer
        })
    }

    fn model_name(&self) -> Option<String> {
        let name = self.host.model_name();
        let entry = self.begin_host_call("model-name", None, json!({}));
        self.finish_host_call(entry, &Ok(&name), |name| json!(name));
        name
    }

    fn cache_get<'a>(&'a self, index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        let entry = self.begin_host_call("cache-get", Some(index), host_requests::cache_get(key));
        Box::pin(async move {
            let answer = self.host.cache_get(index, key).await;
            self.finish_host_call(entry, &answer, |value| {
                value.as_ref().map_or(Value::Null, |value| bytes_to_value(value, &self.stage.redactor))
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
        let entry = self.begin_host_call(
            "cache-put",
            Some(index),
            host_requests::cache_put(key, &value, ttl, &self.stage.redactor),
        );
        Box::pin(async move {
            let answer = self.host.cache_put(index, key, value, ttl).await;
            self.finish_host_call(entry, &answer, |()| Value::Null);
            answer
        })
    }

    fn open_tensor<'a>(&'a self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'a>> {
        let entry = self.begin_host_call("open-tensor", Some(index), host_requests::open_tensor(tensor));
        let answer = self.host.open_tensor(index, tensor);
        if let Ok(elements) = &answer {
            self.stage.recorder.keep_tensor(&tensor.shape, elements);
        }
        self.finish_host_call(entry, &answer, |_| Value::Null);
        answer
    }

    fn keep_tensor(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        let (request, elements) = host_requests::keep_tensor(shape, elements)?;
        let entry = self.begin_host_call("keep-tensor", Some(index), request);
        self.stage.recorder.keep_tensor(shape, &elements);
        let answer = self.host.keep_tensor(index, shape, elements);
        self.finish_host_call(entry, &answer, |tensor| serde_json::to_value(tensor).unwrap_or_default());
        answer
    }

    fn fetch<'a>(&'a self, index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        let entry = self.begin_host_call("fetch", Some(index), host_requests::fetch(&request, &self.stage.redactor));
        Box::pin(async move {
            let answer = self.host.fetch(index, request).await;
            self.finish_host_call(entry, &answer, |response| {
                json!({
                    "status": response.status,
                    "headers": redact_headers(&response.headers),
                    "body": bytes_to_value(&response.body, &self.stage.redactor),
                })
            });
            answer
        })
    }
}
