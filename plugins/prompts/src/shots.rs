//! Examples of an input and its answer, which a model is shown before it is asked.

use serde_json::{Map, Value};

use crate::settings::{SettingFile, Shots};

/// The field of an example that holds the answer.
const ANSWER: &str = "answer";

/// An example.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shot {
    /// The variables of the template.
    pub(crate) variables: Map<String, Value>,
    /// The answer, as the model is to give it.
    pub(crate) answer: String,
}

/// The examples in order.
///
/// # Errors
/// What is wrong with one of them, as a fragment.
pub(crate) fn read(shots: &Shots) -> Result<Vec<Shot>, String> {
    match shots {
        Shots::Inline(list) => list.iter().enumerate().map(|(at, shot)| shot_of(shot.clone(), at + 1)).collect(),
        Shots::File(SettingFile { file }) => {
            let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
            let is_csv = file.path.to_ascii_lowercase().ends_with(".csv");
            let found = if is_csv { of_csv(text) } else { of_json_lines(text) };
            let found = found.map_err(|why| format!("`{}`: {why}", file.path))?;
            if found.is_empty() { Err(format!("`{}` has no examples", file.path)) } else { Ok(found) }
        }
    }
}

fn of_json_lines(text: &str) -> Result<Vec<Shot>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .enumerate()
        .map(|(at, (line, json))| {
            let shot = serde_json::from_str(json).map_err(|error| format!("line {}: {error}", line + 1))?;
            shot_of(shot, at + 1)
        })
        .collect()
}

fn of_csv(text: &str) -> Result<Vec<Shot>, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    reader
        .records()
        .enumerate()
        .map(|(at, record)| {
            let record = record.map_err(|error| error.to_string())?;
            let values = names.iter().zip(&record).map(|(name, value)| (name.to_owned(), Value::from(value)));
            shot_of(values.collect(), at + 1)
        })
        .collect()
}

fn shot_of(mut variables: Map<String, Value>, number: usize) -> Result<Shot, String> {
    let answer = variables.remove(ANSWER).ok_or_else(|| format!("example {number} has no `{ANSWER}`"))?;
    let answer = match answer {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(Shot { variables, answer })
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::TextFile;
    use serde_json::json;

    use super::*;

    fn of_file(path: &str, text: &str) -> Result<Vec<Shot>, String> {
        read(&Shots::File(SettingFile { file: TextFile { path: path.to_owned(), text: text.to_owned() } }))
    }

    #[test]
    fn a_csv_file_and_json_lines_give_the_same() {
        let csv =
            of_file("shots.csv", "\u{feff}review,answer\n\"Good, really\",positive\nBad,negative\n").expect("examples");
        let lines =
            "{\"review\":\"Good, really\",\"answer\":\"positive\"}\n\n{\"review\":\"Bad\",\"answer\":\"negative\"}";
        assert_eq!(of_file("shots.jsonl", lines), Ok(csv.clone()));
        assert_eq!((csv.len(), csv[0].answer.as_str()), (2, "positive"));
    }

    #[test]
    fn an_answer_that_is_no_text_is_shown_as_json() {
        let shots: Shots =
            serde_json::from_value(json!([{ "n": 1, "answer": { "b": 1, "a": [true] } }])).expect("examples");
        assert_eq!(read(&shots).expect("examples")[0].answer, "{\"a\":[true],\"b\":1}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        assert_eq!(
            of_file("s.jsonl", "{\"a\":1,\"answer\":2}\n{\"a\":1}"),
            Err("`s.jsonl`: example 2 has no `answer`".to_owned())
        );
        assert!(of_file("s.jsonl", "\n{").is_err_and(|why| why.starts_with("`s.jsonl`: line 2: EOF")));
        assert_eq!(of_file("s.csv", "a,answer\n"), Err("`s.csv` has no examples".to_owned()));
        assert!(of_file("s.csv", "a,answer\n1\n").is_err_and(|why| why.contains("line: 2")));
    }
}
