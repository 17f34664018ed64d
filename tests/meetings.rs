//! Whole meetings through the whole pipeline.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::support::{Pipeline, fixture, jackfield, meetings, outcome, results, root, run_command};

fn example(out: &Path, more: &[&str]) -> crate::support::CommandOutput {
    let mut command = jackfield();
    command.arg("run").arg(root().join("examples/transcripts")).args(["--json", "--out"]).arg(out).args(more);
    run_command(&mut command)
}

/// As people compare quotes: without case, white space and punctuation.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[test]
fn every_meeting_gets_every_stage_and_every_quote_is_found_in_its_segment() {
    let out = tempfile::tempdir().expect("a folder");
    let run = example(out.path(), &["--input", &meetings()]).expect_code(0);
    let folder = run.folder();
    let summary = run.json();
    let stages: Vec<&String> = summary["stages"].as_object().expect("stages").keys().collect();
    let lines = results(&folder);
    assert_eq!(lines.len() as u64, summary["items"]["ok"], "{summary:#}");
    let mut quotes = 0;
    for line in &lines {
        let item = line["item"].as_str().expect("an id");
        for stage in &stages {
            assert!(line["outputs"].get(stage.as_str()).is_some(), "{item} lacks {stage}");
            assert!(
                folder.join("items").join(item).join(format!("{stage}.json")).is_file(),
                "{item} lacks {stage}.json"
            );
        }
        for file in ["brief.md", "dashboard.md", "dashboard.csv"] {
            let text = fs::read_to_string(folder.join("items").join(item).join(file)).expect(file);
            assert!(text.len() > 20, "{item}/{file} is empty");
        }
        let segments: BTreeMap<&str, String> = line["outputs"]["transcript"]["segments"]
            .as_array()
            .expect("segments")
            .iter()
            .map(|segment| (segment["id"].as_str().expect("an id"), plain(segment["text"].as_str().expect("text"))))
            .collect();
        for (stage, output) in line["outputs"].as_object().expect("outputs") {
            for finding in output["findings"].as_array().into_iter().flatten() {
                for evidence in finding["evidence"].as_array().expect("evidence") {
                    let (id, quote) =
                        (evidence["segment"].as_str().expect("an id"), evidence["quote"].as_str().expect("words"));
                    let found = segments.get(id).is_some_and(|text| text.contains(&plain(quote)));
                    assert!(found && !quote.is_empty(), "{item}, {stage}: `{quote}` is not in {id}");
                    quotes += 1;
                }
            }
        }
    }
    assert!(quotes > lines.len() * 5, "only {quotes} quotes");
}

#[test]
fn one_worker_and_sixteen_give_the_same_bytes() {
    let out = tempfile::tempdir().expect("a folder");
    let one = example(out.path(), &["--input", &meetings(), "--jobs", "1"]).expect_code(0).folder();
    let many = example(out.path(), &["--input", &meetings(), "--jobs", "16"]).expect_code(0).folder();
    assert!(outcome(&one) == outcome(&many), "the results differ");
}

/// The example's pipeline with every stage taken from plugin files.
fn in_form(extension: &str) -> Pipeline {
    let text = fs::read_to_string(root().join("examples/transcripts/pipeline.toml")).expect("the example");
    let mut entries = String::new();
    // Its tests name files beside it.
    let mut pipeline = text.split("\n[[tests]]").next().unwrap_or_default().to_owned() + "\n";
    for plugin in ["transcript", "meetings", "minutes"] {
        let path = fixture(&format!("jackfield_{plugin}.{extension}"));
        entries.push_str(&format!("\n[plugins.{plugin}]\npath = {:?}\n", path.to_str().expect("UTF-8")));
        if extension == "so" {
            let digest = jackfield_loader::Digest::of_file(&path).expect("read");
            entries.push_str(&format!("allow_native = true\nsha256 = \"{digest}\"\n"));
        }
    }
    for extension in jackfield::bundled().extensions {
        let name = &extension.descriptor.name;
        let plugin = match name.as_str() {
            "transcript" => "transcript",
            "risks" | "agreements" | "brief" | "dashboard" => "minutes",
            _ => "meetings",
        };
        let (from, to) = (format!("= \"{name}\"\n"), format!("= \"{plugin}/{name}\"\n"));
        pipeline = pipeline
            .split_inclusive('\n')
            .map(|line| if line.trim_start().starts_with("use") { line.replace(&from, &to) } else { line.to_owned() })
            .collect();
    }
    Pipeline::new(&(pipeline + &entries))
}

#[test]
fn the_same_crates_give_the_same_bytes_linked_in_native_and_as_components() {
    let out = tempfile::tempdir().expect("a folder");
    let linked = example(out.path(), &["--input", &meetings()]).expect_code(0).folder();
    for extension in ["so", "wasm"] {
        let pipeline = in_form(extension);
        let run = run_command(pipeline.command().args(["--input", &meetings()])).expect_code(0);
        let form = if extension == "so" { "native" } else { "wasm" };
        let record: Value =
            serde_json::from_str(&fs::read_to_string(run.folder().join("run.json")).expect("run.json")).expect("JSON");
        assert!(
            record["plan"]["stages"].as_array().expect("stages").iter().all(|stage| stage["extension"]["form"] == form)
        );
        assert!(outcome(&linked) == outcome(&run.folder()), "{extension} differs from linked in");
    }
}

#[test]
fn the_first_command_of_the_readme_shows_findings_and_the_run_folder() {
    let out = tempfile::tempdir().expect("a folder");
    let mut command = jackfield();
    command.arg("run").arg(root().join("examples/transcripts")).arg("--out").arg(out.path());
    let run = run_command(&mut command).expect_code(0);
    let folder = Path::new(run.stdout.trim());
    assert!(folder.join("run.json").is_file(), "{}", run.stdout);
    assert!(run.stderr.contains("findings: "), "{}", run.stderr);
    assert!(run.stderr.contains("complete: 6 items"), "{}", run.stderr);
}
