//! What comes back.

use jackfield_plugin_api::prelude::*;

use super::{
    stream::Pieces,
    tool::{self, Tool},
};
use crate::http::{
    Api, ServerError,
    content::Content,
    event_stream,
    foreign_json::{Json, text_of},
    refusal,
};

/// Reads the answer of a call: the input of `tool` if there is one, otherwise the text.
///
/// # Errors
/// [`Failure::InvalidOutput`] if it is none or the model refused, [`Failure::Unavailable`] if the next one may be better, or
/// what an error in place of an answer means.
pub(super) fn parse(body: &[u8], tool: Option<&Tool<'_>>, api: &Api) -> Result<Completion> {
    let text = text_of(body);
    // Some gateways stream whatever is asked.
    let data = event_stream::events(&text);
    let events = data.iter().flatten().map(|event| Json::parse(event)).collect::<Result<Vec<_>, _>>();
    let events = events.map_err(|why| api.unparsed(&text, why))?;
    let pieces = match Pieces::of(&events) {
        Ok(pieces) => pieces,
        Err(error) => return Err(api.reported(&ServerError::in_success(error).unwrap_or_default())),
    };
    let answer = match &data {
        Some(_) if pieces.is_whole => pieces.answer(),
        Some(_) => return Err(api.no_answer("broke its answer off")),
        None => Json::parse(&text).map_err(|why| api.unparsed(&text, why))?,
    };
    if let Some(error) = ServerError::in_success(&answer) {
        return Err(api.reported(&error));
    }
    let blocks = answer.get("content");
    if blocks.is_null() {
        return Err(match answer.has("content") || answer.is_empty() {
            true => api.no_answer("answered without content"),
            false => api.of_another_form(&answer, "without `content`"),
        });
    }
    let mut content = Content::of(blocks);
    content.part_thoughts();
    let finish = match answer.get("stop_reason").text().unwrap_or_default() {
        "refusal" => return Err(refusal(content.text.as_deref().unwrap_or("it gave no reason"))),
        "error" => return Err(api.no_answer("broke its answer off (error)")),
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        _ if content.is_cut_off => FinishReason::Length,
        "" | "end_turn" | "stop_sequence" | "tool_use" => FinishReason::Stop,
        _ => FinishReason::Other,
    };
    let input = tool.and_then(|tool| input_of(blocks, tool));
    let text = input.or(content.text).unwrap_or_default();
    if text.trim().is_empty() && finish != FinishReason::Length {
        return Err(api.no_answer("answered without a text"));
    }
    let text = tool.and_then(|_| Json::mended(&text)).unwrap_or(text);
    let usage = usage_of(answer.get("usage"));
    let model = answer.get("model").words().map(str::to_owned);
    Ok(Completion { text, finish, usage, model, reasoning: content.thoughts, ..Completion::default() })
}

/// The input of the tool, which is the answer.
fn input_of(blocks: &Json<'_>, tool: &Tool<'_>) -> Option<String> {
    let blocks = if blocks.items().is_empty() { std::slice::from_ref(blocks) } else { blocks.items() };
    let used = blocks.iter().find(|block| block.get("type").text() == Some("tool_use"))?;
    match used.get("input") {
        Json::Null => None,
        // Some gateways hand the input on as the text that it is made of.
        Json::Text(input) => Some(input.clone().into_owned()),
        // One that is cut, or put without the wrapping, stays: the host sees whether it fits.
        input if tool.wrapped && input.has(tool::NAME) => Some(input.get(tool::NAME).to_json()),
        input => Some(input.to_json()),
    }
}

