//! A run: while it is under way, and once it has ended.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, available_parallelism},
};

use jackfield_engine::{Cancel, Engine, InputReader, Options, Watchers, look_for_input};
use jackfield_pipeline::Scope;
use jackfield_store::{Db, RunState, STORE, Summary};
use tokio::sync::{mpsc, oneshot};

use crate::{
    begin::{BegunRun, RunPlace, begin_run, look_at_selection},
    collector::Collector,
    compile::Opened,
    error::Error,
    events::{EventSender, Reporter, RunEvent},
    inputs::{BundledInputs, is_standard_input},
    items::GivenItems,
    keep_runs::remove_old_runs,
    on_thread::{block_on, ended},
    options::RunOptions,
    parts::Parts,
    results::{ItemResult, Results},
};

/// Events that may wait to be taken, before the run waits for whoever takes them.
const WAITING_EVENTS: usize = 256;

/// The name of the file of a run's results.
const RESULTS: &str = "results.jsonl";

/// A run that is under way, on a thread of its own. Events may be taken, and then set the pace: where they are not wanted,
/// [`wait`](Self::wait) or [`finished`](Self::finished) right away. Dropped, it goes on to its end, unless it is cancelled.
pub struct RunningRun {
    events: mpsc::Receiver<RunEvent>,
    result: oneshot::Receiver<Result<Run, Error>>,
    cancel: Cancel,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Run {
    summary: Summary,
    /// Its folder; none for a run in memory.
    folder: Option<PathBuf>,
    /// The results of a run in memory, in the order of the items.
    results: Vec<ItemResult>,
}

/// A run that is ready to begin.
struct PreparedRun {
    parts: Arc<Parts>,
    opened: Opened,
    items: Option<GivenItems>,
    begun: Option<BegunRun>,
    options: Options,
    cancel: Cancel,
}

impl RunningRun {
    pub(crate) fn start(parts: Arc<Parts>, items: Option<GivenItems>, options: RunOptions) -> Result<Self, Error> {
        let RunOptions { runs, jobs, resume, retry_failed, only, cancel } = options;
        let cancel = cancel.unwrap_or_default();
        let takes_items =
            parts.plan.stages.iter().any(|stage| stage.scope == Scope::Item) && parts.plan.search.is_none();
        if items.is_some() && !takes_items {
            return Err(Error::usage(
                "the pipeline takes no items: its stages run once a run, or its items are the trials of a search",
                "run it over its own input, with `Pipeline::run`",
            ));
        }
        if items.is_none() && is_standard_input(&parts.plan.input) {
            return Err(Error::usage(
                "the pipeline reads standard input, which is its program's alone",
                "read it, and run the pipeline over its items with `Pipeline::run_items`",
            ));
        }
        if items.is_none() {
            look_for_input(&parts.plan, &BundledInputs)?;
        }
        let begun = match (&runs, &resume) {
            (Some(runs), resume) => {
                let place = RunPlace { runs, resume: resume.as_deref(), only: &only };
                Some(begin_run(&parts.plan, &parts.registry, parts.file.clone(), place)?)
            }
            (None, None) => {
                look_at_selection(&parts.plan, RunPlace { runs: Path::new(""), resume: None, only: &only })?;
                None
            }
            (None, Some(_)) => {
                return Err(Error::usage(
                    "a run in memory leaves nothing to resume",
                    "name the folder of the run with `RunOptions::in_folder`",
                ));
            }
        };
        let jobs = jobs.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
        let (only, redo) = begun.as_ref().map_or((only, false), |begun| (begun.only.clone(), begun.is_redone));
        let options = Options { jobs, retry_failed, only, redo };
        let (send, events) = mpsc::channel(WAITING_EVENTS);
        let (done, result) = oneshot::channel();
        let asked = cancel.clone();
        let work = move || {
            // What runs open may hold runtimes; here is where they are opened and dropped.
            let run = parts
                .opened()
                .and_then(|opened| PreparedRun { parts, opened, items, begun, options, cancel: asked }.run(send));
            // Nobody waits for it any more.
            let _ = done.send(run);
        };
        thread::Builder::new().name("run".to_owned()).spawn(work)?;
        Ok(Self { events, result, cancel })
    }

