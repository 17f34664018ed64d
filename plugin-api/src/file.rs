//! Files that a configuration names. A plugin never opens them by a path of the pipeline: the host does.

use std::{borrow::Cow, fmt, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor},
};

/// `format` of a config string that the host replaces by the file it names: see [`TextFile`].
pub const TEXT_FILE_FORMAT: &str = "jackfield-text-file";

/// `format` of a config string that the host replaces by the files of the folder it names: see [`TextFiles`].
pub const TEXT_FILES_FORMAT: &str = "jackfield-text-files";

/// `format` of a config string that the host makes an absolute path: see [`FilePath`].
pub const FILE_PATH_FORMAT: &str = "jackfield-path";

/// `format` of a config string that the host replaces by the path and the digest of what lies there: see [`DigestedPath`].
pub const DIGESTED_PATH_FORMAT: &str = "digested-path";

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
        json_schema!({ "type": "string", "format": TEXT_FILE_FORMAT })
    }
}

/// The text files of a folder that the configuration names, relative to the pipeline's folder, or a single file. The host
/// reads them and hands them over with the configuration, as a [`TextFile`] each: a file that changed, came or went is a
/// change of the configuration.
///
/// Files are those that stand in the folder itself, sorted by the bytes of their names; folders in it, whatever is not a regular
/// file, and files whose names begin with a dot are left out. A path is that of the pipeline, with the file's name behind
/// that of the folder. There is at least one file, and no more than 100,000; a file holds UTF-8 text of at most 16 MiB, all of
/// them together 64 MiB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TextFiles(pub Vec<TextFile>);

impl JsonSchema for TextFiles {
    fn schema_name() -> Cow<'static, str> {
        "TextFiles".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": TEXT_FILES_FORMAT })
    }
}

/// A file or folder that the configuration names, relative to the pipeline's folder, and that the plugin reads itself. The
/// host makes the path absolute and adds the digest of what lies there: the digest is what distinguishes two
/// configurations, so that a file may be moved, and one that changed is noticed.
///
/// The digest of a file is that of its bytes; that of a folder goes over the names and the bytes of all files in it, but for
/// those whose names begin with a dot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DigestedPath {
    /// The path, absolute.
    pub path: PathBuf,
    /// SHA-256, in hexadecimal digits; empty where no host has looked.
    pub sha256: String,
}

impl DigestedPath {
    /// A path that no host has looked at.
    #[must_use]
    pub fn without_digest(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), sha256: String::new() }
    }
}

impl<'de> Deserialize<'de> for DigestedPath {
    /// From what the host writes, or from a path alone.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PathOrBoth;

        impl<'de> Visitor<'de> for PathOrBoth {
            type Value = DigestedPath;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a table with `path` and `sha256`")
            }

            fn visit_str<E>(self, path: &str) -> Result<DigestedPath, E> {
                Ok(DigestedPath::without_digest(path))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DigestedPath, A::Error> {
                let (mut path, mut sha256) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "path" => path = Some(map.next_value()?),
                        "sha256" => sha256 = Some(map.next_value()?),
                        other => return Err(A::Error::unknown_field(other, &["path", "sha256"])),
                    }
                }
                let path = path.ok_or_else(|| A::Error::missing_field("path"))?;
                Ok(DigestedPath { path, sha256: sha256.unwrap_or_default() })
            }
        }

        deserializer.deserialize_any(PathOrBoth)
    }
}

impl JsonSchema for DigestedPath {
    fn schema_name() -> Cow<'static, str> {
        "DigestedPath".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": DIGESTED_PATH_FORMAT })
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
        json_schema!({ "type": "string", "format": FILE_PATH_FORMAT })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::DigestedPath;

    #[test]
    fn a_digested_path_is_read_with_its_digest_and_without() {
        let read = |value| from_value::<DigestedPath>(value).map_err(|error| error.to_string());
        let both = DigestedPath { path: "/a".into(), sha256: "00".to_owned() };
        assert_eq!(read(json!({ "path": "/a", "sha256": "00" })), Ok(both.clone()));
        assert_eq!(read(serde_json::to_value(&both).expect("JSON")), Ok(both));
        assert_eq!(read(json!("/a")), Ok(DigestedPath::without_digest("/a")));
        assert!(read(json!({ "sha256": "00" })).is_err_and(|error| error.contains("`path`")));
        assert!(read(json!({ "path": "/a", "md5": "00" })).is_err_and(|error| error.contains("`md5`")));
    }
}
