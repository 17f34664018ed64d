//! The keys of what stages share: models and caches.

use super::{
    limits::{LIMITS, LIMITS_TIER},
    spec::{AMOUNT, COUNT, COUNT_64, Shape, Table, default, optional, required},
};

/// A model.
pub(crate) static MODEL: Table = Table {
    what: "a model",
    keys: &[
        required("use", Shape::Text, "The extension that calls the model: a name, or `plugin/name`."),
        optional("with", Shape::Free, "Configuration of the extension. It names where a key is, and never holds one."),
        optional(
            "concurrency",
            Shape::CountOr(&CONCURRENCY),
            "The most calls at a time: a number, or bounds within which it adapts; from 8 to 64 by default. For a model that runs \
             on this machine (it says so in `x-offers`: `local`) the number is fixed: this, or `start`; 1 by default.",
        ),
        optional("rate", Shape::Table(&RATE), "Limits on the rate of calls; none by default."),
        optional("budget", Shape::Table(&BUDGET), "What a run may spend; unbounded by default."),
        optional("price", Shape::Table(&PRICE), "Prices, for what is counted and for `budget.usd`."),
        optional(
            "timeout",
            Shape::Duration,
            "The most time that one try may take: two minutes by default, as long as it takes for a model that runs on this \
             machine.",
        ),
        optional("retry", Shape::Table(&RETRY_MODEL), "What is done about a failure that can heal."),
        optional("cache", Shape::Text, "The cache of `[cache.NAME]` that keeps answers."),
        optional("limits", Shape::Table(&LIMITS), "What a call of a sandboxed plugin may use up."),
        optional(
            "record",
            Shape::Text,
            "A file to which each request and its answer are added, relative to the pipeline's folder; the model `replay` answers from it.",
        ),
    ],
};

/// How many calls at a time.
pub(crate) static CONCURRENCY: Table = Table {
    what: "`concurrency`",
    keys: &[
        default("start", COUNT, "8", "Calls at a time in the beginning."),
        default("max", COUNT, "64", "The most calls at a time."),
    ],
};

/// Limits on the rate.
pub(crate) static RATE: Table = Table {
    what: "`rate`",
    keys: &[
        optional("requests_per_second", Shape::Number, "Calls a second, retries included."),
        optional("tokens_per_minute", COUNT_64, "Tokens a minute, read and written."),
    ],
};

/// What a run may spend.
pub(crate) static BUDGET: Table = Table {
    what: "`budget`",
    keys: &[
        optional("usd", Shape::Number, "US dollars; needs `price`."),
        optional("tokens", AMOUNT, "Tokens, read and written."),
    ],
};

/// Prices.
pub(crate) static PRICE: Table = Table {
    what: "`price`",
    keys: &[
        required("input", Shape::Number, "US dollars for a million tokens read."),
        required("output", Shape::Number, "US dollars for a million tokens written."),
        optional(
            "cached_input",
            Shape::Number,
            "US dollars for a million of the tokens read that the server had in its own cache of prompts, as far as it says so; \
             as `input` by default.",
        ),
        optional(
            "cache_write",
            Shape::Number,
            "US dollars for a million of the tokens read that the server put into its own cache of prompts; as `input` by \
             default.",
        ),
        optional(
            "reasoning",
            Shape::Number,
            "US dollars for a million of the tokens written that the model thought in: servers count them among those written; \
             as `output` by default.",
        ),
    ],
};

/// A cache.
pub(crate) static CACHE: Table = Table {
    what: "a cache",
    keys: &[required("tiers", Shape::Tables(&TIER), "Where values are kept, the fastest first.")],
};

/// A tier of a cache.
pub(crate) static TIER: Table = Table {
    what: "a tier",
    keys: &[
        required("use", Shape::Text, "The extension that keeps values: a name, or `plugin/name`."),
        optional("with", Shape::Free, "Configuration of the extension."),
        optional("ttl", Shape::Duration, "How long a value is kept; as long as there is room by default."),
        optional(
            "limits",
            Shape::Table(&LIMITS_TIER),
            "What an operation of a sandboxed plugin may use up; a native one is held to `wall` and `traps`.",
        ),
    ],
};

/// Retries of a model.
pub(crate) static RETRY_MODEL: Table = Table {
    what: "`retry`",
    keys: &[
        default("attempts", Shape::Integer { min: 1, max: 100 }, "5", "Tries in all."),
        default(
            "backoff",
            Shape::Duration,
            "\"500ms\"",
            "The longest delay before the second try; doubled for each further one.",
        ),
        default(
            "longest_wait",
            Shape::Duration,
            "\"2m\"",
            "The longest wait that a server may ask for (`Retry-After`): asked for a longer one, the call fails at once and says so.",
        ),
    ],
};
