//! One batch of calls on its way through a plugin.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::Sender;
use jackfield_plugin_api::{CatchPanic, Document, Failure, HostCalls, Request, Result, catch_panic};
use jackfield_services::TensorScopes;
use jackfield_store::MemoNote;

use super::{
    batch_control::BatchControl,
    call_host::CallHost,
    memo::Memo,
    pool::{Job, Pool, current_worker},
    stage_runtime::StageRuntime,
    tensor_shapes::Lengths,
};

/// The number of a batch among those that a scheduler has started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct BatchId(pub(super) u64);

/// A batch that is to be computed.
pub(super) struct Batch<'a> {
    pub(super) id: BatchId,
    /// What its calls are made with.
    pub(super) runtime: &'a Arc<StageRuntime>,
    /// One a call.
    pub(super) requests: Arc<Vec<Request>>,
    /// How whoever starts it follows and cancels it.
    pub(super) control: &'a Arc<BatchControl>,
    /// Where its answers go.
    pub(super) answers: &'a Sender<BatchAnswers>,
}

/// The answers of a batch.
pub(super) struct BatchAnswers {
    pub(super) batch: BatchId,
    /// One a request, in their order.
    pub(super) results: Vec<Result<Document>>,
    /// What the memo says of each call; empty for a stage without one.
    pub(super) memo: Vec<MemoNote>,
    /// When the batch was begun.
    pub(super) began: Instant,
    /// The same, in microseconds since the session began.
    pub(super) began_us: u64,
    /// How long it took; what it queued does not count, nor what the memo took.
    pub(super) took: Duration,
    /// How long the memo took to find and to keep results.
    pub(super) memo_took: Duration,
}

/// What a batch was answered, before it is timed.
struct Answered {
    results: Vec<Result<Document>>,
    memo: Vec<MemoNote>,
    memo_took: Duration,
}

/// Starts a batch on the workers of a pool.
pub(super) fn start(pool: &Pool, batch: Batch<'_>) -> Job {
    let Batch { id, runtime, requests, control, answers } = batch;
    let (runtime, control, answers) = (Arc::clone(runtime), Arc::clone(control), answers.clone());
    pool.spawn(async move {
        let mut began = Instant::now();
        let mut began_us = runtime.since_start_us(began);
        control.start_at(began_us);
        let Answered { results, memo, memo_took } = match &runtime.memo {
            None => Answered {
                results: call_shaped(&runtime, &requests, &control).await,
                memo: Vec::new(),
                memo_took: Duration::ZERO,
            },
            Some(memo) => call_with_memo(&runtime, memo, &requests, &control).await,
        };
        let mut took = began.elapsed().saturating_sub(memo_took);
        if let Some(queued) = control.queued() {
            // As if it had queued before it began.
            (began, took) = (began + queued, took.saturating_sub(queued));
            began_us = runtime.since_start_us(began);
        }
        // The run ends with its last answer, and the instances with the run: a worker that nobody waits for must not hold one.
        drop((runtime, requests));
        // A scheduler that has ended needs no answers.
        let _ = answers.send(BatchAnswers { batch: id, results, memo, began, began_us, took, memo_took });
    })
}

/// Takes from the memo what is there, and calls the plugin for the rest.
async fn call_with_memo(runtime: &StageRuntime, memo: &Memo, requests: &[Request], control: &BatchControl) -> Answered {
    let began = Instant::now();
    let (mut results, notes) = memo.look_up(requests, &runtime.blobs).await;
    let mut memo_took = began.elapsed();
    for (request, note) in requests.iter().zip(&notes) {
        control.note_lookup(&request.context.item, note.hit);
    }
    let missing: Vec<usize> = (0..results.len()).filter(|at| results[*at].is_none()).collect();
    if !missing.is_empty() {
        let missing_requests: Vec<Request> = missing.iter().map(|at| memo.request(&requests[*at])).collect();
        for (at, result) in missing.into_iter().zip(call_shaped(runtime, &missing_requests, control).await) {
            if let Ok(document) = &result {
                let began = Instant::now();
                memo.keep(&notes[at], document, &runtime.blobs).await;
                memo_took += began.elapsed();
            }
            results[at] = Some(result);
        }
    }
    Answered { results: results.into_iter().flatten().collect(), memo: notes, memo_took }
}

/// Calls the plugin and checks what it answers. Tensors are held to the shapes that it wants before the call, and to those
/// that it promises after it.
async fn call_shaped(runtime: &StageRuntime, requests: &[Request], control: &BatchControl) -> Vec<Result<Document>> {
    let Some(shapes) = &runtime.shapes else { return call(runtime, requests, control).await };
    let checked: Vec<Result<Lengths>> = requests
        .iter()
        .map(|request| {
            let unfit = |why| Failure::InvalidInput(format!("stage `{}` cannot read its input: {why}", runtime.name));
            shapes.check_input(&request.document).map_err(unfit)
        })
        .collect();
    let fit: Vec<Request> = requests
        .iter()
        .zip(&checked)
        .filter(|(_, checked)| checked.is_ok())
        .map(|(request, _)| request.clone())
        .collect();
    let mut answers = if fit.is_empty() { Vec::new() } else { call(runtime, &fit, control).await }.into_iter();
    let check_output = |lengths, answer: Result<Document>| {
        let document = answer?;
        shapes.check_output(&document, lengths).map_err(|why| runtime.invalid_output(&why))?;
        Ok(document)
    };
    let each = checked.into_iter().map(|checked| {
        let lengths = checked?;
        check_output(lengths, answers.next().expect("there is an answer for each request that was made"))
    });
    each.collect()
}

/// Calls the plugin and holds each answer to the plugin's own schema.
async fn call(runtime: &StageRuntime, requests: &[Request], control: &BatchControl) -> Vec<Result<Document>> {
    let tensors = TensorScopes::of_stage(&runtime.blobs, requests, runtime.max_tensor_bytes);
    let host = CallHost { runtime, requests, control, tensors };
    let recording = runtime.recorder.as_ref().map(|recorder| recorder.begin(requests, &host));
    let calls: &dyn HostCalls = recording.as_ref().map_or(&host, |recording| recording);
    let queue = runtime.may_queue.then(|| control.start_queue_clock());
    let answered = match catch_panic("call", || runtime.instance.call(requests, calls)) {
        Ok(future) => {
            let mut future = pin!(CatchPanic::new("call", future));
            poll_fn(|context| {
                control.set_worker(current_worker());
                let polled = match queue {
                    Some(queue) => queue.during(|| future.as_mut().poll(context)),
                    None => future.as_mut().poll(context),
                };
                control.set_worker(None);
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
            let (extension, answers) = (&runtime.extension, results.len());
            let what = format!("`{extension}` answered {answers} results to {} requests", requests.len());
            vec![Err(Failure::InvalidOutput(what)); requests.len()]
        }
        Ok(results) => {
            let checked = |(index, result): (usize, Result<Document>)| {
                let document = runtime.check(result?)?;
                let named = host.tensors.admit_answer(index as u32, &document.json);
                named.map_err(|wrong| runtime.invalid_output(&format!("the answer {wrong}")))?;
                Ok(document)
            };
            results.into_iter().enumerate().map(checked).collect()
        }
        Err(failure) => vec![Err(failure); requests.len()],
    }
}
