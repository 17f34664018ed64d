//! Answers other than a success, as failures.

use jackfield_plugin_api::prelude::*;

use super::{
    api::Api,
    event_stream,
    foreign_json::{Json, NotJson},
    meaning::Meaning,
    retry_after::retry_after,
    server_error::ServerError,
    text::shortened_line,
};

/// How much of a server's message is shown, in characters.
const SHOWN: usize = 300;

/// How an error came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// By the status of the answer.
    AsStatus,
    /// In the body of an answer whose status says success.
    UnderSuccess,
}

impl Api {
    /// What an answer of this status, with this body, means.
    pub(crate) fn refused(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Failure {
        let error = ServerError::parse(body);
        let counts = error.meaning().map_or(status, |meaning| meaning.corrected(status));
        self.failure(counts, headers, &error, Came::AsStatus)
    }

    /// What an error means that came in place of an answer, under a status that says success.
    pub(crate) fn reported(&self, error: &ServerError) -> Failure {
        self.failure(error.as_status(), &[], error, Came::UnderSuccess)
    }

    /// An answer in which there is none, though nothing is said of an error: the next one may be better.
    pub(crate) fn no_answer(&self, what: &str) -> Failure {
        Failure::Unavailable(format!("the server at {} {what}", self.host()))
    }

    fn failure(&self, status: u16, headers: &[(String, String)], error: &ServerError, came: Came) -> Failure {
        let host = self.host();
        // The host has taken the key out of what a server says.
        let says = match shortened_line(&error.message, SHOWN) {
            message if message.is_empty() => String::new(),
            message => format!(": {message}"),
        };
        let answered = match came {
            Came::AsStatus => format!("answered with status {status}"),
            Came::UnderSuccess => "answered with an error in place of an answer".to_owned(),
        };
        let after = retry_after(headers).or(error.retry_after);
        let limited = |after| Failure::RateLimited {
            message: format!("the server at {host} limits the rate{says}"),
            retry_after: after,
        };
        match status {
            402 if error.meaning() == Some(Meaning::Quota) => {
                Failure::OverBudget(format!("the quota at {host} is used up{says}"))
            }
            402 => Failure::OverBudget(format!("the server at {host} wants to be paid{says}")),
            429 => limited(after),
            503 | 529 if after.is_some() => limited(after),
            407 => {
                Failure::InvalidConfig(format!("a proxy before the server at {host} wants a user and a password{says}"))
            }
            408 | 409 | 425 | 500..=599 => Failure::Unavailable(format!("the server at {host} {answered}{says}")),
            // What the server says of a key, it may say with a part of the key.
            401 if error.is_about_keys() || error.names_a_key() => Failure::InvalidConfig(self.wants_key(status)),
            401 => Failure::InvalidConfig(format!("{}{says}", self.wants_key(status))),
            403 if error.is_about_keys() => Failure::InvalidConfig(self.wants_key(status)),
            403 if error.is_about_content() => {
                Failure::InvalidInput(format!("the server at {host} refuses what the request says{says}"))
            }
            403 if says.is_empty() => Failure::InvalidConfig(format!(
                "the server at {host} refuses the call (status 403) and does not say why: {}",
                match self.key_place() {
                    Some(place) => format!("perhaps what the key from {place} may do"),
                    None => "perhaps for want of a key, which `api_key_env` or `api_key_file` names".to_owned(),
                }
            )),
            403 => Failure::InvalidConfig(format!("the server at {host} refuses the call (status 403){says}")),
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
                let hint = remedy(error).map(|remedy| format!(" ({remedy})")).unwrap_or_default();
                Failure::InvalidInput(format!(
                    "the server at {host} does not take the request (status {status}){says}{hint}"
                ))
            }
        }
    }

    fn wants_key(&self, status: u16) -> String {
        let host = self.host();
        match self.key_place() {
            Some(place) => format!("the server at {host} does not take the key from {place} (status {status})"),
            None => format!("the server at {host} wants a key: name it with `api_key_env` or `api_key_file`"),
        }
    }

    /// The failure of an answer that cannot be used.
    pub(crate) fn invalid_answer(&self, what: &str) -> Failure {
        Failure::InvalidOutput(format!("the server at {} {what}", self.host()))
    }

    /// A body that is no JSON. One that is empty or cut off may be whole the next time.
    pub(crate) fn unparsed(&self, text: &str, why: NotJson) -> Failure {
        match why {
            NotJson::Empty => self.no_answer("answered nothing at all"),
            NotJson::CutOff => self.no_answer("broke its answer off"),
            NotJson::Other if event_stream::events(text).is_some() => {
                self.invalid_answer("answered a stream of events, which it was not asked for")
            }
            NotJson::Other => {
                self.invalid_answer(&format!("answered something that is not JSON: {}", shortened_line(text, 100)))
            }
        }
    }

    /// JSON that is no answer of this protocol.
    pub(crate) fn of_another_form(&self, answer: &Json<'_>, what: &str) -> Failure {
        self.invalid_answer(&format!(
            "answered JSON of another form, {what}: {}",
            shortened_line(&answer.to_json(), 100)
        ))
    }
}

/// An answer that the model would not give.
pub(crate) fn refusal(why: &str) -> Failure {
    Failure::InvalidOutput(format!("the model refused: {}", shortened_line(why, SHOWN)))
}

