//! What the tests share.

use std::{future::Future, path::Path, process::Command};

use futures::executor::block_on;
use jackfield_plugin_api::prelude::*;
use serde_json::{Value, json};

/// A backend of this configuration.
pub(crate) fn open<B: CacheBackend>(config: Value) -> Result<B> {
    let backend: B = serde_json::from_value(config).map_err(|error| Failure::InvalidConfig(error.to_string()))?;
    backend.open()
}

/// A backend that opens.
pub(crate) fn opened<B: CacheBackend>(config: Value) -> B {
    open(config).unwrap_or_else(|failure| panic!("{failure}"))
}

/// A cache in a file.
pub(crate) fn in_file(path: &Path) -> Value {
    json!({ "path": path })
}

/// Waits without any runtime: the backends need none.
pub(crate) fn wait<T>(future: impl Future<Output = Result<T>>) -> T {
    block_on(future).unwrap_or_else(|failure| panic!("{failure}"))
}

pub(crate) fn keys(entries: &[CacheEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.key.as_str()).collect()
}

/// Runs a program that the tests need.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("this test needs the program `{program}`, which `tests/run` installs: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}: {out}{err}");
    out.into_owned()
}
