//! What distinguishes one request from another.

use jackfield_pipeline::ModelPlan;
use jackfield_plugin_api::{CompletionRequest, to_hex};
use serde_json::json;
use sha2::{Digest as _, Sha256};

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

    use jackfield_plugin_api::{
        Capture, Component, Edit, ElementType, LogProbs, LogProbsOn, Message, RowNormalization, TensorRef,
    };

    use super::*;

    #[test]
    fn every_field_that_can_change_an_answer_changes_the_key() {
        let base = CompletionRequest::new(vec![Message::user("hello")]);
        let captures = |layers: Option<Vec<u32>>, positions: Option<Vec<i64>>| CompletionRequest {
            capture: Some(Capture { layers, positions }),
            ..base.clone()
        };
        let logs = |top, distribution, on| CompletionRequest {
            logprobs: Some(LogProbs { top, distribution, on }),
            ..base.clone()
        };
        let tensor = |digit: char, d| TensorRef {
            sha256: digit.to_string().repeat(64),
            shape: vec![2, d],
            dtype: ElementType::F32,
        };
        let edit = || Edit {
            component: Component::AttentionOutput,
            layer: 0,
            direction: tensor('0', 4),
            row: 0,
            weight: 1.0,
            row_normalization: RowNormalization::None,
        };
        let edits = |edits| CompletionRequest { edits, ..base.clone() };
        let others = [
            base.clone(),
            CompletionRequest { messages: vec![Message::system("hello")], ..base.clone() },
            CompletionRequest { messages: vec![Message::user("hello"), Message::user("")], ..base.clone() },
            CompletionRequest { schema: Some(json!({}).into()), ..base.clone() },
            CompletionRequest { schema: Some(json!({}).into()), validate: false, ..base.clone() },
            CompletionRequest { max_tokens: Some(1), ..base.clone() },
            CompletionRequest { temperature: Some(1.0), ..base.clone() },
            CompletionRequest { temperature: Some(0.0), ..base.clone() },
            CompletionRequest { stop: vec!["x".to_owned()], ..base.clone() },
            CompletionRequest { seed: Some(1), ..base.clone() },
            CompletionRequest { replicate: 1, ..base.clone() },
            CompletionRequest { tokenize: true, ..base.clone() },
            CompletionRequest { embed: true, ..base.clone() },
            captures(None, None),
            captures(Some(vec![0, 1]), None),
            captures(Some(vec![1, 0]), None),
            captures(None, Some(vec![-1])),
            captures(None, Some(vec![0])),
            logs(0, false, LogProbsOn::First(1)),
            logs(0, false, LogProbsOn::First(2)),
            logs(0, false, LogProbsOn::Reply("1".to_owned())),
            logs(0, true, LogProbsOn::First(1)),
            logs(1, false, LogProbsOn::First(1)),
            edits(vec![edit()]),
            edits(vec![edit(), edit()]),
            edits(vec![Edit { component: Component::MlpDown, ..edit() }]),
            edits(vec![Edit { layer: 1, ..edit() }]),
            edits(vec![Edit { direction: tensor('1', 4), ..edit() }]),
            edits(vec![Edit { direction: tensor('0', 5), ..edit() }]),
            edits(vec![Edit { row: 1, ..edit() }]),
            edits(vec![Edit { weight: 0.5, ..edit() }]),
            edits(vec![Edit { row_normalization: RowNormalization::Pre, ..edit() }]),
            edits(vec![Edit { row_normalization: RowNormalization::Full, ..edit() }]),
        ];
        let keys: BTreeSet<Key> = others.iter().map(|request| key(&[0; 32], request)).collect();
        assert_eq!(keys.len(), others.len());
        assert_ne!(key(&[0; 32], &base), key(&[1; 32], &base));
        assert_eq!(key(&[0; 32], &base), key(&[0; 32], &CompletionRequest { cached: false, ..base.clone() }));
    }
}
