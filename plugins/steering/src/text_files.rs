//! Reads texts from files of several formats.

use std::fmt::Write as _;

use csv::ReaderBuilder;
use jackfield_plugin_api::prelude::*;

/// Invalid lines beyond this number are counted, not named.
const MOST_NAMED_PROBLEMS: usize = 10;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// A text on each line; empty lines are left out.
    Text,
    /// A JSON value on each line: a text, or an object with the text; empty lines are left out.
    Jsonl,
    /// A table, with the names of the columns in its first line.
    Csv,
    /// One JSON value: a list of texts or of objects, or an object with such a list somewhere in it.
    Json,
}

impl FileFormat {
    /// The format that the ending of a file's name stands for.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit(['/', '\\']).next()?.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "txt" | "text" => Some(Self::Text),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Which texts of a file are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection<'a> {
    /// The key, or the column, that holds the text.
    pub field: Option<&'a str>,
    /// The path to the list in a JSON file: keys, and numbers from 0 for entries of lists, with dots between them.
    pub at: Option<&'a str>,
    /// How many texts are left out at the beginning.
    pub skip: u64,
    /// The most texts that are taken after that.
    pub limit: Option<u64>,
}

/// What is wrong with a line, or an entry, of a file.
struct LineProblem {
    /// Such as `:3`, with which the path becomes a place.
    position: String,
    problem: String,
}

/// The texts of a file. All lines are checked before one is refused.
///
/// # Errors
/// [`Failure::InvalidConfig`] that names each bad line of the file, a key or column that is not there, and a selection that
/// leaves nothing.
pub fn read_texts(path: &str, text: &str, format: FileFormat, selection: &Selection<'_>) -> Result<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let path = path.escape_debug().to_string();
    let mut problems = Vec::new();
    let texts = match format {
        FileFormat::Text => text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect(),
        FileFormat::Jsonl => jsonl(text, selection.field, &mut problems),
        FileFormat::Csv => csv(text, selection.field, &mut problems),
        FileFormat::Json => json(text, selection, &mut problems),
    };
    if !problems.is_empty() {
        return Err(Failure::InvalidConfig(problems_message(&path, &problems)));
    }
    let (found, skip) = (texts.len(), usize::try_from(selection.skip).unwrap_or(usize::MAX));
    let limit = selection.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let taken: Vec<String> = texts.into_iter().skip(skip).take(limit).collect();
    if taken.is_empty() {
        let why = match found {
            0 => "does not have a text".to_owned(),
            _ => format!("has {found} texts, of which `skip` and `limit` leave none"),
        };
        return Err(Failure::InvalidConfig(format!("`{path}` {why}")));
    }
    Ok(taken)
}

fn problems_message(path: &str, problems: &[LineProblem]) -> String {
    let mut message = String::new();
    for (index, LineProblem { position, problem }) in problems.iter().take(MOST_NAMED_PROBLEMS).enumerate() {
        // Writing to a text does not fail.
        let _ = write!(message, "{}`{path}{position}`: {problem}", if index == 0 { "" } else { "; " });
    }
    if let Some(unnamed) = problems.len().checked_sub(MOST_NAMED_PROBLEMS).filter(|unnamed| *unnamed > 0) {
        let _ = write!(message, "; and {unnamed} more");
    }
    message
}

/// The text of an entry, or what is wrong with the entry.
fn text_of_entry(value: &Value, field: Option<&str>) -> Result<String, String> {
    let text = match (value, field) {
        (Value::Object(_), Some(field)) => {
            value_at_path(value, field).map_err(|key| format!("there is no key `{}`", key.escape_debug()))?
        }
        (Value::Object(_), None) => {
            return Err("it is an object: say by `field` which of its keys holds the text".to_owned());
        }
        (_, Some(field)) => {
            let (kind, field) = (kind_of(value), field.escape_debug());
            return Err(format!("it is {kind}, not an object with the key `{field}`"));
        }
        (value, None) => value,
    };
    match text {
        Value::String(text) if text.trim().is_empty() => Err("the text is empty".to_owned()),
        Value::String(text) => Ok(text.clone()),
        other => Err(format!("it is {}, not a text", kind_of(other))),
    }
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The value at a path, or the first key of the path that does not exist. A key may have dots in it.
fn value_at_path<'a, 'b>(value: &'a Value, path: &'b str) -> Result<&'a Value, &'b str> {
    if let Some(found) = value.get(path) {
        return Ok(found);
    }
    let mut found = value;
    for key in path.split('.') {
        let next = match found {
            Value::Array(list) => key.parse().ok().and_then(|index: usize| list.get(index)),
            other => other.get(key),
        };
        found = next.ok_or(key)?;
    }
    Ok(found)
}

fn jsonl(text: &str, field: Option<&str>, problems: &mut Vec<LineProblem>) -> Vec<String> {
    let mut texts = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let value = serde_json::from_str::<Value>(line)
            .map_err(|error| (Some(error.column()), format!("not valid JSON: {}", message_without_position(&error))));
        match value.and_then(|value| text_of_entry(&value, field).map_err(|problem| (None, problem))) {
            Ok(text) => texts.push(text),
            Err((column, problem)) => {
                let column = column.map_or_else(String::new, |column| format!(":{column}"));
                problems.push(LineProblem { position: format!(":{}{column}", index + 1), problem });
            }
        }
    }
    texts
}

