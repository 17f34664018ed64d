//! An item is exported: a stage that is no part of the run is called with what the run has recorded of the item.

use std::{sync::Arc, thread, time::Instant};

use crossbeam_channel::{RecvTimeoutError, unbounded};
use jackfield_loader::{Registry, escape_untrusted, sandbox::Admission, start_runtime};
use jackfield_pipeline::{MOST_CALLS, Plan, Scope, Source, StagePlan};
use jackfield_plugin_api::{Context, Document, Failure, Instance, Request};
use jackfield_services::Services;
use jackfield_store::{Answer, Blobs, Db, ItemRow, ResultRow, StoreError};

use super::{
    batch::{self, Control},
    error::EngineError,
    input::{Given, NoInput, elements, input_of, value_of},
    pool::Pool,
    read_again::read_one_again,
    scheduler::list_of,
    seed::{name_of, seed_of},
    station::Station,
};

/// Why an item was not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The record cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input of the run cannot be read, or the machine refused threads.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What the stage reads is not there.
    #[error("stage `{stage}` has no input for item `{item}`: {why}")]
    NoInput {
        /// The stage that exports.
        stage: String,
        /// Id of the item.
        item: String,
        /// What is missing.
        why: String,
    },
    /// The input of the run is not what it was.
    #[error("item `{item}` is not in the input of the run any more, or is not what it was")]
    ItemChanged {
        /// Id of the item.
        item: String,
    },
    /// The stage failed.
    #[error("stage `{stage}` failed for item `{item}`, {kind}: {message}")]
    Failed {
        /// The stage that exports.
        stage: String,
        /// Id of the item.
        item: String,
        /// Name of the failure's kind, or `timed-out`.
        kind: String,
        /// What went wrong.
        message: String,
    },
}

impl ExportError {
    /// What to do about it, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::ItemChanged { .. } => Some("start a new run, or restore the input".to_owned()),
            Self::NoInput { .. } => Some("go on with the run (--resume), or export another item".to_owned()),
            Self::Failed { .. } => None,
        }
    }
}

/// Makes the calls of one of a plan's exports, one after the other: what each gets, from what is on record of an item.
///
/// # Errors
/// [`ExportError::NoInput`] where a stage that it reads has no result; a record or an input that cannot be read.
pub fn export_inputs(plan: &Plan, export: &StagePlan, db: &Db, item: &ItemRow) -> Result<Vec<Document>, ExportError> {
    let no_input = |why: String| ExportError::NoInput {
        stage: export.name.clone(),
        item: escape_untrusted(&item.id).into_owned(),
        why,
    };
    let recorded = Recorded::read(plan, export, db, item)?;
    let explained = |why: NoInput| match why {
        NoInput::Nothing(what) => no_input(what),
        NoInput::Failed(stage) => no_input(recorded.why_absent(plan, stage)),
    };
    let given = |source| recorded.given(source, None);
    let each = match &export.for_each {
        None => vec![None],
        Some(wire) => {
            let list = value_of(wire, &given).map_err(explained)?;
            let parts = elements(&list.json, MOST_CALLS as usize).map_err(no_input)?;
            parts.into_iter().map(|part| Some(Document::new(part))).collect()
        }
    };
    let input = |each: &Option<Document>| {
        input_of(&export.input, &|source| recorded.given(source, each.as_ref())).map_err(explained)
    };
    let inputs = each.iter().map(input).collect::<Result<Vec<_>, _>>()?;
    let repeat = export.repeat.unwrap_or(1) as usize;
    Ok(inputs.into_iter().flat_map(|input| std::iter::repeat_n(input, repeat)).collect())
}

/// What is on record of an item, as far as an export reads it.
struct Recorded {
    item: Option<Document>,
    /// A document a stage of the plan, or why there is none.
    stages: Vec<Result<Document, String>>,
}

impl Recorded {
    fn read(plan: &Plan, export: &StagePlan, db: &Db, row: &ItemRow) -> Result<Self, ExportError> {
        let rows = [db.results(-1)?, db.results(row.index as i64)?];
        let document = |(place, stage): (usize, &StagePlan)| {
            document_of(stage, place, &rows[usize::from(stage.scope == Scope::Item)])
        };
        let item = if export.reads_input() { Some(read_one_again(plan, db, row)?) } else { None };
        Ok(Self { item, stages: plan.stages.iter().enumerate().map(document).collect() })
    }

    fn given<'a>(&'a self, source: Source, each: Option<&'a Document>) -> Given<'a> {
        let document = match source {
            Source::Input => self.item.as_ref(),
            Source::Each => each,
            Source::Stage(stage) => self.stages.get(stage).and_then(|document| document.as_ref().ok()),
            Source::Spend => None,
        };
        document.map_or(Given::Absent, Given::Value)
    }

    fn why_absent(&self, plan: &Plan, stage: usize) -> String {
        let name = plan.stages.get(stage).map_or("?", |stage| stage.name.as_str());
        let why = self.stages.get(stage).and_then(|document| document.as_ref().err());
        format!("stage `{name}` has no result: {}", why.map_or("it was not called", String::as_str))
    }
}

