//! `jackfield front`: the best trials of a search.

use std::path::Path;

use serde_json::Value;

use crate::support::{CommandOutput, Pipeline, fixture, jackfield, run_command};

/// A search over a valley, whose keys and stages these are. `look` has a loss, lowest at a third, and a cost.
pub fn valley(search: &str, more: &str) -> Pipeline {
    valley_of("count = 10\n[search]\nuse = \"odd/bounce\"", search, "", more)
}

/// The same with another policy, and with further keys in the space.
pub fn valley_of(policy: &str, search: &str, space: &str, more: &str) -> Pipeline {
    let file = fixture("jackfield_test_invalid_plugin.so");
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "valley"
[plugins.odd]
path = {:?}
allow_native = true
[input]
use = "trials"
{policy}
{search}
[search.space]
"look.x" = {{ min = 0.0, max = 1.0 }}
{space}
[stages.look]
use = "odd/landscape"
in = {{ trial = "input.trial" }}
{more}
"#,
        file.to_str().expect("UTF-8"),
    ));
    run_command(jackfield().current_dir(pipeline.path()).args(["plugins", "lock"])).expect_code(0);
    pipeline
}

/// Two objectives, of which the second is not lower for the first two trials.
const TWO: &str = "minimize = [\"look.loss\", \"look.cost\"]\npoints = [{ \"look.x\" = 0.9 }, { \"look.x\" = 0.4 }]";

#[track_caller]
fn front(pipeline: &Pipeline, arguments: &[&str], code: i32) -> CommandOutput {
    let mut command = jackfield();
    command.args(["front", "last"]).args(arguments).arg("--out").arg(pipeline.out());
    run_command(&mut command).expect_code(code)
}

/// What is said, with what differs from run to run taken out.
fn said(pipeline: &Pipeline, run: &Path, CommandOutput { stdout, stderr, .. }: &CommandOutput) -> String {
    let id = run.file_name().expect("a name").to_string_lossy();
    let folder = pipeline.path().to_string_lossy();
    format!("{stdout}{stderr}").replace(&*id, "[run]").replace(&*folder, "[folder]")
}

#[test]
fn the_pareto_front_of_two_objectives_is_a_table_with_its_hypervolume_and_what_to_do_next() {
    let pipeline = valley(TWO, "with = { x = 0.5, fail_at = [3], null_at = [4] }");
    let run = pipeline.run().expect_code(3).folder();
    let shown = front(&pipeline, &[], 0);
    insta::assert_snapshot!(said(&pipeline, &run, &shown));

    let json = front(&pipeline, &["--json"], 0).json();
    let counts = ["complete", "pruned", "failed", "open"].map(|key| json[key].as_u64().expect("a count"));
    assert_eq!(counts, [8, 0, 2, 0]);
    let trials = json["trials"].as_array().expect("trials");
    assert_eq!(trials.len(), 10);
    let on_front: Vec<&str> = json["front"].as_array().expect("a front").iter().filter_map(Value::as_str).collect();
    assert!(!on_front.contains(&"0") && on_front.len() > 3, "{on_front:?}");
    // No other is at least as good in both, for each that is on the front; and some other is, for each that is not.
    let losses = |trial: &Value| {
        ["look.loss", "look.cost"].map(|name| trial["objectives"][name].as_f64().unwrap_or(f64::INFINITY))
    };
    for trial in trials.iter().filter(|trial| trial["state"] == "complete") {
        let mine = losses(trial);
        let beats = |other: &&Value| {
            let other = losses(other);
            other[0] <= mine[0] && other[1] <= mine[1] && other != mine
        };
        let is_front = on_front.contains(&trial["item"].as_str().expect("an id"));
        assert_eq!(trials.iter().find(beats).is_none(), is_front, "{trial}");
    }
    assert_eq!(trials[0]["params"]["look.x"], 0.9);

    // A reference point beyond the worst makes it more, by what is told.
    let wide = front(&pipeline, &["--json", "--reference", "look.loss=2,look.cost=3"], 0).json();
    assert_eq!((&wide["reference"]["look.loss"], &wide["reference"]["look.cost"]), (&2.0.into(), &3.0.into()));
    assert!(wide["hypervolume"].as_f64() > json["hypervolume"].as_f64());
}

#[test]
fn with_one_objective_the_best_trials_are_shown() {
    let pipeline = valley("maximize = [\"look.loss\"]", "with = { x = 0.5 }");
    let run = pipeline.run().expect_code(0).folder();
    insta::assert_snapshot!(said(&pipeline, &run, &front(&pipeline, &[], 0)));
    let json = front(&pipeline, &["--json"], 0).json();
    assert_eq!((&json["hypervolume"], &json["front"]), (&Value::Null, &serde_json::json!(["0"])));
}

#[test]
fn a_run_without_a_pareto_front_is_reported() {
    let mut all = Vec::new();
    let failed = valley(TWO, "with = { x = 0.5, fail = true }");
    let run = failed.run().expect_code(1).folder();
    all.push(said(&failed, &run, &front(&failed, &[], 1)));
    let odd = valley(TWO, "with = { x = 0.5 }");
    let run = odd.run().expect_code(0).folder();
    all.push(said(&odd, &run, &front(&odd, &["--reference", "look.los=2"], 2)));
    let pipeline = Pipeline::new(
        "[pipeline]\nname = \"short\"\n[input]\nuse = \"inline\"\nitems = [\"A: yes.\"]\n[stages.transcript]\nuse = \"transcript\"\nin = { text = \"input\" }\n",
    );
    let run = pipeline.run().expect_code(0).folder();
    all.push(said(&pipeline, &run, &front(&pipeline, &[], 2)));
    insta::assert_snapshot!(all.join("\n"));
}
