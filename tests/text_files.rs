//! A folder of texts as part of a stage's configuration: the host reads it, for plugins in every form.

use std::fs;

use jackfield_loader::Digest;
use serde_json::json;

use crate::support::{CommandOutput, Pipeline, fixture, jackfield, result, run_command};

/// A stage that shows its files, by the plugin in this form, and keeps its answers.
fn pipeline(form: &str) -> Pipeline {
    let file = fixture(&format!("jackfield_test_invalid_plugin.{form}"));
    let trust = match form {
        "so" => format!("allow_native = true\nsha256 = \"{}\"", Digest::of(fs::read(&file).expect("an artifact"))),
        _ => String::new(),
    };
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "texts"
[plugins.odd]
path = {:?}
{trust}
[input]
use = "inline"
items = [{{ id = "a" }}]
id = "id"
[cache.kept]
tiers = [{{ use = "sqlite", with = {{ path = "kept.sqlite" }} }}]
[stages.texts]
use = "odd/texts"
in = "input"
with = {{ from = "programs" }}
cache = "kept"
"#,
        file.to_str().expect("UTF-8"),
    ))
    .with("programs/b.txt", "\u{feff}two")
    .with("programs/a.txt", "one")
    .with("programs/.hidden", "no")
    .with("programs/inside/c.txt", "no")
}

fn run(pipeline: &Pipeline, set: &[&str]) -> CommandOutput {
    let mut command = pipeline.command();
    run_command(command.args(set.iter().flat_map(|set| ["--set", set])))
}

#[test]
fn a_plugin_in_every_form_gets_the_texts_of_a_folder_and_what_it_makes_of_them_is_kept_by_them() {
    for form in ["so", "wasm"] {
        let pipeline = pipeline(form);
        // What was shown, and how many calls were answered from what is kept.
        let shown = |set: &[&str]| {
            let run = run(&pipeline, set).expect_code(0);
            let hits = run.json()["stages"]["texts"]["memo_hits"].as_u64().expect("a number");
            (result(&run.folder(), "a")["outputs"]["texts"]["files"].clone(), hits)
        };
        let both = json!([["programs/a.txt", "one"], ["programs/b.txt", "two"]]);
        assert_eq!(shown(&[]), (both.clone(), 0), "{form}");
        assert_eq!(shown(&[]), (both.clone(), 1), "{form}");
        let path = |name: &str| pipeline.path().join("programs").join(name);
        fs::write(path("c.txt"), "").expect("written");
        let three = json!([["programs/a.txt", "one"], ["programs/b.txt", "two"], ["programs/c.txt", ""]]);
        assert_eq!(shown(&[]), (three, 0), "{form}");
        fs::remove_file(path("c.txt")).expect("removed");
        assert_eq!(shown(&[]), (both, 1), "{form}");
        fs::write(path("b.txt"), "other").expect("written");
        let changed = json!([["programs/a.txt", "one"], ["programs/b.txt", "other"]]);
        assert_eq!(shown(&[]), (changed, 0), "{form}");
        let one = json!([["programs/a.txt", "one"], ["programs/b.txt", "other"]]);
        let set = ["stages.texts.with.from=programs/a.txt", "stages.texts.with.more=programs/b.txt"];
        assert_eq!(shown(&set).0, one, "{form}");
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_a_fault_of_the_pipeline() {
    let pipeline = pipeline("so").with("binary/a.txt", b"\xff").with("binary/b.txt", b"\xff").with("empty/.hidden", "");
    let said = |from: &str| {
        let set = format!("stages.texts.with.from={from}");
        let checked = run_command(jackfield().arg("check").arg(pipeline.path()).arg("--set").arg(&set)).expect_code(2);
        let ran = run(&pipeline, &[&set]).expect_code(2);
        let said = pipeline.said(&checked);
        assert!(said.contains(ran.json()["faults"][0]["message"].as_str().expect("a message")), "{ran:?}");
        said
    };
    insta::assert_snapshot!(["gone", "binary", "empty"].map(said).join("\n"));
}
