//! The keys of a stage's route.

use super::spec::{COUNT, KeySpec, Shape, Table, default, optional, required};

/// How a stage's arm is picked.
pub(crate) static ROUTE: Table = Table {
    what: "`route`",
    keys: &[
        required("use", Shape::Text, "The routing policy that picks an arm: a name, or `plugin/name`."),
        optional("with", Shape::Free, "Configuration of the policy."),
        optional(
            "arms",
            Shape::Overlays,
            "What to pick from: each a table whose values replace those of the stage's `with`. Either this, `space` or `models`.",
        ),
        optional(
            "space",
            Shape::Free,
            "What to pick from: keys of the stage's `with`, each with a list of values. Every combination is an arm, at most 256.",
        ),
        optional(
            "models",
            Shape::Texts,
            "What to pick from: models of `[model.NAME]`, each in place of the stage's `model`. Either this, `arms` or `space`.",
        ),
        optional(
            "context",
            Shape::Wire,
            "What items have in common that are best served by the same arm, such as a domain: what is learned is learned for each by itself.",
        ),
        optional("reward", Shape::Wire, "The number that is learned from, once the item is done."),
        MAXIMIZE,
        MINIMIZE,
        default(
            "in_flight",
            COUNT,
            "16",
            "Decisions that may wait for their results: an item is routed by the results of all items but the last so many before it, however many are in work.",
        ),
        optional(
            "state",
            Shape::Text,
            "A name under which what is learned is kept from run to run, in `.jackfield/routes` beside the pipeline; a run begins with nothing otherwise.",
        ),
    ],
};

const MAXIMIZE: KeySpec = optional(
    "maximize",
    Shape::Wires,
    "Numbers of which more is better, for policies that weigh several: wires, named by the last of their fields, or a table of names and wires.",
);

const MINIMIZE: KeySpec = optional("minimize", Shape::Wires, "Numbers of which less is better, as in `maximize`.");
