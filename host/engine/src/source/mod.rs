//! Where items come from: read on a thread of their own, one ahead of need.

mod csv;
mod expand;
mod files;
mod json;
mod jsonl;
mod unique_ids;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::Value;

use self::expand::expand;
pub use self::expand::expand_folders;
use self::unique_ids::{Named, UniqueIds};
use super::error::{EngineError, ItemFault};
use jackfield_loader::{escape_untrusted, regular_file};
use jackfield_pipeline::InputPlan;

/// An item as it was read.
pub(super) struct SourceItem {
    /// Position among all items, from 0.
    pub(super) index: u64,
    /// Its id, which is no other item's.
    pub(super) id: Arc<str>,
    /// What its random choices derive from.
    pub(super) seed: u64,
    /// Its document, or why there is none.
    pub(super) document: Result<Arc<str>, ItemFault>,
}

/// Items that travel together, or why there are no more.
pub(super) type ItemChunk = Result<Vec<SourceItem>, EngineError>;

/// Reads everything there is.
type Reading = Box<dyn FnOnce(&mut Out) -> Result<(), Gone> + Send>;

/// The number of items, where it is known beforehand.
pub(super) type Total = Option<u64>;

/// Whether there is anything to read.
pub(super) fn look(input: &InputPlan) -> Result<(), EngineError> {
    match input {
        InputPlan::Files { patterns, .. } => expand(patterns).map(|_| ()),
        InputPlan::Json { patterns, .. } => expand_folders(patterns).map(|_| ()),
        InputPlan::Jsonl { patterns, .. } | InputPlan::Csv { patterns, .. } => records_in(patterns).map(|_| ()),
        InputPlan::Inline { .. } | InputPlan::Trials { .. } => Ok(()),
    }
}

/// Files that hold many items each. One that cannot be read at all is reported before the first item is admitted: how many items
/// it has, and so which positions those behind it have, cannot be known.
fn records_in(patterns: &[String]) -> Result<Vec<PathBuf>, EngineError> {
    let paths = expand(patterns)?;
    for path in &paths {
        regular_file::open(path)
            .map_err(|error| EngineError::Source { path: path.clone(), message: error.to_string() })?;
    }
    Ok(paths)
}

/// Starts reading. The channel ends with the items, or after an error.
pub(super) fn read(input: &InputPlan) -> Result<(Receiver<ItemChunk>, Total), EngineError> {
    let (send, receive) = bounded(2);
    let mut out = Out::new(send);
    let (total, work): (Total, Reading) = match input.clone() {
        InputPlan::Files { patterns, max_item_size } => {
            let paths = expand(&patterns)?;
            out.ids = Some(UniqueIds::default());
            (Some(paths.len() as u64), Box::new(move |out| files::files(&paths, max_item_size, out)))
        }
        InputPlan::Jsonl { patterns, id, max_item_size } => {
            let paths = records_in(&patterns)?;
            out.named_by(id.clone());
            (None, Box::new(move |out| jsonl::jsonl(&paths, id.as_deref(), max_item_size, out)))
        }
        InputPlan::Json { patterns, item_keys, id, max_item_size } => {
            let paths = expand_folders(&patterns)?;
            let items = json::Items { item_keys, id: id.clone(), most: max_item_size };
            out.named_by(id);
            out.ids = Some(UniqueIds::default());
            out.adds_id = true;
            (None, Box::new(move |out| items.read(&paths, out)))
        }
        InputPlan::Csv { patterns, id, delimiter, max_item_size } => {
            let paths = records_in(&patterns)?;
            out.named_by(id.clone());
            (None, Box::new(move |out| csv::csv(&paths, id.as_deref(), delimiter, max_item_size, out)))
        }
        InputPlan::Inline { items, id } => {
            out.named_by(id.clone());
            (Some(items.len() as u64), Box::new(move |out| inline(&items, id.as_deref(), out)))
        }
        InputPlan::Trials { count } => (Some(count), Box::new(move |out| trials(count, out))),
    };
    let read = move || {
        let _ = work(&mut out);
        out.conclude();
        let _ = out.flush();
    };
    thread::Builder::new().name("source".to_owned()).spawn(read).map_err(EngineError::Workers)?;
    Ok((receive, total))
}

/// The most items, and the most bytes, that wait to be sent while the receiver is busy.
const CHUNK_ITEMS: usize = 64;
const CHUNK_BYTES: usize = 64 << 10;

/// How many items of a kind are told of one by one.
const TOLD: u64 = 3;

/// Where items go.
struct Out {
    send: Sender<ItemChunk>,
    waiting: Vec<SourceItem>,
    bytes: usize,
    /// Position of the next item.
    next: u64,
    /// The ids given so far; none where positions alone are ids, which tell items apart by themselves.
    ids: Option<UniqueIds>,
    /// The field that holds an item's id.
    field: Option<String>,
    /// Whether an item that is an object gets its id as the member `id`.
    adds_id: bool,
    /// Items that came with the id of an earlier one.
    repeated: u64,
    /// Items without the field.
    nameless: u64,
}

