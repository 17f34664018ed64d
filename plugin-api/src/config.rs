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

/// Stands in the schema of a part of a configuration that is a template of text, in the language of Jinja, whose variables are the
/// fields of the extension's input: `"x-template": true` at a string, or at a [`TextFile`](crate::TextFile). The host refuses a
/// template that is not one, that uses what the stage's `in` does not give, and a field of `in` that no template uses.
pub const X_TEMPLATE: &str = "x-template";

/// Stands in the schema of an output, at a part whose schema the pipeline's author writes, with a JSON pointer into the
/// configuration: `"x-from-config": "/schema"`. If there is a JSON Schema there, the host takes it in place of the part: wires
/// into the stage are checked against it before the run, and answers when they come. Otherwise the part is what stands
/// beside the mark.
///
/// The schema stands in the configuration itself, or in a text file ([`TextFile`](crate::TextFile)) that is named there, or by
/// the key `file` of a table there: the whole file is JSON, or it is Markdown (`.md`), and the schema is in its last block of
/// `json`. With `{"at": "/schema", "loose": true}`, answers are not held to it, as the extension adds to them: only wires are.
pub const X_FROM_CONFIG: &str = "x-from-config";

/// Stands in the schema of a key of a model's configuration that names a secret which the host sends for it, in the headers of
/// [`Host::fetch`](crate::Host::fetch): `#[schemars(extend("x-secret" = "name"))]` on a text or a
/// [`FilePath`](crate::FilePath) that is the secret's name, `"within"` where texts may have `${secret:NAME}` in them. Such a
/// secret has to be there, and granted, before anything runs.
pub const X_SECRET: &str = "x-secret";

/// Stands in the schema of a key of a model's configuration that is the address of the server that it asks:
/// `#[schemars(extend("x-server" = true))]`. The server has to be granted before anything runs, and for it the secrets that the
/// configuration names.
pub const X_SERVER: &str = "x-server";

/// The configuration of an extension, which is also the extension's own state: what the `with` table of a stage holds.
///
/// Derive it (`#[derive(Config)]`); the derive makes unknown keys an error and publishes a JSON Schema.
pub trait Config: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The first paragraph of the type's doc comment, on one line, without the full stop.
    const SUMMARY: &'static str;
}
