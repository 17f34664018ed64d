//! The types that cross the boundary. Plain structs are frozen for a major of the protocol; the two tables of functions
//! grow at their end.

use abi_stable::{
    StableAbi,
    library::RootModule,
    package_version_strings,
    sabi_types::VersionStrings,
    std_types::{ROption, RResult, RSlice, RStr, RString, RVec},
};
use async_ffi::BorrowingFfiFuture;

use crate::{Document, Failure, FailureKind, Tensor};

/// A tensor lent for the time of a call.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub(super) struct LentTensor<'a> {
    pub(super) name: RStr<'a>,
    pub(super) shape: RSlice<'a, u64>,
    pub(super) data: RSlice<'a, f32>,
}

/// A request lent for the time of a call.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub(super) struct LentRequest<'a> {
    pub(super) json: RStr<'a>,
    pub(super) tensors: RSlice<'a, LentTensor<'a>>,
    pub(super) stage: RStr<'a>,
    pub(super) item: RStr<'a>,
    pub(super) element: u32,
    pub(super) replicate: u32,
    pub(super) seed: u64,
}

#[repr(C)]
#[derive(StableAbi)]
pub(super) struct OwnedTensor {
    name: RString,
    shape: RVec<u64>,
    data: RVec<f32>,
}

#[repr(C)]
#[derive(StableAbi)]
pub(super) struct OwnedDocument {
    json: RString,
    tensors: RVec<OwnedTensor>,
    /// Only in the library that the tests build to have another layout.
    #[cfg(jackfield_other_layout)]
    more: u64,
}

#[repr(C)]
#[derive(StableAbi)]
pub(super) struct AbiFailure {
    kind: u8,
    message: RString,
    after_ms: ROption<u64>,
}

pub(super) type AbiResult = RResult<OwnedDocument, AbiFailure>;

/// An instance that the library owns.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub(super) struct Handle(*const ());

impl Handle {
    /// A handle to what is at `pointer`.
    pub(super) fn new<T>(pointer: *const T) -> Self {
        Self(pointer.cast())
    }

    /// The pointer again. Takes the whole handle, so that a future captures that rather than the bare pointer.
    pub(super) fn pointer<T>(self) -> *const T {
        self.0.cast()
    }
}

// SAFETY: the pointer is to an `Arc<dyn Instance>`, and `Instance` is `Send + Sync`.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// The host, as the library sees it during a call.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub(super) struct LentHost<'a> {
    pub(super) data: Handle,
    pub(super) calls: HostTableRef,
    pub(super) lifetime: std::marker::PhantomData<&'a ()>,
}

/// What the library may call.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = HostTableRef)))]
#[sabi(missing_field(panic))]
pub(super) struct HostTable {
    pub(super) log: extern "C" fn(Handle, u8, RStr<'_>, RStr<'_>),
    pub(super) progress: extern "C" fn(Handle, u32, u64, ROption<u64>, RStr<'_>),
    pub(super) cancelled: extern "C" fn(Handle) -> bool,
    /// A completion request and its answer as JSON text.
    pub(super) complete:
        for<'a> extern "C" fn(Handle, u32, RStr<'a>) -> BorrowingFfiFuture<'a, RResult<RString, AbiFailure>>,
    pub(super) model_name: extern "C" fn(Handle) -> ROption<RString>,
    pub(super) cache_get:
        for<'a> extern "C" fn(Handle, u32, RStr<'a>) -> BorrowingFfiFuture<'a, RResult<ROption<RVec<u8>>, AbiFailure>>,
    /// Key, value, and the time to live in milliseconds.
    pub(super) cache_put: for<'a> extern "C" fn(
        Handle,
        u32,
        RStr<'a>,
        RSlice<'a, u8>,
        ROption<u64>,
    ) -> BorrowingFfiFuture<'a, RResult<(), AbiFailure>>,
    /// A request's head as JSON text, and its body.
    pub(super) fetch: for<'a> extern "C" fn(
        Handle,
        u32,
        RStr<'a>,
        RSlice<'a, u8>,
    ) -> BorrowingFfiFuture<'a, RResult<AbiResponse, AbiFailure>>,
    /// The elements of a tensor, whose reference is JSON text; lent until the call ends.
    pub(super) open_tensor: extern "C" fn(Handle, u32, RStr<'_>) -> RResult<LentElements, AbiFailure>,
    /// Shape and elements; answers with the reference, as JSON text.
    #[sabi(last_prefix_field)]
    pub(super) keep_tensor:
        extern "C" fn(Handle, u32, RSlice<'_, u64>, RSlice<'_, f32>) -> RResult<RString, AbiFailure>,
}

/// Elements of a tensor that the host lends until the call ends.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub(super) struct LentElements {
    pub(super) data: Handle,
    pub(super) count: usize,
}

/// A value of a cache, with its key and the time it has left in milliseconds.
#[repr(C)]
#[derive(StableAbi)]
pub(super) struct AbiCacheEntry {
    pub(super) key: RString,
    pub(super) value: RVec<u8>,
    pub(super) ttl_ms: ROption<u64>,
}

