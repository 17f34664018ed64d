//! API keys: how a header names one, and what must not stand where everybody may read it.

use jackfield_plugin_api::prelude::*;

/// What names a secret in a header begins with so.
const BEGIN: &str = "${secret:";

/// The name of a key, which the host knows: that of an environment variable, or the path of a file. Nobody here ever sees the
/// key itself.
#[derive(Debug)]
pub(crate) struct KeyName(String);

impl KeyName {
    /// The key that a configuration names; `None` if it names none.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if it names two, or something that is no name.
    pub(crate) fn of(env: Option<&str>, file: Option<&FilePath>) -> Result<Option<Self>> {
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        match (env, file) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => invalid("give one of `api_key_env` and `api_key_file`, not both".to_owned()),
            (Some(name), None) if name.is_empty() || name.contains(['=', '/', '{', '}', '$', '\0']) => {
                invalid(format!("`api_key_env` names no environment variable: {name:?}"))
            }
            (Some(name), None) => Ok(Some(Self(name.to_owned()))),
            (None, Some(FilePath(path))) => match path.to_str() {
                Some(path) if path.contains('/') && !path.contains(['=', '{', '}', '$']) => {
                    Ok(Some(Self(path.to_owned())))
                }
                _ => invalid(format!(
                    "`api_key_file` is `{}`: the path of a key has none of `=`, `$`, `{{` and `}}` in it",
                    path.display()
                )),
            },
        }
    }

    /// What stands for the key in a header.
    pub(crate) fn placeholder(&self) -> String {
        format!("{BEGIN}{}}}", self.0)
    }

    /// Where the key is, in backticks.
    pub(crate) fn place(&self) -> String {
        format!("`{}`", self.0)
    }
}

/// Whether the value of a header names a secret, which then is not in the pipeline.
pub(crate) fn names_secret(value: &str) -> bool {
    value.contains(BEGIN)
}

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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_key_is_named_and_not_read() {
        let variable = KeyName::of(Some("JACKFIELD_NO_SUCH_KEY"), None).unwrap().unwrap();
        assert_eq!(
            (variable.placeholder(), variable.place()),
            ("${secret:JACKFIELD_NO_SUCH_KEY}".into(), "`JACKFIELD_NO_SUCH_KEY`".into())
        );
        let file = FilePath(PathBuf::from("/no/such/key"));
        assert_eq!(KeyName::of(None, Some(&file)).unwrap().unwrap().placeholder(), "${secret:/no/such/key}");
        assert!(KeyName::of(None, None).unwrap().is_none());
    }

    #[test]
    fn what_names_no_key_is_refused() {
        let message = |env, file: Option<&FilePath>| match KeyName::of(env, file) {
            Err(Failure::InvalidConfig(message)) => message,
            other => panic!("{other:?}"),
        };
        for name in ["", "A=B", "A/B", "${A}"] {
            assert!(message(Some(name), None).contains("names no environment variable"), "{name}");
        }
        let file = FilePath(PathBuf::from("/run/${KEY}"));
        assert!(message(None, Some(&file)).contains("none of"));
        assert!(message(Some("PATH"), Some(&file)).contains("not both"));
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
}
