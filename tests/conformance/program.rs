//! `jackfield plugins test`, the program, on what is bundled and on plugin files.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::Value;

use crate::{
    model_server::{ModelServer, Reply},
    support::{CommandOutput, fixture, jackfield, root, run_command},
};

fn test(arguments: &[&str]) -> CommandOutput {
    run_command(jackfield().args(["plugins", "test"]).args(arguments).env("COLUMNS", "100"))
}

/// Holds a text to a snapshot among those of the other tests.
#[track_caller]
fn hold(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../snapshots" }, { assert_snapshot!(name, text) });
}

/// Name and level of each extension of a report.
fn levels(report: &Value) -> Vec<(String, String)> {
    let extensions = report["extensions"].as_array().expect("extensions");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    extensions.iter().map(|extension| (text(&extension["name"]), text(&extension["level"]))).collect()
}

#[test]
fn every_bundled_extension_keeps_the_contract() {
    let run = test(&["--bundled", "--quick", "--json"]).expect_code(0);
    let report = run.json();
    assert_eq!(report["level"], "conforming");
    for (name, level) in levels(&report) {
        // These need a server, recorded answers or a model that can be looked into: what they say without is tested all the same.
        let away = [
            "anthropic",
            "openai",
            "openai-embeddings",
            "replay",
            "redis",
            "residuals",
            "contrast-residuals",
            "kl",
            "edited-weights",
        ]
        .contains(&name.as_str());
        let wanted = match &*name {
            "transformer" => "loads",
            _ if away => "conforming",
            _ => "deterministic",
        };
        assert_eq!(level, wanted, "{name}: {report:#}");
    }
    assert_eq!(levels(&report).len(), jackfield::bundled().extensions.len());
}

#[test]
fn a_model_in_the_process_is_tested_with_the_files_of_one() {
    let model = root().join("plugins/transformer/fixtures/talking");
    let config = serde_json::json!({ "path": model, "kernel": "portable", "max_tokens": 4 }).to_string();
    let report = test(&["--bundled", "transformer", "--quick", "--json", "--config", &config]).expect_code(1).json();
    let checks = report["extensions"][0]["checks"].as_array().expect("checks");
    let failed: Vec<&Value> = checks.iter().filter(|check| check["outcome"] == "failed").collect();
    // Its weights are random: it cannot follow a schema.
    assert!(matches!(&failed[..], [only] if only["id"] == "model-schema"), "{report:#}");
    let passed = |id: &str| checks.iter().any(|check| check["id"] == id && check["outcome"] == "passed");
    for id in [
        "opening",
        "batch-of-one",
        "model-options",
        "model-offers",
        "growth",
        "same-again",
        "model-chance",
        "any-order",
    ] {
        assert!(passed(id), "{id}: {report:#}");
    }
}

/// Each extension of these components is clean.
#[track_caller]
fn clean(names: &[&str]) {
    for name in names {
        let file = fixture(&format!("jackfield_{name}.wasm"));
        let report = test(&["--quick", "--json", file.to_str().expect("UTF-8")]).expect_code(0).json();
        assert_eq!(report["level"], "sandbox-clean", "{report:#}");
    }
}

#[test]
fn the_bundled_analyzers_are_clean_as_components() {
    clean(&["transcript", "meetings", "claims", "retrieval", "answers", "routes", "grids"]);
}

#[test]
fn a_component_that_takes_long_to_start_is_tested_as_well() {
    // These hold a tokenizer, which each instance unpacks.
    clean(&["minutes", "lenses"]);
}

#[test]
fn replayed_answers_are_tested_with_a_configuration_that_has_some() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("answers.jsonl");
    let line = serde_json::json!({
        "request": { "messages": [{ "role": "user", "content": "When does the train leave?" }] },
        "replicate": 0,
        "completion": { "text": "At nine." },
    });
    std::fs::write(&file, format!("{line}\n")).expect("written");
    let config = serde_json::json!({ "file": file }).to_string();
    let report = test(&["--bundled", "replay", "--config", &config, "--quick", "--json"]).expect_code(0).json();
    assert_eq!(levels(&report), [("replay".to_owned(), "deterministic".to_owned())]);
}

#[test]
fn a_model_is_tested_with_a_server_that_answers() {
    let server = ModelServer::start(Duration::ZERO, |asked| {
        let words = if asked.body["response_format"].is_object() {
            r#"{"quote":"the train","time":"morning","sure":true}"#
        } else {
            // As long as a server lets it be.
            let most = asked.body["max_tokens"].as_u64().unwrap_or(4) as usize;
            &"at nine, they say"[..if asked.body["stop"].is_array() || most < 4 { 2 } else { 17 }]
        };
        Reply::text(words)
    });
    let config = serde_json::json!({ "base_url": format!("http://{}/v1", server.address), "name": "tiny" }).to_string();
    let report = test(&["--bundled", "openai", "--config", &config, "--quick", "--json"]).expect_code(0).json();
    assert_eq!(levels(&report), [("openai".to_owned(), "deterministic".to_owned())], "{report:#}");
    let checks = report["extensions"][0]["checks"].as_array().expect("checks");
    let of_models = checks.iter().filter(|check| check["id"].as_str().is_some_and(|id| id.starts_with("model-")));
    let outcomes: Vec<&Value> = of_models.map(|check| &check["outcome"]).collect();
    assert_eq!(outcomes, ["passed"; 5], "{report:#}");
}

