//! The boundaries of plugins: calls and loading.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield_loader::{Digest, Plugin, Trust, load, sandbox::Limits};
use jackfield_plugin_api::{
    Context, Document, Instance, Kind, Request, linked_extensions, prelude::*, testing::FakeHost,
};

use crate::measure::{heading, load_again, median, ratio, row, shown};

// The very source that `build-echo` makes a component of, linked in.
#[path = "echo/lib.rs"]
mod echo;

/// Native libraries as this bench is built itself; components, which are always optimised, as the tests have them.
fn fixture(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("a path");
    let release = exe.ancestors().nth(2).expect("target/release/deps/bench");
    match name.strip_suffix(".so") {
        Some("misbehaving") => release.join("libjackfield_test_misbehaving.so"),
        Some(plugin) => release.join(format!("lib{plugin}.so")),
        None => release.join("../fixtures").join(name),
    }
}

/// The folder of what was built for tests and benchmarks.
pub fn fixtures() -> PathBuf {
    fixture("")
}

pub fn loaded_at(path: &Path) -> Plugin {
    let sha256 = Digest::of_file(path).ok();
    load("bench", path, &Trust { allow_native: true, sha256, ..Trust::default() })
        .unwrap_or_else(|error| panic!("{error}: run tests/build-fixtures and cargo build --release --workspace"))
}

pub fn echo_of(plugin: &Plugin) -> Arc<dyn Instance> {
    let entry = plugin.extensions.iter().find(|entry| entry.descriptor.name == "echo").expect("echo");
    entry.factory.open("{}", &Limits::default()).expect("opened")
}

fn batch(bytes: usize, count: usize) -> Vec<Request> {
    let text = "x".repeat(bytes);
    let context = Context { stage: "bench".into(), item: "item".into(), element: 0, replicate: 0, seed: 7 };
    let document = Document::new(format!("{{\"text\":\"{text}\"}}"));
    (0..count).map(|_| Request { document: document.clone(), context: context.clone() }).collect()
}

/// Median wall time of one document in a batch of `count`.
pub fn call(instance: &Arc<dyn Instance>, bytes: usize, count: usize) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let requests = batch(bytes, count);
    let once = || {
        let results = runtime.block_on(instance.call(&requests, &FakeHost::default()));
        assert!(results.iter().all(Result::is_ok), "{:?}", results[0]);
    };
    median(once) / count as u32
}

pub fn table() {
    let linked = linked_extensions();
    let own = linked.iter().find(|one| one.descriptor().kind == Kind::Analyzer && one.descriptor().name == "echo");
    let own = own.expect("linked in").open("{}").expect("opened");
    let native = echo_of(&loaded_at(&fixture("misbehaving.so")));
    let wasm = echo_of(&loaded_at(&fixture("misbehaving.wasm")));
    heading(
        "One call, one document in and out (typed echo: JSON read and written by the plugin)",
        &["document", "batch", "linked in", "`.so`", "`.wasm`", "`.so` / linked in", "`.wasm` / linked in"],
    );
    for (bytes, name) in [(100, "100 B"), (10_000, "10 KB"), (1_000_000, "1 MB")] {
        for count in [1, 64] {
            if bytes * count > 10_000_000 {
                continue;
            }
            let times = [&own, &native, &wasm].map(|instance| call(instance, bytes, count));
            let ratios = [ratio(times[1], times[0]), ratio(times[2], times[0])];
            let mut cells = vec![name.to_owned(), count.to_string()];
            cells.extend(times.map(shown));
            cells.extend(ratios);
            row(&cells);
        }
    }

    heading("Loading a plugin file, in a new process", &["file", "size", "cold", "cached"]);
    for name in ["misbehaving.so", "misbehaving.wasm", "jackfield_meetings.so", "jackfield_meetings.wasm"] {
        let path = fixture(name);
        let size = format!("{} KiB", std::fs::metadata(&path).expect("a fixture").len() / 1024);
        let cache = tempfile::tempdir().expect("a folder");
        // Cold: nothing compiled is kept. The page cache is warm for all alike.
        let (cold, cached) = (load_again(&path, cache.path()), load_again(&path, cache.path()));
        let cached = if name.ends_with(".so") { "-".to_owned() } else { cached };
        row(&[name.to_owned(), size, cold, cached]);
    }
}

/// Loads a file once and prints how long it took.
pub fn load_once(path: &str) {
    let path = Path::new(path);
    let sha256 = Digest::of_file(path).ok();
    let began = Instant::now();
    let plugin = load("bench", path, &Trust { allow_native: true, sha256, ..Trust::default() }).expect("loaded");
    println!("{}", shown(began.elapsed()));
    drop(plugin);
}
