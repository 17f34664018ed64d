//! A schema as alternatives, each a set of plain keywords: references, `allOf`, `anyOf` and `oneOf` are multiplied out.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::view::View;
use jackfield_loader::{TensorShape, X_TENSOR};

/// More alternatives than this are not distinguished.
const MOST_ALTERNATIVES: usize = 64;

/// More subschemas than this are not visited: references can fan out without end.
const MOST_VISITS: usize = 4096;

/// References and combinators deeper than this are not followed.
const DEEPEST: usize = 24;

/// The types of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JsonType {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// Nothing.
    Null,
    /// A list.
    Array,
    /// An object.
    Object,
}

impl JsonType {
    /// The types as schemas name them.
    pub(crate) const NAMES: [&str; 7] = ["string", "integer", "number", "boolean", "null", "array", "object"];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
            Self::Array => "list",
            Self::Object => "object",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "null" => Self::Null,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }

    /// The type of a value.
    pub(crate) fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// Whether every value of this type is of the other.
    pub(crate) fn is_within(self, other: Self) -> bool {
        self == other || (self == Self::Integer && other == Self::Number)
    }

    /// The type of the values that are of both.
    fn intersection(self, other: Self) -> Option<Self> {
        if self.is_within(other) { Some(self) } else { other.is_within(self).then_some(other) }
    }

    /// Whether a value can be of both.
    pub(crate) fn meets(self, other: Self) -> bool {
        self.intersection(other).is_some()
    }
}

/// One alternative of a schema.
#[derive(Clone, Debug)]
pub struct Alternative<'a> {
    root: &'a Value,
    /// The type; none for any.
    pub ty: Option<JsonType>,
    /// A value satisfies all of these schemas.
    pub(crate) maps: Vec<&'a Map<String, Value>>,
    /// Whether there are keywords that are not understood here, so that fewer values may be valid.
    pub(crate) partly_understood: bool,
}

/// Keywords that can add fields beyond `properties`.
const OPENERS: [&str; 7] =
    ["patternProperties", "dependentSchemas", "if", "then", "else", "$dynamicRef", "$recursiveRef"];

impl<'a> Alternative<'a> {
    fn view(&self, parts: Vec<&'a Value>) -> Option<View<'a>> {
        (!parts.is_empty()).then_some(View { root: self.root, parts })
    }

    /// Values of a keyword, of all maps that have it.
    pub fn keyword(&self, keyword: &str) -> impl Iterator<Item = &'a Value> {
        self.maps.iter().filter_map(move |map| map.get(keyword))
    }

    /// Whether a keyword of ours marks it.
    pub(crate) fn is_marked(&self, keyword: &str) -> bool {
        self.keyword(keyword).any(|mark| *mark == Value::Bool(true))
    }

