//! Files that a configuration speaks of. A plugin never opens them by a path of the pipeline: the host does.

use std::{borrow::Cow, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// `format` of a config string that the host replaces by the file it names: see [`TextFile`].
pub const TEXT_FILE: &str = "jackfield-text-file";

/// `format` of a config string that the host makes an absolute path: see [`FilePath`].
pub const FILE_PATH: &str = "jackfield-path";

/// A text file that the configuration names, relative to the pipeline's folder. The host reads it and hands it over with
/// the configuration, so that a sandboxed plugin can have it too, and a change of the file is a change of the
/// configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextFile {
    /// The path as it stands in the pipeline.
    pub path: String,
    /// What the file holds: UTF-8 text of at most 16 MiB.
    pub text: String,
}

impl JsonSchema for TextFile {
    fn schema_name() -> Cow<'static, str> {
        "TextFile".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": TEXT_FILE })
    }
}

/// A path that the configuration names, relative to the pipeline's folder; the host makes it absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilePath(pub PathBuf);

impl JsonSchema for FilePath {
    fn schema_name() -> Cow<'static, str> {
        "FilePath".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": FILE_PATH })
    }
}
