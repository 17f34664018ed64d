//! The error that a server reports in the body of an answer, under whatever status.

use std::time::Duration;

use super::{
    foreign_json::{Json, text_of},
    meaning::Meaning,
    retry_after::wait_of,
    text::page_text,
};

/// An error as a server words it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ServerError {
    /// What is wrong; empty if the server does not say.
    pub(crate) message: String,
    /// Machine-readable codes and types, as far as there are any.
    pub(crate) codes: Vec<String>,
    /// The parameter of the request that is at fault, where the server names it.
    pub(crate) parameter: Option<String>,
    /// A status within the body, as some gateways send it.
    pub(crate) status: Option<u16>,
    /// The wait that is asked for within the body, as Google's servers do.
    pub(crate) retry_after: Option<Duration>,
}

/// Keys that servers put their words under, the usual one first.
const MESSAGES: [&str; 7] = ["message", "detail", "error_description", "title", "msg", "Message", "error"];
/// Keys that servers put codes and types under.
const CODES: [&str; 6] = ["code", "type", "status", "error_type", "error_code", "__type"];

impl ServerError {
    /// Parses the body of an answer that is no success: `{"error": {"message", "code", "type"}}` and its relatives. A web page
    /// counts as its text; whatever else it is counts as the message.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let text = text_of(body);
        match Json::parse(&text) {
            Ok(value @ (Json::Object(_) | Json::List(_))) => Self::within(&value),
            _ if text.trim_start().starts_with('<') => Self { message: page_text(&text), ..Self::default() },
            _ => Self { message: text.trim().trim_matches('"').to_owned(), ..Self::default() },
        }
    }

    /// The error that a body holds in place of an answer, although its status says success. `None` if it says nothing of one.
    pub(crate) fn in_success(answer: &Json<'_>) -> Option<Self> {
        // Google's servers put the one error into a list.
        let answer = answer.items().first().unwrap_or(answer);
        let choice = answer.get("choices").items().first().unwrap_or(&Json::Null);
        let has_no_answer = ["choices", "content", "output"].iter().all(|key| answer.get(key).is_empty());
        let reported = [answer.get("error"), choice.get("error"), choice.get("message").get("error")];
        let is_one = |error: &Json<'_>| !error.is_empty() && (has_no_answer || !says_nothing(error));
        if let Some(error) = reported.into_iter().find(|&error| is_one(error)) {
            return Some(Self::from_value(error));
        }
        let names_itself = ["object", "type"].iter().any(|key| answer.get(key).text() == Some("error"));
        let complains = ["errors", "detail"].iter().any(|key| !answer.get(key).is_empty())
            || ["message", "msg"].iter().any(|key| answer.get(key).words().is_some());
        if names_itself || has_no_answer && complains {
            return Some(Self::within(answer));
        }
        let ended = choice.get("finish_reason").text().or_else(|| choice.get("native_finish_reason").text());
        ended.is_some_and(|reason| reason.eq_ignore_ascii_case("error")).then(Self::default)
    }

    /// The error of a body that is one.
    fn within(body: &Json<'_>) -> Self {
        let body = body.items().first().unwrap_or(body);
        let errors = body.get("errors");
        let candidates = [body.get("error"), errors.items().first().unwrap_or(errors)];
        let mut error = Self::from_value(candidates.into_iter().find(|error| !error.is_empty()).unwrap_or(body));
        // What stands beside it: `{"error": "busy", "code": 503}`.
        if !body.get("error").is_empty() {
            let beside = Self::codes_of(body);
            error.status = error.status.or_else(|| Self::status_of(body));
            error.codes.extend(beside);
        }
        error
    }

    /// The error in the value under `error`.
    fn from_value(error: &Json<'_>) -> Self {
        let said = MESSAGES.iter().find_map(|key| match error.get(key) {
            Json::Text(text) => Some(text.clone().into_owned()),
            Json::Null => None,
            // FastAPI: a list of what is wrong where.
            other => Some(other.get("message").text().map_or_else(|| other.to_json(), str::to_owned)),
        });
        let mut message = said.unwrap_or_else(|| match error {
            Json::Text(text) => text.clone().into_owned(),
            Json::Null => String::new(),
            other => other.to_json(),
        });
        // Routers say that a provider failed, and beside it what that one said.
        if let Some(raw) = error.get("metadata").get("raw").words() {
            message = format!("{message}: {raw}");
        }
        Self {
            message,
            codes: Self::codes_of(error),
            parameter: error.get("param").words().map(str::to_owned),
            status: Self::status_of(error),
            retry_after: Self::retry_after_of(error),
        }
    }

    /// The wait of a `RetryInfo` among the details.
    fn retry_after_of(error: &Json<'_>) -> Option<Duration> {
        let delay = |detail: &Json<'_>| {
            let is_one = detail.get("@type").text().is_some_and(|name| name.ends_with("google.rpc.RetryInfo"));
            wait_of(detail.get("retryDelay").text().filter(|_| is_one)?.trim(), 1.0)
        };
        error.get("details").items().iter().find_map(delay)
    }

    fn codes_of(error: &Json<'_>) -> Vec<String> {
        let inner = error.get("innererror").get("code").words();
        let code = |key: &&str| match error.get(key) {
            Json::Number(number) => Some(&**number),
            code => code.words(),
        };
        CODES.iter().filter_map(code).chain(inner).map(str::to_owned).collect()
    }

    fn status_of(error: &Json<'_>) -> Option<u16> {
        let number =
            |key: &&str| u16::try_from(error.get(key).count()?).ok().filter(|status| (400..600).contains(status));
        ["code", "status", "status_code", "http_status", "http_code"].iter().find_map(number)
    }

    /// What its words mean, as far as they are known.
    pub(crate) fn meaning(&self) -> Option<Meaning> {
        let of_codes = Meaning::of_codes(&self.codes);
        match Meaning::of_message(&self.message) {
            Some(Meaning::Quota) => Some(Meaning::Quota),
            Some(meaning) if matches!(of_codes, None | Some(Meaning::Request)) => Some(meaning),
            _ => of_codes,
        }
    }

    /// The status that says as much as this error does under a status that says success.
    pub(crate) fn as_status(&self) -> u16 {
        let of_long_code = || {
            let mut codes = self.codes.iter().filter_map(|code| code.parse::<u16>().ok());
            codes.find(|code| (40_000..60_000).contains(code)).map(|code| code / 100)
        };
        let meaning = self.meaning();
        let status = self.status.map(|status| meaning.map_or(status, |meaning| meaning.corrected(status)));
        // Whoever answers with an error under 200 stands between: the server behind it is away.
        status.or_else(|| meaning.map(Meaning::status)).or_else(of_long_code).unwrap_or(502)
    }

    /// Whether it is about the key, or the lack of one.
    pub(crate) fn is_about_keys(&self) -> bool {
        if self.meaning() == Some(Meaning::Key) {
            return true;
        }
        let message = self.message.to_lowercase();
        [
            "api key",
            "api-key",
            "api_key",
            "apikey",
            "credential",
            "authenticat",
            "access token",
            "bearer",
            "unauthorized",
        ]
        .iter()
        .any(|words| message.contains(words))
    }

    /// Whether it may show a part of a key.
    pub(crate) fn names_a_key(&self) -> bool {
        let message = self.message.to_lowercase();
        ["key", "token", "secret"].iter().any(|word| message.contains(word))
    }

    /// Whether it is about what the prompt says.
    pub(crate) fn is_about_content(&self) -> bool {
        let message = self.message.to_lowercase();
        self.meaning() == Some(Meaning::Content)
            || ["flagged", "moderation", "content policy", "content filter", "safety"]
                .iter()
                .any(|words| message.contains(words))
    }
}

