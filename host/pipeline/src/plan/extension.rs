//! An extension that a plan pins by its digest.

use std::sync::Arc;

use jackfield_plugin_api::{Failure, Instance, Kind, catch_panic};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use jackfield_loader::{Digest, ExtensionEntry, Linkage, Lookup, Registry, sandbox::Limits};

/// An extension, pinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtensionRef {
    /// Alias of the plugin.
    pub plugin: String,
    /// How the plugin came in.
    #[serde(rename = "form")]
    pub linkage: Linkage,
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Digest of the artifact.
    pub digest: Digest,
}

impl ExtensionRef {
    /// What its plugin offers, if it is still there.
    #[must_use]
    pub fn entry<'a>(&self, registry: &'a Registry) -> Option<&'a ExtensionEntry> {
        match registry.find(self.kind, &format!("{}/{}", self.plugin, self.name)) {
            Lookup::Found(_, entry) => Some(entry),
            Lookup::Missing | Lookup::Ambiguous(..) => None,
        }
    }

    /// Makes an instance of it.
    ///
    /// # Errors
    /// The failure with which the extension refuses the configuration; [`Failure::Internal`] for a panic, or for a plugin that is
    /// no longer loaded.
    pub fn open(&self, config: &Value, limits: &Limits, registry: &Registry) -> Result<Arc<dyn Instance>, Failure> {
        let gone = || Failure::Internal(format!("`{}/{}` is no longer there", self.plugin, self.name));
        let entry = self.entry(registry).ok_or_else(gone)?;
        catch_panic("open", || entry.factory.open(&config.to_string(), limits))?
    }
}
