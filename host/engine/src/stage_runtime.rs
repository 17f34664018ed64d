//! A stage, ready to be called.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use jackfield_loader::{
    ExtensionEntry, Linkage,
    sandbox::{Grants, Permission, size},
};
use jackfield_pipeline::{Plan, StagePlan, schema_violation};
use jackfield_plugin_api::{Document, Failure, Instance, MAX_DIMENSIONS, Result};
use jackfield_services::{Cache, Http, Model, Secrets, Services, StageRecorder};
use jackfield_store::{Blobs, Ledger};
use jsonschema::Validator;

use super::{memo::Memo, plugin_warnings::PluginWarnings, tensor_shapes::TensorShapes};

/// The most bytes of tensors that a document may carry with it.
const MAX_INLINE_TENSOR_BYTES: usize = 64 << 10;

/// What the batches of a stage share: the stage, ready to be called, as it stands in the plan, with an arm of its route, or with
/// the values of a trial. It lives as long as any batch of it; with it go the plugin's instance and what the instance holds.
pub(super) struct StageRuntime {
    /// Name of the stage.
    pub(super) name: Arc<str>,
    /// The extension, as failures name it.
    pub(super) extension: String,
    /// What is called.
    pub(super) instance: Arc<dyn Instance>,
    /// The schema of its answers; absent where the schema takes anything.
    schema: Option<Validator>,
    /// Whether its answers may carry tensors with them.
    carries_tensors: bool,
    /// The shapes that its tensors have; absent where its schemas name none.
    pub(super) shapes: Option<TensorShapes>,
    /// When the session began: the zero of its times.
    session_began: Instant,
    /// The model that it may call.
    pub(super) model: Option<Arc<Model>>,
    /// Where its extension may keep things.
    pub(super) store: Option<PluginStore>,
    /// What its extension may do.
    pub(super) grants: Arc<Grants>,
    /// How it reaches servers.
    pub(super) http: Arc<Http>,
    /// The largest answer of a server that it may get, in bytes.
    pub(super) max_response_bytes: u64,
    /// What the tensors that a call makes may hold, in bytes.
    pub(super) max_tensor_bytes: u64,
    /// The tensors of the run.
    pub(super) blobs: Arc<Blobs>,
    /// The cache that keeps its results.
    pub(super) memo: Option<Memo>,
    /// Whether its calls may have to queue: a sandboxed plugin makes them, or its model is one.
    pub(super) may_queue: bool,
    /// The record of the run, where there is one.
    pub(super) ledger: Option<Ledger>,
    /// Records its calls.
    pub(super) recorder: Option<StageRecorder>,
    /// Where what it asks of models is recorded: the secrets that must not be in it.
    pub(super) exchanges: Option<Secrets>,
    /// What the stages of the session warned of, where that is counted.
    pub(super) warnings: Option<Arc<PluginWarnings>>,
}

/// The cache that an extension may use, as far as it is the extension's.
pub(super) struct PluginStore {
    pub(super) cache: Arc<Cache>,
    /// What the extension's keys begin with.
    pub(super) key_prefix: String,
}

/// What all stages of a session are made with.
#[derive(Clone, Copy)]
pub(super) struct SessionParts<'a> {
    pub(super) plan: &'a Plan,
    /// The models and caches.
    pub(super) services: &'a Services,
    /// The tensors of the run.
    pub(super) blobs: &'a Arc<Blobs>,
    /// When the session began.
    pub(super) began: Instant,
}

