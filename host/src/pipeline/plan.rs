//! The frozen plan: what the engine runs.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use jackfield_plugin_api::{Arm, Failure, Instance, Kind, catch_panic};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{schema::ViewMarks, search_plan::SearchPlan};
use crate::plugin::{
    Digest, Form, Lookup, Offer, Registry,
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
    /// The models that stages may call.
    pub models: Vec<ModelPlan>,
    /// The caches that models and stages may use.
    pub caches: Vec<CachePlan>,
    /// The stages; one comes after all those that it reads.
    pub stages: Vec<StagePlan>,
    /// What picks the values that the stages run with, trial by trial; they run as they stand here without one.
    #[serde(default)]
    pub search: Option<SearchPlan>,
    /// What of an item is to be looked at: what stages read that mark it so. None in the plan of a run that an older program made.
    #[serde(default, skip_serializing_if = "ViewMarks::is_empty")]
    pub item_views: ViewMarks,
    /// Stages that are no part of a run, and run when an item of it is exported. Their wires are from `stages`.
    #[serde(default)]
    pub exports: Vec<StagePlan>,
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
        let models = self.models.iter().map(|model| (model.extension.form, &model.limits));
        let usual = Limits::of_policy();
        let policies = self.stages.iter().filter_map(|stage| Some((stage.route.as_ref()?.extension.form, &usual)));
        let tiers = self.caches.iter().flat_map(|cache| &cache.tiers).map(|tier| (tier.extension.form, &tier.limits));
        let search = self.search.iter().map(|search| (search.extension.form, &usual));
        kept_back(models.chain(policies).chain(search).chain(tiers))
    }
}

/// What is kept back for the instances of models, caches and policies of these forms and limits.
pub(super) fn kept_back<'a>(inner: impl Iterator<Item = (Form, &'a Limits)>) -> u64 {
    inner.filter(|(form, _)| *form == Form::Wasm).map(|(_, limits)| limits.memory).max().unwrap_or(0)
}

/// What stands for the paths of a configuration where configurations are compared, by JSON pointer: the digest of what lies
/// there, or the path as it is written. So a pipeline's folder may be moved, and a file that changed is noticed.
pub type PathIdentities = BTreeMap<String, Value>;

/// A configuration as it is compared, hashed and explained.
pub(super) fn identity_of(config: &Value, paths: &PathIdentities) -> Value {
    let mut identity = config.clone();
    for (pointer, stands) in paths {
        if stands.is_null() {
            remove(&mut identity, pointer);
        } else if let Some(value) = identity.pointer_mut(pointer) {
            *value = stands.clone();
        }
    }
    identity
}

/// Removes the key that a JSON pointer leads to.
fn remove(value: &mut Value, pointer: &str) {
    let Some((table, key)) = pointer.rsplit_once('/') else { return };
    if let Some(table) = value.pointer_mut(table).and_then(Value::as_object_mut) {
        table.remove(&key.replace("~1", "/").replace("~0", "~"));
    }
}

/// Where items come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InputPlan {
    /// Each file is an item: `{path, name, text}`.
    Files {
        /// Glob patterns, absolute.
        patterns: Vec<String>,
        /// The most bytes of an item; a larger one fails alone.
        #[serde(default = "max_item_size")]
        max_item_size: u64,
    },
    /// Each line is an item, a JSON value.
    Jsonl {
        /// Glob patterns, absolute.
        patterns: Vec<String>,
        /// The field that is the item's id; its position otherwise.
        id: Option<String>,
        /// The most bytes of an item; a larger one fails alone.
        #[serde(default = "max_item_size")]
        max_item_size: u64,
    },
    /// Each file is an item, or each member or element of it: a JSON value, which has its id as the member `id` where it is an
    /// object without one.
    Json {
        /// Glob patterns and folders, absolute.
        patterns: Vec<String>,
        /// The members of a file that is one item; none if no file is.
        item_keys: Vec<String>,
        /// The field that is the id of an element; its position otherwise.
        id: Option<String>,
        /// The most bytes of an item; a larger one fails alone.
        #[serde(default = "max_item_size")]
        max_item_size: u64,
    },
    /// Each record is an item, an object of strings by the header's names.
    Csv {
        /// Glob patterns, absolute.
        patterns: Vec<String>,
        /// The column that is the item's id; its position otherwise.
        id: Option<String>,
        /// One ASCII character, `,` by default.
        delimiter: u8,
        /// The most bytes of an item; a larger one fails alone.
        #[serde(default = "max_item_size")]
        max_item_size: u64,
    },
    /// The items stand in the pipeline itself.
    Inline {
        /// The items.
        items: Vec<Value>,
        /// The field that is the item's id; the position otherwise.
        id: Option<String>,
    },
    /// `count` items `{trial: n}`, n from 0.
    Trials {
        /// How many.
        count: u64,
    },
}

