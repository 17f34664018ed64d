//! The exports of a component: always `meta` and `extension`, and `cache-backend` if it may offer one.

use wasmtime::{AsContextMut, component::InstancePre};

use super::{
    state::State,
    v0_1::exports::jackfield::plugin::{cache_backend, extension, meta},
};

/// The interface that a component with a cache backend exports.
pub(super) const CACHE_BACKEND: &str = "jackfield:plugin/cache-backend@0.1.0";

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
    pub(super) cache: Option<cache_backend::Guest>,
}

impl Prepared {
    /// Finds the exports.
    ///
    /// # Errors
    /// If one that every plugin has is missing, or one is not that of the contract.
    pub(super) fn new(instance: InstancePre<State>) -> wasmtime::Result<Self> {
        let has_cache = instance.component().get_export_index(None, CACHE_BACKEND).is_some();
        Ok(Self {
            meta: meta::GuestIndices::new(&instance)?,
            extension: extension::GuestIndices::new(&instance)?,
            cache: has_cache.then(|| cache_backend::GuestIndices::new(&instance)).transpose()?,
            instance,
        })
    }

    /// Whether it has the operations of a cache backend.
    pub(super) fn has_cache(&self) -> bool {
        self.cache.is_some()
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
