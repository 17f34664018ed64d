//! The recorded request that is most like another, and where they differ.

use std::hash::{DefaultHasher, Hash, Hasher};

use jackfield_plugin_api::prelude::*;
use serde_json::Value;

/// How much of each side is shown, in characters.
const SHOWN: usize = 80;
/// How much of what both sides share is shown before the difference, in characters.
const SHARED: usize = 24;

/// What requests are compared by.
#[derive(Debug)]
pub(super) struct Index(Vec<Features>);

#[derive(Debug)]
struct Features {
    /// How many messages there are.
    messages: usize,
    /// Words of the last user message, as sorted hashes.
    words: Vec<u64>,
    /// Everything, as a hash per field.
    fields: Vec<u64>,
}

impl Features {
    fn of(request: &CompletionRequest) -> Self {
        let last = request.messages.iter().rev().find(|message| message.role == Role::User);
        let text = last.map_or("", |message| message.content.as_str());
        let mut words = text.split_whitespace().map(hash).collect::<Vec<_>>();
        words.sort_unstable();
        words.dedup();
        let fields = fields(request).into_iter().map(|(name, value)| hash((name, value))).collect();
        Self { messages: request.messages.len(), words, fields }
    }

    /// How alike two requests are: whether they have as many messages, the share of words in both, the fields in both.
    fn likeness(&self, other: &Self) -> (bool, u32, usize) {
        let shared = shared(&self.words, &other.words);
        let total = self.words.len() + other.words.len() - shared;
        let share = (shared * 1_000_000).checked_div(total).unwrap_or(1_000_000);
        let fields = self.fields.iter().filter(|field| other.fields.contains(field)).count();
        (self.messages == other.messages, share as u32, fields)
    }
}

