//! Keys that the plugin of a service may know are kept out of its answers, failures and log lines, and so out of records and
//! caches.

mod configured;
mod store;

use std::sync::Arc;

use jackfield_loader::{is_secret_name, sandbox::Grants};
use jackfield_plugin_api::{Completion, CompletionRequest, Failure, LogProbs, LogProbsOn};
use serde_json::Value;

pub(crate) use configured::read_configured;
pub(crate) use store::{KnownSecret, SecretStore};

/// Length in bytes from which a value is looked for: a shorter one is a placeholder, and part of many words.
const MIN_SECRET_BYTES: usize = 8;

/// A value that must not be repeated.
struct Secret {
    value: String,
    /// What is written in its place.
    replacement: String,
}

/// The values of variables that were granted and whose names say that they are secrets, and of the secrets that its
/// configuration names, which the host sends for it.
#[derive(Default)]
pub struct Secrets {
    /// The longest value first, so that one which contains another is replaced whole.
    known: Vec<Secret>,
    /// Those that the host sends for it.
    sent: Vec<Arc<KnownSecret>>,
}

impl Secrets {
    /// The values of the granted variables whose names are those of secrets.
    #[must_use]
    pub fn of_grants(grants: &Grants) -> Self {
        let variables = grants.variables().filter(|name| is_name_of_secret(name));
        Self::of_variables(variables.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))))
    }

    /// The values of these variables, by name and value.
    pub(super) fn of_variables(variables: impl Iterator<Item = (String, String)>) -> Self {
        let mut known: Vec<Secret> = variables
            .map(|(name, value)| Secret { value: value.trim().to_owned(), replacement: format!("[env:{name}]") })
            .filter(|secret| secret.value.len() >= MIN_SECRET_BYTES)
            .collect();
        known.sort_by_key(|secret| std::cmp::Reverse(secret.value.len()));
        Self { known, sent: Vec::new() }
    }

    /// With these, which the host sends for it.
    pub(super) fn with_sent(mut self, sent: Vec<Arc<KnownSecret>>) -> Self {
        self.sent = sent;
        self
    }

    fn is_empty(&self) -> bool {
        self.known.is_empty() && self.sent.is_empty()
    }

    /// A message with each secret replaced by the name of its variable, or by the word that stands for the one that is sent.
    pub(super) fn redact_text(&self, text: String) -> String {
        let text = self.without_known(text);
        self.sent.iter().fold(text, |text, secret| secret.redact_message(&text).unwrap_or(text))
    }

    /// What a request or an answer says with each secret replaced in the same way, but for those of few characters, which may
    /// be words of it.
    fn scrub_text(&self, text: String) -> String {
        let text = self.without_known(text);
        self.sent.iter().fold(text, |text, secret| secret.scrub(&text).unwrap_or(text))
    }

    fn without_known(&self, mut text: String) -> String {
        for Secret { value, replacement } in &self.known {
            if text.contains(value) {
                text = text.replace(value, replacement);
            }
        }
        text
    }

    /// The request without secrets in its texts.
    #[must_use]
    pub fn redact_request(&self, mut request: CompletionRequest) -> CompletionRequest {
        if self.is_empty() {
            return request;
        }
        for message in &mut request.messages {
            message.content = self.scrub_text(std::mem::take(&mut message.content));
        }
        request.stop = request.stop.into_iter().map(|stop| self.scrub_text(stop)).collect();
        if let Some(LogProbs { on: LogProbsOn::Reply(reply), .. }) = &mut request.logprobs {
            *reply = self.scrub_text(std::mem::take(reply));
        }
        if let Some(schema) = &request.schema {
            let (before, mut changed) = (schema, (**schema).clone());
            self.redact_value(&mut changed);
            if changed != **before {
                request.schema = Some(changed.into());
            }
        }
        request
    }

    /// Replaces the secrets in the strings of a value, names included.
    fn redact_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.scrub_text(std::mem::take(text)),
            Value::Array(list) => list.iter_mut().for_each(|value| self.redact_value(value)),
            Value::Object(map) => {
                let entries = std::mem::take(map).into_iter().map(|(key, mut value)| {
                    self.redact_value(&mut value);
                    (self.scrub_text(key), value)
                });
                *map = entries.collect();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The completion without secrets in its texts.
    pub(super) fn redact_completion(&self, completion: Completion) -> Completion {
        if self.is_empty() {
            return completion;
        }
        let model = completion.model.map(|model| self.scrub_text(model));
        let reasoning = completion.reasoning.map(|reasoning| self.scrub_text(reasoning));
        Completion { text: self.scrub_text(completion.text), model, reasoning, ..completion }
    }

    /// The failure without secrets in its message.
    pub(super) fn redact_failure(&self, failure: Failure) -> Failure {
        match failure {
            failure if self.is_empty() => failure,
            Failure::RateLimited { message, retry_after: after } => {
                Failure::RateLimited { message: self.redact_text(message), retry_after: after }
            }
            other => Failure::new(other.kind(), self.redact_text(other.message().to_owned())),
        }
    }
}

/// Whether a variable holds a secret, by its name: a granted `WRITER_KEY` does.
fn is_name_of_secret(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or_default();
    is_secret_name(name) || ["KEY", "KEYS"].iter().any(|known| last.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_a_model_may_know_is_in_no_answer_and_no_failure() {
        let variables = [("KEY", "secret-of-mine\n"), ("LONG_KEY", "secret-of-mine-and-more"), ("SHORT", "none")];
        let secrets =
            Secrets::of_variables(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        let text = "secret-of-mine-and-more, secret-of-mine, none".to_owned();
        let mine = || Some("secret-of-mine".to_owned());
        let completion = Completion { model: mine(), reasoning: mine(), text, ..Completion::default() };
        let completion = secrets.redact_completion(completion);
        assert_eq!(completion.text, "[env:LONG_KEY], [env:KEY], none");
        assert_eq!(completion.model.as_deref(), Some("[env:KEY]"));
        assert_eq!(completion.reasoning.as_deref(), Some("[env:KEY]"));
        let after = Some(Duration::from_secs(3));
        let limited = Failure::RateLimited { message: "not secret-of-mine".to_owned(), retry_after: after };
        assert_eq!(
            secrets.redact_failure(limited),
            Failure::RateLimited { message: "not [env:KEY]".to_owned(), retry_after: after }
        );
        let failure = secrets.redact_failure(Failure::Unavailable("secret-of-mine".to_owned()));
        assert_eq!(failure, Failure::Unavailable("[env:KEY]".to_owned()));
    }

    #[test]
    fn variables_of_secrets_are_known_by_their_names() {
        assert!(["WRITER_KEY", "KEY", "API_KEYS", "HF_TOKEN", "my_key"].into_iter().all(is_name_of_secret));
        assert!(!["HOME", "KEYBOARD", "MONKEY", "KEY_FILE"].into_iter().any(is_name_of_secret));
    }
}
