//! Answers of the mock that somebody has written.

use std::{fs, path::Path, sync::Arc};

use jackfield_plugin_api::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::json::{canonical, parse_line};

/// The answers of a script, in the order of its lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Script(Arc<[Scripted]>);

#[derive(Debug)]
struct Scripted {
    /// Texts that all occur in what is asked.
    contains: Vec<String>,
    answer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    contains: OneOrMore,
    answer: Value,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Script {
    /// Reads a script: JSON Lines of `{"contains": …, "answer": …}`.
    ///
    /// # Errors
    /// `invalid-config` if the file cannot be read, or one of its lines is something else.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::InvalidConfig(format!("failed to read the script `{shown}`: {error}")))?;
        Self::parse(&text)
            .map_err(|reason| Failure::InvalidConfig(format!("the script `{shown}` has a fault in {reason}")))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let scripted = lines.map(|(number, line)| {
            let Line { contains, answer } = parse_line(number, line)?;
            let contains = match contains {
                OneOrMore::One(text) => vec![text],
                OneOrMore::More(texts) => texts,
            };
            let answer = match answer {
                Value::String(text) => text,
                other => canonical(&other),
            };
            Ok(Scripted { contains, answer })
        });
        scripted.collect::<Result<_, String>>().map(Self)
    }

    /// The answer to what is asked, if the script has one.
    pub(super) fn answer(&self, asked: &str) -> Option<&str> {
        let fits = |scripted: &&Scripted| scripted.contains.iter().all(|text| asked.contains(text.as_str()));
        self.0.iter().find(fits).map(|scripted| scripted.answer.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_answers_whose_texts_all_occur() {
        let script = Script::parse(concat!(
            r#"{"contains": ["train", "Lyon"], "answer": "at nine"}"#,
            "\n\n",
            r#"{"contains": "train", "answer": {"b": 1, "a": [true]}}"#,
        ))
        .unwrap();
        assert_eq!(script.answer("Is the train to Lyon late?"), Some("at nine"));
        assert_eq!(script.answer("Is the train late?"), Some(r#"{"a":[true],"b":1}"#));
        assert_eq!(script.answer("Is the ferry late?"), None);
        assert_eq!(Script::default().answer("train"), None);
    }

    #[test]
    fn a_line_that_is_something_else_is_reported_by_its_number() {
        for (text, reason) in [
            ("{\"contains\": \"a\", \"answer\": \"b\"}\n{", "line 2, column 1: EOF"),
            (r#"{"contains": 3, "answer": "b"}"#, "a text or a list of texts"),
            (r#"{"contains": "a", "answer": "b", "says": 1}"#, "unknown field `says`"),
        ] {
            let found = Script::parse(text).unwrap_err();
            assert!(found.contains(reason), "{found}");
        }
        let Err(Failure::InvalidConfig(message)) = Script::read(Path::new("/no/such/script.jsonl")) else { panic!() };
        assert!(message.starts_with("failed to read the script `/no/such/script.jsonl`: "), "{message}");
    }
}
