//! Tasks of grids as people have them: in one file or in many, broken ones among them, with their solutions apart.

use std::{fmt::Write as _, fs};

use serde_json::{Map, Value, json};

use crate::{
    grids::{example, files, run, same, submission, without},
    support::{Pipeline, jackfield, result, results, run_command},
};

/// The example's tasks by name, all of one file.
fn tasks() -> Map<String, Value> {
    let task = |(name, text): (String, String)| {
        (name.trim_end_matches(".json").to_owned(), serde_json::from_str(&text).expect("a task"))
    };
    files("tasks").into_iter().map(task).collect()
}

#[test]
fn tasks_of_one_file_come_out_as_those_of_a_folder() {
    let pipeline = example("pipeline.toml", None).with("tasks.json", Value::Object(tasks()).to_string());
    let folder = run(&pipeline, &[], &[]).expect_code(0).folder();
    same(&folder, &run(&pipeline, &["params.tasks=tasks.json"], &[]).expect_code(0).folder());
}

/// What came of an item that has no result, in a line.
fn fault(line: &Value) -> String {
    let mut told = format!("{}: {}", line["item"].as_str().expect("an id"), line["state"].as_str().expect("a state"));
    if let Some(fault) = line["fault"].as_str() {
        let _ = write!(told, ": {fault}");
    }
    for (stage, failures) in line["failures"].as_object().into_iter().flatten() {
        for failure in failures.as_array().expect("failures") {
            let _ = write!(told, "\n  {stage}: {}", failure["message"].as_str().expect("a message"));
        }
    }
    told
}

#[test]
fn a_broken_task_fails_alone_and_says_where_it_is_broken() {
    let good = tasks()["mirror"].clone();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut task = good.clone();
        change(&mut task);
        task.to_string()
    };
    let broken = [
        ("cut-off", "{\"train\": [".to_owned()),
        ("ragged", with(&|task| task["train"][1]["output"][2] = json!([0]))),
        ("colour-ten", with(&|task| task["train"][0]["input"][1][2] = json!(10))),
        ("colour-less-than-none", with(&|task| task["test"][1]["input"][0][0] = json!(-1))),
        ("half-a-colour", with(&|task| task["train"][0]["output"][0][0] = json!(1.5))),
        ("no-rows", with(&|task| task["train"][0]["input"] = json!([]))),
        ("no-cells", with(&|task| task["train"][0]["input"] = json!([[]]))),
        ("words", with(&|task| task["train"][0]["input"] = json!("3 0 0"))),
        ("huge", with(&|task| task["test"][0]["input"] = json!(vec![vec![0; 1001]]))),
        ("no-demonstrations", with(&|task| task["train"] = json!([]))),
        ("nothing-to-come", with(&|task| drop(task["train"][2].as_object_mut().expect("a pair").remove("output")))),
        ("train-alone", with(&|task| drop(task.as_object_mut().expect("a task").remove("test")))),
        ("train-is-no-list", with(&|task| task["train"] = json!(3))),
        ("odd-test-output", with(&|task| task["test"][0]["output"] = json!([[1], [2, 3]]))),
    ];
    let fine = [
        ("unknown", with(&|task| drop(task["test"][1].as_object_mut().expect("a pair").remove("output")))),
        ("untested", with(&|task| task["test"] = json!([]))),
        ("signed", with(&|task| task["author"] = json!({"name": "somebody"}))),
        ("mirror", good.to_string()),
    ];
    let program = &files("programs").into_iter().find(|(name, _)| name == "mirror.txt").expect("a program").1;
    let mut pipeline = example("pipeline.toml", None);
    fs::remove_dir_all(pipeline.path().join("tasks")).expect("removed");
    for (name, task) in broken.iter().chain(&fine) {
        let program = program.replace("solve_mirror", &format!("solve_{name}"));
        pipeline = pipeline.with(&format!("tasks/{name}.json"), task).with(&format!("programs/{name}.txt"), program);
    }
    let folder = run(&pipeline, &[], &[]).expect_code(3).folder();
    let lines = results(&folder);
    let (whole, failed): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line["state"] == "ok");
    let told: Vec<String> = failed.iter().map(fault).collect();
    insta::assert_snapshot!(told.join("\n").replace(&*pipeline.path().to_string_lossy(), "[folder]"));
    assert_eq!(failed.len(), broken.len());
    assert_eq!(whole.len(), fine.len());
    for line in whole {
        assert_eq!(line["outputs"]["keep"]["solved"], true, "{}", line["item"]);
    }
    let alone = run(&pipeline, &["params.tasks=tasks/mirror.json"], &[]).expect_code(0).folder();
    assert_eq!(result(&folder, "mirror"), result(&alone, "mirror"), "a broken task harms its neighbour");
}

