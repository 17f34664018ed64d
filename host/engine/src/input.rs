//! From wires and constants to the document that a call gets. Values stay JSON text: what a wire does not look into is not parsed.

use std::{borrow::Cow, fmt, sync::Arc};

use jackfield_loader::sandbox::size;
use jackfield_pipeline::{InputExpr, Source, Step, Wire};
use jackfield_plugin_api::{Document, Tensor};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{columns::MOST_COLUMN_BYTES, index::StageIdx};

/// What the source of a wire holds at the moment.
pub(super) enum SourceValue<'a> {
    /// Its document.
    Present(&'a Document),
    /// It failed or was skipped.
    Absent,
    /// It is a stage that is off.
    Off,
}

/// Why a call has no input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoInput {
    /// The stage that it reads has no result.
    NoResult(StageIdx),
    /// The stage that it reads is off.
    Off(StageIdx),
    /// The wire leads nowhere; why.
    NotFound(String),
}

/// Makes the input of a call. `value_in` answers for a source; the stages that are read are done when it is asked.
pub(super) fn input_of<'a>(
    expr: &InputExpr,
    value_in: &impl Fn(Source) -> SourceValue<'a>,
) -> Result<Document, NoInput> {
    match expr {
        InputExpr::Wire(wire) => value_of(wire, value_in),
        InputExpr::List(parts) => {
            let mut text = String::from("[");
            for part in parts {
                match input_of(part, value_in) {
                    Ok(document) => {
                        if text.len() > 1 {
                            text.push(',');
                        }
                        text.push_str(&document.json);
                    }
                    // A source that failed or is off is left out: the reader works with what there is.
                    Err(NoInput::NoResult(_) | NoInput::Off(_)) => {}
                    Err(other) => return Err(other),
                }
            }
            text.push(']');
            Ok(Document::new(text))
        }
        InputExpr::Table(entries) => {
            let mut text = String::from("{");
            let mut tensors = Vec::new();
            for entry in entries {
                let document = match input_of(&entry.value, value_in) {
                    Ok(document) => document,
                    Err(_) if !entry.required => continue,
                    Err(other) => return Err(other),
                };
                if text.len() > 1 {
                    text.push(',');
                }
                text.push_str(&serde_json::Value::from(entry.key.as_str()).to_string());
                text.push(':');
                text.push_str(&document.json);
                tensors.extend(
                    document
                        .tensors
                        .into_iter()
                        .map(|tensor| Tensor { name: format!("{}.{}", entry.key, tensor.name), ..tensor }),
                );
            }
            text.push('}');
            Ok(Document { json: text.into(), tensors })
        }
        InputExpr::Constant(value) => Ok(Document::new(value.to_string())),
    }
}

/// The value at the end of a wire.
pub(super) fn value_of<'a>(wire: &Wire, value_in: &impl Fn(Source) -> SourceValue<'a>) -> Result<Document, NoInput> {
    let document = match (value_in(wire.source), wire.source) {
        (SourceValue::Present(document), _) => document,
        (SourceValue::Absent, Source::Stage(stage)) => return Err(NoInput::NoResult(StageIdx::new(stage))),
        (SourceValue::Off, Source::Stage(stage)) => return Err(NoInput::Off(StageIdx::new(stage))),
        (SourceValue::Absent, Source::Column(_)) => {
            let most = size(MOST_COLUMN_BYTES as u64);
            return Err(NoInput::NotFound(format!("the values of all items take more than {most}")));
        }
        (SourceValue::Absent | SourceValue::Off, _) => {
            return Err(NoInput::NotFound("there is no item here".to_owned()));
        }
    };
    if wire.path.is_empty() {
        return Ok(document.clone());
    }
    follow(&document.json, &wire.path).map(Document::new)
}

/// The text of a string, anything else as JSON.
pub(super) fn text_of(document: &Document) -> String {
    serde_json::from_str::<String>(&document.json).unwrap_or_else(|_| document.json.to_string())
}

