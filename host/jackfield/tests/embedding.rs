//! Jackfield as a program that embeds it sees it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jackfield::{Cancel, Item, ItemResult, ItemState, LoadOptions, Pipeline, RunEvent, RunOptions, RunState};
use jackfield_plugin_api::prelude::*;
use serde_json::json;
use tempfile::TempDir;

/// An extension of this program's own.
#[derive(Config)]
struct Shout {
    /// What is put behind the text.
    #[config(default = "!")]
    mark: String,
}

/// What it reads.
#[derive(Document)]
struct ShoutInput {
    text: String,
}

/// What it answers.
#[derive(Document)]
struct Shouted {
    loud: String,
}

impl Analyzer for Shout {
    const NAME: &str = "embedder-shout";
    type Input = ShoutInput;
    type Output = Shouted;

    async fn analyze(&self, input: ShoutInput, _host: &Host<'_>) -> Result<Shouted> {
        if input.text.is_empty() {
            return Err(Failure::InvalidInput("nothing to shout".to_owned()));
        }
        Ok(Shouted { loud: input.text.to_uppercase() + &self.mark })
    }
}

export_plugin!(Shout);

const SHOUTING: &str = r#"
[pipeline]
name = "shouting"

[input]
use = "inline"
items = [{ id = "a", text = "one" }, { id = "b", text = "" }, { id = "c", text = "three" }]
id = "id"

[stages.shout]
use = "embedder-shout"
in = { text = "input.text" }
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace").to_owned()
}

fn folder_with(toml: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("pipeline.toml"), toml).expect("written");
    folder
}

fn all(run: &jackfield::Run) -> Vec<ItemResult> {
    run.results().expect("results").map(|item| item.expect("a result")).collect()
}

/// Each item with what was shouted, or how it ended.
fn shouted(results: &[ItemResult]) -> Vec<(&str, &str)> {
    let loud =
        |item: &'_ ItemResult| item.outputs.get("shout").and_then(|output| output["loud"].as_str().map(str::to_owned));
    results.iter().map(|item| (&*item.id, loud(item).map_or("failed", |loud| String::leak(loud)))).collect()
}

#[test]
fn an_extension_of_the_embedding_program_is_there_without_being_named() {
    let folder = folder_with(SHOUTING);
    let pipeline = Pipeline::load(folder.path()).expect("a pipeline");
    assert_eq!((pipeline.name(), pipeline.stages().collect::<Vec<_>>()), ("shouting", vec!["shout"]));
    let run = pipeline.run(RunOptions::in_memory()).expect("a run");
    let results = all(&run);
    assert_eq!(shouted(&results), [("a", "ONE!"), ("b", "failed"), ("c", "THREE!")]);
    assert_eq!(run.state(), RunState::Partial);
    assert_eq!(results[1].failures["shout"][0].kind, "invalid-input");
    assert_eq!(results[1].failures["shout"][0].message, "nothing to shout");
    assert_eq!(run.folder(), None);
}

#[test]
fn results_in_memory_are_those_on_record_and_each_run_has_counts_of_its_own() {
    let out = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::load(root().join("examples/transcripts")).expect("a pipeline");
    let recorded = pipeline.run(RunOptions::in_folder(out.path())).expect("a run");
    let in_memory = pipeline.run(RunOptions::in_memory().jobs(1)).expect("a run");
    let lines = fs::read_to_string(recorded.folder().expect("a folder").join("results.jsonl")).expect("results");
    let written: Vec<ItemResult> = lines.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
    assert_eq!(all(&recorded), written);
    assert_eq!(all(&in_memory), written);
    let guide = fs::read_to_string(root().join("docs/guides/embed-it.md")).expect("the guide");
    for item in &written {
        let decisions = item.outputs["decisions"]["findings"].as_array().map_or(0, Vec::len);
        let line = format!("{}: {decisions} decisions\n", item.id);
        assert!(guide.contains(&line), "the guide does not show `{line}`");
    }
    assert_eq!(recorded.summary().stages["decisions"].calls, in_memory.summary().stages["decisions"].calls);
    let again: Vec<String> = written.iter().map(|item| serde_json::to_string(item).expect("JSON")).collect();
    let value = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    assert!(again.iter().zip(lines.lines()).all(|(ours, theirs)| value(ours) == value(theirs)), "nothing is lost");
}