impl StageRuntime {
    /// A stage with its opened extension. Without an entry of the extension, its answers are not checked and it may do nothing.
    pub(super) fn new(
        plan: &StagePlan,
        instance: Arc<dyn Instance>,
        entry: Option<&ExtensionEntry>,
        session: SessionParts<'_>,
    ) -> Self {
        let SessionParts { plan: run, services, blobs, began } = session;
        let anything = serde_json::Value::Bool(true);
        let schema = entry.map_or(&anything, |entry| plan.output.as_ref().unwrap_or(&entry.descriptor.output));
        let carries_tensors = carries_tensors(schema);
        let anything = schema.as_bool() == Some(true) || schema.as_object().is_some_and(serde_json::Map::is_empty);
        let schema = if anything { None } else { jsonschema::validator_for(schema).ok() };
        let extension = match plan.extension.plugin.as_str() {
            "bundled" => plan.extension.name.clone(),
            alias => format!("{alias}/{}", plan.extension.name),
        };
        let cache = |index: Option<usize>| index.and_then(|index| services.caches.get(index).cloned());
        let grants = entry.map(|entry| Arc::clone(&entry.grants)).unwrap_or_default();
        let random = grants.allows(&Permission::Random);
        let model = plan.model.and_then(|model| services.models.get(model).cloned());
        // What a plugin keeps is its own, and that of the model that it was made with.
        let model_id = model.as_ref().map_or_else(|| "none".to_owned(), |model| model.identity()[..16].to_owned());
        let key_prefix = format!("store/{}/{model_id}/", &plan.extension.digest.to_string()[..16]);
        Self {
            name: plan.name.as_str().into(),
            extension,
            instance,
            schema,
            carries_tensors,
            shapes: entry.and_then(|entry| TensorShapes::of(&entry.descriptor)),
            session_began: began,
            may_queue: plan.extension.linkage == Linkage::Wasm
                || model.as_ref().is_some_and(|model| model.is_sandboxed()),
            store: cache(plan.store).map(|cache| PluginStore { cache, key_prefix }),
            model,
            grants,
            http: Arc::clone(&services.http),
            max_response_bytes: plan.limits.output,
            max_tensor_bytes: plan.limits.tensors,
            blobs: Arc::clone(blobs),
            memo: cache(plan.cache).map(|cache| Memo::new(cache, run, plan, random || services.seeded == plan.cache)),
            ledger: None,
            recorder: None,
            exchanges: None,
            warnings: None,
        }
    }

    /// Microseconds since the session began.
    pub(super) fn now_us(&self) -> u64 {
        self.since_start_us(Instant::now())
    }

    /// When something was, as microseconds since the session began.
    pub(super) fn since_start_us(&self, then: Instant) -> u64 {
        then.saturating_duration_since(self.session_began).as_micros() as u64
    }

    /// The failure of an answer that is not what the extension promises.
    pub(super) fn invalid_output(&self, what: &str) -> Failure {
        let (extension, stage) = (&self.extension, &self.name);
        Failure::InvalidOutput(format!("`{extension}` broke its own output schema in stage `{stage}`: {what}"))
    }

    /// Holds an answer to the extension's own schema, so that a fault is found at the guilty stage rather than at one that
    /// reads it.
    pub(super) fn check(&self, document: Document) -> Result<Document> {
        let invalid = |what: String| Err(self.invalid_output(&what));
        let mut names = BTreeSet::new();
        for tensor in &document.tensors {
            if !names.insert(&tensor.name) {
                return invalid(format!("it has two tensors `{}`", tensor.name));
            }
            if tensor.shape.len() > MAX_DIMENSIONS {
                let (name, found) = (&tensor.name, tensor.shape.len());
                return invalid(format!("tensor `{name}` has {found} dimensions, more than {MAX_DIMENSIONS}"));
            }
            let wanted = tensor.shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length));
            if wanted != Some(tensor.data.len() as u64) {
                return invalid(format!(
                    "tensor `{}` holds {} elements, not {:?}",
                    tensor.name,
                    tensor.data.len(),
                    tensor.shape
                ));
            }
        }
        if !document.tensors.is_empty() {
            if !self.carries_tensors {
                return invalid(
                    "it carries tensors, which its schema does not say (`\"x-tensors\": true` at its root)".to_owned(),
                );
            }
            let bytes: usize = document.tensors.iter().map(|tensor| size_of_val(&*tensor.data)).sum();
            if bytes > MAX_INLINE_TENSOR_BYTES {
                let (bytes, most) = (size(bytes as u64), size(MAX_INLINE_TENSOR_BYTES as u64));
                return invalid(format!(
                    "it carries tensors of {bytes}, more than the {most} that travel with a document: larger ones are kept \
                     with `Host::keep_tensor`, and travel by reference"
                ));
            }
        }
        let Some(schema) = &self.schema else {
            return match serde_json::from_str::<serde::de::IgnoredAny>(&document.json) {
                Ok(_) => Ok(document),
                Err(error) => invalid(format!("it is not valid JSON: {error}")),
            };
        };
        let value: serde_json::Value = match serde_json::from_str(&document.json) {
            Ok(value) => value,
            Err(error) => return invalid(format!("it is not valid JSON: {error}")),
        };
        // Looking for errors takes a time that a schema can make as long as it likes; whether there are any does not.
        if schema.is_valid(&value) {
            return Ok(document);
        }
        match schema.validate(&value) {
            Ok(()) => Ok(document),
            Err(error) => invalid(schema_violation(&error, Some("the answer"), 300)),
        }
    }
}

/// Whether a schema says that documents carry tensors with them.
fn carries_tensors(schema: &serde_json::Value) -> bool {
    schema["x-tensors"] == true
}
