//! The format of a recorded call's file.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jackfield_loader::{
    Digest, Linkage,
    sandbox::{Grant, Limits},
};
use jackfield_plugin_api::{Context, Document, Failure, FailureKind, Kind, Request, Result, Tensor, from_hex, to_hex};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use super::redact::Redactor;

/// The version of the file that is written.
pub(super) const FORMAT: u32 = 1;

/// One call of a stage (a batch) with all that it depends on, what it asked of the host, and what it answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedCall {
    /// Version of this file's shape.
    pub format: u32,
    /// Version of the program that wrote it.
    pub jackfield: String,
    /// Alias of the plugin.
    pub plugin: String,
    /// Its file, unless it is linked in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// How it came in.
    #[serde(rename = "form")]
    pub linkage: Linkage,
    /// Digest of the file; for what is linked in, of the program's name and version.
    pub sha256: Digest,
    /// Kind of the extension.
    pub kind: Kind,
    /// Name of the extension.
    pub extension: String,
    /// Version of the extension.
    pub version: String,
    /// Its configuration.
    pub config: Value,
    /// What the call may use up.
    pub limits: Limits,
    /// What the extension may do.
    pub grants: Vec<Grant>,
    /// What the stage's model is, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What was asked of the extension.
    pub requests: Vec<RecordedRequest>,
    /// What it asked of the host, in order.
    pub host_calls: Vec<RecordedHostCall>,
    /// What it answered; none if the answer was not waited for.
    pub answer: Option<RecordedAnswer>,
}

/// A request to an extension.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedRequest {
    /// Name of the stage.
    pub stage: String,
    /// Id of the item; empty for a stage that runs once a run.
    pub item: String,
    /// Index of the element.
    pub element: u32,
    /// Index of the replicate.
    pub replicate: u32,
    /// Seed of every random choice of the call.
    pub seed: u64,
    /// The input.
    pub document: RecordedDocument,
}

/// A document: `json`, or `text` where it is not valid JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedDocument {
    /// The value, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Box<RawValue>>,
    /// The text, where it is not valid JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its tensors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tensors: Vec<RecordedTensor>,
}

/// A tensor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedTensor {
    /// The name.
    pub name: String,
    /// Length of each dimension.
    pub shape: Vec<u64>,
    /// The elements in hexadecimal, 32 bits each, little-endian.
    pub data: String,
}

/// Something that was asked of the host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedHostCall {
    /// `complete`, `model-name`, `cache-get`, `cache-put`, `fetch`, `log`, `progress`, `cancelled`, `open-tensor` or
    /// `keep-tensor`, whose elements lie in the folder `blobs` beside the file.
    pub call: String,
    /// On behalf of which request of the batch, for calls that are made for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u32>,
    /// What was asked.
    pub asked: Value,
    /// What the host answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<RecordedFailure>,
    /// How many times in a row, for `cancelled`.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
}

const fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_once(times: &u64) -> bool {
    *times == 1
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFailure {
    /// Its kind.
    pub kind: String,
    /// What went wrong.
    pub message: String,
    /// How long to wait before trying again, in milliseconds, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
}

/// What an extension answered to a batch: a result for each request, or one failure for all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RecordedAnswer {
    /// A result for each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<RecordedResult>>,
    /// Why there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<RecordedFailure>,
}

/// A result: a document or a failure.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RecordedResult {
    /// The document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<RecordedDocument>,
    /// The failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<RecordedFailure>,
}

impl RecordedCall {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let format = |value: &Value| value.get("format").and_then(Value::as_u64);
        match serde_json::from_str::<Self>(text) {
            Ok(call) if call.format == FORMAT => Ok(call),
            Ok(call) => Err(format!("it is of format {}, this program reads {FORMAT}", call.format)),
            Err(error) => match serde_json::from_str::<Value>(text) {
                Ok(value) if format(&value).is_some_and(|format| format != u64::from(FORMAT)) => {
                    Err(format!("it is of another format than {FORMAT}, which this program reads"))
                }
                Ok(_) => Err(format!("it is not a recorded call: {error}")),
                Err(error) => Err(format!("it is not valid JSON: {error}")),
            },
        }
    }

    /// The file's text, with every secret replaced.
    pub(super) fn to_text(&self, redactor: &Redactor) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        // A file without any secret keeps its documents byte for byte.
        let changed = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|mut value| redactor.redact(&mut value).then_some(value));
        let text = changed.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or(text);
        text + "\n"
    }

    /// The requests, as the extension gets them.
    ///
    /// # Errors
    /// If a tensor cannot be read.
    pub fn to_requests(&self) -> std::result::Result<Vec<Request>, String> {
        self.requests.iter().map(RecordedRequest::to_request).collect()
    }
}

