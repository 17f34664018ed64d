//! Puts the pieces of a streamed answer together.

use crate::http::{ServerError, content::Content, foreign_json::Json};

/// The answer that a stream of chunks comes to, in the form of one that is not streamed. If a chunk reports an error, it is
/// that chunk.
pub(super) fn assembled(chunks: Vec<Json<'_>>) -> Json<'_> {
    let (mut content, mut reasoning, mut refusal) = (None::<String>, String::new(), String::new());
    let (mut finish, mut usage, mut model) = (Json::Null, Json::Null, Json::Null);
    for chunk in chunks {
        if ServerError::in_success(&chunk).is_some() {
            return chunk;
        }
        for choice in chunk.get("choices").items().iter().take(1) {
            let delta = if choice.get("delta").is_null() { choice.get("message") } else { choice.get("delta") };
            let part = Content::of(delta.get("content"));
            if let Some(text) = &part.text {
                content.get_or_insert_default().push_str(text);
            }
            reasoning.push_str(part.thoughts.as_deref().unwrap_or_default());
            refusal.push_str(part.refusal.as_deref().unwrap_or_default());
            let thought = ["reasoning_content", "reasoning"].iter().find_map(|key| delta.get(key).text());
            reasoning.push_str(thought.unwrap_or_default());
            refusal.push_str(delta.get("refusal").text().unwrap_or_default());
            replace(&mut finish, choice.get("finish_reason"));
        }
        replace(&mut usage, chunk.get("usage"));
        replace(&mut model, chunk.get("model"));
    }
    let text = |text: String| Json::Text(text.into());
    let message = Json::Object(vec![
        ("content".into(), content.map_or(Json::Null, text)),
        ("reasoning_content".into(), text(reasoning)),
        ("refusal".into(), text(refusal)),
    ]);
    let choice = Json::Object(vec![("message".into(), message), ("finish_reason".into(), finish)]);
    Json::Object(vec![("choices".into(), Json::List(vec![choice])), ("usage".into(), usage), ("model".into(), model)])
}

/// What comes later replaces what came before, unless it is nothing.
fn replace<'a>(known: &mut Json<'a>, later: &Json<'a>) {
    if !later.is_null() {
        *known = later.clone();
    }
}
