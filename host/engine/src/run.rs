//! A run from its first item to its last.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use jackfield_loader::{Registry, sandbox::Admission, start_runtime};
use jackfield_pipeline::{InputPlan, Plan, Scope, Wire};
use jackfield_plugin_api::Document;
use jackfield_services::{Exhausted, Kept, KeptError, KeptStudy, Services, StudyStart};
use jackfield_store::{
    Blobs, Db, FileNames, RunFolder, RunJson, RunState, SearchNote, StoreError, Summary, Writer, WriterOf,
    export_events, export_results, export_run_stages, export_spend, timestamp,
};

use super::{
    cancel::Cancel,
    error::EngineError,
    item::Item,
    merged::export_merged,
    observe::Observer,
    open::StageInstances,
    pool::Pool,
    router::Router,
    scheduler::{Keep, Parts, Routing, Scheduler, Searching},
    search::Search,
    session::{End, Session, Tape, Values},
    source,
    stations::Stations,
    trials::TrialLimits,
    waits::waits_of,
};

/// How a run is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads.
    pub jobs: usize,
    /// On a resume, make failed calls again even where the failure is for good.
    pub retry_failed: bool,
}

/// Looks whether a plan has input, before anything is made for its run.
///
/// # Errors
/// [`EngineError::NoInput`], or a pattern that cannot be read.
pub fn look_for_input(plan: &Plan) -> Result<(), EngineError> {
    if plan.stages.iter().any(|stage| stage.scope == Scope::Item) { source::look(&plan.input) } else { Ok(()) }
}

/// Looks whether what the routes and the search of a plan have learned can be read, before anything is made for its run.
///
/// # Errors
/// [`EngineError::Route`], [`EngineError::Study`].
pub fn look_at_kept(plan: &Plan) -> Result<(), EngineError> {
    for route in plan.stages.iter().filter_map(|stage| stage.route.as_ref()) {
        if let Some(path) = &route.state {
            Kept::at(path).read_for(&route.extension.name)?;
        }
    }
    if let (Some(search), Some(study)) = (&plan.search, hold_study(plan)?) {
        study.read_for(&search.study)?;
    }
    Ok(())
}

/// The study of a plan's search, held against other runs.
fn hold_study(plan: &Plan) -> Result<Option<KeptStudy>, EngineError> {
    let place = plan.search.as_ref().and_then(|search| search.keep.as_ref());
    Ok(place.map(|place| KeptStudy::hold(&place.name, &place.path)).transpose()?)
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
    /// How the run is made.
    pub options: Options,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Counts and times.
    pub summary: Summary,
}

