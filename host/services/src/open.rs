//! Opens the services of a plan: its models, caches, routes and search.

use std::sync::Arc;

use jackfield_loader::Registry;
use jackfield_loader::waits::waiting;
use jackfield_pipeline::{CachePlan, ModelPlan, Plan};
use jackfield_plugin_api::{Failure, Offers, Result};

use super::{
    Cache, CallRecorder, Exhausted, ExhaustedResource, Forecaster, Http, Model, ModelParts, Route, RunBudget, Search,
    TierParts,
    route::open_routes,
    search::open_search,
    secrets::{Secrets, read_configured},
};

/// The services of a plan, in the plan's order.
#[derive(Clone, Default)]
pub struct Services {
    /// The models.
    pub models: Vec<Arc<Model>>,
    /// The caches.
    pub caches: Vec<Arc<Cache>>,
    /// The servers that plugins talk to.
    pub http: Arc<Http>,
    /// Records the calls of stages, if that is asked for.
    pub calls: Option<Arc<CallRecorder>>,
    /// The cache, by index, whose kept results depend on the seed of their call even where the extension does not ask for
    /// `random`: keeping them changes nothing then.
    pub seeded: Option<usize>,
    /// The routes.
    pub routes: Vec<Arc<Route>>,
    /// What a run may cost, all its models together.
    pub run_budget: Option<Arc<RunBudget>>,
    /// What picks the values of trials, where something is searched.
    pub search: Option<Arc<Search>>,
}

impl Services {
    /// The first model that has no more of its budget, or of memory, if there is one: no further work can be begun.
    #[must_use]
    pub fn exhausted(&self) -> Option<Exhausted> {
        let of_run = self.run_budget.as_ref().filter(|budget| budget.is_exhausted());
        let resource = of_run.map(|budget| ExhaustedResource::RunBudget(budget.most()));
        let of_run = resource.map(|resource| Exhausted { model: Arc::from(""), resource });
        of_run.or_else(|| self.models.iter().find_map(|model| model.exhausted()))
    }
}

/// A service whose extension would not open.
#[derive(Clone, Debug)]
pub struct ServiceFault {
    /// Which: `model `writer``, ``tier 1 of cache `answers```.
    pub service: String,
    /// Why.
    pub failure: Failure,
}

/// Opens the models, caches, routes and the search of a plan.
///
/// # Errors
/// Every service whose extension refuses its configuration.
pub fn open_services(plan: &Plan, registry: &Registry) -> std::result::Result<Services, Vec<ServiceFault>> {
    open_services_with(plan, registry, None)
}

/// As [`open_services`]; for a forecast, with the plan whose models are made up, and what counts their requests.
pub(super) fn open_services_with(
    plan: &Plan,
    registry: &Registry,
    forecast: Option<(&Plan, &Arc<Forecaster>)>,
) -> std::result::Result<Services, Vec<ServiceFault>> {
    let (mut services, mut faults) = (Services::default(), Vec::new());
    for cache in &plan.caches {
        match open_cache(cache, &services.http, registry) {
            Ok(cache) => services.caches.push(Arc::new(cache)),
            Err(fault) => faults.push(fault),
        }
    }
    // With a cache missing, the indices of the others mean nothing.
    if !faults.is_empty() {
        services.caches.clear();
    }
    for (index, model) in plan.models.iter().enumerate() {
        let forecast = forecast.map(|(plan, forecaster)| (&plan.models[index], forecaster));
        let cache = model.cache.and_then(|cache| services.caches.get(cache).cloned());
        match open_model(model, cache, &services.http, registry, forecast) {
            Ok(model) => services.models.push(Arc::new(model)),
            Err(failure) => faults.push(ServiceFault { service: format!("model `{}`", model.name), failure }),
        }
    }
    services.routes = open_routes(plan, registry, &mut faults).into_iter().map(Arc::new).collect();
    services.search = open_search(plan, registry, &mut faults);
    if faults.is_empty() { Ok(services) } else { Err(faults) }
}

fn open_model(
    plan: &ModelPlan,
    cache: Option<Arc<Cache>>,
    http: &Arc<Http>,
    registry: &Registry,
    forecast: Option<(&ModelPlan, &Arc<Forecaster>)>,
) -> Result<Model> {
    let entry = plan.extension.entry(registry);
    let grants = entry.map(|entry| Arc::clone(&entry.grants)).unwrap_or_default();
    let opened = plan.extension.open(&plan.config, &plan.limits, registry);
    let instance = opened.map_err(|failure| Secrets::of_grants(&grants).redact_failure(failure))?;
    let secrets = match entry {
        Some(entry) => read_configured(&entry.descriptor.config, &plan.config, &grants, http.secrets())?,
        None => Vec::new(),
    };
    let offers = entry.map(|entry| Offers::from_schema(&entry.descriptor.input)).unwrap_or_default();
    let parts = ModelParts { instance, grants, offers, cache, http: Arc::clone(http), secrets };
    if let Some((forecast_of, forecaster)) = forecast {
        return Ok(Model::for_forecast(plan, parts, forecast_of, forecaster));
    }
    Model::new(plan, parts).map_err(|error| {
        let path = plan.record.as_deref().unwrap_or(std::path::Path::new("")).display();
        Failure::InvalidConfig(format!("cannot record to `{path}`: {error}"))
    })
}

/// Opens a cache.
///
/// # Errors
/// The first tier whose extension refuses its configuration.
pub fn open_cache(plan: &CachePlan, http: &Arc<Http>, registry: &Registry) -> std::result::Result<Cache, ServiceFault> {
    let fault = |index: usize, failure: Failure| ServiceFault {
        service: format!("tier {} of cache `{}`", index + 1, plan.name),
        failure,
    };
    let mut tiers = Vec::new();
    for (index, tier) in plan.tiers.iter().enumerate() {
        let _waiting = waiting(format!("`{}` of cache `{}` to open", tier.extension.name, plan.name));
        let grants = tier.extension.entry(registry).map(|entry| Arc::clone(&entry.grants)).unwrap_or_default();
        let opened = tier.extension.open(&tier.config, &tier.limits, registry);
        let instance = match opened.map_err(|failure| Secrets::of_grants(&grants).redact_failure(failure)) {
            Ok(instance) => instance,
            // A full disk, an unreachable server: the other tiers serve.
            Err(Failure::Unavailable(why)) => {
                tracing::warn!(cache = plan.name, tier = tier.extension.name, "the cache is left out: {why}");
                continue;
            }
            Err(failure) => return Err(fault(index, failure)),
        };
        tiers.push(TierParts {
            name: tier.extension.name.clone(),
            linkage: tier.extension.linkage,
            instance,
            grants,
            ttl: tier.ttl,
            limits: tier.limits.clone(),
        });
    }
    Cache::new(&plan.name, tiers, http).ok_or_else(|| fault(0, Failure::Internal("not a cache backend".to_owned())))
}
