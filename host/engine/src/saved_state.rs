//! What outlives a run: what its routes and its search have learned.

use jackfield_pipeline::Plan;
use jackfield_services::{PolicyStateFile, Services, StudyFile};
use jackfield_store::Db;

use super::error::EngineError;

/// Looks whether what the routes and the search of a plan have learned can be read, before anything is made for its run.
///
/// # Errors
/// [`EngineError::Route`], [`EngineError::Study`].
pub fn look_at_kept(plan: &Plan) -> Result<(), EngineError> {
    for route in plan.stages.iter().filter_map(|stage| stage.route.as_ref()) {
        if let Some(path) = &route.state {
            PolicyStateFile::at(path).read_for(&route.extension.name)?;
        }
    }
    if let (Some(search), Some(study)) = (&plan.search, hold_study(plan)?) {
        study.read_for(&search.study)?;
    }
    Ok(())
}

/// The study of a plan's search, if it is kept from run to run. No other run adds to it as long as it is held.
pub(super) fn hold_study(plan: &Plan) -> Result<Option<StudyFile>, EngineError> {
    let keep = plan.search.as_ref().and_then(|search| search.keep.as_ref());
    Ok(keep.map(|keep| StudyFile::lock(&keep.name, &keep.path)).transpose()?)
}

/// Adds what came of a run's trials to its study.
pub(super) fn keep_study(plan: &Plan, study: Option<&StudyFile>, db: &Db, run: &str) -> Result<(), EngineError> {
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
pub(super) fn keep_routes(plan: &Plan, services: &Services, db: &Db, run: &str) -> Result<(), EngineError> {
    for route in &services.routes {
        let routed = plan.stages.get(route.stage).and_then(|stage| stage.route.as_ref());
        let Some((routed, path)) = routed.and_then(|routed| Some((routed, routed.state.as_deref()?))) else { continue };
        PolicyStateFile::at(path).add(route, &routed.extension.name, run, |visit| {
            db.each_outcome(route.stage as u32, |record| {
                visit(&record.outcome);
                Ok(())
            })
        })?;
    }
    Ok(())
}
