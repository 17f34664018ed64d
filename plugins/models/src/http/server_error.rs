//! The error that a server reports in the body of an answer.

use serde_json::Value;

/// An error as a server words it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ServerError {
    /// What is wrong; empty if the server does not say.
    pub(crate) message: String,
    /// Machine-readable codes and types, as far as there are any.
    pub(crate) codes: Vec<String>,
    /// A status within the body, as some gateways send it.
    pub(crate) status: Option<u16>,
}

impl ServerError {
    /// Parses `{"error": {"message", "code", "type"}}` and its relatives; whatever else it is counts as the message.
    pub(crate) fn parse(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::from_value(value.get("error").filter(|error| !error.is_null()).unwrap_or(&value)),
            Err(_) => Self { message: String::from_utf8_lossy(body).into_owned(), ..Self::default() },
        }
    }

    /// The error in the value under `error`.
    pub(crate) fn from_value(error: &Value) -> Self {
        let message = ["message", "detail", "error_description", "title"].iter().find_map(|key| match error.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            None | Some(Value::Null) => None,
            // FastAPI: a list of what is wrong where.
            Some(other) => Some(other.to_string()),
        });
        let message = message.unwrap_or_else(|| match error {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        });
        let codes = ["code", "type"].iter().filter_map(|key| error.get(key)?.as_str().map(str::to_owned)).collect();
        let status = ["code", "status"].iter().find_map(|key| {
            let number = error.get(key)?;
            let number = number.as_u64().or_else(|| number.as_str()?.parse().ok())?;
            u16::try_from(number).ok().filter(|status| (400..600).contains(status))
        });
        Self { message, codes, status }
    }

    /// Whether one of these codes or types is given.
    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        self.codes.iter().any(|code| codes.contains(&code.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_found_in_every_common_form() {
        for (body, message) in [
            (
                r#"{"error": {"message": "no such model", "type": "invalid_request_error", "code": null}}"#,
                "no such model",
            ),
            (r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#, "Overloaded"),
            (r#"{"error": "model not found"}"#, "model not found"),
            (r#"{"object": "error", "message": "too long", "code": 400}"#, "too long"),
            (r#"{"detail": [{"msg": "field required"}]}"#, r#"[{"msg":"field required"}]"#),
            ("<h1>Bad Gateway</h1>", "<h1>Bad Gateway</h1>"),
            ("", ""),
            ("null", ""),
        ] {
            assert_eq!(ServerError::parse(body.as_bytes()).message, message, "{body}");
        }
    }

    #[test]
    fn codes_and_statuses_are_kept() {
        let error =
            ServerError::parse(br#"{"error": {"message": "x", "type": "requests", "code": "insufficient_quota"}}"#);
        assert!(error.has_code(&["insufficient_quota"]) && !error.has_code(&["other"]));
        assert_eq!(ServerError::parse(br#"{"error": {"message": "x", "code": 429}}"#).status, Some(429));
        assert_eq!(ServerError::parse(br#"{"error": {"message": "x", "code": "503"}}"#).status, Some(503));
        assert_eq!(ServerError::parse(br#"{"error": {"message": "x", "code": 7}}"#).status, None);
    }
}
