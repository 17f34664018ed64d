//! Plugins that were compiled for earlier versions of the protocol: they load, and answer as they did.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use insta::assert_snapshot;
use jackfield_loader::Digest;
use serde_json::{Value, json};

use crate::{
    model_server::{ModelServer, Reply},
    support::{Pipeline, jackfield, results, root, run_command},
};

/// The compiled plugins, by version; native ones for this machine alone.
fn compiled() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for version in fs::read_dir(root().join("tests/protocol")).expect("the folder").filter_map(Result::ok) {
        let Ok(files) = fs::read_dir(version.path()) else { continue };
        let files = files.map(|file| file.expect("a file").path()).filter(|file| !file.is_symlink());
        let here = format!("-{}-{}.so", std::env::consts::ARCH, std::env::consts::OS);
        let (ours, others): (Vec<PathBuf>, Vec<PathBuf>) = files
            .filter(|file| file.extension().is_some_and(|extension| extension == "wasm" || extension == "so"))
            .partition(|file| {
                file.extension().is_some_and(|extension| extension == "wasm") || file.to_string_lossy().ends_with(&here)
            });
        others.iter().for_each(|file| eprintln!("{} is for another machine: not loaded", file.display()));
        found.extend(ours);
    }
    found.sort();
    found
}

#[test]
fn there_is_a_component_of_this_protocol_version() {
    let (major, minor) = jackfield_plugin_api::PROTOCOL;
    let folder = root().join(format!("tests/protocol/{major}.{minor}"));
    assert!(folder.join("protocol_fixture.wasm").exists(), "build it: tests/build-protocol-plugins {major}.{minor}");
}

#[test]
fn files_are_those_that_were_compiled_then() {
    for file in compiled() {
        let sums = fs::read_to_string(file.with_file_name("SHA256SUMS")).expect("the digests");
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let digest = Digest::of_file(&file).expect("read");
        assert!(sums.lines().any(|line| line == format!("{digest}  {name}")), "{name} has changed");
    }
}

/// A server that keeps what was last put there, an empty object to begin with.
fn shelf(kept: &Arc<Mutex<Value>>) -> ModelServer {
    let kept = Arc::clone(kept);
    ModelServer::start(Duration::ZERO, move |asked| {
        let mut kept = kept.lock().expect("no panic");
        if asked.body.is_object() {
            *kept = asked.body.clone();
        }
        Reply::json(200, &kept)
    })
}

#[test]
fn plugins_of_every_protocol_version_answer_as_they_did() {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::text("hello"));
    for file in compiled() {
        let kept = Arc::new(Mutex::new(json!({})));
        let store = shelf(&kept);
        let native = file.extension().is_some_and(|extension| extension == "so");
        let trust = match native {
            true => format!("allow_native = true\nsha256 = \"{}\"", Digest::of_file(&file).expect("read")),
            false => format!("grant = [\"http:{}\", \"http:{}\", \"random\"]", server.address, store.address),
        };
        let pipeline = Pipeline::new(&format!(
            r#"
[pipeline]
name = "protocol"
seed = 7
[plugins.old]
path = "{file}"
{trust}
[input]
use = "inline"
id = "text"
items = [
    {{ text = "one two", question = "who", keep = "name" }},
    {{ text = "three", fetch = "http://{address}/" }},
    {{ text = "four", fail = "invalid-input" }},
]
[model.echo]
use = "old/witness-echo"
[cache.shelf]
tiers = [{{ use = "old/witness-shelf", with = {{ url = "http://{shelf}/" }} }}]
[stages.witness]
use = "old/witness"
in = "input"
model = "echo"
store = "shelf"
[stages.again]
use = "old/witness"
in = {{ text = "witness.reversed", keep = "input.keep", measured = "witness.measured" }}
store = "shelf"
model = "echo"
route = {{ use = "old/witness-turns", arms = [{{ draws = 1 }}, {{ draws = 3 }}] }}
[stages.states]
use = "old/witness-states"
in = "input"
[stages.apart]
use = "old/witness-apart"
in = "states"
"#,
            file = file.display(),
            address = server.address,
            shelf = store.address,
        ));
        let run = pipeline.run().expect_code(3);
        let text: Vec<String> = results(&run.folder()).iter().map(|line| format!("{line:#}")).collect();
        assert_snapshot!(
            "answers_of_the_protocol_fixture",
            text.join("\n").replace(&server.address.to_string(), "[server]")
        );
        let values = kept.lock().expect("no panic").clone();
        let values: Vec<&str> =
            values.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str()).collect();
        // `again` puts the text of its own, `owt eno`, in place of that of `witness`; the host notes its time before it.
        let put = values.len() == 1 && values[0].ends_with("6f777420656e6f");
        assert!(put, "{}: {values:?}", file.display());
    }
}

#[test]
fn plugins_of_every_protocol_version_keep_the_contract() {
    for file in compiled() {
        let mut test = jackfield();
        test.args(["plugins", "test", "--quick", "--json", "--allow-native"]).arg(&file);
        let report = run_command(&mut test).expect_code(0).json();
        let extensions = report["extensions"].as_array().expect("extensions");
        assert_eq!(extensions.len(), 6, "{report:#}");
        for extension in extensions {
            // The shelf has no server here, and says so; the analyzer asks for `random`.
            let wanted = match (extension["name"].as_str(), file.extension().is_some_and(|ending| ending == "wasm")) {
                (Some("witness-shelf" | "witness"), _) => "conforming",
                (_, true) => "sandbox-clean",
                (_, false) => "deterministic",
            };
            assert_eq!(extension["level"], wanted, "{extension:#}");
        }
    }
}
