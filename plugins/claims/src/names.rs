//! Names: that of the stage's model, and those under which results are kept in the cache of a stage.

use jackfield_plugin_api::prelude::*;
use serde_json::json;

use crate::{record::Slot, seed};

/// The model of a stage.
pub(crate) struct ModelLabel {
    /// The extension that calls the model.
    pub(crate) provider: String,
    /// The model's own name.
    pub(crate) model: String,
}

impl ModelLabel {
    /// The model of this stage. A label `openai/qwen2.5-7b` is of the provider `openai`; a label without a slash is the
    /// name of both.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the stage has no model.
    pub(crate) fn of_stage(host: &Host<'_>) -> Result<Self> {
        let label = host.model_name().ok_or_else(|| {
            Failure::InvalidConfig("the stage needs to know its model: give it `model = \"name\"`".to_owned())
        })?;
        Ok(match label.split_once('/') {
            Some((provider, model)) => Self { provider: provider.to_owned(), model: model.to_owned() },
            None => Self { provider: label.clone(), model: label },
        })
    }
}

/// The name of an execution in the cache.
pub(crate) fn execution_cache_name(run_key: &str) -> String {
    format!("run/{run_key}")
}

/// The name of a sample in the cache: every field that can change the answer. The host adds what distinguishes models of
/// the same name.
pub(crate) fn sample_cache_name(slot: &Slot, label: &ModelLabel) -> String {
    let key = json!({
        "claim": slot.claim, "model": label.model, "provider": label.provider, "prompt_version": slot.prompt_version,
        "prompt": slot.prompt_sha256, "replicate": slot.replicate,
        "max_tokens": slot.max_tokens, "temperature": slot.temperature,
    });
    format!("sample/{}", seed::hex_sha256(&key.to_string()))
}
