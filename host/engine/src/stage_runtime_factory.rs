//! From a stage to what its calls are made with.

use std::{sync::Arc, time::Instant};

use jackfield_loader::Registry;
use jackfield_pipeline::{Plan, RecordedCalls, StagePlan};
use jackfield_plugin_api::{Instance, Result};
use jackfield_services::{Secrets, Services, StageRecorder};
use jackfield_store::{Blobs, Ledger};

use super::{
    plugin_warnings::PluginWarnings,
    stage_runtime::{SessionParts, StageRuntime},
};

/// Makes the [`StageRuntime`]s of a session.
pub(super) struct StageRuntimeFactory<'p> {
    pub(super) plan: &'p Plan,
    /// The plugins.
    pub(super) registry: &'p Registry,
    /// The models and caches.
    pub(super) services: &'p Services,
    /// The tensors of the run.
    pub(super) blobs: Arc<Blobs>,
    /// When the session began.
    pub(super) began: Instant,
    /// The record of the run, where there is one.
    pub(super) ledger: Option<Ledger>,
    /// What the stages of the session warn of.
    pub(super) warnings: Arc<PluginWarnings>,
}

impl StageRuntimeFactory<'_> {
    /// A stage with its opened extension.
    pub(super) fn with_instance(&self, stage: &StagePlan, instance: Arc<dyn Instance>) -> Arc<StageRuntime> {
        let entry = stage.extension.entry(self.registry);
        let session = SessionParts { plan: self.plan, services: self.services, blobs: &self.blobs, began: self.began };
        let mut runtime = StageRuntime::new(stage, instance, entry, session);
        runtime.ledger.clone_from(&self.ledger);
        runtime.recorder = self.services.calls.as_ref().map(|calls| StageRecorder::new(calls, stage, self.registry));
        if self.ledger.is_some() && self.plan.recorded_calls != RecordedCalls::None {
            runtime.exchanges = Some(Secrets::of_grants(&runtime.grants));
        }
        runtime.warnings = Some(Arc::clone(&self.warnings));
        Arc::new(runtime)
    }

    /// A stage, with its extension opened as the stage says.
    ///
    /// # Errors
    /// What the extension has against its configuration.
    pub(super) fn open(&self, stage: &StagePlan) -> Result<Arc<StageRuntime>> {
        let instance = stage.extension.open(&stage.config, &stage.limits, self.registry)?;
        Ok(self.with_instance(stage, instance))
    }
}
