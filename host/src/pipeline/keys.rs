//! The keys of a pipeline file: what may stand where. Checking, lowering and the JSON Schema all read these tables, so that
//! they cannot drift apart. A new table of the language starts here.

use super::{plan::MOST_CALLS, route_keys, search_keys, service_keys, test_keys, trust};

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Any string but the empty one.
    Text,
    /// A string that may be part of a file's name.
    Name,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds, both included.
    Integer { min: u64, max: u64 },
    /// A number, with or without a fraction, of at least 0.
    Number,
    /// A number of either sign.
    Real,
    /// A string such as `200ms`.
    Duration,
    /// A string such as `256MiB`, or a number of bytes.
    Size,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// One ASCII character.
    Character,
    /// A string, or a list of at least one.
    Texts,
    /// A list of grants; it may be empty.
    Grants,
    /// 64 hexadecimal digits.
    Digest,
    /// A reference to a value.
    Wire,
    /// A wire, or a list or table of such, nested at will.
    Wires,
    /// Anything.
    Any,
    /// A string, a number or a boolean.
    Scalar,
    /// A list of anything.
    List,
    /// A table that someone else checks.
    Free,
    /// A table of known keys.
    Table(&'static Table),
    /// A positive number, or a table of known keys.
    CountOr(&'static Table),
    /// A list of anything, or a table of known keys.
    ListOr(&'static Table),
    /// A list of at least one table of known keys.
    Tables(&'static Table),
    /// A list of at least one table that someone else checks.
    Overlays,
    /// A table whose keys the author names.
    Map { of: &'static Shape, names: Names },
}

/// What the author may use as a key of a [`Shape::Map`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// Lower-case words; `reserved` are taken, each with what it means.
    Words { what: &'static str, reserved: &'static [(&'static str, &'static str)] },
    /// The name of a file of an item, or beside a plugin, without a folder.
    Files,
    /// The name of a file of the run, without a folder.
    RunFiles,
    /// A wire.
    Wires,
}

/// Whether a key has to be there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// It has to.
    Required,
    /// It may be absent.
    Optional,
    /// It has to if the table's `use` is one of these, and may not be there otherwise.
    RequiredFor(&'static [&'static str]),
    /// It may be there if the table's `use` is one of these.
    AllowedFor(&'static [&'static str]),
}

impl Need {
    /// The values of `use` that the key is for; none for all.
    pub(super) fn only_for(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Required | Self::Optional => None,
            Self::RequiredFor(uses) | Self::AllowedFor(uses) => Some(uses),
        }
    }

    /// Whether the key has to be there, for this value of `use`.
    pub(super) fn is_required(self, used: Option<&str>) -> bool {
        match self {
            Self::Required => true,
            Self::RequiredFor(uses) => used.is_some_and(|used| uses.contains(&used)),
            Self::Optional | Self::AllowedFor(_) => false,
        }
    }
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeySpec {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) need: Need,
    /// One sentence for the reference and for editors.
    pub(super) doc: &'static str,
    /// What an absent key means, as TOML.
    pub(super) default: Option<&'static str>,
}

/// A table of known keys.
#[derive(Debug)]
pub(super) struct Table {
    /// How messages call it: `[pipeline]`, `a stage`.
    pub(super) what: &'static str,
    pub(super) keys: &'static [KeySpec],
}

impl Table {
    /// The key of this name.
    pub(super) fn key(&self, name: &str) -> Option<&'static KeySpec> {
        self.keys.iter().find(|key| key.name == name)
    }
}

pub(super) const fn required(name: &'static str, shape: Shape, doc: &'static str) -> KeySpec {
    KeySpec { name, shape, need: Need::Required, doc, default: None }
}

pub(super) const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> KeySpec {
    KeySpec { name, shape, need: Need::Optional, doc, default: None }
}

pub(super) const fn default(name: &'static str, shape: Shape, default: &'static str, doc: &'static str) -> KeySpec {
    KeySpec { name, shape, need: Need::Optional, doc, default: Some(default) }
}

