//! The routes and the search of a run, with what they knew when it began.

use std::collections::BTreeMap;

use jackfield_pipeline::{Plan, RoutePlan};
use jackfield_services::{PolicyStateError, PolicyStateFile, Services, StudyFile, StudyStart};
use jackfield_store::SearchNote;

use super::{
    error::EngineError,
    index::StageIdx,
    router::{RouteInProgress, Router},
    run_record::RunRecord,
    scheduler::SearchInProgress,
    search::Search,
    stage_runtime_factory::StageRuntimeFactory,
};

/// The routes of a run, by their stage, with what they had learned when it began: what is on the record of that, or what an
/// earlier run has left.
pub(super) fn routes_of<'p>(
    plan: &'p Plan,
    services: &'p Services,
    record: Option<&RunRecord>,
) -> Result<BTreeMap<StageIdx, RouteInProgress<'p>>, EngineError> {
    let mut routes = BTreeMap::new();
    for route in &services.routes {
        let stage = StageIdx::new(route.stage);
        let Some(routed) = plan.stages.get(route.stage).and_then(|stage| stage.route.as_ref()) else { continue };
        let start = match record {
            None => None,
            Some(record) => match record.db.route_start(stage.to_record())? {
                Some(start) => start,
                None => {
                    let start = saved_state_of(routed)?;
                    record.db.begin_route(stage.to_record(), start.as_ref())?;
                    start
                }
            },
        };
        let policy = route.restore(start.as_ref()).map_err(|failure| {
            let path = routed.state.clone().unwrap_or_default();
            PolicyStateError::Refused { path, failure }
        })?;
        let router = Router::new(policy, routed.in_flight);
        routes.insert(stage, RouteInProgress { plan: routed, route, router });
    }
    Ok(routes)
}

/// What earlier runs have left of what a route learned.
fn saved_state_of(route: &RoutePlan) -> Result<Option<serde_json::Value>, EngineError> {
    let Some(path) = &route.state else { return Ok(None) };
    Ok(PolicyStateFile::at(path).read_for(&route.extension.name)?.state)
}

/// The search of a run, with what its study knew when it began; none where nothing is searched.
pub(super) fn search_of<'p>(
    plan: &'p Plan,
    services: &Services,
    record: Option<&RunRecord>,
    study: Option<&StudyFile>,
    factory: StageRuntimeFactory<'p>,
) -> Result<Option<SearchInProgress<'p>>, EngineError> {
    let (Some(searched), Some(search)) = (&plan.search, &services.search) else { return Ok(None) };
    let start = match record {
        Some(record) => match record.db.search_start()? {
            Some(start) => serde_json::from_value(start).unwrap_or_default(),
            None => {
                let start = study.map(|study| study.read_for(&searched.study)).transpose()?.unwrap_or_default();
                let value = serde_json::to_value(&start).unwrap_or_default();
                record.db.note_search(SearchNote::Start, Some(&value))?;
                start
            }
        },
        None => StudyStart::default(),
    };
    let state = search.state().map_err(|failure| EngineError::Search { failure })?;
    let search = Search::new(searched, plan.seed, state, start);
    Ok(Some(SearchInProgress { plan: searched, search, factory }))
}
