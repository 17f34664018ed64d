//! A value as a text that a person reads: names of members, and texts without quotes and escapes.

use serde_json::{Map, Value};

use super::texts::ShownText;

/// The most characters of a list in one line.
const LINE: usize = 80;
/// The most bytes of a word that comes before longer texts.
const SHORT: usize = 40;
/// A list of more numbers than this is shown by its beginning.
const NUMBERS: usize = 64;
/// So many numbers of it are shown.
const SHOWN_NUMBERS: usize = 16;

/// The value as a text. The only member of an object stands for the object, if it is a text.
pub(super) fn value_text(value: &Value) -> ShownText {
    let mut out = ShownText::default();
    match value {
        Value::Object(members) if members.len() == 1 => match members.values().next() {
            Some(Value::String(text)) => out.push(text),
            _ => write_value(&mut out, value, 0),
        },
        _ => write_value(&mut out, value, 0),
    }
    out
}

/// The members of an object, each with its name, and another one behind them.
pub(super) fn members_text(members: &Map<String, Value>, last: Option<(&str, &Value)>) -> ShownText {
    let mut out = ShownText::default();
    write_members(&mut out, members, 0);
    if let Some((name, value)) = last {
        out.push("\n");
        out.push_name(name);
        write_value(&mut out, value, 1);
    }
    out
}

fn write_value(out: &mut ShownText, value: &Value, depth: usize) {
    match value {
        Value::String(text) if text.is_empty() => out.push("\"\""),
        Value::String(text) => write_text(out, text, depth),
        Value::Object(members) if !members.is_empty() => write_members(out, members, depth),
        Value::Array(elements) => match one_line(elements) {
            Some(line) => out.push(&line),
            None => write_elements(out, elements, depth),
        },
        other => out.push(&other.to_string()),
    }
}

fn write_text(out: &mut ShownText, text: &str, depth: usize) {
    for (place, line) in text.replace("\r\n", "\n").split('\n').enumerate() {
        if place > 0 {
            new_line(out, depth);
        }
        out.push(line);
    }
}

fn write_members(out: &mut ShownText, members: &Map<String, Value>, depth: usize) {
    // What is short is seen at a glance, if it comes first.
    let (short, long): (Vec<_>, Vec<_>) = members.iter().partition(|(_, value)| is_short(value));
    for (place, (name, value)) in short.into_iter().chain(long).enumerate() {
        if place > 0 {
            new_line(out, depth);
        }
        out.push_name(name);
        if is_inline(value) {
            write_value(out, value, depth + 1);
        } else {
            new_line(out, depth + 1);
            write_value(out, value, depth + 1);
        }
    }
}

fn write_elements(out: &mut ShownText, elements: &[Value], depth: usize) {
    for (place, value) in elements.iter().enumerate() {
        if place > 0 {
            new_line(out, depth);
        }
        out.push("- ");
        write_value(out, value, depth + 1);
    }
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= SHORT && !text.contains([' ', '\n']),
        Value::Number(_) | Value::Bool(_) => true,
        _ => false,
    }
}

/// Whether the value stands in the line of its name.
fn is_inline(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains('\n'),
        Value::Object(members) => members.is_empty(),
        Value::Array(elements) => one_line(elements).is_some(),
        _ => true,
    }
}

/// A list in one line, if it has no parts of its own and is short, or is one of numbers.
fn one_line(elements: &[Value]) -> Option<String> {
    if elements.len() > NUMBERS && elements.iter().all(Value::is_number) {
        let shown: Vec<String> = elements.iter().take(SHOWN_NUMBERS).map(ToString::to_string).collect();
        return Some(format!("[{}, … {} more numbers]", shown.join(", "), elements.len() - SHOWN_NUMBERS));
    }
    let mut line = String::from("[");
    for (place, value) in elements.iter().enumerate() {
        match value {
            Value::Object(_) | Value::Array(_) => return None,
            Value::String(text) if text.contains('\n') => return None,
            _ => {}
        }
        if place > 0 {
            line.push_str(", ");
        }
        match value {
            Value::String(text) => line.push_str(text),
            other => line.push_str(&other.to_string()),
        }
        if line.len() > LINE {
            return None;
        }
    }
    line.push(']');
    Some(line)
}

fn new_line(out: &mut ShownText, depth: usize) {
    out.push("\n");
    out.push(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(value: &Value) -> String {
        let shown = value_text(value);
        let lines = shown.lines().map(|(name, rest)| name.map(|name| format!("{name}: ")).unwrap_or_default() + rest);
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_value_reads_as_a_person_would_write_it_down() {
        let value = json!({
            "label": "positive", "tags": ["a", "b"], "none": null,
            "review": "one\ntwo", "parts": [{ "x": 1, "y": [] }, { "x": 2 }], "nothing": {}, "empty": "",
        });
        let lines = [
            "label: positive",
            "tags: [a, b]",
            "none: null",
            "review: \n  one\n  two",
            "parts: \n  - x: 1\n    y: []\n  - x: 2",
            "nothing: {}",
            "empty: \"\"",
        ];
        let text = text(&value);
        assert!(lines.iter().all(|line| text.contains(line)), "{text}");
    }

    #[test]
    fn short_members_come_before_long_ones() {
        let value = json!({ "a": "long ".repeat(20), "b": [1, 2], "c": "positive", "d": 0.9 });
        let names: Vec<String> =
            value_text(&value).lines().map(|(name, _)| name.unwrap_or_default().to_owned()).collect();
        assert_eq!(names, ["c", "d", "a", "b"]);
    }

    #[test]
    fn a_text_alone_has_no_name_and_no_quotes() {
        assert_eq!(text(&json!({ "text": "Yes.\nIt is." })), "Yes.\nIt is.");
        assert_eq!(text(&json!("plain")), "plain");
        assert_eq!(text(&json!({ "count": 3 })), "count: 3");
    }

    #[test]
    fn of_many_numbers_the_first_are_shown() {
        let text = text(&json!({ "vector": vec![0.5; 1024] }));
        assert!(text.starts_with("vector: [0.5, 0.5") && text.ends_with("… 1008 more numbers]"), "{text}");
    }
}
