//! Configuration of an extension.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// The configuration of an extension, which is also the extension's own state: what the `with` table of a stage holds.
///
/// Derive it (`#[derive(Config)]`); the derive makes unknown keys an error and publishes a JSON Schema.
pub trait Config: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The first paragraph of the type's doc comment, on one line, without the full stop.
    const SUMMARY: &'static str;
}
