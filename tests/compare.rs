//! `jackfield runs compare`: the quality of two runs item by item, and times and costs where they were measured.

use std::fs;

use serde_json::{Value, json};

use crate::support::{CommandOutput, Pipeline, jackfield, odd_plugin, run_command};

/// A pipeline whose stages `grade` and `other` answer what the item says.
fn graded(name: &str) -> Pipeline {
    let plugin = odd_plugin();
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "{name}"
{plugin}[input]
use = "jsonl"
path = "items.jsonl"
id = "id"
[stages.grade]
use = "odd/texts"
in = "input.grade"
with = {{ from = "more.txt" }}
[stages.other]
use = "odd/texts"
in = "input.other"
with = {{ from = "more.txt" }}
"#,
    ))
    .with("more.txt", "")
}

/// An item with the grades of two answers.
fn item(id: &str, passed: bool, score: f64, other: bool) -> String {
    let grade = json!({ "passed": passed, "score": score, "length": 10.0 * score, "reason": "so" });
    format!("{}\n", json!({ "id": id, "grade": grade, "other": { "passed": other, "score": 0.5 } }))
}

/// Runs the pipeline over these items, and returns the name of the run.
fn run(pipeline: &Pipeline, items: &str) -> String {
    fs::write(pipeline.path().join("items.jsonl"), items).expect("written");
    let done = pipeline.run();
    assert!(matches!(done.code, Some(0 | 3)), "{done:#?}");
    done.json()["run"].as_str().expect("a run").to_owned()
}

fn compare(pipeline: &Pipeline, args: &[&str]) -> CommandOutput {
    let mut command = jackfield();
    command.args(["runs", "compare"]).args(args).arg("--out").arg(pipeline.out());
    run_command(&mut command)
}

/// Times differ from run to run: here they do not matter.
const ANY_TIME: [&str; 2] = ["--threshold", "1000000"];

