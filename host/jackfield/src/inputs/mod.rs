//! The inputs that come along: files of several formats, items of the pipeline itself, and trials.

mod csv;
mod expand;
mod file_digest;
mod files;
mod ids;
mod json;
mod jsonl;
mod look;
mod standard_input;

use std::path::PathBuf;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use self::expand::expand_folders;
pub(crate) use self::look::look_at_input;
pub use self::standard_input::{RunInputs, is_standard_input, keep_standard_input, read_standard_input};
use self::{expand::expand, ids::id_in};
use jackfield_engine::{EngineError, InputReader, ItemIds, ItemSender, ItemSource, ReceiverGone};
use jackfield_loader::{regular_file, text_file};
use jackfield_pipeline::{InputPlan, STANDARD_INPUT};

/// Opens every kind of input that a pipeline may name.
#[derive(Clone, Copy, Debug, Default)]
pub struct BundledInputs;

impl InputReader for BundledInputs {
    fn check(&self, input: &InputPlan) -> Result<(), EngineError> {
        refuse_standard_input(input)?;
        match input {
            InputPlan::Files { patterns, .. } => expand(patterns).map(|_| ()),
            InputPlan::Json { patterns, .. } => expand_folders(patterns).map(|_| ()),
            InputPlan::Jsonl { patterns, .. } | InputPlan::Csv { patterns, .. } => record_files(patterns).map(|_| ()),
            InputPlan::Inline { .. } | InputPlan::Trials { .. } => Ok(()),
        }
    }

    fn open(&self, input: &InputPlan) -> Result<Box<dyn ItemSource>, EngineError> {
        refuse_standard_input(input)?;
        Ok(match input.clone() {
            InputPlan::Files { patterns, max_item_size } => {
                Box::new(files::FileItems { paths: expand(&patterns)?, max_item_size })
            }
            InputPlan::Jsonl { patterns, id, max_item_size } => {
                Box::new(jsonl::LineItems { paths: record_files(&patterns)?, id, max_item_size })
            }
            InputPlan::Json { patterns, item_keys, id, max_item_size } => {
                Box::new(json::JsonItems { paths: expand_folders(&patterns)?, item_keys, id, max_item_size })
            }
            InputPlan::Csv { patterns, id, delimiter, max_item_size } => {
                Box::new(csv::CsvItems { paths: record_files(&patterns)?, id, delimiter, max_item_size })
            }
            InputPlan::Inline { items, id } => Box::new(InlineItems { items, id }),
            InputPlan::Trials { count } => Box::new(Trials { count }),
        })
    }

    fn digest(&self, input: &InputPlan, document: &str) -> [u8; 32] {
        match input {
            InputPlan::Files { .. } => file_digest::digest_of_file(document),
            _ => Sha256::digest(document).into(),
        }
    }
}

/// An error for an input that can be read once, by a run that keeps it.
fn refuse_standard_input(input: &InputPlan) -> Result<(), EngineError> {
    if is_standard_input(input) {
        let message = "standard input is read when a run begins, and kept in its folder".to_owned();
        return Err(EngineError::Source { path: PathBuf::from(STANDARD_INPUT), message });
    }
    Ok(())
}

/// Files that hold many items each. One that cannot be read at all is reported before the first item is admitted: how many items
/// it has, and so which positions those behind it have, cannot be known.
fn record_files(patterns: &[String]) -> Result<Vec<PathBuf>, EngineError> {
    let paths = expand(patterns)?;
    for path in &paths {
        text_file::open(path)
            .map_err(|error| EngineError::Source { path: path.clone(), message: error.to_string() })
            .map(drop)?;
    }
    Ok(paths)
}

/// What is said of a record that is larger than it may be.
fn too_large(place: &str, most: u64) -> String {
    format!("{place} is larger than {}: see `max_item_size` of `[input]`", regular_file::format_size(most))
}

/// What to do about a text that is not JSON, where what other programs write in its place is known; may be empty.
fn fix_of_json(text: &str, error: &serde_json::Error) -> &'static str {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let rest = line.get(error.column().saturating_sub(1)..).unwrap_or_default();
    if rest.starts_with("NaN") || rest.starts_with("Infinity") {
        "; JSON has no such number: write `null`"
    } else if rest.starts_with('\'') {
        "; JSON has its strings in double quotes"
    } else {
        ""
    }
}

/// Items that stand in the pipeline itself.
struct InlineItems {
    items: Vec<Value>,
    /// The field that is the item's id.
    id: Option<String>,
}

