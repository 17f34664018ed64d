//! What comes back.

use jackfield_plugin_api::prelude::*;

use super::stream::assembled;
use crate::http::{
    Api, ServerError,
    content::Content,
    event_stream,
    foreign_json::{Json, text_of},
    refusal, unfenced,
};

/// Why a text ended.
enum Ending {
    /// As the contract has it.
    Finish(FinishReason),
    /// A filter cut it.
    Filtered,
    /// The server gave up.
    GivenUp(String),
}

/// Reads the answer of a call. `json` says that JSON was asked for.
///
/// # Errors
/// [`Failure::InvalidOutput`] if it is none or the model refused, [`Failure::Unavailable`] if the next one may be better, or
/// what an error in place of an answer means.
pub(super) fn parse(body: &[u8], json: bool, api: &Api) -> Result<Completion> {
    let text = text_of(body);
    let events = event_stream::events(&text);
    let answer = match &events {
        Some(events) => {
            let chunks = events.iter().map(|event| Json::parse(event)).collect::<Result<_, _>>();
            let answer = assembled(chunks.map_err(|why| api.unparsed(&text, why))?);
            let reason = answer.get("choices").items().first().map(|choice| choice.get("finish_reason"));
            let is_whole = event_stream::has_end(&text) || reason.is_some_and(|reason| !reason.is_null());
            if !is_whole && ServerError::in_success(&answer).is_none() {
                return Err(api.no_answer("broke its answer off"));
            }
            answer
        }
        None => Json::parse(&text).map_err(|why| api.unparsed(&text, why))?,
    };
    // Gateways send the failure of a server behind them as a success.
    if let Some(error) = ServerError::in_success(&answer) {
        return Err(api.reported(&error));
    }
    let choice = choice_of(&answer, api)?;
    let ending = ending_of(choice);
    let message = ["message", "delta"].into_iter().map(|key| choice.get(key)).find(|message| !message.is_null());
    let message = message.unwrap_or(&Json::Null);
    let mut content = Content::of(message.get("content"));
    if let Some(why) = message.get("refusal").words().or(content.refusal.as_deref()) {
        return Err(refusal(why));
    }
    content.part_thoughts();
    if content.is_blank()
        && json
        && let Some(answer) = parsed_of(message.get("content")).or_else(|| arguments_of(message))
    {
        content.text = Some(answer);
    }
    let finish = match ending {
        Ending::GivenUp(reason) => return Err(api.no_answer(&format!("broke its answer off ({reason})"))),
        Ending::Filtered if content.is_blank() => return Err(refusal("its answer was filtered")),
        Ending::Filtered => FinishReason::Other,
        Ending::Finish(_) if content.is_cut_off => FinishReason::Length,
        Ending::Finish(finish) => finish,
    };
    let reasoning = ["reasoning_content", "reasoning"].iter().find_map(|key| message.get(key).words());
    let reasoning = reasoning.map(str::to_owned).or(content.thoughts);
    let text = match content.text {
        Some(text) if !text.trim().is_empty() || !json && reasoning.is_none() => text,
        // A model that spent all its tokens on thought.
        text if finish == FinishReason::Length => text.unwrap_or_default(),
        _ => return Err(api.no_answer("answered without a text")),
    };
    let text = match json.then(|| unfenced(&text)) {
        Some(inner) if inner.len() < text.len() => inner.to_owned(),
        _ => text,
    };
    let text = json.then(|| Json::mended(&text)).flatten().unwrap_or(text);
    let model = answer.get("model").words().map(str::to_owned);
    let usage = usage_of(answer.get("usage"));
    Ok(Completion { text, finish, usage, model, reasoning, ..Completion::default() })
}

/// The first choice.
fn choice_of<'a>(answer: &'a Json<'a>, api: &Api) -> Result<&'a Json<'a>> {
    match answer.get("choices") {
        Json::List(choices) if !choices.is_empty() => Ok(&choices[0]),
        choice @ Json::Object(_) => Ok(choice),
        // A server that gave up before it began.
        Json::List(_) | Json::Null if answer.has("choices") || answer.is_empty() => {
            Err(api.no_answer("answered without choices"))
        }
        Json::Null => Err(api.of_another_form(answer, "without `choices`")),
        _ => Err(api.of_another_form(answer, "whose `choices` is no list")),
    }
}