    /// The schema of a listed property.
    pub fn property(&self, name: &str) -> Option<View<'a>> {
        self.view(self.keyword("properties").filter_map(|properties| properties.get(name)).collect())
    }

    /// The listed properties, without those that may not be there.
    pub fn properties(&self) -> BTreeSet<&'a str> {
        let listed = self.keyword("properties").filter_map(Value::as_object).flat_map(Map::keys).map(String::as_str);
        listed.filter(|name| !self.forbids(name)).collect()
    }

    /// Whether a property is listed as one that may not be there.
    pub(crate) fn forbids(&self, name: &str) -> bool {
        self.keyword("properties").any(|properties| properties.get(name) == Some(&Value::Bool(false)))
    }

    /// The properties that are always there.
    pub fn required(&self) -> BTreeSet<&'a str> {
        self.keyword("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect()
    }

    /// Whether the listed properties are all that there are. A schema of a Rust struct lists every field without saying
    /// that there is no other, so a list is taken to be whole unless the schema says otherwise.
    pub(crate) fn is_closed(&self) -> bool {
        let open = |keyword| self.keyword(keyword).any(|value| *value != Value::Bool(false));
        let shut = |keyword| self.keyword(keyword).any(|value| *value == Value::Bool(false));
        let lists = self.keyword("properties").next().is_some();
        !self.partly_understood
            && !OPENERS.iter().any(|opener| self.keyword(opener).next().is_some())
            && !open("additionalProperties")
            && !open("unevaluatedProperties")
            && (lists || shut("additionalProperties") || shut("unevaluatedProperties"))
    }

    /// Whether a property that is not listed makes a value invalid.
    pub(crate) fn refuses(&self, name: &str) -> bool {
        let shut = ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|keyword| self.keyword(keyword).any(|value| *value == Value::Bool(false)));
        shut && !self.partly_understood
            && self.property(name).is_none()
            && !OPENERS.iter().any(|opener| self.keyword(opener).next().is_some())
    }

    /// The schema of properties that are not listed, if there is one.
    pub fn other_properties(&self) -> Option<View<'a>> {
        if self.keyword("patternProperties").next().is_some() {
            return None;
        }
        self.view(self.keyword("additionalProperties").filter(|value| value.is_object()).collect())
    }

    /// The length of `prefixItems`.
    pub fn prefix(&self) -> usize {
        self.keyword("prefixItems").filter_map(Value::as_array).map(Vec::len).max().unwrap_or_default()
    }

    /// The schema of the element at an index; of those behind the prefix for any index beyond it.
    pub fn element(&self, index: usize) -> Option<View<'a>> {
        let part = |map: &&'a Map<String, Value>| {
            let prefix = map.get("prefixItems").and_then(Value::as_array);
            prefix.and_then(|prefix| prefix.get(index)).or_else(|| map.get("items"))
        };
        self.view(self.maps.iter().filter_map(part).collect())
    }

    /// The shape, where this is a tensor by reference: of several, the first that says more than that it is one.
    pub(crate) fn tensor(&self) -> Option<TensorShape> {
        if self.ty.is_some_and(|ty| ty != JsonType::Object) {
            return None;
        }
        // What is wrong with a keyword is reported when its plugin is loaded.
        let mut shapes = self.keyword(X_TENSOR).filter_map(|keyword| TensorShape::read(keyword).ok());
        let first = shapes.next()?;
        Some(if first.0.is_some() { first } else { shapes.find(|shape| shape.0.is_some()).unwrap_or(first) })
    }

    /// The values there are, if the schema lists them.
    pub fn values(&self) -> Option<Vec<&'a Value>> {
        let mut values: Option<Vec<&'a Value>> = None;
        for map in &self.maps {
            let mut narrow = |allowed: Vec<&'a Value>| match &mut values {
                Some(values) => values.retain(|value| allowed.contains(value)),
                None => values = Some(allowed),
            };
            if let Some(value) = map.get("const") {
                narrow(vec![value]);
            }
            if let Some(list) = map.get("enum").and_then(Value::as_array) {
                narrow(list.iter().collect());
            }
        }
        if let (Some(values), Some(ty)) = (&mut values, self.ty) {
            values.retain(|value| JsonType::of_value(value).is_within(ty));
        }
        values
    }
}

/// The alternatives of a part of a schema; none if no value is valid there.
pub fn alternatives<'a>(view: &View<'a>) -> Vec<Alternative<'a>> {
    let mut expander = Expander { root: view.root, overflow: false, visits: 0 };
    let mut sets = vec![Set { maps: Vec::new(), partly_understood: false }];
    for part in &view.parts {
        sets = expander.product(sets, part, 0);
    }
    let overflow = expander.overflow;
    sets.into_iter().flat_map(|set| split_by_type(view.root, set.maps, set.partly_understood || overflow)).collect()
}

#[derive(Clone)]
struct Set<'a> {
    maps: Vec<&'a Map<String, Value>>,
    partly_understood: bool,
}

struct Expander<'a> {
    root: &'a Value,
    overflow: bool,
    visits: usize,
}

