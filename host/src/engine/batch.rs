//! One batch of calls on its way through a plugin.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::Sender;
use jackfield_plugin_api::{Document, Failure, Guarded, HostCalls, Instance, Level, Request, Result, guarded};
use jsonschema::Validator;

use super::pool::{Job, Pool, current_worker};
use crate::pipeline::StagePlan;

/// What the batches of a stage share.
pub(super) struct Station {
    /// Name of the stage.
    pub(super) name: Arc<str>,
    /// The extension, as failures name it.
    extension: String,
    instance: Arc<dyn Instance>,
    /// Absent where the schema takes anything.
    schema: Option<Validator>,
    began: Instant,
}

impl Station {
    /// A stage with its opened extension. `schema` is the extension's output schema.
    pub(super) fn new(
        plan: &StagePlan,
        instance: Arc<dyn Instance>,
        schema: &serde_json::Value,
        began: Instant,
    ) -> Self {
        let anything = schema.as_bool() == Some(true) || schema.as_object().is_some_and(serde_json::Map::is_empty);
        let schema = if anything { None } else { jsonschema::validator_for(schema).ok() };
        let extension = match plan.extension.plugin.as_str() {
            "bundled" => plan.extension.name.clone(),
            alias => format!("{alias}/{}", plan.extension.name),
        };
        Self { name: plan.name.as_str().into(), extension, instance, schema, began }
    }

    /// Microseconds since the session began.
    pub(super) fn now_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    /// Holds an answer to the extension's own schema, so that a fault is found at the guilty stage rather than at one that
    /// reads it.
    fn check(&self, document: Document) -> Result<Document> {
        let wrong = |what: String| {
            Err(Failure::InvalidOutput(format!(
                "`{}` broke its own output schema in stage `{}`: {what}",
                self.extension, self.name
            )))
        };
        for tensor in &document.tensors {
            let wanted = tensor.shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length));
            if wanted != Some(tensor.data.len() as u64) {
                return wrong(format!(
                    "tensor `{}` holds {} elements, not {:?}",
                    tensor.name,
                    tensor.data.len(),
                    tensor.shape
                ));
            }
        }
        let Some(schema) = &self.schema else {
            return match serde_json::from_str::<serde::de::IgnoredAny>(&document.json) {
                Ok(_) => Ok(document),
                Err(error) => wrong(format!("it is no JSON: {error}")),
            };
        };
        let value: serde_json::Value = match serde_json::from_str(&document.json) {
            Ok(value) => value,
            Err(error) => return wrong(format!("it is no JSON: {error}")),
        };
        match schema.iter_errors(&value).next() {
            None => Ok(document),
            Some(error) => {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "the answer".to_owned() } else { format!("`{place}`") };
                let what: String = error.to_string().chars().take(300).collect();
                wrong(format!("{place}: {what}"))
            }
        }
    }
}

/// What a batch under way and the scheduler tell each other.
#[derive(Default)]
pub(super) struct Control {
    cancelled: AtomicBool,
    /// Microseconds since the session began, plus one; 0 before the batch is begun.
    started: AtomicU64,
    /// The worker that polls it at this moment, plus one; 0 while it waits.
    worker: AtomicUsize,
}

impl Control {
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    /// When it was begun, as microseconds since the session began.
    pub(super) fn started_us(&self) -> Option<u64> {
        self.started.load(Ordering::Acquire).checked_sub(1)
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
    pub(super) began_us: u64,
    pub(super) took: Duration,
}

/// Sends a batch on its way. The answers come over `done`; requests come back with nothing but their answers.
pub(super) fn send(
    pool: &Pool,
    station: &Arc<Station>,
    batch: u64,
    requests: Vec<Request>,
    control: &Arc<Control>,
    done: &Sender<Answers>,
) -> Job {
    let (station, control, done) = (Arc::clone(station), Arc::clone(control), done.clone());
    pool.spawn(async move {
        let began = Instant::now();
        let began_us = began.duration_since(station.began).as_micros() as u64;
        control.started.store(began_us + 1, Ordering::Release);
        let host = CallHost { station: &station, requests: &requests, control: &control };
        let answered = match guarded("call", || station.instance.call(&requests, &host)) {
            Ok(future) => {
                let mut future = pin!(Guarded::new("call", future));
                poll_fn(|context| {
                    control.worker.store(current_worker().map_or(0, |worker| worker + 1), Ordering::Release);
                    let polled = future.as_mut().poll(context);
                    control.worker.store(0, Ordering::Release);
                    polled
                })
                .await
            }
            Err(failure) => Err(failure),
        };
        let wrong_count = |count: usize| {
            Failure::InvalidOutput(format!(
                "`{}` answered {count} results to {} requests",
                station.extension,
                requests.len()
            ))
        };
        let answered = match answered {
            Ok(results) if results.len() != requests.len() => Err(wrong_count(results.len())),
            other => other,
        };
        let took = began.elapsed();
        let results = match answered {
            Ok(results) => {
                results.into_iter().map(|result| result.and_then(|document| station.check(document))).collect()
            }
            Err(failure) => vec![Err(failure); requests.len()],
        };
        // The run ends with its last answer, and the instances with the run: none is left to a worker that nobody waits for.
        drop(station);
        // A scheduler that is gone needs no answers.
        let _ = done.send(Answers { batch, results, began_us, took });
    })
}

/// The host, as a plugin sees it during a call.
struct CallHost<'a> {
    station: &'a Station,
    requests: &'a [Request],
    control: &'a Control,
}

impl HostCalls for CallHost<'_> {
    fn log(&self, level: Level, _target: &str, message: &str) {
        let stage = &*self.station.name;
        match level {
            Level::Error => tracing::error!(target: "plugin", stage, "{message}"),
            Level::Warn => tracing::warn!(target: "plugin", stage, "{message}"),
            Level::Info => tracing::info!(target: "plugin", stage, "{message}"),
            Level::Debug => tracing::debug!(target: "plugin", stage, "{message}"),
            Level::Trace => tracing::trace!(target: "plugin", stage, "{message}"),
        }
    }

    fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str) {
        let stage = &*self.station.name;
        let item = self.requests.get(index as usize).map_or("", |request| &*request.context.item);
        tracing::info!(target: "progress", stage, item, done, total, "{note}");
    }

    fn cancelled(&self) -> bool {
        self.control.cancelled.load(Ordering::Acquire)
    }
}
