//! From a stage to what its calls are made with.

use std::{sync::Arc, time::Instant};

use jackfield_loader::Registry;
use jackfield_pipeline::{Plan, StagePlan};
use jackfield_plugin_api::{Instance, Result};
use jackfield_services::{Services, StageRecorder};
use jackfield_store::{Blobs, Ledger};

use super::station::Station;

/// Makes stations.
pub(super) struct Stations<'p> {
    pub(super) plan: &'p Plan,
    pub(super) registry: &'p Registry,
    pub(super) services: &'p Services,
    pub(super) blobs: Arc<Blobs>,
    pub(super) began: Instant,
    /// The record of the run, where there is one.
    pub(super) ledger: Option<Ledger>,
}

impl Stations<'_> {
    /// A stage with its opened extension.
    pub(super) fn of(&self, stage: &StagePlan, instance: Arc<dyn Instance>) -> Arc<Station> {
        let offer = stage.extension.offer(self.registry);
        let mut station = Station::new(stage, instance, offer, (self.plan, self.services, &self.blobs), self.began);
        station.ledger.clone_from(&self.ledger);
        station.recorder = self.services.calls.as_ref().map(|calls| StageRecorder::new(calls, stage, self.registry));
        Arc::new(station)
    }

    /// A stage, with its extension opened as the stage says.
    ///
    /// # Errors
    /// What the extension has against its configuration.
    pub(super) fn open(&self, stage: &StagePlan) -> Result<Arc<Station>> {
        let instance = stage.extension.open(&stage.config, &stage.limits, self.registry)?;
        Ok(self.of(stage, instance))
    }
}
