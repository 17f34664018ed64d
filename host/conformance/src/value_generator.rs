//! Values that follow a schema, from a seed: ordinary ones, and those at the edges of what is allowed.

use std::collections::BTreeMap;

use jackfield_pipeline::{Alternative, JsonType, View, alternatives};
use jackfield_plugin_api::{DIGESTED_PATH_FORMAT, FILE_PATH_FORMAT, Random, element_count};
use serde_json::{Map, Value, json};

use super::{schema::Schema, tensors::Tensors};

/// From this depth on only required values are made.
const REQUIRED_ONLY_DEPTH: usize = 5;
/// From this depth on nothing is made.
const MAX_DEPTH: usize = 24;
/// Most values of a document.
const MAX_VALUES: usize = 400;
/// Most elements of a tensor: a schema may say any length.
const MAX_ELEMENTS: u64 = 1 << 22;
/// How often a document is tried that does not fit: patterns and conditions are not understood.
const TRIES: u64 = 6;

const TEXTS: [&str; 14] = [
    "Ann: the train leaves at nine.",
    "Bob agreed to buy the tickets by Friday.",
    "Is there a reason to wait?",
    "We decided to go on Monday",
    "one two three",
    "a",
    "",
    " ",
    "naïve café, 東京, Привет",
    "👩‍🚀 went to the 🌕",
    "line one\nline two\r\nline three",
    "\"quoted\" \\ and / slashed",
    "12.5 %",
    "null",
];

/// A value that follows the schema, as far as that can be made.
pub(super) fn fitting_value(schema: &Value, seed: u64) -> Value {
    Generator::new(schema, seed, MAX_VALUES, None).document()
}

/// Different values that follow the schema; fewer, where that is hard.
pub(super) fn distinct_values(schema: &Schema, seed: u64, count: usize) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for number in 0..count as u64 * TRIES {
        if found.len() == count {
            break;
        }
        let seed = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9));
        let value = Generator::new(&schema.text, seed, MAX_VALUES, Some(&schema.tensors)).document();
        if !found.contains(&value) && schema.allows(&value) {
            found.push(value);
        }
    }
    found
}

/// The least that an object schema asks for. None if it cannot be made.
pub(super) fn minimal_value(schema: &Schema, seed: u64) -> Option<Value> {
    let made = (0..TRIES).map(|number| Generator::new(&schema.text, seed + number, 0, None).document());
    made.into_iter().find(|value| schema.allows(value))
}

struct Generator<'a> {
    root: &'a Value,
    random: Random,
    /// How many values may yet be made that need not be.
    left: usize,
    /// Whether every optional property of the present object is made.
    all: bool,
    /// Where tensors are held; none where no tensors are made.
    tensors: Option<&'a Tensors>,
    /// The lengths of dimensions that have a name.
    lengths: BTreeMap<&'a str, u64>,
}

impl<'a> Generator<'a> {
    fn new(root: &'a Value, seed: u64, left: usize, tensors: Option<&'a Tensors>) -> Self {
        Self { root, random: Random::new(seed), left, all: false, tensors, lengths: BTreeMap::new() }
    }

    fn document(mut self) -> Value {
        self.all = self.random.below(3) == 0;
        self.value(&View::new(self.root), 0)
    }

    fn value(&mut self, view: &View<'a>, depth: usize) -> Value {
        let mut choices = alternatives(view);
        if depth > MAX_DEPTH || choices.is_empty() {
            return Value::Null;
        }
        let narrow = self.is_narrow(depth);
        self.left = self.left.saturating_sub(1);
        if narrow
            && let Some(flat) =
                choices.iter().position(|choice| !matches!(choice.ty, Some(JsonType::Object | JsonType::Array)))
        {
            choices.swap(0, flat);
            choices.truncate(1);
        }
        let chosen = self.random.below(choices.len() as u64) as usize;
        let choice = choices.swap_remove(chosen);
        if let (Some(tensors), Some(said)) = (self.tensors, choice.keyword("x-tensor").last()) {
            return self.tensor(tensors, said);
        }
        if let Some(values) = choice.values().filter(|values| !values.is_empty()) {
            return values[self.random.below(values.len() as u64) as usize].clone();
        }
        match choice.ty {
            Some(JsonType::Null) => Value::Null,
            Some(JsonType::Boolean) => Value::Bool(self.random.below(2) == 1),
            Some(JsonType::Integer) => self.number(&choice, true),
            Some(JsonType::Number) => self.number(&choice, false),
            Some(JsonType::Array) => self.list(&choice, depth),
            Some(JsonType::Object) => self.object(&choice, depth),
            Some(JsonType::String) => Value::String(self.text(&choice)),
            None if choice.keyword("properties").next().is_some() => self.object(&choice, depth),
            None => Value::String(self.text(&choice)),
        }
    }

