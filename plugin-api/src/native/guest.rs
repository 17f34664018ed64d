//! The library's side.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use abi_stable::{
    library::{CheckTypeLayout, LibHeader, RootModuleResult},
    prefix_type::PrefixTypeTrait,
    std_types::{ROption, RResult, RSlice, RStr, RString, RVec},
};
use async_ffi::BorrowingFfiFuture;

use super::{
    abi::{AbiFailure, AbiResult, Handle, LentHost, LentRequest, LogSink, PluginTable, PluginTableRef},
    guest_cache as cache,
};
use crate::{
    BoxFuture, CacheValue, Completion, CompletionRequest, Context, Document, Extension, Failure, HostCalls,
    HttpRequest, HttpResponse, Instance, Level, Request, Result, Tensor, TensorElements, TensorReader, TensorRef,
    catch_panic::{CatchPanic, catch_panic},
    linked_extensions,
};

extern "C" fn root() -> RootModuleResult {
    abi_stable::library::__call_root_module_loader(table)
}

fn table() -> PluginTableRef {
    PluginTable {
        init,
        describe,
        open,
        call,
        close,
        cache_get: cache::get,
        cache_put: cache::put,
        cache_remove: cache::remove,
        cache_clear: cache::clear,
        cache_size: cache::size,
        cache_list: cache::list,
        cache_is_durable: cache::is_durable,
    }
    .leak_into_prefix()
}

// SAFETY: `root` gives a `PluginTableRef`, the type that the header is made for.
#[unsafe(no_mangle)]
static JACKFIELD_PLUGIN_ABI_0: LibHeader =
    unsafe { LibHeader::from_constructor::<PluginTableRef>(root, CheckTypeLayout::Yes) };

/// The extensions of this library, in the order of `describe`; a panic while making them is kept.
static EXTENSIONS: LazyLock<Result<Vec<Arc<dyn Extension>>, Failure>> =
    LazyLock::new(|| catch_panic("describe", linked_extensions));

extern "C" fn init(sink: LogSink, level: u8) {
    super::logs::forward_to(sink, Level::from_rank(level));
}

extern "C" fn describe() -> RResult<RString, AbiFailure> {
    let described = EXTENSIONS.as_ref().map_err(Clone::clone).and_then(|extensions| {
        let all: Vec<_> = extensions.iter().map(|extension| extension.descriptor()).collect();
        serde_json::to_string(&all).map_err(|error| Failure::Internal(error.to_string()))
    });
    described.map(RString::from).map_err(AbiFailure::from).into()
}

extern "C" fn open(index: u32, config: RStr<'_>) -> RResult<Handle, AbiFailure> {
    let extension = EXTENSIONS.as_ref().map_err(Clone::clone).and_then(|extensions| {
        extensions.get(index as usize).ok_or_else(|| Failure::Internal(format!("no extension at {index}")))
    });
    let opened = extension.and_then(|extension| catch_panic("open", || extension.open(config.as_str()))?);
    opened.map(|instance| Handle::new(Box::into_raw(Box::new(instance)))).map_err(AbiFailure::from).into()
}

extern "C" fn close(handle: Handle) -> RResult<(), AbiFailure> {
    // SAFETY: the handle came from `open` and the host closes it once, after the last call on it has ended.
    let instance: Box<Arc<dyn Instance>> = unsafe { Box::from_raw(handle.pointer::<Arc<dyn Instance>>().cast_mut()) };
    catch_panic("drop", move || drop(instance)).map_err(AbiFailure::from).into()
}

extern "C" fn call<'a>(
    handle: Handle,
    batch: RSlice<'a, LentRequest<'a>>,
    host: LentHost<'a>,
) -> BorrowingFfiFuture<'a, RVec<AbiResult>> {
    BorrowingFfiFuture::new(async move {
        // SAFETY: the handle came from `open`, and the host keeps it open while the future of a call lives.
        let instance: Arc<dyn Instance> = unsafe { Arc::clone(&*handle.pointer()) };
        let requests: Vec<Request> = batch.iter().map(owned).collect();
        let host = Host(host);
        let answered = match catch_panic("call", || instance.call(&requests, &host)) {
            Ok(future) => CatchPanic::new("call", future).await,
            Err(failure) => Err(failure),
        };
        match answered {
            Ok(results) => {
                results.into_iter().map(|result| result.map(Into::into).map_err(AbiFailure::from).into()).collect()
            }
            Err(failure) => requests.iter().map(|_| AbiResult::RErr(failure.clone().into())).collect(),
        }
    })
}

