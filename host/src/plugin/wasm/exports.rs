//! What a component exports: always `meta` and `extension`, and `cache-backend` where it offers one.

use wasmtime::{AsContextMut, component::InstancePre};

use super::{
    bindings::exports::jackfield::plugin::{cache_backend, extension, meta},
    state::State,
};

/// A component that is compiled and linked, and its exports.
#[derive(Clone)]
pub(super) struct Prepared {
    instance: InstancePre<State>,
    meta: meta::GuestIndices,
    extension: extension::GuestIndices,
    cache: Option<cache_backend::GuestIndices>,
}

/// The exports of one instance.
pub(super) struct Exports {
    pub(super) meta: meta::Guest,
    pub(super) extension: extension::Guest,
    #[expect(dead_code, reason = "cache backends in components are opened in a later change")]
    pub(super) cache: Option<cache_backend::Guest>,
}

impl Prepared {
    /// Finds the exports.
    ///
    /// # Errors
    /// If one that every plugin has is missing, or is not that of the contract.
    pub(super) fn new(instance: InstancePre<State>) -> wasmtime::Result<Self> {
        Ok(Self {
            meta: meta::GuestIndices::new(&instance)?,
            extension: extension::GuestIndices::new(&instance)?,
            cache: cache_backend::GuestIndices::new(&instance).ok(),
            instance,
        })
    }

    pub(super) fn engine(&self) -> &wasmtime::Engine {
        self.instance.engine()
    }

    pub(super) async fn instantiate(&self, mut store: impl AsContextMut<Data = State>) -> wasmtime::Result<Exports> {
        let instance = self.instance.instantiate_async(&mut store).await?;
        Ok(Exports {
            meta: self.meta.load(&mut store, &instance)?,
            extension: self.extension.load(&mut store, &instance)?,
            cache: self.cache.as_ref().map(|cache| cache.load(&mut store, &instance)).transpose()?,
        })
    }
}
