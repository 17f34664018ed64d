//! The documents to search in, and how a file holds them.

use std::collections::BTreeSet;

use jackfield_plugin_api::prelude::*;
use jackfield_text::normal::composed;
use serde_json::Value;

use crate::record::{self, Record};

/// A document that can be found.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Passage {
    /// Unique in the collection, letters composed.
    pub id: String,
    /// A title, which is searched too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text.
    pub text: String,
}

impl Passage {
    /// What is searched: the title and the text, letters composed.
    #[must_use]
    pub fn searched(&self) -> String {
        match &self.title {
            Some(title) => composed(&format!("{title}\n{}", self.text)).into_owned(),
            None => composed(&self.text).into_owned(),
        }
    }

    fn of_record(record: &Value) -> Result<Self, String> {
        let id = record::id(record)?;
        let text = record::text(record, "text")?.ok_or_else(|| "missing field `text`".to_owned())?;
        let title = record::text(record, "title")?.filter(|title| !title.is_empty());
        Ok(Self { id, title, text })
    }
}

/// Reads a collection: a JSON array of documents, one document a line, or records of comma-separated values (`.csv`) or of
/// values with tabs between (`.tsv`).
///
/// # Errors
/// [`Failure::InvalidConfig`] that names the file and the place: not documents, an id twice, no document at all.
pub fn read(file: &TextFile) -> Result<Vec<Passage>> {
    let invalid =
        |message: String| Failure::InvalidConfig(format!("cannot use the documents in `{}`: {message}", file.path));
    let passages: Vec<Passage> = record::read(file)
        .and_then(|records| {
            let passage =
                |Record { place, value }: Record| Passage::of_record(&value).map_err(|why| format!("{place}: {why}"));
            records.into_iter().map(passage).collect()
        })
        .map_err(invalid)?;
    if passages.is_empty() {
        return Err(invalid("there are none; write one JSON object with `id` and `text` a line".to_owned()));
    }
    let mut ids = BTreeSet::new();
    match passages.iter().find(|passage| !ids.insert(passage.id.as_str())) {
        Some(twice) => Err(invalid(format!("the id `{}` is there twice", twice.id))),
        None => Ok(passages),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> TextFile {
        TextFile { path: "docs.jsonl".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn lines_and_arrays_hold_the_same_documents() {
        let lines =
            read(&file("{\"id\": \"a\", \"text\": \"x\"}\n\n{\"id\": \"b\", \"title\": \"T\", \"text\": \"y\"}\n"));
        let array = read(&file(r#"[{"id": "a", "text": "x"}, {"id": "b", "title": "T", "text": "y"}]"#));
        assert_eq!(lines, array);
        assert_eq!(lines.unwrap()[1].searched(), "T\ny");
    }

    #[test]
    fn ids_are_read_as_those_of_items_are() {
        let ids = |text: &str| read(&file(text)).unwrap().into_iter().map(|passage| passage.id).collect::<Vec<_>>();
        assert_eq!(
            ids("{\"id\": 7, \"text\": \"x\"}\n{\"id\": 7.0, \"text\": \"x\"}\n{\"id\": -1, \"text\": 1984}"),
            ["7", "7.0", "-1"]
        );
        assert_eq!(ids(r#"{"id": "cafe\u0301", "text": "x"}"#), ["café"]);
    }

    #[test]
    fn a_document_without_a_text_has_its_title() {
        let passages = read(&file("\u{feff}{\"id\": \"a\", \"title\": \"T\", \"text\": null}\r\n{\"id\": \"b\", \"title\": \"\", \"text\": \"\"}\r\n")).unwrap();
        assert_eq!((passages[0].searched(), &passages[1].title), ("T\n".to_owned(), &None));
    }

    #[test]
    fn comma_separated_values_hold_documents_too() {
        let read = |path: &str, text: &str| read(&TextFile { path: path.to_owned(), text: text.to_owned() });
        let lines = read("docs.csv", "\u{feff}id,title,text,more\r\n1,,\"x, y\",z\r\n2,T,\"a\nb\",\r\n").unwrap();
        assert_eq!((&*lines[0].id, &lines[0].title, &*lines[0].text), ("1", &None, "x, y"));
        assert_eq!(lines[1].searched(), "T\na\nb");
        assert_eq!(read("docs.TSV", "id\ttext\n1\tx, y").unwrap()[0].text, "x, y");
        for (text, place) in [
            ("id,text\n1,x\n2", "line 3"),
            ("name,text\n1,x", "line 2: missing field `id`"),
            ("id,text\n", "there are none"),
        ] {
            let failure = read("docs.csv", text).unwrap_err();
            assert!(failure.message().contains(place) && failure.message().contains("docs.csv"), "{failure}");
        }
    }

    #[test]
    fn faults_name_the_file_and_the_place() {
        for (text, place) in [
            (r#"{"id": true, "text": "x"}"#, "line 1: the `id` is true: write a text or a number"),
            (r#"{"id": "", "text": "x"}"#, "line 1: the `id` is \"\""),
            (r#"{"id": null, "text": "x"}"#, "line 1: the `id` is null"),
            (
                r#"[{"id": 1, "text": "x"}, {"id": 2, "text": ["x"]}]"#,
                "document 2: the `text` is [\"x\"]: write a text",
            ),
            ("[1]", "document 1: it is 1, not an object"),
            ("{\"id\": 7, \"text\": \"x\"}\n{\"id\": \"7\", \"text\": \"y\"}", "`7` is there twice"),
            ("id,text\n1,x", "line 1: expected value"),
            ("{\"id\": \"a\", \"text\": \"x\"}\n{\"id\": 3}", "line 2"),
            ("{\"id\": \"a\", \"text\": \"x\"}\n{\"id\": \"a\", \"text\": \"y\"}", "`a` is there twice"),
            ("", "there are none"),
            ("[", "line 1"),
        ] {
            let failure = read(&file(text)).unwrap_err();
            assert!(failure.message().contains(place) && failure.message().contains("docs.jsonl"), "{failure}");
        }
    }
}
