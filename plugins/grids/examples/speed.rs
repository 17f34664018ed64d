//! What recorded programs take on one thread, beside what they took in CPython: `speed TASKS PROGRAMS.json [all [RUNS]]`.
//!
//! TASKS is a JSON file of tasks by id; PROGRAMS.json a list of `{file, task, demo, test, cpython_us}`, its files beside it. Each is
//! read, reduced and written as its body, which is measured apart, and run on all pairs of its task.
use std::{collections::BTreeMap, io::Write as _, path::Path, rc::Rc, time::Instant};

use jackfield_grids::{
    evaluate::{Forest, Options, Verdict},
    program::{canonical, parse},
    task::{Demo, Test},
    value::Grid,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Task {
    train: Vec<Demo>,
    test: Vec<Test>,
}

#[derive(Deserialize)]
struct Recorded {
    file: String,
    task: String,
    kind: String,
    #[serde(default)]
    demo: Vec<String>,
    #[serde(default)]
    test: Vec<String>,
    cpython_us: Option<f64>,
}

/// As in the host.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of each program, of which the least counts.
const RUNS: u32 = 15;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (tasks, programs) = (arguments.next().ok_or("name the tasks")?, arguments.next().ok_or("name the programs")?);
    let each = arguments.next().is_some();
    let runs = arguments.next().map_or(Ok(RUNS), |runs| runs.parse())?;
    let tasks: BTreeMap<String, Task> = serde_json::from_str(&std::fs::read_to_string(tasks)?)?;
    let recorded: Vec<Recorded> = serde_json::from_str(&std::fs::read_to_string(&programs)?)?;
    let folder = Path::new(&programs).parent().unwrap_or(Path::new("."));
    let mut out = std::io::stdout().lock();
    let (mut ours, mut theirs, mut differ) = (0.0, 0.0, 0);
    let (mut read, mut reduced, mut written, mut added, mut lines) = (0.0, 0.0, 0.0, 0.0, 0);
    let mut ratios = Vec::new();
    for program in &recorded {
        let text = std::fs::read_to_string(folder.join(&program.file))?;
        let task = tasks.get(&program.task).ok_or("a program of a task that is not there")?;
        let tests = task.test.iter().filter_map(|test| Some((&test.input, test.output.as_ref()?)));
        let pairs: Vec<(Rc<Grid>, Grid)> = task
            .train
            .iter()
            .map(|demo| (&demo.input, &demo.output))
            .chain(tests)
            .map(|(input, output)| (Rc::new(input.to_grid()), output.to_grid()))
            .collect();
        let parsed = parse(&text).map_err(|faults| format!("{}: {:?}", program.file, faults[0]))?;
        let body = canonical(&parsed);
        let mut forest = Forest::new(Options::default());
        let number = forest.add(&body);
        lines += parsed.lines.len();
        read += least_us(runs, || parse(&text));
        reduced += least_us(runs, || canonical(&parsed));
        written += least_us(runs, || body.digest());
        added += least_us(runs, || {
            let mut forest = Forest::new(Options::default());
            forest.add(&body);
            forest
        });
        let mut outcomes = Vec::new();
        for (input, expected) in &pairs {
            forest.set_input(input);
            outcomes.push(Verdict::of(&forest.run(number), expected).outcome());
        }
        let wanted: Vec<&String> = program.demo.iter().chain(&program.test).collect();
        let alike = |(one, other): (&String, &&String)| {
            one.split(':').next() == other.split(':').next()
                && (one.starts_with("error") || one.starts_with("limit") || one == *other)
        };
        if outcomes.len() != wanted.len() || !outcomes.iter().zip(&wanted).all(alike) {
            differ += 1;
            writeln!(out, "{}: {outcomes:?}, and {wanted:?} was recorded", program.file)?;
        }
        let Some(cpython) = program.cpython_us else { continue };
        let mut least = f64::INFINITY;
        for _ in 0..runs {
            // Grids are made anew, so that nothing that was found out about one is left.
            let fresh: Vec<Rc<Grid>> = pairs
                .iter()
                .map(|(input, _)| Rc::new(Grid::new(input.height(), input.width(), input.cells().to_vec())))
                .collect();
            let start = Instant::now();
            for input in &fresh {
                forest.set_input(input);
                std::hint::black_box(forest.run(number));
            }
            least = least.min(start.elapsed().as_secs_f64() * 1e6);
        }
        ours += least;
        theirs += cpython;
        ratios.push(cpython / least);
        if each {
            writeln!(out, "{:>9.2} us {:>8.1}x {} {}", least, cpython / least, program.file, program.kind)?;
        }
    }
    ratios.sort_by(f64::total_cmp);
    let middle = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
    writeln!(
        out,
        "{} programs, {differ} differ; {ours:.0} us against {theirs:.0} us in CPython: {:.0}x (median of a program {middle:.0}x, least {:.0}x)",
        ratios.len(),
        theirs / ours,
        ratios.first().copied().unwrap_or_default(),
    )?;
    writeln!(
        out,
        "{} programs of {lines} lines: read in {read:.0} us, reduced in {reduced:.0}, written and digested in {written:.0}, added to a graph in {added:.0}",
        recorded.len(),
    )?;
    Ok(())
}

/// The least that something takes of so many runs, in microseconds.
fn least_us<T>(runs: u32, run: impl Fn() -> T) -> f64 {
    let once = || {
        let start = Instant::now();
        let made = std::hint::black_box(run());
        let taken = start.elapsed().as_secs_f64() * 1e6;
        drop(made);
        taken
    };
    (0..runs).map(|_| once()).fold(f64::INFINITY, f64::min)
}
