//! Configuration of an extension.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// Stands in the schema of a key of a configuration with the value that it has on this machine where the pipeline does not
/// say: `#[schemars(extend("x-machine-default" = …))]` on an optional field. The host puts the value into the configuration,
/// so that results of machines that differ in it are kept apart.
pub const X_MACHINE_DEFAULT: &str = "x-machine-default";

/// Stands in the schema of a key of a configuration that changes how fast something is computed and never what:
/// `#[schemars(extend("x-no-effect" = true))]`. Such a key is left out of what distinguishes results.
pub const X_NO_EFFECT: &str = "x-no-effect";

/// Stands in the schema of the key of a configuration that names the folder which an extension writes an export to:
/// `#[schemars(extend("x-export-folder" = true))]` on an optional [`FilePath`](crate::FilePath). `jackfield export --to FOLDER`
/// sets it.
pub const X_EXPORT_FOLDER: &str = "x-export-folder";

/// The configuration of an extension, which is also the extension's own state: what the `with` table of a stage holds.
///
/// Derive it (`#[derive(Config)]`); the derive makes unknown keys an error and publishes a JSON Schema.
pub trait Config: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The first paragraph of the type's doc comment, on one line, without the full stop.
    const SUMMARY: &'static str;
}
