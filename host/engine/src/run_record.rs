//! The record of a run, as a session writes it.

use std::{path::Path, sync::Arc, time::Instant};

use jackfield_pipeline::{InputPlan, Plan};
use jackfield_services::{Services, StudyFile};
use jackfield_store::{
    Blobs, Db, Ledger, RunFolder, RunJson, RunState, SearchNote, StoreError, Summary, UnwrittenItems, Writer,
    WriterSession, export_events, export_results, export_run_stages, export_spend, timestamp,
};

use super::{
    error::EngineError,
    merged::export_merged,
    saved_state::{keep_routes, keep_study},
};

/// Where a run is recorded. It lives as long as a session.
pub(super) struct RunRecord {
    /// The folder of the run, which no other process uses meanwhile.
    pub(super) folder: RunFolder,
    /// What `run.json` says of the run.
    pub(super) run: RunJson,
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
        let db = open_record(&folder, &mut run)?;
        allow_further_trials(plan, &mut run, &db)?;
        let session = db.begin_session(&timestamp())?;
        let resumed = session > 1;
        let stages = plan.stages.iter().map(|stage| stage.name.clone()).collect();
        let writer_session = WriterSession { session, resumed, stages, began };
        let writer = Writer::start(folder.db()?, writer_session, folder.guard(), folder.path().join("items"))?;
        run.state = RunState::Running;
        folder.write_run(&run)?;
        let blobs = Blobs::for_session(folder.path(), plan.tensor_total())?;
        let ledger = writer.ledger();
        Ok((Self { folder, run, db, session, resumed, ledger, blobs }, writer))
    }

    /// Ends the session: notes how it ended, and writes all that is made of the record.
    ///
    /// # Errors
    /// What ended the session before its end; what cannot be read or written.
    pub(super) fn end(self, session: EndedSession<'_>) -> Result<Summary, EngineError> {
        let EndedSession { plan, services, study, began, mut ended, written } = session;
        let Self { folder, mut run, db, session, .. } = self;
        if let (Ok(summary), Ok(unwritten)) = (&mut ended, &written) {
            summary.count_unwritten(*unwritten);
        }
        // Whoever removed the folder must not read that all went well.
        folder.guard().check()?;
        let state = ended.as_ref().map_or(RunState::Interrupted, |summary| summary.state);
        let closed = written.and_then(|_| db.end_session(session, &timestamp(), state.name()));
        if let (Ok(spend), Ok(recorded)) = (db.spend_by_name(plan), db.recorded()) {
            (run.spend, run.recorded) = (spend, Some(recorded));
        }
        let summary = match (ended, closed) {
            (Err(EngineError::Store(StoreError::WriterGone)) | Ok(_), Err(error)) => return Err(error.into()),
            (Err(error), _) => {
                run.state = state;
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

/// Writes the files that are made of the record.
fn export_all(db: &Db, plan: &Plan, folder: &Path) -> Result<(), StoreError> {
    export_results(db, plan, &folder.join("results.jsonl"))?;
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