impl RecordedRequest {
    pub(super) fn from_request(request: &Request) -> Self {
        let Context { stage, item, element, replicate, seed } = &request.context;
        Self {
            stage: stage.to_string(),
            item: item.to_string(),
            element: *element,
            replicate: *replicate,
            seed: *seed,
            document: RecordedDocument::from_document(&request.document),
        }
    }

    fn to_request(&self) -> std::result::Result<Request, String> {
        let context = Context {
            stage: self.stage.as_str().into(),
            item: self.item.as_str().into(),
            element: self.element,
            replicate: self.replicate,
            seed: self.seed,
        };
        Ok(Request { document: self.document.to_document()?, context })
    }
}

impl RecordedDocument {
    pub(super) fn from_document(document: &Document) -> Self {
        let json = serde_json::from_str::<Box<RawValue>>(&document.json).ok();
        let text = json.is_none().then(|| document.json.to_string());
        let tensors = document.tensors.iter().map(|tensor| RecordedTensor {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            data: to_hex(&tensor.data.iter().flat_map(|element| element.to_le_bytes()).collect::<Vec<u8>>()),
        });
        Self { json, text, tensors: tensors.collect() }
    }

    fn to_document(&self) -> std::result::Result<Document, String> {
        let json: Arc<str> = match (&self.json, &self.text) {
            (Some(json), _) => json.get().into(),
            (None, Some(text)) => text.as_str().into(),
            (None, None) => return Err("a document has neither `json` nor `text`".to_owned()),
        };
        let tensor = |tensor: &RecordedTensor| {
            let bytes = from_hex(&tensor.data).filter(|bytes| bytes.len().is_multiple_of(4));
            let bytes = bytes.ok_or_else(|| format!("the elements of tensor `{}` cannot be read", tensor.name))?;
            let elements = bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
            Ok(Tensor { name: tensor.name.clone(), shape: tensor.shape.clone(), data: elements.collect() })
        };
        Ok(Document { json, tensors: self.tensors.iter().map(tensor).collect::<std::result::Result<_, String>>()? })
    }
}

impl RecordedFailure {
    pub(super) fn from_failure(failure: &Failure) -> Self {
        Self {
            kind: failure.kind().name().to_owned(),
            message: failure.message().to_owned(),
            after_ms: failure.retry_after().map(|after| after.as_millis() as u64),
        }
    }

    pub(super) fn to_failure(&self) -> Failure {
        match (FailureKind::from_name(&self.kind), self.after_ms) {
            (Some(FailureKind::RateLimited), Some(after)) => {
                Failure::RateLimited { message: self.message.clone(), retry_after: Some(Duration::from_millis(after)) }
            }
            (Some(kind), _) => Failure::new(kind, self.message.clone()),
            (None, _) => Failure::Internal(self.message.clone()),
        }
    }
}

impl RecordedAnswer {
    /// What an extension answered.
    #[must_use]
    pub fn from_results(answered: &Result<Vec<Result<Document>>>) -> Self {
        let result = |result: &Result<Document>| match result {
            Ok(document) => RecordedResult { document: Some(RecordedDocument::from_document(document)), failure: None },
            Err(failure) => RecordedResult { document: None, failure: Some(RecordedFailure::from_failure(failure)) },
        };
        match answered {
            Ok(results) => Self { results: Some(results.iter().map(result).collect()), failure: None },
            Err(failure) => Self { results: None, failure: Some(RecordedFailure::from_failure(failure)) },
        }
    }
}

/// Bytes as text where they are that, in hexadecimal otherwise.
pub(super) fn bytes_to_value(bytes: &[u8], redactor: &Redactor) -> Value {
    let bytes = redactor.redact_bytes(bytes);
    match std::str::from_utf8(&bytes) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "hex": to_hex(&bytes) }),
    }
}

/// The bytes that [`bytes_to_value`] wrote.
pub(super) fn bytes_from_value(value: &Value) -> Option<Vec<u8>> {
    match (value["text"].as_str(), value["hex"].as_str()) {
        (Some(text), _) => Some(text.as_bytes().to_vec()),
        (None, Some(hex)) => from_hex(hex),
        (None, None) => None,
    }
}
