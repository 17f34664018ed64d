//! What the host costs beyond the work of plugins: engine, plugin boundaries, loading, start-up. Everything is measured in
//! one run, alternatives side by side; the table goes to standard output as Markdown.
//!
//! `tests/build-fixtures && cargo build --release --workspace && cargo run --release -p jackfield-cli --example overhead`; with
//! `PEERS_PYTHON` naming a Python that has them, Haystack, LangGraph and Dask are measured beside it. With the argument
//! `guests`, only the components that `tests/benches/build-echo` makes in every language, beside Extism's engine where
//! `EXTISM_LIBRARY` names its library.
#![allow(unreachable_pub, clippy::allow_attributes, reason = "modules of one program")]

mod engine;
mod guests;
mod measure;
mod plugins;
mod startup;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // Memory is a property of a process: each size gets its own.
        ["--resident", items] => engine::resident(items.parse().expect("a number of items")),
        ["--load", path] => plugins::load_once(path),
        ["guests"] => guests::table(),
        _ => {
            engine::table();
            plugins::table();
            guests::table();
            startup::table();
        }
    }
}
