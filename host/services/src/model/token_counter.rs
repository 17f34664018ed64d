//! How many tokens a text has, by the `o200k` vocabulary: exact for models that use it, near enough for budgets of others.
//! What a server counts itself takes precedence over this, and so does what the model's own tokenizer counts.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::Mutex,
};

use jackfield_plugin_api::{Completion, CompletionRequest, Usage, sync::lock};

use super::request_check::reply_of;

/// Tokens that a message takes beyond its text.
const PER_MESSAGE: u64 = 4;
/// Texts from this length on are counted once: system prompts and schemas come again with every request.
const LONG_TEXT: usize = 256;
/// The most texts whose counts are kept.
const MOST_KEPT: usize = 4096;

/// Counts tokens.
#[derive(Default)]
pub(super) struct TokenCounter {
    hasher: RandomState,
    /// Counts by hash and length.
    known: Mutex<HashMap<(u64, usize), u64>>,
}

impl TokenCounter {
    fn count(&self, text: &str) -> u64 {
        if text.len() < LONG_TEXT {
            return jackfield_tokens::count(text) as u64;
        }
        let key = (self.hasher.hash_one(text), text.len());
        if let Some(count) = lock(&self.known).get(&key) {
            return *count;
        }
        // Counted without the lock: others need not wait.
        let count = jackfield_tokens::count(text) as u64;
        let mut known = lock(&self.known);
        if known.len() >= MOST_KEPT {
            known.clear();
        }
        known.insert(key, count);
        count
    }

    /// Tokens that a request takes, its schema included.
    pub(super) fn count_request(&self, request: &CompletionRequest) -> u64 {
        let messages: u64 = request.messages.iter().map(|message| PER_MESSAGE + self.count(&message.content)).sum();
        let reply = reply_of(request).map_or(0, |reply| self.count(reply));
        messages + reply + request.schema.as_ref().map_or(0, |schema| self.count(&schema.to_string()))
    }

    /// Tokens of a call: as the server says, or counted here. A server that says 0 of a text that is there has not counted.
    pub(super) fn count_call(&self, request: &CompletionRequest, completion: &Completion) -> Usage {
        let said = completion.usage.unwrap_or_default();
        let input = if said.input == 0 { self.count_request(request) } else { said.input };
        let output = if said.output == 0 { self.count(&completion.text) } else { said.output };
        // Parts are no more than the whole, whatever a server says.
        let cached_input = said.cached_input.min(input);
        let cache_write = said.cache_write.min(input - cached_input);
        Usage { input, output, cached_input, cache_write, reasoning: said.reasoning.min(output) }
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Message;

    use super::*;

    #[test]
    fn a_text_has_as_many_tokens_the_second_time() {
        let counter = TokenCounter::default();
        let request = CompletionRequest::new(vec![Message::system("word ".repeat(200)), Message::user("hello world")]);
        let first = counter.count_request(&request);
        assert_eq!(first, counter.count_request(&request));
        // 200 words and a space at the end, two words, four tokens a message.
        assert!((205..215).contains(&first), "{first}");
    }

    #[test]
    fn a_server_that_counts_nothing_is_not_believed() {
        let counter = TokenCounter::default();
        let request = CompletionRequest::new(vec![Message::user("hello world")]);
        let usage_with = |usage: Option<(u64, u64)>| {
            let usage = usage.map(|(input, output)| Usage::new(input, output));
            let Usage { input, output, .. } =
                counter.count_call(&request, &Completion { text: "good day".into(), usage, ..Completion::default() });
            (input, output)
        };
        let counted = usage_with(None);
        assert!(counted.0 > 0 && counted.1 > 0);
        assert_eq!(usage_with(Some((0, 0))), counted);
        assert_eq!(usage_with(Some((7, 0))), (7, counted.1));
        assert_eq!(usage_with(Some((0, 9))), (counted.0, 9));
        assert_eq!(usage_with(Some((u64::MAX, 9))), (u64::MAX, 9));
    }
}
