//! The recording of a model: requests and their answers in a file, for the model `replay`.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::Mutex,
};

use jackfield_loader::regular_file;
use jackfield_plugin_api::{Completion, CompletionRequest, sync::lock};
use serde_json::json;

/// A file that grows by a line of JSON with each completion: `{request, completion}`.
pub(super) struct Recording {
    file: Mutex<File>,
}

impl Recording {
    /// Opens the file, making it and its folder if they are not there.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        if let Ok(about) = std::fs::metadata(path) {
            regular_file::only_regular(about.file_type())?;
        }
        let file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        // A line that a killed process left half written is removed.
        let whole = whole_lines(&file)?;
        file.set_len(whole)?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Adds a completion, in one write.
    pub(super) fn add(&self, request: &CompletionRequest, completion: &Completion) {
        let line = json!({ "request": request, "completion": completion }).to_string() + "\n";
        let mut file = lock(&self.file);
        if let Err(error) = file.write_all(line.as_bytes()) {
            tracing::warn!("a call could not be recorded: {error}");
        }
    }
}

/// How much of a file ends with a line break: looked for from the end, since recordings get long.
fn whole_lines(mut file: &File) -> std::io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = [0; 64 << 10];
    while end > 0 {
        let begin = end.saturating_sub(block.len() as u64);
        let block = &mut block[..(end - begin) as usize];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(block)?;
        if let Some(line_break) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + line_break as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_regular_file_is_not_recorded_to() {
        let error = Recording::open(Path::new("/dev/zero")).map(drop).expect_err("refused").to_string();
        assert_eq!(error, "it is a device, not a regular file");
    }

    #[test]
    fn what_a_killed_process_left_half_written_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls.jsonl");
        let long = "x".repeat(200_000);
        for (before, after) in [
            ("", ""),
            ("{}\n", "{}\n"),
            ("{}\n{\"half", "{}\n"),
            ("half", ""),
            (&*format!("{{}}\n{long}"), "{}\n"),
            (&*format!("{long}\n{long}\n"), &*format!("{long}\n{long}\n")),
        ] {
            std::fs::write(&path, before).expect("written");
            drop(Recording::open(&path).expect("opened"));
            assert_eq!(std::fs::read_to_string(&path).expect("read"), after);
        }
    }
}
