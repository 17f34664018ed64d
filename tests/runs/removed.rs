//! `jackfield runs rm`, `jackfield runs prune`, `[runs] keep`, `jackfield cache prune`, and what `doctor` says of the disk.

use std::{fs, os::unix::fs::symlink, path::Path};

use super::{ask, folders, run_json, talks};
use crate::support::Pipeline;

/// Makes so many runs, and returns their names, the oldest first.
fn runs(pipeline: &Pipeline, count: usize) -> Vec<String> {
    let run = |_| {
        let run = ask(pipeline, &["run", "."]);
        Path::new(run.stdout.trim()).file_name().expect("a name").to_string_lossy().into_owned()
    };
    (0..count).map(run).collect()
}

#[test]
fn runs_are_removed_by_name_once_somebody_has_agreed() {
    let pipeline = talks("");
    let names = runs(&pipeline, 3);
    let asked = ask(&pipeline, &["runs", "rm", &names[0]]).expect_code(2);
    assert!(asked.stderr.contains("hint: add --yes"), "{}", asked.stderr);
    assert_eq!(folders(&pipeline).len(), 3);
    // Of several, none goes if one is not there.
    ask(&pipeline, &["runs", "rm", "--yes", &names[0], "nobody"]).expect_code(2);
    assert_eq!(folders(&pipeline).len(), 3);
    let removed = ask(&pipeline, &["runs", "rm", "--yes", &names[0], "last"]).expect_code(0);
    assert!(removed.stderr.contains("removed 2 runs: "), "{}", removed.stderr);
    assert_eq!(folders(&pipeline), [names[1].clone()]);
}

#[test]
fn nothing_that_is_not_a_run_is_removed_and_no_link_is_followed() {
    let pipeline = talks("").with("runs/mine/run.json", "{}").with("kept/notes.txt", "mine");
    let names = runs(&pipeline, 1);
    symlink(pipeline.path().join("kept"), pipeline.out().join(&names[0]).join("link")).expect("a link");
    symlink(pipeline.out().join(&names[0]), pipeline.out().join("also")).expect("a link");
    let refused = ask(&pipeline, &["runs", "rm", "--yes", "mine"]).expect_code(1);
    assert!(refused.stderr.contains("`runs/mine` is not the folder of a run"), "{}", refused.stderr);
    let refused = ask(&pipeline, &["runs", "rm", "--yes", "runs/also/"]).expect_code(1);
    assert!(refused.stderr.contains("is a symbolic link"), "{}", refused.stderr);
    ask(&pipeline, &["runs", "rm", "--yes", &names[0]]).expect_code(0);
    assert_eq!(fs::read_to_string(pipeline.path().join("kept/notes.txt")).expect("read"), "mine");
    assert_eq!(folders(&pipeline), ["also", "mine"]);
}

#[test]
fn old_complete_runs_of_each_pipeline_are_pruned() {
    let pipeline = talks("");
    let names = runs(&pipeline, 3);
    fs::write(pipeline.path().join("data/island.txt"), b"Ann: caf\xe9?").expect("written");
    let partial = runs(&pipeline, 1);
    let dry = ask(&pipeline, &["runs", "prune", "--keep", "1", "--dry-run"]).expect_code(0);
    assert_eq!(dry.stdout.lines().count(), 2, "{}", dry.stdout);
    assert_eq!(folders(&pipeline).len(), 4);
    let young = ask(&pipeline, &["runs", "prune", "--keep", "1", "--older", "30d"]).expect_code(0);
    assert!(young.stderr.contains("removed 0 runs"), "{}", young.stderr);
    ask(&pipeline, &["runs", "prune"]).expect_code(2);
    let pruned = ask(&pipeline, &["runs", "prune", "--keep", "1"]).expect_code(0);
    assert!(pruned.stderr.contains("removed 2 runs: "), "{}", pruned.stderr);
    let mut left = vec![names[2].clone(), partial[0].clone()];
    left.sort();
    assert_eq!(folders(&pipeline), left, "what is not complete stays");
    ask(&pipeline, &["runs", "prune", "--older", "0s", "--unfinished"]).expect_code(0);
    assert!(folders(&pipeline).is_empty());
}

