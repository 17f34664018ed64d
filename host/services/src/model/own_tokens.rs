//! Tokens as the model's own tokenizer counts them.

use std::sync::Arc;

use jackfield_plugin_api::{Ability, Completion, CompletionRequest, Message, Usage};
use jackfield_store::HeldTensors;
use tokio::sync::OnceCell;

use super::attempt::Attempt;

/// What is known of a model's tokenizer.
#[derive(Default)]
pub(super) struct OwnTokens {
    /// Tokens of an answer without a text: what the model adds to each. None if it does not say.
    answer_overhead: OnceCell<Option<u64>>,
}

impl Attempt {
    /// Tokens of a call: as the model says; where it does not, by its own tokenizer if it offers one; else counted here.
    pub(super) async fn usage_of(&self, request: &CompletionRequest, completion: &Completion) -> Usage {
        let reported = completion.usage.unwrap_or_default();
        let mut usage = reported;
        if self.extension.has(Ability::Tokenize) {
            if reported.input == 0 {
                usage.input = match &completion.tokens {
                    Some(tokens) => tokens.len() as u64,
                    None => self.own_count(request.clone()).await.unwrap_or_default(),
                };
            }
            if reported.output == 0 && !completion.text.is_empty() {
                usage.output = self.own_count_of_answer(&completion.text).await.unwrap_or_default();
            }
        }
        let usage = Completion { usage: Some(usage), text: completion.text.clone(), ..Completion::default() };
        self.counter.count_call(request, &usage)
    }

    /// Tokens that an answer adds to a conversation, without those that the model adds to each answer.
    async fn own_count_of_answer(&self, text: &str) -> Option<u64> {
        let count = |text: &str| self.own_count(CompletionRequest::new(vec![Message::assistant(text)]));
        let overhead = *self.own_tokens.answer_overhead.get_or_init(|| count("")).await;
        Some(count(text).await?.saturating_sub(overhead?))
    }

    /// How many tokens the model reads for a request, as it counts them for an answer; none if it does not say.
    pub(super) async fn own_count_of_request(&self, request: &CompletionRequest) -> Option<u64> {
        let answer = self.tokenized(request.clone()).await?;
        answer.usage.map(|usage| usage.input).filter(|read| *read > 0).or_else(|| Some(answer.tokens?.len() as u64))
    }

    /// How many tokens the model reads for a request; none if it does not say.
    async fn own_count(&self, request: CompletionRequest) -> Option<u64> {
        Some(self.tokenized(request).await?.tokens?.len() as u64)
    }

    /// The answer to a request for nothing but the tokens of its prompt.
    async fn tokenized(&self, request: CompletionRequest) -> Option<Completion> {
        let request = CompletionRequest {
            validate: false,
            max_tokens: Some(0),
            capture: None,
            edits: Vec::new(),
            logprobs: None,
            tokenize: true,
            embed: false,
            ..request
        };
        let held = Arc::new(HeldTensors::of(&self.current_run.blobs()));
        self.extension.within_timeout(self.extension.call(&request, &held)).await.0?.answer.ok()
    }
}
