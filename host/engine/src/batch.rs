//! One batch of calls on its way through a plugin.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::Sender;
use jackfield_loader::sandbox::QueueClock;
use jackfield_plugin_api::{CatchPanic, Document, Failure, HostCalls, Request, Result, catch_panic};
use jackfield_services::{Sending, TensorScopes};
use jackfield_store::{CallNote, MemoNote};

use super::{
    call_host::CallHost,
    pool::{Job, Pool, current_worker},
    station::Station,
    tensor_shapes::Lengths,
};

/// What a batch under way and the scheduler tell each other.
#[derive(Default)]
pub(super) struct Control {
    cancelled: AtomicBool,
    /// Microseconds since the session began, plus one; 0 before the batch is begun.
    started: AtomicU64,
    /// The worker that polls it at this moment, plus one; 0 while it waits.
    worker: AtomicUsize,
    /// How far it has come with its completions.
    pub(super) sending: Sending,
    /// What it queues, where a sandboxed plugin may have to.
    queue: OnceLock<Arc<QueueClock>>,
    /// Completions so far. They stand here so that a batch that is given up leaves them behind.
    notes: Mutex<Vec<CallNote>>,
    /// What caches were asked so far: on behalf of which item, and whether it was there.
    lookups: Mutex<Vec<(Arc<str>, bool)>>,
}