impl Engine<'_> {
    /// Runs with a record in `folder`; takes up what an earlier session left there.
    ///
    /// # Errors
    /// What ended the run before its end; the record holds what was finished.
    pub fn run(
        self,
        folder: RunFolder,
        mut run: RunJson,
        cancel: &Cancel,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, EngineError> {
        let began = Instant::now();
        let study = hold_study(self.plan)?;
        let db = open_record(&folder, &mut run)?;
        further_trials(self.plan, &mut run, &db)?;
        let session = db.begin_session(&timestamp())?;
        let (plan, services) = (self.plan, self.services.clone());
        let stages = plan.stages.iter().map(|stage| stage.name.clone()).collect();
        let of = WriterOf { session, resumed: session > 1, stages, began };
        let writer = Writer::start(folder.db()?, of, folder.guard(), folder.path().join("items"))?;
        run.state = RunState::Running;
        folder.write_run(&run)?;
        let blobs = Blobs::of_session(folder.path(), plan.tensor_total())?;
        let tape = Tape { folder, run, db, session, resumed: session > 1, ledger: writer.ledger(), blobs };
        services.models.iter().for_each(|model| model.keep_spending(Some(writer.ledger())));
        let mut put = |records| writer.put(records);
        let mut ended = self
            .go(began, (Some(&tape), study.as_ref(), &[]), cancel, observer, Some(&mut put))
            .map(|(summary, _)| summary);
        // What was handed over is written even when the run ended in an error, whose cause may be the writer's own.
        let written = writer.finish();
        if let (Ok(summary), Ok(unwritten)) = (&mut ended, &written) {
            summary.count_unwritten(*unwritten);
        }
        services.models.iter().for_each(|model| model.keep_spending(None));
        let Tape { folder, mut run, db, session, .. } = tape;
        // Whoever removed it is not told that all went well.
        folder.guard().check()?;
        let state = ended.as_ref().map_or(RunState::Interrupted, |summary| summary.state);
        let closed = written.and_then(|_| db.end_session(session, &timestamp(), state.name()));
        let (spend, recorded) = (db.spend_by_name(plan), db.recorded());
        if let (Ok(spend), Ok(recorded)) = (spend, recorded) {
            (run.spend, run.recorded) = (spend, Some(recorded));
        }
        let summary = match (ended, closed) {
            (Err(EngineError::Store(StoreError::WriterGone)) | Ok(_), Err(error)) => return Err(error.into()),
            (Err(error), _) => {
                run.state = state;
                let _ = folder.write_run(&run);
                return Err(error);
            }
            (Ok(summary), Ok(())) => summary,
        };
        let told = serde_json::json!({ "event": "run-summary", "summary": summary });
        tracing::info!(target: "run_summary", run = summary.run, summary = %told["summary"]);
        db.put_event(session, began.elapsed().as_micros() as u64, &told.to_string())?;
        run.recorded.iter_mut().for_each(|recorded| recorded.events += 1);
        export_results(&db, plan, &folder.path().join("results.jsonl"))?;
        export_merged(&db, plan, folder.path())?;
        export_run_stages(&db, plan, &folder.path().join("run"))?;
        export_spend(&db, plan, &folder.path().join("spend.jsonl"))?;
        export_events(&db, plan, plan.output.item_files, &folder.path().join("events.jsonl"))?;
        run.state = summary.state;
        run.ended = Some(timestamp());
        run.summary = Some(summary.clone());
        folder.write_run(&run)?;
        // Last: what cannot be kept costs the run nothing else, and a resume keeps it.
        keep_routes(plan, &services, &db, &folder.id())?;
        keep_study(plan, study.as_ref(), &db, &folder.id())?;
        Ok(Outcome { summary })
    }

    /// Runs without any record: for measurements, and for those who take results from an observer.
    ///
    /// # Errors
    /// What ended the run before its end.
    pub fn run_unrecorded(self, cancel: &Cancel, observer: &mut dyn Observer) -> Result<Outcome, EngineError> {
        let (summary, _) = self.go(Instant::now(), (None, None, &[]), cancel, observer, None)?;
        Ok(Outcome { summary })
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
    ) -> Result<(Outcome, Vec<Result<Document, String>>), EngineError> {
        let (summary, values) = self.go(Instant::now(), (None, None, wires), cancel, observer, None)?;
        Ok((Outcome { summary }, values))
    }

    fn go<'k>(
        self,
        began: Instant,
        (tape, study, wires): (Option<&Tape>, Option<&KeptStudy>, &[Wire]),
        cancel: &Cancel,
        observer: &'k mut (dyn Observer + 'k),
        keep: Option<Keep<'k>>,
    ) -> Result<(Summary, Values), EngineError> {
        let runtime = start_runtime("io").map_err(EngineError::Workers)?;
        let (plan, registry, services) = (self.plan, self.registry, &self.services);
        let admission = Admission::new(self.options.jobs, plan.sandbox_total(), plan.sandbox_kept_back());
        // The policies of routes are called from here.
        let _entered = admission.entered();
        let handle = runtime.handle().clone();
        let pool = Pool::start(self.options.jobs, handle, &admission).map_err(EngineError::Workers)?;
        if let Some(tape) = tape.filter(|tape| tape.resumed) {
            for (name, spent) in tape.db.spent()? {
                if let Some(model) = services.models.iter().find(|model| model.name() == name) {
                    model.carry_over(spent.tokens_in.saturating_add(spent.tokens_out), spent.usd);
                }
            }
        }
        let blobs = tape.map_or_else(|| Blobs::in_memory(plan.tensor_total()), |tape| Arc::clone(&tape.blobs));
        services.models.iter().for_each(|model| model.keep_tensors_in(Arc::clone(&blobs)));
        let ledger = tape.map(|tape| tape.ledger.clone());
        let maker = Stations { plan, registry, services, blobs: Arc::clone(&blobs), began, ledger };
        let stations = plan.stages.iter().zip(self.instances).map(|(stage, instances)| {
            let arms = stage.with_arms().into_iter().zip(instances);
            arms.map(|(stage, instance)| maker.of(&stage, instance)).collect()
        });
        let stations = stations.collect();
        let routings = routings(plan, services, tape)?;
        let search = searching(plan, services, (tape, study), maker)?;
        let waits = waits_of(plan);
        let workers = (&pool, self.options.jobs);
        let parts = Parts { stations, routings, search, waits: &waits };
        let scheduler = Scheduler::new(plan, parts, services, workers, cancel, observer, keep);
        let mut session = Session {
            plan,
            waits,
            tape,
            scheduler,
            folders: FileNames::default(),
            admission,
            blobs: Arc::clone(&blobs),
            bytes: 0,
            retry_failed: self.options.retry_failed,
            trials: TrialLimits::new(began, tape.filter(|tape| tape.resumed).map(|tape| &tape.db))?,
            wires,
            values: Vec::new(),
        };
        let end = session.all();
        let flawed = session.run_stages_flawed();
        if session.values.is_empty() {
            session.values = session.values_of(&Item::new(
                (plan, &session.waits),
                Scope::Item,
                (-1, "".into(), 0),
                Document::new("null"),
            ));
        }
        let values = std::mem::take(&mut session.values);
        let exhausted = session.scheduler.exhausted().cloned();
        let (counts, stages, routes, search) = session.scheduler.totals();
        // What waits for a timer or a socket is woken when the runtime ends, and must not ask it for more. A plugin that never
        // comes back must not keep the process from ending: it keeps the runtime instead.
        if pool.close() {
            runtime.shutdown_background();
        } else {
            std::mem::forget(runtime);
        }
        let end = end?;
        let state = match (end, counts.state()) {
            (End::Stopped, _) if exhausted.is_some() && !cancel.requested() => {
                match counts.ok + counts.pruned + counts.partial {
                    0 => RunState::Failed,
                    _ => RunState::Partial,
                }
            }
            (End::Stopped, _) => RunState::Interrupted,
            (End::Done, RunState::Complete) if flawed => RunState::Partial,
            (End::Done, state) => state,
        };
        let advice = exhausted.as_ref().and_then(Exhausted::advice);
        let stopped = (end == End::Stopped).then(|| match &exhausted {
            Some(exhausted) => exhausted.to_string(),
            None => "interrupted".to_owned(),
        });
        let summary = Summary {
            run: tape.map(|tape| tape.folder.id()).unwrap_or_default(),
            dir: tape.map(|tape| tape.folder.path().to_owned()).unwrap_or_default(),
            state,
            items: counts,
            stages,
            models: services.models.iter().map(|model| (model.name().to_owned(), model.count())).collect(),
            caches: services.caches.iter().map(|cache| (cache.name().to_owned(), cache.counts())).collect(),
            routes,
            search,
            stopped,
            advice,
            wall_ms: began.elapsed().as_secs_f64() * 1000.0,
        };
        Ok((summary, values))
    }
}

