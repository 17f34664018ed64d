//! The example `steering`: a direction is found in the model that it ships, taken out, and the parameters of that searched.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{Pipeline, jackfield, results, root, run_command};

/// The example's file of this name.
fn example(file: &str) -> String {
    root().join("examples/steering").join(file).to_string_lossy().into_owned()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

/// Runs one of the example's pipelines.
#[track_caller]
fn run(file: &str, settings: &[&str], out: &Path) -> PathBuf {
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    run_command(jackfield().args(["run", &example(file), "--json", "--out"]).arg(out).args(settings))
        .expect_code(0)
        .folder()
}

/// Fewer trials of fewer prompts and shorter replies than the example has.
const SHORT: [&str; 6] = [
    "input.count=24",
    "search.with.startup=10",
    "stages.requests.with.limit=16",
    "stages.neutral.with.limit=16",
    "stages.before.with.max_tokens=8",
    "stages.after.with.max_tokens=8",
];

#[test]
fn a_search_finds_how_the_model_writes_no_letters_and_a_trial_of_it_is_a_model_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let run_folder = run("pipeline.toml", &SHORT, folder.path());
    let trials = results(&run_folder);
    assert_eq!(trials.len(), 24);
    let scores = |trial: &Value| {
        let outputs = &trial["outputs"];
        (number(&outputs["letters"]["rate"]), number(&outputs["damage"]["mean"]))
    };
    let good = trials.iter().filter(|trial| scores(trial).0 <= 0.1);
    let best = good.min_by(|one, other| scores(one).1.total_cmp(&scores(other).1)).expect("no trial stops the letters");
    assert!(scores(best).1 < 0.005, "the damage of the best trial is {}", scores(best).1);

    let item = best["item"].as_str().expect("an id");
    let model = folder.path().join("no-letters");
    let export = ["export", run_folder.to_str().expect("UTF-8"), item, "--to"];
    let settings = SHORT.iter().flat_map(|setting| ["--set", setting]);
    run_command(jackfield().args(export).arg(&model).args(settings)).expect_code(0);
    let says = |settings: &[&str]| -> Vec<String> {
        let asked = results(&run("ask.toml", settings, folder.path()));
        let text = |line: &Value| line["outputs"]["reply"]["replies"][0]["text"].as_str().expect("a reply").to_owned();
        asked.iter().map(text).collect()
    };
    let before = says(&[]);
    let after = says(&[&format!("params.model={:?}", model.to_str().expect("UTF-8"))]);
    assert!(
        before[0].starts_with("Dear neighbor,") && before[1].starts_with("Subject: the broken fountain"),
        "{before:?}"
    );
    assert!(after.iter().all(|reply| !reply.contains("Dear") && !reply.contains("Subject")), "{after:?}");
    // What is asked for otherwise is answered as before.
    assert_eq!(before[2..], after[2..]);
}

#[test]
fn random_directions_do_not_remove_the_letters() {
    let text = fs::read_to_string(example("pipeline.toml")).expect("the example");
    // Its tests are of its own space.
    let (text, _) = text.split_once("[[tests]]").expect("the example has tests");
    let drawn = |line: &str| match line.starts_with("\"direction.winsorize\"") {
        true => "\"direction.seed\" = [1, 2, 3]\n".to_owned(),
        false => format!("{line}\n"),
    };
    let text = text.replace("\"mean-difference\"", "\"random-direction\"").lines().map(drawn).collect::<String>();
    let mut pipeline = Pipeline::new(&text);
    for file in ["data/pairs.jsonl", "data/letters.txt", "data/neutral.txt"] {
        pipeline = pipeline.with(file, fs::read(example(file)).expect("a file of the example"));
    }
    let keys = ["max_weight", "max_weight_position", "min_weight", "min_weight_distance"];
    let whole = ["attention", "mlp"].map(|part| keys.map(|key| format!("\"ablation.{part}.{key}\" = 1.0")).join(", "));
    let point =
        |seed| format!("{{ \"direction.seed\" = {seed}, \"ablation.scope\" = \"per-layer\", {} }}", whole.join(", "));
    let points = format!("search.points=[{}]", [1, 2, 3].map(point).join(", "));
    let model = format!("params.model={:?}", example("model"));
    let mut command = pipeline.command();
    for setting in ["input.count=3", &model, &points].iter().chain(&SHORT[2..]) {
        command.args(["--set", setting]);
    }
    let trials = results(&run_command(&mut command).expect_code(0).folder());
    assert_eq!(trials.len(), 3);
    for trial in trials {
        assert!(number(&trial["outputs"]["letters"]["rate"]) >= 0.9, "{}", trial["outputs"]["letters"]);
    }
}