/// The tasks without the outputs of their tests, and these by task, as competitions have them.
fn challenges() -> (Value, Value) {
    let (mut tasks, mut solutions) = (tasks(), Map::new());
    for (id, task) in &mut tasks {
        let tests = task["test"].as_array_mut().expect("tests").iter_mut();
        let outputs = tests.map(|test| test.as_object_mut().expect("a pair").remove("output").expect("an output"));
        solutions.insert(id.clone(), outputs.collect());
    }
    (Value::Object(tasks), Value::Object(solutions))
}

fn apart() -> (Pipeline, Value) {
    let (tasks, solutions) = challenges();
    let pipeline = example("pipeline.toml", None)
        .with("challenges.json", tasks.to_string())
        .with("solutions.json", solutions.to_string());
    (pipeline, solutions)
}

const CHALLENGES: &str = "params.tasks=challenges.json";
const SOLUTIONS: &str = "stages.validate.with.solutions=solutions.json";

#[test]
fn solutions_in_a_file_of_their_own_are_what_the_tests_are_compared_with() {
    let (pipeline, _) = apart();
    let whole = run(&pipeline, &[], &[]).expect_code(0).folder();
    let solved = run(&pipeline, &[CHALLENGES, SOLUTIONS], &[]).expect_code(0).folder();
    assert_eq!(submission(&whole), submission(&solved));
    // The outputs themselves are not there to be drawn.
    let lines = |folder| results(folder).iter().map(|line| without(line, "differences")).collect::<Vec<_>>();
    assert_eq!(lines(&whole), lines(&solved));
    let without = run(&pipeline, &[CHALLENGES], &[]).expect_code(0).folder();
    assert_eq!(submission(&whole), submission(&without));
    for line in results(&without) {
        let keep = &line["outputs"]["keep"];
        assert_eq!(keep["tests_right"], Value::Null, "{}", line["item"]);
        let tests: Vec<&Value> = keep["kept"].as_array().expect("kept").iter().map(|kept| &kept["test"]).collect();
        assert!(!tests.is_empty() && !format!("{tests:?}").contains("equal"), "{}: {tests:?}", line["item"]);
    }
}

#[test]
fn solutions_that_do_not_fit_are_reported_with_their_position() {
    let (pipeline, mut solutions) = apart();
    solutions["mirror"] = json!([[[1]]]);
    let pipeline = pipeline
        .with("few.json", solutions.to_string())
        .with("cut-off.json", "{\n  \"mirror\": [[[1, 2],\n")
        .with("ragged.json", "{\n  \"mirror\": [[[1, 2], [3]]]\n}")
        .with("list.json", "[]");
    let few = run(&pipeline, &[CHALLENGES, "stages.validate.with.solutions=few.json"], &[]).expect_code(3);
    let mut told: Vec<String> = results(&few.folder()).iter().filter(|line| line["state"] != "ok").map(fault).collect();
    for name in ["cut-off", "ragged", "list"] {
        let set = format!("stages.validate.with.solutions={name}.json");
        let told_by = |command: &str| {
            let mut command_line = jackfield();
            command_line.arg(command).arg(pipeline.path()).args(["--set", CHALLENGES, "--set", &set]);
            pipeline.said(&run_command(&mut command_line).expect_code(2))
        };
        let fault = told_by("check");
        assert_eq!(fault.lines().next(), told_by("run").lines().next());
        told.push(fault);
    }
    insta::assert_snapshot!(told.join("\n"));
}
