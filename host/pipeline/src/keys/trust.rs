//! The keys of `[trust]`.

use super::spec::{Shape, Table, default, required};

pub(crate) const REQUIRED: &str = "required";

pub(crate) const WHEN_PRESENT: &str = "when-present";

pub(crate) static TRUST: Table = Table {
    what: "`[trust]`",
    keys: &[
        required(
            "keys",
            Shape::Texts,
            "The public keys of minisign whose signatures count: the lines that start with `RW`.",
        ),
        default(
            "signatures",
            Shape::Choice(&[WHEN_PRESENT, REQUIRED]),
            "\"when-present\"",
            "Whether each plugin file needs a signature beside it, in `FILE.minisig`. One that is there must be by a trusted key either way.",
        ),
    ],
};