/// What a stage gave, by the rows of its item, or why it gave nothing. `place` is its index in the plan.
pub(super) fn document_of(stage: &StagePlan, place: usize, rows: &[ResultRow]) -> Result<Document, String> {
    let (mut documents, mut failure) = (Vec::new(), None);
    for row in rows.iter().filter(|row| row.stage as usize == place) {
        match &row.answer {
            Answer::Ok { json, tensors } => {
                documents.push(Document { json: Arc::clone(json), tensors: tensors.clone() });
            }
            Answer::Failed { kind, message } => {
                failure = failure.or_else(|| Some(format!("it failed, {kind}: {}", escape_untrusted(message))));
            }
            Answer::Skipped { message } => {
                failure = failure.or_else(|| Some(format!("it was skipped: {}", escape_untrusted(message))));
            }
        }
    }
    match (documents.pop(), failure) {
        (Some(last), _) if stage.is_list() => {
            documents.push(last);
            Ok(list_of(&documents.iter().collect::<Vec<_>>()))
        }
        (Some(document), _) => Ok(document),
        // A stage over an empty list made no call.
        (None, None) if stage.is_list() => Ok(Document::new("[]")),
        (None, failure) => Err(failure.unwrap_or_else(|| "it was not called".to_owned())),
    }
}

/// An export that is ready: a plan of [one stage alone](Plan::of_export), with its plugin and services.
pub struct Export<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The plugins.
    pub registry: &'a Registry,
    /// The instance of its stage.
    pub instance: Arc<dyn Instance>,
    /// The models and caches.
    pub services: Services,
}

impl Export<'_> {
    /// Makes the calls, one after the other, and gives what they answered. Tensors are those of the run in `folder`.
    ///
    /// # Errors
    /// [`ExportError::Failed`] for the first call that fails; tensors of the run that cannot be read.
    pub fn run(
        self,
        folder: &std::path::Path,
        item: &str,
        inputs: Vec<Document>,
    ) -> Result<Vec<Document>, ExportError> {
        let began = Instant::now();
        let Self { plan, registry, instance, services } = self;
        let Some(stage) = plan.stages.first() else { return Ok(Vec::new()) };
        let runtime = start_runtime("io").map_err(EngineError::Workers)?;
        let admission = Admission::new(1, plan.sandbox_total(), plan.sandbox_kept_back());
        let pool = Pool::start(1, runtime.handle().clone(), &admission).map_err(EngineError::Workers)?;
        let blobs = Blobs::in_run(folder, plan.tensor_total())?;
        services.models.iter().for_each(|model| model.keep_tensors_in(Arc::clone(&blobs)));
        let offer = stage.extension.offer(registry);
        let station = Arc::new(Station::new(stage, instance, offer, (plan, &services, &blobs), began));
        let answers = inputs.into_iter().enumerate().map(|(place, document)| {
            let seed = seed_of(plan.seed, name_of(&stage.name), name_of(item), place as u32, 0);
            let context = Context {
                stage: stage.name.as_str().into(),
                item: item.into(),
                element: place as u32,
                replicate: 0,
                seed,
            };
            let request = Request { document, context };
            let answer = call(&pool, &station, stage, &request);
            answer.map_err(|(kind, message)| ExportError::Failed {
                stage: stage.name.clone(),
                item: escape_untrusted(item).into_owned(),
                kind,
                message: escape_untrusted(&message).into_owned(),
            })
        });
        let answers = answers.collect();
        // A plugin that never comes back must not keep the process from ending: it keeps the runtime instead.
        if pool.close() {
            runtime.shutdown_background();
        } else {
            std::mem::forget(runtime);
        }
        answers
    }
}

/// Makes a call as its stage's policy says; of a failure, the name of its kind, and the message.
fn call(
    pool: &Pool,
    station: &Arc<Station>,
    stage: &StagePlan,
    request: &Request,
) -> Result<Document, (String, String)> {
    let policy = &stage.policy;
    let mut attempt = 1;
    loop {
        let (done, answers) = unbounded();
        let control = Arc::new(Control::default());
        let job = batch::send(pool, station, 0, Arc::new(vec![request.clone()]), &control, &done);
        drop(done);
        let answer = match policy.timeout {
            Some(timeout) => answers.recv_timeout(timeout),
            None => answers.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        drop(job);
        let (failure, kind) = match answer {
            Ok(answers) => match answers.results.into_iter().next() {
                Some(Ok(document)) => return Ok(document),
                Some(Err(failure)) => {
                    let kind = failure.kind().name().to_owned();
                    (failure, kind)
                }
                None => (Failure::Internal("the call has no answer".to_owned()), "internal".to_owned()),
            },
            Err(_) => {
                control.cancel();
                let limit = humantime::format_duration(policy.timeout.unwrap_or_default());
                return Err(("timed-out".to_owned(), format!("no answer within {limit}")));
            }
        };
        if attempt >= policy.attempts || !failure.kind().is_retryable() {
            return Err((kind, failure.message().to_owned()));
        }
        thread::sleep(failure.retry_after().unwrap_or(policy.backoff * attempt));
        attempt += 1;
    }
}
