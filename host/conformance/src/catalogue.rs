//! The list of checks, in the order in which they are made.

use jackfield_plugin_api::{Kind, Picks};
use serde::Serialize;

use super::{
    Level, Outcome,
    checks::{
        batch, cache, cancel, config, descriptor, determinism, direction, examples, generated, host_calls, input,
        memory_growth, model, policy, sandbox, schemas, search, tensors, unicode,
    },
    extension_under_test::ExtensionUnderTest,
};

/// A check.
pub(super) struct Check {
    pub(super) id: &'static str,
    /// What an extension promises that passes it.
    pub(super) promise: &'static str,
    /// The level that it counts for.
    pub(super) level: Level,
    /// The kind that it is for; none for all.
    pub(super) kind: Option<Kind>,
    /// What the policies pick that it is for; none for all extensions.
    pub(super) picks: Option<Picks>,
    /// Whether it needs a configuration that opens.
    pub(super) calls: bool,
    pub(super) run: fn(&ExtensionUnderTest<'_>) -> Outcome,
}

/// A check, for documentation.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CheckInfo {
    /// Its name.
    pub id: &'static str,
    /// What is promised.
    pub promise: &'static str,
    /// The level that it counts for.
    pub level: Level,
    /// The kind that it is for; none for all.
    pub kind: Option<Kind>,
}

/// Every check there is, in the order in which they are made.
#[must_use]
pub fn every_check() -> Vec<CheckInfo> {
    let info = |check: &Check| CheckInfo { id: check.id, promise: check.promise, level: check.level, kind: check.kind };
    CHECKS.iter().map(info).collect()
}

