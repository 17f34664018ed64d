//! Whatever comes from outside is read without a panic and without end: plugin files, what they say of themselves, pipelines,
//! lockfiles, permissions, transcripts, the record of a run. Short here; `JACKFIELD_FUZZ_CASES=100000` makes it long.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use jackfield::bundled;
use jackfield_loader::{
    Registry, load, lock,
    sandbox::{Grant, Limits, Permission, Server},
};
use jackfield_pipeline::{Request, Style};
use jackfield_plugin_api::{Context, Descriptor, Document, Request as Call, testing::FakeHost};
use jackfield_store::{Db, export_events, export_results, peek};
use proptest::{prelude::*, test_runner::Config};
use serde_json::json;

use crate::{
    bad_plugins::component::{Described, Hand},
    support::{Pipeline, root},
};

/// So many cases, or as many as `JACKFIELD_FUZZ_CASES` says.
pub fn cases(usual: u32) -> Config {
    let asked = std::env::var("JACKFIELD_FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    // What was found is told by the test's own message: nothing is written into the tree.
    Config { cases: asked.unwrap_or(usual), failure_persistence: None, ..Config::default() }
}

/// A change to a sequence of bytes.
#[derive(Clone, Debug)]
pub enum Change {
    /// Another byte at this place of a thousand.
    Put(usize, u8),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    /// What stands at the one place once more at the other.
    Repeat(usize, usize, usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = 0..1000_usize;
    // Bytes that mean something to most formats, among others.
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"\0\xff\x80\x7f\n\"'{}[](),:.=#\\-0919".to_vec())];
    prop_oneof![
        4 => (place.clone(), byte.clone()).prop_map(|(at, byte)| Change::Put(at, byte)),
        2 => (place.clone(), prop::collection::vec(byte, 1..8)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (place.clone(), 1..40_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (place.clone(), place.clone(), 1..80_usize).prop_map(|(from, to, count)| Change::Repeat(from, to, count)),
        1 => place.prop_map(Change::Cut),
    ]
}

pub fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(), 1..6)
}

/// The bytes with these changes made to them.
pub fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        let length = bytes.len();
        let place = |at: &usize| at * length / 1000;
        match change {
            Change::Put(at, byte) => {
                if let Some(there) = bytes.get_mut(place(at)) {
                    *there = *byte;
                }
            }
            Change::Insert(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Remove(at, count) => {
                let at = place(at);
                bytes.drain(at..(at + count).min(length));
            }
            Change::Repeat(from, to, count) => {
                let (from, to) = (place(from), place(to));
                let more = bytes[from..(from + count).min(length)].to_vec();
                bytes.splice(to..to, more);
            }
            Change::Cut(at) => bytes.truncate(place(at)),
        }
    }
    bytes
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The files below a folder of the tree whose names end so.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .flat_map(|path| if path.is_dir() { files(path.to_str().expect("UTF-8"), ending) } else { vec![path] })
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(ending)))
        .collect();
    found.sort();
    found
}

// ---- plugin files ----------------------------------------------------------------------------------------------------

