//! The frozen plan of a whole pipeline.

use serde::{Deserialize, Serialize};

use super::{
    column::ColumnPlan,
    condition::RequirementPlan,
    input::InputPlan,
    output::{OutputPlan, RecordedCalls},
    search::SearchPlan,
    service::{CachePlan, ModelPlan},
    stage::StagePlan,
    variable::EnvironmentVariable,
    views::ViewMarks,
};
use jackfield_loader::{
    Digest, Linkage,
    sandbox::{Limits, usual_memory_total},
};

/// A checked pipeline: a value with the digests of all it needs, so that another process can run it with the same bytes as
/// outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Name of the pipeline.
    pub name: String,
    /// Digest of everything below that can change a result.
    pub digest: Digest,
    /// Seed of every random choice.
    pub seed: u64,
    /// Where items come from.
    pub input: InputPlan,
    /// What is written for each item.
    pub output: OutputPlan,
    /// The most items in work at a time.
    pub max_in_flight: usize,
    /// The memory that all instances of sandboxed plugins may take together, in bytes; a share of the machine's by default.
    #[serde(default)]
    pub sandbox_memory: Option<u64>,
    /// What the tensors of a run that travel by reference may take on disk, in bytes; 16 GiB by default.
    #[serde(default)]
    pub tensor_storage: Option<u64>,
    /// How many complete runs of the pipeline stay when another one is complete; all of them without it. At least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_runs: Option<u64>,
    /// What a run may cost in US dollars, all its models together; as much as it likes without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_usd: Option<f64>,
    /// Which calls of models are on the record word for word.
    #[serde(default, skip_serializing_if = "RecordedCalls::is_usual")]
    pub recorded_calls: RecordedCalls,
    /// The models that stages may call.
    pub models: Vec<ModelPlan>,
    /// The caches that models and stages may use.
    pub caches: Vec<CachePlan>,
    /// The stages; one comes after all those that it reads.
    pub stages: Vec<StagePlan>,
    /// What stages over all items read of each item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnPlan>,
    /// What the run requires of values of all its items together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<RequirementPlan>,
    /// What picks the values that the stages run with, trial by trial; without a search they run as described here.
    #[serde(default)]
    pub search: Option<SearchPlan>,
    /// The parts of an item that are drawn for a person, because a stage that reads them marks them so. Empty in a plan that an
    /// older program made.
    #[serde(default, skip_serializing_if = "ViewMarks::is_empty")]
    pub item_views: ViewMarks,
    /// Stages that are not part of a run, but run when an item of it is exported. Their wires are from `stages`.
    #[serde(default)]
    pub exports: Vec<StagePlan>,
    /// The variables of the environment that values were taken from; the values are in the rest of the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<EnvironmentVariable>,
}

impl Plan {
    /// What the tensors of a run that travel by reference may take on disk, in bytes.
    #[must_use]
    pub fn tensor_total(&self) -> u64 {
        self.tensor_storage.unwrap_or(16 << 30)
    }

    /// The memory that all instances of sandboxed plugins may take together, in bytes.
    #[must_use]
    pub fn sandbox_total(&self) -> u64 {
        self.sandbox_memory.unwrap_or_else(|| usual_memory_total().bytes)
    }

    /// What stages leave of it for the models, caches and policies that they wait for: the most that one of these may take.
    #[must_use]
    pub fn sandbox_kept_back(&self) -> u64 {
        let models = self.models.iter().map(|model| (model.extension.linkage, &model.limits));
        let usual = Limits::of_policy();
        let policies = self.stages.iter().filter_map(|stage| Some((stage.route.as_ref()?.extension.linkage, &usual)));
        let tiers =
            self.caches.iter().flat_map(|cache| &cache.tiers).map(|tier| (tier.extension.linkage, &tier.limits));
        let search = self.search.iter().map(|search| (search.extension.linkage, &usual));
        kept_back(models.chain(policies).chain(search).chain(tiers))
    }
}

/// What is kept back for the instances of models, caches and policies of these forms and limits.
pub(crate) fn kept_back<'a>(inner: impl Iterator<Item = (Linkage, &'a Limits)>) -> u64 {
    inner.filter(|(linkage, _)| *linkage == Linkage::Wasm).map(|(_, limits)| limits.memory).max().unwrap_or(0)
}
