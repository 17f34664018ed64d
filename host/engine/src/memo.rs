//! Results that are kept from run to run: a call that is the same is not made again.

use std::sync::Arc;

use jackfield_pipeline::{Plan, StagePlan};
use jackfield_plugin_api::{Document, Kind, Request, Result, to_hex};
use jackfield_services::{Cache, keep_tensors, restore_tensors};
use jackfield_store::{Blobs, HeldTensors, MemoNote, decode_tensors, encode_tensors, named_tensors};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The memo of a stage.
pub(super) struct Memo {
    cache: Arc<Cache>,
    /// SHA-256 of what all its calls have in common.
    stage: [u8; 32],
    /// Whether the extension asks for random numbers: then, and only then, its seed is part of the key.
    random: bool,
}

/// The parts of a key that all calls of a stage have in common, by name.
#[must_use]
pub fn common_parts(plan: &Plan, stage: &StagePlan) -> Vec<(&'static str, Value)> {
    let extension = &stage.extension;
    let mut parts = vec![
        ("extension", json!(extension.name)),
        ("version", json!(extension.version)),
        ("artifact", json!(extension.digest)),
        ("config", stage.config_identity()),
    ];
    // A plugin may offer both kinds that stages run under one name.
    if extension.kind != Kind::Analyzer {
        parts.push(("kind", json!(extension.kind)));
    }
    if let Some(model) = stage.model.and_then(|model| plan.models.get(model)) {
        let extension = &model.extension;
        parts.push(("model", json!([extension.name, extension.version, extension.digest, model.config_identity()])));
    }
    parts
}

impl Memo {
    pub(super) fn new(cache: Arc<Cache>, plan: &Plan, stage: &StagePlan, random: bool) -> Self {
        let parts: Vec<Value> =
            common_parts(plan, stage).into_iter().map(|(name, value)| json!([name, value])).collect();
        Self { cache, stage: Sha256::digest(Value::from(parts).to_string()).into(), random }
    }

    /// The request as the plugin gets it: without a seed that is no part of the key.
    pub(super) fn request(&self, request: &Request) -> Request {
        let mut request = request.clone();
        if !self.random {
            request.context.seed = 0;
        }
        request
    }

    fn note(&self, request: &Request) -> MemoNote {
        let Document { json, tensors } = &request.document;
        let mut input = Sha256::new();
        input.update((json.len() as u64).to_be_bytes());
        input.update(json.as_bytes());
        input.update(encode_tensors(tensors).unwrap_or_default());
        let input: [u8; 32] = input.finalize().into();
        let mut key = Sha256::new();
        key.update(self.stage);
        key.update(input);
        key.update(request.context.replicate.to_be_bytes());
        if self.random {
            key.update(request.context.seed.to_be_bytes());
        }
        MemoNote { hit: false, input, key: key.finalize().into() }
    }

    /// The results that are there, with all tensors that they name.
    pub(super) async fn look_up(
        &self,
        requests: &[Request],
        blobs: &Arc<Blobs>,
    ) -> (Vec<Option<Result<Document>>>, Vec<MemoNote>) {
        let (mut results, mut notes) = (Vec::new(), Vec::new());
        for request in requests {
            let mut note = self.note(request);
            let mut found = self.cache.get(&name(&note)).await.and_then(|(value, _)| unpack(&value));
            if let Some(document) = &found
                && !restore_answer(&self.cache, blobs, &document.json).await
            {
                found = None;
            }
            note.hit = found.is_some();
            results.push(found.map(Ok));
            notes.push(note);
        }
        (results, notes)
    }

    /// Keeps a result, with the tensors that it names.
    pub(super) async fn keep(&self, note: &MemoNote, document: &Document, blobs: &Blobs) {
        if keep_tensors(&self.cache, blobs, &document.json).await {
            self.cache.put(&name(note), &pack(document), None).await;
        }
    }
}

/// Makes sure that the run has the tensors which a result names, for good.
async fn restore_answer(cache: &Cache, blobs: &Arc<Blobs>, json: &str) -> bool {
    let held = HeldTensors::of(blobs);
    let restored = restore_tensors(cache, &held, json).await;
    if restored {
        held.name(named_tensors(json).unwrap_or_default());
    }
    restored
}

fn name(note: &MemoNote) -> String {
    format!("memo/{}", to_hex(&note.key))
}

/// Length of the JSON text, the text, the tensors.
fn pack(document: &Document) -> Vec<u8> {
    let mut bytes = (document.json.len() as u64).to_be_bytes().to_vec();
    bytes.extend_from_slice(document.json.as_bytes());
    bytes.extend(encode_tensors(&document.tensors).unwrap_or_default());
    bytes
}

/// A value that cannot be read is as good as none.
fn unpack(bytes: &[u8]) -> Option<Document> {
    let (length, rest) = bytes.split_at_checked(8)?;
    let length = usize::try_from(u64::from_be_bytes(length.try_into().ok()?)).ok()?;
    let (json, tensors) = rest.split_at_checked(length)?;
    let tensors = if tensors.is_empty() { Vec::new() } else { decode_tensors(tensors)? };
    Some(Document { json: std::str::from_utf8(json).ok()?.into(), tensors })
}
