//! What the stages of a search take on one thread, without a host around them: `batch TASKS PROGRAMS.py [RUNS]`.
//!
//! TASKS is a JSON file of tasks by id; PROGRAMS.py has the candidates, each a function `solve_<task>`. For every task the
//! candidates are gathered, scored, reduced, validated, kept and submitted, each stage from the JSON of those before it to its own.
//! A run is cold: there is no cache. Of all runs the least counts, for each stage on its own. The digest is that of all answers: it
//! says whether two builds answer alike.
use std::{
    collections::BTreeMap,
    error::Error,
    io::Write as _,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::Instant,
};

use jackfield_grids as _;
use jackfield_plugin_api::{
    Document, Instance, Kind, Request, linked_extension,
    testing::{FakeHost, test_context},
    to_hex,
};
use serde_json::{json, value::RawValue};
use sha2::{Digest as _, Sha256};

/// As in the host.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The stages in order: what each reads, and from where.
const STAGES: [(&str, &str); 6] = [
    ("grid-candidates", "task=id"),
    ("grid-score", "demos=train programs=programs"),
    ("grid-canonical", "id=id programs=programs scores=scores"),
    ("grid-validate", "id=id train=train test=test bodies=bodies"),
    ("grid-keep", "demos=train bodies=bodies results=results"),
    ("grid-submission", "id=id test=test kept=kept"),
];

/// Runs of the batch, of which the least counts.
const RUNS: u32 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (tasks, programs) = (arguments.next().ok_or("name the tasks")?, arguments.next().ok_or("name the programs")?);
    let runs = arguments.next().map_or(Ok(RUNS), |runs| runs.parse())?;
    let tasks = std::fs::read_to_string(tasks)?;
    let tasks: BTreeMap<String, Members<'_>> = serde_json::from_str(&tasks)?;
    let text = std::fs::read_to_string(&programs)?;
    let mut stages = Vec::new();
    for (name, inputs) in STAGES {
        let config = match name {
            "grid-candidates" => json!({ "programs": [{ "path": programs, "text": text }] }),
            _ => json!({}),
        };
        let extension = linked_extension(Kind::Analyzer, name).ok_or("a stage is not linked in")?;
        stages.push((name, inputs, extension.open(&config.to_string())?));
    }
    let mut least = [f64::INFINITY; STAGES.len()];
    let mut digest = String::new();
    let mut bytes = (0, 0);
    for _ in 0..runs {
        let mut taken = [0.0; STAGES.len()];
        let mut answers = Sha256::new();
        bytes = (0, 0);
        for (id, task) in &tasks {
            let mut known: BTreeMap<String, Arc<str>> =
                task.iter().map(|(name, value)| (name.clone(), value.get().into())).collect();
            known.insert("id".to_owned(), json!(id).to_string().into());
            for ((_, inputs, stage), taken) in stages.iter().zip(&mut taken) {
                let input = document(inputs, &known);
                bytes.0 += input.len();
                let (answer, seconds) = answer(&**stage, input)?;
                *taken += seconds;
                bytes.1 += answer.len();
                answers.update(answer.as_bytes());
                let members: Members<'_> = serde_json::from_str(&answer)?;
                known.extend(members.into_iter().map(|(name, value)| (name, value.get().into())));
            }
        }
        for (least, taken) in least.iter_mut().zip(taken) {
            *least = least.min(taken);
        }
        digest = to_hex(&answers.finalize()[..8]);
    }
    let mut out = std::io::stdout().lock();
    for ((name, _), least) in STAGES.iter().zip(least) {
        writeln!(out, "{:>9.2} ms {name}", least * 1e3)?;
    }
    let (all, tasks) = (least.iter().sum::<f64>() * 1e3, tasks.len());
    writeln!(out, "{all:>9.2} ms for {tasks} tasks; {} bytes in, {} out; digest {digest}", bytes.0, bytes.1)?;
    Ok(())
}

/// The document that a stage reads.
fn document(inputs: &str, known: &BTreeMap<String, Arc<str>>) -> String {
    let members = inputs.split(' ').filter_map(|input| {
        let (name, from) = input.split_once('=')?;
        Some(format!("\"{name}\":{}", known.get(from)?))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// What a stage answers, and the seconds that it takes.
fn answer(stage: &dyn Instance, document: String) -> Result<(Arc<str>, f64), Box<dyn Error>> {
    let host = FakeHost::default();
    let request = [Request { document: Document::new(document), context: test_context() }];
    let start = Instant::now();
    let mut answer = stage.call(&request, &host);
    // Nothing is waited for but the host, which answers at once.
    let Poll::Ready(mut answers) = answer.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) else {
        return Err("a stage waits".into());
    };
    let taken = start.elapsed().as_secs_f64();
    Ok((answers.pop().ok_or("a stage gives no answer")??.json, taken))
}
