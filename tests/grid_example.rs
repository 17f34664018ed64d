//! The example of grids: what its README says must come out.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{CommandOutput, jackfield, result, results, root, run_command};

/// The example in a folder of its own, so that its caches are the test's.
struct Example(TempDir);

impl Example {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for part in ["", "tasks", "programs"] {
            let (from, to) = (root().join("examples/grids").join(part), folder.path().join(part));
            fs::create_dir_all(&to).expect("made");
            for entry in fs::read_dir(from).expect("the example").map(|entry| entry.expect("an entry").path()) {
                if entry.is_file() {
                    fs::copy(&entry, to.join(entry.file_name().expect("a name"))).expect("copied");
                }
            }
        }
        Self(folder)
    }

    /// Runs one of its pipelines.
    #[track_caller]
    fn run(&self, pipeline: &str, more: &[&str]) -> CommandOutput {
        let mut command = jackfield();
        command.arg("run").arg(self.0.path().join(pipeline)).arg("--out").arg(self.0.path().join("runs"));
        run_command(command.arg("--json").args(more)).expect_code(0)
    }

    /// Takes the outputs out of all tests.
    fn hide_outputs(&self) {
        for path in
            fs::read_dir(self.0.path().join("tasks")).expect("tasks").map(|entry| entry.expect("an entry").path())
        {
            let mut task: Value = serde_json::from_slice(&fs::read(&path).expect("a task")).expect("JSON");
            for pair in task["test"].as_array_mut().expect("tests") {
                assert!(pair.as_object_mut().expect("a pair").remove("output").is_some());
            }
            fs::write(&path, task.to_string()).expect("written");
        }
    }
}

/// A stage's output, by task.
fn outputs(folder: &Path, stage: &str) -> BTreeMap<String, Value> {
    let lines = results(folder);
    lines
        .iter()
        .map(|line| (line["item"].as_str().expect("an id").to_owned(), line["outputs"][stage].clone()))
        .collect()
}

/// The programs that are kept, with all that is said of them, by task.
fn kept(folder: &Path) -> Vec<(String, Vec<Value>)> {
    let kept = |keep: &Value| keep["kept"].as_array().expect("kept").clone();
    outputs(folder, "keep").iter().map(|(task, keep)| (task.clone(), kept(keep))).collect()
}

fn submission(folder: &Path) -> String {
    fs::read_to_string(folder.join("submission.json")).expect("a submission")
}

/// Outcomes without the digests of grids.
fn words(outcomes: &Value) -> String {
    let word = |outcome: &Value| {
        let text = outcome.as_str().expect("an outcome");
        text.split_once(':').map_or(text, |(kind, _)| if kind == "grid" { kind } else { text }).to_owned()
    };
    outcomes.as_array().expect("outcomes").iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_program_of_the_example_ends_as_its_readme_says() {
    let example = Example::new();
    let folder = example.run("pipeline.toml", &["--set", "stages.score.with.early_exit=false"]).folder();
    let mut page = String::new();
    for (task, scores) in outputs(&folder, "score") {
        let bodies = &result(&folder, &task)["outputs"]["canonical"]["bodies"];
        let tested = &result(&folder, &task)["outputs"]["validate"]["results"];
        for score in scores["scores"].as_array().expect("scores") {
            let name = score["name"].as_str().expect("a name");
            let _ = write!(page, "{name}: {}", words(&score["outcomes"]));
            if let Some(fault) = score.get("fault").filter(|fault| !fault.is_null()) {
                let _ = write!(
                    page,
                    "{} {}:{}: {}",
                    fault["kind"].as_str().expect("a kind"),
                    fault["line"],
                    fault["column"],
                    fault["message"].as_str().expect("a message")
                );
            }
            let body = bodies.as_array().expect("bodies").iter().find(|body| body["name"] == name);
            let result = body.and_then(|body| {
                tested.as_array().expect("results").iter().find(|result| result["digest"] == body["digest"])
            });
            if let Some(result) = result {
                let _ = write!(page, " | {}", words(&result["test"]));
            }
            page.push('\n');
        }
    }
    insta::assert_snapshot!(page);
    let unsolved: Vec<String> = outputs(&folder, "keep")
        .into_iter()
        .filter(|(_, keep)| keep["solved"] == false)
        .map(|(task, _)| task)
        .collect();
    assert_eq!(unsolved, ["crop", "tile"]);
}

#[test]
fn programs_that_differ_in_words_alone_are_kept_once() {
    let example = Example::new();
    let folder = example.run("pipeline.toml", &[]).folder();
    let complete = result(&folder, "complete");
    assert_eq!(complete["outputs"]["score"]["equal"], 4);
    assert_eq!(complete["outputs"]["keep"]["kept"].as_array().expect("kept").len(), 2);
}

#[test]
fn a_search_over_generations_solves_what_no_program_of_the_folder_solves() {
    let example = Example::new();
    let folder = example.run("evolve.toml", &[]).folder();
    for (task, keep) in outputs(&folder, "keep") {
        assert_eq!(keep["solved"], true, "{task}");
    }
    for task in ["crop", "tile"] {
        let line = result(&folder, task);
        let best = &line["outputs"]["keep"]["kept"][0];
        assert_eq!(words(&best["test"]).replace("equal", "").trim(), "", "{task}: {best}");
        assert!(line["outputs"]["evolve"]["generations"].as_array().expect("generations").len() > 1, "{task}");
    }
    // Chance comes from the seed alone.
    let again = example.run("evolve.toml", &["--jobs", "1"]).folder();
    assert_eq!(outputs(&folder, "evolve"), outputs(&again, "evolve"));
}

#[test]
fn what_is_kept_and_handed_in_does_not_depend_on_the_outputs_of_tests() {
    let (open, hidden) = (Example::new(), Example::new());
    hidden.hide_outputs();
    for pipeline in ["pipeline.toml", "evolve.toml"] {
        let [open, hidden] = [&open, &hidden].map(|example| example.run(pipeline, &[]).folder());
        let programs = |folder: &Path| -> Vec<(String, Vec<Value>)> {
            let of = |kept: Vec<Value>| kept.into_iter().map(|kept| kept["digest"].clone()).collect();
            kept(folder).into_iter().map(|(task, kept)| (task, of(kept))).collect()
        };
        assert_eq!(programs(&open), programs(&hidden));
        assert!(submission(&open) == submission(&hidden), "another submission");
    }
}

#[test]
fn the_submission_has_two_attempts_for_each_test_in_the_order_of_tasks() {
    let example = Example::new();
    let folder = example.run("pipeline.toml", &[]).folder();
    let text = submission(&folder);
    let submission: Value = serde_json::from_str(&text).expect("JSON");
    for (task, tests) in [("mirror", 2), ("crop", 1), ("overlap", 2)] {
        let attempts = submission[task].as_array().expect("attempts");
        assert_eq!(attempts.len(), tests, "{task}");
        for attempt in attempts {
            for name in ["attempt_1", "attempt_2"] {
                assert!(attempt[name][0][0].is_u64(), "{task}: {attempt}");
            }
        }
    }
    let first = text.find("\"clean\"").expect("the first task");
    assert!(first < text.find("\"tile\"").expect("a later one"));
    assert_eq!(submission.as_object().map(serde_json::Map::len), Some(12));
}

#[test]
fn the_tests_of_the_example_pass() {
    let example = Example::new();
    for pipeline in ["pipeline.toml", "evolve.toml"] {
        run_command(jackfield().arg("test").arg(example.0.path().join(pipeline))).expect_code(0);
    }
}
