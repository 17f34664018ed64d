//! An item is exported: a stage that is no part of the run is called with what the run has recorded of the item.

use std::{sync::Arc, thread, time::Instant};

use crossbeam_channel::{RecvTimeoutError, unbounded};
use jackfield_loader::{Registry, escape_untrusted};
use jackfield_pipeline::{MOST_CALLS, Plan, Scope, Source, StagePlan};
use jackfield_plugin_api::{Context, Document, Failure, Instance, Request};
use jackfield_services::Services;
use jackfield_store::{Answer, Blobs, Db, ItemRow, OF_RUN, OVER_ALL, ResultRow};

use super::{
    batch::{self, Batch, BatchId},
    batch_control::BatchControl,
    columns::Columns,
    document_list::list_of,
    export_error::ExportError,
    index::{PerStage, StageIdx},
    input::{NoInput, SourceValue, elements, input_of, value_of},
    pool::Pool,
    read_again::read_one_again,
    run_threads::RunThreads,
    seed::{name_of, seed_of},
    source::InputReader,
    stage_runtime::{SessionParts, StageRuntime},
};

/// Makes the calls of one of a plan's exports, one after the other: what each gets, from what is on record of an item.
///
/// # Errors
/// [`ExportError::NoInput`] where a stage that it reads has no result; a record or an input that cannot be read.
pub fn export_inputs(
    plan: &Plan,
    inputs: &dyn InputReader,
    export: &StagePlan,
    db: &Db,
    item: &ItemRow,
) -> Result<Vec<Document>, ExportError> {
    recorded_inputs(plan, inputs, export, db, Some(item))
}

/// What each call of a stage gets, or of an export, from what is on record of an item; none for a stage that runs once a run or over
/// all items.
///
/// # Errors
/// As those of [`export_inputs`].
pub fn recorded_inputs(
    plan: &Plan,
    inputs: &dyn InputReader,
    export: &StagePlan,
    db: &Db,
    item: Option<&ItemRow>,
) -> Result<Vec<Document>, ExportError> {
    let no_input = |why: String| ExportError::NoInput {
        stage: export.name.clone(),
        item: item.map(|item| escape_untrusted(&item.id).into_owned()).unwrap_or_default(),
        why,
    };
    let recorded = Recorded::read(plan, inputs, export, db, item)?;
    let explained = |why: NoInput| match why {
        NoInput::NotFound(what) => no_input(what),
        NoInput::NoResult(stage) | NoInput::Off(stage) => no_input(recorded.why_absent(plan, stage)),
    };
    let value_in = |source| recorded.source_value(source, None);
    let elements = match &export.for_each {
        None => vec![None],
        Some(wire) => {
            let list = value_of(wire, &value_in).map_err(explained)?;
            let parts = elements(&list.json, MOST_CALLS as usize).map_err(no_input)?;
            parts.into_iter().map(|part| Some(Document::new(part))).collect()
        }
    };
    let input = |element: &Option<Document>| {
        input_of(&export.input, &|source| recorded.source_value(source, element.as_ref())).map_err(explained)
    };
    let inputs = elements.iter().map(input).collect::<Result<Vec<_>, _>>()?;
    let repeat = export.repeat.unwrap_or(1) as usize;
    Ok(inputs.into_iter().flat_map(|input| std::iter::repeat_n(input, repeat)).collect())
}

/// What is on record of an item, as far as an export reads it.
struct Recorded {
    item: Option<Document>,
    /// A document a stage of the plan, or why there is none.
    stages: PerStage<Result<Document, NoDocument>>,
    /// What is read of every item, by column, for a stage over all items.
    columns: Vec<Option<Document>>,
}

impl Recorded {
    fn read(
        plan: &Plan,
        inputs: &dyn InputReader,
        export: &StagePlan,
        db: &Db,
        row: Option<&ItemRow>,
    ) -> Result<Self, ExportError> {
        let of_item = row.map(|row| db.results(row.index as i64)).transpose()?.unwrap_or_default();
        let (of_run, over_all) = (db.results(OF_RUN)?, db.results(OVER_ALL)?);
        let document = |(index, stage): (usize, &StagePlan)| {
            let rows = match stage.scope {
                Scope::Run => &of_run,
                Scope::Item => &of_item,
                Scope::All => &over_all,
            };
            document_of(stage, StageIdx::new(index), rows)
        };
        let columns = match export.scope {
            Scope::All => Columns::of_record(db, plan)?.documents,
            Scope::Run | Scope::Item => Vec::new(),
        };
        let item = match row.filter(|_| export.reads_input()) {
            Some(row) => Some(read_one_again(plan, inputs, db, row)?),
            None => None,
        };
        Ok(Self { item, stages: plan.stages.iter().enumerate().map(document).collect(), columns })
    }

