//! Tokens as the model's own tokenizer counts them.

use std::sync::Arc;

use jackfield_plugin_api::{Ability, Completion, CompletionRequest, Message, Usage};
use jackfield_store::HeldTensors;
use tokio::sync::OnceCell;

use super::complete::Model;

/// What is known of a model's tokenizer.
#[derive(Default)]
pub(super) struct OwnTokens {
    /// Tokens of an answer without a text: what the model puts around one.
    around: OnceCell<Option<u64>>,
}

impl Model {
    /// Tokens of a call: as the model says; where it does not, by its own tokenizer if it offers one; else counted here.
    pub(super) async fn usage_of(&self, request: &CompletionRequest, completion: &Completion) -> Usage {
        let said = completion.usage.unwrap_or_default();
        let mut usage = said;
        if self.has(Ability::Tokenize) {
            if said.input == 0 {
                usage.input = match &completion.tokens {
                    Some(tokens) => tokens.len() as u64,
                    None => self.own_count(request.clone()).await.unwrap_or_default(),
                };
            }
            if said.output == 0 && !completion.text.is_empty() {
                usage.output = self.own_count_of_answer(&completion.text).await.unwrap_or_default();
            }
        }
        let usage = Completion { usage: Some(usage), text: completion.text.clone(), ..Completion::default() };
        self.counter.of_call(request, &usage)
    }

    /// What an answer adds to a conversation, without what the model puts around one.
    async fn own_count_of_answer(&self, text: &str) -> Option<u64> {
        let of = |text: &str| self.own_count(CompletionRequest::new(vec![Message::assistant(text)]));
        let around = *self.own_tokens.around.get_or_init(|| of("")).await;
        Some(of(text).await?.saturating_sub(around?))
    }

    /// How many tokens the model reads for a request; none if it does not say.
    async fn own_count(&self, request: CompletionRequest) -> Option<u64> {
        let asked = CompletionRequest {
            validate: false,
            max_tokens: Some(0),
            capture: None,
            edits: Vec::new(),
            logprobs: None,
            tokenize: true,
            embed: false,
            ..request
        };
        let held = Arc::new(HeldTensors::of(&self.blobs()));
        let answer = self.within_timeout(self.call(&asked, &held)).await.0?.ok()?;
        Some(answer.tokens?.len() as u64)
    }
}
