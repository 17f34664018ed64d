//! From a plan to the instances of its stages.

use std::{borrow::Cow, sync::Arc};

use jackfield_loader::Registry;
use jackfield_pipeline::Plan;
use jackfield_plugin_api::{Failure, Instance};

/// An extension that would not open with its configuration.
#[derive(Clone, Debug)]
pub struct OpenFault {
    /// The stage.
    pub stage: String,
    /// Why.
    pub failure: Failure,
}

/// The instances of a stage: one an arm, or the only one.
pub type StageInstances = Vec<Arc<dyn Instance>>;

/// Makes the instances of every stage; nothing has run then.
///
/// # Errors
/// Every stage whose extension refuses its configuration.
pub fn open_stages(plan: &Plan, registry: &Registry) -> Result<Vec<StageInstances>, Vec<OpenFault>> {
    let (mut opened, mut faults) = (Vec::new(), Vec::new());
    // A stage that is searched may lack what only a trial gives it.
    let first = plan.search.as_ref().map(|search| (search, search.study.first_values()));
    for (index, stage) in plan.stages.iter().enumerate() {
        let stage = match &first {
            Some((search, values)) => Cow::Owned(stage.with_values(search, index, values)),
            None => Cow::Borrowed(stage),
        };
        let arms: Vec<_> =
            stage.with_arms().iter().map(|arm| arm.extension.open(&arm.config, &arm.limits, registry)).collect();
        match arms.into_iter().collect() {
            Ok(instances) => opened.push(instances),
            Err(failure) => faults.push(OpenFault { stage: stage.name.clone(), failure }),
        }
    }
    if faults.is_empty() { Ok(opened) } else { Err(faults) }
}