fn of_column<'a>(report: &'a Value, name: &str) -> &'a Value {
    let quality = report["quality"].as_array().expect("columns");
    quality.iter().find(|column| column["before"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

/// Two runs over forty items, of which twelve pass in the first alone and one in the second alone.
fn worse(pipeline: &Pipeline) -> [String; 2] {
    let before: String = (0..40).map(|at| item(&format!("q{at}"), at != 20, 0.75, at % 2 == 0)).collect();
    let after: String =
        (0..41).map(|at| item(&format!("q{at}"), at >= 12, if at < 12 { 0.25 } else { 0.75 }, at % 2 == 0)).collect();
    [run(pipeline, &before), run(pipeline, &after)]
}

#[test]
fn items_that_flipped_are_named_and_a_drop_that_is_no_chance_is_a_regression() {
    let pipeline = graded("graded");
    let [before, after] = worse(&pipeline);
    let report = compare(&pipeline, &[&[&*before, &*after, "--json"], &ANY_TIME[..]].concat()).expect_code(4).json();
    let passed = of_column(&report, "grade.given.passed");
    assert_eq!((&passed["items"], &passed["worse"], &passed["better"]), (&json!(40), &json!(12), &json!(1)));
    assert_eq!((&passed["type"], &passed["regression"]), (&json!("boolean"), &json!(true)));
    let difference = passed["difference"].as_f64().expect("a number");
    assert!((difference + 11.0 / 40.0).abs() < 1e-12, "{difference}");
    // McNemar's exact test of 12 against 1: twice the chance of at most one head in 13 tosses.
    let p = passed["p_value"].as_f64().expect("a number");
    assert!((p - 2.0 * 14.0 / 8192.0).abs() < 1e-12, "{p}");
    assert_eq!(passed["named_worse"].as_array().expect("items").len(), 10);
    assert_eq!(passed["named_worse"][0], json!({ "item": "q0", "before": true, "after": false }));
    assert_eq!(passed["named_better"], json!([{ "item": "q20", "before": false, "after": true }]));
    let length = of_column(&report, "grade.given.length");
    assert_eq!((&length["judged"], &length["significant"]), (&json!(false), &json!(true)));
    assert_eq!(report["items"]["named_only_after"], json!(["q40"]));
    // Seen from the other side, everything got better.
    compare(&pipeline, &[&[&*after, &*before], &ANY_TIME[..]].concat()).expect_code(0);
    // A drop that is allowed is none.
    let allowed = ["--quality-threshold", "0.6"];
    compare(&pipeline, &[&[&*before, &*after], &ANY_TIME[..], &allowed].concat()).expect_code(0);
    // Of length, more is not worse until somebody says so.
    let shorter = ["--columns", "grade.given.length", "--lower-is-better", "grade.given.length"];
    let report = compare(&pipeline, &[&[&*after, &*before, "--json"], &ANY_TIME[..], &shorter].concat());
    assert_eq!(of_column(&report.expect_code(4).json(), "grade.given.length")["regression"], true);
}

#[test]
fn a_comparison_reads_well_on_a_terminal_and_in_a_comment() {
    let pipeline = graded("graded");
    let [before, after] = worse(&pipeline);
    for format in ["table", "markdown"] {
        let args = [&*before, &*after, "--format", format, "--items", "3"];
        let said = compare(&pipeline, &[&args, &ANY_TIME[..]].concat()).expect_code(4).stdout;
        let said = said.replace(&before, "[before]").replace(&after, "[after]");
        assert!([&before, &after].iter().all(|name| !said.contains(name.as_str())), "{said}");
        // What was measured is another thing each time.
        let quality: Vec<&str> = said.split("\n\n").take_while(|part| !part.contains("wall time")).collect();
        insta::assert_snapshot!(format!("compared_as_{format}"), quality.join("\n\n"));
    }
}

#[test]
fn a_small_difference_of_few_items_is_no_regression() {
    let pipeline = graded("graded");
    let before: String = (0..6).map(|at| item(&format!("q{at}"), true, 1.0, true)).collect();
    let after: String = (0..6).map(|at| item(&format!("q{at}"), at > 0, 1.0, true)).collect();
    let (before, after) = (run(&pipeline, &before), run(&pipeline, &after));
    let report = compare(&pipeline, &[&[&*before, &*after, "--json"], &ANY_TIME[..]].concat()).expect_code(0).json();
    let passed = of_column(&report, "grade.given.passed");
    assert_eq!((&passed["worse"], &passed["significant"]), (&json!(1), &json!(false)));
}

#[test]
fn two_stages_of_one_run_are_compared_item_by_item() {
    let pipeline = graded("graded");
    let items: String = (0..20).map(|at| item(&format!("q{at}"), true, 0.9, at >= 15)).collect();
    let run = run(&pipeline, &items);
    let pair = "grade.given.passed,other.given.passed";
    let report = compare(&pipeline, &[&run, "--pair", pair, "--json"]).expect_code(4).json();
    let passed = of_column(&report, "grade.given.passed");
    assert_eq!((&passed["after"], &passed["worse"]), (&json!("other.given.passed"), &json!(15)));
    assert_eq!(report["rows"], json!([]));
    let said = |args: &[&str]| compare(&pipeline, &[&[&*run], args].concat()).expect_code(2).stderr;
    let said = [
        said(&["--pair", "grade.given.passed"]),
        said(&["--pair", "grade.given.passd,other.given.passed"]),
        said(&["--pair", "grade.given.passed,other.files"]),
        said(&[&run, "--columns", "grade.given.reason"]),
        said(&[&run, "--lower-is-better", "grade.given.lenght"]),
    ];
    insta::assert_snapshot!(said.join("--\n").replace(&run, "[run]"));
}

#[test]
fn runs_of_two_pipelines_are_compared_by_what_is_called_the_same() {
    let (one, two) = (graded("one"), graded("two"));
    let items: String = (0..20).map(|at| item(&format!("q{at}"), true, 0.9, true)).collect();
    let (before, after) = (run(&one, &items), run(&two, &items));
    let after = two.out().join(after);
    let said = compare(&one, &[&[&*before, after.to_str().expect("UTF-8")], &ANY_TIME[..]].concat()).expect_code(0);
    assert!(said.stdout.contains("the runs are of two pipelines, one and two"), "{said:#?}");
    assert!(said.stdout.contains("grade.given.passed"), "{said:#?}");
}

#[test]
fn answers_from_a_cache_say_nothing_of_times_and_costs() {
    let plugin = odd_plugin();
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "cached"
{plugin}[input]
use = "jsonl"
path = "items.jsonl"
id = "id"
[cache.kept]
tiers = [{{ use = "sqlite" }}]
[model.m]
use = "mock"
with = {{ latency_ms = 30 }}
cache = "kept"
price = {{ input = 1.0, output = 2.0 }}
[stages.said]
use = "odd/ask"
in = {{ text = "input.text" }}
model = "m"
"#,
    ));
    let items: String = (0..8).map(|at| format!("{{\"id\": \"i{at}\", \"text\": \"say {at}\"}}\n")).collect();
    let (cold, warm) = (run(&pipeline, &items), run(&pipeline, &items));
    for (before, after, when) in [(&cold, &warm, "after"), (&warm, &cold, "before")] {
        let report = compare(&pipeline, &[before, after, "--json", "--threshold", "0"]).expect_code(0).json();
        let rows = report["rows"].as_array().expect("rows");
        let why = |what: &str| {
            let row = rows.iter().find(|row| row["what"] == what).unwrap_or_else(|| panic!("no {what}: {report:#}"));
            row["not_compared"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!(why("said: p50"), format!("{when}, 8 of 8 answers came from a cache"));
        assert_eq!(why("m: cost"), format!("8 of 8 answers {when} came from a cache"));
        assert_eq!(why("items partial or failed"), "");
    }
    let said = compare(&pipeline, &[&warm, &cold, "--threshold", "0"]).expect_code(0).stdout;
    assert!(said.contains("said: p50, said: p95: before, 8 of 8 answers came from a cache"), "{said}");
}
