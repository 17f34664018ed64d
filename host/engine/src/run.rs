//! A run from its first item to its last.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use jackfield_loader::Registry;
use jackfield_pipeline::{Plan, Scope, Wire};
use jackfield_plugin_api::Document;
use jackfield_services::{Exhausted, Services, StudyFile};
use jackfield_store::{
    AllItems, Blobs, FileNames, LastSession, Record, RequirementOutcome, RunFolder, RunJson, RunState, StoreError,
    Summary,
};

use super::{
    cancel::Cancel,
    columns::KeptValues,
    error::EngineError,
    index::PerStage,
    item::{Item, ItemIdentity, ItemStages},
    observe::Observer,
    open::StageInstances,
    plugin_warnings::PluginWarnings,
    policies::{routes_of, search_of},
    predecessors::predecessors_of,
    run_record::{EndedSession, RunRecord},
    run_threads::RunThreads,
    saved_state::hold_study,
    scheduler::{PoolExecutor, RecordSink, Scheduler, SchedulerParts, Totals},
    session::{ItemMemory, Session, SessionEnd, WireValues},
    source::InputReader,
    stage_runtime_factory::StageRuntimeFactory,
    trial_limits::TrialLimits,
};

/// How a run is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads.
    pub jobs: usize,
    /// On a resume, make failed calls again even where the failure is for good.
    pub retry_failed: bool,
    /// The ids of the items that alone are run; all of them if it is empty.
    pub only: Vec<String>,
    /// On a resume, make all calls of these items again, whatever is on the record of them.
    pub redo: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { jobs: 1, retry_failed: false, only: Vec::new(), redo: false }
    }
}

/// Looks whether a plan has input, before anything is made for its run.
///
/// # Errors
/// [`EngineError::NoInput`], or a pattern that cannot be read.
pub fn look_for_input(plan: &Plan, inputs: &dyn InputReader) -> Result<(), EngineError> {
    if plan.stages.iter().any(|stage| stage.scope != Scope::Run) { inputs.check(&plan.input) } else { Ok(()) }
}

/// A plan with its plugins, ready to run.
pub struct Engine<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The plugins.
    pub registry: &'a Registry,
    /// The stages' instances, as [`open_stages`](super::open_stages) gives them.
    pub instances: Vec<StageInstances>,
    /// The models and caches, as [`open_services`](jackfield_services::open_services) gives them.
    pub services: Services,
    /// What opens the input of the plan.
    pub inputs: &'a dyn InputReader,
    /// How the run is made.
    pub options: Options,
}

/// Sees records as they are made.
pub type Tap<'a> = &'a mut dyn FnMut(&[Record]) -> Result<(), StoreError>;

/// Those who have to do with a run while it is under way.
pub struct Watchers<'a> {
    /// Whether somebody has asked to stop.
    pub cancel: &'a Cancel,
    /// Learns what happens.
    pub observer: &'a mut dyn Observer,
    /// Sees all that goes on the record.
    pub tap: Tap<'a>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// Counts and times.
    pub summary: Summary,
}

/// What a session is made with, beside the engine's own.
#[derive(Clone, Copy)]
struct SessionSetup<'a> {
    /// When it began.
    began: Instant,
    /// Where it is recorded, if it is.
    record: Option<&'a RunRecord>,
    /// The study of the plan's search, if it is kept.
    study: Option<&'a StudyFile>,
    /// What is asked for of the last item.
    wires: &'a [Wire],
    /// Whether somebody has asked to stop.
    cancel: &'a Cancel,
}

/// What a session leaves when it ends.
struct SessionResult {
    /// How it ended.
    end: Result<SessionEnd, EngineError>,
    /// Whether some stage that runs once a run has no result, or one that is not whole.
    run_stages_flawed: bool,
    /// What the stages over all items made of them.
    all_items: Option<AllItems>,
    /// Whether one of them has no result, or one that is not whole.
    all_items_flawed: bool,
    /// Whether the run meets what is required of it.
    requirements: Vec<RequirementOutcome>,
    /// What stands at the end of the wires that were asked for.
    values: WireValues,
    /// The model that has no more of something, if that stopped the run.
    exhausted: Option<Exhausted>,
    /// How many items there are, where that is known.
    known_items: Option<u64>,
    totals: Totals,
}