/// What a cache holds.
#[repr(C)]
#[derive(StableAbi)]
pub(super) struct AbiCacheSize {
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

/// The answer to an operation on a cache.
pub(super) type CacheFuture<'a, T> = BorrowingFfiFuture<'a, RResult<T, AbiFailure>>;

/// What a server answered.
#[repr(C)]
#[derive(StableAbi)]
pub(super) struct AbiResponse {
    /// As JSON text.
    pub(super) head: RString,
    pub(super) body: RVec<u8>,
}

/// Receives the library's own log lines: level, target, message.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub(super) struct LogSink(pub(super) extern "C" fn(u8, RStr<'_>, RStr<'_>));

/// What the host may call.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginTableRef)))]
#[sabi(missing_field(panic))]
pub(super) struct PluginTable {
    /// Forwards the library's logs and panics from now on. The number is the most verbose level wanted.
    pub(super) init: extern "C" fn(LogSink, u8),
    /// The descriptors, as a JSON array.
    pub(super) describe: extern "C" fn() -> RResult<RString, AbiFailure>,
    /// Makes an instance of the extension at this place of the descriptors.
    pub(super) open: extern "C" fn(u32, RStr<'_>) -> RResult<Handle, AbiFailure>,
    /// Answers a batch.
    pub(super) call: for<'a> extern "C" fn(
        Handle,
        RSlice<'a, LentRequest<'a>>,
        LentHost<'a>,
    ) -> BorrowingFfiFuture<'a, RVec<AbiResult>>,
    /// Gives an instance back.
    pub(super) close: extern "C" fn(Handle) -> RResult<(), AbiFailure>,
    // Operations on an instance that is a cache backend.
    pub(super) cache_get: for<'a> extern "C" fn(Handle, RStr<'a>, LentHost<'a>) -> CacheFuture<'a, ROption<RVec<u8>>>,
    /// Key, value, and the time to live in milliseconds.
    pub(super) cache_put:
        for<'a> extern "C" fn(Handle, RStr<'a>, RSlice<'a, u8>, ROption<u64>, LentHost<'a>) -> CacheFuture<'a, ()>,
    pub(super) cache_remove: for<'a> extern "C" fn(Handle, RStr<'a>, LentHost<'a>) -> CacheFuture<'a, ()>,
    pub(super) cache_clear: for<'a> extern "C" fn(Handle, RStr<'a>, LentHost<'a>) -> CacheFuture<'a, u64>,
    pub(super) cache_size: for<'a> extern "C" fn(Handle, RStr<'a>, LentHost<'a>) -> CacheFuture<'a, AbiCacheSize>,
    /// The beginning of the keys, the key before the first, and how many.
    pub(super) cache_list: for<'a> extern "C" fn(
        Handle,
        RStr<'a>,
        ROption<RStr<'a>>,
        usize,
        LentHost<'a>,
    ) -> CacheFuture<'a, RVec<AbiCacheEntry>>,
    #[sabi(last_prefix_field)]
    pub(super) cache_is_durable: extern "C" fn(Handle) -> RResult<bool, AbiFailure>,
}

impl RootModule for PluginTableRef {
    abi_stable::declare_root_module_statics! {PluginTableRef}
    const BASE_NAME: &'static str = "jackfield_plugin";
    const NAME: &'static str = "jackfield_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

impl From<Failure> for AbiFailure {
    fn from(failure: Failure) -> Self {
        let after_ms = failure.retry_after().map(|after| after.as_millis() as u64).into();
        Self { kind: failure.kind() as u8, message: failure.message().into(), after_ms }
    }
}

impl From<AbiFailure> for Failure {
    fn from(failure: AbiFailure) -> Self {
        let kind = FailureKind::ALL.get(usize::from(failure.kind)).copied().unwrap_or(FailureKind::Internal);
        let message = failure.message.as_str().to_owned();
        match kind {
            FailureKind::RateLimited => {
                let retry_after = failure.after_ms.into_option().map(std::time::Duration::from_millis);
                Self::RateLimited { message, retry_after }
            }
            kind => Self::new(kind, message),
        }
    }
}

impl From<Document> for OwnedDocument {
    fn from(document: Document) -> Self {
        let tensors = document.tensors.into_iter().map(|tensor| OwnedTensor {
            name: tensor.name.into(),
            shape: tensor.shape.into(),
            data: tensor.data.to_vec().into(),
        });
        Self {
            json: document.json.as_ref().into(),
            tensors: tensors.collect(),
            #[cfg(jackfield_other_layout)]
            more: 0,
        }
    }
}

impl From<OwnedDocument> for Document {
    fn from(document: OwnedDocument) -> Self {
        // The strings belong to the library's allocator: copied once, into the shared form that stages read.
        let tensors = document.tensors.iter().map(|tensor| Tensor {
            name: tensor.name.as_str().to_owned(),
            shape: tensor.shape.to_vec(),
            data: tensor.data.as_slice().into(),
        });
        Self { json: document.json.as_str().into(), tensors: tensors.collect() }
    }
}
