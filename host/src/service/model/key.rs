//! What tells one request from another.

use jackfield_plugin_api::{CompletionRequest, to_hex};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::pipeline::ModelPlan;

/// SHA-256 of everything that can change an answer.
pub(super) type Key = [u8; 32];

/// What of a model can change an answer: which extension calls it and how that is configured.
pub(super) fn identity(plan: &ModelPlan) -> Key {
    let extension = &plan.extension;
    let identity = json!([extension.name, extension.version, extension.digest, plan.config_identity()]);
    Sha256::digest(identity.to_string()).into()
}

/// The key of a request, replicate number and all.
pub(super) fn key(identity: &Key, request: &CompletionRequest) -> Key {
    let mut hash = Sha256::new();
    hash.update(identity);
    // Whether the answer may be a cached one does not change it.
    let text = if request.cached {
        serde_json::to_vec(request)
    } else {
        serde_json::to_vec(&CompletionRequest { cached: true, ..request.clone() })
    };
    hash.update(text.unwrap_or_default());
    hash.finalize().into()
}

/// The name of a key in a cache.
pub(super) fn name(key: &Key) -> String {
    format!("completion/{}", to_hex(key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jackfield_plugin_api::Message;

    use super::*;

    #[test]
    fn every_field_that_can_change_an_answer_changes_the_key() {
        let base = CompletionRequest::new(vec![Message::user("hello")]);
        let others = [
            base.clone(),
            CompletionRequest { messages: vec![Message::system("hello")], ..base.clone() },
            CompletionRequest { messages: vec![Message::user("hello"), Message::user("")], ..base.clone() },
            CompletionRequest { schema: Some(json!({}).into()), ..base.clone() },
            CompletionRequest { schema: Some(json!({}).into()), held: false, ..base.clone() },
            CompletionRequest { max_tokens: Some(1), ..base.clone() },
            CompletionRequest { temperature: Some(1.0), ..base.clone() },
            CompletionRequest { temperature: Some(0.0), ..base.clone() },
            CompletionRequest { stop: vec!["x".to_owned()], ..base.clone() },
            CompletionRequest { seed: Some(1), ..base.clone() },
            CompletionRequest { replicate: 1, ..base.clone() },
        ];
        let keys: BTreeSet<Key> = others.iter().map(|request| key(&[0; 32], request)).collect();
        assert_eq!(keys.len(), others.len());
        assert_ne!(key(&[0; 32], &base), key(&[1; 32], &base));
        assert_eq!(key(&[0; 32], &base), key(&[0; 32], &CompletionRequest { cached: false, ..base.clone() }));
    }
}