#[test]
fn items_of_the_caller_take_the_place_of_the_input_and_events_carry_their_documents() {
    let folder = folder_with(SHOUTING);
    let pipeline =
        Pipeline::load_with(folder.path(), &LoadOptions::new().set("stages.shout.with.mark=?")).expect("a pipeline");
    let items = (1..=100).map(|number| (format!("n{number}"), json!({ "text": format!("x{number}") })));
    let mut running = pipeline.start_items(items, RunOptions::in_memory()).expect("started");
    let mut seen = Vec::new();
    let mut started = 0;
    while let Some(event) = running.take_event() {
        match event {
            RunEvent::Started { folder: None } => started += 1,
            RunEvent::Item(item) => seen.push(*item),
            _ => {}
        }
    }
    let run = running.wait().expect("a run");
    seen.sort_by_key(|item| item.id[1..].parse::<u32>().expect("a number"));
    assert_eq!(started, 1);
    assert_eq!(seen, all(&run));
    assert_eq!(seen.len(), 100);
    assert_eq!(seen[41].outputs["shout"], json!({ "loud": "X42?" }));
}

#[test]
fn a_run_that_is_cancelled_can_be_resumed_and_loses_and_repeats_nothing() {
    let folder = folder_with(SHOUTING);
    let out = folder.path().join("runs");
    let pipeline = Pipeline::load(folder.path()).expect("a pipeline");
    let cancel = Cancel::default();
    let asks = cancel.clone();
    // The source itself asks to stop, in the middle.
    let items = (0..2000).map(move |number| {
        if number == 300 {
            asks.request();
        }
        Item::from(json!({ "text": format!("x{number}") }))
    });
    let options = RunOptions::in_folder(&out).jobs(2);
    let stopped = pipeline.run_items(items, options.clone().cancel(&cancel)).expect("a run");
    assert_eq!(stopped.state(), RunState::Interrupted);
    let done = all(&stopped).len();
    assert!(done < 2000, "{done} items were done before the end");

    let items = || (0..2000).map(|number| Item::from(json!({ "text": format!("x{number}") })));
    let resumed = pipeline.run_items(items(), options.resume("last")).expect("a run");
    assert_eq!((resumed.state(), resumed.folder()), (RunState::Complete, stopped.folder()));
    let results = all(&resumed);
    let whole = pipeline.run_items(items(), RunOptions::in_memory()).expect("a run");
    assert_eq!(results, all(&whole));
    assert!(results.iter().all(|item| item.state == ItemState::Ok));
    let session = resumed.summary().session.as_ref().expect("a second session");
    assert_eq!(session.stages["shout"].calls, 2000 - done as u64, "what the first session finished is not made again");
    assert_eq!(resumed.summary().stages["shout"].calls, 2000);
}

#[test]
fn an_item_is_run_when_it_comes_though_the_next_is_long_in_coming() {
    let folder = folder_with(SHOUTING);
    let pipeline = Pipeline::load(folder.path()).expect("a pipeline");
    let (send, items) = std::sync::mpsc::channel::<Item>();
    let mut running = pipeline.start_items(items, RunOptions::in_memory()).expect("started");
    send.send(json!({ "text": "a" }).into()).expect("sent");
    send.send(json!({ "text": "b" }).into()).expect("sent");
    let mut done = 0;
    while done < 2 {
        done += u32::from(matches!(running.take_event().expect("the run waits for more"), RunEvent::Item(_)));
    }
    drop(send);
    assert_eq!(all(&running.wait().expect("a run")).len(), 2);
}

