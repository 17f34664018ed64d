//! Tensors that travel by reference: how they go through wires, who may open them, and what becomes of them when a run is
//! killed, resumed, damaged, memoised or recorded.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Options, Silent, open_stages};
use jackfield_loader::{
    Digest, ExtensionEntry, ExtensionFactory, Linkage, Plugin, Registry,
    sandbox::{Grants, Limits},
};
use jackfield_plugin_api::{
    BoxFuture, Capture, CompletionRequest, Descriptor, Document, HostCalls, Instance, Kind, Message, Permission,
    Random, Request, Result as CallResult, Stability, Tensor, TensorElements, TensorRef, to_hex,
};
use jackfield_services::open_services;
use jackfield_store::{RunFolder, RunJson};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{
    CommandOutput, Pipeline, SmallFileSystem, fixture, jackfield, outcome, result, results, run_command, same_outcome,
    wait,
};

const NATIVE: &str = "misbehaving.so";
const WASM: &str = "misbehaving.wasm";
const FILES: [&str; 2] = [NATIVE, WASM];

/// A pipeline over these texts, whose plugin `bad` is this file; an item's id is its place.
fn of_texts(file: &str, texts: &[&str], more: &str, stages: &str) -> Pipeline {
    let path = fixture(file);
    let mut plugin = format!("[plugins.bad]\npath = {path:?}\n");
    if file == NATIVE {
        let digest = Digest::of_file(&path).expect("read");
        writeln!(plugin, "allow_native = true\nsha256 = \"{digest}\"").expect("written");
    }
    let items: Vec<String> = texts.iter().map(|text| format!("{{ text = {text:?} }}")).collect();
    Pipeline::new(&format!(
        "[pipeline]\nname = \"tensors\"\n{more}\n{plugin}\n[input]\nuse = \"inline\"\nitems = [{}]\n{stages}",
        items.join(", ")
    ))
}

const MADE: &str = "[stages.made]\nuse = \"bad/makes\"\nin = { text = \"input.text\" }\n";
const SUM: &str = "[stages.sum]\nuse = \"bad/sums\"\nin = { tensor = \"made.tensor\" }\n";

