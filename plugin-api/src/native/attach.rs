//! The host's side.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use abi_stable::{
    StableAbi,
    abi_stability::abi_checking::check_layout_compatibility,
    library::AbiHeaderRef,
    prefix_type::PrefixTypeTrait,
    std_types::{ROption, RResult, RSlice, RStr, RString, RVec},
};
use async_ffi::BorrowingFfiFuture;

use super::abi::{
    AbiFailure, AbiResponse, Handle, HostTable, HostTableRef, LentElements, LentHost, LentRequest, LentTensor, LogSink,
    PluginTableRef,
};
use crate::{
    BoxFuture, CacheCalls, CompletionRequest, Descriptor, Document, Extension, Failure, HostCalls, HttpRequest,
    Instance, Level, Request, Result, TensorReader, TensorRef, sync::lock,
};

/// Why a loaded library could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttachError {
    /// The function table, or something in it, has another layout: the first difference.
    Layout(String),
    /// The descriptors of the library cannot be read.
    Descriptor(String),
    /// The library failed while it was set up.
    Failed(String),
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(what) | Self::Descriptor(what) | Self::Failed(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for AttachError {}

/// Checks the layout of a loaded library, has its logs forwarded to the host's `tracing`, and gives its extensions.
///
/// `level` is the most verbose level that the host's log takes.
///
/// # Safety
/// `header` is the address of the symbol [`HEADER_SYMBOL`](super::HEADER_SYMBOL) in a library that is never unloaded and
/// whose [`Note`](super::Note) was read and carries this major of the protocol.
pub unsafe fn attach(header: *const (), level: Level) -> Result<Vec<Arc<dyn Extension>>, AttachError> {
    // SAFETY: `AbiHeaderRef` is a transparent reference to the start of the header, which the caller vouches for.
    let header: AbiHeaderRef = unsafe { std::mem::transmute::<*const (), AbiHeaderRef>(header) };
    let library = header.upgrade().map_err(|error| AttachError::Layout(first_error(&error.to_string())))?;
    let theirs = library.layout().ok_or_else(|| AttachError::Layout("it carries no layout".to_owned()))?;
    let ours = <PluginTableRef as StableAbi>::LAYOUT;
    // A newer library has a longer table, an older one a shorter: either direction will do.
    if let Err(error) = check_layout_compatibility(ours, theirs) {
        check_layout_compatibility(theirs, ours).map_err(|_| AttachError::Layout(first_error(&error.to_string())))?;
    }
    // SAFETY: the layouts were compared just now.
    let table = unsafe { library.unchecked_layout::<PluginTableRef>() }
        .map_err(|error| AttachError::Failed(error.to_string()))?;
    table.init()(LogSink(receive_log), level as u8);
    let described =
        table.describe()().into_result().map_err(|failure| AttachError::Failed(Failure::from(failure).to_string()))?;
    let entries: Vec<serde_json::Value> =
        serde_json::from_str(&described).map_err(|error| AttachError::Descriptor(error.to_string()))?;
    let mut extensions: Vec<Arc<dyn Extension>> = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        // A kind that this host does not know yet is skipped.
        let known = serde_json::from_value::<crate::Kind>(entry["kind"].clone()).is_ok();
        if known {
            let descriptor: Descriptor =
                serde_json::from_value(entry).map_err(|error| AttachError::Descriptor(error.to_string()))?;
            extensions.push(Arc::new(Foreign { table, index: index as u32, descriptor }));
        }
    }
    Ok(extensions)
}

/// The first block of a layout error, which as a whole runs to a hundred kilobytes.
fn first_error(report: &str) -> String {
    let start = report.find("Error:").unwrap_or(0);
    // The rest of the report counts the errors and repeats their details.
    let within = |line: &&str| !line.is_empty() && !line.contains("error(s)");
    let text = report[start..].lines().map(str::trim).take_while(within).take(8).collect::<Vec<_>>().join(" ");
    text.trim_start_matches("Error:").trim().chars().take(400).collect()
}

extern "C" fn receive_log(level: u8, target: RStr<'_>, message: RStr<'_>) {
    let (plugin, message) = (target.as_str(), message.as_str());
    match Level::from_rank(level) {
        Level::Error => tracing::error!(target: "plugin", plugin, "{message}"),
        Level::Warn => tracing::warn!(target: "plugin", plugin, "{message}"),
        Level::Info => tracing::info!(target: "plugin", plugin, "{message}"),
        Level::Debug => tracing::debug!(target: "plugin", plugin, "{message}"),
        Level::Trace => tracing::trace!(target: "plugin", plugin, "{message}"),
    }
}

struct Foreign {
    table: PluginTableRef,
    index: u32,
    descriptor: Descriptor,
}

