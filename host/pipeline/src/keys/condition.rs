//! The keys of `when` and of `[require]`.

use super::spec::{Shape, Table, optional, required};

/// When a stage is on, as a table.
pub(crate) static WHEN: Table = Table {
    what: "`when`",
    keys: &[
        required("wire", Shape::Wire, "The value that decides. Without any other key it has to be `true`."),
        optional("equals", Shape::Any, "The stage is on if the value is this; 1 and 1.0 are the same."),
        optional("not", Shape::Any, "The stage is on if the value is not this."),
        optional(
            "at_least",
            Shape::Real,
            "The stage is on if the value is a number of at least this; together with `at_most`, within both.",
        ),
        optional("at_most", Shape::Real, "The stage is on if the value is a number of at most this."),
    ],
};

/// What a run requires of a value.
pub(crate) static REQUIREMENT: Table = Table {
    what: "a requirement",
    keys: &[
        optional("at_least", Shape::Real, "The least that the number may be."),
        optional("at_most", Shape::Real, "The most that the number may be."),
        optional("equals", Shape::Any, "What the value has to be; 1 and 1.0 are the same."),
    ],
};
