//! Inputs, and what is made of them to see how an extension takes it.

use std::sync::Arc;

use jackfield_plugin_api::{Context, Document, Request};
use serde_json::Value;

use super::schema::Schema;

/// What every key begins with that a conformance run puts into a cache.
pub(super) const OUR_KEYS: &str = "conformance/";

/// An input with a number of its own, from which its place in a run and its seed follow: the same input is the same
/// request in every check.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) number: u64,
    pub(super) json: Arc<str>,
}

impl Sample {
    pub(super) fn new(number: u64, value: &Value) -> Self {
        Self { number, json: value.to_string().into() }
    }

    pub(super) fn raw(number: u64, json: impl Into<Arc<str>>) -> Self {
        Self { number, json: json.into() }
    }

    /// An operation on a cache that touches no key but those of the conformance run: others may use the cache too.
    pub(super) fn within_our_keys(&self) -> Self {
        let mut value = self.value();
        for name in ["key", "prefix"] {
            if let Some(Value::String(key)) = value.get_mut(name)
                && !key.starts_with(OUR_KEYS)
            {
                key.insert_str(0, OUR_KEYS);
                return Self::new(self.number, &value);
            }
        }
        self.clone()
    }

    pub(super) fn value(&self) -> Value {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// The request of a stage.
    pub(super) fn request(&self, stage: &Arc<str>) -> Request {
        let context = Context {
            stage: Arc::clone(stage),
            item: format!("item-{}", self.number).into(),
            element: 0,
            replicate: 0,
            seed: self.number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed,
        };
        Request { document: Document::new(Arc::clone(&self.json)), context }
    }
}

/// Kinds of strange text, each with an example.
pub(super) const STRANGE_TEXTS: [(&str, &str); 7] = [
    ("characters beyond the basic plane", "𝒜𝓃𝓃: 👩‍👩‍👧‍👦 go to 🇫🇷 𠜎𠜱 on 𝟗. 😀"),
    ("combining marks", "Z\u{361}\u{35c}a\u{300}\u{301}\u{302}l\u{336}g\u{334}o\u{489}: e\u{301}te\u{301}"),
    ("right-to-left text", "שלום, אן: \u{202e}הרכבת\u{202c} יוצאת בתשע. مرحبا ١٢٣"),
    ("control characters", "a\u{1}b\u{7}c\u{8}d\u{b}e\u{1b}[31mf\u{7f}g\u{85}h\u{2028}i\u{feff}j"),
    ("marks alone", "\u{301}\u{200d}\u{fe0f}\u{202e}"),
    ("an empty text", ""),
    ("white space alone", " \t\u{a0}\u{3000}\n\n "),
];

/// Stands in a value for what JSON can write and text cannot hold.
const SURROGATE_PLACEHOLDER: &str = "\u{e000}lone\u{e000}";

/// The value with each of its strings replaced where the schema allows it. None if there is no such string.
pub(super) fn replaced(value: &Value, schema: &Schema, text: &str) -> Option<Value> {
    let mut all = value.clone();
    let count = with_strings(&mut all, &mut |_, string| text.clone_into(string));
    if count == 0 {
        return None;
    }
    if schema.allows(&all) {
        return Some(all);
    }
    let mut made = value.clone();
    for index in 0..count.min(64) {
        let mut next = made.clone();
        with_strings(&mut next, &mut |at, string| {
            if at == index {
                text.clone_into(string);
            }
        });
        if schema.allows(&next) {
            made = next;
        }
    }
    (made != *value).then_some(made)
}

/// JSON in which strings hold half a surrogate pair.
pub(super) fn with_lone_surrogates(value: &Value, schema: &Schema) -> Option<String> {
    Some(
        replaced(value, schema, SURROGATE_PLACEHOLDER)?
            .to_string()
            .replace(SURROGATE_PLACEHOLDER, "half \\ud83d of it"),
    )
}

/// The value with its longest string made this long, in bytes.
pub(super) fn lengthened(value: &Value, schema: &Schema, length: usize) -> Option<Value> {
    const SENTENCE: &str = "Ann said that the train leaves at nine, and Bob agreed to buy the tickets by Friday. ";
    let mut longest = None;
    with_strings(&mut value.clone(), &mut |at, string| {
        if longest.is_none_or(|(_, length)| string.len() > length) {
            longest = Some((at, string.len()));
        }
    });
    let mut made = value.clone();
    let (index, _) = longest?;
    with_strings(&mut made, &mut |at, string| {
        if at == index {
            *string = SENTENCE.repeat(length.div_ceil(SENTENCE.len()));
            string.truncate(length);
        }
    });
    schema.allows(&made).then_some(made)
}

/// Calls `change` with each string of a value and its index among them, and returns how many there are.
fn with_strings(value: &mut Value, change: &mut impl FnMut(usize, &mut String)) -> usize {
    fn walk(value: &mut Value, index: &mut usize, change: &mut impl FnMut(usize, &mut String)) {
        match value {
            Value::String(string) => {
                change(*index, string);
                *index += 1;
            }
            Value::Array(list) => list.iter_mut().for_each(|value| walk(value, index, change)),
            Value::Object(map) => map.values_mut().for_each(|value| walk(value, index, change)),
            _ => {}
        }
    }
    let mut count = 0;
    walk(value, &mut count, change);
    count
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        Schema::new(json!({ "properties": { "kind": { "enum": ["a", "b"] }, "text": { "type": "string" } } }))
    }

    #[test]
    fn strings_are_replaced_where_the_schema_allows_it() {
        let value = json!({ "kind": "a", "text": "x", "number": 1 });
        assert_eq!(replaced(&value, &schema(), "y"), Some(json!({ "kind": "a", "text": "y", "number": 1 })));
        assert_eq!(replaced(&json!({ "kind": "a" }), &schema(), "y"), None);
        assert_eq!(replaced(&json!([1, null]), &schema(), "y"), None);
        let lone = with_lone_surrogates(&value, &schema()).expect("a string");
        assert!(lone.contains(r#""text":"half \ud83d of it""#), "{lone}");
    }

    #[test]
    fn the_longest_string_becomes_as_long_as_is_asked() {
        let made = lengthened(&json!({ "kind": "a", "text": "xyz" }), &schema(), 1000).expect("possible");
        assert_eq!((made["text"].as_str().map(str::len), &made["kind"]), (Some(1000), &json!("a")));
    }
}
