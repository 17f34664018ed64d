//! The parts of a key, one by one, held against those of an earlier run.

use jackfield_engine::is_same;
use jackfield_loader::{Digest, holds_secrets};
use jackfield_plugin_api::to_hex;
use serde_json::{Value, json};

use super::recorded::RecordedStageCalls;
use crate::{table::cut, terminal::without_secrets};

/// A part of the key.
pub(super) struct KeyPart {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// How it differs from the earlier run, or none if it does not.
    pub(super) change: Option<String>,
    /// Whether there is an earlier run to compare with.
    pub(super) compared: bool,
}

/// Where the input of a stage differs from that of an earlier run.
pub(super) struct InputDifference {
    /// Which call of the stage it is, from 0.
    pub(super) call: usize,
    /// The place in the input, such as `.items[2].title`; empty for the whole.
    pub(super) place: String,
    /// What was there; none if nothing was.
    pub(super) was: Option<Value>,
    /// What is there; none if nothing is.
    pub(super) is: Option<Value>,
}

impl InputDifference {
    /// As it is, with what may be a secret masked.
    pub(super) fn to_json(&self) -> Value {
        let value = |value: &Option<Value>| value.as_ref().map(|value| self.masked(value));
        json!({ "call": self.call, "path": self.place, "was": value(&self.was), "is": value(&self.is) })
    }

    fn masked(&self, value: &Value) -> Value {
        let key = self.place.rsplit(['.', '[']).next().unwrap_or_default();
        let whole = json!({ key: value });
        without_secrets(&whole)[key].clone()
    }

    fn words(&self) -> String {
        let value = |value: &Option<Value>| match value {
            Some(value) => excerpt(&self.masked(value)),
            None => "absent".to_owned(),
        };
        let place = self.place.trim_start_matches('.');
        let place = if place.is_empty() { String::new() } else { format!("`{place}` ") };
        format!("{place}was {}, is {}", value(&self.was), value(&self.is))
    }
}

/// All parts, the input last, and where the input differs if that can be told.
pub(super) fn key_parts(
    now: &RecordedStageCalls,
    before: Option<&RecordedStageCalls>,
) -> (Vec<KeyPart>, Option<InputDifference>) {
    let mut parts: Vec<KeyPart> = now
        .parts
        .iter()
        .map(|(name, value)| {
            let old = before.and_then(|before| before.parts.iter().find(|(old, _)| old == name)).map(|(_, old)| old);
            let change = match (before, old) {
                (None, _) => None,
                (Some(_), Some(old)) => (old != value).then(|| difference(old, value)),
                (Some(_), None) => Some("was absent".to_owned()),
            };
            KeyPart { name, value: short(value), change, compared: before.is_some() }
        })
        .collect();
    let inputs = now.inputs();
    let digest = input_digest(now, &inputs);
    let mut input = KeyPart { name: "input", value: digest.clone(), change: None, compared: before.is_some() };
    let mut found = None;
    if let Some(before) = before {
        let old_inputs = before.inputs();
        let old_digest = input_digest(before, &old_inputs);
        let is_known = !now.notes.is_empty() || (inputs.is_ok() && old_inputs.is_ok());
        if is_known && (digest != old_digest || now.notes.len() != before.notes.len()) {
            found = match (&old_inputs, &inputs) {
                (Ok(old), Ok(new)) => first_difference(old, new),
                _ => None,
            };
            input.change = Some(match (&found, &old_inputs) {
                (Some(found), _) => found.words(),
                (None, Err(why)) => format!("was {old_digest}; what it was is not known any more: {why}"),
                (None, Ok(_)) => format!("was {old_digest}"),
            });
        }
    }
    parts.push(input);
    (parts, found)
}

/// What stands for the input of all calls: what the memo recorded, or the digest of what is read again.
fn input_digest(calls: &RecordedStageCalls, inputs: &Result<Vec<Value>, String>) -> String {
    let digest = match (calls.notes.as_slice(), inputs) {
        ([note], _) => to_hex(&note.input),
        ([], Err(_)) => return "not on record".to_owned(),
        ([], Ok(inputs)) => Digest::of(Value::from(inputs.clone()).to_string()).to_string(),
        (notes, _) => Digest::of(notes.iter().flat_map(|note| note.input).collect::<Vec<u8>>()).to_string(),
    };
    format!("sha256 {}…", &digest[..12.min(digest.len())])
}

