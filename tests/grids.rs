//! The pipeline of grids: the same bytes however a run is made, and nothing that a score may not depend on.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use jackfield_loader::Digest;
use jackfield_plugin_api::Random;
use serde_json::{Value, json};

use crate::support::{CommandOutput, Pipeline, fixture, results, root, run_command, same_outcome, shared_data, wait};

/// The example's files of a kind: `tasks`, `programs`.
pub fn files(folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(root().join("examples/grids").join(folder))
        .expect("the example")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
            (name, fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    files.sort();
    files
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join("examples/grids").join(file)).expect("the example")
}

/// A pipeline with the analyzers linked in, or from a plugin file: `so`, `wasm`.
pub fn in_form(toml: &str, form: Option<&str>) -> Pipeline {
    let Some(form) = form else { return Pipeline::new(toml) };
    let file = fixture(&format!("jackfield_grids.{form}"));
    let digest = Digest::of(fs::read(&file).expect("a plugin"));
    let native = if form == "so" { "allow_native = true\n" } else { "" };
    let toml = toml.replace("\"grid-", "\"mine/grid-");
    Pipeline::new(&format!("{toml}\n[plugins.mine]\npath = {file:?}\nsha256 = \"{digest}\"\n{native}"))
}

/// The example in a folder of its own, so that its caches are the test's. The tests in its file are not taken along.
pub fn example(file: &str, form: Option<&str>) -> Pipeline {
    let toml = text(file);
    let toml = toml.split("[[tests]]").next().expect("a pipeline");
    let mut pipeline = in_form(toml, form);
    for folder in ["tasks", "programs"] {
        for (name, text) in files(folder) {
            pipeline = pipeline.with(&format!("{folder}/{name}"), text);
        }
    }
    pipeline
}

pub fn run(pipeline: &Pipeline, sets: &[&str], more: &[&str]) -> CommandOutput {
    let mut command = pipeline.command();
    command.args(sets.iter().flat_map(|set| ["--set", set])).args(more);
    run_command(&mut command)
}

/// Fails unless two runs have the same results and the same submission.
#[track_caller]
pub fn same(one: &Path, other: &Path) {
    same_outcome(one, other);
    assert_eq!(submission(one), submission(other));
}

pub fn submission(folder: &Path) -> String {
    fs::read_to_string(folder.join("submission.json")).expect("a submission")
}

/// A value without the members of this name, wherever they stand.
pub fn without(value: &Value, name: &str) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(member, _)| *member != name);
            kept.map(|(member, value)| (member.clone(), without(value, name))).collect()
        }
        Value::Array(items) => items.iter().map(|item| without(item, name)).collect(),
        value => value.clone(),
    }
}

/// Every switch, off. What early exit leaves out shows, and is compared on its own.
const SWITCHES: [&str; 6] = [
    "stages.score.with.shared=false",
    "stages.score.with.kept_primitives=false",
    "stages.canonical.with.cache=false",
    "stages.validate.with.cache=false",
    "stages.validate.with.batch=false",
    "stages.validate.with.kept_primitives=false",
];

#[test]
fn results_are_the_same_in_every_form_cold_or_warm_at_any_concurrency() {
    let linked = example("pipeline.toml", None);
    let calm = run(&linked, &[], &["--jobs", "1"]).expect_code(0);
    let hits = |run: &CommandOutput| {
        let tiers = run.json()["caches"].clone();
        ["bodies", "outcomes"].map(|cache| {
            let tiers = tiers[cache].as_array().expect("tiers").clone();
            tiers.iter().map(|tier| tier["hits"].as_u64().expect("hits")).sum::<u64>()
        })
    };
    assert_eq!(hits(&calm), [0, 0]);
    let warm = run(&linked, &[], &["--jobs", "16"]).expect_code(0);
    assert_eq!(hits(&warm), [12, 12], "one value a task");
    same(&calm.folder(), &warm.folder());
    for form in ["so", "wasm"] {
        let pipeline = example("pipeline.toml", Some(form));
        let cold = run(&pipeline, &[], &["--jobs", "16"]).expect_code(0);
        let warm = run(&pipeline, &[], &["--jobs", "1"]).expect_code(0);
        assert_eq!((hits(&cold), hits(&warm)), ([0, 0], [12, 12]), "{form}");
        same(&calm.folder(), &cold.folder());
        same(&calm.folder(), &warm.folder());
    }
}