    /// A reference to a tensor of the shape that the schema says, or of any.
    fn tensor(&mut self, tensors: &Tensors, said: &'a Value) -> Value {
        const LONGEST: u64 = 6;
        let anything = [Value::Null, Value::Null];
        let dimensions = said["shape"].as_array().map_or(&[][..], Vec::as_slice);
        let shape: Vec<u64> = if said["shape"].is_array() {
            dimensions.iter().map(|dimension| self.length(dimension, LONGEST)).collect()
        } else {
            anything.iter().map(|_| 1 + self.random.below(LONGEST)).collect()
        };
        // One that is too large to be made up for a trial is left out: what needs it is then not tried.
        match element_count(&shape) {
            Some(count) if count <= MAX_ELEMENTS => json!(tensors.made_up(&shape, self.random.next_u64())),
            _ => Value::Null,
        }
    }

    /// The length of a dimension: the same throughout a document where it has a name.
    fn length(&mut self, dimension: &'a Value, longest: u64) -> u64 {
        let any = 1 + self.random.below(longest);
        match dimension {
            Value::Number(number) => number.as_u64().unwrap_or(any),
            Value::String(name) => *self.lengths.entry(name).or_insert(any),
            _ => any,
        }
    }

    fn is_narrow(&self, depth: usize) -> bool {
        depth >= REQUIRED_ONLY_DEPTH || self.left == 0
    }

    fn object(&mut self, choice: &Alternative<'a>, depth: usize) -> Value {
        let required = choice.required();
        let mut object = Map::new();
        for name in choice.properties() {
            let wanted = required.contains(name) || (!self.is_narrow(depth) && (self.all || self.random.below(2) == 1));
            if let Some(view) = choice.property(name).filter(|_| wanted) {
                object.insert(name.to_owned(), self.value(&view, depth + 1));
            }
        }
        for name in required {
            object.entry(name).or_insert(Value::Null);
        }
        if let Some(view) = choice.other_properties() {
            let more = if self.is_narrow(depth) { 0 } else { self.random.below(3) };
            for number in 0..more {
                object.insert(format!("key {number}"), self.value(&view, depth + 1));
            }
        }
        Value::Object(object)
    }

    fn list(&mut self, choice: &Alternative<'a>, depth: usize) -> Value {
        let bound = |keyword| choice.keyword(keyword).filter_map(Value::as_u64);
        let least = bound("minItems").max().unwrap_or_default().max(choice.prefix() as u64);
        let most = bound("maxItems").min().unwrap_or(u64::MAX);
        let more = if self.is_narrow(depth) { 0 } else { self.random.below(4) };
        let wanted = least.saturating_add(more).min(most.max(least)).min(MAX_VALUES as u64);
        let anything = Value::Bool(true);
        let items = (0..wanted as usize).map(|index| match choice.element(index) {
            Some(view) => self.value(&view, depth + 1),
            None => anything.clone(),
        });
        Value::Array(items.collect())
    }

    fn number(&mut self, choice: &Alternative<'_>, whole: bool) -> Value {
        let bound = |keyword| choice.keyword(keyword).filter_map(Value::as_f64);
        let step = if whole { 1.0 } else { 0.001 };
        let above = bound("exclusiveMinimum").map(|bound| bound + step);
        let below = bound("exclusiveMaximum").map(|bound| bound - step);
        let low = bound("minimum").chain(above).reduce(f64::max);
        let high = bound("maximum").chain(below).reduce(f64::min);
        let (from, to) = match (low, high) {
            (Some(low), Some(high)) => (low, high),
            (Some(low), None) => (low, low + 100.0),
            (None, Some(high)) => (high - 100.0, high),
            (None, None) => (-10.0, 100.0),
        };
        let number = match self.random.below(6) {
            0 => from,
            1 => to,
            2 if from <= 0.0 && to >= 0.0 => 0.0,
            _ => from + (to - from) * self.random.next_f64(),
        };
        if whole { json!(number.ceil().clamp(-9e15, 9e15) as i64) } else { json!(number) }
    }

