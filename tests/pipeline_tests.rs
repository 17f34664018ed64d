//! Tests that stand in the pipeline's own file: `jackfield test`.

use std::process::Command;

use crate::support::{CommandOutput, Pipeline, jackfield, root, run_command};

const PIPELINE: &str = r#"
[pipeline]
name = "tested"

[input]
use  = "files"
path = "data/*.txt"

[model.away]
use  = "openai"
with = { base_url = "http://127.0.0.1:9", name = "none", api_key_env = "A_KEY_THAT_IS_NOT_SET" }

[stages.transcript]
use = "transcript"
in  = { text = "input.text", name = "input.name" }

[stages.decisions]
use = "decisions"
in  = "transcript"

[stages.dashboard]
use = "dashboard"
in  = { findings = ["decisions"] }

[stages.lens]
use   = "lens"
in    = { transcript = "transcript" }
with  = { prompt = "lens.md" }
model = "away"
"#;

const LENS: &str = "# Doubts\n\nLook for doubts.\n\n## Answer\n\n```json\n{ \"type\": \"object\", \"additionalProperties\": false, \"required\": [\"doubts\"], \"properties\": { \"doubts\": { \"type\": \"array\", \"items\": { \"type\": \"string\" } } } }\n```\n";

fn pipeline(tests: &str) -> Pipeline {
    Pipeline::new(&format!("{PIPELINE}\n{tests}"))
        .with("lens.md", LENS)
        .with("data/one.txt", "Ann: We decided to wait.\n")
        .with("data/two.txt", "Ann: We decided to wait.\nBo: Then we decided to go.\n")
}

fn command(pipeline: &Pipeline) -> Command {
    let mut command = jackfield();
    command.arg("test").current_dir(pipeline.path());
    command
}

/// What was said, without times and without the folder.
fn plain(pipeline: &Pipeline, done: &CommandOutput) -> String {
    let text = format!("{}---\n{}", done.stdout, done.stderr).replace(&*pipeline.path().to_string_lossy(), "[folder]");
    // Times are all that has a unit.
    let mut lines = Vec::new();
    for line in text.lines() {
        let cut = if line.ends_with(" ms)") {
            line.rfind(" (")
        } else {
            line.rfind(" in ").filter(|_| line.ends_with(" ms"))
        };
        lines.push(cut.map_or(line, |at| &line[..at]));
    }
    lines.join("\n")
}

#[test]
fn each_test_is_a_line_and_a_failure_names_the_first_place() {
    let pipeline = pipeline(
        r#"
[[tests]]
name   = "a decision is found"
input  = { text = "Ann: We decided to wait.\nBo: Fine." }
expect = { "decisions.findings" = [{ kind = "decision" }], "dashboard.csv" = "" , "input.name" = "test.txt" }

[[tests]]
name   = "a part of an object is enough, and every element of a list counts"
file   = "data/two.txt"
expect = { decisions = { findings = [{ kind = "decision", evidence = [{ segment = "s1" }] }, { evidence = [{ segment = "s9" }] }] } }

[[tests]]
name   = "a list is as long as it is"
file   = "data/two.txt"
expect = { "decisions.findings" = [{}] }

[[tests]]
name   = "an element that is not there"
file   = "data/one.txt"
expect = { "decisions.findings[4].kind" = "decision" }

[[tests]]
name  = "an empty text is refused"
input = { text = " " }
fails = { transcript = "white space" }

[[tests]]
name   = "a failure that nobody expects"
input  = { text = " " }
expect = { "input.text" = " ", "decisions.findings" = [] }

[[tests]]
name  = "a failure that does not come"
file  = "data/one.txt"
fails = { decisions = "no such thing" }
"#,
    );
    let told = run_command(&mut command(&pipeline)).expect_code(1);
    insta::assert_snapshot!(plain(&pipeline, &told));
    // Only what a test needs is run, and opened: the model has no key.
    let told = run_command(command(&pipeline).args([".", "is refused", "--json"])).expect_code(0).json();
    assert_eq!((told["passed"].as_u64(), told["failed"].as_u64()), (Some(1), Some(0)), "{told}");
    assert_eq!(told["tests"][0]["name"], "an empty text is refused");
    // Nothing was recorded.
    assert!(!pipeline.out().exists());
}

#[test]
fn json_says_the_same_as_the_lines() {
    let pipeline = pipeline(
        r#"
[[tests]]
name   = "wrong"
file   = "data/one.txt"
expect = { "decisions.findings[0].kind" = "action", "transcript.segments[7]" = {} }
"#,
    );
    let mut told = run_command(command(&pipeline).arg("--json")).expect_code(1).json();
    told["tests"][0]["ms"] = 0.into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&told).expect("JSON"));
}

#[test]
fn a_wrong_test_is_a_fault_of_the_file_before_anything_runs() {
    let pipeline = pipeline(
        r#"
[[tests]]
name   = "slips"
input  = { text = 4 }
expect = { "decision.findings" = [], "decisions.finding" = 3, "decisions.findings[0]" = { kint = 4 }, "a b" = 4 }
fails  = { transcritp = "x" }

[[tests]]
name = "slips"
file = "data/none.txt"

[[tests]]
nam    = "no name"
inputs = 3

[[tests]]
name   = "no item"
expect = { "decisions.findings" = { a = 3 }, "each.x" = 1 }

[[tests]]
name   = "two items"
file   = "data/one.txt"
input  = { tekst = "Ann: Yes." }
expect = { "input.text" = "" }
"#,
    );
    let told = run_command(&mut command(&pipeline)).expect_code(2);
    insta::assert_snapshot!(plain(&pipeline, &told));
    // `check` says the same.
    assert_eq!(
        run_command(jackfield().arg("check").arg(".").current_dir(pipeline.path())).expect_code(2).stderr,
        told.stderr
    );
}