fn loads(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plugin.wasm");
    fs::write(&path, bytes).expect("written");
    // No trust: native code is read and never opened.
    if let Err(error) = load("fuzzed", &path, &Default::default()) {
        let _ = (error.to_string(), error.hint());
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_component_that_was_changed_is_loaded_or_refused(changes in changes()) {
        static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| Hand::default().bytes());
        loads(&changed(&WHOLE, &changes));
    }

    #[test]
    fn what_only_begins_like_a_plugin_is_refused(
        magic in prop::sample::select(vec![&b"\0asm\x0d\0\x01\0"[..], b"\0asm\x01\0\0\0", b"\x7fELF\x02\x01\x01", b"", b"MZ"]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        loads(&[magic, &rest].concat());
    }

    #[test]
    fn a_component_may_say_anything_of_itself(
        kind in prop::sample::select(vec![&b"analyzer"[..], b"model", b"cache-backend", b"\xff", b""]),
        name in any::<Vec<u8>>(), version in "\\PC{0,8}", schema in schema(), permission in "\\PC{0,20}",
    ) {
        let leak = |bytes: Vec<u8>| -> &'static [u8] { bytes.leak() };
        let offer = Described {
            kind,
            name: if name.len() % 2 == 0 { b"hand" } else { leak(name) },
            version: leak(version.into_bytes()),
            output: leak(schema.into_bytes()),
            permissions: vec![(leak(permission.into_bytes()), &b"why not"[..])].leak(),
            ..Described::default()
        };
        loads(&Hand { offers: vec![offer], ..Hand::default() }.bytes());
    }

    #[test]
    fn a_descriptor_that_was_changed_is_read_or_refused(changes in changes(), which in any::<prop::sample::Index>()) {
        let plugin = bundled();
        let good = serde_json::to_vec(&*which.get(&plugin.extensions).descriptor).expect("JSON");
        let _ = serde_json::from_slice::<Descriptor>(&changed(&good, &changes));
        let _ = serde_json::from_slice::<Vec<Descriptor>>(&changed(&[b"[", &good[..], b"]"].concat(), &changes));
    }
}

/// A schema, or nearly.
fn schema() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        json!(true),
        json!({ "type": "string" }),
        json!({ "$ref": "#" }),
        json!({ "$ref": "#/$defs/a" }),
        json!({ "pattern": "^(a+)+$" }),
        json!({ "pattern": "[" }),
        json!({ "const": null }),
        json!({ "type": "nothing" }),
    ]);
    let nested = leaf.prop_recursive(4, 24, 4, |inner| {
        let keyword =
            prop::sample::select(vec!["allOf", "anyOf", "oneOf", "not", "items", "properties", "$defs", "if"]);
        (keyword, prop::collection::vec(inner, 1..4)).prop_map(|(keyword, inner)| match keyword {
            "allOf" | "anyOf" | "oneOf" => json!({ keyword: inner }),
            "properties" | "$defs" => json!({ keyword: { "a": inner[0] }, "$ref": "#/$defs/a" }),
            _ => json!({ keyword: inner[0] }),
        })
    });
    prop_oneof![4 => nested.prop_map(|value| value.to_string()), 1 => "\\PC{0,30}"]
}

// ---- what people write -----------------------------------------------------------------------------------------------

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn a_pipeline_that_was_changed_is_planned_or_its_faults_are_reported(changes in changes(), which in any::<prop::sample::Index>()) {
        static GOOD: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
            files("examples", ".toml").into_iter().map(|path| (path.clone(), fs::read(path).expect("read"))).collect()
        });
        static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::new(vec![bundled()]));
        let (path, good) = which.get(GOOD.as_slice());
        let pipeline = Pipeline::new(&text(&changed(good, &changes)));
        // Beside it lies what it names.
        let folder = path.parent().expect("a folder");
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "md") {
                fs::copy(entry.path(), pipeline.path().join(entry.file_name())).expect("copied");
            }
        }
        let file = pipeline.path().join("pipeline.toml");
        let planned = jackfield_pipeline::parse(Request { path: &file, set: &[], input: &[] })
            .and_then(|draft| jackfield_pipeline::check(&draft, &REGISTRY));
        if let Err(faults) = planned {
            let _ = (faults.render(Style::PLAIN), faults.render(Style { color: true, unicode: true }), faults.records());
        }
    }

    #[test]
    fn a_permission_or_a_grant_is_read_as_it_is_written_or_refused(
        word in prop::sample::select(vec!["", "http:", "read:", "scratch:", "env:", "clock", "model", "http:*.", "http:["]),
        rest in prop_oneof!["\\PC{0,20}", "[a-z0-9.:*=/\\[\\]-]{0,20}"],
    ) {
        let text = format!("{word}{rest}");
        if let Ok(permission) = text.parse::<Permission>() {
            prop_assert_eq!(permission.to_string().parse::<Permission>(), Ok(permission.clone()));
            prop_assert!(permission.covers(&permission));
        }
        if let Ok(grant) = Grant::parse(&text, Path::new("/base")) {
            prop_assert_eq!(Grant::parse(&grant.to_string(), Path::new("/base")), Ok(grant));
        }
        if let Ok(server) = rest.parse::<Server>() {
            prop_assert!(Server::Any.covers(&server));
            prop_assert!(!server.covers(&Server::Any) || server == Server::Any);
        }
    }

    #[test]
    fn a_lockfile_that_was_changed_is_read_or_its_faults_are_reported(changes in changes()) {
        let good = format!(
            "version = 1\n\n[[plugin]]\nalias = \"hand\"\npath = \"hand.wasm\"\nform = \"wasm\"\nsha256 = \"{}\"\nprotocol = \"0.1\"\n\
             grants = [\"clock\"]\n\n[[plugin.extension]]\nkind = \"analyzer\"\nname = \"hand\"\nversion = \"1.0.0\"\n\
             permissions = [{{ name = \"clock\", reason = \"why\" }}]\n",
            "0".repeat(64)
        );
        if let Ok(read) = lock::parse(&changed(good.as_bytes(), &changes)) {
            // What it writes, it reads.
            prop_assert_eq!(lock::parse(read.to_text().as_bytes()), Ok(read));
        }
    }

    #[test]
    fn a_key_or_a_signature_is_read_or_refused(bytes in "[A-Za-z0-9+/=\n: ]{0,120}") {
        let _ = (lock::KeyId::parse(&bytes), lock::TrustedKey::parse(&bytes), lock::SigningKey::is_locked(&bytes));
    }
}