/// The first place at which the inputs of two runs differ.
fn first_difference(old: &[Value], new: &[Value]) -> Option<InputDifference> {
    for (call, (old, new)) in old.iter().zip(new).enumerate() {
        if let Err(difference) = is_same(old, new) {
            let place = difference.place;
            return Some(InputDifference { call, place, was: difference.expected, is: difference.found });
        }
    }
    (old.len() != new.len()).then(|| {
        let call = old.len().min(new.len());
        InputDifference { call, place: String::new(), was: old.get(call).cloned(), is: new.get(call).cloned() }
    })
}

/// The beginning of a value as JSON.
fn excerpt(value: &Value) -> String {
    cut(value.to_string(), 60)
}

/// The first difference between two values, in words.
fn difference(old: &Value, new: &Value) -> String {
    if let (Value::Object(old), Value::Object(new)) = (old, new) {
        let keys = old.keys().chain(new.keys());
        for key in keys {
            match (old.get(key), new.get(key)) {
                (a, b) if a != b && holds_secrets(key) => return format!("{key} changed"),
                (Some(a), Some(b)) if a != b && file_digest(a).is_some() && file_digest(b).is_some() => {
                    let short = |value| file_digest(value).map(|digest| &digest[..12.min(digest.len())]);
                    let (old_digest, new_digest) = (short(a).unwrap_or_default(), short(b).unwrap_or_default());
                    return format!(
                        "what lies at the path `{key}` changed: sha256 was {old_digest}…, is {new_digest}…"
                    );
                }
                (Some(Value::Object(a)), Some(Value::Object(b))) if a != b => {
                    return format!("{key}: {}", difference(&old[key], &new[key]));
                }
                (Some(a), Some(b)) if a != b => return format!("{key} was {}, is {}", short(a), short(b)),
                (Some(a), None) => return format!("{key} was {}, is absent", short(a)),
                (None, Some(b)) => return format!("{key} was absent, is {}", short(b)),
                _ => {}
            }
        }
    }
    format!("was {}", short(old))
}

/// The digest of a value that stands for the content of a path.
fn file_digest(value: &Value) -> Option<&str> {
    value.as_object().filter(|map| map.len() == 1)?.get("sha256")?.as_str()
}

fn short(value: &Value) -> String {
    let value = &without_secrets(value);
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let digest = value.as_str().and_then(Digest::parse).is_some();
    cut(text, if digest { 12 } else { 60 })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{difference, first_difference, short};

    #[test]
    fn a_configuration_is_shown_without_its_secrets() {
        let config = json!({ "api_key": "hidden", "url": "http://me:hidden@h", "in": [{ "token": 7 }], "n": 1 });
        assert_eq!(short(&config["url"]), "http://********@h");
        assert!(!short(&config).contains("hidden"), "{}", short(&config));
        let mut other = config.clone();
        other["api_key"] = json!("hidden too");
        assert_eq!(difference(&config, &other), "api_key changed");
    }

    #[test]
    fn a_file_that_changed_is_named() {
        let config = |digest: &str| json!({ "embedder": { "kind": "bert", "folder": { "sha256": digest } } });
        assert_eq!(
            difference(&config("aaaabbbbccccdddd"), &config("0000111122223333")),
            "embedder: what lies at the path `folder` changed: sha256 was aaaabbbbcccc…, is 000011112222…"
        );
    }

    #[test]
    fn the_field_of_the_input_that_differs_is_named_with_both_values() {
        let old = [json!({ "t": "same" }), json!({ "segments": [{ "text": "I will." }], "token": 1 })];
        let mut new = old.clone();
        assert!(first_difference(&old, &new).is_none());
        new[1]["segments"][0]["text"] = json!("x".repeat(100));
        let found = first_difference(&old, &new).expect("they differ");
        assert_eq!((found.call, found.place.as_str()), (1, ".segments[0].text"));
        assert_eq!(found.words(), format!("`segments[0].text` was \"I will.\", is \"{}…", "x".repeat(59)));
        let secret = first_difference(&[json!({ "api_key": "a" })], &[json!({ "api_key": "b" })]).expect("they differ");
        assert_eq!(secret.words(), "`api_key` was \"********\", is \"********\"");
        let more = first_difference(&[], &[json!(3)]).expect("they differ");
        assert_eq!(more.words(), "was absent, is 3");
    }
}