/// What the program says, without what differs from run to run.
fn said(run: &CommandOutput, file: &str) -> String {
    let path = fixture(file);
    let text = format!("{}{}", run.stdout, run.stderr).replace(&*path.to_string_lossy(), "[file]");
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = if line.starts_with("sha256") || line.contains("\"sha256\"") { "sha256 [digest]" } else { line };
        let line =
            line.split_once("of memory, ").map_or(line.to_owned(), |(before, _)| format!("{before}of memory, [time]"));
        // As often as there is time for.
        let times =
            line.split_once("opened and closed ").and_then(|(before, rest)| Some((before, rest.split_once(' ')?.1)));
        let line = times.map_or(line.clone(), |(before, rest)| format!("{before}opened and closed [n] {rest}"));
        lines.push(line);
    }
    lines.join("\n")
}

#[test]
fn the_report_of_a_misbehaving_component_says_what_is_wrong() {
    let file = fixture("misbehaving.wasm");
    let path = file.to_str().expect("UTF-8");
    let run = |name: &str, more: &[&str]| test(&[&[path, "--quick", "--name", name], more].concat());
    let lies = run("lies", &[]).expect_code(1);
    hold("a_component_that_lies", &said(&lies, "misbehaving.wasm"));
    let json = run("lies", &["--json"]).expect_code(1);
    hold("a_component_that_lies_as_json", &said(&json, "misbehaving.wasm"));
    let echo = run("echo", &[]).expect_code(0);
    hold("a_component_without_a_flaw", &said(&echo, "misbehaving.wasm"));
}

#[test]
fn what_a_misbehaving_plugin_does_fails_the_checks_that_it_should() {
    let failed = |file: &str, name: &str| -> Vec<String> {
        let file = fixture(file);
        let run = test(&[
            file.to_str().expect("UTF-8"),
            "--allow-native",
            "--quick",
            "--json",
            "--timeout",
            // What floods and hoards runs into other limits, given the time; the others would never end.
            if ["floods", "hoards"].contains(&name) { "20s" } else { "1s" },
            "--name",
            name,
        ]);
        let report = run.expect_code(1).json();
        let checks = report["extensions"][0]["checks"].as_array().expect("checks").clone();
        let failed = checks.iter().filter(|check| check["outcome"] == "failed");
        failed.map(|check| check["id"].as_str().expect("an id").to_owned()).collect()
    };
    let mut text = String::new();
    for name in ["floods", "hoards", "loops", "panics", "miscounts", "garbles", "nests", "mismeasures", "crowds"] {
        for file in ["misbehaving.so", "misbehaving.wasm"] {
            // A native library has no limits to run into.
            if file.ends_with(".so") && ["floods", "hoards"].contains(&name) {
                continue;
            }
            text.push_str(&format!("{name} ({file}): {}\n", failed(file, name).join(", ")));
        }
    }
    hold("what_fails_of_a_misbehaving_plugin", &text);
}

#[test]
fn a_file_that_is_no_plugin_is_broken_and_native_code_takes_permission() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("plugin.wasm");
    std::fs::write(&file, b"\0asm\x0d\0\x01\0rest").expect("written");
    let path = file.to_str().expect("UTF-8");
    let run = test(&[path]).expect_code(1);
    assert_eq!(run.stdout, "level: broken\n");
    assert!(run.stderr.starts_with("error: ") && run.stderr.contains("is damaged"), "{}", run.stderr);
    assert_eq!(test(&[path, "--json"]).expect_code(1).json()["level"], "broken");

    let native = fixture("misbehaving.so");
    let run = test(&[native.to_str().expect("UTF-8")]).expect_code(1);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("hint: if you trust it, add --allow-native"), "{}", run.stderr);
}

#[test]
fn a_name_that_is_not_there_is_an_error_of_usage() {
    let run = test(&["--bundled", "transcrip"]).expect_code(2);
    assert_snapshot!(run.stderr, @r"
    error: there is no extension `transcrip`

    hint: did you mean `transcript`?
    ");
    assert!(
        test(&["--bundled", "--kind", "model", "--name", "lens"]).expect_code(2).stderr.contains("no model `lens`")
    );
    for wrong in
        [&["--bundled", "--config", "[]"][..], &["--bundled", "--timeout", "0s"], &[], &["--bundled", "--kind", "toy"]]
    {
        test(wrong).expect_code(2);
    }
}