/// The elements of a list, each as JSON text; of at most so many.
pub(super) fn elements(json: &str, max: usize) -> Result<Vec<Arc<str>>, String> {
    let parts: Vec<&RawValue> =
        serde_json::from_str(json).map_err(|_| format!("expected a list, found {}", excerpt(json)))?;
    if parts.len() > max {
        return Err(format!("the list has {} elements, more than the {max} that a stage may run over", parts.len()));
    }
    Ok(parts.into_iter().map(|part| Arc::from(part.get())).collect())
}

/// A field of an object that is given as JSON text, not looked into; none where the text is not an object or lacks the field.
#[must_use]
pub fn field_of<'a>(json: &'a str, name: &str) -> Option<&'a RawValue> {
    Pick::Field(name).deserialize(&mut serde_json::Deserializer::from_str(json)).ok().flatten()
}

/// What a path leads to in a value that is given as JSON text; none where it leads nowhere.
#[must_use]
pub fn value_at(json: &str, path: &[Step]) -> Option<String> {
    follow(json, path).ok()
}

/// The value at the end of a path into a JSON text.
fn follow(json: &str, path: &[Step]) -> Result<String, NoInput> {
    let Some((step, rest)) = path.split_first() else { return Ok(json.to_owned()) };
    let not_found = |what: String| NoInput::NotFound(what);
    match step {
        Step::Field(name) => {
            let mut reader = serde_json::Deserializer::from_str(json);
            match Pick::Field(name).deserialize(&mut reader) {
                Ok(Some(value)) => follow(value.get(), rest),
                Ok(None) => Err(not_found(format!("there is no field `{name}` in {}", excerpt(json)))),
                Err(_) => Err(not_found(format!("`{name}` is asked of {}, which is not an object", excerpt(json)))),
            }
        }
        Step::Index(index) => {
            let mut reader = serde_json::Deserializer::from_str(json);
            match Pick::Index(*index).deserialize(&mut reader) {
                Ok(Some(value)) => follow(value.get(), rest),
                Ok(None) => Err(not_found(format!("there is no element [{index}] in {}", excerpt(json)))),
                Err(_) => Err(not_found(format!("[{index}] is asked of {}, which is not a list", excerpt(json)))),
            }
        }
        Step::All => {
            let parts: Vec<&RawValue> = serde_json::from_str(json)
                .map_err(|_| not_found(format!("[*] is asked of {}, which is not a list", excerpt(json))))?;
            let mut text = String::from("[");
            for part in parts {
                // An element without the field has nothing to give.
                let Ok(value) = follow(part.get(), rest) else { continue };
                if text.len() > 1 {
                    text.push(',');
                }
                text.push_str(&value);
            }
            text.push(']');
            Ok(text)
        }
    }
}

/// The beginning of a value, for a message.
pub(super) fn excerpt(json: &str) -> String {
    let short: String = json.chars().take(40).collect();
    if short.len() < json.len() { format!("`{short}…`") } else { format!("`{short}`") }
}

