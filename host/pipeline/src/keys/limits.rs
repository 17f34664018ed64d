//! The keys of `limits`, of stages and models and of the tiers of caches.

use super::spec::{AMOUNT, AMOUNT_32, COUNT_64, Shape, Table, optional};

/// Limits of a stage or a model.
pub(crate) static LIMITS: Table = Table {
    what: "`limits`",
    keys: &[
        optional(
            "memory",
            Shape::Size,
            "Memory of an instance, reserved of `pipeline.sandbox_memory` while it is there; 128 MiB by default.",
        ),
        optional(
            "time",
            Shape::Duration,
            "CPU time of a call, however many others compute beside it; a minute by default.",
        ),
        optional(
            "wall",
            Shape::Duration,
            "Time of a call from when it is first run, waiting for the host included and queueing not; an hour by default.",
        ),
        optional("fuel", COUNT_64, "Instructions of a call; unlimited by default."),
        optional("host_calls", AMOUNT, "Host calls within a call; 100,000 by default."),
        optional("output", Shape::Size, "Size of an answer, and of what is sent to servers; 64 MiB by default."),
        optional(
            "tensors",
            Shape::Size,
            "What the tensors that a call makes may hold, those that travel by reference; 1 GiB by default.",
        ),
        optional(
            "scratch",
            Shape::Size,
            "What the scratch folders of a call may hold, where the host makes them; 1 GiB by default.",
        ),
        optional(
            "traps",
            AMOUNT_32,
            "Calls in a row that may end in a trap or at a limit before the extension is called no more; 64 by default, 0 for any number.",
        ),
    ],
};

/// Limits of a tier of a cache.
pub(crate) static LIMITS_TIER: Table = Table {
    what: "`limits`",
    keys: &[
        optional(
            "memory",
            Shape::Size,
            "Memory of an instance, reserved of `pipeline.sandbox_memory` while it is there; 128 MiB by default.",
        ),
        optional("time", Shape::Duration, "CPU time of an operation; 2 seconds by default."),
        optional(
            "wall",
            Shape::Duration,
            "Time of an operation, waiting for a server included and queueing not; 10 seconds by default.",
        ),
        optional("fuel", COUNT_64, "Instructions of an operation; unlimited by default."),
        optional("host_calls", AMOUNT, "Host calls within an operation; 100,000 by default."),
        optional("output", Shape::Size, "Size of an answer, and of what is sent to servers; 64 MiB by default."),
        optional(
            "scratch",
            Shape::Size,
            "What the scratch folders of the tier may hold, where the host makes them; 1 GiB by default.",
        ),
        optional(
            "traps",
            AMOUNT_32,
            "Failures in a row after which the tier is left alone for a while; 4 by default, 0 for any number.",
        ),
    ],
};
