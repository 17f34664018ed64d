//! The keys of the file itself, and of `[pipeline]`.

use super::{
    condition::REQUIREMENT,
    input::INPUT,
    output::OUTPUT,
    plugin::PLUGIN,
    spec::{AMOUNT, COUNT, Names, RESERVED_STAGES, Shape, Table, default, optional, required},
    stage::STAGE,
};
use super::{search, service, test, trust};

/// The file.
pub(crate) static FILE: Table = Table {
    what: "the pipeline",
    keys: &[
        required("pipeline", Shape::Table(&PIPELINE), "What applies to the pipeline as a whole."),
        optional(
            "params",
            Shape::Map { of: &Shape::Scalar, names: Names::Words { what: "parameter", reserved: &[] } },
            "Parameters, each a name and its default: `${name}` in a string stands for the value, `--set params.NAME=VALUE` changes it everywhere. `$${` is a plain `${`. A parameter may come from a variable of the environment: `draws = \"${env:DRAWS:-5000}\"`, of the type of its default; one that is not set, or is empty, and has no default is a fault, as is one that may hold a secret.",
        ),
        optional(
            "plugins",
            Shape::Map {
                of: &Shape::Table(&PLUGIN),
                names: Names::Words { what: "plugin", reserved: &[("bundled", "the plugins that are linked in")] },
            },
            "Plugins to load besides those that are linked in, each under a name of your choice.",
        ),
        optional("trust", Shape::Table(&trust::TRUST), "Whose signatures of plugin files count."),
        optional(
            "model",
            Shape::Map { of: &Shape::Table(&service::MODEL), names: Names::Words { what: "model", reserved: &[] } },
            "Models that stages may call, each under a name of your choice.",
        ),
        optional(
            "cache",
            Shape::Map { of: &Shape::Table(&service::CACHE), names: Names::Words { what: "cache", reserved: &[] } },
            "Caches that models and stages may use, each under a name of your choice.",
        ),
        optional("input", Shape::Table(&INPUT), "Where items come from; absent if no stage reads `input`."),
        optional(
            "search",
            Shape::Table(&search::SEARCH),
            "What picks the values that the stages run with, trial by trial, by a policy that learns; for `use = \"trials\"`.",
        ),
        optional("output", Shape::Table(&OUTPUT), "What is written for each item besides its results."),
        optional("record", Shape::Table(&RECORD), "What is on the record of a run besides results."),
        optional("runs", Shape::Table(&RUNS), "What becomes of the folders of earlier runs."),
        required(
            "stages",
            Shape::Map { of: &Shape::Table(&STAGE), names: Names::Words { what: "stage", reserved: RESERVED_STAGES } },
            "The stages, each under a name of your choice. Their order follows from their wires.",
        ),
        optional(
            "require",
            Shape::Map { of: &Shape::Table(&REQUIREMENT), names: Names::Wires },
            "What a run requires of values of all its items together: a wire into a stage that runs over all items, or once a run, and its bounds. A run that does not meet them ends with exit code 5.",
        ),
        optional("tests", Shape::Tables(&test::TEST), "Tests of the pipeline, for `jackfield test`."),
    ],
};

static RECORD: Table = Table {
    what: "`[record]`",
    keys: &[default(
        "calls",
        Shape::Choice(&["full", "failures", "none"]),
        "\"failures\"",
        "Which requests to models and answers are on the record word for word, for `jackfield show` and the report: all (`full`), \
         those of calls that failed (`failures`), or none. Each text is cut at 1 MiB; the secrets that a plugin may read are \
         replaced by their names. No result depends on it, so a run goes on whatever it is set to.",
    )],
};

static RUNS: Table = Table {
    what: "`[runs]`",
    keys: &[optional(
        "keep",
        COUNT,
        "So many complete runs of the pipeline stay: each run that comes to its end without a failure removes the older ones beyond them. All stay without it, as do runs that failed or were interrupted.",
    )],
};

static PIPELINE: Table = Table {
    what: "`[pipeline]`",
    keys: &[
        required(
            "name",
            Shape::Name,
            "Name of the pipeline, and the beginning of the names of its run folders: letters, digits, `-`, `_` and `.`.",
        ),
        optional("description", Shape::Text, "What the pipeline is for."),
        default("seed", AMOUNT, "0", "Seed of every random choice."),
        default("max_in_flight", Shape::Integer { min: 1, max: 1 << 20 }, "256", "The most items in work at a time."),
        optional(
            "max_usd",
            Shape::Number,
            "US dollars that a run may cost, all its models and sessions together; as much as it likes by default. `--max-usd` \
             takes precedence. Each call reserves the most that it may cost before it is made; once what is left may be too little, \
             no further call is made, and the run stops as for a `budget`.",
        ),
        optional(
            "sandbox_memory",
            Shape::Size,
            "Memory that all instances of sandboxed plugins may take together; half of what the machine, the control group and `ulimit -v` leave by default.",
        ),
        optional(
            "tensor_storage",
            Shape::Size,
            "What the tensors of a run that travel by reference may take on disk, all sessions together; 16 GiB by default.",
        ),
    ],
};