fn owned(lent: &LentRequest<'_>) -> Request {
    let tensors = lent.tensors.iter().map(|tensor| Tensor {
        name: tensor.name.as_str().to_owned(),
        shape: tensor.shape.to_vec(),
        data: tensor.data.as_slice().into(),
    });
    Request {
        document: Document { json: lent.json.as_str().into(), tensors: tensors.collect() },
        context: Context {
            stage: lent.stage.as_str().into(),
            item: lent.item.as_str().into(),
            element: lent.element,
            replicate: lent.replicate,
            seed: lent.seed,
        },
    }
}

pub(super) struct Host<'a>(pub(super) LentHost<'a>);

impl HostCalls for Host<'_> {
    fn log(&self, level: Level, target: &str, message: &str) {
        self.0.calls.log()(self.0.data, level as u8, target.into(), message.into());
    }

    fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str) {
        self.0.calls.progress()(self.0.data, index, done, ROption::from(total), note.into());
    }

    fn cancelled(&self) -> bool {
        self.0.calls.cancelled()(self.0.data)
    }

    fn complete<'a>(&'a self, index: u32, request: CompletionRequest) -> BoxFuture<'a, Result<Completion>> {
        Box::pin(async move {
            let request = serde_json::to_string(&request).map_err(|error| Failure::InvalidInput(error.to_string()))?;
            let answer = self.0.calls.complete()(self.0.data, index, request.as_str().into()).await;
            let answer = answer.into_result().map_err(Failure::from)?;
            serde_json::from_str(&answer).map_err(|error| Failure::Internal(error.to_string()))
        })
    }

    fn model_name(&self) -> Option<String> {
        self.0.calls.model_name()(self.0.data).into_option().map(Into::into)
    }

    fn cache_get<'a>(&'a self, index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        Box::pin(async move {
            let found = self.0.calls.cache_get()(self.0.data, index, key.into()).await.into_result();
            found.map(|value| value.into_option().map(|value| value.as_slice().into())).map_err(Failure::from)
        })
    }

    fn cache_put<'a>(
        &'a self,
        index: u32,
        key: &'a str,
        value: CacheValue,
        ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let ttl_ms = ROption::from(ttl.map(|ttl| ttl.as_millis() as u64));
            let (calls, data) = (self.0.calls, self.0.data);
            calls.cache_put()(data, index, key.into(), RSlice::from(&*value), ttl_ms)
                .await
                .into_result()
                .map_err(Failure::from)
        })
    }

    fn fetch<'a>(&'a self, index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(async move {
            let head = serde_json::to_string(&request).map_err(|error| Failure::InvalidInput(error.to_string()))?;
            let (calls, data) = (self.0.calls, self.0.data);
            let answer = calls.fetch()(data, index, head.as_str().into(), RSlice::from(request.body.as_slice())).await;
            let answer = answer.into_result().map_err(Failure::from)?;
            let response: HttpResponse =
                serde_json::from_str(&answer.head).map_err(|error| Failure::Internal(error.to_string()))?;
            Ok(HttpResponse { body: answer.body.to_vec(), ..response })
        })
    }

    fn open_tensor<'a>(&'a self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'a>> {
        let reference = serde_json::to_string(tensor).map_err(|error| Failure::InvalidInput(error.to_string()))?;
        let lent = self.0.calls.open_tensor()(self.0.data, index, reference.as_str().into()).into_result()?;
        // SAFETY: the host lends as many elements, at an address that is right for them, until the call ends, and this view
        // of the host is gone before that.
        Ok(TensorElements::Lent(unsafe { std::slice::from_raw_parts(lent.data.pointer::<f32>(), lent.count) }))
    }

    fn keep_tensor(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        let elements = TensorReader::new(shape.to_vec(), elements)?;
        let elements = elements.to_elements()?;
        let (calls, data) = (self.0.calls, self.0.data);
        let kept = calls.keep_tensor()(data, index, RSlice::from(shape), RSlice::from(&*elements)).into_result()?;
        serde_json::from_str(&kept).map_err(|error| Failure::Internal(error.to_string()))
    }
}
