//! The WebAssembly component: exports what the component's inventory holds.

use std::{
    cell::OnceCell,
    pin::pin,
    sync::{Arc, Once},
    task::{Poll, Waker},
    time::Duration,
};

use exports::jackfield::plugin::{cache_backend, extension, meta};
use jackfield::plugin::{cache, host, http, model, tensors, types};

use crate::{
    BoxFuture, CacheCalls, CacheValue, Completion, CompletionRequest, Context, Descriptor, Document, Failure,
    HostCalls, HttpRequest, HttpResponse, Instance, Kind, Level, ReadElements, Request, Stability, Tensor,
    TensorElements, TensorRef, WriteElements, linked_extension, linked_extensions,
};

// Every component has the operations of a cache backend, whether or not it offers one: what a crate exports is not known
// here.
wit_bindgen::generate!({ path: "wit", world: "cache-plugin" });
export!(Component);

struct Component;

/// Panics are traps here: the message is handed over before the component goes.
fn set_up() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| host::log(host::Level::Error, "panic", &panic.to_string())));
    });
}

impl meta::Guest for Component {
    fn describe() -> Vec<types::Descriptor> {
        set_up();
        linked_extensions().iter().map(|extension| described(extension.descriptor())).collect()
    }
}

fn described(descriptor: &Descriptor) -> types::Descriptor {
    types::Descriptor {
        kind: descriptor.kind.name().to_owned(),
        name: descriptor.name.clone(),
        version: descriptor.version.clone(),
        summary: descriptor.summary.clone(),
        config_schema: descriptor.config.to_string(),
        input_schema: descriptor.input.to_string(),
        output_schema: descriptor.output.to_string(),
        permissions: descriptor
            .permissions
            .iter()
            .map(|permission| types::Permission { name: permission.name.clone(), reason: permission.reason.clone() })
            .collect(),
        examples: descriptor
            .examples
            .iter()
            .map(|example| types::Example {
                summary: example.summary.clone(),
                config: example.config.to_string(),
                input: example.input.to_string(),
                output: example.output.to_string(),
            })
            .collect(),
        stability: match descriptor.stability {
            Stability::Experimental => types::Stability::Experimental,
            Stability::Beta => types::Stability::Beta,
            Stability::Stable => types::Stability::Stable,
        },
    }
}

thread_local! {
    static OPENED: OnceCell<Arc<dyn Instance>> = const { OnceCell::new() };
}

impl extension::Guest for Component {
    fn open(kind: String, name: String, config: String) -> Result<(), types::Failure> {
        set_up();
        let found = Kind::from_name(&kind).and_then(|kind| linked_extension(kind, &name));
        let extension = found.ok_or_else(|| Failure::Internal(format!("no {kind} `{name}`")))?;
        let instance = extension.open(&config)?;
        OPENED.with(|opened| opened.set(instance)).map_err(|_| Failure::Internal("opened twice".to_owned()))?;
        Ok(())
    }

    fn call(batch: Vec<types::Request>) -> Vec<Result<types::Document, types::Failure>> {
        let count = batch.len();
        let requests: Result<Vec<Request>, Failure> = batch.into_iter().map(request).collect();
        let answered = requests.and_then(|requests| {
            let instance = OPENED.with(|opened| opened.get().cloned());
            let instance = instance.ok_or_else(|| Failure::Internal("called before it was opened".to_owned()))?;
            let results = at_once(instance.call(&requests, &Host))?;
            Ok(results)
        });
        match answered {
            Ok(results) => results.into_iter().map(|result| result.map(Into::into).map_err(Into::into)).collect(),
            Err(failure) => (0..count).map(|_| Err(failure.clone().into())).collect(),
        }
    }
}

/// Operates on the cache backend that was opened.
fn with_cache<T>(operate: impl AsyncFnOnce(&dyn CacheCalls) -> Result<T, Failure>) -> Result<T, types::Failure> {
    let instance = OPENED.with(|opened| opened.get().cloned());
    let instance = instance.ok_or_else(|| Failure::Internal("called before it was opened".to_owned()))?;
    let cache = instance.as_cache().ok_or_else(|| Failure::Internal("it is not a cache backend".to_owned()))?;
    Ok(at_once(operate(cache))??)
}