    fn phrase(&mut self) -> &'static str {
        TEXTS[self.random.below(TEXTS.len() as u64) as usize]
    }

    fn text(&mut self, choice: &Alternative<'_>) -> String {
        let formats: Vec<&str> = choice.keyword("format").filter_map(Value::as_str).collect();
        if let Some(known) = formats.iter().find_map(|format| text_of_format(format)) {
            return known.to_owned();
        }
        let mut text = self.phrase().to_owned();
        let more = if self.left > 0 { self.random.below(8).saturating_sub(3) } else { 0 };
        for _ in 0..more {
            text.push(' ');
            text.push_str(self.phrase());
        }
        let bound = |keyword| choice.keyword(keyword).filter_map(Value::as_u64);
        let (least, most) = (bound("minLength").max().unwrap_or_default(), bound("maxLength").min());
        while (text.chars().count() as u64) < least.min(1 << 16) {
            text.push('a');
        }
        match most {
            Some(most) => text.chars().take(most as usize).collect(),
            None => text,
        }
    }
}

/// A text of a known format.
fn text_of_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "date" => "2026-01-31",
        "time" => "14:25:01Z",
        "date-time" => "2026-01-31T14:25:01Z",
        "duration" => "PT5M",
        "email" => "ann@example.org",
        "hostname" => "example.org",
        "ipv4" => "127.0.0.1",
        "ipv6" => "::1",
        "uri" | "uri-reference" | "iri" | "url" => "http://127.0.0.1:9/",
        "uuid" => "6f1ed002-ab5f-4a4c-9c07-3e5a5d2c1b0a",
        "regex" => "^a+$",
        FILE_PATH_FORMAT | DIGESTED_PATH_FORMAT => "file",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::new(json!({
            "$defs": { "tree": {
                "type": "object", "required": ["name", "inner"], "additionalProperties": false,
                "properties": {
                    "name": { "type": "string", "minLength": 3, "maxLength": 9 },
                    "inner": { "type": "array", "items": { "$ref": "#/$defs/tree" } },
                    "kind": { "enum": ["oak", "elm"] },
                    "age": { "type": ["integer", "null"], "exclusiveMinimum": 0, "maximum": 5 },
                    "share": { "anyOf": [{ "type": "number", "minimum": 0, "maximum": 1 }, { "type": "boolean" }] }
                }
            } },
            "$ref": "#/$defs/tree"
        }))
    }

    #[test]
    fn values_fit_their_schema_and_differ_and_are_the_same_for_the_same_seed() {
        let schema = schema();
        let found = distinct_values(&schema, 7, 60);
        assert_eq!(found.len(), 60);
        assert!(found.iter().all(|value| schema.allows(value)));
        assert_eq!(found, distinct_values(&schema, 7, 60));
        assert_ne!(found, distinct_values(&schema, 8, 60));
        for key in ["kind", "age", "share"] {
            assert!(found.iter().any(|value| value.get(key).is_some()), "{key} is never there");
            assert!(found.iter().any(|value| value.get(key).is_none()), "{key} is always there");
        }
        assert!(found.iter().any(|value| value["inner"].as_array().is_some_and(|inner| !inner.is_empty())));
    }

    #[test]
    fn a_tensor_that_no_machine_holds_is_not_made_up() {
        let of = |shape: Value| {
            Schema::new(json!({ "type": "object", "required": ["$tensor"], "x-tensor": { "shape": shape } }))
        };
        for shape in [json!([u64::MAX]), json!([u64::MAX, u64::MAX]), json!([1 << 20, 1 << 20, "d"])] {
            assert_eq!(distinct_values(&of(shape), 7, 2), Vec::<Value>::new());
        }
        assert_eq!(distinct_values(&of(json!(["n", 64])), 7, 2).len(), 2);
    }

    #[test]
    fn the_least_that_fits_has_nothing_more_than_it_must() {
        let minimal = minimal_value(&schema(), 1).expect("possible");
        assert_eq!(minimal.as_object().expect("an object").len(), 2, "{minimal}");
        assert_eq!(minimal["inner"], json!([]));
    }
}
