//! What a decision costs, by how many trials are known: ten dimensions, two objectives, 128 candidates; `tpe` beside Optuna's.
//!
//!     pip install optuna==4.8.0
//!     OPTUNA_PYTHON=python3 cargo run --release -p jackfield-search --example cost
//!
//! Times are medians. Without `OPTUNA_PYTHON`, an interpreter that has Optuna, ours alone are measured.

#[path = "../tests/searches/problems.rs"]
mod problems;

use std::{
    error::Error,
    io::Write as _,
    process::{Command, Stdio},
    time::Instant,
};

use jackfield_plugin_api::Outcome;
use problems::{open, problems, question};
use serde_json::{Value, json};

const TRIALS: [u64; 3] = [100, 200, 1_000];
const REPEATS: u64 = 51;

fn main() -> Result<(), Box<dyn Error>> {
    let problems = problems();
    let problem = &problems[1];
    let trials = problem.run(&*open("random", &json!({})), 1, TRIALS[1]);
    println!("{}, of which {} random trials dominate {:.3}\n", problem.name, TRIALS[1], problem.dominated(&trials));
    println!(
        "| trials | `tpe` | `nsga2` | Optuna 4.8.0, `TPESampler` | Optuna / `tpe` |\n| --: | --: | --: | --: | --: |"
    );
    for trials in TRIALS {
        let known = problem.run(&*open("random", &json!({})), 1, trials);
        let ours = ["tpe", "nsga2"].map(|name| {
            let search = open(name, &json!({}));
            let search = search.as_search().expect("a search");
            let mut times: Vec<f64> = (0..REPEATS)
                .map(|at| {
                    let start = Instant::now();
                    let values = search.suggest(&problem.study, &known, &question(at, trials)).expect("values");
                    assert_eq!(values.len(), 10);
                    start.elapsed().as_secs_f64()
                })
                .collect();
            times.sort_by(f64::total_cmp);
            times[times.len() / 2] * 1e3
        });
        let theirs = match std::env::var("OPTUNA_PYTHON") {
            Ok(python) => {
                let time = optuna(&python, &problem.study.space, &known)?;
                format!("{time:.1} ms | {:.0}x", time / ours[0])
            }
            Err(_) => "- | -".to_owned(),
        };
        println!("| {trials} | {:.3} ms | {:.3} ms | {theirs} |", ours[0], ours[1]);
    }
    Ok(())
}

/// Milliseconds of Optuna's suggestion from the same trials.
fn optuna(python: &str, space: &[jackfield_plugin_api::Dimension], known: &[Outcome]) -> Result<f64, Box<dyn Error>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/cost.py");
    let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let trials: Vec<Value> = (known.iter())
        .map(|outcome| json!({ "values": outcome.values, "losses": outcome.objectives.iter().map(|one| one.value).collect::<Vec<_>>() }))
        .collect();
    let mut input = child.stdin.take().ok_or("no pipe")?;
    input.write_all(json!({ "space": space, "trials": trials }).to_string().as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