/// The message of a JSON error without its position, which is reported apart.
fn message_without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    }
}

fn csv(text: &str, field: Option<&str>, problems: &mut Vec<LineProblem>) -> Vec<String> {
    let mut texts = Vec::new();
    let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
    let problem_of = |error: &csv::Error| LineProblem {
        position: error.position().map_or_else(String::new, |position| format!(":{}", position.line())),
        problem: match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("the line has {len} columns, and the first has {expected_len}")
            }
            _ => error.to_string(),
        },
    };
    let column = match reader.headers() {
        Ok(names) => column(names, field),
        Err(error) => {
            problems.push(problem_of(&error));
            return texts;
        }
    };
    let column = match column {
        Ok(column) => column,
        Err(problem) => {
            problems.push(LineProblem { position: ":1".to_owned(), problem });
            return texts;
        }
    };
    for record in reader.records() {
        match record {
            Ok(record) => match record.get(column).filter(|text| !text.trim().is_empty()) {
                Some(text) => texts.push(text.to_owned()),
                None => {
                    let position =
                        record.position().map_or_else(String::new, |position| format!(":{}", position.line()));
                    problems.push(LineProblem { position, problem: "the text is empty".to_owned() });
                }
            },
            Err(error) => problems.push(problem_of(&error)),
        }
    }
    texts
}

fn column(names: &csv::StringRecord, field: Option<&str>) -> Result<usize, String> {
    let listed_names = || names.iter().map(|name| format!("`{}`", name.escape_debug())).collect::<Vec<_>>().join(", ");
    match field {
        Some(field) => {
            let found = names.iter().position(|name| name.trim() == field);
            found.ok_or_else(|| format!("there is no column `{}`; there are {}", field.escape_debug(), listed_names()))
        }
        None if names.len() == 1 => Ok(0),
        None => Err(format!("there are several columns, {}: say by `field` which holds the text", listed_names())),
    }
}

