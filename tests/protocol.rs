//! Plugins that were compiled for earlier versions of the protocol: they load, and answer as they did.

use std::{fs, path::PathBuf, time::Duration};

use insta::assert_snapshot;
use jackfield::plugin::Digest;

use crate::{
    model_server::{ModelServer, Reply},
    support::{Pipeline, done, jackfield, results, root},
};

/// The compiled plugins, by version; native ones for this machine alone.
fn compiled() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for version in fs::read_dir(root().join("tests/protocol")).expect("the folder").filter_map(Result::ok) {
        let Ok(files) = fs::read_dir(version.path()) else { continue };
        let files = files.map(|file| file.expect("a file").path());
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
    assert!(folder.join("witness.wasm").exists(), "build it: tests/build-protocol-plugins {major}.{minor}");
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

#[test]
fn plugins_of_every_protocol_version_answer_as_they_did() {
    let server = ModelServer::start(Duration::ZERO, |_| Reply::text("hello"));
    for file in compiled() {
        let native = file.extension().is_some_and(|extension| extension == "so");
        let trust = match native {
            true => format!("allow_native = true\nsha256 = \"{}\"", Digest::of_file(&file).expect("read")),
            false => format!("grant = [\"http:{}\", \"random\"]", server.address),
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
tiers = [{{ use = "memory" }}]
[stages.witness]
use = "old/witness"
in = "input"
model = "echo"
store = "shelf"
[stages.again]
use = "old/witness"
in = {{ text = "witness.reversed", keep = "input.keep" }}
store = "shelf"
model = "echo"
"#,
            file = file.display(),
            address = server.address,
        ));
        let run = pipeline.run().expect_code(3);
        let text: Vec<String> = results(&run.folder()).iter().map(|line| format!("{line:#}")).collect();
        assert_snapshot!("what_the_witness_says", text.join("\n").replace(&server.address.to_string(), "[server]"));
    }
}

#[test]
fn plugins_of_every_protocol_version_keep_the_contract() {
    for file in compiled() {
        let mut test = jackfield();
        test.args(["plugins", "test", "--kind", "analyzer", "--quick", "--json", "--allow-native"]).arg(&file);
        let report = done(&mut test).expect_code(0).json();
        let level = report["level"].as_str().expect("a level");
        assert!(["conforming", "deterministic", "sandbox-clean"].contains(&level), "{report:#}");
    }
}
