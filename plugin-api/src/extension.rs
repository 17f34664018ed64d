//! Extensions with their types erased, as loaders and the engine use them.

use std::sync::{Arc, OnceLock};

use crate::{
    BoxFuture, CacheCalls, Config, Descriptor, Document, Failure, HostCalls, ModelCalls, PolicyCalls, Request, Result,
    SearchCalls,
};

/// Something that a plugin offers.
pub trait Extension: Send + Sync {
    /// The description of the extension.
    fn descriptor(&self) -> &Descriptor;

    /// Makes an instance with this configuration (JSON text of an object).
    fn open(&self, config: &str) -> Result<Arc<dyn Instance>>;
}

/// An extension with its configuration, ready to be called from several threads at once.
pub trait Instance: Send + Sync {
    /// Answers one result per request, in order.
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>>;

    /// The instance as a model, if it is one that can be called without documents.
    fn as_model(&self) -> Option<&dyn ModelCalls> {
        None
    }

    /// How many calls ended the instance that made them, where calls have instances of their own.
    fn traps(&self) -> u64 {
        0
    }

    /// The instance as a cache backend, if it is one.
    fn as_cache(&self) -> Option<&dyn CacheCalls> {
        None
    }

    /// The instance as a routing policy, if it is one that can be called without documents.
    fn as_policy(&self) -> Option<&dyn PolicyCalls> {
        None
    }

    /// The instance as a search policy, if it is one that can be called without documents.
    fn as_search(&self) -> Option<&dyn SearchCalls> {
        None
    }
}

/// The extension of a Rust type. The type itself is known to the two functions alone.
pub(crate) struct Erased {
    version: &'static str,
    /// Made when it is asked for: generating schemas takes longer than a call.
    descriptor: OnceLock<Descriptor>,
    describe: fn(version: &str) -> Descriptor,
    open: fn(config: &str) -> Result<Arc<dyn Instance>>,
}

impl Erased {
    pub(crate) fn of(
        version: &'static str,
        describe: fn(&str) -> Descriptor,
        open: fn(&str) -> Result<Arc<dyn Instance>>,
    ) -> Arc<dyn Extension> {
        Arc::new(Self { version, descriptor: OnceLock::new(), describe, open })
    }
}

impl Extension for Erased {
    fn descriptor(&self) -> &Descriptor {
        self.descriptor.get_or_init(|| (self.describe)(self.version))
    }

    fn open(&self, config: &str) -> Result<Arc<dyn Instance>> {
        (self.open)(config)
    }
}

/// Reads the configuration that an extension's type is.
pub(crate) fn config_of<C: Config>(config: &str) -> Result<C> {
    serde_json::from_str(config).map_err(|error| Failure::InvalidConfig(error.to_string()))
}

/// An entry in the list of extensions that this library or program holds. Made by
/// [`export_plugin!`](crate::export_plugin).
pub struct Registration {
    /// Kind of the extension.
    pub kind: crate::Kind,
    /// Name of the extension.
    pub name: &'static str,
    /// Makes the extension.
    pub make: fn() -> Arc<dyn Extension>,
}

inventory::collect!(Registration);

/// Every extension linked into this library or program, sorted by kind and name.
#[must_use]
pub fn linked_extensions() -> Vec<Arc<dyn Extension>> {
    let mut all: Vec<_> = inventory::iter::<Registration>.into_iter().map(|entry| (entry.make)()).collect();
    all.sort_by(|a, b| {
        let (a, b) = (a.descriptor(), b.descriptor());
        (a.kind, &a.name).cmp(&(b.kind, &b.name))
    });
    all
}

/// The extension of this kind and name that is linked into this library or program. Cheaper than [`linked_extensions`]: no other
/// extension is made and no schema generated.
#[must_use]
pub fn linked_extension(kind: crate::Kind, name: &str) -> Option<Arc<dyn Extension>> {
    let mut all = inventory::iter::<Registration>.into_iter();
    all.find(|entry| entry.kind == kind && entry.name == name).map(|entry| (entry.make)())
}
