//! Keys that the plugin behind a service may know, kept out of what it answers and says, and so out of record and cache.

use jackfield_loader::{is_secret_name, sandbox::Grants};
use jackfield_plugin_api::{Completion, Failure};

/// Length from which a value is looked for: a shorter one is a placeholder, and part of many a word.
const SHORTEST: usize = 8;

/// The values of variables that were granted and whose names say that they are secrets.
#[derive(Default)]
pub(super) struct Secrets {
    /// The value, and what stands for it; the longest first.
    known: Vec<(String, String)>,
}

impl Secrets {
    pub(super) fn of(grants: &Grants) -> Self {
        let variables = grants.variables().filter(|name| is_of_a_secret(name));
        Self::from(variables.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))))
    }

    pub(super) fn from(variables: impl Iterator<Item = (String, String)>) -> Self {
        let mut known: Vec<(String, String)> = variables
            .map(|(name, value)| (value.trim().to_owned(), format!("[env:{name}]")))
            .filter(|(value, _)| value.len() >= SHORTEST)
            .collect();
        known.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        Self { known }
    }

    pub(super) fn text(&self, text: String) -> String {
        let replaced = |text: String, (value, stands): &(String, String)| {
            if text.contains(value) { text.replace(value, stands) } else { text }
        };
        self.known.iter().fold(text, replaced)
    }

    pub(super) fn scrub(&self, completion: Completion) -> Completion {
        if self.known.is_empty() {
            return completion;
        }
        let model = completion.model.map(|model| self.text(model));
        let reasoning = completion.reasoning.map(|reasoning| self.text(reasoning));
        Completion { text: self.text(completion.text), model, reasoning, ..completion }
    }

    pub(super) fn scrub_failure(&self, failure: Failure) -> Failure {
        match failure {
            failure if self.known.is_empty() => failure,
            Failure::RateLimited { message, retry_after: after } => {
                Failure::RateLimited { message: self.text(message), retry_after: after }
            }
            other => Failure::new(other.kind(), self.text(other.message().to_owned())),
        }
    }
}

/// Whether a variable holds a secret, by its name: `WRITER_KEY` does, for whom it was granted.
fn is_of_a_secret(name: &str) -> bool {
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
        let secrets = Secrets::from(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        let text = "secret-of-mine-and-more, secret-of-mine, none".to_owned();
        let mine = || Some("secret-of-mine".to_owned());
        let completion = Completion { model: mine(), reasoning: mine(), text, ..Completion::default() };
        let completion = secrets.scrub(completion);
        assert_eq!(completion.text, "[env:LONG_KEY], [env:KEY], none");
        assert_eq!(completion.model.as_deref(), Some("[env:KEY]"));
        assert_eq!(completion.reasoning.as_deref(), Some("[env:KEY]"));
        let after = Some(Duration::from_secs(3));
        let limited = Failure::RateLimited { message: "not secret-of-mine".to_owned(), retry_after: after };
        assert_eq!(
            secrets.scrub_failure(limited),
            Failure::RateLimited { message: "not [env:KEY]".to_owned(), retry_after: after }
        );
        let failure = secrets.scrub_failure(Failure::Unavailable("secret-of-mine".to_owned()));
        assert_eq!(failure, Failure::Unavailable("[env:KEY]".to_owned()));
    }

    #[test]
    fn variables_of_secrets_are_known_by_their_names() {
        assert!(["WRITER_KEY", "KEY", "API_KEYS", "HF_TOKEN", "my_key"].into_iter().all(is_of_a_secret));
        assert!(!["HOME", "KEYBOARD", "MONKEY", "KEY_FILE"].into_iter().any(is_of_a_secret));
    }
}