fn json(text: &str, selection: &Selection<'_>, problems: &mut Vec<LineProblem>) -> Vec<String> {
    let mut texts = Vec::new();
    let mut add_problem = |position: String, problem: String| problems.push(LineProblem { position, problem });
    let value = match serde_json::from_str::<Value>(text) {
        Ok(value) => value,
        Err(error) => {
            add_problem(
                format!(":{}:{}", error.line(), error.column()),
                format!("not valid JSON: {}", message_without_position(&error)),
            );
            return texts;
        }
    };
    let path = selection.at.unwrap_or_default();
    let list = if path.is_empty() { Ok(&value) } else { value_at_path(&value, path) };
    let position = if path.is_empty() { String::new() } else { format!("` at `{}", path.escape_debug()) };
    match list {
        Ok(Value::Array(list)) => {
            for (index, value) in list.iter().enumerate() {
                match text_of_entry(value, selection.field) {
                    Ok(text) => texts.push(text),
                    Err(problem) => add_problem(format!("{position}[{index}]"), problem),
                }
            }
        }
        Ok(Value::Object(map)) => {
            let keys = map.keys().map(|key| format!("`{}`", key.escape_debug())).collect::<Vec<_>>().join(", ");
            add_problem(position, format!("it is an object: say by `at` where in it the list is; its keys are {keys}"));
        }
        Ok(other) => add_problem(position, format!("it is {}, not a list", kind_of(other))),
        Err(key) => add_problem(position, format!("there is no `{}`", key.escape_debug())),
    }
    texts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Selection<'_> = Selection { field: None, at: None, skip: 0, limit: None };

    fn read(path: &str, text: &str, selection: &Selection<'_>) -> Result<Vec<String>, String> {
        let format = FileFormat::of(path).expect("a known ending");
        read_texts(path, text, format, selection).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn every_format_gives_its_texts_in_order() {
        let of_field = |field| Selection { field: Some(field), ..ALL };
        let at_path = |way| Selection { at: Some(way), ..ALL };
        let axes =
            r#"{ "axes": { "letter": { "positive": ["one", "two"] } }, "neutral": [{ "q": "one" }, { "q": "two" }] }"#;
        for (path, text, selection) in [
            ("a.txt", "\u{feff}one\r\n\n  two \n", ALL),
            ("a.jsonl", "\"one\"\n\n\"two\"\n", ALL),
            ("a.jsonl", "{\"q\": \"one\"}\n{\"q\": \"two\", \"n\": 1}", of_field("q")),
            ("a.jsonl", "{\"q\": {\"en\": \"one\"}}\n{\"q.en\": \"two\"}", of_field("q.en")),
            ("a.csv", "q\none\n\"two\"\n", ALL),
            ("a.csv", "id,q\n1,one\n2,\"two\"\n", of_field("q")),
            ("a.json", "[\"one\", \"two\"]", ALL),
            ("a.json", axes, at_path("axes.letter.positive")),
            ("a.json", axes, Selection { at: Some("neutral"), ..of_field("q") }),
            ("folder.d/A.JSON", "[[\"one\", \"two\"]]", at_path("0")),
        ] {
            assert_eq!(
                read(path, text, &selection).as_deref(),
                Ok(&["one".to_owned(), "two".to_owned()][..]),
                "{text}"
            );
        }
        assert_eq!(FileFormat::of("folder.d/none"), None);
    }

    #[test]
    fn a_part_is_taken_from_where_it_is_wanted() {
        let part = |skip, limit| read("a.txt", "1\n2\n3\n4", &Selection { skip, limit, ..ALL });
        assert_eq!(part(1, Some(2)), Ok(vec!["2".to_owned(), "3".to_owned()]));
        assert_eq!(part(3, None), Ok(vec!["4".to_owned()]));
        assert_eq!(part(0, Some(u64::MAX)).map(|texts| texts.len()), Ok(4));
        assert_eq!(part(4, None), Err("`a.txt` has 4 texts, of which `skip` and `limit` leave none".to_owned()));
        assert_eq!(read("a.txt", "\n", &ALL), Err("`a.txt` does not have a text".to_owned()));
    }

    #[test]
    fn all_bad_lines_are_named_at_once_with_their_place() {
        let message_of =
            |path: &str, text: &str, selection: &Selection<'_>| read(path, text, selection).expect_err("bad lines");
        let of_field = Selection { field: Some("q"), ..ALL };
        assert_eq!(
            message_of("a.jsonl", "{\"q\": 1}\n{\"q\": \"good\"}\n{\"q\n[]\n{}\n{\"q\": \" \"}", &of_field),
            "`a.jsonl:1`: it is a number, not a text; `a.jsonl:3:3`: not valid JSON: EOF while parsing a string; \
             `a.jsonl:4`: it is a list, not an object with the key `q`; `a.jsonl:5`: there is no key `q`; \
             `a.jsonl:6`: the text is empty"
        );
        assert_eq!(message_of("a.csv", "a,b\n1,2", &of_field), "`a.csv:1`: there is no column `q`; there are `a`, `b`");
        assert_eq!(
            message_of("a.csv", "q,b\n1,2\n3\n,4", &of_field),
            "`a.csv:3`: the line has 1 columns, and the first has 2; `a.csv:4`: the text is empty"
        );
        assert_eq!(
            message_of("a.csv", "q,b\n1,2", &ALL),
            "`a.csv:1`: there are several columns, `q`, `b`: say by `field` which holds the text"
        );
        assert_eq!(
            message_of("a.json", "{\"axes\": [1]}", &ALL),
            "`a.json`: it is an object: say by `at` where in it the list is; its keys are `axes`"
        );
        let at_path = |way| Selection { at: Some(way), ..ALL };
        assert_eq!(
            message_of("a.json", "{\"axes\": [1]}", &at_path("axes")),
            "`a.json` at `axes[0]`: it is a number, not a text"
        );
        assert_eq!(
            message_of("a.json", "{\"axes\": 1}", &at_path("axes")),
            "`a.json` at `axes`: it is a number, not a list"
        );
        assert_eq!(
            message_of("a.json", "{\"axes\": 1}", &at_path("axis.a")),
            "`a.json` at `axis.a`: there is no `axis`"
        );
        assert_eq!(message_of("a.json", "{\n\"a", &ALL), "`a.json:2:2`: not valid JSON: EOF while parsing a string");
        let many = message_of("a.jsonl", &"1\n".repeat(12), &ALL);
        assert!(many.ends_with("`a.jsonl:10`: it is a number, not a text; and 2 more"), "{many}");
    }

    proptest! {
        #[test]
        fn no_file_is_too_odd_to_be_answered(
            text in "(\\{|\\}|\"|q|:|,|\n|\r|\\[|\\]|1| |\u{0}|é){0,40}", skip in 0_u64..3, limit in 0_u64..3
        ) {
            for format in [FileFormat::Text, FileFormat::Jsonl, FileFormat::Csv, FileFormat::Json] {
                for field in [None, Some("q")] {
                    let selection = Selection { field, at: Some("q"), skip, limit: Some(limit) };
                    if let Ok(texts) = read_texts("a", &text, format, &selection) {
                        prop_assert!(!texts.is_empty() && texts.len() as u64 <= limit);
                        prop_assert!(texts.iter().all(|text| !text.trim().is_empty()));
                    }
                }
            }
        }
    }
}