/// Nobody is listening any more.
struct Gone;

impl Out {
    fn new(send: Sender<ItemChunk>) -> Self {
        let (waiting, ids, field) = (Vec::new(), None, None);
        Self { send, waiting, bytes: 0, next: 0, ids, field, adds_id: false, repeated: 0, nameless: 0 }
    }

    /// Ids come from this field, if from any.
    fn named_by(&mut self, field: Option<String>) {
        self.ids = field.is_some().then(UniqueIds::default);
        self.field = field;
    }

    /// Sends the next item. One without an id of its own is called by its position. `place` says where it stands.
    fn item(
        &mut self,
        id: Option<&str>,
        document: Result<String, String>,
        place: &dyn Fn() -> String,
    ) -> Result<(), Gone> {
        let index = self.next;
        self.next += 1;
        let position = (index + 1).to_string();
        if let (None, Some(field), true) = (id, &self.field, document.is_ok()) {
            self.nameless += 1;
            if self.nameless == 1 {
                let (place, field) = (place(), escape_untrusted(field));
                tracing::warn!(
                    "{place} has no field `{field}` that could be its id: it is called `{position}`, by its position"
                );
            }
        }
        let id = id.unwrap_or(&position);
        let Named { id, seed, renamed } = match &mut self.ids {
            Some(ids) => ids.name(id),
            None => Named { id: id.to_owned(), seed: super::seed::name_of(id), renamed: false },
        };
        if renamed {
            self.repeated += 1;
            if self.repeated <= TOLD {
                let came = id.rsplit_once('#').map_or(id.as_str(), |(came, _)| came);
                let (place, came, id) = (place(), escape_untrusted(came), escape_untrusted(&id));
                tracing::warn!("{place} has the same id as an earlier item, `{came}`: it is called `{id}`");
            }
        }
        let document = document.map(|text| if self.adds_id { json::with_id(text, &id) } else { text });
        let document = document.map(Arc::from).map_err(|message| ItemFault { message });
        self.bytes += document.as_ref().map_or(0, |text: &Arc<str>| text.len());
        self.waiting.push(SourceItem { index, id: id.into(), seed, document });
        let full = self.waiting.len() >= CHUNK_ITEMS || self.bytes >= CHUNK_BYTES;
        if full || self.send.is_empty() { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Gone> {
        let items = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        if items.is_empty() {
            return Ok(());
        }
        self.send.send(Ok(items)).map_err(|_| Gone)
    }

    fn error(&mut self, path: &Path, message: impl ToString) -> Gone {
        let _ = self.flush();
        let _ = self.send.send(Err(EngineError::Source { path: path.to_owned(), message: message.to_string() }));
        Gone
    }

    /// Says how many items there were of what was told of the first alone.
    fn conclude(&self) {
        if self.repeated > TOLD {
            tracing::warn!(
                "{} items in all have the same id as an earlier one and are called otherwise",
                self.repeated
            );
        }
        if let Some(field) = self.field.as_deref().filter(|_| self.nameless > 1) {
            let (count, field) = (self.nameless, escape_untrusted(field));
            tracing::warn!("{count} items in all have no field `{field}` and are called by their positions");
        }
    }
}

/// What is said of a record that is larger than it may be.
fn too_large(place: &str, most: u64) -> String {
    format!("{place} is larger than {}: see `max_item_size` of `[input]`", regular_file::format_size(most))
}

fn as_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn inline(items: &[Value], id: Option<&str>, out: &mut Out) -> Result<(), Gone> {
    for (index, item) in items.iter().enumerate() {
        let named = id.and_then(|id| item.get(id)).and_then(as_id);
        out.item(named.as_deref(), Ok(item.to_string()), &|| format!("item {} of `[input]`", index + 1))?;
    }
    Ok(())
}

fn trials(count: u64, out: &mut Out) -> Result<(), Gone> {
    for index in 0..count {
        out.item(Some(&index.to_string()), Ok(format!("{{\"trial\":{index}}}")), &|| format!("trial {index}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{look, read};
    use jackfield_pipeline::InputPlan;

    const MOST: u64 = 64;

    fn ids(input: &InputPlan) -> Vec<(String, bool)> {
        let (items, _) = read(input).expect("a source");
        items
            .iter()
            .flat_map(|chunk| chunk.expect("items"))
            .map(|item| (item.id.to_string(), item.document.is_ok()))
            .collect()
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
        let error = look(&input).expect_err("refused").to_string();
        assert_eq!(error, "failed to read items from `/dev/zero`: it is a device, not a regular file");
        // Of files that are items themselves, it is one that fails alone.
        assert_eq!(ids(&InputPlan::Files { patterns, max_item_size: MOST }), named(&[("zero", false)]));
    }
}
