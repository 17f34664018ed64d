//! Values that follow a schema.

use std::collections::{BTreeSet, HashSet};

use jackfield_plugin_api::prelude::*;
use serde_json::{Map, Value};

use super::{
    belief::{Belief, is_belief},
    bounds::Bounds,
    prompt::{Line, Prompt, pick},
    resolve::resolve,
};

/// From this depth of objects and lists on, only what must be is made.
const NARROW: usize = 8;
/// From this depth on, nothing is made.
const DEEPEST: usize = 48;
/// Most values of an answer.
const MOST_VALUES: usize = 5_000;
/// How often an item is made again that must differ from the others.
const MOST_TRIES: usize = 64;
/// From this try on, strings are numbered.
const NUMBERED: usize = 8;
/// Longest string, in characters, whatever `minLength` says.
const LONGEST: u64 = 65_536;

/// A value that follows `schema`, made of the prompt's words.
pub(super) fn answer(schema: &Value, prompt: &Prompt<'_>, belief: Belief, random: Random) -> Value {
    Generator { root: schema, prompt, belief, random, values: 0, used: HashSet::new(), repetitions: 0 }
        .value(schema, Position::default())
}

/// Where a value is in the answer.
#[derive(Clone, Copy, Default)]
struct Position<'a> {
    /// The property's name; empty where there is none.
    name: &'a str,
    /// The line that this object speaks of.
    line: Option<Line<'a>>,
    /// How many objects and lists it is in.
    depth: usize,
}

impl<'a> Position<'a> {
    fn within(self, name: &'a str, line: Option<Line<'a>>) -> Self {
        Self { name, line, depth: self.depth + 1 }
    }
}

struct Generator<'a> {
    root: &'a Value,
    prompt: &'a Prompt<'a>,
    belief: Belief,
    random: Random,
    /// How many values were made.
    values: usize,
    /// Ids of the lines that were quoted.
    used: HashSet<&'a str>,
    /// How often the present item of a list without duplicates was a duplicate.
    repetitions: usize,
}

impl<'a> Generator<'a> {
    fn value(&mut self, schema: &Value, position: Position<'_>) -> Value {
        self.values += 1;
        if position.depth > DEEPEST || self.exhausted() {
            return Value::Null;
        }
        let narrow = position.depth >= NARROW;
        let root = self.root;
        let schema = resolve(root, schema, narrow, &mut self.random);
        let nothing = Map::new();
        let schema = match &*schema {
            Value::Object(schema) => schema,
            Value::Bool(false) => return Value::Null,
            _ => &nothing,
        };
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(value) =
            schema.get("enum").and_then(Value::as_array).and_then(|values| pick(values, &mut self.random))
        {
            return value.clone();
        }
        match self.kind(schema, narrow) {
            "object" => self.object(schema, position, narrow),
            "array" => self.array(schema, position, narrow),
            "integer" => self.number(schema, position, true),
            "number" => self.number(schema, position, false),
            "boolean" => Value::Bool(self.random.below(2) == 1),
            "null" => Value::Null,
            _ => Value::String(self.string(schema, position)),
        }
    }

    fn exhausted(&self) -> bool {
        self.values > MOST_VALUES
    }