/// What to write into the configuration where a server does not know a parameter.
fn remedy(error: &ServerError) -> Option<String> {
    let is_unknown = error.codes.iter().any(|code| code.starts_with("unsupported"))
        || ["unsupported", "not supported", "does not support"].iter().any(|words| error.message.contains(words));
    let named = |parameter: &&&str| error.message.contains(&format!("'{parameter}'"));
    let parameter = error
        .parameter
        .as_deref()
        .or_else(|| ["max_tokens", "max_completion_tokens", "temperature", "seed", "stop"].iter().find(named).copied());
    match parameter.filter(|_| is_unknown)? {
        "max_tokens" => Some("say `max_tokens_field = \"max_completion_tokens\"` in `with`".to_owned()),
        "max_completion_tokens" => Some("say `max_tokens_field = \"max_tokens\"` in `with`".to_owned()),
        parameter @ ("temperature" | "seed" | "stop") => Some(format!("say `omit = [\"{parameter}\"]` in `with`")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jackfield_plugin_api::FailureKind;

    use super::*;
    use crate::testing::api;

    fn refused(status: u16, body: &str) -> Failure {
        api().refused(status, &[], body.as_bytes())
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
    fn a_403_suggests_a_key_only_where_it_is_about_one() {
        let message = |body| refused(403, body).message().to_owned();
        let moderated = refused(403, r#"{"error": {"code": 403, "message": "the input was flagged for harassment"}}"#);
        assert_eq!(
            moderated,
            Failure::InvalidInput(
                "the server at 127.0.0.1:9 refuses what the request says: the input was flagged for harassment"
                    .to_owned()
            )
        );
        assert_eq!(
            message("<html><title>Blocked</title><body>Ask <b>your</b> administrator</body>"),
            "the server at 127.0.0.1:9 refuses the call (status 403): Blocked Ask your administrator"
        );
        assert!(
            message(r#"{"error": {"message": "region is not served"}}"#)
                .ends_with("(status 403): region is not served")
        );
        assert!(message(r#"{"error": {"message": "Invalid API key"}}"#).contains("does not take the key from `"));
        assert!(message("").contains("does not say why: perhaps what the key from `"));
    }

    #[test]
    fn a_401_shows_what_is_not_said_of_a_key() {
        let message = |body| refused(401, body).message().to_owned();
        let member = message(r#"{"error": {"message": "be a member of an organization"}}"#);
        assert!(member.ends_with("(status 401): be a member of an organization"), "{member}");
        for body in [r#"{"error": "the key ab..yz is unknown"}"#, r#"{"error": "Unauthorized"}"#, ""] {
            assert!(message(body).ends_with("(status 401)"), "{body}");
        }
    }

    #[test]
    fn words_decide_where_the_status_says_too_little() {
        use FailureKind::{InvalidConfig, InvalidInput, OverBudget, RateLimited, Unavailable};
        for (status, body, kind) in [
            (400, r#"{"__type": "ThrottlingException", "message": "slow down"}"#, RateLimited),
            (400, r#"{"type": "error", "error": {"type": "overloaded_error", "message": "x"}}"#, Unavailable),
            (500, r#"{"error": {"type": "invalid_request_error", "message": "too many tokens"}}"#, InvalidInput),
            (500, r#"{"error": {"type": "authentication_error", "message": "x"}}"#, InvalidConfig),
            (500, r#"{"error": {"type": "api_error", "message": "x"}}"#, Unavailable),
            (403, r#"{"error": {"type": "billing_error", "message": "x"}}"#, OverBudget),
            (
                400,
                r#"{"error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}}"#,
                OverBudget,
            ),
            (429, r#"{"error": {"code": "1113", "message": "Insufficient balance, recharge"}}"#, OverBudget),
            (400, r#"{"error": {"status": "INVALID_ARGUMENT", "message": "API key not valid."}}"#, InvalidConfig),
        ] {
            assert_eq!(refused(status, body).kind(), kind, "{status} {body}");
        }
    }

    #[test]
    fn a_parameter_that_the_server_does_not_know_is_told_with_the_remedy() {
        let message = |body| refused(400, body).message().to_owned();
        let unknown = r#"{"error": {"message": "x", "param": "max_tokens", "code": "unsupported_parameter"}}"#;
        assert!(message(unknown).ends_with(": x (say `max_tokens_field = \"max_completion_tokens\"` in `with`)"));
        let value = r#"{"error": {"message": "'temperature' is not supported with this model"}}"#;
        assert!(message(value).ends_with("(say `omit = [\"temperature\"]` in `with`)"));
        assert!(!message(r#"{"error": {"message": "'temperature' is above 2"}}"#).contains("say"));
    }

    #[test]
    fn a_wait_is_handed_on() {
        let headers = [("retry-after".to_owned(), "2".to_owned())];
        for status in [429, 503, 529] {
            let Failure::RateLimited { retry_after: after, .. } = api().refused(status, &headers, b"") else {
                panic!("{status}")
            };
            assert_eq!(after, Some(Duration::from_secs(2)));
        }
        assert_eq!(api().refused(500, &headers, b"").kind(), FailureKind::Unavailable);
        let body = r#"{"error": {"details": [{"@type": "x/google.rpc.RetryInfo", "retryDelay": "7s"}]}}"#;
        assert_eq!(refused(429, body).retry_after(), Some(Duration::from_secs(7)));
    }
}
