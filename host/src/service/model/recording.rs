//! Requests and their answers on file, for the model `replay`.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
};

use jackfield_plugin_api::{Completion, CompletionRequest};
use serde_json::json;

/// A file that grows by a line of JSON a call: `{request, completion}`.
pub(super) struct Recording {
    file: Mutex<File>,
}

impl Recording {
    /// Opens the file, making it and its folder if they are not there.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        // A line that a killed process left half written is taken away.
        let written = std::fs::read(path)?;
        let whole = written.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Adds a call, in one write.
    pub(super) fn add(&self, request: &CompletionRequest, completion: &Completion) {
        let line = json!({ "request": request, "completion": completion }).to_string() + "\n";
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(line.as_bytes()) {
            tracing::warn!("a call could not be recorded: {error}");
        }
    }
}
