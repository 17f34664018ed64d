//! What is reported of a run that went on: the counts of all its sessions, and beside them those of the last one.

use std::{collections::BTreeMap, time::Duration};

use jackfield_pipeline::Plan;
use jackfield_services::Times;
use jackfield_store::{
    CallEnd, Db, ItemCounts, ItemState, ModelCount, SessionPart, StageStats, StoreError, Summary, TierCount, TimeStats,
};

/// Adds the earlier sessions of a run to the summary of its last one. `earlier` is the summary of the last session before it
/// that ended in order. What killed sessions did is on the record, except for what their caches were asked, tier by tier.
pub(super) fn add_earlier_sessions(
    session: Summary,
    earlier: Option<&Summary>,
    db: &Db,
    plan: &Plan,
    number: i64,
) -> Result<Summary, StoreError> {
    let mut whole = session;
    let part = SessionPart {
        items: whole.last_session.items,
        stages: whole.stages.clone(),
        models: whole.models.clone(),
        caches: whole.caches.clone(),
        wall_ms: whole.wall_ms,
    };
    whole.stages = stages_of_all_sessions(&part.stages, earlier, db, plan)?;
    let mut spent: BTreeMap<String, ModelCount> = db.spent()?.into_iter().collect();
    for (name, count) in &mut whole.models {
        *count = spent.remove(name).unwrap_or_default();
    }
    for (cache, tiers) in &mut whole.caches {
        let before = earlier.and_then(|earlier| earlier.caches.get(cache)).map_or(&[][..], Vec::as_slice);
        add_tiers(tiers, before);
    }
    let before = db.session_times()?.into_iter().filter(|(id, _)| *id != number);
    whole.wall_ms += before.map(|(_, us)| us as f64 / 1000.0).sum::<f64>();
    whole.session = Some(Box::new(part));
    Ok(whole)
}

/// Counts and times of all calls that are on the record. Those of this session that caused no record, such as retries that
/// traps ended, are added to those of the sessions before.
fn stages_of_all_sessions(
    session: &BTreeMap<String, StageStats>,
    earlier: Option<&Summary>,
    db: &Db,
    plan: &Plan,
) -> Result<BTreeMap<String, StageStats>, StoreError> {
    let mut stages: Vec<(StageStats, Times)> =
        plan.stages.iter().map(|_| (StageStats::default(), Times::new())).collect();
    db.each_call(|call| {
        let Some((stats, times)) = stages.get_mut(call.stage as usize) else { return };
        match call.end {
            CallEnd::Skipped => stats.skipped += 1,
            CallEnd::Off => stats.off += 1,
            _ if call.memo_hit == Some(true) => stats.memo_hits += 1,
            end => {
                stats.calls += 1;
                stats.failed += u64::from(end == CallEnd::Failed);
                stats.retries += call.attempts.saturating_sub(1);
                times.record(Duration::from_micros(call.took_us), 1);
            }
        }
    })?;
    let all = plan.stages.iter().zip(stages).map(|(stage, (mut stats, times))| {
        let TimeStats { p50_ms, p95_ms, p99_ms, total_ms, .. } = times.stats();
        stats = StageStats { p50_ms, p95_ms, p99_ms, total_ms, ..stats };
        let sessions = [Some(session), earlier.map(|earlier| &earlier.stages)];
        for before in sessions.into_iter().flatten().filter_map(|stages| stages.get(&stage.name)) {
            stats.traps += before.traps;
            stats.cache_ms += before.cache_ms;
        }
        (stage.name.clone(), stats)
    });
    Ok(all.collect())
}

fn add_tiers(tiers: &mut [TierCount], before: &[TierCount]) {
    for (tier, before) in tiers.iter_mut().zip(before).filter(|(tier, before)| tier.tier == before.tier) {
        tier.hits += before.hits;
        tier.misses += before.misses;
        tier.errors += before.errors;
    }
}

/// The items of a run that did not come to its end, as they are on the record. `known` is how many there are in the input,
/// where that is known.
pub(super) fn items_on_record(db: &Db, known: Option<u64>) -> Result<ItemCounts, StoreError> {
    let mut counts = ItemCounts::default();
    for (state, count) in db.item_counts()? {
        match ItemState::from_name(&state) {
            Some(state) => counts.add_many(state, count),
            None => counts.unfinished += count,
        }
    }
    counts.not_begun = known.map_or(0, |known| known.saturating_sub(counts.total + counts.unfinished));
    Ok(counts)
}