impl ItemSource for InlineItems {
    fn count(&self) -> Option<u64> {
        Some(self.items.len() as u64)
    }

    fn ids(&self) -> ItemIds {
        ItemIds::from_field(self.id.clone())
    }

    fn send_items(self: Box<Self>, items: &mut ItemSender) -> Result<(), ReceiverGone> {
        for (index, item) in self.items.iter().enumerate() {
            let document = item.to_string();
            let id = self.id.as_deref().and_then(|field| id_in(&document, field));
            items.send(id.as_deref(), Ok(document), &|| format!("item {} of `[input]`", index + 1))?;
        }
        Ok(())
    }
}

/// The trials of a search, by number.
struct Trials {
    count: u64,
}

impl ItemSource for Trials {
    fn count(&self) -> Option<u64> {
        Some(self.count)
    }

    fn ids(&self) -> ItemIds {
        ItemIds::default()
    }

    fn send_items(self: Box<Self>, items: &mut ItemSender) -> Result<(), ReceiverGone> {
        for index in 0..self.count {
            let document = format!("{{\"trial\":{index}}}");
            items.send(Some(&index.to_string()), Ok(document), &|| format!("trial {index}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use jackfield_engine::read_all;
    use serde_json::Value;

    use super::{BundledInputs, InputReader as _};
    use jackfield_pipeline::InputPlan;

    const MOST: u64 = 64;

    fn ids(input: &InputPlan) -> Vec<(String, bool)> {
        let items = read_all(&BundledInputs, input).expect("items");
        items.into_iter().map(|(id, document)| (id, document.is_ok())).collect()
    }

    fn written(name: &str, content: &str) -> (tempfile::TempDir, Vec<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        let patterns = vec![path.to_string_lossy().into_owned()];
        (folder, patterns)
    }

    fn jsonl(content: &str) -> Vec<(String, bool)> {
        let (_folder, patterns) = written("items.jsonl", content);
        ids(&InputPlan::Jsonl { patterns, id: Some("id".to_owned()), max_item_size: MOST })
    }

    fn named(expected: &[(&str, bool)]) -> Vec<(String, bool)> {
        expected.iter().map(|(id, ok)| ((*id).to_owned(), *ok)).collect()
    }

    #[test]
    fn a_bad_line_is_a_failed_item_and_the_others_are_read() {
        let read = jsonl("\u{feff}{\"id\": \"a\"}\r\n\n{\"id\": \n{\"id\": 7}");
        assert_eq!(read, named(&[("a", true), ("2", false), ("7", true)]));
    }

    #[test]
    fn a_line_that_is_too_long_is_a_failed_item_and_the_others_are_read() {
        let long = format!("{{\"id\": \"a\", \"text\": \"{}\"}}", "x".repeat(1 << 20));
        let read = jsonl(&format!("{{\"id\": \"a\"}}\n{long}\n{{\"id\": \"b\"}}"));
        assert_eq!(read, named(&[("a", true), ("2", false), ("b", true)]));
    }

    #[test]
    fn items_of_one_id_are_told_apart_and_empty_ids_are_positions() {
        let read = jsonl("{\"id\": \"a\"}\n{\"id\": \"a\"}\n{\"id\": \"\"}\n{\"id\": \"\"}\n{\"id\": \"3\"}\n{}");
        assert_eq!(read, named(&[("a", true), ("a#2", true), ("3", true), ("4", true), ("3#2", true), ("6", true)]));
    }

    #[test]
    fn an_item_that_is_nested_deeply_has_its_id() {
        let deep = format!("{{\"id\": \"deep\", \"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let (_folder, patterns) = written("items.jsonl", &deep);
        let input = InputPlan::Jsonl { patterns, id: Some("id".to_owned()), max_item_size: 1 << 20 };
        assert_eq!(ids(&input), named(&[("deep", true)]));
    }

    #[test]
    fn every_reader_reads_what_is_packed_and_what_is_in_utf_16() {
        let pack = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).expect("packed");
            encoder.finish().expect("packed")
        };
        let utf16 = |text: &str| {
            let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
        };
        let id = || Some("id".to_owned());
        let read = |name: &str, content: &[u8]| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(name);
            std::fs::write(&path, content).expect("written");
            let patterns = vec![path.to_string_lossy().into_owned()];
            let input = match name.split('.').nth(1).expect("a kind") {
                "jsonl" => InputPlan::Jsonl { patterns, id: id(), max_item_size: MOST },
                "json" => InputPlan::Json { patterns, item_keys: Vec::new(), id: id(), max_item_size: MOST },
                "csv" => InputPlan::Csv { patterns, id: id(), delimiter: b',', max_item_size: MOST },
                _ => InputPlan::Files { patterns, max_item_size: MOST },
            };
            read_all(&BundledInputs, &input)
                .expect("items")
                .into_iter()
                .map(|(id, document)| {
                    (
                        id,
                        document
                            .map(|document| serde_json::from_str::<Value>(&document).expect("JSON")["text"].clone()),
                    )
                })
                .collect::<Vec<_>>()
        };
        for (name, text) in [
            ("a.txt", "schön"),
            ("x.jsonl", "{\"id\": \"a\", \"text\": \"schön\"}\r\n"),
            ("x.json", "[{\"id\": \"a\", \"text\": \"schön\"}]"),
            ("x.csv", "id,text\r\na,schön\r\n"),
        ] {
            let wanted = vec![("a".to_owned(), Ok(Value::from("schön")))];
            assert_eq!(read(name, text.as_bytes()), wanted, "{name}");
            assert_eq!(read(name, &utf16(text)), wanted, "{name} in UTF-16");
            assert_eq!(read(&format!("{name}.gz"), &pack(text.as_bytes())), wanted, "{name}.gz");
            assert_eq!(read(&format!("{name}.gz"), &pack(&utf16(text))), wanted, "{name}.gz in UTF-16");
        }
    }

    #[test]
    fn a_packed_file_of_many_items_that_is_cut_off_ends_the_input_after_what_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder.write_all("{\"id\": \"a\"}\n".repeat(9).as_bytes()).expect("packed");
        let packed = encoder.finish().expect("packed");
        std::fs::write(&path, &packed[..packed.len() / 2]).expect("written");
        let patterns = vec![path.to_string_lossy().into_owned()];
        let input = InputPlan::Jsonl { patterns, id: None, max_item_size: MOST };
        let error = read_all(&BundledInputs, &input).expect_err("an error").to_string();
        let wanted = "it is a gzip file that is cut off: copy it again";
        assert_eq!(error, format!("failed to read items from `{}`: {wanted}", path.display()));
    }

    #[test]
    fn ids_that_look_the_same_are_told_apart() {
        let read = jsonl(
            "{\"id\": \"caf\u{e9}\"}\n{\"id\": \"cafe\u{301}\"}\n{\"id\": 7}\n{\"id\": 7.0}\n{\"id\": null}\n{\"id\": [1]}",
        );
        let wanted = [("caf\u{e9}", true), ("caf\u{e9}#2", true), ("7", true), ("7#2", true), ("5", true), ("6", true)];
        assert_eq!(read, named(&wanted));
    }

    #[test]
    fn a_short_csv_record_is_a_failed_item() {
        let (_folder, patterns) = written("items.csv", "\u{feff}\"id\";text\r\nq1;\"a;b\"\r\nq2\r\nq3;c\r\nq3;\"d\n\n");
        let input = InputPlan::Csv { patterns, id: Some("id".to_owned()), delimiter: b';', max_item_size: MOST };
        let expected = [("q1", true), ("2", false), ("q3", true), ("q3#2", true)];
        assert_eq!(ids(&input), named(&expected));
    }

    #[test]
    fn files_whose_names_make_the_same_id_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.txt.md", "a.txt", "a.csv"] {
            std::fs::write(folder.path().join(name), "").expect("written");
        }
        let patterns = vec![folder.path().join("*").to_string_lossy().into_owned()];
        let read = ids(&InputPlan::Files { patterns, max_item_size: MOST });
        assert_eq!(read, named(&[("a.csv", true), ("a.txt", true), ("a.txt#2", true)]));
    }

    #[test]
    fn a_file_of_many_items_that_is_no_regular_file_is_told_before_the_first_item() {
        let patterns = vec!["/dev/zero".to_owned()];
        let input = InputPlan::Jsonl { patterns: patterns.clone(), id: None, max_item_size: MOST };
        let error = BundledInputs.check(&input).expect_err("refused").to_string();
        assert_eq!(error, "failed to read items from `/dev/zero`: it is a device, not a regular file");
        // Of files that are items themselves, it is one that fails alone.
        assert_eq!(ids(&InputPlan::Files { patterns, max_item_size: MOST }), named(&[("zero", false)]));
    }
}