/// A positive number that fits 32 bits.
pub(super) const COUNT: Shape = Shape::Integer { min: 1, max: u32::MAX as u64 };
/// A number that fits 32 bits.
pub(super) const AMOUNT_32: Shape = Shape::Integer { min: 0, max: u32::MAX as u64 };
/// Any number.
pub(super) const AMOUNT: Shape = Shape::Integer { min: 0, max: u64::MAX };

/// The file.
pub(super) static FILE: Table = Table {
    what: "the pipeline",
    keys: &[
        required("pipeline", Shape::Table(&PIPELINE), "What holds for the pipeline as a whole."),
        optional(
            "params",
            Shape::Map { of: &Shape::Scalar, names: Names::Words { what: "parameter", reserved: &[] } },
            "Parameters, each a name and its default: `${name}` in a string stands for the value, `--set params.NAME=VALUE` changes it everywhere. `$${` is a plain `${`.",
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
            Shape::Map {
                of: &Shape::Table(&service_keys::MODEL),
                names: Names::Words { what: "model", reserved: &[] },
            },
            "Models that stages may call, each under a name of your choice.",
        ),
        optional(
            "cache",
            Shape::Map {
                of: &Shape::Table(&service_keys::CACHE),
                names: Names::Words { what: "cache", reserved: &[] },
            },
            "Caches that models and stages may use, each under a name of your choice.",
        ),
        optional("input", Shape::Table(&INPUT), "Where items come from; absent if no stage reads `input`."),
        optional(
            "search",
            Shape::Table(&search_keys::SEARCH),
            "What picks the values that the stages run with, trial by trial, by a policy that learns; for `use = \"trials\"`.",
        ),
        optional("output", Shape::Table(&OUTPUT), "What is written for each item besides its results."),
        required(
            "stages",
            Shape::Map {
                of: &Shape::Table(&STAGE),
                names: Names::Words {
                    what: "stage",
                    reserved: &[("input", "the item"), ("each", "the element of `for_each`")],
                },
            },
            "The stages, each under a name of your choice. Their order follows from their wires.",
        ),
        optional("tests", Shape::Tables(&test_keys::TEST), "Tests of the pipeline, for `jackfield test`."),
    ],
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

static PLUGIN: Table = Table {
    what: "a plugin",
    keys: &[
        required("path", Shape::Text, "The file, relative to the pipeline's folder."),
        default("allow_native", Shape::Flag, "false", "Whether native code may run with the host's full rights."),
        optional(
            "sha256",
            Shape::Digest,
            "Digest of the file; required for native code that `jackfield.lock` does not hold.",
        ),
        optional(
            "dependencies",
            Shape::Map { of: &Shape::Digest, names: Names::Files },
            "Digests of the libraries beside a native plugin that are loaded with it, by their names: \
             `{ \"libfoo.so.1\" = \"…\" }`. Libraries of the system need none; any other is refused without one.",
        ),
        optional(
            "grant",
            Shape::Grants,
            "What a sandboxed plugin may do, of what it asks for: `clock`, `random`, `http:HOST`, `read:NAME=FOLDER`, \
             `scratch:NAME`, `env:NAME`.",
        ),
    ],
};

/// The values of `use` whose items stand in files.
const IN_FILES: &[&str] = &["files", "jsonl", "json", "csv"];

static INPUT: Table = Table {
    what: "`[input]`",
    keys: &[
        required(
            "use",
            Shape::Choice(&["files", "jsonl", "json", "csv", "inline", "trials"]),
            "The item source: each file, each line of JSON, each file, member or element of JSON files, each record, each value of \
             `items`, or numbered trials.",
        ),
        KeySpec {
            name: "path",
            shape: Shape::Texts,
            need: Need::RequiredFor(IN_FILES),
            doc: "Glob pattern or patterns, relative to the pipeline's folder. With `json` a folder, too: all its `*.json`.",
            default: None,
        },
        KeySpec {
            name: "id",
            shape: Shape::Text,
            need: Need::AllowedFor(&["jsonl", "json", "csv", "inline"]),
            doc: "The field that is an item's id; its position otherwise. With `json`, of the elements of arrays alone.",
            default: None,
        },
        KeySpec {
            name: "item_keys",
            shape: Shape::Texts,
            need: Need::AllowedFor(&["json"]),
            doc: "A file that is an object with all of these members is one item, called by the file's stem. The members of any \
                  other object, and the elements of an array, are items of their own.",
            default: None,
        },
        KeySpec {
            name: "delimiter",
            shape: Shape::Character,
            need: Need::AllowedFor(&["csv"]),
            doc: "The character between two columns.",
            default: Some("\",\""),
        },
        KeySpec {
            name: "max_item_size",
            shape: Shape::Size,
            need: Need::AllowedFor(IN_FILES),
            doc: "The most that an item may hold, as it stands in its file: a larger one fails, and no other with it.",
            default: Some("\"64MiB\""),
        },
        KeySpec {
            name: "items",
            shape: Shape::List,
            need: Need::RequiredFor(&["inline"]),
            doc: "The items.",
            default: None,
        },
        KeySpec {
            name: "count",
            shape: AMOUNT,
            need: Need::RequiredFor(&["trials"]),
            doc: "How many trials there are; an item is `{ trial = n }`, n from 0.",
            default: None,
        },
    ],
};

static OUTPUT: Table = Table {
    what: "`[output]`",
    keys: &[
        optional(
            "item_files",
            Shape::Flag,
            "Whether each result is written to a file of its own; by default if the items are files.",
        ),
        optional(
            "files",
            Shape::Map { of: &Shape::Wire, names: Names::Files },
            "Further files of an item: a name and the wire whose value it holds.",
        ),
        optional(
            "merged",
            Shape::Map { of: &Shape::Wire, names: Names::RunFiles },
            "Files of the run, beside `results.jsonl`: a name and a wire to an object. The file is one JSON object, with the members \
             of the objects of all items, in the order of the items.",
        ),
        optional(
            "show",
            Shape::Map { of: &Shape::Wire, names: Names::Words { what: "line", reserved: &[] } },
            "What is shown of an item on the screen as soon as it is there: a name and the wire whose value it is. `spend.STAGE.MEMBER` is what a stage spent for it.",
        ),
    ],
};

static STAGE: Table = Table {
    what: "a stage",
    keys: &[
        required("use", Shape::Text, "The extension that does the work: a name, or `plugin/name`."),
        optional(
            "kind",
            Shape::Choice(&["analyzer", "direction-extractor"]),
            "The kind of the extension, where plugins offer both under its name.",
        ),
        optional("in", Shape::Wires, "What each call gets: a wire, or a list or table of wires."),
        optional("with", Shape::Free, "Configuration of the extension."),
        optional("for_each", Shape::Wire, "The list that the stage runs over; `each` is then its element."),
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
            Shape::Table(&route_keys::ROUTE),
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
            "Whether the stage is no part of a run, and runs when an item is exported: `jackfield export RUN ITEM --to FOLDER`. No other reads it.",
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
pub(super) static RETRY: Table = Table {
    what: "`retry`",
    keys: &[
        default("attempts", Shape::Integer { min: 1, max: 100 }, "3", "Tries in all."),
        default("backoff", Shape::Duration, "\"200ms\"", "Delay before the second try; doubled for each further one."),
    ],
};

/// Retries of a model.
pub(super) static RETRY_MODEL: Table = Table {
    what: "`retry`",
    keys: &[
        default("attempts", Shape::Integer { min: 1, max: 100 }, "5", "Tries in all."),
        default(
            "backoff",
            Shape::Duration,
            "\"500ms\"",
            "The longest delay before the second try; doubled for each further one.",
        ),
    ],
};

/// Limits of a stage or a model.
pub(super) static LIMITS: Table = Table {
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
pub(super) static LIMITS_TIER: Table = Table {
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

/// A positive number.
pub(super) const COUNT_64: Shape = Shape::Integer { min: 1, max: u64::MAX };
