//! Keeps secrets out of recorded calls.

use jackfield_loader::sandbox::Grants;
use serde_json::{Map, Value};

/// What is written in place of a header's value that may be a secret.
const HIDDEN: &str = "[secret]";

/// The headers whose values are never written.
const SECRET_HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "x-api-key", "api-key", "cookie", "set-cookie"];

/// Replaces the secrets that a plugin may know.
#[derive(Clone, Default)]
pub(super) struct Redactor {
    /// What to look for and what is written in its place, the longest first.
    secrets: Vec<(String, String)>,
}

impl Redactor {
    /// Replaces the values of the variables that an extension may read.
    pub(super) fn new(grants: &Grants) -> Self {
        Self::of_variables(grants.variables().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))))
    }

    fn of_variables(variables: impl Iterator<Item = (String, String)>) -> Self {
        let mut secrets = Vec::new();
        for (name, value) in variables.filter(|(_, value)| !value.is_empty()) {
            let replacement = format!("[env:{name}]");
            // As it is, inside a JSON string, and inside an address.
            let quoted = Value::from(value.as_str()).to_string();
            for form in [quoted[1..quoted.len() - 1].to_owned(), percent_encoded(&value), value] {
                secrets.push((form, replacement.clone()));
            }
        }
        secrets.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Self { secrets }
    }

    fn redact_text(&self, text: &str) -> Option<String> {
        let mut changed = None::<String>;
        for (secret, replacement) in &self.secrets {
            let now = changed.as_deref().unwrap_or(text);
            if now.contains(secret.as_str()) {
                changed = Some(now.replace(secret.as_str(), replacement));
            }
        }
        changed
    }

    /// Replaces every secret, in names, strings and numbers. Whether there was any.
    pub(super) fn redact(&self, value: &mut Value) -> bool {
        if self.secrets.is_empty() {
            return false;
        }
        match value {
            Value::String(text) => match self.redact_text(text) {
                Some(changed) => {
                    *text = changed;
                    true
                }
                None => false,
            },
            Value::Number(number) => {
                // A secret of a few digits occurs in many numbers, and a number that contains it reveals nothing.
                let text = number.to_string();
                let found = self
                    .secrets
                    .iter()
                    .find(|(secret, _)| text == *secret || secret.len() > 3 && text.contains(secret.as_str()));
                match found {
                    Some((_, replacement)) => {
                        *value = Value::from(replacement.as_str());
                        true
                    }
                    None => false,
                }
            }
            Value::Array(list) => list.iter_mut().fold(false, |changed, value| self.redact(value) | changed),
            Value::Object(map) => {
                let mut changed = false;
                let entries: Map<String, Value> = std::mem::take(map)
                    .into_iter()
                    .map(|(key, mut value)| {
                        changed |= self.redact(&mut value);
                        let other = self.redact_text(&key);
                        changed |= other.is_some();
                        (other.unwrap_or(key), value)
                    })
                    .collect();
                *map = entries;
                changed
            }
            Value::Null | Value::Bool(_) => false,
        }
    }

    /// Bytes without any secret.
    pub(super) fn redact_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for (secret, replacement) in &self.secrets {
            let mut start = 0;
            while let Some(offset) = bytes[start..].windows(secret.len()).position(|window| window == secret.as_bytes())
            {
                bytes.splice(start + offset..start + offset + secret.len(), replacement.bytes());
                start += offset + replacement.len();
            }
        }
        bytes
    }
}

/// Headers without the values that may be secrets.
pub(super) fn redact_headers(headers: &[(String, String)]) -> Value {
    let header = |(name, value): &(String, String)| {
        let secret = SECRET_HEADERS.iter().any(|secret| name.trim().eq_ignore_ascii_case(secret));
        Value::from(vec![name.as_str(), if secret { HIDDEN } else { value }])
    };
    headers.iter().map(header).collect()
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Redactor, redact_headers};

    fn redactor() -> Redactor {
        let variables = [("KEY", "s3cr\"t/x"), ("PIN", "1234"), ("ONE", "1"), ("NONE", "")];
        Redactor::of_variables(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    #[test]
    fn a_secret_is_replaced_wherever_it_stands() {
        let mut value = json!({
            "plain": "is s3cr\"t/x.", "body": "{\"k\":\"s3cr\\\"t/x\"}", "url": "?k=s3cr%22t%2Fx", "s3cr\"t/x": [null, 51234, 12, 1],
            "other": "nothing",
        });
        assert!(redactor().redact(&mut value));
        assert_eq!(
            value,
            json!({
                "plain": "is [env:KEY].", "body": "{\"k\":\"[env:KEY]\"}", "url": "?k=[env:KEY]",
                "[env:KEY]": [null, "[env:PIN]", 12, "[env:ONE]"], "other": "nothing",
            })
        );
        assert!(!Redactor::default().redact(&mut value));
        assert_eq!(redactor().redact_bytes(b"\xff1234 s3cr\"t/x"), b"\xff[env:PIN] [env:KEY]");
    }

    #[test]
    fn headers_that_carry_secrets_have_no_value() {
        let given =
            ["Authorization", "x-api-key", "Set-Cookie", "accept"].map(|name| (name.to_owned(), "v".to_owned()));
        let redacted = redact_headers(&given);
        assert_eq!(
            redacted,
            json!([
                ["Authorization", "[secret]"],
                ["x-api-key", "[secret]"],
                ["Set-Cookie", "[secret]"],
                ["accept", "v"]
            ])
        );
    }
}
