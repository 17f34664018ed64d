//! `jackfield doctor`.

use std::{net::TcpListener, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::Value;

use crate::support::{CommandOutput, Pipeline, jackfield, run_command};

fn doctor(path: &Path) -> CommandOutput {
    run_command(jackfield().args(["doctor", "--json"]).arg(path))
}

/// The findings of a group.
fn group<'a>(told: &'a Value, name: &str) -> &'a [Value] {
    let groups = told["groups"].as_array().expect("groups");
    let group = groups.iter().find(|group| group["group"] == name).unwrap_or_else(|| panic!("no {name} in {told}"));
    group["findings"].as_array().expect("findings")
}

fn finding<'a>(told: &'a Value, name: &str) -> &'a Value {
    let groups = told["groups"].as_array().expect("groups");
    let mut findings = groups.iter().flat_map(|group| group["findings"].as_array().expect("findings"));
    findings.find(|finding| finding["name"] == name).unwrap_or_else(|| panic!("no {name} in {told}"))
}

#[test]
fn what_is_needed_for_running_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = run_command(jackfield().args(["doctor", "--json"]).current_dir(folder.path())).expect_code(0).json();
    assert_eq!(told["ok"], true);
    for name in ["version", "protocol", "compiled plugins", "components", "platform", "processors"] {
        assert_eq!(finding(&told, name)["state"], "ok", "{told}");
    }
    assert_eq!(finding(&told, "version")["detail"], env!("CARGO_PKG_VERSION"));
    // Tests are run by cargo.
    assert_eq!(finding(&told, "cargo")["state"], "ok");
    // What is missing says how to get it.
    for tool in group(&told, "tools for authors of plugins") {
        assert_eq!(tool["state"] == "ok", tool["hint"].is_null(), "{tool}");
    }
    let people = run_command(jackfield().arg("doctor").current_dir(folder.path())).expect_code(0);
    assert!(people.stdout.starts_with("jackfield\n  ok       version"), "{}", people.stdout);
}

const LENS: &str = "# Doubts\n\nLook for doubts.\n\n## Answer\n\n```json\n\
                    { \"type\": \"object\", \"properties\": { \"doubts\": { \"type\": \"array\", \"items\": { \"type\": \"string\" } } } }\n```\n";

fn with_model(address: &str, more: &str) -> Pipeline {
    Pipeline::new(&format!(
        "[pipeline]\nname = \"doctor\"\n\
         [model.writer]\nuse = \"openai\"\nwith = {{ base_url = \"{address}\", name = \"tiny\"{more} }}\n\
         [cache.kept]\ntiers = [{{ use = \"memory\" }}, {{ use = \"redis\", with = {{ url = \"redis://127.0.0.1:9/0\" }} }}]\n\
         [stages.board]\nuse = \"dashboard\"\nin = {{ findings = [] }}\ncache = \"kept\"\n\
         [stages.read]\nuse = \"lens\"\nin = {{ findings = [] }}\nwith = {{ prompt = \"lens.md\" }}\nmodel = \"writer\"\n"
    ))
    .with("lens.md", LENS)
}

#[test]
fn servers_of_the_pipeline_are_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let there = with_model(&format!("http://{address}/v1"), "");
    let told = doctor(there.path()).expect_code(0).json();
    let detail = finding(&told, "model writer")["detail"].as_str().expect("a text").to_owned();
    assert!(detail.starts_with(&format!("{address} answers")), "{detail}");
    // A cache that is away costs time: the run goes on without it.
    assert_eq!(finding(&told, "cache kept")["state"], "warning");

    drop(listener);
    let told = doctor(there.path()).expect_code(1).json();
    assert_eq!((&told["ok"], &finding(&told, "model writer")["state"]), (&false.into(), &"broken".into()));

    let unset = with_model(&format!("http://{address}/v1"), ", api_key_env = \"A_KEY_THAT_IS_NOT_SET\"");
    let told = doctor(unset.path()).expect_code(1).json();
    assert_eq!(finding(&told, "model writer")["detail"], "the variable `A_KEY_THAT_IS_NOT_SET` is not set");
}

#[test]
fn no_secret_is_printed() {
    let pipeline = with_model("http://127.0.0.1:9/v1", ", api_key_env = \"DOCTOR_KEY\"");
    let mut command = jackfield();
    command.env("DOCTOR_KEY", "s3cr3t-of-mine").arg("doctor").arg(pipeline.path());
    let told = run_command(&mut command).expect_code(1);
    assert!(!format!("{}{}", told.stdout, told.stderr).contains("s3cr3t"), "{told:?}");
}

#[test]
fn a_pipeline_with_faults_is_broken() {
    let pipeline = Pipeline::new("[pipeline]\nname = \"x\"\n[stages.a]\nuse = \"no-such\"\n");
    let told = doctor(pipeline.path()).expect_code(1).json();
    insta::assert_snapshot!(
        serde_json::to_string_pretty(group(&told, "pipeline"))
            .expect("JSON")
            .replace(&*pipeline.path().to_string_lossy(), "[folder]")
    );
}

#[test]
fn a_cache_folder_that_cannot_be_used_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let compiled = folder.path().join("compiled");
    std::fs::create_dir(&compiled).expect("made");
    std::fs::set_permissions(&compiled, std::fs::Permissions::from_mode(0o777)).expect("opened");
    let told = |place: &Path| {
        let mut command = jackfield();
        command.env("JACKFIELD_CACHE_DIR", place).args(["doctor", "--json"]).current_dir(folder.path());
        let told = run_command(&mut command).expect_code(0).json();
        finding(&told, "compiled plugins").clone()
    };
    let open = told(folder.path());
    assert_eq!(open["state"], "warning");
    assert!(open["hint"].as_str().is_some_and(|hint| hint.contains("chmod 700")), "{open}");
    // Where a file is in the way no folder can be made.
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let none = told(&file);
    assert!(none["detail"].as_str().is_some_and(|detail| detail.contains("cannot be written")), "{none}");
    assert_eq!(told(Path::new(""))["detail"], "not kept: components are compiled at each start");
}