#[test]
fn neither_a_link_nor_a_run_of_some_items_takes_the_place_of_a_run_that_is_kept() {
    let pipeline = talks("");
    let names = runs(&pipeline, 1);
    symlink(pipeline.out().join(&names[0]), pipeline.out().join("zlatest")).expect("a link");
    ask(&pipeline, &["run", ".", "--only", "ferry"]).expect_code(0);
    let pruned = ask(&pipeline, &["runs", "prune", "--keep", "1"]).expect_code(0);
    assert!(pruned.stderr.contains("removed 0 runs"), "{}", pruned.stderr);
    assert_eq!(folders(&pipeline).len(), 3);
}

#[test]
fn nothing_and_the_last_run_of_another_pipeline_are_not_removed() {
    let pipeline = talks("");
    runs(&pipeline, 1);
    for name in ["", "…"] {
        ask(&pipeline, &["runs", "rm", name, "--yes"]).expect_code(2);
    }
    let toml = fs::read_to_string(pipeline.path().join("pipeline.toml")).expect("read");
    fs::write(pipeline.path().join("pipeline.toml"), toml.replace("\"talks\"", "\"other\"")).expect("written");
    let refused = ask(&pipeline, &["runs", "rm", "last", "--yes"]).expect_code(2);
    assert!(refused.stderr.contains("no run of pipeline `other`"), "{}", refused.stderr);
    assert_eq!(folders(&pipeline).len(), 1);
}

#[test]
fn a_pipeline_that_says_so_keeps_its_newest_runs() {
    let pipeline = talks("[runs]\nkeep = 2\n");
    let names = runs(&pipeline, 4);
    let mut left = names[2..].to_vec();
    left.sort();
    assert_eq!(folders(&pipeline), left);
    // It changes nothing that a run is resumed by.
    ask(&pipeline, &["run", ".", "--set", "runs.keep=5", "--resume", "last"]).expect_code(0);
    assert_eq!(run_json(&pipeline.out().join(&names[3]))["state"], "complete");
}

#[test]
fn caches_are_pruned_and_doctor_says_what_runs_and_caches_take() {
    let cached = "cache = \"kept\"\n[cache.kept]\ntiers = [{ use = \"memory\" }, { use = \"sqlite\", with = { path = \"kept.sqlite\" } }]\n";
    let pipeline = talks(cached);
    runs(&pipeline, 1);
    let told = ask(&pipeline, &["doctor", "--json"]).expect_code(0).json();
    let groups = told["groups"].as_array().expect("groups");
    let disk = groups.iter().find(|group| group["group"] == "disk").expect("the disk");
    let detail = |index: usize| disk["findings"][index]["detail"].as_str().expect("a text").to_owned();
    assert!(detail(0).starts_with("`runs`: 1 run, "), "{disk}");
    assert!(detail(1).contains("kept.sqlite`: "), "{disk}");
    let young = ask(&pipeline, &["cache", "prune", ".", "--older", "1d"]).expect_code(0);
    assert!(young.stderr.contains("kept: sqlite: 0 values removed"), "{}", young.stderr);
    let pruned = ask(&pipeline, &["cache", "prune", ".", "--max-size", "1B"]).expect_code(0);
    assert!(pruned.stderr.contains("kept: sqlite: 3 values removed"), "{}", pruned.stderr);
    let stats = ask(&pipeline, &["cache", "stats", ".", "--json"]).expect_code(0).json();
    assert_eq!(stats["caches"][1]["entries"], 0, "{stats}");
    let unknown = ask(&pipeline, &["cache", "prune", ".", "--cache", "kpet"]).expect_code(2);
    assert!(unknown.stderr.contains("did you mean `kept`?"), "{}", unknown.stderr);
}
