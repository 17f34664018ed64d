//! A value in a few words: its numbers and texts, each with the way to it.

use serde_json::{Map, Value};

use crate::{text::truncate, units::significant_digits};

/// The longest text of a part, in characters.
const MOST_CHARACTERS: usize = 80;

/// The longest list that is shown element by element.
const MOST_ELEMENTS: usize = 8;

/// The parts of a value.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FlatValue {
    /// The first parts: the way to each, such as `groups.easy.mean` (empty for the whole), and the value there.
    pub parts: Vec<(String, String)>,
    /// How many there are beyond these.
    pub others: usize,
}

/// The parts of a value, at most so many.
#[must_use]
pub fn flat_value(value: &Value, most: usize) -> FlatValue {
    let mut flat = FlatValue::default();
    add(value, "", most, &mut flat);
    flat
}

fn add(value: &Value, way: &str, most: usize, flat: &mut FlatValue) {
    let Value::Object(members) = value else { return push(way, &text_of(value), most, flat) };
    let longer = |name: &str| if way.is_empty() { name.to_owned() } else { format!("{way}.{name}") };
    let estimate = Estimate::of(members);
    if let Some(estimate) = &estimate {
        // Of an estimate within a value, nothing is shown but the estimate.
        if !way.is_empty() {
            return push(way, &estimate.text, most, flat);
        }
        push(estimate.name, &estimate.text, most, flat);
    }
    let is_shown = |name: &str| estimate.as_ref().is_none_or(|estimate| name != estimate.name && name != INTERVAL);
    let shown = || members.iter().filter(|(name, member)| is_shown(name) && !is_empty(member));
    for (name, member) in shown().filter(|(_, member)| !member.is_object()) {
        add(member, &longer(name), most, flat);
    }
    for (name, member) in shown().filter(|(_, member)| member.is_object()) {
        add(member, &longer(name), most, flat);
    }
}

fn push(way: &str, text: &str, most: usize, flat: &mut FlatValue) {
    if flat.parts.len() < most {
        flat.parts.push((way.to_owned(), truncate(text, MOST_CHARACTERS)));
    } else {
        flat.others += 1;
    }
}

/// The member with the bounds of an estimate.
pub(crate) const INTERVAL: &str = "interval";

/// A number with an interval, as `summary` and `agreement` answer it.
pub(crate) struct Estimate {
    /// The member that holds the number.
    pub(crate) name: &'static str,
    /// The number, and its interval in brackets.
    pub(crate) text: String,
}

impl Estimate {
    /// The estimate that these members are, if they are one.
    pub(crate) fn of(members: &Map<String, Value>) -> Option<Self> {
        let name = ["mean", "value", "rate", "estimate"]
            .into_iter()
            .find(|name| members.get(*name).is_some_and(Value::is_number))?;
        let interval = members.get(INTERVAL)?;
        let [low, high] = ["low", "high"].map(|bound| interval.get(bound).filter(|bound| bound.is_number()));
        let text = format!("{} [{}, {}]", scalar(&members[name]), scalar(low?), scalar(high?));
        Some(Self { name, text })
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// What is not an object, as a text.
fn text_of(value: &Value) -> String {
    match value {
        Value::Array(elements) if elements.len() > MOST_ELEMENTS || elements.iter().any(is_nested) => {
            format!("a list of {}", elements.len())
        }
        Value::Array(elements) => format!("[{}]", elements.iter().map(scalar).collect::<Vec<_>>().join(", ")),
        scalar_value => scalar(scalar_value),
    }
}

const fn is_nested(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

/// A number with a few digits; a text as it is.
pub(crate) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => significant_digits(number.as_f64().unwrap_or_default()),
        Value::Object(_) => "{}".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_texts_are_shown_with_the_way_to_them() {
        let value = json!({ "count": 3, "mean": 2.0 / 3.0, "ci": { "low": 0.5, "high": 1.0 }, "all": [1, 2], "rows": [{}], "none": {}, "tiny": 1e-9 });
        let flat = flat_value(&value, 6);
        let parts: Vec<String> = flat.parts.iter().map(|(way, text)| format!("{way} {text}")).collect();
        assert_eq!(parts.join("; "), "all [1, 2]; count 3; mean 0.6667; rows a list of 1; tiny 1.000e-9; ci.high 1");
        assert_eq!(flat.others, 1);
        let estimate =
            |mean: f64| json!({ "mean": mean, "count": 9, "interval": { "low": 0.25, "high": 1, "level": 0.95 } });
        let mut summary = estimate(0.5);
        summary["groups"] = json!({ "easy": estimate(0.75) });
        let parts: Vec<String> =
            flat_value(&summary, 6).parts.iter().map(|(way, text)| format!("{way} {text}")).collect();
        assert_eq!(parts.join("; "), "mean 0.5 [0.25, 1]; count 9; groups.easy 0.75 [0.25, 1]");
        assert_eq!(flat_value(&json!(12.5), 3).parts, [(String::new(), "12.5".to_owned())]);
    }
}