/// Whether what stands under `error` says that there is none: nothing, zero, or a list or an object of nothing else.
fn says_nothing(error: &Json<'_>) -> bool {
    match error {
        Json::Number(_) => error.count() == Some(0),
        Json::List(items) => items.iter().all(says_nothing),
        Json::Object(entries) => entries.iter().all(|(_, value)| says_nothing(value)),
        _ => error.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_success(body: &str) -> Option<ServerError> {
        ServerError::in_success(&Json::parse(body).unwrap())
    }

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
            (r#"{"detail": {"message": "field required"}}"#, "field required"),
            (
                r#"[{"error": {"code": 400, "message": "no such field", "status": "INVALID_ARGUMENT"}}]"#,
                "no such field",
            ),
            (r#"{"success": false, "errors": [{"code": 7003, "message": "no route"}]}"#, "no route"),
            (r#"{"error": {"message": "provider", "metadata": {"raw": "it is away"}}}"#, "provider: it is away"),
            ("<h1>Bad Gateway</h1>", "Bad Gateway"),
            ("upstream is away\n", "upstream is away"),
            ("", ""),
            ("null", "null"),
        ] {
            assert_eq!(ServerError::parse(body.as_bytes()).message, message, "{body}");
        }
    }

    #[test]
    fn codes_and_statuses_are_kept() {
        let error =
            ServerError::parse(br#"{"error": {"message": "x", "type": "requests", "code": "insufficient_quota"}}"#);
        assert_eq!(error.codes, ["insufficient_quota", "requests"]);
        assert_eq!(ServerError::parse(br#"{"error": {"message": "x", "code": 429}}"#).status, Some(429));
        assert_eq!(ServerError::parse(br#"{"error": {"message": "x", "code": "503"}}"#).status, Some(503));
        assert_eq!(ServerError::parse(br#"{"error": {"message": "x", "code": 7}}"#).status, None);
        assert_eq!(ServerError::parse(br#"{"error": "busy", "status": 503}"#).status, Some(503));
        let details = r#"[{"@type": "type.googleapis.com/google.rpc.Help"}, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]"#;
        let waits = ServerError::parse(format!(r#"[{{"error": {{"code": 429, "details": {details}}}}}]"#).as_bytes());
        assert_eq!((waits.status, waits.retry_after), (Some(429), Some(Duration::from_millis(34_500))));
        let named = ServerError::parse(br#"{"error": {"message": "x", "param": "temperature"}}"#);
        assert_eq!(named.parameter.as_deref(), Some("temperature"));
    }

    #[test]
    fn an_error_under_a_success_is_found_wherever_it_stands() {
        for (body, status) in [
            (r#"{"error": {"message": "x", "code": 429}, "choices": []}"#, 429),
            (r#"{"error": "the server is busy"}"#, 502),
            (r#"{"choices": [{"error": {"message": "x", "code": 503}, "message": {"content": "half"}}]}"#, 503),
            (r#"{"choices": [{"finish_reason": "error", "message": {"content": ""}}]}"#, 502),
            (r#"{"choices": [{"finish_reason": "ERROR", "message": {"content": "half"}}]}"#, 502),
            (r#"{"object": "error", "message": "x", "type": "BadRequestError", "code": 400}"#, 400),
            (r#"{"object": "error", "message": "x", "code": 50001}"#, 500),
            (r#"{"type": "error", "error": {"type": "overloaded_error", "message": "x"}}"#, 529),
            (r#"{"type": "error", "error": {"type": "rate_limit_error", "message": "x"}}"#, 429),
            (r#"{"type": "error", "error": {"type": "api_error", "message": "x"}}"#, 500),
            (r#"{"type": "error", "error": {"type": "authentication_error", "message": "x"}}"#, 401),
            (r#"{"type": "error", "error": {"type": "invalid_request_error", "message": "x"}}"#, 400),
            (r#"[{"error": {"message": "x", "status": "UNAVAILABLE"}}]"#, 500),
            (r#"{"detail": "x"}"#, 502),
            (r#"{"choices": [], "message": "x"}"#, 502),
            (r#"{"error": {"message": null}}"#, 502),
            (r#"{"error": {"message": "Insufficient Balance", "code": 429}}"#, 402),
        ] {
            assert_eq!(in_success(body).map(|error| error.as_status()), Some(status), "{body}");
        }
        for answer in [
            r#"{"error": null, "choices": [{"message": {"content": "x"}, "error": null, "finish_reason": "stop"}]}"#,
            r#"{"error": {}, "choices": [{"message": {"content": "an error"}}]}"#,
            r#"{"type": "message", "content": [], "error": ""}"#,
            r#"{"error": 0, "choices": [{"message": {"content": "x"}}]}"#,
            r#"{"error": {"code": 0, "message": ""}, "choices": [{"message": {"content": "x"}}]}"#,
            r#"{"error": {"message": null}, "choices": [{"message": {"content": "x"}, "error": false}]}"#,
            r#"{"error": [], "content": [{"type": "text", "text": "x"}]}"#,
            r#"{"message": {"content": "another protocol"}, "done": true}"#,
            "{}",
        ] {
            assert_eq!(in_success(answer), None, "{answer}");
        }
    }
}
