//! A prompt over rows, graded and added up: the example of two models, a table of reviews, and a run that is killed.

use std::{fmt::Write as _, fs, process::Stdio, time::Duration};

use jackfield_plugin_api::Random;
use serde_json::json;

use crate::support::{Pipeline, jackfield, over_all, root, run_command, same_outcome, wait};

#[test]
fn the_example_of_two_models_grades_them_and_names_the_questions_that_flipped() {
    let example = root().join("examples/compare");
    let mut pipeline = Pipeline::new(&fs::read_to_string(example.join("pipeline.toml")).expect("the example"));
    for name in ["questions.csv", "careful.jsonl", "quick.jsonl", "judge.jsonl"] {
        pipeline = pipeline.with(name, fs::read(example.join(name)).expect("a file"));
    }
    let run = pipeline.run().expect_code(0).folder();
    let [careful, quick] = ["careful_total", "quick_total"].map(|stage| over_all(&run, stage));
    assert_eq!((&careful["mean"], &quick["mean"]), (&json!(0.94), &json!(0.6)));
    assert_eq!(quick["groups"].as_object().map(serde_json::Map::len), Some(5));

    let mut compare = jackfield();
    compare.args(["runs", "compare", "last", "--pair", "quick_right.passed,careful_right.passed", "--json", "--out"]);
    let report = run_command(compare.arg(pipeline.out())).expect_code(0).json();
    let flipped = &report["quality"][0];
    assert_eq!((&flipped["better"], &flipped["worse"]), (&json!(17), &json!(0)), "{report:#}");

    let stricter = "require={ \"quick_total.mean\" = { at_least = 0.9 } }";
    run_command(pipeline.command().args(["--set", stricter])).expect_code(5);
}

/// Reviews, with what is to be found in each.
fn reviews(count: usize) -> String {
    let mut random = Random::new(19);
    let mut rows = String::from("id,product,review,expected\n");
    for number in 0..count {
        let product = ["kettle", "lamp", "radio"][random.below(3) as usize];
        let (says, expected) =
            [("works well", "positive"), ("broke at once", "negative"), ("is fine", "mixed")][random.below(3) as usize];
        let _ = writeln!(rows, "r{number},{product},\"The {product} {says}, order {number}.\",{expected}");
    }
    rows
}

const REVIEWS: &str = r#"
[pipeline]
name = "reviews"
[input]
use = "csv"
path = "reviews.csv"
id = "id"
[model.writer]
use = "mock"
[stages.sentiment]
use = "prompt"
in = { review = "input.review" }
with.user = "Is this positive, negative or mixed? {{ review }}"
with.schema.type = "object"
with.schema.required = ["label"]
with.schema.properties.label.enum = ["positive", "negative", "mixed"]
model = "writer"
[stages.grade]
use = "exact"
in = { answer = "sentiment.label", expected = "input.expected" }
[stages.total]
use = "summary"
in = { values = "all.grade.passed", groups = "all.input.product" }
"#;

#[test]
fn a_table_of_reviews_becomes_a_grouped_result_and_a_table_for_others() {
    let pipeline = Pipeline::new(REVIEWS).with("reviews.csv", reviews(500));
    let run = pipeline.run().expect_code(0).folder();
    let total = over_all(&run, "total");
    assert_eq!((&total["count"], &total["missing"]), (&json!(500), &json!(0)));
    let groups = total["groups"].as_object().expect("groups");
    assert_eq!(groups.keys().collect::<Vec<_>>(), ["kettle", "lamp", "radio"]);
    assert_eq!(groups.values().map(|group| group["count"].as_u64().expect("a count")).sum::<u64>(), 500);

    let mut results = jackfield();
    results.args(["results", "last", "--format", "csv", "--columns", "input.product,sentiment.label,grade.passed"]);
    let table = run_command(results.arg("--out").arg(pipeline.out())).expect_code(0).stdout;
    let passed = table.lines().filter(|line| line.ends_with(",true")).count() as u64;
    assert_eq!((table.lines().count(), Some(passed)), (501, total["pass_rate"]["passed"].as_u64()));
}

#[test]
fn a_run_that_is_killed_again_and_again_adds_up_to_the_same_bytes() {
    let slow = REVIEWS.replace("use = \"mock\"\n", "use = \"mock\"\nwith = { latency_ms = 2 }\nconcurrency = 8\n");
    let (calm, killed) = (Pipeline::new(&slow), Pipeline::new(&slow));
    let [calm, killed] = [calm, killed].map(|pipeline| pipeline.with("reviews.csv", reviews(1500)));
    let whole = calm.run().expect_code(0).folder();
    let mut random = Random::new(7);
    let mut more: &[&str] = &[];
    for _ in 0..5 {
        let mut child =
            killed.command().args(more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        wait(&mut child, Duration::from_millis(150 + random.below(100)));
        if glob::glob(&format!("{}/*/store.sqlite", killed.out().display())).expect("a pattern").next().is_some() {
            more = &["--resume", "last"];
        }
    }
    let last = run_command(killed.command().args(more)).expect_code(0).folder();
    same_outcome(&whole, &last);
    assert_eq!(over_all(&whole, "total"), over_all(&last, "total"));
}
