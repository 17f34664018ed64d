//! What a loaded pipeline holds, and what each of its runs opens.

use std::{path::PathBuf, sync::Mutex};

use jackfield_engine::open_stages;
use jackfield_loader::Registry;
use jackfield_pipeline::Plan;
use jackfield_plugin_api::sync;
use jackfield_services::open_services;

use crate::{
    compile::{MissingGrant, Opened},
    error::Error,
};

/// The parts of a loaded pipeline.
pub(crate) struct Parts {
    pub(crate) plan: Plan,
    pub(crate) registry: Registry,
    /// The pipeline file, absolute.
    pub(crate) file: PathBuf,
    pub(crate) missing_grants: Vec<MissingGrant>,
    /// What was opened as the pipeline was loaded: the first run takes it, and later ones open anew, so that each has counts
    /// and budgets of its own.
    pub(crate) opened: Mutex<Option<Opened>>,
}

impl Parts {
    /// What a run works with.
    pub(crate) fn opened(&self) -> Result<Opened, Error> {
        if let Some(opened) = sync::lock(&self.opened).take() {
            return Ok(opened);
        }
        // They opened before, with the same settings: what has gone since is the machine's.
        let instances = open_stages(&self.plan, &self.registry)
            .map_err(|refused| Error::opening(refused.iter().map(|fault| (&*fault.stage, &fault.failure))))?;
        let services = open_services(&self.plan, &self.registry)
            .map_err(|refused| Error::opening(refused.iter().map(|fault| (&*fault.service, &fault.failure))))?;
        Ok(Opened { instances, services })
    }
}
