//! The documents that go from stage to stage, and the record of a claim that comes out in the end.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

/// A claim.
#[derive(Document, Clone, Debug)]
pub struct Claim {
    /// The claim, as it is put to the model.
    pub claim: String,
}

/// How much is asked.
#[derive(Document, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// K: paraphrase slots.
    #[serde(rename = "K")]
    pub slots: usize,
    /// R: replicates of a slot.
    #[serde(rename = "R")]
    pub replicates: usize,
    /// T: templates of the bank that are used.
    #[serde(rename = "T")]
    pub templates: usize,
}

/// One call to make.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Slot {
    /// The claim.
    pub claim: String,
    /// Version of the prompt bank.
    pub prompt_version: String,
    /// Index of the paraphrase in the bank, from 0.
    pub template: usize,
    /// SHA-256 of the prompt.
    pub prompt_sha256: String,
    /// Number of the answer among those to the same template.
    pub replicate: u32,
    /// Temperature of sampling.
    pub temperature: Option<f64>,
    /// The most tokens of an answer.
    pub max_tokens: Option<u32>,
}

/// What is to be asked about a claim, or what was found out earlier.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Plan {
    /// The claim, without space around it: what is hashed for the plan, the seed and the keys of caches.
    pub claim: String,
    /// The model's own name.
    pub model: String,
    /// The extension that calls the model.
    pub provider: String,
    /// Version of the prompt bank.
    pub prompt_version: String,
    /// How much is asked.
    pub sampling: Amounts,
    /// The most slots of a template over the fewest.
    pub imbalance_ratio: f64,
    /// B: draws of the final bootstrap.
    pub draws: u32,
    /// Seed of the bootstrap, where one was given.
    pub seed: Option<u64>,
    /// Where the seed comes from: `given`, `environment` or `derived`.
    pub seed_origin: String,
    /// SHA-256 of all that the execution depends on.
    pub run_key: String,
    /// The execution that was found in the run cache: then nothing is asked.
    pub found: Option<Execution>,
    /// The calls to make, in order.
    pub slots: Vec<Slot>,
}

/// One answer. What it cost, and whether it was in a cache, is not part of it: the host keeps that, and it differs where a run
/// was killed and went on.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Sample {
    /// Index of the paraphrase in the bank, from 0.
    pub template: usize,
    /// SHA-256 of the prompt.
    pub prompt_sha256: String,
    /// Number of the answer among those to the same template.
    pub replicate: u32,
    /// The probability, of a valid answer: 0 to 1.
    pub prob_true: Option<f64>,
    /// The model's word for it.
    pub label: Option<String>,
    /// Whether the model says that it refuses.
    #[serde(default)]
    pub refused: bool,
    /// Why the answer is not valid, if so.
    pub invalid: Option<String>,
}

/// How the answers were added up.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Aggregation {
    /// `clustered bootstrap of template means in logit space`.
    pub method: String,
    /// Draws of the bootstrap.
    #[serde(rename = "B")]
    pub draws: u32,
    /// `trimmed`, or `mean` below five templates, which are then added up in the order of the plan.
    pub center: String,
    /// Share of the templates that is cut off at each side.
    pub trim: f64,
    /// Seed of the bootstrap.
    pub bootstrap_seed: u64,
    /// Where the seed comes from: `given`, `environment` or `derived`.
    pub seed_origin: String,
    /// Templates with a valid answer.
    pub n_templates: usize,
    /// Valid answers by SHA-256 of the prompt.
    pub counts_by_template: BTreeMap<String, usize>,
    /// The most slots of a template over the fewest.
    pub imbalance_ratio: f64,
    /// Interquartile range of the template means, in logits; none where a single template was answered.
    pub template_iqr_logit: Option<f64>,
}

/// What came out.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Aggregates {
    /// The estimate: 0 to 1.
    pub prob_true: f64,
    /// Its interval of 95 %.
    pub ci95: [f64; 2],
    /// Width of the interval.
    pub ci_width: f64,
    /// 1 for templates that agree, near 0 for templates that do not; none where a single template was answered, from
    /// which it is not known.
    pub stability_score: Option<f64>,
    /// `high`, `medium`, `low` or `unknown`.
    pub stability_band: String,
    /// Whether the interval is at most 0.20 wide.
    pub is_stable: bool,
    /// Valid answers over attempted ones.
    pub compliance_rate: f64,
}

/// How good the prompts are.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct PromptQuality {
    /// 0 to 100; none where stability is not known.
    pub score: Option<u8>,
    /// Compliance of at least .98.
    pub compliance_passes: bool,
    /// Stability of at least .25; none where it is not known.
    pub stability_passes: Option<bool>,
    /// An interval of at most .30.
    pub width_passes: bool,
}

/// How far the interval is.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Status {
    /// `fast` or `final`.
    pub phase: String,
    /// Draws of this interval.
    #[serde(rename = "B_used")]
    pub draws: u32,
}

/// An execution: the record of one claim.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Execution {
    /// The first 16 digits of the run key.
    pub run_id: String,
    /// The claim.
    pub claim: String,
    /// The model's own name.
    pub model: String,
    /// The extension that calls the model.
    pub provider: String,
    /// Version of the prompt bank.
    pub prompt_version: String,
    /// How much was asked.
    pub sampling: Amounts,
    /// How it was added up.
    pub aggregation: Aggregation,
    /// What came out.
    pub aggregates: Aggregates,
    /// How good the prompts are.
    pub prompt_quality: PromptQuality,
    /// How far the interval is.
    pub ci_status: Status,
    /// Whether it comes from the run cache.
    pub from_run_cache: bool,
    /// All this on a line.
    pub summary: String,
}
