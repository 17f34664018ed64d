//! The documents to search in, and how a file holds them.

use std::collections::BTreeSet;

use jackfield_plugin_api::prelude::*;

/// A document that can be found.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Passage {
    /// Unique in the collection.
    pub id: String,
    /// A title, which is searched too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text.
    pub text: String,
}

impl Passage {
    /// What is searched: the title and the text.
    #[must_use]
    pub fn searched(&self) -> String {
        match &self.title {
            Some(title) => format!("{title}\n{}", self.text),
            None => self.text.clone(),
        }
    }
}

/// Reads a collection: a JSON array of documents, or one document a line.
///
/// # Errors
/// [`Failure::InvalidConfig`] that names the file and the place: not JSON, not documents, an id twice, no document at all.
pub fn read(file: &TextFile) -> Result<Vec<Passage>> {
    let invalid =
        |message: String| Failure::InvalidConfig(format!("cannot use the documents in `{}`: {message}", file.path));
    let text = file.text.trim_start_matches('\u{feff}').trim();
    let passages: Vec<Passage> = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?
    } else {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let parse = |(index, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| invalid(format!("line {}: {error}", index + 1)))
        };
        lines.map(parse).collect::<Result<_>>()?
    };
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
    fn faults_name_the_file_and_the_place() {
        for (text, place) in [
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
