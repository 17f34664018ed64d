//! What is read as a transcript: segments, or a plain text.

use std::{borrow::Cow, fmt};

use jackfield_plugin_api::prelude::*;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

use crate::{Segment, Transcript, cut::one_line};

impl Transcript {
    /// A plain text: each paragraph of it is a segment, and nobody is named.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let mut segments: Vec<Segment> = Vec::new();
        let mut paragraph = String::new();
        // The last line is followed by an empty one, which ends its paragraph.
        for line in text.lines().chain([""]) {
            if !line.trim().is_empty() {
                paragraph.push_str(line);
                paragraph.push('\n');
            } else if !paragraph.is_empty() {
                let id = format!("s{}", segments.len() + 1);
                segments.push(Segment { id, speaker: None, text: one_line(&paragraph), start: None });
                paragraph.clear();
            }
        }
        Self { title: None, segments }
    }
}

impl<'de> Deserialize<'de> for Transcript {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Readable)
    }
}

struct Readable;

impl<'de> Visitor<'de> for Readable {
    type Value = Transcript;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a transcript with `segments`, an object with `text`, or a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> std::result::Result<Transcript, E> {
        Ok(Transcript::of_text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Transcript, A::Error> {
        let (mut title, mut segments, mut text) = (None, None, None);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match &*key {
                "title" => title = map.next_value()?,
                "segments" => segments = Some(map.next_value()?),
                // What else has a text may have it in any form.
                "text" => text = map.next_value::<Option<Value>>()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match (segments, text) {
            (Some(segments), _) => Ok(Transcript { title, segments }),
            (None, Some(Value::String(text))) => Ok(Transcript { title, ..Transcript::of_text(&text) }),
            (None, Some(_)) => Err(A::Error::custom("`text` is no string, and there are no `segments`")),
            (None, None) => Err(A::Error::missing_field("segments")),
        }
    }
}

mod written {
    //! What a transcript is where one is answered.

    use super::{Document, Segment};

    /// A transcript as segments, in order of time.
    #[derive(Document)]
    pub(super) struct Transcript {
        /// A title, where the source has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The turns, in order.
        segments: Vec<Segment>,
    }
}

impl JsonSchema for Transcript {
    fn schema_name() -> Cow<'static, str> {
        "Transcript".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let transcript = written::Transcript::json_schema(generator);
        if generator.contract().is_serialize() {
            return transcript;
        }
        json_schema!({
            "description": "A transcript; or a plain text, each of whose paragraphs is read as a segment.",
            "anyOf": [
                transcript,
                {
                    "description": "A plain text.",
                    "type": "object",
                    "properties": {
                        "text": { "type": "string", "description": "The text." },
                        "title": { "type": ["string", "null"], "description": "A title, where the source has one." },
                    },
                    "required": ["text"],
                },
                { "type": "string", "description": "A plain text." },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> std::result::Result<Transcript, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_is_read_as_a_transcript_of_its_paragraphs() {
        let segment = |id: &str, text: &str| Segment { id: id.into(), speaker: None, text: text.into(), start: None };
        let segments = vec![segment("s1", "One line, and another."), segment("s2", "The end.")];
        let text = "\n One line,\nand another.\r\n \n\nThe end.";
        let plain = Transcript { title: None, segments };
        assert_eq!(read(json!(text)), Ok(plain.clone()));
        assert_eq!(read(json!({ "text": text, "path": "a.txt" })), Ok(plain.clone()));
        let titled = read(json!({ "title": "T", "text": text }));
        assert_eq!(titled, Ok(Transcript { title: Some("T".into()), ..plain }));
        assert_eq!(read(json!(" ")), Ok(Transcript::default()));
    }

    #[test]
    fn segments_are_read_as_they_are() {
        let value = json!({ "title": null, "segments": [{ "id": "a", "speaker": " Ann ", "text": "Hi.", "start": 1.5 }], "text": 7 });
        let read = read(value).expect("a transcript");
        assert_eq!((read.title.as_deref(), read.segments[0].speaker.as_deref()), (None, Some("Ann")));
    }

    #[test]
    fn what_is_neither_is_refused() {
        assert_eq!(read(json!({})), Err("missing field `segments`".to_owned()));
        assert!(read(json!({ "text": 7 })).is_err_and(|why| why.starts_with("`text` is no string")));
        assert!(read(json!(7)).is_err_and(|why| why.contains("expected a transcript with `segments`")));
    }
}