/// The most bytes of an item that comes from a file, unless the pipeline says otherwise.
pub(crate) const fn max_item_size() -> u64 {
    64 << 20
}

/// The most calls of a stage for one item: `for_each` times `repeat`.
pub(crate) const MOST_CALLS: u32 = 1_000_000;

/// What is written for each item, and of all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputPlan {
    /// Whether `items/<item>/<stage>.json` are written.
    pub item_files: bool,
    /// Further files of an item: a name and the wire whose value it holds (a string as it is, anything else as JSON).
    pub files: Vec<(String, Wire)>,
    /// Files of the run: a name and the wire to the objects whose members it holds, those of all items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<(String, Wire)>,
    /// What is shown of an item on the screen as soon as it is there: a name and the wire whose value it is.
    #[serde(default)]
    pub show: Vec<(String, Wire)>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StagePlan {
    /// The name.
    pub name: String,
    /// The extension that does the work.
    pub extension: ExtensionRef,
    /// The `with` table.
    pub config: Value,
    /// What stands for the paths in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: PathIdentities,
    /// What each call gets.
    pub input: InputExpr,
    /// How often the stage runs.
    pub scope: Scope,
    /// The list that it runs over, an element a call.
    pub for_each: Option<Wire>,
    /// How many calls for each element (or in all, without `for_each`); the results are a list when this is set.
    pub repeat: Option<u32>,
    /// The stages that it reads, ascending, by index.
    pub reads: Vec<usize>,
    /// How its calls are made.
    pub policy: Policy,
    /// What a call may use up.
    pub limits: Limits,
    /// The model that it may call, by index.
    pub model: Option<usize>,
    /// The cache that keeps its results, by index.
    pub cache: Option<usize>,
    /// The cache that its extension may use, by index.
    pub store: Option<usize>,
    /// Whether items are reported before it is done: it is declared so, or reads a stage that is.
    pub deferred: bool,
    /// How its arm is picked, for each item; it runs as it stands here without one.
    #[serde(default)]
    pub route: Option<RoutePlan>,
    /// What of its result is to be looked at: what its extension marks so, or that of a stage which reads it. The result of a
    /// stage with several calls is their list.
    #[serde(default, skip_serializing_if = "ViewMarks::is_empty")]
    pub views: ViewMarks,
}

/// How a stage's arm is picked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoutePlan {
    /// The policy that picks it.
    pub extension: ExtensionRef,
    /// The policy's `with` table.
    pub config: Value,
    /// What stands for the paths in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: PathIdentities,
    /// What there is to pick from, never nothing.
    pub arms: Vec<ArmPlan>,
    /// What items have in common that are best served by the same arm.
    pub context: Option<Wire>,
    /// The number to learn from.
    pub reward: Option<Wire>,
    /// The numbers to learn from.
    pub objectives: Vec<ObjectivePlan>,
    /// Decisions that may wait for what comes of them, at least 1: an item is routed by what came of all items but the last
    /// `in_flight` - 1 before it.
    pub in_flight: u64,
    /// The file in which what is learned is kept from run to run, absolute.
    pub state: Option<PathBuf>,
}