#[test]
fn an_iterator_that_panics_is_an_error_and_not_the_end_of_the_items() {
    let folder = folder_with(SHOUTING);
    let pipeline = Pipeline::load(folder.path()).expect("a pipeline");
    let items = (0..10).map(|number| match number {
        5 => panic!("no more of them"),
        _ => Item::from(json!({ "text": "x" })),
    });
    let error = pipeline.run_items(items, RunOptions::in_memory()).expect_err("an error");
    assert_eq!(error.to_string(), "the source of items panicked: there may be further items");
}

#[test]
fn empty_lists_and_unreadable_items_are_in_memory_as_they_are_on_record() {
    let folder = folder_with(
        r#"
[pipeline]
name = "lists"

[input]
use = "jsonl"
path = "items.jsonl"
id = "id"

[stages.shout]
use = "embedder-shout"
for_each = "input.texts"
in = { text = "each" }
"#,
    );
    let items = "{\"id\": \"none\", \"texts\": []}\n{\"id\": \n{\"id\": \"two\", \"texts\": [\"x\", \"\"]}\n";
    fs::write(folder.path().join("items.jsonl"), items).expect("written");
    let pipeline = Pipeline::load(folder.path()).expect("a pipeline");
    let recorded = pipeline.run(RunOptions::in_folder(folder.path().join("runs"))).expect("a run");
    let results = all(&recorded);
    assert_eq!(all(&pipeline.run(RunOptions::in_memory()).expect("a run")), results);
    assert_eq!(results[0].outputs["shout"], json!([]));
    assert!(results[1].fault.is_some() && results[1].state == ItemState::Failed);
    assert_eq!(results[2].failures["shout"][0].call, Some(1));
}

#[test]
fn options_may_be_used_again_after_a_run_that_was_cancelled() {
    let folder = folder_with(SHOUTING);
    let pipeline = Pipeline::load(folder.path()).expect("a pipeline");
    let options = RunOptions::in_memory();
    let running = pipeline.start(options.clone()).expect("started");
    running.cancel().request();
    running.wait().expect("a run");
    assert_eq!(pipeline.run(options).expect("a run").state(), RunState::Partial);
}

#[test]
fn what_is_wrong_is_one_error_that_prints_as_the_program_does() {
    let folder = folder_with(&SHOUTING.replace("embedder-shout", "embedder-shoot").replace("items", "itmes"));
    let error = Pipeline::load(folder.path()).err().expect("faults");
    let faults = error.faults();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].contains("pipeline.toml:7:1: "), "{faults:?}");
    let text = error.to_string();
    assert!(text.contains("did you mean `embedder-shout`?"), "{text}");
    assert!(text.ends_with("the pipeline has 2 faults; nothing was run"), "{text}");
    assert_eq!(format!("{error:?}"), text, "a `main` that returns it is readable");

    let missing = Pipeline::load(folder.path().join("nowhere")).err().expect("an error").to_string();
    assert!(missing.contains("nowhere"), "{missing}");

    let folder = folder_with(SHOUTING);
    let pipeline = Pipeline::load(folder.path()).expect("a pipeline");
    let error = pipeline.run(RunOptions::in_folder(folder.path().join("runs")).resume("last")).expect_err("no run");
    insta::assert_snapshot!(error.to_string().replace(&folder.path().to_string_lossy().into_owned(), "[folder]"));
    let error = pipeline.run(RunOptions::in_memory().resume("last")).expect_err("nothing to resume");
    insta::assert_snapshot!(error.to_string(), @r"
    a run in memory leaves nothing to resume

    hint: name the folder of the run with `RunOptions::in_folder`
    ");
}

#[test]
fn a_run_of_another_pipeline_is_not_gone_on_with() {
    let folder = folder_with(SHOUTING);
    let out = folder.path().join("runs");
    Pipeline::load(folder.path()).expect("a pipeline").run(RunOptions::in_folder(&out)).expect("a run");
    let other =
        Pipeline::load_with(folder.path(), &LoadOptions::new().set("stages.shout.with.mark=?")).expect("a pipeline");
    let error = other.run(RunOptions::in_folder(&out).resume("last")).expect_err("another pipeline").to_string();
    assert!(error.contains("was made by another version of the pipeline or its plugins"), "{error}");
    assert!(error.contains("hint: stage `shout`: its `with` table changed"), "{error}");
}

