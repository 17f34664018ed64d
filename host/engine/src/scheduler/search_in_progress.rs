//! The search of a run, with the stages that are opened for its trials.

use std::{collections::VecDeque, sync::Arc};

use jackfield_pipeline::SearchPlan;

use crate::{search::Search, stage_runtime::StageRuntime, stage_runtime_factory::StageRuntimeFactory};

/// Opened stages that are kept, of each that is searched.
const KEPT: usize = 16;

/// The search of a run, with what opens its stages.
pub(crate) struct SearchInProgress<'p> {
    /// How it stands in the plan.
    pub(crate) plan: &'p SearchPlan,
    /// What it has decided and learned.
    pub(crate) search: Search<'p>,
    /// Opens a stage with the values of a trial.
    pub(crate) factory: StageRuntimeFactory<'p>,
}

/// A searched stage, opened with the values of a trial.
struct OpenedStage {
    /// The configuration that it was opened with, as JSON text.
    config: String,
    runtime: Arc<StageRuntime>,
}

/// What a searched stage was opened with lately.
#[derive(Default)]
pub(super) struct OpenedStages {
    /// The one that was used last stands last.
    kept: VecDeque<OpenedStage>,
    /// Traps of those that are no longer kept.
    traps_of_dropped: u64,
}

impl OpenedStages {
    /// The stage as it was opened with this configuration, if it is kept.
    pub(super) fn find(&mut self, config: &str) -> Option<Arc<StageRuntime>> {
        let at = self.kept.iter().position(|known| known.config == config)?;
        let found = self.kept.remove(at)?;
        let runtime = Arc::clone(&found.runtime);
        self.kept.push_back(found);
        Some(runtime)
    }

    /// Keeps the stage as it was opened with this configuration.
    pub(super) fn keep(&mut self, config: String, runtime: &Arc<StageRuntime>) {
        if self.kept.len() >= KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            self.traps_of_dropped += oldest.runtime.instance.traps();
        }
        self.kept.push_back(OpenedStage { config, runtime: Arc::clone(runtime) });
    }

    /// Calls that ended their instance.
    pub(super) fn traps(&self) -> u64 {
        self.traps_of_dropped + self.kept.iter().map(|opened| opened.runtime.instance.traps()).sum::<u64>()
    }
}
