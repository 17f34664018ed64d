//! The keys of `[plugins.NAME]`.

use super::spec::{Names, Shape, Table, default, optional, required};

pub(crate) static PLUGIN: Table = Table {
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
             `scratch:NAME`, `env:NAME`, `secret:NAME`.",
        ),
    ],
};
