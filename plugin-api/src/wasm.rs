//! The WebAssembly component: exports what the component's inventory holds.

use std::{
    cell::OnceCell,
    sync::{Arc, Once},
    task::{Poll, Waker},
    time::Duration,
};

use exports::jackfield::plugin::{extension, meta};
use jackfield::plugin::{cache, host, http, model, types};

use crate::{
    BoxFuture, CacheValue, Completion, CompletionRequest, Context, Descriptor, Document, Failure, HostCalls,
    HttpRequest, HttpResponse, Instance, Kind, Level, Request, Stability, Tensor, linked_in, linked_in_as,
};

wit_bindgen::generate!({ path: "wit", world: "plugin" });
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
        linked_in().iter().map(|extension| described(extension.descriptor())).collect()
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
        let found = Kind::from_name(&kind).and_then(|kind| linked_in_as(kind, &name));
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

/// Host calls answer before they return, so a future that is not ready at once waits for something that cannot come.
fn at_once<T>(mut future: crate::BoxFuture<'_, T>) -> Result<T, Failure> {
    match future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Ok(answer),
        Poll::Pending => Err(Failure::Internal("waits for something other than the host".to_owned())),
    }
}

fn request(request: types::Request) -> Result<Request, Failure> {
    let json = String::from_utf8(request.document.json)
        .map_err(|_| Failure::InvalidInput("the document is no UTF-8 text".to_owned()))?;
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
        let after_ms = failure.after().map(|after: Duration| after.as_millis() as u64);
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
}

impl From<types::Failure> for Failure {
    fn from(failure: types::Failure) -> Self {
        match failure {
            types::Failure::InvalidConfig(message) => Self::InvalidConfig(message),
            types::Failure::InvalidInput(message) => Self::InvalidInput(message),
            types::Failure::InvalidOutput(message) => Self::InvalidOutput(message),
            types::Failure::Unavailable(message) => Self::Unavailable(message),
            types::Failure::RateLimited(limit) => {
                Self::RateLimited { message: limit.message, after: limit.after_ms.map(Duration::from_millis) }
            }
            types::Failure::Cancelled(message) => Self::Cancelled(message),
            types::Failure::OverBudget(message) => Self::OverBudget(message),
            types::Failure::Internal(message) => Self::Internal(message),
        }
    }
}