impl Engine<'_> {
    /// Runs with a record in `folder`; goes on with what an earlier session left there.
    ///
    /// # Errors
    /// What ended the run before its end; the record holds what was finished.
    pub fn run(
        self,
        folder: RunFolder,
        run: RunJson,
        cancel: &Cancel,
        observer: &mut dyn Observer,
    ) -> Result<RunOutcome, EngineError> {
        self.run_and_tap(folder, run, Watchers { cancel, observer, tap: &mut |_| Ok(()) })
    }

    /// As [`run`](Self::run), for those who want to see all that goes on the record as it goes there.
    ///
    /// # Errors
    /// As those of [`run`](Self::run), and what the tap refuses.
    pub fn run_and_tap(
        self,
        folder: RunFolder,
        run: RunJson,
        watchers: Watchers<'_>,
    ) -> Result<RunOutcome, EngineError> {
        let Watchers { cancel, observer, tap } = watchers;
        let began = Instant::now();
        let (plan, services) = (self.plan, self.services.clone());
        let study = hold_study(plan)?;
        let (record, writer) = RunRecord::begin(plan, folder, run, began)?;
        services.models.iter().for_each(|model| model.keep_spending(Some(writer.ledger())));
        let mut sink = |records: Vec<Record>| {
            tap(&records)?;
            writer.put(records)
        };
        let is_redone = self.options.redo;
        let setup = SessionSetup { began, record: Some(&record), study: study.as_ref(), wires: &[], cancel };
        let ended = self.run_session(setup, observer, Some(&mut sink)).map(|(summary, _)| summary);
        // What was handed over is written even when the run ended in an error, whose cause may be the writer's own.
        let written = writer.finish();
        services.models.iter().for_each(|model| model.keep_spending(None));
        let study = study.as_ref();
        let session = EndedSession { plan, services: &services, study, began, ended, written, is_redone };
        let summary = record.end(session)?;
        Ok(RunOutcome { summary })
    }

    /// Runs without any record: for measurements, and for those who take results from an observer.
    ///
    /// # Errors
    /// What ended the run before its end.
    pub fn run_unrecorded(self, cancel: &Cancel, observer: &mut dyn Observer) -> Result<RunOutcome, EngineError> {
        Ok(self.run_for(&[], cancel, observer)?.0)
    }

    /// As [`run_unrecorded`](Self::run_unrecorded), for those who want to see all that would go on a record.
    ///
    /// # Errors
    /// What ended the run before its end, and what the tap refuses.
    pub fn run_unrecorded_and_tap(self, watchers: Watchers<'_>) -> Result<RunOutcome, EngineError> {
        let Watchers { cancel, observer, tap } = watchers;
        let setup = SessionSetup { began: Instant::now(), record: None, study: None, wires: &[], cancel };
        let mut sink = |records: Vec<Record>| tap(&records);
        let (summary, _) = self.run_session(setup, observer, Some(&mut sink))?;
        Ok(RunOutcome { summary })
    }

    /// Runs without any record, for what stands at the end of these wires, in their order: of the last item, or of the
    /// run where there are no items. A wire whose source has nothing to give has a message in place of a document.
    ///
    /// # Errors
    /// What ended the run before its end.
    pub fn run_for(
        self,
        wires: &[Wire],
        cancel: &Cancel,
        observer: &mut dyn Observer,
    ) -> Result<(RunOutcome, Vec<Result<Document, String>>), EngineError> {
        let setup = SessionSetup { began: Instant::now(), record: None, study: None, wires, cancel };
        let (summary, values) = self.run_session(setup, observer, None)?;
        Ok((RunOutcome { summary }, values))
    }

    /// One session: starts the threads, runs the items on them, and sums up.
    fn run_session<'k>(
        mut self,
        setup: SessionSetup<'_>,
        observer: &'k mut (dyn Observer + 'k),
        sink: Option<RecordSink<'k>>,
    ) -> Result<(Summary, WireValues), EngineError> {
        let instances = std::mem::take(&mut self.instances);
        let threads = RunThreads::start(self.plan, self.options.jobs)?;
        // The policies of routes are called from this thread.
        let _entered = threads.admission.entered();
        let ran = self.run_items(instances, setup, &threads, observer, sink);
        threads.close();
        self.sum_up(setup, ran?)
    }

    /// Opens what the session needs, and runs it to its end.
    fn run_items<'k>(
        &self,
        instances: Vec<StageInstances>,
        setup: SessionSetup<'_>,
        threads: &RunThreads,
        observer: &'k mut (dyn Observer + 'k),
        sink: Option<RecordSink<'k>>,
    ) -> Result<SessionResult, EngineError> {
        let (plan, registry, services) = (self.plan, self.registry, &self.services);
        let SessionSetup { began, record, study, wires, cancel } = setup;
        let earlier = record.filter(|record| record.resumed);
        services.models.iter().for_each(|model| model.share_budget(services.run_budget.clone()));
        if let Some(record) = earlier {
            carry_over_spending(record, services)?;
        }
        let blobs = record.map_or_else(|| Blobs::in_memory(plan.tensor_total()), |record| Arc::clone(&record.blobs));
        services.models.iter().for_each(|model| model.keep_tensors_in(Arc::clone(&blobs)));
        let ledger = record.map(|record| record.ledger.clone());
        let warnings = Arc::new(PluginWarnings::default());
        let factory = StageRuntimeFactory {
            plan,
            registry,
            services,
            blobs: Arc::clone(&blobs),
            began,
            ledger,
            warnings: Arc::clone(&warnings),
        };
        let runtimes: PerStage<_> = plan
            .stages
            .iter()
            .zip(instances)
            .map(|(stage, instances)| {
                let arms = stage.with_arms().into_iter().zip(instances);
                arms.map(|(stage, instance)| factory.with_instance(&stage, instance)).collect()
            })
            .collect();
        let routes = routes_of(plan, services, record)?;
        let search = search_of(plan, services, record, study, factory)?;
        let trials = TrialLimits::new(began, earlier.map(|record| &record.db))?;
        let predecessors = predecessors_of(plan);
        let executor = PoolExecutor { pool: &threads.pool, workers: self.options.jobs };
        let scheduler = Scheduler::new(SchedulerParts {
            plan,
            services,
            executor: &executor,
            runtimes,
            predecessors: &predecessors,
            routes,
            search,
            cancel,
            observer,
            record: sink,
        });
        let mut session = Session {
            plan,
            predecessors: &predecessors,
            inputs: self.inputs,
            record,
            scheduler,
            folders: FileNames::default(),
            memory: ItemMemory { admission: Arc::clone(&threads.admission), blobs, bytes: 0 },
            retry_failed: self.options.retry_failed,
            trials,
            only: &self.options.only,
            selected_folders: BTreeMap::new(),
            is_redone: self.options.redo,
            known_items: None,
            wires,
            values: Vec::new(),
            kept_values: KeptValues::default(),
            over_all: None,
        };
        let end = session.run();
        let (run_stages_flawed, all_items_flawed) = (session.run_stages_flawed(), session.all_items_flawed());
        let (all_items, requirements) = (session.all_items(), session.requirements());
        if session.values.is_empty() {
            let stages = ItemStages { plan, predecessors: &predecessors, scope: Scope::Item };
            let no_item = Item::new(stages, ItemIdentity::run(), Document::new("null"));
            session.values = session.values_of(&no_item);
        }
        session.add_values_over_all();
        let values = std::mem::take(&mut session.values);
        let known_items = session.known_items;
        let exhausted = session.scheduler.exhausted().cloned();
        let totals = session.scheduler.into_totals();
        warnings.report();
        Ok(SessionResult {
            end,
            run_stages_flawed,
            all_items,
            all_items_flawed,
            requirements,
            values,
            exhausted,
            known_items,
            totals,
        })
    }

    /// What is reported of a session that has ended.
    fn sum_up(&self, setup: SessionSetup<'_>, result: SessionResult) -> Result<(Summary, WireValues), EngineError> {
        let SessionResult {
            end,
            run_stages_flawed,
            all_items,
            all_items_flawed,
            requirements,
            values,
            exhausted,
            known_items,
            totals,
        } = result;
        let end = end?;
        let Totals { mut items, session_items, item_times, stages, routes, search } = totals;
        if end == SessionEnd::Stopped {
            items.not_begun = known_items.map_or(0, |known| known.saturating_sub(items.total + items.unfinished));
        }
        let state = match (end, items.state()) {
            (SessionEnd::Stopped, _) if exhausted.is_some() && !setup.cancel.requested() => items.state_if_exhausted(),
            (SessionEnd::Stopped, _) => RunState::Interrupted,
            (SessionEnd::Done, RunState::Complete) if run_stages_flawed || all_items_flawed => RunState::Partial,
            (SessionEnd::Done, state) => state,
        };
        let advice = exhausted.as_ref().and_then(Exhausted::advice);
        let stopped = (end == SessionEnd::Stopped).then(|| match &exhausted {
            Some(exhausted) => exhausted.to_string(),
            None => "interrupted".to_owned(),
        });
        let services = &self.services;
        let wall = setup.began.elapsed().as_secs_f64();
        let summary = Summary {
            run: setup.record.map(|record| record.folder.id()).unwrap_or_default(),
            dir: setup.record.map(|record| record.folder.path().to_owned()).unwrap_or_default(),
            state,
            items,
            item_times: (item_times.count > 0).then_some(item_times),
            items_per_second: if wall > 0.0 { item_times.count as f64 / wall } else { 0.0 },
            stages,
            models: services.models.iter().map(|model| (model.name().to_owned(), model.count())).collect(),
            spend: BTreeMap::new(),
            caches: services.caches.iter().map(|cache| (cache.name().to_owned(), cache.counts())).collect(),
            routes,
            search,
            all_items,
            // A run that was stopped, or that was asked for some of its items alone, is not judged.
            requirements: if end == SessionEnd::Done && (self.options.only.is_empty() || self.options.redo) {
                requirements
            } else {
                Vec::new()
            },
            stopped,
            advice,
            wall_ms: wall * 1000.0,
            session: None,
            last_session: LastSession { items: session_items, known_items, selected: None, all_items_flawed },
        };
        Ok((summary, values))
    }
}

/// What earlier sessions have spent counts against the budgets of the models.
fn carry_over_spending(record: &RunRecord, services: &Services) -> Result<(), EngineError> {
    for (name, spent) in record.db.spent()? {
        services.run_budget.iter().for_each(|budget| budget.carry_over(spent.usd));
        if let Some(model) = services.models.iter().find(|model| model.name() == name) {
            model.carry_over(spent.tokens_in.saturating_add(spent.tokens_out), spent.usd);
        }
    }
    Ok(())
}