/// An arm of a routed stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmPlan {
    /// As the policy knows it.
    pub arm: Arm,
    /// The stage's `with` table, with that of the arm laid over it.
    pub config: Value,
    /// What stands for the paths in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: PathIdentities,
    /// The model that the stage may call, by index.
    pub model: Option<usize>,
}

/// A number to learn from, among several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectivePlan {
    /// The name.
    pub name: String,
    /// Where it stands, once the item is done.
    pub wire: Wire,
    /// Whether less is better.
    pub minimize: bool,
}

impl StagePlan {
    /// Whether its result is the list of its calls' results.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.for_each.is_some() || self.repeat.is_some()
    }

    /// The stage with each of its arms, or as it is: what is opened and called.
    #[must_use]
    pub fn with_arms(&self) -> Vec<Self> {
        let Some(route) = &self.route else { return vec![self.clone()] };
        let with = |arm: &ArmPlan| Self {
            config: arm.config.clone(),
            paths: arm.paths.clone(),
            model: arm.model,
            route: None,
            ..self.clone()
        };
        route.arms.iter().map(with).collect()
    }

    /// The configuration as it is compared: with digests and not places.
    #[must_use]
    pub fn config_identity(&self) -> Value {
        identity_of(&self.config, &self.paths)
    }
}

impl RoutePlan {
    /// The policy's configuration as it is compared: with digests and not places.
    #[must_use]
    pub fn config_identity(&self) -> Value {
        identity_of(&self.config, &self.paths)
    }
}

impl ArmPlan {
    /// The configuration as it is compared: with digests and not places.
    #[must_use]
    pub fn config_identity(&self) -> Value {
        identity_of(&self.config, &self.paths)
    }
}

impl ModelPlan {
    /// The configuration as it is compared: with digests and not places.
    #[must_use]
    pub fn config_identity(&self) -> Value {
        identity_of(&self.config, &self.paths)
    }
}

/// An extension, pinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtensionRef {
    /// Alias of the plugin.
    pub plugin: String,
    /// How the plugin came in.
    pub form: Form,
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Digest of the artifact.
    pub digest: Digest,
}

impl ExtensionRef {
    /// What its plugin offers, if it is still there.
    #[must_use]
    pub fn offer<'a>(&self, registry: &'a Registry) -> Option<&'a Offer> {
        match registry.find(self.kind, &format!("{}/{}", self.plugin, self.name)) {
            Lookup::Found(_, offer) => Some(offer),
            Lookup::Missing | Lookup::Ambiguous(..) => None,
        }
    }

    /// Makes an instance of it.
    ///
    /// # Errors
    /// What it has against the configuration; a panic, or a plugin that is no longer there, as [`Failure::Internal`].
    pub fn open(&self, config: &Value, limits: &Limits, registry: &Registry) -> Result<Arc<dyn Instance>, Failure> {
        let gone = || Failure::Internal(format!("`{}/{}` is no longer there", self.plugin, self.name));
        let offer = self.offer(registry).ok_or_else(gone)?;
        catch_panic("open", || offer.opener.open(&config.to_string(), limits))?
    }
}

/// How often a stage runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Once a run: it depends on no item.
    Run,
    /// Once an item.
    Item,
}

/// What a call gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InputExpr {
    /// The value of a wire.
    Wire(Wire),
    /// A list; a source that failed is left out of it.
    List(Vec<InputExpr>),
    /// An object.
    Table(Vec<TableEntry>),
}

/// A field of an object that a call gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableEntry {
    /// The field.
    pub key: String,
    /// Whether the reader needs it: a field that is not needed is left out when its source failed.
    pub required: bool,
    /// Its value.
    pub value: InputExpr,
}

/// A reference to a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wire {
    /// Where the value comes from.
    pub source: Source,
    /// The way into it; empty for the whole.
    pub path: Vec<Step>,
}