/// Picks one part of an object or list without reading the others.
#[derive(Clone, Copy)]
enum Pick<'p> {
    Field(&'p str),
    Index(usize),
}

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self {
            Self::Field(_) => deserializer.deserialize_map(self),
            Self::Index(_) => deserializer.deserialize_seq(self),
        }
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Field(_) => "an object",
            Self::Index(_) => "a list",
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self::Field(wanted) = self else { return Ok(None) };
        let mut found = None;
        while let Some(key) = map.next_key_seed(Key)? {
            if key == wanted {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let Self::Index(wanted) = self else { return Ok(None) };
        let mut found = None;
        let mut at = 0;
        loop {
            if at == wanted {
                let Some(value) = list.next_element()? else { break };
                found = Some(value);
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
            at += 1;
        }
        Ok(found)
    }
}

/// A key, borrowed where it holds no escape.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Document;

    use super::{NoInput, SourceValue, StageIdx, elements, input_of};
    use jackfield_pipeline::{InputExpr, Source, Step, TableEntry, Wire};

    fn wire(source: Source, path: &[Step]) -> InputExpr {
        InputExpr::Wire(Wire { source, path: path.to_vec() })
    }

    fn field(name: &str) -> Step {
        Step::Field(name.to_owned())
    }

    fn made(expr: &InputExpr, input: &str) -> Result<String, NoInput> {
        let document = Document::new(input);
        let value_in = |source| match source {
            Source::Input => SourceValue::Present(&document),
            _ => SourceValue::Absent,
        };
        input_of(expr, &value_in).map(|document| document.json.to_string())
    }

    #[test]
    fn a_path_leads_through_fields_indexes_and_all_elements() {
        let input = r#"{"a\n": 0, "items": [{"t": "x", "n": [1, 2]}, {"n": []}, {"t": "y"}]}"#;
        assert_eq!(
            made(&wire(Source::Input, &[field("items"), Step::All, field("t")]), input),
            Ok(r#"["x","y"]"#.to_owned())
        );
        let second = [field("items"), Step::Index(0), field("n"), Step::Index(1)];
        assert_eq!(made(&wire(Source::Input, &second), input), Ok("2".to_owned()));
        assert_eq!(made(&wire(Source::Input, &[field("a\n")]), input), Ok("0".to_owned()));
    }

    #[test]
    fn a_path_that_leads_nowhere_says_where() {
        let Err(NoInput::NotFound(what)) = made(&wire(Source::Input, &[field("b")]), r#"{"a": 1}"#) else {
            panic!("found")
        };
        assert_eq!(what, r#"there is no field `b` in `{"a": 1}`"#);
        let Err(NoInput::NotFound(what)) = made(&wire(Source::Input, &[Step::All]), "3") else { panic!("found") };
        assert_eq!(what, "[*] is asked of `3`, which is not a list");
    }

    #[test]
    fn a_failed_source_is_left_out_of_lists_and_optional_fields_alone() {
        let failed = wire(Source::Stage(4), &[]);
        let list = InputExpr::List(vec![failed.clone(), wire(Source::Input, &[])]);
        assert_eq!(made(&list, "1"), Ok("[1]".to_owned()));
        let table = |required| {
            InputExpr::Table(vec![
                TableEntry { key: "gone".into(), required, value: failed.clone() },
                TableEntry { key: "he\"re".into(), required: true, value: wire(Source::Input, &[]) },
            ])
        };
        assert_eq!(made(&table(false), "1"), Ok(r#"{"he\"re":1}"#.to_owned()));
        assert_eq!(made(&table(true), "1"), Err(NoInput::NoResult(StageIdx::new(4))));
    }

    #[test]
    fn a_constant_stands_beside_wires() {
        let entry = |key: &str, value| TableEntry { key: key.into(), required: true, value };
        let table = InputExpr::Table(vec![
            entry("limit", InputExpr::Constant(serde_json::json!({ "most": 7 }))),
            entry("text", wire(Source::Input, &[])),
        ]);
        assert_eq!(made(&table, "\"x\""), Ok(r#"{"limit":{"most":7},"text":"x"}"#.to_owned()));
    }

    #[test]
    fn a_list_is_taken_apart_without_touching_its_elements() {
        let parts = elements(r#"[ {"a": 1.0e3} , "b"]"#, 2).expect("a list");
        assert_eq!(parts.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), [r#"{"a": 1.0e3}"#, r#""b""#]);
        assert_eq!(elements("7", 2), Err("expected a list, found `7`".to_owned()));
        let more = "the list has 3 elements, more than the 2 that a stage may run over";
        assert_eq!(elements("[1, 2, 3]", 2), Err(more.to_owned()));
    }
}