impl cache_backend::Guest for Component {
    fn get(key: String) -> Result<Option<Vec<u8>>, types::Failure> {
        let found = with_cache(async |cache| cache.get(&key, &Host).await)?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn put(key: String, value: Vec<u8>, ttl_ms: Option<u64>) -> Result<(), types::Failure> {
        let ttl = ttl_ms.map(Duration::from_millis);
        with_cache(async |cache| cache.put(&key, value.into(), ttl, &Host).await)
    }

    fn remove(key: String) -> Result<(), types::Failure> {
        with_cache(async |cache| cache.remove(&key, &Host).await)
    }

    fn clear(prefix: String) -> Result<u64, types::Failure> {
        with_cache(async |cache| cache.clear(&prefix, &Host).await)
    }

    fn size(prefix: String) -> Result<cache_backend::CacheSize, types::Failure> {
        let size = with_cache(async |cache| cache.size(&prefix, &Host).await)?;
        Ok(cache_backend::CacheSize { entries: size.entries, bytes: size.bytes })
    }

    fn entries(
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<cache_backend::CacheEntry>, types::Failure> {
        let page = with_cache(async |cache| cache.list(&prefix, after.as_deref(), limit as usize, &Host).await)?;
        let entry = |entry: crate::CacheEntry| cache_backend::CacheEntry {
            key: entry.key,
            value: entry.value.to_vec(),
            ttl_ms: entry.ttl.map(|ttl| ttl.as_millis() as u64),
        };
        Ok(page.into_iter().map(entry).collect())
    }

    fn is_durable() -> bool {
        OPENED
            .with(|opened| opened.get().is_some_and(|opened| opened.as_cache().is_some_and(|cache| cache.is_durable())))
    }
}

/// Host calls answer before they return, so a future that is not ready at once waits for something that cannot come.
fn at_once<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    match pin!(future).as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Ok(answer),
        Poll::Pending => Err(Failure::Internal("waits for something other than the host".to_owned())),
    }
}

fn request(request: types::Request) -> Result<Request, Failure> {
    let json = String::from_utf8(request.document.json)
        .map_err(|_| Failure::InvalidInput("the document is not UTF-8 text".to_owned()))?;
    let tensors = request.document.tensors.into_iter();
    let context = request.context;
    Ok(Request {
        document: Document {
            json: json.into(),
            tensors: tensors.map(|t| Tensor { name: t.name, shape: t.shape, data: t.data.into() }).collect(),
        },
        context: Context {
            stage: context.stage.into(),
            item: context.item.into(),
            element: context.element,
            replicate: context.replicate,
            seed: context.seed,
        },
    })
}

impl From<Document> for types::Document {
    fn from(document: Document) -> Self {
        let tensors = document.tensors.into_iter();
        Self {
            json: document.json.as_bytes().to_vec(),
            tensors: tensors.map(|t| types::Tensor { name: t.name, shape: t.shape, data: t.data.to_vec() }).collect(),
        }
    }
}

impl From<Failure> for types::Failure {
    fn from(failure: Failure) -> Self {
        let after_ms = failure.retry_after().map(|after: Duration| after.as_millis() as u64);
        match failure {
            Failure::InvalidConfig(message) => Self::InvalidConfig(message),
            Failure::InvalidInput(message) => Self::InvalidInput(message),
            Failure::InvalidOutput(message) => Self::InvalidOutput(message),
            Failure::Unavailable(message) => Self::Unavailable(message),
            Failure::RateLimited { message, .. } => Self::RateLimited(types::RateLimit { message, after_ms }),
            Failure::Cancelled(message) => Self::Cancelled(message),
            Failure::OverBudget(message) => Self::OverBudget(message),
            Failure::Internal(message) => Self::Internal(message),
        }
    }
}

struct Host;

impl HostCalls for Host {
    fn log(&self, level: Level, target: &str, message: &str) {
        let level = match level {
            Level::Error => host::Level::Error,
            Level::Warn => host::Level::Warn,
            Level::Info => host::Level::Info,
            Level::Debug => host::Level::Debug,
            Level::Trace => host::Level::Trace,
        };
        host::log(level, target, message);
    }

    fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str) {
        host::progress(index, done, total, note);
    }

    fn cancelled(&self) -> bool {
        host::cancelled()
    }

    // The host answers before the call returns, so each of these futures is ready at once.

    fn complete<'a>(&'a self, index: u32, request: CompletionRequest) -> BoxFuture<'a, Result<Completion, Failure>> {
        Box::pin(async move {
            let request = serde_json::to_string(&request).map_err(|error| Failure::InvalidInput(error.to_string()))?;
            let answer = model::complete(index, &request)?;
            serde_json::from_str(&answer).map_err(|error| Failure::Internal(error.to_string()))
        })
    }

    fn model_name(&self) -> Option<String> {
        model::name()
    }

    fn cache_get<'a>(&'a self, index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>, Failure>> {
        Box::pin(async move { Ok(cache::get(index, key)?.map(Into::into)) })
    }

    fn cache_put<'a>(
        &'a self,
        index: u32,
        key: &'a str,
        value: CacheValue,
        ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { Ok(cache::put(index, key, &value, ttl.map(|ttl| ttl.as_millis() as u64))?) })
    }

    fn fetch<'a>(&'a self, index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse, Failure>> {
        Box::pin(async move {
            let headers = request.headers.into_iter().map(|(name, value)| http::Header { name, value });
            let asked = http::HttpRequest {
                method: request.method,
                url: request.url,
                headers: headers.collect(),
                body: request.body,
                timeout_ms: request.timeout.map(|timeout| timeout.as_millis() as u64),
            };
            let answer = http::fetch(index, &asked)?;
            let headers = answer.headers.into_iter().map(|header| (header.name, header.value));
            Ok(HttpResponse { status: answer.status, headers: headers.collect(), body: answer.body })
        })
    }

    fn open_tensor<'a>(&'a self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'a>, Failure> {
        let reference = serde_json::to_string(tensor).map_err(|error| Failure::InvalidInput(error.to_string()))?;
        Ok(TensorElements::Remote(Box::new(Remote(tensors::open(index, &reference)?))))
    }

    fn keep_tensor(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef, Failure> {
        let mut sink = Box::new(Sink(tensors::create(index, shape)?));
        match elements {
            TensorElements::Shared(elements) => sink.write(&elements)?,
            TensorElements::Lent(elements) => sink.write(elements)?,
            TensorElements::Remote(_) => {
                return Err(Failure::InvalidInput("the host has this tensor already".to_owned()));
            }
        }
        sink.finish()
    }

    fn create_tensor<'a>(&'a self, index: u32, shape: &[u64]) -> Result<Option<Box<dyn WriteElements + 'a>>, Failure> {
        Ok(Some(Box::new(Sink(tensors::create(index, shape)?))))
    }
}

struct Remote(tensors::TensorReader);

/// The most elements that are read, or written, at a time.
const AT_A_TIME: usize = 1 << 18;

impl ReadElements for Remote {
    fn read(&self, offset: u64, into: &mut [f32]) -> Result<(), Failure> {
        let mut offset = offset;
        for part in into.chunks_mut(AT_A_TIME) {
            let elements = self.0.read(offset, part.len() as u64)?;
            if elements.len() != part.len() {
                return Err(Failure::Internal(
                    "the host gave a different number of elements than was requested".to_owned(),
                ));
            }
            part.copy_from_slice(&elements);
            offset += part.len() as u64;
        }
        Ok(())
    }
}

struct Sink(tensors::TensorWriter);

impl WriteElements for Sink {
    fn write(&mut self, elements: &[f32]) -> Result<(), Failure> {
        for part in elements.chunks(AT_A_TIME) {
            self.0.write(part)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<TensorRef, Failure> {
        let reference = self.0.finish()?;
        serde_json::from_str(&reference).map_err(|error| Failure::Internal(error.to_string()))
    }
}

impl From<types::Failure> for Failure {
    fn from(failure: types::Failure) -> Self {
        match failure {
            types::Failure::InvalidConfig(message) => Self::InvalidConfig(message),
            types::Failure::InvalidInput(message) => Self::InvalidInput(message),
            types::Failure::InvalidOutput(message) => Self::InvalidOutput(message),
            types::Failure::Unavailable(message) => Self::Unavailable(message),
            types::Failure::RateLimited(limit) => {
                Self::RateLimited { message: limit.message, retry_after: limit.after_ms.map(Duration::from_millis) }
            }
            types::Failure::Cancelled(message) => Self::Cancelled(message),
            types::Failure::OverBudget(message) => Self::OverBudget(message),
            types::Failure::Internal(message) => Self::Internal(message),
        }
    }
}
