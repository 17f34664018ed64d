//! The keys of `[output]`.

use super::spec::{Names, Shape, Table, optional};

pub(crate) static OUTPUT: Table = Table {
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
            "What is shown of an item on the screen as soon as it is known: a name and the wire whose value it is. `spend.STAGE.MEMBER` is what a stage spent for it.",
        ),
    ],
};