impl Index {
    /// Prepares the comparison with these requests.
    pub(super) fn new<'a>(requests: impl Iterator<Item = &'a CompletionRequest>) -> Self {
        Self(requests.map(Features::of).collect())
    }

    /// Index of the request that is most like this one; the first of several.
    pub(super) fn nearest(&self, request: &CompletionRequest) -> Option<usize> {
        let features = Features::of(request);
        (0..self.0.len()).rev().max_by_key(|&index| features.likeness(&self.0[index]))
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// How many values two sorted lists share.
fn shared(left: &[u64], right: &[u64]) -> usize {
    let (mut next, mut count) = (0, 0);
    for value in left {
        while right.get(next).is_some_and(|other| other < value) {
            next += 1;
        }
        count += usize::from(right.get(next) == Some(value));
    }
    count
}

/// What a request holds beside its messages, as text.
fn fields(request: &CompletionRequest) -> [(&'static str, String); 10] {
    fn text(value: Option<impl Into<Value>>) -> String {
        value.map_or_else(|| "nothing".to_owned(), |value| crate::json::canonical(&value.into()))
    }
    [
        ("schema", text(request.schema.as_deref().cloned())),
        ("max_tokens", text(request.max_tokens)),
        ("temperature", text(request.temperature)),
        ("stop", text((!request.stop.is_empty()).then(|| request.stop.clone()))),
        ("seed", text(request.seed)),
        ("capture", text(request.capture.as_ref().map(|capture| json!(capture)))),
        ("edits", text((!request.edits.is_empty()).then(|| json!(request.edits)))),
        ("logprobs", text(request.logprobs.as_ref().map(|logprobs| json!(logprobs)))),
        ("tokenize", text(request.tokenize.then_some(true))),
        ("embed", text(request.embed.then_some(true))),
    ]
}

/// The first difference between a request and a recorded one, for people.
pub(super) fn difference(asked: &CompletionRequest, recorded: &CompletionRequest) -> String {
    for (index, (message, recorded_message)) in asked.messages.iter().zip(&recorded.messages).enumerate() {
        let number = index + 1;
        if message.role != recorded_message.role {
            return format!(
                "message {number}: asked by role {:?}, recorded by role {:?}",
                message.role, recorded_message.role
            )
            .to_lowercase();
        }
        if message.content != recorded_message.content {
            return format!("message {number}, {}", line_difference(&message.content, &recorded_message.content));
        }
    }
    let (count, recorded_count) = (asked.messages.len(), recorded.messages.len());
    if count != recorded_count {
        return format!("the number of messages: asked {count}, recorded {recorded_count}");
    }
    for ((name, value), (_, recorded_value)) in fields(asked).into_iter().zip(fields(recorded)) {
        if value != recorded_value {
            return format!("`{name}`: {}", sides(&value, &recorded_value));
        }
    }
    "nothing that is shown".to_owned()
}

/// The first line in which two texts differ.
fn line_difference(asked: &str, recorded: &str) -> String {
    let (mut asked_lines, mut recorded_lines) = (asked.split('\n'), recorded.split('\n'));
    let mut number = 0;
    loop {
        number += 1;
        match (asked_lines.next(), recorded_lines.next()) {
            (Some(asked), Some(recorded)) if asked == recorded => {}
            (None, None) => return format!("line {number}"),
            (asked, recorded) => return format!("line {number}: {}", sides_or_end(asked, recorded)),
        }
    }
}

/// Both lines of a difference; one of the texts may have no such line.
fn sides_or_end(asked: Option<&str>, recorded: Option<&str>) -> String {
    let side = |line: Option<&str>| line.map_or_else(|| "its end".to_owned(), |line| format!("`{}`", window(line, 0)));
    match (asked, recorded) {
        (Some(asked), Some(recorded)) => sides(asked, recorded),
        (asked, recorded) => format!("asked {}, recorded {}", side(asked), side(recorded)),
    }
}

/// Both sides, from a little before their first difference.
fn sides(asked: &str, recorded: &str) -> String {
    let same = asked.chars().zip(recorded.chars()).take_while(|(asked, recorded)| asked == recorded).count();
    // A short line is shown whole.
    let long = asked.chars().count().max(recorded.chars().count()) > SHOWN;
    let from = if long { same.saturating_sub(SHARED) } else { 0 };
    format!("asked `{}`, recorded `{}`", window(asked, from), window(recorded, from))
}

/// [`SHOWN`] characters of a line from the one at `from`, with an ellipsis where something is left out.
fn window(line: &str, from: usize) -> String {
    let mut shown = String::from(if from > 0 { "…" } else { "" });
    let mut rest = line.chars().skip(from);
    shown.extend(rest.by_ref().take(SHOWN).map(|character| if character.is_control() { ' ' } else { character }));
    shown.push_str(if rest.next().is_some() { "…" } else { "" });
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(texts: &[&str]) -> CompletionRequest {
        CompletionRequest::new(texts.iter().map(|text| Message::user(*text)).collect())
    }

    #[test]
    fn the_nearest_has_as_many_messages_and_the_most_words_in_common() {
        let recorded = [asked(&["a b c", "x"]), asked(&["q r s"]), asked(&["a b d"]), asked(&["a b d"])];
        let index = Index::new(recorded.iter());
        assert_eq!(index.nearest(&asked(&["a b c"])), Some(2));
        assert_eq!(index.nearest(&asked(&["y", "x"])), Some(0));
        assert_eq!(Index::new([].iter()).nearest(&asked(&["a"])), None);
        let warm = CompletionRequest { temperature: Some(1.0), ..asked(&["a b d"]) };
        let index = Index::new([&recorded[2], &warm].into_iter());
        assert_eq!(index.nearest(&CompletionRequest { max_tokens: Some(1), ..warm.clone() }), Some(1));
    }

    #[test]
    fn the_first_difference_is_shown() {
        let base = asked(&["one\ntwo"]);
        for (other, shown) in [
            (asked(&["one\nthree"]), "message 1, line 2: asked `two`, recorded `three`"),
            (asked(&["one"]), "message 1, line 2: asked `two`, recorded its end"),
            (asked(&["one\ntwo", "x"]), "the number of messages: asked 1, recorded 2"),
            (
                CompletionRequest::new(vec![Message::assistant("one\ntwo")]),
                "message 1: asked by role user, recorded by role assistant",
            ),
            (CompletionRequest { seed: Some(1), ..base.clone() }, "`seed`: asked `nothing`, recorded `1`"),
            (CompletionRequest { tokenize: true, ..base.clone() }, "`tokenize`: asked `nothing`, recorded `true`"),
            (
                CompletionRequest { capture: Some(Capture::default()), ..base.clone() },
                "`capture`: asked `nothing`, recorded `{}`",
            ),
            (
                base.clone().with_schema(json!({ "b": 1, "a": 2 })),
                r#"`schema`: asked `nothing`, recorded `{"a":2,"b":1}`"#,
            ),
        ] {
            assert_eq!(difference(&base, &other), shown);
        }
    }

    #[test]
    fn long_lines_are_shown_around_the_difference() {
        let start = "é".repeat(200);
        let (one, other) = (format!("{start}A{}", "x".repeat(200)), format!("{start}B"));
        assert_eq!(
            difference(&asked(&[&one]), &asked(&[&other])),
            format!("message 1, line 1: asked `…{0}A{1}…`, recorded `…{0}B`", "é".repeat(24), "x".repeat(55))
        );
    }
}
