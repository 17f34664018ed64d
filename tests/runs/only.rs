//! `jackfield run --only`.

use std::fs;

use super::{ask, folders, run_json, talks};
use crate::support::{CommandOutput, Pipeline, results, run_command};

/// The ids of a run's results, in their order.
fn ids(run: &CommandOutput) -> Vec<String> {
    results(&run.folder()).iter().map(|line| line["item"].as_str().expect("an id").to_owned()).collect()
}

fn only(pipeline: &Pipeline, more: &[&str]) -> CommandOutput {
    run_command(pipeline.command().args(more))
}

#[test]
fn a_new_run_is_over_the_items_that_were_asked_for_and_so_is_its_resume() {
    let pipeline = talks("");
    let all = pipeline.run().expect_code(0);
    let some = only(&pipeline, &["--only", "harbour", "--only", "ferry"]).expect_code(0);
    assert_eq!(ids(&some), ["ferry", "harbour"], "in the order of the input");
    assert_eq!(some.json()["items"]["total"], 2);
    let line = |run: &CommandOutput, id: &str| {
        results(&run.folder()).into_iter().find(|line| line["item"] == id).expect("a line")
    };
    assert_eq!(line(&some, "harbour"), line(&all, "harbour"), "what it is in a run over all");
    let resumed = only(&pipeline, &["--resume", "last"]).expect_code(0);
    assert_eq!(ids(&resumed), ["ferry", "harbour"], "the run is restricted to them");
    let refused = only(&pipeline, &["--resume", "last", "--only", "garden"]).expect_code(2);
    assert!(refused.stderr.contains("is restricted to other items: `garden` is not among them"), "{}", refused.stderr);
}

#[test]
fn an_unknown_item_is_refused_before_anything_is_run_with_those_near_it() {
    let pipeline = talks("");
    let refused = only(&pipeline, &["--only", "ferry", "--only", "gardn"]).expect_code(2);
    assert!(refused.stderr.contains("the input has no item `gardn`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: did you mean `garden`?"), "{}", refused.stderr);
    assert!(folders(&pipeline).is_empty());
}

#[test]
fn an_item_of_a_run_is_made_again_and_all_others_stay() {
    let pipeline = talks("").with("data/garden.txt", b"Ann: caf\xe9?\nBo: Yes.\n");
    let first = pipeline.run().expect_code(3);
    assert_eq!(first.json()["items"]["failed"], 1);
    fs::write(pipeline.path().join("data/garden.txt"), "Ann: The garden is open.\nBo: Good.\n").expect("written");
    let again = only(&pipeline, &["--resume", "last", "--only", "garden", "--only", "ferry"]).expect_code(0);
    let summary = again.json();
    assert_eq!(summary["state"], "complete", "{summary}");
    assert_eq!(summary["items"]["ok"], 3, "{summary}");
    assert_eq!(summary["session"]["stages"]["transcript"]["calls"], 2, "the one that was done too: {summary}");
    assert_eq!(ids(&again), ["ferry", "garden", "harbour"]);
    assert!(again.folder().join("items/garden/transcript.json").is_file());
    assert_eq!(again.folder(), first.folder());
    // The record is whole: it can be read, and gone on with.
    ask(&pipeline, &["runs", "show", "last"]).expect_code(0);
    let same = only(&pipeline, &["--resume", "last"]).expect_code(0);
    assert_eq!(same.json()["session"]["stages"]["transcript"]["calls"], 0);
}

#[test]
fn an_item_that_is_refused_loses_nothing_and_leaves_the_run_as_it_was() {
    let pipeline = talks("");
    let all = pipeline.run().expect_code(0);
    let before = results(&all.folder());
    let again = |id: &str| ask(&pipeline, &["run", ".", "--resume", "last", "--only", id]);
    again("gardn").expect_code(2);
    fs::write(pipeline.path().join("data/garden.txt"), "Ann: Another text.\n").expect("written");
    let changed = again("garden");
    assert!(changed.stderr.contains("`garden` has changed"), "{}", changed.stderr);
    fs::write(pipeline.path().join("data/fair.txt"), "Ann: An item before it.\n").expect("written");
    let moved = again("harbour");
    assert!(moved.stderr.contains("`harbour`"), "{}", moved.stderr);
    assert_eq!(results(&all.folder()), before);
    assert_eq!(run_json(&all.folder())["state"], "complete");
    for id in ["ferry", "garden", "harbour"] {
        assert!(all.folder().join("items").join(id).join("transcript.json").is_file(), "{id}");
    }
}

#[test]
fn it_is_refused_where_what_comes_of_an_item_depends_on_others() {
    let none =
        Pipeline::new("[pipeline]\nname = \"none\"\n[stages.board]\nuse = \"dashboard\"\nin = { findings = [] }\n");
    let refused = only(&none, &["--only", "x"]).expect_code(2);
    assert!(refused.stderr.contains("pipeline `none` has no items"), "{}", refused.stderr);
}