    /// What asks the run to stop, from any thread: once, what is under way ends; twice, nothing is waited for.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// The next event; none once the run has ended. For async code there is [`next_event`](Self::next_event).
    ///
    /// # Panics
    /// On a thread of an async runtime.
    pub fn take_event(&mut self) -> Option<RunEvent> {
        self.events.blocking_recv()
    }

    /// The next event; none once the run has ended.
    pub async fn next_event(&mut self) -> Option<RunEvent> {
        self.events.recv().await
    }

    /// Waits for the end of the run, on whatever thread.
    ///
    /// # Errors
    /// What ended the run before its end.
    pub fn wait(self) -> Result<Run, Error> {
        drop(self.events);
        block_on(self.result).unwrap_or_else(|_| Err(ended("run")))
    }

    /// Waits for the end of the run, without blocking a thread.
    ///
    /// # Errors
    /// As those of [`wait`](Self::wait).
    pub async fn finished(self) -> Result<Run, Error> {
        drop(self.events);
        self.result.await.unwrap_or_else(|_| Err(ended("run")))
    }
}

impl PreparedRun {
    fn run(self, events: EventSender) -> Result<Run, Error> {
        let Self { parts, opened, items, begun, options, cancel } = self;
        let folder = begun.as_ref().map(|begun| begun.folder.path().to_owned());
        let _ = events.blocking_send(RunEvent::Started { folder: folder.clone() });
        let earlier = match &begun {
            Some(begun) if begun.folder.path().join(STORE).exists() => {
                Some(Db::open(&begun.folder.path().join(STORE))?)
            }
            _ => None,
        };
        let mut collector = Collector::new(&parts.plan, earlier);
        let mut results = Vec::new();
        let keeps_results = folder.is_none();
        let done = events.clone();
        let mut tap = |records: &[_]| {
            for (index, result) in collector.take(records)? {
                if keeps_results {
                    results.push((index, result.clone()));
                }
                // Nobody takes events any more: the run goes on.
                let _ = done.blocking_send(RunEvent::Item(Box::new(result)));
            }
            Ok(())
        };
        let mut observer = Reporter { plan: &parts.plan, events };
        let inputs: &dyn InputReader = items.as_ref().map_or(&BundledInputs as _, |items| items as _);
        let Opened { instances, services } = opened;
        let engine = Engine { plan: &parts.plan, registry: &parts.registry, instances, services, inputs, options };
        let watchers = Watchers { cancel: &cancel, observer: &mut observer, tap: &mut tap };
        let outcome = match begun {
            Some(BegunRun { folder, run, .. }) => engine.run_and_tap(folder, run, watchers),
            None => engine.run_unrecorded_and_tap(watchers),
        };
        let summary = outcome?.summary;
        if folder.is_some() {
            remove_old_runs(&parts.plan, &parts.file, &summary);
        }
        results.sort_by_key(|(index, _)| *index);
        Ok(Run { summary, folder, results: results.into_iter().map(|(_, result)| result).collect() })
    }
}

impl Run {
    /// Counts and times, and how the run ended.
    #[must_use]
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// How it ended.
    #[must_use]
    pub const fn state(&self) -> RunState {
        self.summary.state
    }

    /// The folder of the run; none for a run in memory.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// What came of the items, in their order: those of earlier sessions too, where the run went on. Those of a run with a
    /// folder are read from it, one after the other.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn results(&self) -> Result<Results, Error> {
        match &self.folder {
            Some(folder) => Results::in_file(folder.join(RESULTS)),
            None => Ok(Results::in_memory(self.results.clone())),
        }
    }
}
