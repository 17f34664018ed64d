//! Opens the policy of a plan's search.

use std::sync::Arc;

use jackfield_loader::{Registry, sandbox::Limits};
use jackfield_pipeline::{Plan, SearchPlan};
use jackfield_plugin_api::{
    Failure, Instance, LinkedInSearch, Result, SearchAnswer, SearchByDocuments, SearchRequest, SearchState, Study,
};

use crate::{ServiceFault, route::by_document};

/// The policy of a search.
pub struct Search {
    /// Name of the policy.
    name: String,
    study: Study,
    policy: Arc<dyn Instance>,
}

impl Search {
    fn new(plan: &SearchPlan, registry: &Registry) -> Result<Self> {
        let policy = plan.extension.open(&plan.config, &Limits::of_policy(), registry)?;
        let search = Self { name: plan.extension.name.clone(), study: plan.study.clone(), policy };
        // A study that the policy refuses is refused before the run.
        search.state()?;
        Ok(search)
    }

    /// The search before any outcome is known.
    ///
    /// # Errors
    /// If the policy refuses the study.
    pub fn state(&self) -> Result<Box<dyn SearchState>> {
        if self.policy.as_search().is_some() {
            let policy = Arc::clone(&self.policy);
            return Ok(Box::new(LinkedInSearch::new(&self.study, policy)?));
        }
        let ask = by_document::<SearchRequest, SearchAnswer>(&self.name, &self.policy)?;
        Ok(Box::new(SearchByDocuments::new(&self.name, &self.study, ask)?))
    }
}

/// Opens the policy of a plan's search.
pub(crate) fn open_search(plan: &Plan, registry: &Registry, faults: &mut Vec<ServiceFault>) -> Option<Arc<Search>> {
    let searched = plan.search.as_ref()?;
    match Search::new(searched, registry) {
        Ok(search) => Some(Arc::new(search)),
        Err(failure) => {
            let failure = match failure {
                Failure::InvalidInput(why) => Failure::InvalidConfig(why),
                other => other,
            };
            let service = format!("the policy `{}` of the search", searched.extension.name);
            faults.push(ServiceFault { service, failure });
            None
        }
    }
}
