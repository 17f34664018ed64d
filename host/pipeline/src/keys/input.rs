//! The keys of `[input]`.

use super::spec::{AMOUNT, KeySpec, Need, Shape, Table, required};

pub(crate) static INPUT: Table = Table {
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
            doc: "Glob pattern or patterns, relative to the pipeline's folder, or `-` for standard input. With `json` a folder, too: all its \
                  `*.json` and `*.json.gz`. Wildcards pass over names that begin with a dot. Files may be packed with gzip, and are UTF-8, \
                  or UTF-16 with a byte order mark.",
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

/// The values of `use` whose items stand in files.
const IN_FILES: &[&str] = &["files", "jsonl", "json", "csv"];