/// The stages that every way of wiring is tried with.
fn all_wires() -> String {
    format!(
        "{MADE}{SUM}
[stages.elements]
use = \"bad/sums\"
for_each = \"made.all\"
in = {{ tensor = \"each\" }}

[stages.twice]
use = \"bad/makes\"
repeat = 2
with = {{ rows = 2 }}
in = {{ text = \"made.text\" }}

[stages.last]
use = \"bad/sums\"
in = {{ tensor = \"twice[1].tensor\" }}

[stages.handed_on]
use = \"bad/sums\"
in = {{ tensor = \"elements[0].tensor\" }}
"
    )
}

fn blobs(run: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(run.join("blobs")) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

/// Kind and message of the one failure of a stage for an item.
#[track_caller]
fn failure(run: &CommandOutput, item: &str, stage: &str) -> String {
    let line = result(&run.folder(), item);
    let failures = line["failures"][stage].as_array().unwrap_or_else(|| panic!("no failure in {line:#}"));
    let last = failures.last().expect("a failure");
    format!("{}: {}", last["kind"].as_str().expect("a kind"), last["message"].as_str().expect("a message"))
}

#[test]
fn references_go_through_paths_lists_elements_and_replicates_alike_in_every_form() {
    let mut seen = Vec::new();
    for file in FILES {
        let pipeline = of_texts(file, &["one", "two", "three", "two"], "", &all_wires());
        for jobs in ["1", "16"] {
            let run = run_command(pipeline.command().args(["--jobs", jobs])).expect_code(0);
            let names: Vec<String> = blobs(&run.folder()).iter().map(|path| name(path)).collect();
            seen.push((outcome(&run.folder()), names));
            for path in blobs(&run.folder()) {
                let bytes = fs::read(&path).expect("read");
                assert_eq!(to_hex(&Sha256::digest(&bytes)), name(&path));
            }
            let line = &results(&run.folder())[0]["outputs"];
            assert_eq!(line["made"]["tensor"]["shape"], json!([3, 4]));
            // Rows 0, 1 and 2, and two letters each of `one`.
            let letters = f64::from(b'o') + 2.0 * f64::from(b'n') + 2.0 * f64::from(b'e') + f64::from(b'o');
            assert_eq!(line["sum"]["sum"].as_f64(), Some(3.0 + letters));
            assert_eq!(line["elements"][1], line["sum"]);
            assert_eq!(line["handed_on"], line["sum"]);
            assert_eq!(line["last"]["count"], 8);
        }
    }
    // Two tensors for each of three different texts.
    assert_eq!(seen[0].1.len(), 6);
    assert!(seen.iter().all(|other| *other == seen[0]), "forms or numbers of workers differ");
}

#[test]
fn a_call_opens_and_names_what_it_was_given_or_made_and_nothing_else() {
    for file in FILES {
        let pipeline = of_texts(file, &["one"], "", MADE);
        let plain = pipeline.run().expect_code(0);
        let theirs = name(&blobs(&plain.folder())[0]);
        let nowhere = "0".repeat(64);
        let mut told = Vec::new();
        for (how, sha256) in [
            ("opens", &theirs),
            ("opens", &nowhere),
            ("names", &theirs),
            ("names", &nowhere),
            ("reshapes", &nowhere),
            ("lies", &nowhere),
            ("overflows", &nowhere),
            ("early", &nowhere),
            ("deep", &nowhere),
        ] {
            let pries = format!(
                "{MADE}[stages.pries]\nuse = \"bad/pries\"\nin = {{ text = \"input.text\" }}\n\
                 with = {{ how = {how:?}, sha256 = {sha256:?} }}\n"
            );
            let pipeline = of_texts(file, &["one", "bad", "three"], "", &pries);
            let run = pipeline.run().expect_code(3);
            assert_eq!(run.json()["items"], json!({ "total": 3, "ok": 2, "partial": 1, "failed": 0 }));
            assert!(blobs(&run.folder()).iter().any(|path| name(path) == theirs), "it is in this run");
            let items = results(&run.folder());
            told.push(format!("{how}: {}", failure(&run, items[1]["item"].as_str().expect("an id"), "pries")));
        }
        // Whether it is there is not to be found out.
        assert_eq!(told[0], told[1]);
        assert_eq!(told[2], told[3]);
        insta::allow_duplicates! {
            insta::assert_snapshot!("what_is_said_of_tensors_that_are_not_given", told.join("\n"));
        }
    }
}

#[test]
fn tensors_beyond_a_limit_are_over_budget() {
    for file in FILES {
        let endless = |more: &str, limits: &str| {
            let stages = format!(
                "[stages.pries]\nuse = \"bad/pries\"\nin = {{ text = \"input.text\" }}\nwith = {{ how = \"endless\" }}\n{limits}\n"
            );
            let pipeline = of_texts(file, &["one", "bad", "three"], more, &stages);
            let run = pipeline.run().expect_code(3);
            let item = results(&run.folder())[1]["item"].as_str().expect("an id").to_owned();
            failure(&run, &item, "pries")
        };
        for (more, limits, said) in [
            (
                "",
                "limits = { tensors = \"1MiB\" }",
                "over-budget: makes tensors of 1.0 MiB in one call, beyond its limit of 1 MiB",
            ),
            (
                "tensor_storage = \"600KiB\"",
                "",
                "over-budget: the tensors of the run would take 768.0 KiB, beyond its limit of 600 KiB; `[pipeline] \
                 tensor_storage = \"…\"` allows more",
            ),
        ] {
            let told = endless(more, limits);
            assert!(told.starts_with(said), "{told}");
        }
    }
}

#[test]
fn an_item_that_names_a_tensor_fails_by_itself() {
    let pipeline = of_texts(NATIVE, &["one"], "", MADE);
    let text = fs::read_to_string(pipeline.path().join("pipeline.toml")).expect("read");
    let reference = format!("{{ \"$tensor\" = \"{}\", shape = [1], dtype = \"f32\" }}", "0".repeat(64));
    let items = format!(
        "items = [{{ text = \"two\", more = {reference} }}, {{ text = \"bad\", more = {{ \"$tensor\" = 1 }} }}, "
    );
    let pipeline = pipeline.with("pipeline.toml", text.replace("items = [", &items));
    let run = pipeline.run().expect_code(3);
    let lines = results(&run.folder());
    assert_eq!(run.json()["items"], json!({ "total": 3, "ok": 1, "partial": 0, "failed": 2 }), "{lines:#?}");
    let fault = |at: usize| lines[at].to_string();
    assert!(
        fault(0).contains("it names a tensor (`$tensor`), but what an item names is not in this run"),
        "{}",
        fault(0)
    );
    assert!(fault(1).contains("not a reference of a tensor"), "{}", fault(1));
}

#[test]
fn what_is_damaged_or_missing_is_reported_and_made_again() {
    let pipeline = of_texts(NATIVE, &["one", "two", "three"], "", &all_wires());
    let calm = pipeline.run().expect_code(0);
    let folder = calm.folder();
    let files = blobs(&folder);
    // One is damaged, one is gone, and two are nobody's.
    let mut bytes = fs::read(&files[0]).expect("read");
    bytes[1] ^= 1;
    fs::write(&files[0], bytes).expect("written");
    fs::remove_file(&files[1]).expect("removed");
    let strays = [folder.join("blobs").join("ab".repeat(32)), folder.join("blobs/.half.tmp")];
    strays.iter().for_each(|stray| fs::write(stray, "stray").expect("written"));

    let mut show = jackfield();
    let told = run_command(show.args(["runs", "show", "last", "--out"]).arg(pipeline.out())).expect_code(1).stderr;
    assert!(told.contains(&format!("(`blobs/{}` is missing)", name(&files[1]))), "{told}");
    let resumed = run_command(pipeline.command().args(["--resume", "last"])).expect_code(0);
    for (path, what) in [(&files[0], "damaged"), (&files[1], "missing")] {
        let told = format!("`blobs/{}` is {what}", name(path));
        assert!(resumed.stderr.contains(&told), "{}", resumed.stderr);
        assert_eq!(to_hex(&Sha256::digest(fs::read(path).expect("made again"))), name(path));
    }
    assert_eq!(blobs(&folder), files, "the strays are gone");
    let undisturbed = pipeline.run().expect_code(0);
    same_outcome(&undisturbed.folder(), &folder);
    // A second resume finds nothing to do.
    let again = run_command(pipeline.command().args(["--resume", &name(&folder)])).expect_code(0);
    assert!(!again.stderr.contains("damaged"), "{}", again.stderr);
}

#[test]
fn a_killed_run_loses_no_tensor() {
    let texts: Vec<String> = (0..300).map(|at| format!("text {at}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let pipeline = of_texts(NATIVE, &texts, "", &format!("{MADE}{SUM}"));
    let calm = pipeline.run().expect_code(0);
    let out = pipeline.path().join("killed");
    let command = |resume: bool| {
        let mut command = jackfield();
        command.arg("run").arg(pipeline.path()).arg("--json").arg("--out").arg(&out);
        if resume {
            command.args(["--resume", "last"]);
        }
        command
    };
    let mut random = Random::new(7);
    for kill in 0..5 {
        let mut child = command(kill > 0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        let begun = || glob::glob(&format!("{}/*/blobs/*", out.display())).expect("a pattern").next().is_some();
        while kill == 0 && !begun() && child.try_wait().expect("asked").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        wait(&mut child, Duration::from_micros(random.below(60_000)));
    }
    let resumed = run_command(&mut command(true)).expect_code(0);
    same_outcome(&calm.folder(), &resumed.folder());
    let names = |run: &Path| blobs(run).iter().map(|path| name(path)).collect::<Vec<_>>();
    assert_eq!(names(&calm.folder()), names(&resumed.folder()));
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(_disk) = SmallFileSystem::mount(folder.path(), "3m") else { return };
    let stages = format!("{MADE}with = {{ rows = 300000 }}\n");
    let pipeline = of_texts(NATIVE, &["one"], "", &stages);
    let mut command = jackfield();
    command.arg("run").arg(pipeline.path()).arg("--json").arg("--out").arg(folder.path().join("runs"));
    let run = run_command(&mut command).expect_code(1);
    let item = results(&run.folder())[0]["item"].as_str().expect("an id").to_owned();
    let told = failure(&run, &item, "made");
    assert!(told.starts_with("unavailable: the disk is full at `"), "{told}");
    assert_eq!(blobs(&run.folder()), Vec::<PathBuf>::new());
}

#[test]
fn a_result_that_is_kept_brings_its_tensors_into_another_run() {
    for file in FILES {
        let cache = tempfile::tempdir().expect("a folder");
        let path = cache.path().join("cache.sqlite");
        let memo = format!("[cache.kept]\ntiers = [{{ use = \"sqlite\", with = {{ path = {path:?} }} }}]\n");
        let stages = format!("{memo}{MADE}cache = \"kept\"\n{SUM}");
        let pipeline = of_texts(file, &["one", "two"], "", &stages);
        let hits = |run: &CommandOutput| run.json()["stages"]["made"]["memo_hits"].as_u64().expect("a count");
        let first = pipeline.run().expect_code(0);
        assert_eq!(hits(&first), 0);
        let second = pipeline.run().expect_code(0);
        assert_eq!(hits(&second), 2);
        assert_eq!(blobs(&second.folder()).len(), 2);
        same_outcome(&first.folder(), &second.folder());
        // Without its tensor, a kept result is none.
        let mut clear = jackfield();
        clear
            .args(["cache", "clear"])
            .arg(pipeline.path())
            .args(["--prefix", &format!("blob/{}", name(&blobs(&first.folder())[0]))]);
        assert!(run_command(&mut clear).expect_code(0).stderr.contains("sqlite: 1 cleared"));
        let third = pipeline.run().expect_code(0);
        assert_eq!(hits(&third), 1);
        same_outcome(&first.folder(), &third.folder());
    }
}

#[test]
fn tensors_that_travel_with_a_document_are_small_and_are_not_lost_on_the_way() {
    let carries = "[stages.carries]\nuse = \"bad/carries\"\nin = { text = \"input.text\" }\n";
    let weighs = "[stages.weighs]\nuse = \"bad/weighs\"\nin = \"carries\"\n";
    for file in FILES {
        let pipeline = of_texts(file, &["one"], "", &format!("{carries}{weighs}"));
        let run = pipeline.run().expect_code(0);
        assert_eq!(results(&run.folder())[0]["outputs"]["weighs"]["elements"], 4);
        let large = format!("{carries}with = {{ elements = 16385 }}\n");
        let pipeline = of_texts(file, &["one"], "", &large);
        let run = pipeline.run().expect_code(1);
        let item = results(&run.folder())[0]["item"].as_str().expect("an id").to_owned();
        let told = failure(&run, &item, "carries");
        assert!(told.starts_with("invalid-output: ") && told.contains("64.0 KiB, more than the 64 KiB"), "{told}");
        assert!(told.contains("`Host::keep_tensor`"), "{told}");
    }
    let mut told = Vec::new();
    for stages in [
        "[stages.weighs]\nuse = \"bad/weighs\"\nin = { text = \"carries.text\" }\n",
        "[stages.many]\nuse = \"bad/carries\"\nrepeat = 2\nin = { text = \"input.text\" }\n\
         [stages.merged]\nuse = \"weighs\"\nin = [\"carries\", \"many\"]\n",
    ] {
        let pipeline = of_texts(NATIVE, &["one"], "", &format!("{carries}{stages}"));
        let run = pipeline.run().expect_code(2);
        let faults = run.json()["faults"].as_array().expect("faults").clone();
        for fault in faults.iter().filter(|fault| fault["code"] == "lost-tensors") {
            told.push(format!("{}: {}\n   {}", fault["code"].as_str().unwrap_or("?"), fault["message"], fault["hint"]));
        }
    }
    insta::assert_snapshot!("wires_that_lose_tensors", told.join("\n"));
    // What is read by a path and wants no tensors loses nothing.
    let text = format!("{carries}[stages.echo]\nuse = \"bad/echo\"\nin = {{ text = \"carries.text\" }}\n");
    of_texts(NATIVE, &["one"], "", &text).run().expect_code(0);
}

#[test]
fn a_recorded_call_is_made_again_with_its_tensors() {
    for file in FILES {
        let pipeline = of_texts(file, &["one"], "", &format!("{MADE}{SUM}"));
        let calls = pipeline.path().join("calls");
        run_command(pipeline.command().arg("--record").arg(&calls)).expect_code(0);
        let records: Vec<PathBuf> = glob::glob(&format!("{}/*.json", calls.display()))
            .expect("a pattern")
            .map(|path| path.expect("a path"))
            .collect();
        assert_eq!(records.len(), 2);
        for record in &records {
            let mut replay = jackfield();
            run_command(replay.args(["plugins", "replay", "--allow-native"]).arg(record)).expect_code(0);
        }
        fs::remove_dir_all(calls.join("blobs")).expect("removed");
        let sums = records.iter().find(|path| name(path).starts_with("sum")).expect("its record");
        let mut replay = jackfield();
        run_command(replay.args(["plugins", "replay", "--allow-native"]).arg(sums)).expect_code(1);
    }
}

// ---- linked in ----------------------------------------------------------------------------------------------------------

/// Where elements lie in memory, as the maker gave them and as the reader got them.
static SEEN: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// Makes a tensor, or reads one, or answers with tensors of which its schema says nothing.
struct Linked(&'static str);

impl ExtensionFactory for Linked {
    fn open(&self, _config: &str, _limits: &Limits) -> CallResult<Arc<dyn Instance>> {
        Ok(Arc::new(Linked(self.0)))
    }
}

impl Linked {
    fn answer(&self, index: u32, request: &Request, host: &dyn HostCalls) -> CallResult<Document> {
        let seen = |elements: &[f32]| {
            let at = (elements.as_ptr() as usize, elements.len());
            SEEN.lock().expect("a lock").push(at);
        };
        if self.0 == "carrier" {
            let tensor = Tensor { name: "t".into(), shape: vec![1], data: [1.0].into() };
            return Ok(Document { tensors: vec![tensor], ..Document::new("{}") });
        }
        if self.0 == "states" || self.0 == "liar" {
            let first = if self.0 == "liar" { 7.0 } else { 1.0 };
            let elements = [first, 2.0, 3.0, 4.0, 5.0, 6.0];
            let mut states = host.keep_tensor(index, &[1, 2, 3], TensorElements::Lent(&elements))?;
            if self.0 == "liar" {
                states.sha256 = "0".repeat(64);
            }
            let captured = json!({ "hidden_states": states, "layers": [0, 1], "positions": [0] });
            return Ok(Document::new(json!({ "text": "", "captured": captured }).to_string()));
        }
        if self.0 == "maker" {
            let elements: Arc<[f32]> = (0..100_000).map(|at| at as f32).collect();
            seen(&elements);
            let made = host.keep_tensor(index, &[100, 1000], TensorElements::Shared(elements))?;
            return Ok(Document::new(json!({ "tensor": made }).to_string()));
        }
        let read: Value = serde_json::from_str(&request.document.json).expect("JSON");
        let tensor: TensorRef = serde_json::from_value(read["tensor"].clone()).expect("a reference");
        let TensorElements::Shared(elements) = host.open_tensor(index, &tensor)? else { panic!("not shared") };
        seen(&elements);
        Ok(Document::new("{}"))
    }
}

impl Linked {
    /// Asks for hidden states, under an edit by a tensor of somebody else or none, and adds them up.
    async fn ask(&self, index: u32, host: &dyn HostCalls) -> CallResult<Document> {
        let mut request = CompletionRequest::new(vec![Message::user("states")]);
        request.capture = Some(Capture { layers: Some(vec![0, 1]), positions: Some(vec![0]) });
        if self.0 == "editor" {
            request.edits.push(
                serde_json::from_value(json!({
                    "component": "mlp-down", "layer": 0, "weight": 1.0,
                    "direction": { "$tensor": "0".repeat(64), "shape": [1], "dtype": "f32" },
                }))
                .expect("an edit"),
            );
        }
        let completion = host.complete(index, request).await?;
        let states = completion.captured.expect("hidden states").hidden_states;
        let TensorElements::Shared(elements) = host.open_tensor(index, &states)? else { panic!("not shared") };
        let sum: f32 = elements.iter().sum();
        Ok(Document::new(json!({ "sum": sum, "cached": completion.cached, "states": states }).to_string()))
    }
}

impl Instance for Linked {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<CallResult<Document>>> {
        Box::pin(async move {
            let mut answers = Vec::new();
            for (index, request) in batch.iter().enumerate() {
                let index = index as u32;
                answers.push(match self.0 {
                    "asker" | "editor" => self.ask(index, host).await,
                    _ => self.answer(index, request, host),
                });
            }
            answers
        })
    }
}

/// An extension of these tests.
fn entry(kind: Kind, name: &'static str) -> ExtensionEntry {
    let asks = ["model", "model:capture", "model:edits"]
        .map(|name| Permission { name: name.to_owned(), reason: "to ask it".to_owned() });
    let offers = if kind == Kind::Model {
        json!({ "x-offers": { "complete": true, "capture": true, "edits": true } })
    } else {
        json!({})
    };
    let descriptor = Descriptor {
        kind,
        name: name.into(),
        version: "0.0.0".into(),
        summary: "Makes or reads a tensor".into(),
        config: json!({}),
        input: offers.clone(),
        output: offers,
        permissions: if matches!(name, "asker" | "editor") { asks.to_vec() } else { Vec::new() },
        examples: Vec::new(),
        stability: Stability::Experimental,
    };
    let grants = Arc::new(Grants::all("own", &descriptor));
    ExtensionEntry { descriptor: Arc::new(descriptor), factory: Arc::new(Linked(name)), grants }
}

/// The bundled extensions, and those of these tests.
fn registry() -> Registry {
    let analyzers = ["maker", "reader", "carrier", "asker", "editor"].map(|name| entry(Kind::Analyzer, name));
    let models = ["states", "liar"].map(|name| entry(Kind::Model, name));
    Registry::new(vec![
        bundled(),
        Plugin {
            alias: "own".into(),
            linkage: Linkage::LinkedIn,
            path: None,
            digest: Digest::of("own"),
            protocol: jackfield_plugin_api::PROTOCOL,
            extensions: analyzers.into_iter().chain(models).collect(),
        },
    ])
}

/// Runs a pipeline in this process, and gives the folder of the run.
fn run_here(folder: &Path, stages: &str) -> PathBuf {
    let registry = registry();
    let path = folder.join("pipeline.toml");
    let head = "[pipeline]\nname = \"here\"\n[input]\nuse = \"inline\"\nitems = [{ n = 1 }]\n";
    fs::write(&path, format!("{head}{stages}")).expect("written");
    let draft =
        jackfield_pipeline::parse(jackfield_pipeline::Request { path: &path, set: &[], input: &[] }).expect("a draft");
    let plan = jackfield_pipeline::check(&draft, &registry).expect("a plan");
    let run = RunFolder::create(&folder.join("runs"), "here").expect("a run folder");
    let run_folder = run.path().to_owned();
    let record = RunJson::new(&run, &plan, path, Vec::new());
    let instances = open_stages(&plan, &registry).expect("opened");
    let services = open_services(&plan, &registry).expect("services");
    let options = Options { jobs: 2, retry_failed: false, ..Options::default() };
    let engine = Engine { plan: &plan, registry: &registry, instances, services, inputs: &BundledInputs, options };
    engine.run(run, record, &Cancel::default(), &mut Silent).expect("a run");
    run_folder
}

#[test]
fn a_linked_in_reader_shares_the_elements_of_a_linked_in_maker_and_inline_tensors_are_declared() {
    let folder = tempfile::tempdir().expect("a folder");
    let run_folder = run_here(
        folder.path(),
        "[stages.maker]\nuse = \"own/maker\"\nin = \"input\"\n\
         [stages.reader]\nuse = \"own/reader\"\nin = { tensor = \"maker.tensor\" }\n\
         [stages.carrier]\nuse = \"own/carrier\"\nin = \"input\"\n",
    );
    let seen = SEEN.lock().expect("a lock");
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], seen[1], "the same memory");
    let told = results(&run_folder)[0]["failures"]["carrier"][0]["message"].to_string();
    assert!(told.contains("it carries tensors, which its schema does not say"), "{told}");
}

#[test]
fn what_a_model_captured_is_open_to_who_asked_and_is_kept_with_its_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache.sqlite");
    let stages = format!(
        "[cache.kept]\ntiers = [{{ use = \"sqlite\", with = {{ path = {cache:?} }} }}]\n\
         [model.states]\nuse = \"own/states\"\ncache = \"kept\"\n\
         [model.liar]\nuse = \"own/liar\"\n\
         [stages.asker]\nuse = \"own/asker\"\nin = \"input\"\nmodel = \"states\"\n\
         [stages.lied_to]\nuse = \"own/asker\"\nin = \"input\"\nmodel = \"liar\"\n\
         [stages.editor]\nuse = \"own/editor\"\nin = \"input\"\nmodel = \"states\"\n"
    );
    let asked = |run: &Path| {
        let line = &results(run)[0];
        assert_eq!(line["outputs"]["asker"]["sum"], 21.0, "{line:#}");
        let told = |stage: &str| line["failures"][stage][0]["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!(told("lied_to"), "the answer of model `liar` names a tensor that was not given to it");
        assert_eq!(told("editor"), "an edit of a completion request names a tensor that was not given to it");
        line["outputs"]["asker"]["cached"].as_bool().expect("a flag")
    };
    assert!(!asked(&run_here(folder.path(), &stages)));
    let second = run_here(folder.path(), &stages);
    assert!(asked(&second));
    assert_eq!(blobs(&second).len(), 1, "the one that an answer names, and not what the liar made");
    let mut clear = jackfield();
    let without = stages.split("[model.states]").next().expect("the cache").to_owned() + MERE;
    let pipeline = Pipeline::new(&format!("[pipeline]\nname = \"here\"\n{without}"));
    clear.args(["cache", "clear"]).arg(pipeline.path()).args(["--prefix", "blob/"]);
    assert!(run_command(&mut clear).expect_code(0).stderr.contains("sqlite: 1 cleared"));
    assert!(!asked(&run_here(folder.path(), &stages)), "without its tensor, an answer is none");
}

/// A stage, since a pipeline needs one.
const MERE: &str = "[input]\nuse = \"inline\"\nitems = [{ text = \"a\" }]\n\
                    [stages.transcript]\nuse = \"transcript\"\nin = { text = \"input.text\" }\n";