impl Extension for Foreign {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn open(&self, config: &str) -> Result<Arc<dyn Instance>> {
        let handle = self.table.open()(self.index, config.into()).into_result().map_err(Failure::from)?;
        let is_cache = self.descriptor.kind == crate::Kind::CacheBackend;
        Ok(Arc::new(ForeignInstance { table: self.table, handle, is_cache }))
    }
}

pub(super) struct ForeignInstance {
    pub(super) table: PluginTableRef,
    pub(super) handle: Handle,
    is_cache: bool,
}

impl Drop for ForeignInstance {
    fn drop(&mut self) {
        if let RResult::RErr(failure) = self.table.close()(self.handle) {
            tracing::error!(target: "plugin", "{}", Failure::from(failure));
        }
    }
}

impl Instance for ForeignInstance {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            let tensors: Vec<Vec<LentTensor<'_>>> =
                batch.iter().map(|request| lent_tensors(&request.document)).collect();
            let requests: Vec<LentRequest<'_>> =
                batch.iter().zip(&tensors).map(|(request, tensors)| lent(request, tensors)).collect();
            let host = CallHost::new(host);
            let answers = self.table.call()(self.handle, RSlice::from(requests.as_slice()), host.lent()).await;
            answers.into_iter().map(|answer| answer.into_result().map(Document::from).map_err(Failure::from)).collect()
        })
    }

    fn as_cache(&self) -> Option<&dyn CacheCalls> {
        self.is_cache.then_some(self as &dyn CacheCalls)
    }
}

/// The host, as a library sees it during one call, and what the host has lent it meanwhile.
pub(super) struct CallHost<'a> {
    calls: &'a dyn HostCalls,
    lent: Mutex<Vec<Arc<[f32]>>>,
}

impl<'a> CallHost<'a> {
    pub(super) fn new(calls: &'a dyn HostCalls) -> Self {
        Self { calls, lent: Mutex::default() }
    }

    /// Lends itself for as long as it is borrowed.
    pub(super) fn lent(&self) -> LentHost<'_> {
        let data = Handle::new(std::ptr::from_ref(self));
        LentHost { data, calls: HOST_TABLE.0, lifetime: std::marker::PhantomData }
    }
}

fn lent_tensors(document: &Document) -> Vec<LentTensor<'_>> {
    document
        .tensors
        .iter()
        .map(|tensor| LentTensor {
            name: tensor.name.as_str().into(),
            shape: tensor.shape.as_slice().into(),
            data: RSlice::from(tensor.data.as_ref()),
        })
        .collect()
}

fn lent<'a>(request: &'a Request, tensors: &'a [LentTensor<'a>]) -> LentRequest<'a> {
    LentRequest {
        json: request.document.json.as_ref().into(),
        tensors: tensors.into(),
        stage: request.context.stage.as_ref().into(),
        item: request.context.item.as_ref().into(),
        element: request.context.element,
        replicate: request.context.replicate,
        seed: request.context.seed,
    }
}

struct HostTableHolder(HostTableRef);

static HOST_TABLE: std::sync::LazyLock<HostTableHolder> = std::sync::LazyLock::new(|| {
    HostTableHolder(
        HostTable {
            log,
            progress,
            cancelled,
            complete,
            model_name,
            cache_get,
            cache_put,
            fetch,
            open_tensor,
            keep_tensor,
        }
        .leak_into_prefix(),
    )
});

/// The host behind a handle, for as long as the handle is borrowed: each function of the table borrows its own copy, which is
/// gone when it, or the future that it answers with, is.
///
/// # Safety
/// The handle was made from a [`CallHost`] that lives as long as the call, and the call lasts as long as the borrow: a
/// library passes the handle on while it is called, and awaits the futures within the call.
unsafe fn call_host(data: &Handle) -> &CallHost<'_> {
    // SAFETY: by the caller's word.
    unsafe { &*data.pointer::<CallHost<'_>>() }
}

/// The calls of the host behind a handle.
///
/// # Safety
/// As of [`call_host`].
unsafe fn host(data: &Handle) -> &dyn HostCalls {
    // SAFETY: by the caller's word.
    unsafe { call_host(data) }.calls
}

extern "C" fn log(data: Handle, level: u8, target: RStr<'_>, message: RStr<'_>) {
    // SAFETY: the library passes on the handle that it got with the call, while the call lasts.
    unsafe { host(&data) }.log(Level::from_rank(level), target.as_str(), message.as_str());
}

extern "C" fn progress(data: Handle, index: u32, done: u64, total: ROption<u64>, note: RStr<'_>) {
    // SAFETY: as in `log`.
    unsafe { host(&data) }.progress(index, done, total.into_option(), note.as_str());
}