#[test]
fn results_are_the_same_with_every_optimisation_switched_off() {
    let pipeline = example("pipeline.toml", None);
    let calm = run(&pipeline, &[], &[]).expect_code(0).folder();
    for off in SWITCHES {
        same(&calm, &run(&pipeline, &[off], &[]).expect_code(0).folder());
    }
    let bare = example("pipeline.toml", None);
    let all = run(&bare, &SWITCHES, &[]).expect_code(0);
    same(&calm, &all.folder());
    for stage in ["bodies", "outcomes"] {
        let tiers = all.json()["caches"][stage].clone();
        let used = tiers.as_array().into_iter().flatten().any(|tier| tier["hits"] != 0 || tier["misses"] != 0);
        assert!(!used, "a cache that is switched off was used: {tiers}");
    }
    // Programs that cannot be kept are run to the end: more is known of these, and the same are kept.
    let whole = run(&pipeline, &["stages.score.with.early_exit=false"], &[]).expect_code(0).folder();
    let skipped =
        |folder: &Path| results(folder).iter().map(Value::to_string).filter(|line| line.contains("skipped")).count();
    assert!(skipped(&calm) > 0 && skipped(&whole) == 0);
    for (calm, whole) in results(&calm).iter().zip(results(&whole)) {
        for (stage, member) in [("keep", "kept"), ("keep", "summary"), ("submit", "submission")] {
            let [calm, whole] = [calm, &whole].map(|line| &line["outputs"][stage][member]);
            assert!(!calm.is_null(), "{stage}.{member}");
            assert_eq!(calm, whole);
        }
    }
}

/// Copies of the example's tasks and programs, as many as it takes to be in the middle of them for a while: one file of each.
fn many(copies: usize) -> (String, String) {
    let (mut tasks, mut programs) = (serde_json::Map::new(), String::new());
    for copy in 0..copies {
        for (name, task) in files("tasks") {
            let name = format!("{}{copy}", name.trim_end_matches(".json"));
            tasks.insert(name, serde_json::from_str(&task).expect("a task"));
        }
        for (_, program) in files("programs") {
            programs.push_str(&program.replacen("(I):", &format!("{copy}(I):"), 1));
            programs.push('\n');
        }
    }
    (Value::Object(tasks).to_string(), programs)
}

/// How often the example is copied to be in the middle of it for a while.
const COPIES: usize = 16;

