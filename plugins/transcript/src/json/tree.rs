//! A JSON value without all that no reader of transcripts asks for, so that a large file takes little memory.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The keys that are kept, in order of their bytes; what stands under any other key may be anything.
const KEYS: &[&str] = &[
    "alternatives",
    "attaches_to",
    "audio_segments",
    "author",
    "begin",
    "body",
    "caption",
    "captions",
    "channel",
    "channelTag",
    "channels",
    "chunks",
    "combinedPhrases",
    "combinedRecognizedPhrases",
    "content",
    "conversation",
    "createdDateTime",
    "cues",
    "data",
    "data_start",
    "dialogue",
    "display",
    "displayName",
    "display_name",
    "elements",
    "end",
    "endTime",
    "end_time",
    "entries",
    "events",
    "from",
    "id",
    "item",
    "items",
    "label",
    "line",
    "lines",
    "meeting_transcripts",
    "message",
    "messages",
    "monologues",
    "nBest",
    "name",
    "nanos",
    "offset",
    "offsetInTicks",
    "offsetMilliseconds",
    "offsets",
    "paragraphs",
    "participant",
    "phrases",
    "punctuated_word",
    "recognizedPhrases",
    "result",
    "results",
    "role",
    "seconds",
    "segments",
    "segs",
    "sentence",
    "sentences",
    "speaker",
    "speakerDisplayName",
    "speakerId",
    "speakerLabel",
    "speakerName",
    "speakerTag",
    "speaker_id",
    "speaker_label",
    "speaker_labels",
    "speaker_name",
    "speaker_tag",
    "speech",
    "spokenText",
    "start",
    "startDateTime",
    "startMs",
    "startOffset",
    "startTime",
    "startTimeMs",
    "start_ms",
    "start_time",
    "start_time_ms",
    "startedAt",
    "subtitles",
    "tStartMs",
    "text",
    "time",
    "timestamp",
    "timestamps",
    "title",
    "transcript",
    "transcription",
    "transcripts",
    "ts",
    "turns",
    "type",
    "user",
    "utf8",
    "utterance",
    "utterances",
    "value",
    "who",
    "word",
    "words",
];

/// A JSON value with the keys of interest alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(&'static str, Tree)>),
}

impl Tree {
    /// What stands under a key; of a key that is there twice, the last counts, as readers of JSON have it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().rev().find(|(name, _)| *name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What stands at the end of a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |tree, key| tree.get(key))
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    pub(super) fn list_at(&self, key: &str) -> &[Self] {
        self.get(key).and_then(Self::list).unwrap_or_default()
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }

    pub(super) fn number_at(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// The first entry of the list under a key.
    pub(super) fn first_at(&self, key: &str) -> Option<&Self> {
        self.list_at(key).first()
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(Tree::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(Key(key)) = object.next_key()? {
            match key {
                Some(key) => fields.push((key, object.next_value()?)),
                None => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Tree::Object(fields))
    }
}

/// A key, if it is one of those that are kept.
struct Key(Option<&'static str>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                let exact = KEYS.binary_search(&key).ok().map(|index| KEYS[index]);
                // `Speaker` and `TEXT`, as some programs write.
                let other_case = || KEYS.iter().find(|known| known.eq_ignore_ascii_case(key)).copied();
                Ok(Key(exact.or_else(other_case)))
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_order() {
        assert!(KEYS.is_sorted());
    }

    #[test]
    fn other_keys_are_left_out_and_the_last_of_two_counts() {
        let tree: Tree = serde_json::from_str(r#"{"text": 1, "other": {"text": [2]}, "text": "x"}"#).expect("JSON");
        assert_eq!(tree, Tree::Object(vec![("text", Tree::Number(1.0)), ("text", Tree::Text("x".to_owned()))]));
        assert_eq!(tree.text_at("text"), Some("x"));
    }
}