extern "C" fn cancelled(data: Handle) -> bool {
    // SAFETY: as in `log`.
    unsafe { host(&data) }.cancelled()
}

extern "C" fn complete<'a>(
    data: Handle,
    index: u32,
    request: RStr<'a>,
) -> BorrowingFfiFuture<'a, RResult<RString, AbiFailure>> {
    BorrowingFfiFuture::new(async move {
        // SAFETY: as in `log`; the library awaits the future within the call.
        let host = unsafe { host(&data) };
        let answered = match CompletionRequest::from_json(request.as_str()) {
            Ok(request) => host.complete(index, request).await,
            Err(failure) => Err(failure),
        };
        let text = answered.and_then(|completion| {
            serde_json::to_string(&completion).map_err(|error| Failure::Internal(error.to_string()))
        });
        text.map(RString::from).map_err(AbiFailure::from).into()
    })
}

extern "C" fn model_name(data: Handle) -> ROption<RString> {
    // SAFETY: as in `log`.
    unsafe { host(&data) }.model_name().map(RString::from).into()
}

extern "C" fn cache_get<'a>(
    data: Handle,
    index: u32,
    key: RStr<'a>,
) -> BorrowingFfiFuture<'a, RResult<ROption<RVec<u8>>, AbiFailure>> {
    BorrowingFfiFuture::new(async move {
        // SAFETY: as in `complete`.
        let host = unsafe { host(&data) };
        let found = host.cache_get(index, key.as_str()).await;
        let found = found.map(|value| ROption::from(value.map(|value| RVec::from(value.to_vec()))));
        found.map_err(AbiFailure::from).into()
    })
}

extern "C" fn cache_put<'a>(
    data: Handle,
    index: u32,
    key: RStr<'a>,
    value: RSlice<'a, u8>,
    ttl_ms: ROption<u64>,
) -> BorrowingFfiFuture<'a, RResult<(), AbiFailure>> {
    BorrowingFfiFuture::new(async move {
        // SAFETY: as in `complete`.
        let host = unsafe { host(&data) };
        let ttl = ttl_ms.into_option().map(Duration::from_millis);
        let put = host.cache_put(index, key.as_str(), value.as_slice().into(), ttl).await;
        put.map_err(AbiFailure::from).into()
    })
}

extern "C" fn fetch<'a>(
    data: Handle,
    index: u32,
    head: RStr<'a>,
    body: RSlice<'a, u8>,
) -> BorrowingFfiFuture<'a, RResult<AbiResponse, AbiFailure>> {
    BorrowingFfiFuture::new(async move {
        // SAFETY: as in `complete`.
        let host = unsafe { host(&data) };
        let answered = match serde_json::from_str::<HttpRequest>(head.as_str()) {
            Ok(request) => host.fetch(index, HttpRequest { body: body.as_slice().to_vec(), ..request }).await,
            Err(error) => Err(Failure::InvalidInput(error.to_string())),
        };
        let response = answered.and_then(|response| {
            let head = serde_json::to_string(&response).map_err(|error| Failure::Internal(error.to_string()))?;
            Ok(AbiResponse { head: head.into(), body: response.body.into() })
        });
        response.map_err(AbiFailure::from).into()
    })
}

extern "C" fn open_tensor(data: Handle, index: u32, reference: RStr<'_>) -> RResult<LentElements, AbiFailure> {
    // SAFETY: as in `log`.
    let host = unsafe { call_host(&data) };
    let opened = serde_json::from_str(reference.as_str())
        .map_err(|error| Failure::InvalidInput(format!("not a reference to a tensor: {error}")))
        .and_then(|tensor: TensorRef| {
            TensorReader::new(tensor.shape.clone(), host.calls.open_tensor(index, &tensor)?)?.into_shared()
        });
    let lent = opened.map(|elements| {
        let lent = LentElements { data: Handle::new(elements.as_ptr()), count: elements.len() };
        // They stay where they are until the call ends.
        lock(&host.lent).push(elements);
        lent
    });
    lent.map_err(AbiFailure::from).into()
}

extern "C" fn keep_tensor(
    data: Handle,
    index: u32,
    shape: RSlice<'_, u64>,
    elements: RSlice<'_, f32>,
) -> RResult<RString, AbiFailure> {
    // SAFETY: as in `log`.
    let host = unsafe { host(&data) };
    let kept = host.keep_tensor(index, shape.as_slice(), elements.as_slice().into());
    let text =
        kept.and_then(|tensor| serde_json::to_string(&tensor).map_err(|error| Failure::Internal(error.to_string())));
    text.map(RString::from).map_err(AbiFailure::from).into()
}
