//! Opens the policies of a plan's routes.

use std::sync::Arc;

use jackfield_loader::{Registry, sandbox::Limits};
use jackfield_pipeline::{Plan, RoutePlan};
use jackfield_plugin_api::{Arm, Failure, Instance, PolicyState, Result};
use serde_json::Value;

use super::by_documents::by_documents;
use crate::ServiceFault;

/// The policy of a stage's route.
pub struct Route {
    /// Index of the stage.
    pub stage: usize,
    /// The arms.
    pub arms: Arc<[Arm]>,
    /// Name of the policy.
    name: String,
    policy: Arc<dyn Instance>,
}

impl Route {
    fn new(stage: usize, plan: &RoutePlan, registry: &Registry) -> Result<Self> {
        let policy = plan.extension.open(&plan.config, &Limits::of_policy(), registry)?;
        let arms: Arc<[Arm]> = plan.arms.iter().map(|arm| arm.arm.clone()).collect();
        let route = Self { stage, arms, name: plan.extension.name.clone(), policy };
        match route.policy.as_policy() {
            Some(policy) => policy.check(&route.arms)?,
            // A policy behind documents gets the arms with its state, and checks them then.
            None => drop(route.restore(None)?),
        }
        Ok(route)
    }

    /// The policy with what it has learned, or with nothing learned.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] if that is not a state of the policy.
    pub fn restore(&self, snapshot: Option<&Value>) -> Result<Box<dyn PolicyState>> {
        match (self.policy.as_policy(), snapshot) {
            (Some(policy), Some(snapshot)) => policy.restore(snapshot),
            (Some(policy), None) => Ok(policy.new_state()),
            (None, snapshot) => by_documents(&self.name, &self.policy, &self.arms, snapshot.cloned()),
        }
    }
}

/// Opens the policies of a plan.
pub(crate) fn open_routes(plan: &Plan, registry: &Registry, faults: &mut Vec<ServiceFault>) -> Vec<Route> {
    let routes = plan.stages.iter().enumerate().filter_map(|(stage, plan)| Some((stage, plan, plan.route.as_ref()?)));
    let mut opened = Vec::new();
    for (stage, plan, route) in routes {
        match Route::new(stage, route, registry) {
            Ok(route) => opened.push(route),
            Err(failure) => {
                let failure = match failure {
                    Failure::InvalidInput(why) => Failure::InvalidConfig(why),
                    other => other,
                };
                let (policy, stage) = (&route.extension.name, &plan.name);
                let service = format!("the policy `{policy}` of the route of stage `{stage}`");
                faults.push(ServiceFault { service, failure });
            }
        }
    }
    opened
}