#[test]
fn tests_that_are_not_there_are_no_success() {
    let none = pipeline("");
    insta::assert_snapshot!(plain(&none, &run_command(&mut command(&none)).expect_code(2)), @r"
    ---
    error: `.` has no tests

    hint: add one: `[[tests]]` with `name`, `input` and `expect`
    ");
    let one = pipeline(
        "[[tests]]\nname = \"one\"\nfile = \"data/one.txt\"\nexpect = { \"transcript.title\" = \"one.txt\" }\n",
    );
    insta::assert_snapshot!(plain(&one, &run_command(command(&one).args([".", "two"])).expect_code(2)), @r"
    ---
    error: no test has `two` in its name

    hint: tests: `one`
    ");
    run_command(command(&one).args([".", "on"])).expect_code(0);
}

#[test]
fn tests_change_no_plan_and_know_nothing_of_what_is_kept() {
    let memo = |tests: &str| {
        Pipeline::new(&format!(
            r#"
[pipeline]
name = "kept"

[input]
use   = "inline"
items = [{{ text = "Ann: We decided to wait." }}]

[cache.results]
tiers = [{{ use = "sqlite", with = {{ path = "kept.sqlite" }} }}]

[stages.transcript]
use   = "transcript"
in    = {{ text = "input.text" }}
cache = "results"
{tests}"#
        ))
    };
    let digest = |pipeline: &Pipeline| {
        let plan = run_command(jackfield().args(["check", "--json"]).arg(pipeline.path())).expect_code(0).json();
        plan["digest"].clone()
    };
    let tests = "[[tests]]\nname = \"one\"\ninput = { text = \"Ann: No.\" }\nexpect = { \"transcript.segments[0].text\" = \"No.\" }\n";
    let (without, with) = (memo(""), memo(tests));
    run_command(&mut command(&with)).expect_code(0);
    assert!(!with.path().join("kept.sqlite").exists());
    assert_eq!(digest(&without), digest(&with));
}

#[test]
fn a_stage_that_runs_once_a_run_is_tested_without_an_item() {
    let pipeline = Pipeline::new(
        r#"
[pipeline]
name = "run"

[input]
use   = "trials"
count = 3

[stages.board]
use = "dashboard"
in  = { findings = [] }

[[tests]]
name   = "an empty board has its header"
expect = { "board.csv" = "x" }
"#,
    );
    let told = run_command(command(&pipeline).arg("--json")).expect_code(1).json();
    let fault = &told["tests"][0]["faults"][0];
    assert_eq!((&fault["wire"], &fault["expected"]), (&"board.csv".into(), &"x".into()), "{told}");
    assert!(fault["found"].is_string(), "{told}");
}

#[test]
fn the_tests_of_the_examples_pass() {
    for example in ["transcripts", "claims", "answers", "answers/search.toml", "steering"] {
        run_command(jackfield().arg("test").arg(root().join("examples").join(example))).expect_code(0);
    }
}

#[test]
fn a_test_of_a_routed_stage_needs_neither_its_reward_nor_what_was_learned() {
    let routed = r#"
[pipeline]
name = "routed"

[input]
use   = "inline"
items = [{ text = "Ann: We decided to wait.", name = "one" }]

# The model of the arm stands after one that no stage of the first test has.
[model.away]
use  = "openai"
with = { base_url = "http://127.0.0.1:9", name = "none", api_key_env = "A_KEY_THAT_IS_NOT_SET" }

[model.here]
use = "mock"

[stages.before]
use   = "lens"
in    = { transcript = "transcript" }
with  = { prompt = "lens.md" }
model = "away"

[stages.transcript]
use = "transcript"
in  = { text = "input.text", name = "input.name" }

[stages.lens]
use   = "lens"
in    = { transcript = "transcript" }
with  = { prompt = "lens.md" }
route = { use = "ucb1", models = ["here"], context = "transcript.title", reward = "phrases.findings[0].confidence", state = "learned" }

[stages.phrases]
use   = "keyphrases"
in    = "transcript"
route = { use = "pareto", with = { preference = { confidence = 1.0, chunks = 1.0 } }, arms = [{ max = 1 }, { max = 2 }], maximize = ["phrases.findings[0].confidence", "before.chunks"] }

[[tests]]
name   = "the reward is not run"
input  = { text = "Ann: We decided to wait.", name = "one" }
expect = { "lens.chunks" = 1 }

[[tests]]
name   = "one of two objectives is not run"
input  = { text = "Ann: We decided to wait.", name = "one" }
expect = { "phrases.findings[0]" = { kind = "keyphrase" } }
"#;
    let pipeline = Pipeline::new(routed).with("lens.md", LENS);
    let done = run_command(&mut command(&pipeline)).expect_code(0);
    assert!(done.stderr.contains("2 tests: 2 passed, 0 failed"), "{}{}", done.stdout, done.stderr);
    assert!(!pipeline.path().join(".jackfield").exists(), "a test learns nothing that is kept");
}
