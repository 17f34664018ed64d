//! Models that are in use. All stages with the same configuration share one: its weights, and the thread that computes.

use std::{
    collections::HashMap,
    mem,
    path::PathBuf,
    sync::{
        Arc, Mutex, Weak,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use jackfield_plugin_api::{DigestedPath, Failure, Result, catch_panic, sync::lock};
use tokio::sync::oneshot;

use super::{active::JobResult, job::Job, prompt::ModelText, worker::Worker};
use crate::{Admission, LoadFault, MemoryBudget, RunOptions, Transformer};

/// How a model is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EngineOptions {
    pub(super) run: RunOptions,
    /// Most requests side by side.
    pub(super) batch: usize,
    /// Most memory in bytes, weights and all.
    pub(super) memory: Option<u64>,
}

/// The identity of a model in use: path, digest, and how it is run.
type Key = (PathBuf, String, &'static str, usize, usize, Option<u64>);

static OPEN: Mutex<Option<HashMap<Key, Weak<Engine>>>> = Mutex::new(None);

/// A model in use. Its weights are read when the first request comes that needs them, and stay as long as it does.
#[derive(Debug)]
pub(crate) struct Engine {
    path: PathBuf,
    options: EngineOptions,
    text: Arc<ModelText>,
    queue: Arc<Queue>,
    warnings: Arc<Warnings>,
}

/// Warnings of the worker, until a call passes them to the host.
#[derive(Debug, Default)]
pub(super) struct Warnings(Mutex<Vec<String>>);

impl Warnings {
    pub(super) fn add(&self, warnings: Vec<String>) {
        if !warnings.is_empty() {
            lock(&self.0).extend(warnings);
        }
    }
}

/// The channel to the worker; none as long as there is no worker.
#[derive(Debug, Default)]
struct Queue(Mutex<Option<Sender<PendingRequest>>>);

/// A request that waits for the worker.
#[derive(Debug)]
pub(super) struct PendingRequest {
    pub(super) job: Job,
    pub(super) answer: oneshot::Sender<Result<JobResult>>,
}

impl Engine {
    /// Reads all of a model but its weights, or shares it with whoever has it in use.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] for files that are not those of a model that runs here.
    pub(super) fn open(path: &DigestedPath, options: EngineOptions) -> Result<Arc<Self>> {
        let RunOptions { kernel, threads } = options.run;
        let key = (path.path.clone(), path.sha256.clone(), kernel.name(), threads, options.batch, options.memory);
        // Locked while a model is read: a stage that opens the same model meanwhile gets this one.
        let mut open = lock(&OPEN);
        let open = open.get_or_insert_default();
        if let Some(engine) = open.get(&key).and_then(Weak::upgrade) {
            return Ok(engine);
        }
        open.retain(|_, engine| engine.strong_count() > 0);
        let text = Arc::new(ModelText::open(&path.path)?);
        let engine =
            Arc::new(Self { path: path.path.clone(), options, text, queue: Arc::default(), warnings: Arc::default() });
        open.insert(key, Arc::downgrade(&engine));
        Ok(engine)
    }

    /// Takes the warnings since the last call.
    pub(super) fn take_warnings(&self) -> Vec<String> {
        mem::take(&mut lock(&self.warnings.0))
    }

    pub(super) fn text(&self) -> &ModelText {
        &self.text
    }

    /// Has the worker do a job. If the future is dropped, the job is.
    ///
    /// # Errors
    /// [`Failure`] for weights that cannot be read, and for what cannot be computed.
    pub(super) async fn ask(&self, job: Job) -> Result<JobResult> {
        let (answer, found) = oneshot::channel();
        self.send(PendingRequest { job, answer })?;
        let ended = |_| Failure::Internal("the thread of the model `transformer` ended".to_owned());
        found.await.map_err(ended)?
    }

    /// Hands a request to the worker, which is begun if there is none.
    fn send(&self, waiting: PendingRequest) -> Result<()> {
        let mut queue = lock(&self.queue.0);
        if queue.is_none() {
            let (sender, requests) = channel();
            let context = WorkerContext {
                path: self.path.clone(),
                options: self.options,
                text: Arc::clone(&self.text),
                queue: Arc::clone(&self.queue),
                warnings: Arc::clone(&self.warnings),
            };
            let begun = thread::Builder::new().name("transformer".to_owned()).spawn(move || serve(&context, &requests));
            begun.map_err(|error| Failure::Unavailable(format!("cannot start the thread of the model: {error}")))?;
            *queue = Some(sender);
        }
        // The worker closes its end only while the queue is locked, and removes the sender then.
        if queue.as_ref().is_some_and(|queue| queue.send(waiting).is_ok()) {
            Ok(())
        } else {
            Err(Failure::Internal("the thread of the model `transformer` ended".to_owned()))
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Ends the worker.
        *lock(&self.queue.0) = None;
    }
}

/// What the thread of the worker needs of its engine, which it does not keep alive.
struct WorkerContext {
    path: PathBuf,
    options: EngineOptions,
    text: Arc<ModelText>,
    queue: Arc<Queue>,
    warnings: Arc<Warnings>,
}

/// Computes until the model is not in use any more. If the weights cannot be read, the pending requests fail, and the next
/// request tries to read them anew; if the weights are not valid, all requests fail.
fn serve(context: &WorkerContext, requests: &Receiver<PendingRequest>) {
    let WorkerContext { path, options, text, .. } = context;
    let budget = MemoryBudget::new(options.memory);
    let mut is_final = false;
    let loaded = catch_panic("transformer", || {
        let loaded = Transformer::load_within(path, &budget);
        let (model, weights) = loaded.inspect_err(|error| {
            // The same files say the same however often they are read, which may take minutes each time.
            is_final = matches!(error.fault, LoadFault::NotFinite { .. } | LoadFault::WrongChecksum { .. });
        })?;
        let model = model.with(options.run)?;
        if model.architecture != text.architecture {
            let path = path.display().to_string();
            return Err(Failure::InvalidConfig(format!(
                "`{}` changed since it was looked at: run again",
                path.escape_debug()
            )));
        }
        Ok((model, weights))
    });
    let failure = match loaded.and_then(|loaded| loaded) {
        // The weights are reserved as long as they are there.
        Ok((model, _weights)) => {
            let threads = options.run.threads;
            let admission = Admission::new(&budget, model.architecture(), threads, options.batch);
            return Worker::new(&model, Arc::clone(text), admission, &context.warnings).serve(requests);
        }
        Err(failure) => failure,
    };
    if is_final {
        // The receiver may have been dropped.
        return requests.iter().for_each(|waiting| drop(waiting.answer.send(Err(failure.clone()))));
    }
    let mut queue = lock(&context.queue.0);
    *queue = None;
    for waiting in requests.try_iter() {
        // The receiver may have been dropped.
        let _ = waiting.answer.send(Err(failure.clone()));
    }
}
