//! The keys of `[[tests]]`.

use super::spec::{Names, RESERVED_STAGES, Shape, Table, optional, required};

/// A test of a pipeline.
pub(crate) static TEST: Table = Table {
    what: "a test",
    keys: &[
        required("name", Shape::Text, "What the test shows, in a few words; unique in the file."),
        optional("input", Shape::Any, "The one item of the test, in place of the pipeline's input."),
        optional(
            "file",
            Shape::Text,
            "A file that is the one item of the test, for pipelines whose items are files; relative to the pipeline's folder.",
        ),
        optional(
            "expect",
            Shape::Map { of: &Shape::Any, names: Names::Wires },
            "What has to come out: a wire, and the part of its value that is expected.",
        ),
        optional(
            "fails",
            Shape::Map { of: &Shape::Text, names: Names::Words { what: "stage", reserved: RESERVED_STAGES } },
            "The stages that have to fail, each with a part of its message.",
        ),
    ],
};