fn ending_of(choice: &Json<'_>) -> Ending {
    let reason = choice.get("finish_reason");
    // One server says more than a word of it.
    let reason = reason.text().or_else(|| reason.get("type").text()).unwrap_or_default().to_ascii_lowercase();
    match reason.as_str() {
        "" | "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => Ending::Finish(FinishReason::Stop),
        "length" | "max_tokens" | "max_output_tokens" | "model_length" => Ending::Finish(FinishReason::Length),
        "content_filter" | "safety" | "sensitive" | "recitation" | "prohibited_content" => Ending::Filtered,
        "abort" | "aborted" | "cancelled" | "timeout" | "network_error" | "insufficient_system_resource" => {
            Ending::GivenUp(reason)
        }
        _ => Ending::Finish(FinishReason::Other),
    }
}

/// The JSON of a content that is the answer itself, already parsed: some servers do so where a schema is asked for.
fn parsed_of(content: &Json<'_>) -> Option<String> {
    let is_part = content.has("type") || content.has("text");
    (matches!(content, Json::Object(entries) if !entries.is_empty()) && !is_part).then(|| content.to_json())
}

/// The arguments of a function that the model calls where it should answer: some servers make a function of the schema.
fn arguments_of(message: &Json<'_>) -> Option<String> {
    let call = message.get("tool_calls").items().first().map(|call| call.get("function"));
    match call.unwrap_or_else(|| message.get("function_call")).get("arguments") {
        Json::Text(arguments) => Some(arguments.clone().into_owned()),
        arguments @ Json::Object(_) => Some(arguments.to_json()),
        _ => None,
    }
}

