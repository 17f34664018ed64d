//! Puts the pieces of a streamed answer together.

use std::borrow::Cow;

use crate::http::foreign_json::Json;

/// What a stream of events came to, in pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    blocks: Vec<Block>,
    /// The entries of the message, such as its model and why it ended.
    message: Vec<(&'static str, String)>,
    /// Counts of tokens, of which a later one replaces an earlier one.
    usage: Vec<(String, String)>,
    /// Whether its end has come.
    pub(super) is_whole: bool,
}

/// A part of the content, as far as it has come.
#[derive(Debug)]
struct Block {
    index: String,
    kind: String,
    text: String,
}

impl Pieces {
    /// The pieces of some events. One that reports an error comes back in their place.
    pub(super) fn of<'e, 'a>(events: &'e [Json<'a>]) -> Result<Self, &'e Json<'a>> {
        let mut pieces = Self::default();
        for event in events {
            match event.get("type").text().unwrap_or_default() {
                "error" => return Err(event),
                "message_start" => {
                    let message = event.get("message");
                    pieces.note("model", message.get("model"));
                    pieces.count(message.get("usage"));
                }
                "content_block_start" => {
                    let block = event.get("content_block");
                    let text = ["text", "thinking"].iter().find_map(|key| block.get(key).text());
                    pieces.blocks.push(Block {
                        index: event.get("index").to_json(),
                        kind: block.get("type").text().unwrap_or_default().to_owned(),
                        text: text.unwrap_or_default().to_owned(),
                    });
                }
                "content_block_delta" => {
                    let (index, delta) = (event.get("index").to_json(), event.get("delta"));
                    let piece = ["text", "thinking", "partial_json"].iter().find_map(|key| delta.get(key).text());
                    if let Some(block) = pieces.blocks.iter_mut().rfind(|block| block.index == index) {
                        block.text.push_str(piece.unwrap_or_default());
                    }
                }
                "message_delta" => {
                    pieces.note("stop_reason", event.get("delta").get("stop_reason"));
                    pieces.count(event.get("usage"));
                    pieces.is_whole |= !event.get("delta").get("stop_reason").is_null();
                }
                "message_stop" => pieces.is_whole = true,
                _ => {}
            }
        }
        Ok(pieces)
    }

    fn note(&mut self, key: &'static str, value: &Json<'_>) {
        if let Some(text) = value.text() {
            self.message.push((key, text.to_owned()));
        }
    }

    fn count(&mut self, usage: &Json<'_>) {
        let Json::Object(entries) = usage else { return };
        for (key, value) in entries {
            if let Json::Number(number) = value {
                self.usage.push((key.clone().into_owned(), number.clone().into_owned()));
            }
        }
    }

    /// The answer in the form of one that is not streamed.
    pub(super) fn answer(&self) -> Json<'_> {
        let mut entries: Vec<(Cow<'_, str>, Json<'_>)> =
            vec![("content".into(), Json::List(self.blocks.iter().map(Block::json).collect()))];
        let noted = self.message.iter().map(|(key, said)| ((*key).into(), Json::Text(said.as_str().into())));
        entries.extend(noted);
        let counts = self.usage.iter().map(|(key, count)| (key.as_str().into(), Json::Number(count.as_str().into())));
        entries.push(("usage".into(), Json::Object(counts.collect())));
        Json::Object(entries)
    }
}

impl Block {
    fn json(&self) -> Json<'_> {
        let said = Json::Text(self.text.as_str().into());
        let (kind, key, value) = match self.kind.as_str() {
            "thinking" => ("thinking", "thinking", said),
            "text" => ("text", "text", said),
            // Where it is cut, it is the text that it is cut to.
            "tool_use" => ("tool_use", "input", Json::parse(&self.text).unwrap_or(said)),
            // Such as thoughts that are not to be read.
            _ => ("redacted_thinking", "data", Json::Null),
        };
        Json::Object(vec![("type".into(), Json::Text(kind.into())), (key.into(), value)])
    }
}