    /// The type of the value: what `type` says, or what the other keys are for.
    fn kind<'s>(&mut self, schema: &'s Map<String, Value>, narrow: bool) -> &'s str {
        let has = |keys: &[&str]| keys.iter().any(|key| schema.contains_key(*key));
        match schema.get("type") {
            Some(Value::String(kind)) => kind,
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>();
                let others = kinds.iter().copied().filter(|kind| *kind != "null").collect::<Vec<_>>();
                let null = others.len() < kinds.len() && (narrow || self.random.below(4) == 0);
                if null { "null" } else { pick(&others, &mut self.random).copied().unwrap_or("null") }
            }
            _ if has(&["properties", "required", "additionalProperties", "minProperties"]) => "object",
            _ if has(&["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]) => "array",
            _ if has(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) => "number",
            _ => "string",
        }
    }

    fn object(&mut self, schema: &Map<String, Value>, position: Position<'_>, narrow: bool) -> Value {
        let anything = Value::Bool(true);
        let properties = schema.get("properties").and_then(Value::as_object);
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let required = required.filter_map(Value::as_str).collect::<BTreeSet<_>>();
        // Sorted, so that the answer does not depend on the order that a map happens to keep.
        let mut names = required.clone();
        if !narrow {
            names.extend(properties.into_iter().flat_map(Map::keys).map(String::as_str));
        }
        let most = schema.get("maxProperties").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let mut optional = most.saturating_sub(required.len() as u64);
        names.retain(|name| {
            let kept = required.contains(name) || optional > 0;
            optional -= u64::from(kept && !required.contains(name));
            kept
        });
        let speaks = ["quote", "segment"].iter().any(|name| names.contains(name));
        let line = if speaks { self.line() } else { None };
        let further = schema.get("additionalProperties");
        let mut object = Map::new();
        for name in names {
            let schema = properties.and_then(|properties| properties.get(name)).or(further).unwrap_or(&anything);
            let value = self.value(schema, position.within(name, line.or(position.line)));
            object.insert(name.to_owned(), value);
        }
        self.fill(&mut object, schema, position, narrow);
        Value::Object(object)
    }

    /// Adds properties that the schema does not name, where it asks for more or is about nothing else.
    fn fill(
        &mut self,
        object: &mut Map<String, Value>,
        schema: &Map<String, Value>,
        position: Position<'_>,
        narrow: bool,
    ) {
        let least = schema.get("minProperties").and_then(Value::as_u64).unwrap_or_default();
        let most = schema.get("maxProperties").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let further = schema.get("additionalProperties");
        let map = !schema.contains_key("properties") && further.is_some_and(Value::is_object) && !narrow;
        let wanted = if map { least.max(2) } else { least }.min(most);
        let anything = Value::Bool(true);
        let further = match further {
            Some(Value::Bool(false)) => return,
            Some(further) => further,
            None => &anything,
        };
        while (object.len() as u64) < wanted && !self.exhausted() {
            let word = self.prompt.word(&mut self.random);
            let name = if object.contains_key(&word) { format!("{word}-{}", object.len()) } else { word };
            let value = self.value(further, position.within(&name, position.line));
            object.insert(name, value);
        }
    }

    fn array(&mut self, schema: &Map<String, Value>, position: Position<'_>, narrow: bool) -> Value {
        let count = |key: &str| schema.get(key).and_then(Value::as_f64).map(|count| count as u64);
        let least = count("minItems").unwrap_or_default();
        let most = count("maxItems").unwrap_or(u64::MAX).max(least);
        let first = schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let rest = schema.get("items").filter(|items| **items != Value::Bool(false));
        let closed = schema.get("items") == Some(&Value::Bool(false)) || (!first.is_empty() && rest.is_none());
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let anything = Value::Bool(true);
        let wanted = if narrow {
            least
        } else if closed {
            (first.len() as u64).clamp(least, most)
        } else {
            let least = least.max(first.len() as u64).max(1).min(most);
            let spread = most.min(least.saturating_add(2)) - least;
            least + self.random.below(spread + 1)
        };
        let mut items = Vec::new();
        let outer = std::mem::take(&mut self.repetitions);
        while (items.len() as u64) < wanted && !self.exhausted() && self.repetitions < MOST_TRIES {
            let item = first.get(items.len()).or(rest).unwrap_or(&anything);
            // The name of a list is the name of each item.
            let item = self.value(item, position.within(position.name, position.line));
            if unique && items.contains(&item) {
                self.repetitions += 1;
            } else {
                items.push(item);
                self.repetitions = 0;
            }
        }
        self.repetitions = outer;
        Value::Array(items)
    }

    fn number(&mut self, schema: &Map<String, Value>, position: Position<'_>, integer: bool) -> Value {
        let bounds = Bounds::read(schema, integer);
        if is_belief(position.name) {
            let believed = self.belief.answer(&mut self.random);
            return bounds.at(believed, if integer { 100.0 } else { 1.0 });
        }
        bounds.at(self.random.next_f64(), if integer { 10.0 } else { 1.0 })
    }

    fn string(&mut self, schema: &Map<String, Value>, position: Position<'_>) -> String {
        let length = |key: &str| schema.get(key).and_then(Value::as_f64).map(|length| length as u64);
        let least = length("minLength").unwrap_or_default().min(LONGEST) as usize;
        let most = length("maxLength").unwrap_or(LONGEST).min(LONGEST) as usize;
        let prompt = self.prompt;
        let text = match (position.name, position.line) {
            ("segment" | "segments", Some(line)) => line.id,
            ("speaker", Some(line)) => line.speaker,
            ("quote", line) => prompt.quote(line, &mut self.random),
            _ => prompt.phrase(&mut self.random),
        };
        self.with_length(text, least, most)
    }

    /// The text with its length, in characters, in these bounds: cut between words if that will do.
    fn with_length(&mut self, text: &str, least: usize, most: usize) -> String {
        let mut text = text.to_owned();
        let mut length = text.chars().count();
        while length < least {
            let phrase = self.prompt.phrase(&mut self.random);
            text.push(' ');
            text.push_str(phrase);
            length += 1 + phrase.chars().count();
        }
        if length > most {
            let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
            let head = &text[..end];
            let words = head.rfind(char::is_whitespace).map_or(head, |end| head[..end].trim_end());
            let length = if words.chars().count() < least.max(1) { head.len() } else { words.len() };
            text.truncate(length);
        }
        if self.repetitions >= NUMBERED {
            let number = self.repetitions.to_string();
            let kept = text.chars().count().saturating_sub(number.len());
            text = text.chars().take(kept).chain(number.chars().take(most)).collect();
        }
        text
    }

    /// A line, rather one that was not quoted yet.
    fn line(&mut self) -> Option<Line<'a>> {
        let mut line = *pick(&self.prompt.lines, &mut self.random)?;
        for _ in 0..4 {
            if !self.used.contains(line.id) {
                break;
            }
            line = *pick(&self.prompt.lines, &mut self.random)?;
        }
        self.used.insert(line.id);
        Some(line)
    }
}
