//! How many tokens a text has, by the `o200k` vocabulary: exact for models that use it, near enough for budgets of others.
//! What a server counts itself goes before this.

use jackfield_plugin_api::{Completion, CompletionRequest, Usage};

/// Tokens that a message takes beyond its text.
const PER_MESSAGE: u64 = 4;

/// Tokens of a text.
pub(super) fn count(text: &str) -> u64 {
    bpe_openai::o200k_base().count(text) as u64
}

/// Tokens that a request takes, its schema included.
pub(super) fn of_request(request: &CompletionRequest) -> u64 {
    let messages: u64 = request.messages.iter().map(|message| PER_MESSAGE + count(&message.content)).sum();
    messages + request.schema.as_ref().map_or(0, |schema| count(&schema.to_string()))
}

/// Tokens of a call: as the server says, or counted.
pub(super) fn of_call(request: &CompletionRequest, completion: &Completion) -> Usage {
    completion.usage.unwrap_or_else(|| Usage { input: of_request(request), output: count(&completion.text) })
}