/// The record of a run. That of a run that goes on is looked at as a whole: what is damaged is taken out, to be made again,
/// and reported; a record that does not go with `run.json` is refused, since to go on with it would be to pay for every call
/// again.
fn open_record(folder: &RunFolder, run: &mut RunJson) -> Result<Db, StoreError> {
    if !folder.has_run() {
        let db = folder.db()?;
        db.claim(&run.run)?;
        return Ok(db);
    }
    let db = folder.db_of_run()?;
    if let Some(what) = db.mend(run)? {
        tracing::warn!("the record is damaged: {what}; what is damaged is made again");
        // The record holds less than was counted until then, and a kill must not make it look like another run's.
        run.recorded = Some(db.recorded()?);
        folder.write_run(run)?;
    }
    db.claim(&run.run)?;
    Ok(db)
}

/// A run may be given further trials, or other limits on them: what stopped it then stops it no more.
fn further_trials(plan: &Plan, run: &mut RunJson, db: &Db) -> Result<(), EngineError> {
    if let (Some(_), InputPlan::Trials { count }) = (&plan.search, &plan.input) {
        let (begun, count) = (db.recorded()?.items, *count);
        if begun > count {
            return Err(EngineError::FewerTrials { run: run.run.clone(), begun, count });
        }
    }
    let limits = |plan: &Plan| plan.search.as_ref().map(|search| (plan.input.clone(), search.stop));
    if limits(plan) != limits(&run.plan) {
        db.note_search(SearchNote::Stop, None)?;
        run.plan = plan.clone();
    }
    Ok(())
}