    fn source_value<'a>(&'a self, source: Source, element: Option<&'a Document>) -> SourceValue<'a> {
        let document = match source {
            Source::Input => self.item.as_ref(),
            Source::Each => element,
            Source::Stage(stage) => match self.stages.get(StageIdx::new(stage)) {
                Some(Ok(document)) => Some(document),
                Some(Err(NoDocument::Off(_))) => return SourceValue::Off,
                Some(Err(NoDocument::Absent(_))) | None => None,
            },
            Source::Column(column) => self.columns.get(column).and_then(Option::as_ref),
            Source::Spend => None,
        };
        document.map_or(SourceValue::Absent, SourceValue::Present)
    }

    fn why_absent(&self, plan: &Plan, stage: StageIdx) -> String {
        let name = &plan.stages[stage.get()].name;
        let why = self.stages.get(stage).and_then(|document| document.as_ref().err());
        format!("stage `{name}` has no result: {}", why.map_or("it was not called", NoDocument::words))
    }
}

/// Why a stage has no result on record, in words that follow "as it was not called".
pub(super) enum NoDocument {
    /// It is off.
    Off(String),
    /// It failed, was skipped, or was not called.
    Absent(String),
}

impl NoDocument {
    pub(super) fn words(&self) -> &str {
        match self {
            Self::Off(why) | Self::Absent(why) => why,
        }
    }
}

/// What a stage gave, by the rows of its item, or why it gave nothing. `index` is that of the stage in the plan.
pub(super) fn document_of(stage: &StagePlan, index: StageIdx, rows: &[ResultRow]) -> Result<Document, NoDocument> {
    let (mut documents, mut failure) = (Vec::new(), None);
    for row in rows.iter().filter(|row| row.stage == index.to_record()) {
        match &row.answer {
            Answer::Ok { json, tensors } => {
                documents.push(Document { json: Arc::clone(json), tensors: tensors.clone() });
            }
            Answer::Failed { kind, message } => {
                failure = failure.or_else(|| Some(format!("it failed, {kind}: {}", escape_untrusted(message))));
            }
            Answer::Off { message } => {
                return Err(NoDocument::Off(format!("it is off: {}", escape_untrusted(message))));
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
        (None, failure) => Err(NoDocument::Absent(failure.unwrap_or_else(|| "it was not called".to_owned()))),
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
        let threads = RunThreads::start(plan, 1)?;
        let blobs = Blobs::in_run(folder, plan.tensor_total())?;
        services.models.iter().for_each(|model| model.keep_tensors_in(Arc::clone(&blobs)));
        let entry = stage.extension.entry(registry);
        let session = SessionParts { plan, services: &services, blobs: &blobs, began };
        let runtime = Arc::new(StageRuntime::new(stage, instance, entry, session));
        let answers = inputs.into_iter().enumerate().map(|(element, document)| {
            let element = element as u32;
            let seed = seed_of(plan.seed, name_of(&stage.name), name_of(item), element, 0);
            let context = Context { stage: stage.name.as_str().into(), item: item.into(), element, replicate: 0, seed };
            let request = Request { document, context };
            let answer = call(&threads.pool, &runtime, stage, &request);
            answer.map_err(|FailedExport { kind, message }| ExportError::Failed {
                stage: stage.name.clone(),
                item: escape_untrusted(item).into_owned(),
                kind,
                message: escape_untrusted(&message).into_owned(),
            })
        });
        let answers = answers.collect();
        threads.close();
        answers
    }
}

/// A call that failed.
struct FailedExport {
    /// Name of the failure's kind, or `timed-out`.
    kind: String,
    message: String,
}

/// Makes a call as its stage's policy says.
fn call(
    pool: &Pool,
    runtime: &Arc<StageRuntime>,
    stage: &StagePlan,
    request: &Request,
) -> Result<Document, FailedExport> {
    let policy = &stage.policy;
    let mut attempt = 1;
    loop {
        let (done, answers) = unbounded();
        let control = Arc::new(BatchControl::default());
        let requests = Arc::new(vec![request.clone()]);
        let batch = Batch { id: BatchId::default(), runtime, requests, control: &control, answers: &done };
        let job = batch::start(pool, batch);
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
                let (kind, message) = ("timed-out".to_owned(), format!("no answer within {limit}"));
                return Err(FailedExport { kind, message });
            }
        };
        let is_too_long = failure.retry_after().is_some_and(|wait| wait > policy.longest_wait);
        if attempt >= policy.attempts || !failure.kind().is_retryable() || is_too_long {
            return Err(FailedExport { kind, message: failure.message().to_owned() });
        }
        thread::sleep(failure.retry_after().unwrap_or(policy.backoff * attempt));
        attempt += 1;
    }
}
