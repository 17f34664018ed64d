//! The record of a run, as a session writes it.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Instant};

use jackfield_pipeline::{InputPlan, Plan};
use jackfield_services::{Services, StudyFile};
use jackfield_store::{
    Blobs, Db, ItemCounts, Ledger, Recorded, RunFolder, RunJson, RunState, SearchNote, StoreError, Summary,
    UnwrittenItems, Writer, WriterSession, export_events, export_results, export_run_stages, export_spend,
    remove_item_files, remove_partial_results, timestamp,
};

use super::{
    error::EngineError,
    merged::export_merged,
    saved_state::{keep_routes, keep_study},
    whole_run::{add_earlier_sessions, items_on_record},
};

/// Where a run is recorded. It lives as long as a session.
pub(super) struct RunRecord {
    /// The folder of the run, which no other process uses meanwhile.
    pub(super) folder: RunFolder,
    /// What `run.json` says of the run.
    pub(super) run: RunJson,
    /// How the run stood before this session.
    pub(super) state_before: RunState,
    /// What was recorded. Read here; written by a thread of its own.
    pub(super) db: Db,
    /// The number of the session.
    pub(super) session: i64,
    /// Whether there was a session before: then there is something on the record.
    pub(super) resumed: bool,
    /// For those who wait until something is on the record.
    pub(super) ledger: Ledger,
    /// The tensors of the run.
    pub(super) blobs: Arc<Blobs>,
}

/// A session that has ended.
pub(super) struct EndedSession<'a> {
    pub(super) plan: &'a Plan,
    pub(super) services: &'a Services,
    /// That of the plan's search, if it is kept.
    pub(super) study: Option<&'a StudyFile>,
    /// When it began.
    pub(super) began: Instant,
    /// How it ended.
    pub(super) ended: Result<Summary, EngineError>,
    /// Whether all that it handed over was written.
    pub(super) written: Result<UnwrittenItems, StoreError>,
    /// Whether it was asked for some items alone, of those that are on the record.
    pub(super) is_redone: bool,
}

impl RunRecord {
    /// The record of a session that begins, with what writes it; goes on with what an earlier session left in the folder.
    ///
    /// # Errors
    /// A record that cannot be read, or is that of another run.
    pub(super) fn begin(
        plan: &Plan,
        folder: RunFolder,
        mut run: RunJson,
        began: Instant,
    ) -> Result<(Self, Writer), EngineError> {
        let state_before = run.state;
        let db = open_record(&folder, &mut run)?;
        allow_further_trials(plan, &mut run, &db)?;
        let session = db.begin_session(&timestamp())?;
        let resumed = session > 1;
        let stages = plan.stages.iter().map(|stage| stage.name.clone()).collect();
        let partial_results = Some((plan.clone(), folder.path().to_owned()));
        let writer_session = WriterSession { session, resumed, stages, began, partial_results };
        let writer = Writer::start(folder.db()?, writer_session, folder.guard(), folder.path().join("items"))?;
        run.state = RunState::Running;
        folder.write_run(&run)?;
        let blobs = Blobs::for_session(folder.path(), plan.tensor_total())?;
        let ledger = writer.ledger();
        Ok((Self { folder, run, state_before, db, session, resumed, ledger, blobs }, writer))
    }

