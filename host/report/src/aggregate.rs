//! The record of a run is read once and aggregated into [`RunStats`], whose size is bounded whatever the run.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use jackfield_pipeline::StagePlan;
use jackfield_store::{Db, RunJson, StoreError};

use super::{
    calls::StageStats,
    drawn_items::{DrawnItems, Inputs},
    failures::Failures,
    flow::{Flow, Session},
    learned::Learned,
    spend::Spending,
    steering::Steering,
    trials::Trials,
};

/// How many items ended how.
#[derive(Clone, Copy, Default)]
pub(super) struct Items {
    pub(super) ok: u64,
    pub(super) partial: u64,
    pub(super) failed: u64,
    /// Items that are not done.
    pub(super) open: u64,
}

impl Items {
    pub(super) fn total(self) -> u64 {
        self.ok + self.partial + self.failed + self.open
    }
}

/// Everything that the page about a run shows.
pub(super) struct RunStats<'a> {
    pub(super) run: &'a RunJson,
    pub(super) items: Items,
    /// In the order of the plan.
    pub(super) stages: Vec<StageStats>,
    pub(super) flow: Flow,
    pub(super) spending: Spending,
    pub(super) failures: Failures,
    /// What answers say that they could not read.
    pub(super) warnings: Failures,
    pub(super) routes: Vec<Learned>,
    pub(super) trials: Trials,
    pub(super) steering: Steering,
    pub(super) drawn_items: DrawnItems,
    /// Ids of the first items, by position: as many as are drawn one by one.
    pub(super) ids: BTreeMap<i64, String>,
}

impl RunStats<'_> {
    /// Time spent in all stages, in microseconds.
    pub(super) fn total_us(&self) -> u64 {
        self.stages.iter().map(StageStats::total_us).fold(0, u64::saturating_add)
    }

    /// The stages with their plans and their numbers on the page, which begin with 1.
    pub(super) fn each_stage(&self) -> impl Iterator<Item = (usize, &StagePlan, &StageStats)> {
        self.run.plan.stages.iter().zip(&self.stages).enumerate().map(|(index, (plan, stats))| (index + 1, plan, stats))
    }

    /// The name of a stage, by its position.
    pub(super) fn stage_name(&self, stage: usize) -> &str {
        self.run.plan.stages.get(stage).map_or("?", |stage| stage.name.as_str())
    }
}

/// Reads the record of a run, each table once from its beginning to its end.
pub(super) fn aggregate<'a>(run: &'a RunJson, db: &Db, inputs: &Inputs<'_>) -> Result<RunStats<'a>, StoreError> {
    db.in_one_transaction(|| {
        db.verify(run)?;
        let (items, count) = count_items(db)?;
        let mut stats = RunStats {
            run,
            items,
            stages: run.plan.stages.iter().map(|_| StageStats::new()).collect(),
            flow: Flow::new(sessions(db)?, run.plan.stages.len(), count),
            spending: Spending::default(),
            failures: Failures::default(),
            warnings: Failures::default(),
            routes: Vec::new(),
            trials: Trials::default(),
            steering: Steering::default(),
            drawn_items: DrawnItems::default(),
            ids: BTreeMap::new(),
        };
        db.each_call(|call| {
            if let Some(stage) = stats.stages.get_mut(call.stage as usize) {
                stage.add(&call);
            }
            stats.flow.add(&call);
        })?;
        stats.flow.close_item();
        db.each_completion(|row| stats.spending.add(&row))?;
        db.each_item(|item| {
            if stats.flow.bars.is_some() {
                stats.ids.insert(item.index as i64, item.id.clone());
            }
            if let Some(fault) = &item.fault {
                let kind = if item.was_read() { "unwritten" } else { "unreadable" };
                stats.failures.add(None, Some(&item.id), kind, fault);
            }
            Ok(())
        })?;
        db.each_failure(|row| stats.failures.add(Some(row.stage), row.item.as_deref(), &row.kind, &row.message))?;
        db.each_warning(|row| stats.warnings.add(Some(row.stage), row.item.as_deref(), "", &row.message))?;
        stats.routes = routes(run, db)?;
        stats.trials = Trials::read(db)?;
        stats.steering = Steering::read(&run.plan, db, &stats.trials)?;
        stats.drawn_items = DrawnItems::read(run, db, inputs)?;
        Ok(stats)
    })
}

/// Items by outcome, and how many positions there are.
fn count_items(db: &Db) -> Result<(Items, u64), StoreError> {
    let mut items = Items::default();
    for (state, count) in db.item_counts()? {
        *match state.as_str() {
            "ok" => &mut items.ok,
            "partial" => &mut items.partial,
            "failed" => &mut items.failed,
            _ => &mut items.open,
        } += count;
    }
    Ok((items, items.total()))
}

/// The sessions on one axis of time, on which each begins where the one before ended.
fn sessions(db: &Db) -> Result<Vec<Session>, StoreError> {
    let ends: BTreeMap<i64, u64> = db.session_ends()?.into_iter().collect();
    let mut from_us = 0_u64;
    let mut sessions = Vec::new();
    for row in db.sessions()? {
        let time = |text: &str| humantime::parse_rfc3339(text).ok();
        let ends_known = row.ended.as_deref().and_then(time).zip(time(&row.began));
        let length = ends_known.and_then(|(ended, began): (SystemTime, SystemTime)| ended.duration_since(began).ok());
        let micros = |length: Duration| u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        let length_us = length.map_or(0, micros).max(ends.get(&row.id).copied().unwrap_or_default());
        sessions.push(Session { id: row.id, began: row.began, from_us, length_us });
        from_us = from_us.saturating_add(length_us);
    }
    Ok(sessions)
}

/// What the routes learned, in the order of their stages.
fn routes(run: &RunJson, db: &Db) -> Result<Vec<Learned>, StoreError> {
    let mut routes = Vec::new();
    for (index, stage) in run.plan.stages.iter().enumerate() {
        let Some(route) = &stage.route else { continue };
        let arms: BTreeMap<&str, usize> =
            route.arms.iter().enumerate().map(|(index, arm)| (arm.arm.name.as_str(), index)).collect();
        let mut learned = Learned::new(index, db.began_with_learned_state(index as u32)?);
        db.each_outcome(index as u32, |record| {
            learned.add(&arms, &record.outcome);
            Ok(())
        })?;
        let counted = run.summary.as_ref().and_then(|summary| summary.routes.get(&stage.name));
        if let Some(state) = counted.and_then(|counted| counted.state.as_ref()) {
            learned.add_policy_state(route, state);
        }
        routes.push(learned);
    }
    Ok(routes)
}
