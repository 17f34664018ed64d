//! The registry: all plugins of a run, and the extensions that they offer.

use std::{fmt, path::PathBuf, sync::Arc};

use jackfield_plugin_api::{Descriptor, Instance, Kind, Result};
use serde::{Deserialize, Serialize};

use super::{
    Digest,
    sandbox::{Grants, Limits},
};

/// How a plugin is linked to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linkage {
    /// Part of the program.
    LinkedIn,
    /// A native library.
    Native,
    /// A WebAssembly component.
    Wasm,
}

impl fmt::Display for Linkage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LinkedIn => "linked in",
            Self::Native => "native",
            Self::Wasm => "wasm",
        })
    }
}

/// Makes instances of one extension, whatever the linkage of its plugin.
pub trait ExtensionFactory: Send + Sync {
    /// Makes an instance with this configuration (JSON text of an object). The limits apply to the sandbox only.
    ///
    /// # Errors
    /// If the extension refuses the configuration, or the machine has no room for an instance.
    fn open(&self, config: &str, limits: &Limits) -> Result<Arc<dyn Instance>>;
}

/// One extension of a plugin.
#[derive(Clone)]
pub struct ExtensionEntry {
    /// Its descriptor.
    pub descriptor: Arc<Descriptor>,
    /// Makes its instances.
    pub factory: Arc<dyn ExtensionFactory>,
    /// What its instances may do.
    pub grants: Arc<Grants>,
}

impl fmt::Debug for ExtensionEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.descriptor.kind, self.descriptor.name)
    }
}

/// A loaded plugin.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The name it has in the pipeline; `bundled` for the linked-in extensions.
    pub alias: String,
    /// How it is linked to the host.
    pub linkage: Linkage,
    /// The file, unless it is linked in.
    pub path: Option<PathBuf>,
    /// Digest of the file and of the libraries that are loaded with it; for `bundled`, the digest of the program.
    pub digest: Digest,
    /// Version of the contract it was built against.
    pub protocol: (u16, u16),
    /// The extensions that it offers, sorted by kind and name.
    pub extensions: Vec<ExtensionEntry>,
}

/// All plugins of a run.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    plugins: Vec<Plugin>,
}

/// The outcome of looking an extension up.
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'a> {
    /// Exactly one plugin offers it.
    Found(&'a Plugin, &'a ExtensionEntry),
    /// No plugin offers it.
    Missing,
    /// Several offer it, and the reference does not say which is meant: the first two.
    Ambiguous(&'a Plugin, &'a Plugin),
}

impl Registry {
    /// A registry of these plugins.
    #[must_use]
    pub fn new(plugins: Vec<Plugin>) -> Self {
        Self { plugins }
    }

    /// Adds a plugin.
    pub fn add(&mut self, plugin: Plugin) {
        self.plugins.push(plugin);
    }

    /// The plugins, in order of loading: what is linked in comes first.
    #[must_use]
    pub fn plugins(&self) -> &[Plugin] {
        &self.plugins
    }

    /// Every extension of a kind, with its plugin.
    pub fn extensions(&self, kind: Kind) -> impl Iterator<Item = (&Plugin, &ExtensionEntry)> {
        self.plugins
            .iter()
            .flat_map(|plugin| plugin.extensions.iter().map(move |entry| (plugin, entry)))
            .filter(move |(_, entry)| entry.descriptor.kind == kind)
    }

    /// Looks up `name` or `alias/name`.
    #[must_use]
    pub fn find(&self, kind: Kind, reference: &str) -> Lookup<'_> {
        let found = self.find_all(&[kind], reference);
        match found.as_slice() {
            [] => Lookup::Missing,
            [(plugin, entry)] => Lookup::Found(plugin, entry),
            [(first, _), (second, _), ..] => Lookup::Ambiguous(first, second),
        }
    }

    /// Every extension of these kinds that `name` or `alias/name` can mean: in order of the kinds, then of loading.
    #[must_use]
    pub fn find_all(&self, kinds: &[Kind], reference: &str) -> Vec<(&Plugin, &ExtensionEntry)> {
        let (alias, name) = match reference.split_once('/') {
            Some((alias, name)) => (Some(alias), name),
            None => (None, reference),
        };
        let extensions = kinds.iter().flat_map(|kind| self.extensions(*kind));
        let is_meant = |plugin: &Plugin, entry: &ExtensionEntry| {
            entry.descriptor.name == name && alias.is_none_or(|alias| plugin.alias == alias)
        };
        extensions.filter(|(plugin, entry)| is_meant(plugin, entry)).collect()
    }
}
