//! What comes back.

use std::borrow::Cow;

use jackfield_plugin_api::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::tool::Tool;
use crate::http::{Api, counts};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<Vec<Block<'a>>>,
    #[serde(borrow)]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "counts::usage")]
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default, deserialize_with = "counts::tokens")]
    input_tokens: Option<u64>,
    #[serde(default, deserialize_with = "counts::tokens")]
    output_tokens: Option<u64>,
    #[serde(default, deserialize_with = "counts::tokens")]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default, deserialize_with = "counts::tokens")]
    cache_read_input_tokens: Option<u64>,
}

/// The input of a tool that stands around the answer.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    answer: &'a RawValue,
}

/// Reads the answer of a call: the input of `tool` if there is one, otherwise the text.
///
/// # Errors
/// [`Failure::InvalidOutput`] if there is none or the model refused.
pub(super) fn parse(body: &[u8], tool: Option<&Tool<'_>>, api: &Api) -> Result<Completion> {
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|error| api.unparsed(body, &error))?;
    let Some(blocks) = answer.content else { return Err(api.invalid_answer("answered without content")) };
    let text =
        || blocks.iter().filter(|block| block.r#type == "text").filter_map(|block| block.text.as_deref()).collect();
    let finish = match answer.stop_reason.as_deref() {
        None | Some("end_turn" | "stop_sequence" | "tool_use") => FinishReason::Stop,
        Some("max_tokens" | "model_context_window_exceeded") => FinishReason::Length,
        Some("refusal") => {
            let said: String = text();
            return Err(api.refusal(if said.is_empty() { "it gave no reason" } else { &said }));
        }
        Some(_) => FinishReason::Other,
    };
    let used = blocks.iter().filter(|block| block.r#type == "tool_use").find_map(|block| block.input);
    let text: String = match (tool, used) {
        (Some(tool), Some(input)) if tool.wrapped => match serde_json::from_str::<Wrapped<'_>>(input.get()) {
            Ok(wrapped) => wrapped.answer.get().to_owned(),
            // Cut, or put without the wrapping: the host sees whether it fits.
            Err(_) => input.get().to_owned(),
        },
        (Some(_), Some(input)) => input.get().to_owned(),
        _ => text(),
    };
    if text.is_empty() && finish != FinishReason::Length {
        return Err(api.invalid_answer("answered without a text"));
    }
    let usage = answer.usage.map(|usage| {
        let cached =
            usage.cache_creation_input_tokens.unwrap_or(0).saturating_add(usage.cache_read_input_tokens.unwrap_or(0));
        Usage {
            input: usage.input_tokens.unwrap_or_default().saturating_add(cached),
            output: usage.output_tokens.unwrap_or_default(),
        }
    });
    let model = answer.model.map(Cow::into_owned);
    Ok(api.scrub(Completion { text, finish, usage, model, ..Completion::default() }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::api;

    fn answer(content: Value, stop: &str, tool: Option<&Tool<'_>>) -> Result<Completion> {
        let body = json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "tiny-1", "content": content,
            "stop_reason": stop, "stop_sequence": null,
            "usage": { "input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 2 },
        });
        parse(body.to_string().as_bytes(), tool, &api())
    }

    #[test]
    fn a_key_that_the_server_repeats_is_in_no_answer() {
        let body = json!({
            "model": "sk-very-secret", "content": [{ "type": "text", "text": "by sk-very-secret" }], "stop_reason": "end_turn",
        });
        let completion = parse(body.to_string().as_bytes(), None, &api()).unwrap();
        assert_eq!((completion.text.as_str(), completion.model.as_deref()), ("by [key]", Some("[key]")));
    }

    #[test]
    fn text_ending_tokens_and_model_are_read() {
        for (stop, finish) in [
            ("end_turn", FinishReason::Stop),
            ("stop_sequence", FinishReason::Stop),
            ("max_tokens", FinishReason::Length),
            ("pause_turn", FinishReason::Other),
        ] {
            let content = json!([{ "type": "text", "text": "It is " }, { "type": "text", "text": "so." }]);
            let expected = Completion {
                text: "It is so.".into(),
                finish,
                usage: Some(Usage { input: 10, output: 2 }),
                model: Some("tiny-1".into()),
                ..Completion::default()
            };
            assert_eq!(answer(content, stop, None), Ok(expected));
        }
    }

    #[test]
    fn the_input_of_the_tool_is_the_answer() {
        let used = |input: Value| json!([{ "type": "text", "text": "I say" }, { "type": "tool_use", "input": input }]);
        let object = json!({ "type": "object" });
        let text = answer(used(json!({ "a": [1] })), "tool_use", Some(&Tool::new(&object))).unwrap().text;
        assert_eq!(text, r#"{"a":[1]}"#);
        let list = json!({ "type": "array" });
        let list = Tool::new(&list);
        assert_eq!(answer(used(json!({ "answer": [1] })), "tool_use", Some(&list)).unwrap().text, "[1]");
        assert_eq!(answer(used(json!({ "other": 1 })), "tool_use", Some(&list)).unwrap().text, r#"{"other":1}"#);
    }

    #[test]
    fn refusals_and_empty_answers_are_failures() {
        let refused = |content| answer(content, "refusal", None).unwrap_err().message().to_owned();
        assert_eq!(refused(json!([])), "the model refused: it gave no reason");
        assert_eq!(refused(json!([{ "type": "text", "text": "No." }])), "the model refused: No.");
        assert!(answer(json!([]), "end_turn", None).unwrap_err().message().contains("without a text"));
        assert_eq!(answer(json!([]), "max_tokens", None).unwrap().finish, FinishReason::Length);
        for invalid_answer in ["{}", "[]", "x", ""] {
            assert!(
                matches!(parse(invalid_answer.as_bytes(), None, &api()), Err(Failure::InvalidOutput(_))),
                "{invalid_answer}"
            );
        }
    }
}
