//! How the requests of host calls are written down, for recording and for replay.

use std::time::Duration;

use jackfield_plugin_api::{
    CompletionRequest, HttpRequest, Level, Result, TensorElements, TensorReader, TensorRef, to_hex,
};
use jackfield_store::digest_of;
use serde_json::{Value, json};

use super::{
    format::bytes_to_value,
    redact::{Redactor, redact_headers},
};

pub(super) fn open_tensor(tensor: &TensorRef) -> Value {
    serde_json::to_value(tensor).unwrap_or_default()
}

/// Also returns the elements, which are in memory then.
pub(super) fn keep_tensor<'a>(shape: &[u64], elements: TensorElements<'a>) -> Result<(Value, TensorElements<'a>)> {
    let elements = match elements {
        remote @ TensorElements::Remote(_) => {
            TensorElements::Shared(TensorReader::new(shape.to_vec(), remote)?.into_shared()?)
        }
        elements => elements,
    };
    let digest = match &elements {
        TensorElements::Shared(elements) => digest_of(elements),
        TensorElements::Lent(elements) => digest_of(elements),
        TensorElements::Remote(_) => unreachable!("remote elements were read into memory"),
    };
    Ok((json!({ "shape": shape, "sha256": to_hex(&digest) }), elements))
}

pub(super) fn complete(request: &CompletionRequest) -> Value {
    serde_json::to_value(request).unwrap_or_default()
}

pub(super) fn cache_get(key: &str) -> Value {
    json!({ "key": key })
}

pub(super) fn cache_put(key: &str, value: &[u8], ttl: Option<Duration>, redactor: &Redactor) -> Value {
    let ttl = ttl.map(|ttl| ttl.as_millis() as u64);
    json!({ "key": key, "value": bytes_to_value(value, redactor), "ttl_ms": ttl })
}

pub(super) fn fetch(request: &HttpRequest, redactor: &Redactor) -> Value {
    json!({
        "method": request.method,
        "url": request.url,
        "headers": redact_headers(&request.headers),
        "body": bytes_to_value(&request.body, redactor),
        "timeout_ms": request.timeout.map(|timeout| timeout.as_millis() as u64),
    })
}

pub(super) fn log(level: Level, target: &str, message: &str) -> Value {
    let level = ["error", "warn", "info", "debug", "trace"][level as usize];
    json!({ "level": level, "target": target, "message": message })
}

pub(super) fn progress(done: u64, total: Option<u64>, note: &str) -> Value {
    json!({ "done": done, "total": total, "note": note })
}
