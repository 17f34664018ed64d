//! The keys of the pipeline's search.

use super::spec::{COUNT, COUNT_64, KeySpec, Names, Shape, Table, default, optional, required};

/// What picks the values that the stages run with, trial by trial.
pub(crate) static SEARCH: Table = Table {
    what: "`[search]`",
    keys: &[
        required("use", Shape::Text, "The routing policy that picks values: a name, or `plugin/name`."),
        optional("with", Shape::Free, "Configuration of the policy."),
        required(
            "space",
            Shape::Map { of: &Shape::ListOr(&DIMENSION), names: Names::Wires },
            "What is searched: keys of the stages' `with`, as `\"STAGE.KEY\"` or `\"STAGE.KEY.KEY\"`, each with a range (`{ min = 0.5, max = 1.5 }`) or a list of values to choose from. A trial's values are part of its item, `input.params`, and replace those of the `with` of the stages.",
        ),
        MINIMIZE,
        MAXIMIZE,
        default(
            "in_flight",
            COUNT,
            "1",
            "Decisions that may wait for their results: the values of a trial are picked by the results of all trials but the last so many before it, this one counted, however many are in work. With more, trials run side by side.",
        ),
        optional(
            "report",
            Shape::Wires,
            "Numbers that a trial reports before it is done, a wire or a list of wires in the order of their stages, measures of the one objective: after each, the policy says whether the trial goes on.",
        ),
        optional(
            "points",
            Shape::Overlays,
            "Values that the first trials take, in place of the policy's: each a table of names of the space and values.",
        ),
        optional(
            "study",
            Shape::Text,
            "A name under which the trials are kept from run to run, in `.jackfield/studies` beside the pipeline; a run begins with nothing otherwise.",
        ),
        optional("stop", Shape::Table(&STOP), "What ends the search before all its trials are made."),
    ],
};

const MINIMIZE: KeySpec = optional(
    "minimize",
    Shape::Wires,
    "Numbers of which less is better: wires, which are their names too, or a table of names and wires.",
);

const MAXIMIZE: KeySpec = optional("maximize", Shape::Wires, "Numbers of which more is better, as in `minimize`.");

/// One key that is searched.
pub(crate) static DIMENSION: Table = Table {
    what: "a range",
    keys: &[
        optional("min", Shape::Real, "The least value."),
        optional("max", Shape::Real, "The greatest value."),
        optional("log", Shape::Flag, "Whether the logarithm is searched evenly, for ranges above 0."),
        optional(
            "step",
            Shape::Real,
            "The distance of one value to the next, counted from `min`; any value without it.",
        ),
        optional("integer", Shape::Flag, "Whether the values are integers."),
        optional("choices", Shape::List, "The values to choose from, in place of `min` and `max`."),
        optional(
            "when",
            Shape::Map { of: &Shape::Any, names: Names::Wires },
            "When the key is searched at all: the name of another key of the space, and the value, or the list of values, that it has then. The stage's own `with` holds otherwise.",
        ),
    ],
};

/// What ends a search.
pub(crate) static STOP: Table = Table {
    what: "`stop`",
    keys: &[
        optional("time", Shape::Duration, "Time since the run began."),
        optional("cost_usd", Shape::Number, "What the run spent on models, in US dollars."),
        optional("unchanged", COUNT_64, "Trials in a row by which the Pareto front did not change."),
    ],
};
