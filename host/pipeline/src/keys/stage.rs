//! The keys of `[stages.NAME]`.

use super::{
    condition::WHEN,
    limits::LIMITS,
    route,
    spec::{COUNT, Shape, Table, default, optional, required},
};
use crate::plan::MOST_CALLS;

pub(crate) static STAGE: Table = Table {
    what: "a stage",
    keys: &[
        required("use", Shape::Text, "The extension that does the work: a name, or `plugin/name`."),
        optional(
            "kind",
            Shape::Choice(&["analyzer", "direction-extractor"]),
            "The kind of the extension, where plugins offer both under its name.",
        ),
        optional(
            "in",
            Shape::Input,
            "What each call gets: a wire, or a list or table of wires. A number, `true`, `false` or `{ const = VALUE }` in place of a \
             wire is a constant.",
        ),
        optional("with", Shape::Free, "Configuration of the extension."),
        optional("for_each", Shape::Wire, "The list that the stage runs over; `each` is then its element."),
        optional(
            "when",
            Shape::WireOr(&WHEN),
            "When the stage is on: a wire to `true` or `false`, or a table. A stage that is off makes no call and has no result, which is no flaw.",
        ),
        optional(
            "repeat",
            Shape::Integer { min: 1, max: MOST_CALLS as u64 },
            "How many calls are made for each element, or in all; the results are a list. With `for_each`, an item has at most a million.",
        ),
        optional("timeout", Shape::Duration, "The most time that a call may take; unbounded by default."),
        optional("retry", Shape::Table(&RETRY), "What is done about a failure that can heal."),
        default(
            "on_error",
            Shape::Choice(&["continue", "drop", "fail"]),
            "\"continue\"",
            "What a failure means for the item: it goes on without the stage and ends `partial`; the element is left out of the list and that is all (`drop`); or the item fails.",
        ),
        optional(
            "route",
            Shape::Table(&route::ROUTE),
            "How the arm that the stage runs with is picked, for each item, by a policy that learns.",
        ),
        optional("model", Shape::Text, "The model of `[model.NAME]` that the stage may call."),
        optional(
            "cache",
            Shape::Text,
            "The cache of `[cache.NAME]` that keeps the stage's results: a call whose extension, configuration and input are the same is not made again.",
        ),
        optional("store", Shape::Text, "The cache of `[cache.NAME]` that the extension itself may use."),
        default(
            "deferred",
            Shape::Flag,
            "false",
            "Whether an item is reported before the stage is done, and again, final, afterwards.",
        ),
        default(
            "export",
            Shape::Flag,
            "false",
            "Whether the stage is not part of a run, but runs when an item is exported: `jackfield export RUN ITEM --to FOLDER`. No other stage reads it.",
        ),
        optional("concurrency", COUNT, "The most calls at a time; as many as there are workers by default."),
        optional(
            "batch",
            Shape::Integer { min: 1, max: 4096 },
            "The most documents in a call: 64 by default, 1 for a stage with a model.",
        ),
        optional("limits", Shape::Table(&LIMITS), "What a call of a sandboxed plugin may use up."),
    ],
};

/// Retries of a stage.
pub(crate) static RETRY: Table = Table {
    what: "`retry`",
    keys: &[
        default("attempts", Shape::Integer { min: 1, max: 100 }, "3", "Tries in all."),
        default("backoff", Shape::Duration, "\"200ms\"", "Delay before the second try; doubled for each further one."),
        default(
            "longest_wait",
            Shape::Duration,
            "\"2m\"",
            "The longest wait that a failure may ask for: asked for a longer one, the call is not tried again.",
        ),
    ],
};