#[test]
fn a_run_that_is_killed_and_resumed_has_the_same_bytes() {
    let (tasks, programs) = many(COPIES);
    let copies = || example("pipeline.toml", None).with("many.json", &tasks).with("many.py", &programs);
    let sets = ["params.tasks=many.json", "params.programs=many.py"];
    let undisturbed = copies();
    let began = Instant::now();
    let calm = run(&undisturbed, &sets, &[]).expect_code(0).folder();
    let whole = began.elapsed().as_micros() as u64;
    assert_eq!(results(&calm).len(), 12 * COPIES);
    let pipeline = copies();
    let is_begun =
        || glob::glob(&format!("{}/*/run.json", pipeline.out().display())).expect("a pattern").next().is_some();
    let mut random = Random::new(15);
    let mut kills = 0;
    for _ in 0..6 {
        let mut command = pipeline.command();
        command.args(sets.iter().flat_map(|set| ["--set", set]));
        if is_begun() {
            command.args(["--resume", "last"]);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        // Somewhere in the first half, whatever the machine.
        let moment = Duration::from_micros(whole / 5 + random.below(whole / 3));
        if wait(&mut child, moment).is_some() {
            break;
        }
        kills += usize::from(is_begun());
    }
    assert!(kills >= 1, "no kill came before the end");
    let last = run(&pipeline, &sets, &["--resume", "last"]).expect_code(0);
    same(&calm, &last.folder());
}

#[test]
fn the_expected_outputs_of_tests_change_no_score_and_no_rank() {
    let pipeline = example("pipeline.toml", None);
    let calm = run(&pipeline, &[], &[]).expect_code(0).folder();
    let mut other = example("pipeline.toml", None);
    for (name, task) in files("tasks") {
        let mut task: Value = serde_json::from_str(&task).expect("a task");
        for test in task["test"].as_array_mut().expect("tests") {
            test["output"] = json!([[7, 3, 7]]);
        }
        other = other.with(&format!("tasks/{name}"), task.to_string());
    }
    let changed = run(&other, &[], &[]).expect_code(0).folder();
    assert_eq!(submission(&calm), submission(&changed));
    // The programs that are kept without what came of the tests, and whether anything was right there.
    let kept = |line: &Value| {
        let kept = &line["outputs"]["keep"]["kept"];
        let right = kept.as_array().expect("programs").iter().any(|kept| kept["test"].to_string().contains("equal"));
        (without(&without(kept, "test"), "differences"), right)
    };
    let mut right = 0;
    for (calm, changed) in results(&calm).iter().zip(results(&changed)) {
        for stage in ["candidates", "score", "canonical"] {
            assert!(calm["outputs"][stage].is_object(), "{stage}");
            assert_eq!(calm["outputs"][stage], changed["outputs"][stage]);
        }
        let ((calm, was), (changed, is)) = (kept(calm), kept(&changed));
        assert_eq!(calm, changed);
        assert!(!is, "nothing is right on the changed tests");
        right += usize::from(was);
    }
    assert!(right >= 10, "{right} tasks are right on their own tests");
}

#[test]
fn the_order_of_program_files_changes_nothing_but_names() {
    let plain = example("pipeline.toml", None);
    let calm = run(&plain, &[], &[]).expect_code(0).folder();
    let pipeline = example("pipeline.toml", None);
    for (at, (name, program)) in files("programs").into_iter().rev().enumerate() {
        fs::remove_file(pipeline.path().join("programs").join(name)).expect("removed");
        fs::write(pipeline.path().join(format!("programs/{at:02}.txt")), program).expect("written");
    }
    let permuted = run(&pipeline, &[], &[]).expect_code(0).folder();
    assert_eq!(submission(&calm), submission(&permuted));
    for (mut calm, mut permuted) in results(&calm).into_iter().zip(results(&permuted)) {
        for (stage, member) in [("canonical", "bodies"), ("validate", "results"), ("keep", "kept"), ("keep", "matrix")]
        {
            let [calm, permuted] = [&mut calm, &mut permuted].map(|line| line["outputs"][stage][member].take());
            let [calm, permuted] = [calm, permuted].map(|value| without(&value, "name"));
            assert!(calm.as_array().is_some_and(|list| !list.is_empty()), "{stage}.{member}: {calm}");
            assert_eq!(calm, permuted, "{stage}.{member}");
        }
    }
}

#[test]
fn a_search_over_generations_comes_out_the_same_in_every_form() {
    // What no program of the folder solves, and one that needs no search.
    let some = |form| {
        let pipeline = example("evolve.toml", form);
        for (name, _) in files("tasks") {
            if !["crop.json", "tile.json", "mirror.json"].contains(&&*name) {
                fs::remove_file(pipeline.path().join("tasks").join(name)).expect("removed");
            }
        }
        pipeline
    };
    let linked = some(None);
    let first = run(&linked, &[], &["--jobs", "1"]).expect_code(0).folder();
    for line in results(&first) {
        let evolve = &line["outputs"]["evolve"];
        assert_eq!((&evolve["solved"], &evolve["stopped"]), (&json!(true), &json!("solved")), "{}", line["item"]);
        let generations = evolve["generations"].as_array().expect("generations").len();
        assert_eq!(generations > 1, line["item"] != "mirror", "{}: {generations} generations", line["item"]);
    }
    let component = some(Some("wasm"));
    same(&first, &run(&component, &[], &["--jobs", "16"]).expect_code(0).folder());
}

#[test]
#[ignore = "needs ../shared/data"]
fn solvers_of_arc_tasks_are_right_on_every_pair() {
    let (tasks, grids) = (shared_data("arc"), shared_data("grids"));
    let solvers = grids.join("solvers");
    let wanted: Vec<String> = fs::read_dir(&solvers)
        .expect("solvers")
        .map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    // Fifty tasks of the file: those that have a solver, and some that have none.
    let all: serde_json::Map<String, Value> =
        serde_json::from_slice(&fs::read(tasks.join("training.json")).expect("read")).expect("tasks");
    let (with, without): (Vec<_>, Vec<_>) = all.into_iter().partition(|(id, _)| wanted.contains(id));
    assert_eq!(with.len(), wanted.len());
    let some: serde_json::Map<_, _> = with.into_iter().chain(without).take(50).collect();
    let pipeline = example("pipeline.toml", None).with("arc.json", Value::Object(some).to_string());
    let programs = format!("params.programs={}", solvers.display());
    let done = run(&pipeline, &["params.tasks=arc.json", &programs], &[]).expect_code(0);
    let lines = results(&done.folder());
    assert_eq!(lines.len(), 50);
    for line in &lines {
        let keep = &line["outputs"]["keep"];
        if wanted.iter().any(|id| line["item"] == id.as_str()) {
            assert_eq!(
                (&keep["solved"], &keep["tests_right"]),
                (&json!(true), &json!(true)),
                "{}: {keep}",
                line["item"]
            );
        } else {
            assert_eq!(keep["summary"], "no program", "{}", line["item"]);
        }
    }
}
