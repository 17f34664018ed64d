//! The metrics as text, in the formats of Prometheus and OpenMetrics.

use std::{fs::Permissions, io, io::Write as _, os::unix::fs::PermissionsExt as _, path::Path};

use jackfield_loader::regular_file;
use prometheus_client::encoding::text;
use tempfile::Builder;

use super::Metrics;

impl Metrics {
    /// The text format of Prometheus, version 0.0.4, which everything reads.
    #[must_use]
    pub fn encode(&self) -> String {
        classic(&self.encode_open())
    }

    /// The text format of OpenMetrics, version 1.0.0.
    #[must_use]
    pub fn encode_open(&self) -> String {
        self.measure_memory();
        let mut text = String::new();
        text::encode(&mut text, self.registry()).expect("writing to a string cannot fail");
        text
    }

    /// Writes [`encode`](Self::encode) to a file, for the textfile collector of node_exporter: whoever reads it sees all of
    /// it or what the file held before. The name should end in `.prom`.
    ///
    /// # Errors
    ///
    /// If the folder does not exist or cannot be written, or if the path holds something other than a regular file.
    pub fn write_textfile(&self, path: &Path) -> io::Result<()> {
        regular_file::only_replaceable(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // The collector is another user, and takes every name that ends in `.prom`.
        let readable = Permissions::from_mode(0o644);
        let mut aside = Builder::new().prefix(".metrics-").suffix(".tmp").permissions(readable).tempfile_in(folder)?;
        aside.write_all(self.encode().as_bytes())?;
        aside.as_file().sync_all()?;
        aside.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// OpenMetrics as the older format: there, a counter is declared under the name of its samples.
fn classic(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    let mut help = None;
    for line in open.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, help)) = help.take() {
                text.extend(["# HELP ", name, suffix, " ", help, "\n"]);
            }
            text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if !line.starts_with("# ") {
            text.extend([line, "\n"]);
        }
    }
    text
}