/// The routes of a run, with what they had learned when it began.
fn routings<'p>(
    plan: &'p Plan,
    services: &'p Services,
    tape: Option<&Tape>,
) -> Result<BTreeMap<usize, Routing<'p>>, EngineError> {
    let mut routings = BTreeMap::new();
    for route in &services.routes {
        let Some(routed) = plan.stages.get(route.stage).and_then(|stage| stage.route.as_ref()) else { continue };
        let start = match tape {
            Some(tape) => {
                let kept = || -> Result<_, EngineError> {
                    let kept = routed.state.as_deref().map(Kept::at);
                    let kept = kept.map(|kept| kept.read_for(&routed.extension.name)).transpose()?;
                    Ok(kept.and_then(|kept| kept.state))
                };
                match tape.db.route_start(route.stage as u32)? {
                    Some(start) => start,
                    None => {
                        let start = kept()?;
                        tape.db.begin_route(route.stage as u32, start.as_ref())?;
                        start
                    }
                }
            }
            None => None,
        };
        let policy = route.restore(start.as_ref()).map_err(|failure| {
            let path = routed.state.clone().unwrap_or_default();
            KeptError::Refused { path, failure }
        })?;
        routings.insert(route.stage, Routing { plan: routed, route, router: Router::new(policy, routed.in_flight) });
    }
    Ok(routings)
}

/// The search of a run, with what its study knew when it began.
fn searching<'p>(
    plan: &'p Plan,
    services: &Services,
    (tape, study): (Option<&Tape>, Option<&KeptStudy>),
    stations: Stations<'p>,
) -> Result<Option<Searching<'p>>, EngineError> {
    let (Some(searched), Some(search)) = (&plan.search, &services.search) else { return Ok(None) };
    let start = match tape {
        Some(tape) => match tape.db.search_start()? {
            Some(start) => serde_json::from_value(start).unwrap_or_default(),
            None => {
                let start = study.map(|study| study.read_for(&searched.study)).transpose()?.unwrap_or_default();
                let value = serde_json::to_value(&start).unwrap_or_default();
                tape.db.note_search(SearchNote::Start, Some(&value))?;
                start
            }
        },
        None => StudyStart::default(),
    };
    let state = search.state().map_err(|failure| EngineError::Search { failure })?;
    Ok(Some(Searching { plan: searched, search: Search::new(searched, plan.seed, state, start), stations }))
}

/// Adds what came of a run's trials to its study.
fn keep_study(plan: &Plan, study: Option<&KeptStudy>, db: &Db, run: &str) -> Result<(), EngineError> {
    let Some((searched, study)) = plan.search.as_ref().zip(study) else { return Ok(()) };
    let (mut outcomes, mut is_open) = (Vec::new(), false);
    db.each_item(|item| {
        // Those behind one that is not done are added once it is.
        is_open |= item.state.is_none();
        if !is_open {
            // One that got no values has no record, and counts.
            outcomes.push(db.trial(item.index)?.map(|trial| trial.outcome).unwrap_or_default());
        }
        Ok(())
    })?;
    Ok(study.add(&searched.study, run, outcomes)?)
}

/// Adds what came of a run's items to what its routes keep.
fn keep_routes(plan: &Plan, services: &Services, db: &Db, run: &str) -> Result<(), EngineError> {
    for route in &services.routes {
        let routed = plan.stages.get(route.stage).and_then(|stage| stage.route.as_ref());
        let Some((routed, path)) = routed.and_then(|routed| Some((routed, routed.state.as_deref()?))) else { continue };
        Kept::at(path).add(route, &routed.extension.name, run, |visit| {
            db.each_outcome(route.stage as u32, |record| {
                visit(&record.outcome);
                Ok(())
            })
        })?;
    }
    Ok(())
}
