//! What comes back.

use std::{borrow::Cow, fmt};

use jackfield_plugin_api::prelude::*;
use reqwest::header::HeaderMap;
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::Value;

use crate::http::{Api, ServerError, counts, unfenced};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default, deserialize_with = "counts::usage")]
    usage: Option<Tokens>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Option<Turn<'a>>,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Turn<'a> {
    content: Option<Content>,
    #[serde(borrow)]
    refusal: Option<Cow<'a, str>>,
    /// What some servers hand on of a model's thoughts.
    reasoning_content: Option<Value>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default, deserialize_with = "counts::tokens")]
    prompt_tokens: Option<u64>,
    #[serde(default, deserialize_with = "counts::tokens")]
    completion_tokens: Option<u64>,
}

/// A text, or parts of which some are text.
struct Content(String);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of parts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Content, E> {
                Ok(Content(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
                let mut text = String::new();
                while let Some(part) = parts.next_element::<Value>()? {
                    text.push_str(part.get("text").and_then(Value::as_str).unwrap_or_default());
                }
                Ok(Content(text))
            }
        }

        deserializer.deserialize_any(Texts)
    }
}

/// Reads the answer of a call. `json` says that JSON was asked for.
///
/// # Errors
/// [`Failure::InvalidOutput`] if there is none or the model refused, or what an error in place of an answer means.
pub(super) fn parse(body: &[u8], json: bool, api: &Api) -> Result<Completion> {
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|error| api.unparsed(body, &error))?;
    let Some(choice) = answer.choices.and_then(|choices| choices.into_iter().next()) else {
        // Gateways send the failure of a server behind them as a success.
        return Err(match answer.error.as_ref().map(ServerError::from_value) {
            Some(error) => api.failure(error.status.unwrap_or(500), &HeaderMap::new(), &error),
            None => api.invalid_answer("answered without choices"),
        });
    };
    let finish = match choice.finish_reason.as_deref() {
        None | Some("" | "stop" | "eos" | "end_turn" | "stop_sequence") => FinishReason::Stop,
        Some("length" | "max_tokens") => FinishReason::Length,
        Some(_) => FinishReason::Other,
    };
    let filtered = choice.finish_reason.as_deref() == Some("content_filter");
    let (text, refusal, thoughts) = match choice.message {
        Some(Turn { content, refusal, reasoning_content }) => {
            (content.map(|content| content.0), refusal, reasoning_content)
        }
        None => (None, None, None),
    };
    if let Some(refusal) = refusal.filter(|refusal| !refusal.is_empty()) {
        return Err(api.refusal(&refusal));
    }
    let text = match text {
        Some(text) if !(filtered && text.is_empty()) => text,
        _ if filtered => return Err(api.refusal("its answer was filtered")),
        // A model that spent all its tokens on thought.
        _ if finish == FinishReason::Length => String::new(),
        _ => return Err(api.invalid_answer("answered without a text")),
    };
    let text = match json.then(|| unfenced(&text)) {
        Some(inner) if inner.len() < text.len() => inner.to_owned(),
        _ => text,
    };
    // What it does not count, it says as 0, and the host counts.
    let usage = answer.usage.map(|usage| Usage {
        input: usage.prompt_tokens.unwrap_or_default(),
        output: usage.completion_tokens.unwrap_or_default(),
    });
    let model = answer.model.map(Cow::into_owned);
    let reasoning = thoughts.as_ref().and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(api.scrub(Completion { text, finish, usage, model, reasoning, ..Completion::default() }))
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::FailureKind;
    use serde_json::json;

    use super::*;
    use crate::testing::api;

    fn answer(message: Value, finish: Value) -> Result<Completion> {
        let body = json!({
            "id": "x", "object": "chat.completion", "model": "tiny-2026", "created": 1,
            "choices": [{ "index": 0, "message": message, "finish_reason": finish, "logprobs": null }],
            "usage": { "prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9 },
        });
        parse(body.to_string().as_bytes(), true, &api())
    }

    #[test]
    fn text_ending_tokens_and_model_are_read() {
        for (reason, finish) in [
            (json!("stop"), FinishReason::Stop),
            (json!("length"), FinishReason::Length),
            (json!("content_filter"), FinishReason::Other),
            (Value::Null, FinishReason::Stop),
        ] {
            let completion = answer(json!({ "role": "assistant", "content": "\u{e9}\n\"so\"" }), reason).unwrap();
            assert_eq!(
                completion,
                Completion {
                    text: "\u{e9}\n\"so\"".into(),
                    finish,
                    usage: Some(Usage { input: 7, output: 2 }),
                    model: Some("tiny-2026".into()),
                    ..Completion::default()
                }
            );
        }
    }

    #[test]
    fn a_key_that_the_server_repeats_is_in_no_answer() {
        let body = json!({
            "model": "tiny for sk-very-secret",
            "choices": [{ "message": { "content": "you are sk-very-secret" }, "finish_reason": "stop" }],
        });
        let completion = parse(body.to_string().as_bytes(), false, &api()).unwrap();
        assert_eq!((completion.text.as_str(), completion.model.as_deref()), ("you are [key]", Some("tiny for [key]")));
    }

    #[test]
    fn a_refusal_is_a_failure_with_its_reason() {
        for (message, finish, why) in [
            (json!({ "content": null, "refusal": "I cannot do that." }), "stop", "I cannot do that."),
            (json!({ "content": null }), "content_filter", "its answer was filtered"),
            (json!({ "content": "" }), "content_filter", "its answer was filtered"),
        ] {
            assert_eq!(
                answer(message, json!(finish)),
                Err(Failure::InvalidOutput(format!("the model refused: {why}")))
            );
        }
    }

    #[test]
    fn lesser_forms_are_understood() {
        let parts = json!({ "content": [{ "type": "thinking" }, { "type": "text", "text": "{}" }] });
        assert_eq!(answer(parts, json!("stop")).unwrap().text, "{}");
        assert_eq!(answer(json!({ "content": "```json\n{}\n```" }), json!("stop")).unwrap().text, "{}");
        assert_eq!(answer(json!({ "content": null }), json!("length")).unwrap().finish, FinishReason::Length);
        let bare = parse(br#"{"choices": [{"message": {"content": "x"}}]}"#, false, &api()).unwrap();
        assert_eq!((bare.usage, bare.model), (None, None));
    }

    #[test]
    fn thoughts_that_are_apart_are_handed_on_apart() {
        let thoughts = |value: Value| {
            let message = json!({ "content": "4", "reasoning_content": value });
            let completion = answer(message, json!("stop")).unwrap();
            assert_eq!(completion.text, "4");
            completion.reasoning
        };
        assert_eq!(thoughts(json!("two and two")).as_deref(), Some("two and two"));
        assert_eq!(thoughts(json!("sk-very-secret")).as_deref(), Some("[key]"));
        for none in [json!(""), json!(null), json!({ "summary": "x" })] {
            assert_eq!(thoughts(none), None);
        }
    }

    #[test]
    fn what_is_not_an_answer_is_described() {
        let message = |body: &str| match parse(body.as_bytes(), false, &api()) {
            Err(Failure::InvalidOutput(message)) => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(message("<html>"), "the server at 127.0.0.1:9 answered something that is not JSON: <html>");
        assert!(message("").contains("answered something that is not JSON"));
        assert!(message("[]").contains("answered JSON of another form"));
        assert!(message(r#"{"choices": 1}"#).contains("answered JSON of another form"));
        for none in [r#"{"choices": []}"#, r#"{"choices": null}"#, "{}"] {
            assert_eq!(message(none), "the server at 127.0.0.1:9 answered without choices");
        }
        assert!(message(r#"{"choices": [{}]}"#).contains("without a text"));
    }

    #[test]
    fn an_error_in_place_of_an_answer_counts_as_its_own_status() {
        let kind = |body: &str| parse(body.as_bytes(), false, &api()).unwrap_err().kind();
        assert_eq!(kind(r#"{"error": {"message": "slow down", "code": 429}}"#), FailureKind::RateLimited);
        assert_eq!(kind(r#"{"error": {"message": "upstream"}}"#), FailureKind::Unavailable);
    }
}