/// A check that looks, and calls nothing.
const fn looks(id: &'static str, promise: &'static str, run: fn(&ExtensionUnderTest<'_>) -> Outcome) -> Check {
    Check { id, promise, level: Level::Conforming, kind: None, picks: None, calls: false, run }
}

/// A check that calls.
const fn calls(id: &'static str, promise: &'static str, run: fn(&ExtensionUnderTest<'_>) -> Outcome) -> Check {
    Check { calls: true, ..looks(id, promise, run) }
}

impl Check {
    const fn of_kind(self, kind: Kind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// For routing policies that pick this.
    const fn of_policies(self, picks: Picks) -> Self {
        Self { kind: Some(Kind::RoutingPolicy), picks: Some(picks), ..self }
    }

    const fn counts_for(self, level: Level) -> Self {
        Self { level, ..self }
    }
}

pub(super) static CHECKS: &[Check] = &[
    looks(
        "descriptor",
        "name, semantic version and a one-line summary without a full stop are there, and the same at every load",
        descriptor::descriptor,
    ),
    looks(
        "permissions",
        "each permission has a known name, stands there once and gives a reason",
        descriptor::permissions,
    ),
    looks("schemas", "config, input and output are described by valid JSON Schemas of 2020-12", schemas::valid),
    looks("config-schema", "the config schema takes objects, and refuses keys that it does not know", schemas::closed),
    looks("descriptions", "every property of the schemas has a description", schemas::described),
    looks(
        "opening",
        "a configuration that fits its schema opens, or is refused as `invalid-config` or `unavailable`",
        config::opening,
    ),
    looks(
        "bad-config",
        "an unknown key, a value of the wrong type and a configuration that is not an object are refused as `invalid-config`",
        config::bad,
    ),
    looks(
        "examples",
        "each declared example fits the schemas and gives the answer that it declares",
        examples::examples,
    ),
    calls(
        "bad-input",
        "input that does not fit the schema is refused as `invalid-input`, and its neighbours in the batch are answered",
        input::bad,
    ),
    calls("empty-batch", "an empty batch is answered with no result", batch::empty),
    calls("big-batch", "a batch of 1,000 documents is answered with one result each, in order", batch::big),
    calls("batch-of-one", "a batch gives each document the answer that it gets alone", batch::one_by_one),
    calls("unicode", "any text that the schema allows is answered, or refused without a fault", unicode::unicode),
    calls(
        "generated",
        "any input that fits the schema is answered as the output schema says, or refused",
        generated::generated,
    ),
    calls("cancellation", "a call that is no longer wanted comes to its end", cancel::cancellation),
    calls("host-failures", "whatever failure the host answers is handled", host_calls::failures),
    calls("permissions-used", "no host call is made that the descriptor does not ask for", host_calls::ungranted),
    calls(
        "tensors-opened",
        "it opens no tensor but those that its input named and those that it made, and answers with no other",
        tensors::own,
    ),
    calls("model-answers", "a minimal request is answered with a text, and with sane counts of tokens", model::answers)
        .of_kind(Kind::Model),
    calls("model-schema", "a request with a schema is answered with JSON that fits it", model::schema)
        .of_kind(Kind::Model),
    calls(
        "model-options",
        "`stop`, `max_tokens`, `temperature`, `seed` and `replicate` are taken, and those on the text are kept to",
        model::options,
    )
    .of_kind(Kind::Model),
    calls(
        "model-offers",
        "what it offers (`x-offers`) is answered in its shape, and what it does not offer is refused",
        model::offered,
    )
    .of_kind(Kind::Model),
    calls(
        "direction-answers",
        "a unit vector a layer, with an entry of `layers` for each, whatever the numbers of prompts and layers",
        direction::answers,
    )
    .of_kind(Kind::DirectionExtractor),
    calls(
        "direction-degenerate",
        "a layer in which the sets are alike has the zero vector and is `degenerate`, and no other is",
        direction::degenerate,
    )
    .of_kind(Kind::DirectionExtractor),
    calls(
        "direction-numbers",
        "hidden states with NaN or infinity in them are refused as `invalid-input`",
        direction::not_numbers,
    )
    .of_kind(Kind::DirectionExtractor),
    calls(
        "direction-shapes",
        "sets that differ in their layers or their width, and empty ones, are refused as `invalid-input`",
        direction::shapes,
    )
    .of_kind(Kind::DirectionExtractor),
    calls(
        "direction-sign",
        "a direction points from `negative` to `positive`, and to the other side when the sets change places",
        direction::sign,
    )
    .of_kind(Kind::DirectionExtractor),
    calls("policy-arms", "each question is answered with an arm that is there", policy::arms_there)
        .of_policies(Picks::Arms),
    calls("policy-pure", "state, question and seed alone decide, and asking changes no state", policy::pure)
        .of_policies(Picks::Arms),
    calls("policy-state", "its state is taken up where it was left, through JSON", policy::state)
        .of_policies(Picks::Arms),
    calls(
        "policy-outcomes",
        "outcomes without a reward, of failures alone and of arms that are gone are not errors",
        policy::outcomes,
    )
    .of_policies(Picks::Arms),
    calls("policy-again", "after a failure, it picks an arm that was not tried, or none", policy::again)
        .of_policies(Picks::Arms),
    calls("policy-growth", "its state does not grow with the number of outcomes", policy::bounded)
        .of_policies(Picks::Arms),
    calls(
        "search-values",
        "each trial gets a value of every key of the space that has one, and of no other",
        search::values_of_the_space,
    )
    .of_policies(Picks::Values),
    calls("search-pure", "outcomes, question and seed alone decide", search::pure).of_policies(Picks::Values),
    calls("search-state", "each outcome adds one entry to the state, the same one by one as at once", search::state)
        .of_policies(Picks::Values),
    calls("search-outcomes", "trials that failed, were stopped or came to the same are not errors", search::outcomes)
        .of_policies(Picks::Values),
    calls("search-stop", "a trial that has reported is answered by `stop`, and by no values", search::stop)
        .of_policies(Picks::Values),
    calls("search-growth", "an entry of the state does not grow with the number of outcomes", search::bounded)
        .of_policies(Picks::Values),
    calls(
        "cache-values",
        "what was put is found, whatever bytes it holds; what was overwritten or never put is not",
        cache::values,
    )
    .of_kind(Kind::CacheBackend),
    calls("cache-expiry", "a value is not given out after its time", cache::expiry).of_kind(Kind::CacheBackend),
    calls("cache-removal", "`remove`, `clear`, `size` and `list` keep to their key or prefix", cache::removal)
        .of_kind(Kind::CacheBackend),
    calls("cache-concurrency", "calls from many threads at once lose nothing", cache::concurrency)
        .of_kind(Kind::CacheBackend),
    calls(
        "growth",
        "opening, calling and closing over and over takes no more and more memory",
        memory_growth::does_not_grow,
    ),
    calls(
        "same-again",
        "the same input with the same seed gives the same bytes in a fresh instance",
        determinism::again,
    )
    .counts_for(Level::Deterministic),
    calls("model-chance", "without a `seed`, chance depends on the request and the configuration alone", model::chance)
        .of_kind(Kind::Model)
        .counts_for(Level::Deterministic),
    calls("any-order", "an answer does not depend on the documents before it", determinism::any_order)
        .counts_for(Level::Deterministic),
    calls("within-limits", "the default limits of the sandbox are enough", sandbox::within_limits)
        .counts_for(Level::SandboxClean),
    calls("least-grants", "it answers the same with nothing granted but what it asks for", sandbox::least_grants)
        .counts_for(Level::SandboxClean),
    looks("imports", "it imports no system interface that it does not ask for", sandbox::imports)
        .counts_for(Level::SandboxClean),
];