/// Where a wire's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The item.
    Input,
    /// The element of `for_each`.
    Each,
    /// The stage of this index.
    Stage(usize),
    /// What the stages spent for the item, by name: for what is shown of it alone, since results must not depend on it.
    Spend,
}

/// The members of what a stage spent.
pub const SPEND_MEMBERS: [&str; 9] = [
    "calls",
    "cached",
    "failed",
    "tokens_in",
    "tokens_out",
    "cost_usd",
    "cache_lookups",
    "cache_hits",
    "cache_hit_rate",
];

/// A step on the way into a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// `.name`
    Field(String),
    /// `[3]`
    Index(usize),
    /// `[*]`: every element; what follows is applied to each.
    All,
}

/// How the calls of a stage are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The most time that a call may take; none for no bound.
    pub timeout: Option<Duration>,
    /// Tries in all, at least 1; a failure that can heal is tried again.
    pub attempts: u32,
    /// Delay before the second try; doubled for each further one.
    pub backoff: Duration,
    /// What a failure means for the item.
    pub on_error: OnError,
    /// The most calls at a time; none for as many as there are workers (or 64 for stages that wait).
    pub concurrency: Option<u32>,
    /// The most documents in a batch.
    pub batch: u32,
}

/// What a stage's failure means for its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// The stage alone fails; the item goes on and ends `partial`.
    Continue,
    /// The element is left out of the stage's list, and the item is none the worse for it while others are left.
    Drop,
    /// The item stops and is `failed`.
    Fail,
}

/// A model that stages may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelPlan {
    /// The name.
    pub name: String,
    /// The extension that calls it.
    pub extension: ExtensionRef,
    /// The `with` table. It holds no secret.
    pub config: Value,
    /// What stands for the paths in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: PathIdentities,
    /// Whether it runs in the process or on this machine: then `concurrency` is fixed, and is not adapted.
    #[serde(default)]
    pub local: bool,
    /// How many calls at a time.
    pub concurrency: Concurrency,
    /// Limits on the rate.
    pub rate: Rate,
    /// What a run may spend.
    pub budget: Budget,
    /// What tokens cost, where that is known.
    pub price: Option<Price>,
    /// The most time that a try may take; as long as it takes without one.
    pub timeout: Option<Duration>,
    /// Tries in all, at least 1.
    pub attempts: u32,
    /// The longest delay before the second try; doubled for each further one.
    pub backoff: Duration,
    /// The cache that keeps its answers, by index.
    pub cache: Option<usize>,
    /// The file to which requests and answers are added, absolute.
    pub record: Option<PathBuf>,
    /// What a call may use up.
    #[serde(default)]
    pub limits: Limits,
}

/// How many calls of a model at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concurrency {
    /// In the beginning.
    pub start: u32,
    /// At the most.
    pub max: u32,
}

/// Limits on the rate of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Calls a second.
    pub requests_per_second: Option<f64>,
    /// Tokens a minute.
    pub tokens_per_minute: Option<u64>,
}

/// What a run may spend on a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// US dollars.
    pub usd: Option<f64>,
    /// Tokens, read and written.
    pub tokens: Option<u64>,
}

/// What tokens cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars for a million tokens read.
    pub input: f64,
    /// US dollars for a million tokens written.
    pub output: f64,
}

/// A cache that models and stages may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachePlan {
    /// The name.
    pub name: String,
    /// Where values are kept, the fastest first.
    pub tiers: Vec<TierPlan>,
}

/// A tier of a cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierPlan {
    /// The extension that keeps values.
    pub extension: ExtensionRef,
    /// The `with` table. It holds no secret.
    pub config: Value,
    /// How long a value is kept; none for as long as there is room.
    pub ttl: Option<Duration>,
    /// What an operation may use up. A native backend is held to `wall` alone, one that is linked in to nothing; `traps` is
    /// the number of failures in a row after which any is left alone for a while.
    #[serde(default = "Limits::of_cache")]
    pub limits: Limits,
}
