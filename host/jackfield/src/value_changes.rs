//! Where two values differ, key by key.

use serde_json::Value;

/// The most differences that are looked for.
const MOST: usize = 4;

/// The most characters of a value in a message.
const MOST_CHARS: usize = 60;

/// One place at which two values differ.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    /// The place: `key.inner[2]`; empty for the values themselves.
    pub(crate) place: String,
    /// What was there; none if nothing was.
    pub(crate) old: Option<Value>,
    /// What is there; none if nothing is.
    pub(crate) new: Option<Value>,
}

/// The first places at which two values differ. Lists of different lengths differ as a whole.
pub(crate) fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare(Some(old), Some(new), "", &mut found);
    found
}

fn compare(old: Option<&Value>, new: Option<&Value>, place: &str, found: &mut Vec<Change>) {
    if old == new || found.len() >= MOST {
        return;
    }
    match (old, new) {
        (Some(Value::Object(before)), Some(Value::Object(now))) => {
            let mut keys: Vec<&String> = before.keys().chain(now.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let inner = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                compare(before.get(key), now.get(key), &inner, found);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(now))) if before.len() == now.len() => {
            for (index, (before, now)) in before.iter().zip(now).enumerate() {
                compare(Some(before), Some(now), &format!("{place}[{index}]"), found);
            }
        }
        _ => found.push(Change { place: place.to_owned(), old: old.cloned(), new: new.cloned() }),
    }
}

/// A difference in words, a long value cut.
pub(crate) fn shown(change: &Change) -> String {
    let text = |value: &Option<Value>| match value {
        None => "absent".to_owned(),
        Some(value) => {
            let text = value.to_string();
            match text.char_indices().nth(MOST_CHARS) {
                Some((at, _)) => format!("{}…", &text[..at]),
                None => text,
            }
        }
    };
    let place = if change.place.is_empty() { "all of it".to_owned() } else { format!("`{}`", change.place) };
    format!("{place} was {}, now it is {}", text(&change.old), text(&change.new))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_key_that_differs_is_named_with_what_was_and_what_is() {
        let old = json!({ "base_url": "http://one", "headers": { "a": 1 }, "same": [1, 2], "list": [1, 2] });
        let new = json!({ "base_url": "http://two", "headers": { "a": 1, "b": 2 }, "same": [1, 2], "list": [1] });
        let words: Vec<String> = changes(&old, &new).iter().map(shown).collect();
        assert_eq!(
            words,
            [
                "`base_url` was \"http://one\", now it is \"http://two\"",
                "`headers.b` was absent, now it is 2",
                "`list` was [1,2], now it is [1]",
            ]
        );
        assert!(changes(&old, &old).is_empty());
        let long = shown(&changes(&json!({ "text": "" }), &json!({ "text": "x".repeat(500) }))[0]);
        assert!(long.ends_with('…') && long.len() < 120, "{long}");
    }
}
