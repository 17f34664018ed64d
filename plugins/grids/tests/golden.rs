//! What was recorded with the published implementation of the language, in CPython, comes of this one too.
//!
//! The shipped records are those of calls that were made up; the folder beside the repository, where it is there, has calls and
//! programs on public ARC tasks too.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
};

use jackfield_grids::{
    evaluate::{Forest, Options, Result as Came, Verdict},
    machine::{Limits, Order},
    program::{Canonical, canonical, parse},
    records::check,
    task::{Cells, Demo, Test},
    value::{Grid, Value},
};
use serde::Deserialize;
use serde_json::Value as Json;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The folder of data that was recorded, which the project's developers share and no clone has.
fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data")
}

/// The records that every clone has, and those of the developers where they are.
fn all_records(name: &str) -> Vec<PathBuf> {
    let shared = recorded().join("grids").join(name);
    std::iter::once(fixtures().join(name)).chain(shared.exists().then_some(shared)).collect()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lines<T: serde::de::DeserializeOwned>(path: &Path) -> Vec<T> {
    text(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every record that differs, in words.
fn differences(records: &[Json], order: Order) -> Vec<String> {
    let check = |record: &Json| check(record, order).err().map(|what| format!("{}: {what}", record["id"]));
    records.iter().filter_map(check).collect()
}

#[test]
fn recorded_calls_of_every_primitive_give_what_was_recorded() {
    for file in all_records("primitives.jsonl") {
        let records: Vec<Json> = lines(&file);
        assert!(records.len() > 1000, "{} has records", file.display());
        let wrong = differences(&records, Order::Ascending);
        assert!(wrong.is_empty(), "{} of {} differ: {wrong:#?}", wrong.len(), records.len());
    }
}

#[test]
fn recorded_calls_give_what_was_recorded_in_the_order_of_cpython_too() {
    for file in all_records("primitives.jsonl") {
        // What depends on order has an outcome of its own, unless the order there cannot be told.
        let has_recorded_order =
            |record: &Json| record["order"].as_bool() != Some(true) || record.get("cpython").is_some();
        let records: Vec<Json> = lines(&file).into_iter().filter(has_recorded_order).collect();
        let wrong = differences(&records, Order::Cpython);
        assert!(wrong.is_empty(), "{} of {} differ: {wrong:#?}", wrong.len(), records.len());
    }
}

#[derive(Deserialize)]
struct Task {
    train: Vec<Demo>,
    test: Vec<Test>,
}

impl Task {
    fn pairs(&self) -> Vec<(Rc<Grid>, Option<Grid>)> {
        let train = self.train.iter().map(|demo| (&demo.input, Some(&demo.output)));
        let test = self.test.iter().map(|test| (&test.input, test.output.as_ref()));
        train.chain(test).map(|(input, output)| (Rc::new(input.to_grid()), output.map(Cells::to_grid))).collect()
    }

    /// What comes of several programs, evaluated together, pair by pair.
    fn outcomes(&self, programs: &[Canonical], options: Options) -> Vec<Vec<String>> {
        let mut forest = Forest::new(options);
        let numbers: Vec<usize> = programs.iter().map(|program| forest.add(program)).collect();
        let mut outcomes = vec![Vec::new(); programs.len()];
        for (input, expected) in self.pairs() {
            forest.set_input(&input);
            let expected = expected.expect("recorded tasks have all outputs");
            for (number, outcomes) in numbers.iter().zip(&mut outcomes) {
                outcomes.push(Verdict::of(&forest.run(*number), &expected).outcome());
            }
        }
        outcomes
    }
}

fn tasks(folder: &Path) -> BTreeMap<String, Task> {
    read(&folder.join("arc/training.json"))
}

/// Recorded programs stay far below the limit that holds by default.
fn a_twentieth_of_the_steps() -> Options {
    let limits = Limits { steps: Limits::default().steps / 20, ..Limits::default() };
    Options { limits, ..Options::default() }
}

fn body(text: &str, name: &str) -> Canonical {
    canonical(&parse(text).unwrap_or_else(|faults| panic!("{name}: {faults:?}")))
}

/// An outcome as records have it: of a fault, not which.
fn as_recorded(outcome: &str) -> &str {
    match outcome.split_once(':') {
        Some((kind @ ("error" | "limit"), _)) => kind,
        _ => outcome,
    }
}

#[derive(Deserialize)]
struct Recorded {
    #[serde(default)]
    file: String,
    #[serde(default)]
    program: String,
    task: String,
    #[serde(default)]
    same_as: Option<String>,
    #[serde(default)]
    demo: Vec<String>,
    #[serde(default)]
    test: Vec<String>,
}

impl Recorded {
    fn differs(&self, outcomes: &[String]) -> Option<String> {
        let wanted: Vec<&str> = self.demo.iter().chain(&self.test).map(String::as_str).collect();
        let came: Vec<&str> = outcomes.iter().map(|outcome| as_recorded(outcome)).collect();
        (came != wanted)
            .then(|| format!("{}{}: {outcomes:?}, recorded {wanted:?}\n{}", self.file, self.task, self.program))
    }
}

#[test]
#[ignore = "needs ../shared/data"]
fn recorded_programs_have_the_recorded_outcomes_and_bodies() {
    let folder = recorded();
    let tasks = tasks(&folder);
    let programs: Vec<Recorded> = read(&folder.join("grids/programs.json"));
    let body_of = |file: &str| body(&text(&folder.join("grids").join(file)), file);
    let mut wrong = Vec::new();
    for program in &programs {
        let body = body_of(&program.file);
        wrong.extend(
            program.differs(&tasks[&program.task].outcomes(std::slice::from_ref(&body), a_twentieth_of_the_steps())[0]),
        );
        if let Some(same) = &program.same_as {
            assert_eq!(body.digest(), body_of(same).digest(), "{} says the same as {same}", program.file);
        }
    }
    assert!(wrong.is_empty() && programs.len() > 50, "{} of {} differ: {wrong:#?}", wrong.len(), programs.len());
}

#[test]
#[ignore = "needs ../shared/data"]
fn candidates_have_the_recorded_outcomes_together_alone_and_with_every_switch_off() {
    let folder = recorded();
    let tasks = tasks(&folder);
    let mut by_task: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
    for candidate in lines::<Recorded>(&folder.join("grids/candidates.jsonl")) {
        by_task.entry(candidate.task.clone()).or_default().push(candidate);
    }
    assert!(!by_task.is_empty());
    let mut wrong = Vec::new();
    for (task, candidates) in &by_task {
        let bodies: Vec<Canonical> = candidates.iter().map(|candidate| body(&candidate.program, task)).collect();
        let together = tasks[task].outcomes(&bodies, a_twentieth_of_the_steps());
        let off = Options { shared: false, kept_primitives: false, ..a_twentieth_of_the_steps() };
        assert_eq!(together, tasks[task].outcomes(&bodies, off), "{task}: what is shared makes no difference");
        wrong.extend(candidates.iter().zip(&together).filter_map(|(candidate, outcomes)| candidate.differs(outcomes)));
    }
    assert!(wrong.is_empty(), "{} differ: {wrong:#?}", wrong.len());
}

#[test]
#[ignore = "needs ../shared/data"]
fn programs_of_the_remaining_primitives_give_the_recorded_values() {
    #[derive(Deserialize)]
    struct Synthetic {
        file: String,
        task: String,
        out: Vec<Json>,
        #[serde(default)]
        cpython: Option<Vec<Json>>,
    }
    let folder = recorded();
    let tasks = tasks(&folder);
    for program in read::<Vec<Synthetic>>(&folder.join("grids/synthetic.json")) {
        let body = body(&text(&folder.join("grids").join(&program.file)), &program.file);
        let orders = [(Order::Ascending, Some(&program.out)), (Order::Cpython, program.cpython.as_ref())];
        for (order, wanted) in orders.into_iter().filter_map(|(order, wanted)| Some((order, wanted?))) {
            let mut forest = Forest::new(Options { order, ..Options::default() });
            let number = forest.add(&body);
            for ((input, _), wanted) in tasks[&program.task].pairs().iter().zip(wanted) {
                forest.set_input(input);
                match forest.run(number) {
                    Came::Value(value) => assert_eq!(value.to_json(), *wanted, "{}", program.file),
                    Came::Fault(fault, line) => {
                        panic!("{}: line {line}: {fault}, and {wanted} was recorded", program.file)
                    }
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Malformed {
    file: String,
    expect: String,
    line: u32,
}

/// What comes of a text on a grid: the first fault of the text, or what evaluation ends in.
fn end(text: &str, input: &Rc<Grid>) -> (String, u32) {
    let program = match parse(text) {
        Err(faults) => return (faults[0].kind.name().to_owned(), faults[0].line),
        Ok(program) => program,
    };
    let body = canonical(&program);
    let mut forest = Forest::new(Options::default());
    let number = forest.add(&body);
    forest.set_input(input);
    match forest.run(number) {
        Came::Fault(fault, line) => (fault.outcome().replace("error:", "run:"), line),
        Came::Value(value) if value.as_grid().is_none() => {
            ("not-a-grid".to_owned(), body.nodes[body.output as usize].line)
        }
        Came::Value(_) => ("equal".to_owned(), 0),
    }
}

#[test]
fn malformed_programs_are_refused_or_stopped_where_they_are_wrong() {
    let grid = Value::from_json(
        &serde_json::json!({ "g": ["000000", "003000", "030300", "003030", "000300", "000000"] }),
        &mut jackfield_grids::machine::Machine::new(Order::Ascending, Options::default().limits),
    );
    let grid = grid.unwrap().as_grid().unwrap();
    for file in all_records("malformed.json") {
        let folder = file.parent().expect("a folder");
        let mut wrong = Vec::new();
        for program in read::<Vec<Malformed>>(&file) {
            let (kind, line) = end(&text(&folder.join(&program.file)), &grid);
            // A line that is dead and cannot fail is not run.
            let dead = kind == "equal" && text(&folder.join(&program.file)).contains("O = fill(I, ONE, x1)");
            if (kind != program.expect || line != program.line) && !dead {
                wrong.push(format!(
                    "{}: {kind} in line {line}, and not {} in {}",
                    program.file, program.expect, program.line
                ));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