impl<'a> Expander<'a> {
    /// Each of the sets with each alternative of a schema.
    fn product(&mut self, sets: Vec<Set<'a>>, schema: &'a Value, depth: usize) -> Vec<Set<'a>> {
        let alternatives = self.expand(schema, depth);
        if sets.len() * alternatives.len() > MOST_ALTERNATIVES {
            self.overflow = true;
            return sets;
        }
        let join = |set: &Set<'a>, other: &Set<'a>| Set {
            maps: set.maps.iter().chain(&other.maps).copied().collect(),
            partly_understood: set.partly_understood || other.partly_understood,
        };
        sets.iter().flat_map(|set| alternatives.iter().map(move |other| join(set, other))).collect()
    }

    fn expand(&mut self, schema: &'a Value, depth: usize) -> Vec<Set<'a>> {
        self.visits += 1;
        let anything = |partly_understood| vec![Set { maps: Vec::new(), partly_understood }];
        let map = match schema {
            Value::Bool(false) => return Vec::new(),
            Value::Object(map) if depth <= DEEPEST && self.visits <= MOST_VISITS => map,
            Value::Object(_) => return anything(true),
            _ => return anything(false),
        };
        let mut sets = vec![Set { maps: vec![map], partly_understood: false }];
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            match resolve(self.root, reference) {
                Some(target) => sets = self.product(sets, target, depth + 1),
                None => sets.iter_mut().for_each(|set| set.partly_understood = true),
            }
        }
        for part in map.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            sets = self.product(sets, part, depth + 1);
        }
        for keyword in ["anyOf", "oneOf"] {
            let Some(choices) = map.get(keyword).and_then(Value::as_array) else { continue };
            let choices: Vec<_> = choices.iter().flat_map(|choice| self.expand(choice, depth + 1)).collect();
            if sets.len() * choices.len() > MOST_ALTERNATIVES {
                self.overflow = true;
                continue;
            }
            let mut joined = Vec::new();
            for set in &sets {
                joined.extend(choices.iter().map(|choice| Set {
                    maps: set.maps.iter().chain(&choice.maps).copied().collect(),
                    partly_understood: set.partly_understood || choice.partly_understood,
                }));
            }
            sets = joined;
        }
        sets
    }
}

/// One alternative for each type that a set of maps allows.
fn split_by_type<'a>(
    root: &'a Value,
    maps: Vec<&'a Map<String, Value>>,
    partly_understood: bool,
) -> Vec<Alternative<'a>> {
    let mut types: Option<Vec<JsonType>> = None;
    for map in &maps {
        let allowed: Vec<JsonType> = match map.get("type") {
            Some(Value::String(name)) => JsonType::parse(name).into_iter().collect(),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).filter_map(JsonType::parse).collect(),
            _ => continue,
        };
        types = Some(match types {
            None => allowed,
            Some(types) => {
                let mut intersection: Vec<JsonType> =
                    types.iter().flat_map(|ty| allowed.iter().filter_map(|other| ty.intersection(*other))).collect();
                intersection.dedup();
                intersection
            }
        });
    }
    let alternative = |ty| Alternative { root, ty, maps: maps.clone(), partly_understood };
    let listed = alternative(None).values();
    match (types, listed) {
        (Some(types), None) => types.into_iter().map(|ty| alternative(Some(ty))).collect(),
        (types, Some(values)) => {
            // Listed values have types of their own.
            let mut found: Vec<JsonType> = values.iter().map(|value| JsonType::of_value(value)).collect();
            found.sort_unstable();
            found.dedup();
            found.retain(|ty| types.as_ref().is_none_or(|types| types.iter().any(|allowed| ty.is_within(*allowed))));
            found.into_iter().map(|ty| alternative(Some(ty))).collect()
        }
        (None, None) => vec![alternative(None)],
    }
}

/// The target of a reference within the document.
pub(crate) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    root.pointer(pointer).or_else(|| root.pointer(&percent_decoded(pointer)?))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            bytes.push((digit(rest.next())? * 16 + digit(rest.next())?) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
