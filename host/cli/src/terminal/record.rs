//! A message in the two forms in which programs and files get it: a JSON object in the shape of a log line, and a line with its time.

use std::time::SystemTime;

use jackfield_loader::{MASK, escape_untrusted_json, escape_untrusted_lines, holds_secrets, mask_secrets};
use serde_json::{Map, Value, json};

use super::settings::Severity;

/// What stands for the program where log lines name the module that they come from.
const TARGET: &str = "jackfield";

/// The time at which something is said, as log lines have it.
pub(super) fn timestamp() -> String {
    humantime::format_rfc3339_micros(jackfield_store::writable_time(SystemTime::now())).to_string()
}

/// A message as a JSON object on a line of its own. `fields` is an object whose members stand beside the message.
pub(super) fn json_line(severity: Severity, message: &str, fields: &Value) -> String {
    let mut members = Map::new();
    members.insert("message".to_owned(), Value::from(message.trim_matches('\n')));
    members.extend(fields.as_object().cloned().unwrap_or_default());
    let fields = without_secrets(&Value::Object(members));
    let record = json!({ "timestamp": timestamp(), "level": severity.level(), "fields": fields, "target": TARGET });
    format!("{}\n", escape_untrusted_json(&record.to_string()))
}

/// A log line that is a JSON object, without the secrets in it. One that is not JSON is wrapped, so that a reader never stumbles.
pub(super) fn json_log_line(line: &str) -> String {
    match serde_json::from_str::<Value>(line) {
        Ok(record) => format!("{}\n", escape_untrusted_json(&without_secrets(&record).to_string())),
        Err(_) => json_line(Severity::Note, line, &Value::Null),
    }
}

/// A message as lines of a file: the time and the level before the first, and the others further in.
pub(super) fn text_line(severity: Severity, message: &str) -> String {
    timed_line(&format!("{:>5} {}", severity.level(), message.trim_matches('\n')))
}

/// A text that begins with its level, with the time before it.
pub(super) fn timed_line(text: &str) -> String {
    let text = mask_secrets(text.trim_end_matches('\n'));
    let text = escape_untrusted_lines(&text).replace('\n', "\n  ");
    format!("{} {text}\n", timestamp())
}

/// The value with `********` in place of what may be a secret.
pub(crate) fn without_secrets(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                let value = if holds_secrets(key) { Value::from(MASK) } else { without_secrets(value) };
                (key.clone(), value)
            };
            map.iter().map(entry).collect()
        }
        Value::Array(list) => list.iter().map(without_secrets).collect(),
        Value::String(text) => Value::from(mask_secrets(text)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_message_is_one_line_of_json_whatever_it_holds() {
        let line = json_line(Severity::Error, "two\nlines \u{1b}[2J", &json!({ "hint": "see http://me:hidden@h" }));
        assert!(line.ends_with('\n') && line.matches('\n').count() == 1 && !line.contains('\u{1b}'), "{line:?}");
        let record: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(record["level"], "ERROR");
        assert_eq!(record["fields"]["hint"], "see http://********@h");
        assert!(record["fields"]["message"].as_str().expect("a text").starts_with("two\nlines"));
    }

    #[test]
    fn a_log_line_loses_its_secrets_and_stays_json() {
        let line = r#"{"fields":{"message":"connect http://me:hidden@h","api_key":"hidden"},"level":"WARN"}"#;
        let record: Value = serde_json::from_str(&json_log_line(line)).expect("JSON");
        assert!(!record.to_string().contains("hidden"), "{record}");
        let record: Value = serde_json::from_str(&json_log_line("half {")).expect("JSON");
        assert_eq!(record["fields"]["message"], "half {");
    }

    #[test]
    fn a_line_of_a_file_has_its_time_and_no_other_line_looks_like_one() {
        let line = text_line(Severity::Note, "\none\ntwo\n");
        let (time, rest) = line.split_once(' ').expect("a time");
        assert!(humantime::parse_rfc3339(time).is_ok(), "{line}");
        assert_eq!(rest, " INFO one\n  two\n");
    }
}