#[test]
fn single_items_are_run_and_made_again_by_their_ids() {
    let folder = folder_with(SHOUTING);
    let pipeline = Pipeline::load(folder.path()).expect("a pipeline");
    let ids = |run: &jackfield::Run| all(run).into_iter().map(|result| result.id).collect::<Vec<_>>();
    let in_memory = pipeline.run(RunOptions::in_memory().only("c").only("a")).expect("a run");
    assert_eq!(ids(&in_memory), ["a", "c"]);
    let options = RunOptions::in_folder(folder.path().join("runs"));
    let whole = pipeline.run(options.clone()).expect("a run");
    let again = pipeline.run(options.clone().resume("last").only("a")).expect("a run");
    assert_eq!((again.folder(), ids(&again)), (whole.folder(), ids(&whole)), "all items of the run are there");
    let session = again.summary().session.as_ref().expect("a session");
    assert_eq!(session.stages["shout"].calls, 1);
    assert_eq!(again.summary().stages["shout"].calls, 3);
    let items = [Item::from(json!({ "text": "one" }))];
    let unknown = pipeline.run_items(items, options.only("y")).expect_err("no such item").to_string();
    assert!(unknown.contains("the input has no item `y`"), "{unknown}");
}

/// A component of those that `tests/build-fixtures` makes.
fn component(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("the test's own path");
    let path = exe.ancestors().nth(3).expect("target/PROFILE/deps/test").join("fixtures").join(name);
    assert!(path.is_file(), "`{}` is missing: run tests/build-fixtures first", path.display());
    path
}

#[test]
fn components_are_loaded_run_and_dropped_from_async_code() {
    let data = root().join("examples/transcripts/data/voice-note.txt");
    let folder = folder_with(&format!(
        r#"
[pipeline]
name = "sandboxed"

[plugins]
reader = {{ path = {component:?} }}

[input]
use = "files"
path = {data:?}

[stages.transcript]
use = "reader/transcript"
in = {{ text = "input.text", name = "input.name" }}
"#,
        component = component("jackfield_transcript.wasm"),
    ));
    // One thread: whoever blocked it would keep the rest from working.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (results, states) = runtime.block_on(async {
        let pipeline = Pipeline::load_async(folder.path(), &LoadOptions::new()).await.expect("a pipeline");
        let mut running = pipeline.start(RunOptions::in_memory()).expect("started");
        let mut results = Vec::new();
        while let Some(event) = running.next_event().await {
            if let RunEvent::Item(item) = event {
                results.push(*item);
            }
        }
        let run = running.finished().await.expect("a run");
        assert_eq!(all(&run), results);
        // What blocks works here too.
        let again = Pipeline::load(folder.path()).expect("a pipeline");
        let blocking = again.run(RunOptions::in_memory()).expect("a run");
        (results, (run.state(), blocking.state()))
        // Both pipelines are dropped on a thread of the runtime.
    });
    assert_eq!(states, (RunState::Complete, RunState::Complete));
    assert_eq!(results.len(), 1);
    assert!(results[0].outputs["transcript"]["segments"].as_array().is_some_and(|segments| !segments.is_empty()));
}

#[test]
fn an_embedder_has_no_terminal_and_no_server_in_its_tree() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    command.args(["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let output =
        command.args(["--no-default-features", "-p", "jackfield"]).current_dir(root()).output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("text");
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"jackfield-engine"), "{tree}");
    // What reads passwords is there with the crate that signatures are checked with, and is called by the program alone.
    for unwanted in [
        "clap",
        "indicatif",
        "comfy-table",
        "opentelemetry",
        "opentelemetry-otlp",
        "prometheus-client",
        "mimalloc",
        "tracing-subscriber",
        "jackfield-cli",
        "jackfield-telemetry",
        "jackfield-report",
        "jackfield-conformance",
    ] {
        assert!(!crates.contains(&unwanted), "{unwanted} is in the tree of an embedder");
    }
}