    /// Forgets what is on the record of items, given their folders by their positions, so that all of it is made again.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn forget(&self, items: &BTreeMap<u64, String>) -> Result<(), StoreError> {
        let positions: Vec<u64> = items.keys().copied().collect();
        let count = self.db.count_results_of(&positions)?;
        let mut run = self.run.clone();
        if let Some(recorded) = &mut run.recorded {
            // First: a record with fewer results than `run.json` counts would be taken for another run's.
            recorded.results = recorded.results.saturating_sub(count);
            self.folder.write_run(&run)?;
        }
        self.db.forget_results_of(&positions)?;
        for folder in items.values().filter(|folder| !folder.is_empty()) {
            remove_item_files(self.folder.path(), folder)?;
        }
        Ok(())
    }

    /// Forgets the results of stages over all items, which an earlier session has left: they are made again.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn forget_results_over_all(&self) -> Result<(), StoreError> {
        let count = self.db.count_results_over_all()?;
        if count == 0 {
            return Ok(());
        }
        let mut run = self.run.clone();
        if let Some(recorded) = &mut run.recorded {
            // First, as in `forget`.
            recorded.results = recorded.results.saturating_sub(count);
            self.folder.write_run(&run)?;
        }
        self.db.forget_results_over_all()
    }

    /// Ends the session: notes how it ended, and writes all that is made of the record.
    ///
    /// # Errors
    /// What ended the session before its end; what cannot be read or written.
    pub(super) fn end(self, session: EndedSession<'_>) -> Result<Summary, EngineError> {
        let EndedSession { plan, services, study, began, mut ended, written, is_redone } = session;
        let Self { folder, mut run, state_before, db, session, resumed, .. } = self;
        if let (Ok(summary), Ok(unwritten)) = (&mut ended, &written) {
            summary.count_unwritten(*unwritten);
        }
        let earlier = run.summary.take();
        if written.is_ok()
            && let Ok(mut summary) = ended
        {
            if is_redone {
                judge_selected(&mut summary, state_before, earlier.as_ref(), &db)?;
            } else if summary.stopped.is_some() {
                summary.items = items_on_record(&db, summary.last_session.known_items)?;
                if summary.state != RunState::Interrupted {
                    summary.state = summary.items.state_if_exhausted();
                }
            }
            if resumed {
                summary = add_earlier_sessions(summary, earlier.as_ref(), &db, plan, session)?;
            }
            ended = Ok(summary);
        }
        // Whoever removed the folder must not read that all went well.
        folder.guard().check()?;
        let state = ended.as_ref().map_or(RunState::Interrupted, |summary| summary.state);
        let closed = written.and_then(|_| db.end_session(session, &timestamp(), state.name()));
        if let (Ok(spend), Ok(recorded)) = (db.spend_by_name(plan), db.recorded()) {
            ended.iter_mut().for_each(|summary| summary.spend.clone_from(&spend));
            (run.spend, run.recorded) = (spend, Some(recorded));
        }
        let summary = match (ended, closed) {
            (Err(EngineError::Store(StoreError::WriterGone)) | Ok(_), Err(error)) => return Err(error.into()),
            (Err(error), _)
                if !resumed
                    && !matches!(error, EngineError::Store(_))
                    && db.recorded().is_ok_and(Recorded::has_nothing) =>
            {
                // Nothing was begun, so nothing is lost. Where the record could not be written, a resume is what is advised.
                drop(db);
                let _ = folder.discard();
                return Err(error);
            }
            (Err(error), _) => {
                // Nothing was made of items that were refused before anything was run: the run is what it was.
                let is_refused = is_redone
                    && state_before != RunState::Running
                    && matches!(
                        error,
                        EngineError::UnknownItems { .. }
                            | EngineError::ItemsDiffer { .. }
                            | EngineError::ItemChanged { .. }
                    );
                (run.state, run.summary) = (if is_refused { state_before } else { state }, earlier);
                // The error that ended the session is the one that is reported.
                let _ = folder.write_run(&run);
                return Err(error);
            }
            (Ok(summary), Ok(())) => summary,
        };
        let event = serde_json::json!({ "event": "run-summary", "summary": summary });
        tracing::info!(target: "run_summary", run = summary.run, summary = %event["summary"]);
        db.put_event(session, began.elapsed().as_micros() as u64, &event.to_string())?;
        run.recorded.iter_mut().for_each(|recorded| recorded.events += 1);
        export_all(&db, plan, folder.path())?;
        run.state = summary.state;
        run.ended = Some(timestamp());
        run.summary = Some(summary.clone());
        folder.write_run(&run)?;
        // Last: what cannot be kept costs the run nothing else, and a resume keeps it.
        keep_routes(plan, services, &db, &folder.id())?;
        keep_study(plan, study, &db, &folder.id())?;
        Ok(summary)
    }
}

/// Puts into words how a run stands of which some items alone were made again. Whether others are left, its last session knew.
fn judge_selected(
    summary: &mut Summary,
    before: RunState,
    earlier: Option<&Summary>,
    db: &Db,
) -> Result<(), EngineError> {
    let is_stopped = summary.stopped.is_some();
    let known = earlier.filter(|earlier| earlier.stopped.is_some()).and_then(|earlier| {
        let ItemCounts { total, unfinished, not_begun, .. } = earlier.items;
        (not_begun > 0).then_some(total + unfinished + not_begun)
    });
    let was_at_its_end = matches!(before, RunState::Complete | RunState::Partial | RunState::Failed)
        && earlier.is_some_and(|earlier| earlier.stopped.is_none());
    if !is_stopped {
        summary.last_session.selected = Some(summary.state);
    }
    summary.items = items_on_record(db, known)?;
    if was_at_its_end && summary.items.unfinished == 0 && !is_stopped {
        summary.state = match summary.items.state() {
            RunState::Complete if summary.last_session.all_items_flawed => RunState::Partial,
            state => state,
        };
    } else {
        summary.state = RunState::Interrupted;
        summary.stopped.get_or_insert_with(|| "other items of the run may be left".to_owned());
        // It is judged once it has come to its end.
        summary.requirements.clear();
    }
    Ok(())
}

/// Writes the files that are made of the record.
fn export_all(db: &Db, plan: &Plan, folder: &Path) -> Result<(), StoreError> {
    export_results(db, plan, &folder.join("results.jsonl"))?;
    remove_partial_results(folder);
    export_merged(db, plan, folder)?;
    export_run_stages(db, plan, &folder.join("run"))?;
    export_spend(db, plan, &folder.join("spend.jsonl"))?;
    export_events(db, plan, plan.output.item_files, &folder.join("events.jsonl"))
}

/// The record of a run. That of a run that goes on is checked as a whole: what is damaged is taken out, to be made again,
/// and reported; a record that does not go with `run.json` is refused, since to go on with it would be to pay for every call
/// again.
fn open_record(folder: &RunFolder, run: &mut RunJson) -> Result<Db, StoreError> {
    if !folder.has_run() {
        let db = folder.db()?;
        db.claim(&run.run)?;
        return Ok(db);
    }
    let db = folder.db_of_run()?;
    if let Some(what) = db.repair(run)? {
        tracing::warn!("the record is damaged: {what}; what is damaged is made again");
        // The record holds less than was counted until then, and a kill must not make it look like another run's.
        run.recorded = Some(db.recorded()?);
        folder.write_run(run)?;
    }
    db.claim(&run.run)?;
    Ok(db)
}

/// A run may be given further trials, or other limits on them: what stopped it then stops it no more.
fn allow_further_trials(plan: &Plan, run: &mut RunJson, db: &Db) -> Result<(), EngineError> {
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
