//! Models that are in use. All who are configured alike share one: its weights, and the thread that computes.

use std::{
    collections::HashMap,
    mem,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use jackfield_plugin_api::{DigestedPath, Failure, Result, catch_panic};
use tokio::sync::oneshot;

use super::{active::Found, job::Job, prompt::ModelText, worker::Worker};
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

/// What tells a model in use from others: path, digest, and how it is run.
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

/// What the worker has to say to whoever runs the model, until a call hands it to the host.
#[derive(Debug, Default)]
pub(super) struct Warnings(Mutex<Vec<String>>);

impl Warnings {
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, more: Vec<String>) {
        if !more.is_empty() {
            self.lock().extend(more);
        }
    }
}

/// Where the worker takes requests from; none as long as there is no worker.
#[derive(Debug, Default)]
struct Queue(Mutex<Option<Sender<Waiting>>>);

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Option<Sender<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for the worker.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) job: Job,
    pub(super) answer: oneshot::Sender<Result<Found>>,
}

impl Engine {
    /// Reads all of a model but its weights, or shares it with whoever has it in use.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] for files that are not those of a model that runs here.
    pub(super) fn open(path: &DigestedPath, options: EngineOptions) -> Result<Arc<Self>> {
        let RunOptions { kernel, threads } = options.run;
        let key = (path.path.clone(), path.sha256.clone(), kernel.name(), threads, options.batch, options.memory);
        // Held while a model is read: whoever asks for the same one meanwhile gets this one.
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// What the worker has to say since this was last asked.
    pub(super) fn take_warnings(&self) -> Vec<String> {
        mem::take(&mut self.warnings.lock())
    }

    pub(super) fn text(&self) -> &ModelText {
        &self.text
    }

    /// Has the worker do a job. If the future is dropped, the job is.
    ///
    /// # Errors
    /// [`Failure`] for weights that cannot be read, and for what cannot be computed.
    pub(super) async fn ask(&self, job: Job) -> Result<Found> {
        let (answer, found) = oneshot::channel();
        self.send(Waiting { job, answer })?;
        let ended = |_| Failure::Internal("the thread of the model `transformer` ended".to_owned());
        found.await.map_err(ended)?
    }

    /// Hands a request to the worker, which is begun if there is none.
    fn send(&self, waiting: Waiting) -> Result<()> {
        let mut queue = self.queue.lock();
        if queue.is_none() {
            let (sender, requests) = channel();
            let (path, options) = (self.path.clone(), self.options);
            let (text, shared) = (Arc::clone(&self.text), Arc::clone(&self.queue));
            let warnings = Arc::clone(&self.warnings);
            let begun = thread::Builder::new()
                .name("transformer".to_owned())
                .spawn(move || serve((&path, options), text, &requests, (&shared, &warnings)));
            begun.map_err(|error| Failure::Unavailable(format!("cannot start the thread of the model: {error}")))?;
            *queue = Some(sender);
        }
        // The worker lets go of its end only with the queue locked, and takes the sender with it.
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
        *self.queue.lock() = None;
    }
}

/// Computes until nobody has the model in use. Where the weights cannot be read, those who wait are told, and the next
/// request tries anew; where they are not what they must be, all who ask are told.
fn serve(
    (path, options): (&Path, EngineOptions),
    text: Arc<ModelText>,
    requests: &Receiver<Waiting>,
    (queue, warnings): (&Queue, &Warnings),
) {
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
            return Worker::new(&model, text, admission, warnings).serve(requests);
        }
        Err(failure) => failure,
    };
    if is_final {
        // Whoever asked may have left.
        return requests.iter().for_each(|waiting| drop(waiting.answer.send(Err(failure.clone()))));
    }
    let mut queue = queue.lock();
    *queue = None;
    for waiting in requests.try_iter() {
        // Whoever asked may have left.
        let _ = waiting.answer.send(Err(failure.clone()));
    }
}