/// Tokens as the server counts them. What it does not count, it says as 0, and the host counts.
fn usage_of(usage: &Json<'_>) -> Option<Usage> {
    let count = |keys: [&str; 2]| keys.iter().find_map(|key| usage.get(key).count()).unwrap_or_default();
    let detail =
        |keys: [&str; 2], key: &str| keys.iter().find_map(|keys| usage.get(keys).get(key).count()).unwrap_or_default();
    matches!(usage, Json::Object(_)).then(|| Usage {
        cached_input: detail(["prompt_tokens_details", "input_tokens_details"], "cached_tokens"),
        reasoning: detail(["completion_tokens_details", "output_tokens_details"], "reasoning_tokens"),
        ..Usage::new(count(["prompt_tokens", "input_tokens"]), count(["completion_tokens", "output_tokens"]))
    })
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::FailureKind;
    use serde_json::{Value, json};

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
                    usage: Some(Usage::new(7, 2)),
                    model: Some("tiny-2026".into()),
                    ..Completion::default()
                }
            );
        }
    }

    #[test]
    fn a_refusal_is_a_failure_with_its_reason() {
        for (message, finish, why) in [
            (json!({ "content": null, "refusal": "I cannot do that." }), "stop", "I cannot do that."),
            (json!({ "content": null }), "content_filter", "its answer was filtered"),
            (json!({ "content": "" }), "content_filter", "its answer was filtered"),
            (json!({ "content": "" }), "sensitive", "its answer was filtered"),
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
        let parsed = json!({ "content": { "a": [1], "b": "x" } });
        assert_eq!(answer(parsed, json!("stop")).unwrap().text, r#"{"a":[1],"b":"x"}"#);
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
        for none in [json!(""), json!(null), json!({ "summary": "x" })] {
            assert_eq!(thoughts(none), None);
        }
    }

    #[test]
    fn thoughts_in_the_text_are_handed_on_apart() {
        let read = |message: Value, finish: &str| {
            let completion = answer(message, json!(finish)).unwrap();
            (completion.text, completion.reasoning.unwrap_or_default(), completion.finish)
        };
        for message in [
            json!({ "content": "<think>\ntwo and {two}</think>\n\n4" }),
            json!({ "content": "two and {two}\n</think>\n4" }),
            json!({ "content": "4", "reasoning": "two and {two}" }),
            json!({ "content": [{ "type": "reasoning", "text": "two and {two}" }, { "type": "text", "text": "4" }] }),
            json!({ "content": [
                { "type": "thinking", "thinking": [{ "type": "text", "text": "two and {two}" }] }, { "type": "text", "text": "4" },
            ] }),
            json!({ "content": "<think>other</think>4", "reasoning_content": "two and {two}" }),
        ] {
            let expected = ("4".to_owned(), "two and {two}".to_owned(), FinishReason::Stop);
            assert_eq!(read(message.clone(), "stop"), expected, "{message}");
        }
        for finish in ["stop", "length"] {
            let cut_off = read(json!({ "content": "<think>two and {two}" }), finish);
            assert_eq!(cut_off, (String::new(), "two and {two}".to_owned(), FinishReason::Length));
        }
        let quoted = "It writes <think>so</think> before it answers.";
        assert_eq!(read(json!({ "content": quoted }), "stop").0, quoted);
    }

    #[test]
    fn oddities_cost_no_answer() {
        for body in [
            "\u{feff}{\"choices\": [{\"message\": {\"content\": \"4\"}, \"logprobs\": NaN}], \"speed\": -Infinity}",
            r#"{"choices": [{"message": {"content": "5", "content": "4"}}], "model": "x", "model": "x-2"}"#,
            r#"{"choices": [{"message": {"content": {"type": "text", "text": "4"}}}]}"#,
            r#"{"choices": [{"message": {"content": {"type": "text", "text": {"value": "4"}}}}]}"#,
            r#"{"choices": {"message": {"content": "4"}}}"#,
            r#"{"choices": [{"message": {"content": "4"}, "finish_reason": {"type": "stop", "matched": 2}}]}"#,
            r#"{"choices": [{"message": {"content": "4", "refusal": ""}}], "error": null} trailing"#,
            r#"{"choices": [{"text": "9", "message": {"content": "4", "tool_calls": []}}], "usage": []}"#,
            r#"{"choices": [{"message": {"content": null, "tool_calls": [{"function": {"arguments": "4"}}]}}]}"#,
        ] {
            assert_eq!(parse(body.as_bytes(), true, &api()).map(|answer| answer.text), Ok("4".to_owned()), "{body}");
        }
        let halved = parse(br#"{"choices": [{"message": {"content": "4 \ud83d!"}}]}"#, true, &api()).unwrap();
        assert_eq!(halved.text, "4 \u{fffd}!");
    }

    #[test]
    fn a_stream_that_nobody_asked_for_is_put_together() {
        let stream = |last: &str| {
            let chunks = [
                r#"{"model": "tiny", "choices": [{"delta": {"role": "assistant", "content": ""}}]}"#,
                r#"{"choices": [{"delta": {"reasoning_content": "two and two"}}]}"#,
                r#"{"choices": [{"delta": {"content": "fo"}}]}"#,
                r#"{"choices": [{"delta": {"content": "ur"}, "finish_reason": "stop"}]}"#,
                last,
            ];
            format!(": hold on\n\ndata: {}\n\ndata: [DONE]\n\n", chunks.join("\n\ndata: "))
        };
        let usage = stream(r#"{"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}"#);
        let expected = Completion {
            text: "four".into(),
            usage: Some(Usage::new(7, 2)),
            model: Some("tiny".into()),
            reasoning: Some("two and two".into()),
            ..Completion::default()
        };
        assert_eq!(parse(usage.as_bytes(), false, &api()), Ok(expected));
        let failed = stream(r#"{"error": {"code": 503, "message": "away"}, "choices": [{"delta": {}}]}"#);
        assert_eq!(
            parse(failed.as_bytes(), false, &api()).unwrap_err().message(),
            "the server at 127.0.0.1:9 answered with an error in place of an answer: away"
        );
    }

    #[test]
    fn odd_counts_of_tokens_cost_no_answer() {
        for (usage, expected) in [
            (r#"{"prompt_tokens": 9.0, "completion_tokens": "3"}"#, Some(Usage::new(9, 3))),
            (r#"{"input_tokens": 9, "output_tokens": -3}"#, Some(Usage::new(9, 0))),
            (r#"{"prompt_tokens": 18446744073709551616}"#, Some(Usage::new(0, 0))),
            (
                r#"{"prompt_tokens": 9, "completion_tokens": 8, "prompt_tokens_details": {"cached_tokens": 6},
                    "completion_tokens_details": {"reasoning_tokens": 5}}"#,
                Some(Usage { cached_input: 6, reasoning: 5, ..Usage::new(9, 8) }),
            ),
            (r#"{"prompt_tokens": 9, "prompt_tokens_details": null}"#, Some(Usage::new(9, 0))),
            (r#""many""#, None),
            ("null", None),
        ] {
            let body = format!(r#"{{"choices": [{{"message": {{"content": "4"}}}}], "usage": {usage}}}"#);
            assert_eq!(parse(body.as_bytes(), true, &api()).map(|answer| answer.usage), Ok(expected), "{usage}");
        }
    }

    #[test]
    fn what_is_not_an_answer_is_described() {
        let failure = |body: &str| parse(body.as_bytes(), false, &api()).unwrap_err();
        let message = |body: &str| match failure(body) {
            Failure::InvalidOutput(message) => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(message("<html>"), "the server at 127.0.0.1:9 answered something that is not JSON: <html>");
        assert!(message("[1]").contains("answered JSON of another form"));
        assert!(message(r#"{"choices": 1}"#).contains("answered JSON of another form"));
        assert!(message(r#"{"output": "x"}"#).ends_with(r#"of another form, without `choices`: {"output":"x"}"#));
    }

    #[test]
    fn an_answer_that_was_not_finished_is_tried_again() {
        for (body, what) in [
            ("", "answered nothing at all"),
            ("\n\n ", "answered nothing at all"),
            ("{\"choices\": [{\"mess", "broke its answer off"),
            ("{}", "answered without choices"),
            ("[]", "answered without choices"),
            (r#"{"choices": []}"#, "answered without choices"),
            (r#"{"choices": null, "id": "x"}"#, "answered without choices"),
            (r#"{"choices": [{}]}"#, "answered without a text"),
            (r#"{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}"#, "answered without a text"),
            (r#"{"choices": [{"message": {"content": "<think>so</think>"}}]}"#, "answered without a text"),
            (
                r#"{"choices": [{"message": {"content": "ha"}, "finish_reason": "abort"}]}"#,
                "broke its answer off (abort)",
            ),
            (
                r#"{"choices": [{"message": {"content": "ha"}, "finish_reason": "network_error"}]}"#,
                "broke its answer off (network_error)",
            ),
            (
                r#"{"choices": [{"message": {"content": " ", "reasoning": "so"}, "finish_reason": "stop"}]}"#,
                "answered without a text",
            ),
            ("data: {\"choices\": [{\"delta\": {\"content\": \"ha\"}}]}\n\n", "broke its answer off"),
        ] {
            let expected = Failure::Unavailable(format!("the server at 127.0.0.1:9 {what}"));
            assert_eq!(parse(body.as_bytes(), false, &api()), Err(expected), "{body}");
        }
        assert_eq!(answer(json!({ "content": "" }), json!("stop")).unwrap_err().kind(), FailureKind::Unavailable);
        assert_eq!(answer(json!({ "content": "" }), json!("length")).unwrap().text, "");
        assert_eq!(parse(br#"{"choices": [{"message": {"content": ""}}]}"#, false, &api()).unwrap().text, "");
    }

    #[test]
    fn a_stream_is_whole_if_it_says_so_in_either_way() {
        let text = r#"{"type": "text", "text": "4"}"#;
        let thought = r#"{"type": "thinking", "thinking": [{"type": "text", "text": "two and two"}]}"#;
        let chunk = |content: &str, rest: &str| {
            format!("data: {{\"choices\": [{{\"delta\": {{\"content\": {content}}}{rest}}}]}}\n\n")
        };
        let [thought, text, last] =
            [chunk(&format!("[{thought}]"), ""), chunk(text, ""), chunk("\"!\"", ", \"finish_reason\": \"stop\"")];
        for stream in [format!("{thought}{text}{last}"), format!("{thought}{text}{}data: [DONE]\n", chunk("\"!\"", ""))]
        {
            let completion = parse(stream.as_bytes(), false, &api()).unwrap();
            assert_eq!((completion.text.as_str(), completion.reasoning.as_deref()), ("4!", Some("two and two")));
        }
    }

    #[test]
    fn an_error_in_place_of_an_answer_counts_as_its_own_status() {
        let kind = |body: &str| parse(body.as_bytes(), false, &api()).unwrap_err().kind();
        assert_eq!(kind(r#"{"error": {"message": "slow down", "code": 429}}"#), FailureKind::RateLimited);
        assert_eq!(kind(r#"{"error": {"message": "upstream"}}"#), FailureKind::Unavailable);
        assert_eq!(kind(r#"{"error": {"message": "x", "type": "insufficient_quota"}}"#), FailureKind::OverBudget);
        assert_eq!(kind(r#"{"error": {"message": "x", "code": "invalid_api_key"}}"#), FailureKind::InvalidConfig);
        let ended =
            r#"{"choices": [{"message": {"content": "ha"}, "finish_reason": "error", "error": {"message": "away"}}]}"#;
        assert_eq!(
            parse(ended.as_bytes(), false, &api()).unwrap_err().message(),
            "the server at 127.0.0.1:9 answered with an error in place of an answer: away"
        );
        let too_long =
            r#"{"object": "error", "message": "700 tokens fit", "type": "invalid_request_error", "code": 40303}"#;
        let failure = parse(too_long.as_bytes(), false, &api()).unwrap_err();
        assert_eq!(failure.kind(), FailureKind::InvalidInput);
        assert!(failure.message().ends_with(": 700 tokens fit"), "{failure:?}");
    }
}
