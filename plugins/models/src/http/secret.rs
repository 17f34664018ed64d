//! API keys: where they come from, and how they stay out of sight.

use std::{fmt, fs};

use jackfield_plugin_api::prelude::*;

/// A key and the place it was read from. `Debug` shows the place alone.
pub(crate) struct Secret {
    value: String,
    place: String,
}

impl Secret {
    /// Reads the key from the environment variable or the file that a configuration names; `None` if it names neither.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if both are named, or if there is no key where one should be.
    pub(crate) fn read(env: Option<&str>, file: Option<&FilePath>) -> Result<Option<Self>> {
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        let (value, place) = match (env, file) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return invalid("give one of `api_key_env` and `api_key_file`, not both".to_owned()),
            (Some(name), None) => match name.is_empty() || name.contains(['=', '\0']) {
                true => return invalid(format!("`api_key_env` names no environment variable: {name:?}")),
                false => match std::env::var(name) {
                    Ok(value) => (value, format!("`{name}`")),
                    Err(std::env::VarError::NotPresent) => {
                        return invalid(format!("the environment variable `{name}` is not set: it holds the API key"));
                    }
                    Err(std::env::VarError::NotUnicode(_)) => {
                        return invalid(format!(
                            "the environment variable `{name}` holds something that is not UTF-8 text"
                        ));
                    }
                },
            },
            (None, Some(FilePath(path))) => match fs::read_to_string(path) {
                Ok(value) => (value, format!("`{}`", path.display())),
                Err(error) => {
                    return invalid(format!("failed to read the API key from `{}`: {error}", path.display()));
                }
            },
        };
        let value = value.trim().to_owned();
        if value.is_empty() {
            return invalid(format!("there is no API key in {place}: it is empty"));
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return invalid(format!(
                "what {place} holds is not an API key: a key is one word of visible ASCII characters"
            ));
        }
        Ok(Some(Self { value, place }))
    }

    /// The key itself, for the header alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.value
    }

    /// Where the key was read from, in backticks.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// A message without the key. A short one is looked for as a word: it may be part of many.
    pub(crate) fn redact(&self, text: String) -> String {
        let text = self.scrub(text);
        if self.value.len() >= SHORTEST_SCRUBBED || !text.contains(&self.value) {
            return text;
        }
        let (mut redacted, mut from) = (String::with_capacity(text.len()), 0);
        for (at, key) in text.match_indices(&self.value) {
            let touches = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
            if !touches(text[..at].chars().next_back()) && !touches(text[at + key.len()..].chars().next()) {
                redacted.push_str(&text[from..at]);
                redacted.push_str(REPLACEMENT);
                from = at + key.len();
            }
        }
        redacted + &text[from..]
    }

    /// An answer without the key, as it is and as JSON writes it. A key of few characters stays: it is a placeholder such as
    /// `none` or `EMPTY`, and an answer may well have that word in it.
    pub(crate) fn scrub(&self, text: String) -> String {
        if self.value.len() < SHORTEST_SCRUBBED {
            return text;
        }
        let text = if text.contains(&self.value) { text.replace(&self.value, REPLACEMENT) } else { text };
        let escaped = self.value.replace('\\', "\\\\").replace('"', "\\\"");
        if escaped != self.value && text.contains(&escaped) { text.replace(&escaped, REPLACEMENT) } else { text }
    }
}

/// What replaces the key in messages.
const REPLACEMENT: &str = "[key]";
/// Length from which a key is taken out of answers, wherever it stands.
const SHORTEST_SCRUBBED: usize = 8;

/// Whether a header or a parameter of this name holds a secret. What a pipeline says is kept with every run.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(|char: char| !char.is_ascii_alphanumeric()).collect();
    let named = |word: &&str| {
        matches!(
            *word,
            "apikey"
                | "auth"
                | "authorization"
                | "cookie"
                | "credential"
                | "credentials"
                | "passwd"
                | "password"
                | "pwd"
                | "secret"
                | "sig"
                | "signature"
                | "token"
        )
    };
    words.last().is_some_and(named)
        || name == "key"
        || matches!(words.as_slice(), [.., "access" | "api" | "auth" | "private" | "secret" | "subscription", "key"])
}