// ---- transcripts -----------------------------------------------------------------------------------------------------

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn a_transcript_that_was_changed_is_read_or_refused(changes in changes(), which in any::<prop::sample::Index>()) {
        static GOOD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
            files("examples/transcripts/data", "").into_iter().map(|path| fs::read(path).expect("read")).collect()
        });
        let plugin = bundled();
        let entry = plugin.extensions.iter().find(|entry| entry.descriptor.name == "transcript").expect("bundled");
        let instance = entry.factory.open("{}", &Limits::default()).expect("opened");
        let good: &Vec<u8> = which.get(GOOD.as_slice());
        let input = json!({ "text": text(&changed(good, &changes)) });
        let context = Context { stage: "s".into(), item: "i".into(), element: 0, replicate: 0, seed: 0 };
        let call = [Call { document: Document::new(input.to_string()), context }];
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        prop_assert_eq!(runtime.block_on(instance.call(&call, &FakeHost::default())).len(), 1);
    }
}

// ---- the record of a run ---------------------------------------------------------------------------------------------

/// A finished run: its folder of runs, and the run's own.
fn run() -> &'static (Pipeline, PathBuf) {
    static RUN: LazyLock<(Pipeline, PathBuf)> = LazyLock::new(|| {
        let pipeline = Pipeline::new(
            "[pipeline]\nname = \"fuzz\"\n[input]\nuse = \"inline\"\nitems = [{ text = \"Ann: yes.\" }, { text = \"Bo: no.\" }]\n\
             [stages.turns]\nuse = \"transcript\"\nin = { text = \"input.text\" }\n",
        );
        let folder = pipeline.run().expect_code(0).folder();
        (pipeline, folder)
    });
    &RUN
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_record_that_was_changed_is_read_or_refused(changes in changes(), in_store in any::<bool>()) {
        let (_, whole) = run();
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join(whole.file_name().expect("a name"));
        fs::create_dir(&copy).expect("made");
        let damaged = if in_store { "store.sqlite" } else { "run.json" };
        for name in ["run.json", "store.sqlite"] {
            let bytes = fs::read(whole.join(name)).expect("read");
            fs::write(copy.join(name), if name == damaged { changed(&bytes, &changes) } else { bytes }).expect("written");
        }
        let name = whole.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        let read = peek(folder.path(), name);
        if let (Ok((_, run)), Ok(db)) = (read, Db::open(&copy.join("store.sqlite"))) {
            let _ = export_results(&db, &run.plan, &copy.join("results.jsonl"));
            let _ = export_events(&db, &run.plan, true, &copy.join("events.jsonl"));
        }
    }
}
