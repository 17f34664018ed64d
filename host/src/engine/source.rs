//! Where items come from: read on a thread of their own, one ahead of need.

use std::{
    cell::RefCell,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::{Value, json};

use super::error::{EngineError, ItemFault};
use crate::pipeline::InputPlan;

/// An item as it was read.
pub(super) struct SourceItem {
    /// Position among all items, from 0.
    pub(super) index: u64,
    /// Its id.
    pub(super) id: Arc<str>,
    /// Its document, or why there is none.
    pub(super) document: Result<Arc<str>, ItemFault>,
}

/// Items that travel together, or why there are no more.
pub(super) type Chunk = Result<Vec<SourceItem>, EngineError>;

/// Reads everything there is.
type Reading = Box<dyn FnOnce(&Out) + Send>;

/// The number of items, where it is known beforehand.
pub(super) type Total = Option<u64>;

/// Whether there is anything to read.
pub(super) fn look(input: &InputPlan) -> Result<(), EngineError> {
    match input {
        InputPlan::Files { patterns } | InputPlan::Jsonl { patterns, .. } | InputPlan::Csv { patterns, .. } => {
            expand(patterns).map(|_| ())
        }
        InputPlan::Inline { .. } | InputPlan::Trials { .. } => Ok(()),
    }
}

/// Starts reading. The channel ends with the items, or after an error.
pub(super) fn read(input: &InputPlan) -> Result<(Receiver<Chunk>, Total), EngineError> {
    let (send, receive) = bounded(2);
    let (total, work): (Total, Reading) = match input.clone() {
        InputPlan::Files { patterns } => {
            let paths = expand(&patterns)?;
            (Some(paths.len() as u64), Box::new(move |out| files(&paths, out)))
        }
        InputPlan::Jsonl { patterns, id } => {
            let paths = expand(&patterns)?;
            (None, Box::new(move |out| jsonl(&paths, id.as_deref(), out)))
        }
        InputPlan::Csv { patterns, id, delimiter } => {
            let paths = expand(&patterns)?;
            (None, Box::new(move |out| csv(&paths, id.as_deref(), delimiter, out)))
        }
        InputPlan::Inline { items, id } => {
            (Some(items.len() as u64), Box::new(move |out| inline(&items, id.as_deref(), out)))
        }
        InputPlan::Trials { count } => (Some(count), Box::new(move |out| trials(count, out))),
    };
    let out = Out { send, waiting: RefCell::default() };
    let read = move || {
        work(&out);
        let _ = out.flush();
    };
    thread::Builder::new().name("source".to_owned()).spawn(read).map_err(EngineError::Workers)?;
    Ok((receive, total))
}

/// The most items, and the most bytes, that wait to be sent while the receiver is busy.
const CHUNK_ITEMS: usize = 64;
const CHUNK_BYTES: usize = 64 << 10;

struct Out {
    send: Sender<Chunk>,
    waiting: RefCell<(Vec<SourceItem>, usize)>,
}

/// Nobody is listening any more.
struct Gone;

impl Out {
    fn item(&self, index: u64, id: &str, document: Result<String, String>) -> Result<(), Gone> {
        let document = document.map(Arc::from).map_err(|message| ItemFault { message });
        let full = {
            let (items, bytes) = &mut *self.waiting.borrow_mut();
            *bytes += document.as_ref().map_or(0, |text: &Arc<str>| text.len());
            items.push(SourceItem { index, id: id.into(), document });
            items.len() >= CHUNK_ITEMS || *bytes >= CHUNK_BYTES
        };
        if full || self.send.is_empty() { self.flush() } else { Ok(()) }
    }

    fn flush(&self) -> Result<(), Gone> {
        let (items, _) = self.waiting.take();
        if items.is_empty() {
            return Ok(());
        }
        self.send.send(Ok(items)).map_err(|_| Gone)
    }

    fn error(&self, path: &Path, message: impl ToString) -> Gone {
        let _ = self.flush();
        let _ = self.send.send(Err(EngineError::Source { path: path.to_owned(), message: message.to_string() }));
        Gone
    }
}

/// The files that patterns match, each once, sorted. A pattern without a wildcard must be a file.
fn expand(patterns: &[String]) -> Result<Vec<PathBuf>, EngineError> {
    let mut paths = Vec::new();
    for pattern in patterns {
        if Path::new(pattern).is_file() {
            paths.push(PathBuf::from(pattern));
            continue;
        }
        let matches = glob::glob(pattern)
            .map_err(|error| EngineError::BadGlob { pattern: pattern.clone(), message: error.to_string() })?;
        // A folder that may not be listed hides its files: said, rather than passed over.
        for entry in matches {
            let path = entry.map_err(|error| EngineError::Source {
                path: error.path().to_owned(),
                message: error.error().to_string(),
            })?;
            // A link that leads nowhere is an item that cannot be read, not one that is not there.
            if !path.is_dir() {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths.dedup();
    if paths.is_empty() {
        return Err(EngineError::NoInput { patterns: patterns.to_vec() });
    }
    Ok(paths)
}

/// Ids for files: the stem where that is unique, else the name, else the path.
fn file_ids(paths: &[PathBuf]) -> Vec<String> {
    let stem = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let count = |of: &dyn Fn(&PathBuf) -> String| {
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for path in paths {
            *counts.entry(of(path)).or_default() += 1;
        }
        counts
    };
    let (stems, names) = (count(&stem), count(&name));
    let id = |path: &PathBuf| {
        if stems[&stem(path)] == 1 {
            stem(path)
        } else if names[&name(path)] == 1 {
            name(path)
        } else {
            path.to_string_lossy().into_owned()
        }
    };
    paths.iter().map(id).collect()
}

fn files(paths: &[PathBuf], out: &Out) {
    let ids = file_ids(paths);
    for (index, (path, id)) in paths.iter().zip(ids).enumerate() {
        if out.item(index as u64, &id, file(path)).is_err() {
            return;
        }
    }
}

fn file(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    if bytes.contains(&0) {
        return Err(format!("`{}` is binary, not text (it holds a NUL byte)", path.display()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        format!("`{}` is not UTF-8 text (byte {} is wrong)", path.display(), error.utf8_error().valid_up_to())
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(json!({ "path": path.to_string_lossy(), "name": name, "text": text }).to_string())
}

fn jsonl(paths: &[PathBuf], id: Option<&str>, out: &Out) {
    let _ = try_jsonl(paths, id, out);
}

fn try_jsonl(paths: &[PathBuf], id: Option<&str>, out: &Out) -> Result<(), Gone> {
    let mut index = 0;
    for path in paths {
        let mut reader = BufReader::new(File::open(path).map_err(|error| out.error(path, error))?);
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(|error| out.error(path, error))? == 0 {
                break;
            }
            let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
            if text.is_empty() {
                continue;
            }
            let read = serde_json::from_slice::<&serde_json::value::RawValue>(text);
            let document = read
                .map(|raw| raw.get().to_owned())
                .map_err(|error| format!("line {number} of `{}` is no JSON value: {error}", path.display()));
            let named = id.and_then(|id| document.as_ref().ok().and_then(|text| id_in(text, id)));
            out.item(index, &named.unwrap_or_else(|| (index + 1).to_string()), document)?;
            index += 1;
        }
    }
    Ok(())
}

fn id_in(json: &str, field: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    as_id(value.get(field)?)
}

fn as_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn csv(paths: &[PathBuf], id: Option<&str>, delimiter: u8, out: &Out) {
    let _ = try_csv(paths, id, delimiter, out);
}

fn try_csv(paths: &[PathBuf], id: Option<&str>, delimiter: u8, out: &Out) -> Result<(), Gone> {
    let mut index = 0;
    for path in paths {
        let file = File::open(path).map_err(|error| out.error(path, error))?;
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(BufReader::new(file));
        let headers = reader.headers().map_err(|error| out.error(path, error))?.clone();
        for record in reader.records() {
            let document = record.map_err(|error| format!("`{}`: {error}", path.display())).map(|record| {
                let fields = headers.iter().zip(&record);
                // A byte-order mark before the first column's name is no part of the name.
                let fields =
                    fields.map(|(name, value)| (name.trim_start_matches('\u{feff}').to_owned(), Value::from(value)));
                Value::Object(fields.collect())
            });
            let named = id.and_then(|id| document.as_ref().ok().and_then(|value| value.get(id)).and_then(as_id));
            let text = document.map(|value| value.to_string());
            out.item(index, &named.unwrap_or_else(|| (index + 1).to_string()), text)?;
            index += 1;
        }
    }
    Ok(())
}

fn inline(items: &[Value], id: Option<&str>, out: &Out) {
    for (index, item) in items.iter().enumerate() {
        let named = id.and_then(|id| item.get(id)).and_then(as_id).unwrap_or_else(|| (index + 1).to_string());
        if out.item(index as u64, &named, Ok(item.to_string())).is_err() {
            return;
        }
    }
}

fn trials(count: u64, out: &Out) {
    for index in 0..count {
        if out.item(index, &index.to_string(), Ok(format!("{{\"trial\":{index}}}"))).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{file_ids, read};
    use crate::pipeline::InputPlan;

    fn ids(input: &InputPlan) -> Vec<(String, bool)> {
        let (items, _) = read(input).expect("a source");
        items
            .iter()
            .flat_map(|chunk| chunk.expect("items"))
            .map(|item| (item.id.to_string(), item.document.is_ok()))
            .collect()
    }

    #[test]
    fn ids_of_files_are_as_short_as_they_can_be() {
        let paths: Vec<PathBuf> = ["a/x.txt", "a/y.txt", "a/y.vtt", "b/y.txt"].iter().map(PathBuf::from).collect();
        assert_eq!(file_ids(&paths), ["x", "a/y.txt", "y.vtt", "b/y.txt"]);
    }

    #[test]
    fn a_bad_line_is_a_failed_item_and_the_others_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("items.jsonl");
        std::fs::write(&path, "\u{feff}{\"id\": \"a\"}\r\n\n{\"id\": \n{\"id\": 7}").expect("written");
        let input = InputPlan::Jsonl { patterns: vec![path.to_string_lossy().into_owned()], id: Some("id".to_owned()) };
        assert_eq!(ids(&input), [("a".to_owned(), true), ("2".to_owned(), false), ("7".to_owned(), true)]);
    }

    #[test]
    fn a_short_csv_record_is_a_failed_item() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("items.csv");
        std::fs::write(&path, "\u{feff}id;text\r\nq1;\"a;b\"\r\nq2\r\nq3;c\r\n").expect("written");
        let patterns = vec![path.to_string_lossy().into_owned()];
        let input = InputPlan::Csv { patterns, id: Some("id".to_owned()), delimiter: b';' };
        assert_eq!(ids(&input), [("q1".to_owned(), true), ("2".to_owned(), false), ("q3".to_owned(), true)]);
    }
}