/// Whether what a header holds is a secret by its own look, whatever the header is called.
pub(crate) fn is_secret_value(value: &str) -> bool {
    let value = value.trim();
    let after = |scheme: &str| {
        value.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)) && value.len() > scheme.len()
    };
    after("bearer ") || after("basic ") || value.starts_with("sk-") && value.len() >= 20 && !value.contains(' ')
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(from {})", self.place)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn in_file(content: &[u8]) -> (tempfile::TempDir, FilePath) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, content).unwrap();
        (folder, FilePath(path))
    }

    #[test]
    fn a_key_is_trimmed_and_never_shown() {
        let (_folder, file) = in_file(b"  sk-very-secret\r\n");
        let secret = Secret::read(None, Some(&file)).unwrap().unwrap();
        assert_eq!(secret.reveal(), "sk-very-secret");
        assert!(!format!("{secret:?} {secret:#?}").contains("very-secret"));
        assert_eq!(secret.redact("bad key sk-very-secret!".to_owned()), "bad key [key]!");
        assert_eq!(secret.scrub("xsk-very-secrety".to_owned()), "x[key]y");
    }

    #[test]
    fn a_short_key_is_a_word_in_messages_and_none_in_answers() {
        let (_folder, file) = in_file(b"none");
        let secret = Secret::read(None, Some(&file)).unwrap().unwrap();
        assert_eq!(secret.redact("key none of nonesuch, (none)".to_owned()), "key [key] of nonesuch, ([key])");
        assert_eq!(secret.scrub("none of them".to_owned()), "none of them");
        let (_folder, file) = in_file(b"a\"b\\c-12345");
        let secret = Secret::read(None, Some(&file)).unwrap().unwrap();
        assert_eq!(secret.scrub(r#"{"k":"a\"b\\c-12345"} a"b\c-12345"#.to_owned()), r#"{"k":"[key]"} [key]"#);
    }

    #[test]
    fn a_value_may_give_itself_away() {
        for value in ["Bearer x", "bearer abc", " Basic dXNlcjpwYXNz", "sk-proj-0123456789abcdef"] {
            assert!(is_secret_value(value), "{value}");
        }
        for value in ["", "Bearer", "bear", "basics", "sk-learn", "prompt-caching-2024-07-31", "é Bearer"] {
            assert!(!is_secret_value(value), "{value}");
        }
    }

    #[test]
    fn names_of_secrets_are_known() {
        for name in
            ["Authorization", "X-Api-Key", "api-key", "key", "access_token", "Set-Cookie", "Ocp-Apim-Subscription-Key"]
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["x-trace", "api-version", "idempotency-key", "max_tokens", "x-author", "", "OpenAI-Organization"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_variable_is_read_by_its_name() {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        // Any variable will do: a test cannot set one.
        let (name, value) = std::env::vars().find(|(_, value)| plain(value)).unwrap();
        let secret = Secret::read(Some(&name), None).unwrap().unwrap();
        assert_eq!((secret.reveal(), secret.place()), (value.as_str(), format!("`{name}`").as_str()));
    }

    #[test]
    fn no_key_is_wanted_where_none_is_named() {
        assert!(Secret::read(None, None).unwrap().is_none());
    }

    #[test]
    fn a_missing_key_is_reported_with_the_place_it_should_be_in() {
        let message = |env, file: Option<&FilePath>| match Secret::read(env, file) {
            Err(Failure::InvalidConfig(message)) => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            message(Some("JACKFIELD_NO_SUCH_KEY"), None),
            "the environment variable `JACKFIELD_NO_SUCH_KEY` is not set: it holds the API key"
        );
        assert!(message(Some("A=B"), None).contains("names no environment variable"));
        let gone = FilePath(PathBuf::from("/no/such/key"));
        assert!(message(None, Some(&gone)).starts_with("failed to read the API key from `/no/such/key`: "));
        let (_folder, empty) = in_file(b" \n");
        assert!(message(None, Some(&empty)).ends_with("it is empty"));
        assert!(message(Some("PATH"), Some(&empty)).contains("not both"));
        let (_folder, two) = in_file(b"sk-hidden\nsk-other");
        assert!(message(None, Some(&two)).contains("one word"));
        assert!(!message(None, Some(&two)).contains("hidden"));
    }
}