/// Tokens as the server counts them. What it does not count, it says as 0, and the host counts.
fn usage_of(usage: &Json<'_>) -> Option<Usage> {
    let count = |key| usage.get(key).count().unwrap_or_default();
    let (cached_input, cache_write) = (count("cache_read_input_tokens"), count("cache_creation_input_tokens"));
    // What it read from its cache, or put there, it does not count among the tokens of the input.
    let input = count("input_tokens").saturating_add(cached_input).saturating_add(cache_write);
    matches!(usage, Json::Object(_)).then(|| Usage {
        cached_input,
        cache_write,
        ..Usage::new(input, count("output_tokens"))
    })
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
                usage: Some(Usage { cached_input: 3, ..Usage::new(10, 2) }),
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
        for invalid_answer in ["[1]", "x", r#"{"choices": []}"#] {
            assert!(
                matches!(parse(invalid_answer.as_bytes(), None, &api()), Err(Failure::InvalidOutput(_))),
                "{invalid_answer}"
            );
        }
        let blank = r#"{"content": [{"type": "text", "text": "\n "}], "stop_reason": "end_turn"}"#;
        let given_up = r#"{"content": [{"type": "text", "text": "ha"}], "stop_reason": "error"}"#;
        for unfinished in ["", "{}", "[]", r#"{"content": null}"#, r#"{"content": [{"ty"#, blank, given_up] {
            assert!(matches!(parse(unfinished.as_bytes(), None, &api()), Err(Failure::Unavailable(_))), "{unfinished}");
        }
    }

    /// A stream of these events, as the API sends it.
    fn stream(events: &[Value]) -> String {
        let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
        events.iter().map(event).collect()
    }

    #[test]
    fn a_stream_that_nobody_asked_for_is_put_together() {
        let start = json!({ "type": "message_start", "message": {
            "model": "tiny-1", "content": [], "stop_reason": null, "usage": { "input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 1 },
        } });
        let begins =
            |index: u32, block: Value| json!({ "type": "content_block_start", "index": index, "content_block": block });
        let goes_on =
            |index: u32, delta: Value| json!({ "type": "content_block_delta", "index": index, "delta": delta });
        let ends = |reason: &str| json!({ "type": "message_delta", "delta": { "stop_reason": reason }, "usage": { "output_tokens": 2 } });
        let said = [
            start.clone(),
            begins(0, json!({ "type": "thinking", "thinking": "" })),
            json!({ "type": "ping" }),
            goes_on(0, json!({ "type": "thinking_delta", "thinking": "two and " })),
            goes_on(0, json!({ "type": "thinking_delta", "thinking": "two" })),
            goes_on(0, json!({ "type": "signature_delta", "signature": "x" })),
            begins(1, json!({ "type": "text", "text": "" })),
            goes_on(1, json!({ "type": "text_delta", "text": "fo" })),
            goes_on(1, json!({ "type": "text_delta", "text": "ur" })),
            ends("end_turn"),
            json!({ "type": "message_stop" }),
        ];
        let expected = Completion {
            text: "four".into(),
            usage: Some(Usage { cached_input: 3, ..Usage::new(10, 2) }),
            model: Some("tiny-1".into()),
            reasoning: Some("two and two".into()),
            ..Completion::default()
        };
        assert_eq!(parse(stream(&said).as_bytes(), None, &api()), Ok(expected));
        let broken = parse(stream(&said[..9]).as_bytes(), None, &api()).unwrap_err();
        assert_eq!(broken, Failure::Unavailable("the server at 127.0.0.1:9 broke its answer off".into()));

        let list = json!({ "type": "array" });
        let used = [
            start.clone(),
            begins(0, json!({ "type": "tool_use", "id": "t", "name": "answer", "input": {} })),
            goes_on(0, json!({ "type": "input_json_delta", "partial_json": "{\"answer\": [1," })),
            goes_on(0, json!({ "type": "input_json_delta", "partial_json": " 2]}" })),
            ends("tool_use"),
        ];
        assert_eq!(parse(stream(&used).as_bytes(), Some(&Tool::new(&list)), &api()).unwrap().text, "[1,2]");

        let failed = [start, json!({ "type": "error", "error": { "type": "overloaded_error", "message": "busy" } })];
        let failure = parse(stream(&failed).as_bytes(), None, &api()).unwrap_err();
        assert_eq!(failure.message(), "the server at 127.0.0.1:9 answered with an error in place of an answer: busy");
    }

    #[test]
    fn thoughts_are_handed_on_apart() {
        let thinking = json!({ "type": "thinking", "thinking": "two and {two}", "signature": "x" });
        let redacted = json!({ "type": "redacted_thinking", "data": "x" });
        let content = json!([thinking, redacted, { "type": "text", "text": "4" }]);
        let completion = answer(content, "end_turn", None).unwrap();
        assert_eq!((completion.text.as_str(), completion.reasoning.as_deref()), ("4", Some("two and {two}")));

        let tagged = answer(json!([{ "type": "text", "text": "<think>two and {two}</think>4" }]), "end_turn", None);
        assert_eq!(tagged, Ok(completion));
        let cut_off = answer(json!([thinking]), "max_tokens", None).unwrap();
        assert_eq!((cut_off.text.as_str(), cut_off.finish), ("", FinishReason::Length));
        assert!(matches!(answer(json!([redacted]), "end_turn", None), Err(Failure::Unavailable(_))));
    }

    #[test]
    fn an_error_in_place_of_an_answer_is_what_it_says() {
        use jackfield_plugin_api::FailureKind::{InvalidConfig, InvalidInput, RateLimited, Unavailable};
        for (code, kind) in [
            ("overloaded_error", Unavailable),
            ("api_error", Unavailable),
            ("timeout_error", Unavailable),
            ("rate_limit_error", RateLimited),
            ("invalid_request_error", InvalidInput),
            ("authentication_error", InvalidConfig),
            ("permission_error", InvalidConfig),
            ("not_found_error", InvalidConfig),
        ] {
            let body = json!({ "type": "error", "error": { "type": code, "message": "for a reason" } });
            let failure = parse(body.to_string().as_bytes(), None, &api()).unwrap_err();
            assert_eq!(failure.kind(), kind, "{code}");
            assert!(code == "authentication_error" || failure.message().contains("for a reason"), "{failure:?}");
        }
    }

    #[test]
    fn oddities_cost_no_answer() {
        for body in [
            "\u{feff}{\"content\": [{\"type\": \"text\", \"text\": \"4\", \"citations\": NaN}], \"usage\": {\"input_tokens\": \"5\"}}",
            r#"{"content": "4", "stop_reason": null, "stop_reason": "end_turn", "usage": {"input_tokens": 5.0}}"#,
            r#"{"content": {"type": "text", "text": "4"}, "usage": {"input_tokens": 5, "output_tokens": -1}}"#,
        ] {
            let completion = parse(body.as_bytes(), None, &api()).unwrap();
            assert_eq!((completion.text.as_str(), completion.usage), ("4", Some(Usage::new(5, 0))), "{body}");
        }
        let object = json!({ "type": "object" });
        let body = r#"{"content": [{"type": "tool_use", "input": {"b": 1.0, "a": "\ud83d", "c": Infinity}}]}"#;
        let completion = parse(body.as_bytes(), Some(&Tool::new(&object)), &api()).unwrap();
        assert_eq!(completion.text, "{\"b\":1.0,\"a\":\"\u{fffd}\",\"c\":null}");
    }
}