impl Control {
    pub(super) fn note(&self, note: CallNote) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// The completions that were made, once.
    pub(super) fn notes(&self) -> Vec<CallNote> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that a cache was asked for something.
    pub(super) fn looked_up(&self, item: &Arc<str>, found: bool) {
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner).push((Arc::clone(item), found));
    }

    /// What caches were asked, once.
    pub(super) fn lookups(&self) -> Vec<(Arc<str>, bool)> {
        std::mem::take(&mut *self.lookups.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    /// Leaves the batch if it waits for what has not begun, or for as long as somebody else likes: for a worker, for a model
    /// that was not called, for the end of a delay.
    pub(super) fn leave(&self) -> bool {
        self.started_us().is_none() || self.worker().is_none() && self.sending.leave()
    }

    /// When it was begun, as microseconds since the session began.
    pub(super) fn started_us(&self) -> Option<u64> {
        self.started.load(Ordering::Acquire).checked_sub(1)
    }

    /// What is left of a limit on its time, of which so much has passed. It is not held against a call that it queues.
    pub(super) fn left(&self, limit: Duration, passed: Duration) -> Duration {
        self.queue.get().map_or_else(|| limit.saturating_sub(passed), |queue| queue.left(limit, passed))
    }

    /// Whether it queues at this moment, for its turn to compute or for memory.
    pub(super) fn is_queueing(&self) -> bool {
        self.queue.get().is_some_and(|queue| queue.is_queueing())
    }

    /// The worker that computes it at this moment.
    pub(super) fn worker(&self) -> Option<usize> {
        self.worker.load(Ordering::Acquire).checked_sub(1)
    }
}

/// The answers of a batch.
pub(super) struct Answers {
    pub(super) batch: u64,
    pub(super) results: Vec<Result<Document>>,
    /// What the memo says of each call; empty for a stage without one.
    pub(super) memo: Vec<MemoNote>,
    pub(super) began: Instant,
    pub(super) began_us: u64,
    pub(super) took: Duration,
}

/// Sends a batch on its way. The answers come over `done`, in order of the requests.
pub(super) fn send(
    pool: &Pool,
    station: &Arc<Station>,
    batch: u64,
    requests: Arc<Vec<Request>>,
    control: &Arc<Control>,
    done: &Sender<Answers>,
) -> Job {
    let (station, control, done) = (Arc::clone(station), Arc::clone(control), done.clone());
    pool.spawn(async move {
        let began = Instant::now();
        let began_us = station.since_start_us(began);
        control.started.store(began_us + 1, Ordering::Release);
        let (results, memo) = match &station.memo {
            None => (called(&station, &requests, &control).await, Vec::new()),
            Some(memo) => {
                let (mut results, notes) = memo.look_up(&requests, &station.blobs).await;
                for (request, note) in requests.iter().zip(&notes) {
                    control.looked_up(&request.context.item, note.hit);
                }
                let open: Vec<usize> = (0..results.len()).filter(|at| results[*at].is_none()).collect();
                if !open.is_empty() {
                    let asked: Vec<Request> = open.iter().map(|at| memo.request(&requests[*at])).collect();
                    for (at, result) in open.into_iter().zip(called(&station, &asked, &control).await) {
                        if let Ok(document) = &result {
                            memo.keep(&notes[at], document, &station.blobs).await;
                        }
                        results[at] = Some(result);
                    }
                }
                (results.into_iter().flatten().collect(), notes)
            }
        };
        let (mut began, mut began_us, mut took) = (began, began_us, began.elapsed());
        if let Some(queue) = control.queue.get() {
            // As if it had queued before it began.
            let queued = queue.queued();
            (began, took) = (began + queued, took.saturating_sub(queued));
            began_us = station.since_start_us(began);
        }
        // The run ends with its last answer, and the instances with the run: none is left to a worker that nobody waits for.
        drop((station, requests));
        // A scheduler that is gone needs no answers.
        let _ = done.send(Answers { batch, results, memo, began, began_us, took });
    })
}

/// Calls the plugin and checks what it answers. Tensors are held to the shapes that it wants before the call, and to those
/// that it promises after it.
async fn called(station: &Station, requests: &[Request], control: &Control) -> Vec<Result<Document>> {
    let Some(shapes) = &station.shapes else { return called_unshaped(station, requests, control).await };
    let checked: Vec<Result<Lengths>> = requests
        .iter()
        .map(|request| {
            let unfit = |why| Failure::InvalidInput(format!("stage `{}` cannot read its input: {why}", station.name));
            shapes.check_input(&request.document).map_err(unfit)
        })
        .collect();
    let fit: Vec<Request> = requests
        .iter()
        .zip(&checked)
        .filter(|(_, checked)| checked.is_ok())
        .map(|(request, _)| request.clone())
        .collect();
    let mut answers =
        if fit.is_empty() { Vec::new() } else { called_unshaped(station, &fit, control).await }.into_iter();
    let hold = |lengths, answer: Result<Document>| {
        let document = answer?;
        shapes.check_output(&document, lengths).map_err(|why| station.wrong(&why))?;
        Ok(document)
    };
    let each = checked.into_iter().map(|checked| {
        let lengths = checked?;
        let Some(answer) = answers.next() else { unreachable!("there is an answer for each request that was made") };
        hold(lengths, answer)
    });
    each.collect()
}

async fn called_unshaped(station: &Station, requests: &[Request], control: &Control) -> Vec<Result<Document>> {
    let tensors = TensorScopes::of_stage(&station.blobs, requests, station.tensors);
    let host = CallHost { station, requests, control, tensors };
    let recording = station.recorder.as_ref().map(|recorder| recorder.begin(requests, &host));
    let calls: &dyn HostCalls = recording.as_ref().map_or(&host, |recording| recording);
    let queue = station.may_queue.then(|| control.queue.get_or_init(QueueClock::within_current));
    let answered = match catch_panic("call", || station.instance.call(requests, calls)) {
        Ok(future) => {
            let mut future = pin!(CatchPanic::new("call", future));
            poll_fn(|context| {
                control.worker.store(current_worker().map_or(0, |worker| worker + 1), Ordering::Release);
                let polled = match queue {
                    Some(queue) => queue.during(|| future.as_mut().poll(context)),
                    None => future.as_mut().poll(context),
                };
                control.worker.store(0, Ordering::Release);
                polled
            })
            .await
        }
        Err(failure) => Err(failure),
    };
    if let Some(recording) = recording {
        recording.finish(&answered);
    }
    match answered {
        Ok(results) if results.len() != requests.len() => {
            let (extension, answers) = (&station.extension, results.len());
            let what = format!("`{extension}` answered {answers} results to {} requests", requests.len());
            vec![Err(Failure::InvalidOutput(what)); requests.len()]
        }
        Ok(results) => {
            let checked = |(index, result): (usize, Result<Document>)| {
                let document = station.check(result?)?;
                let named = host.tensors.take_answer(index as u32, &document.json);
                named.map_err(|wrong| station.wrong(&format!("the answer {wrong}")))?;
                Ok(document)
            };
            results.into_iter().enumerate().map(checked).collect()
        }
        Err(failure) => vec![Err(failure); requests.len()],
    }
}
