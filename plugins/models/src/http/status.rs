//! Answers other than a success, as failures.

use std::time::SystemTime;

use jackfield_plugin_api::prelude::*;
use reqwest::header::HeaderMap;

use super::{api::Api, retry_after::retry_after, server_error::ServerError, text::shortened_line};

/// How much of a server's message is shown, in characters.
const SHOWN: usize = 300;

impl Api {
    /// What an answer of this status, with this body, means.
    pub(crate) fn refused(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Failure {
        self.failure(status, headers, &ServerError::parse(body))
    }

    /// What an error under this status means.
    pub(crate) fn failure(&self, status: u16, headers: &HeaderMap, error: &ServerError) -> Failure {
        let host = self.host();
        let says = match self.shown(&error.message, SHOWN) {
            message if message.is_empty() => String::new(),
            message => format!(": {message}"),
        };
        let after = retry_after(headers, SystemTime::now());
        let limited = |after| Failure::RateLimited {
            message: format!("the server at {host} limits the rate{says}"),
            retry_after: after,
        };
        match status {
            429 if error.has_code(&["insufficient_quota"]) => {
                Failure::OverBudget(format!("the quota at {host} is used up{says}"))
            }
            402 => Failure::OverBudget(format!("the server at {host} wants to be paid{says}")),
            429 => limited(after),
            503 | 529 if after.is_some() => limited(after),
            408 | 409 | 425 | 500..=599 => {
                Failure::Unavailable(format!("the server at {host} answered with status {status}{says}"))
            }
            // What the server says of a key, it may say with a part of the key.
            401 | 403 => Failure::InvalidConfig(match self.key_place() {
                Some(place) => format!("the server at {host} does not take the key from {place} (status {status})"),
                None => format!("the server at {host} wants a key: name it with `api_key_env` or `api_key_file`"),
            }),
            404 => Failure::InvalidConfig(format!(
                "the server at {host} knows no model `{}` at `{}`{says}",
                self.model(),
                self.path()
            )),
            300..=399 => Failure::InvalidConfig(format!(
                "the server at {host} sends calls elsewhere (status {status}): give the address where they end as `base_url`"
            )),
            405 => Failure::InvalidConfig(format!("the server at {host} takes no calls at `{}`{says}", self.path())),
            _ => {
                Failure::InvalidInput(format!("the server at {host} does not take the request (status {status}){says}"))
            }
        }
    }

    /// The failure of an answer that cannot be used.
    pub(crate) fn invalid_answer(&self, what: &str) -> Failure {
        Failure::InvalidOutput(format!("the server at {} {what}", self.host()))
    }

    /// A body that did not parse.
    pub(crate) fn unparsed(&self, body: &[u8], error: &serde_json::Error) -> Failure {
        if error.is_data() {
            return self
                .invalid_answer(&format!("answered JSON of another form: {}", self.shown(&error.to_string(), SHOWN)));
        }
        // A little more than is shown, since a key that reaches beyond the cut must be seen whole.
        let start = String::from_utf8_lossy(&body[..body.len().min(8 * 1024)]);
        self.invalid_answer(&format!("answered something that is not JSON: {}", self.shown(&start, 100)))
    }

    /// An answer that the model would not give.
    pub(crate) fn refusal(&self, why: &str) -> Failure {
        Failure::InvalidOutput(format!("the model refused: {}", self.shown(why, SHOWN)))
    }

    /// A server's text on one line, without the key, cut.
    fn shown(&self, text: &str, most: usize) -> String {
        shortened_line(&self.redact(text.to_owned()), most)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jackfield_plugin_api::FailureKind;
    use reqwest::header::{HeaderValue, RETRY_AFTER};

    use super::*;
    use crate::testing::api;

    fn refused(status: u16, body: &str) -> Failure {
        api().refused(status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn every_status_says_whether_trying_again_can_help() {
        use FailureKind::{InvalidConfig, InvalidInput, OverBudget, RateLimited, Unavailable};
        for (kind, statuses) in [
            (Unavailable, [408, 409, 425, 500, 501, 502, 503, 504, 529].as_slice()),
            (RateLimited, &[429]),
            (InvalidConfig, &[401, 403, 404, 405, 301, 307]),
            (InvalidInput, &[400, 413, 422, 418]),
            (OverBudget, &[402]),
        ] {
            for &status in statuses {
                assert_eq!(refused(status, "").kind(), kind, "{status}");
            }
        }
    }

    #[test]
    fn the_servers_message_is_shown_and_cut() {
        let body = format!(r#"{{"error": {{"message": "too\nlong {}"}}}}"#, "x".repeat(400));
        let failure = refused(400, &body);
        let message = failure.message();
        assert!(message.starts_with("the server at 127.0.0.1:9 does not take the request (status 400): too long xxx"));
        assert!(message.ends_with("xxx…") && message.chars().count() < 380, "{message}");
        assert_eq!(
            refused(404, r#"{"error": {"message": "not found"}}"#).message(),
            "the server at 127.0.0.1:9 knows no model `tiny` at `/v1/chat/completions`: not found"
        );
    }

    #[test]
    fn a_used_up_quota_is_not_a_rate_limit() {
        let quota =
            r#"{"error": {"message": "check your plan", "type": "insufficient_quota", "code": "insufficient_quota"}}"#;
        assert_eq!(refused(429, quota).kind(), FailureKind::OverBudget);
    }

    #[test]
    fn a_wait_is_handed_on() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("2"))]);
        for status in [429, 503, 529] {
            let Failure::RateLimited { retry_after: after, .. } = api().refused(status, &headers, b"") else {
                panic!("{status}")
            };
            assert_eq!(after, Some(Duration::from_secs(2)));
        }
        assert_eq!(api().refused(500, &headers, b"").kind(), FailureKind::Unavailable);
    }

    #[test]
    fn a_key_is_in_no_message() {
        for status in [400, 401, 403, 404, 429, 500] {
            let failure = refused(status, r#"{"error": {"message": "bad key sk-very-secret given"}}"#);
            assert!(!failure.message().contains("very-secret"), "{failure:?}");
        }
        assert!(refused(400, "sk-very-secret").message().ends_with(": [key]"));
        assert!(refused(401, "").message().contains("does not take the key from `"));
        let body = format!("{}sk-very-secret", "x".repeat(95));
        let error = serde_json::from_str::<u8>(&body).unwrap_err();
        assert!(!api().unparsed(body.as_bytes(), &error).message().contains("sk-"));
        assert!(!api().refusal("no sk-very-secret").message().contains("secret"));
    }
}
