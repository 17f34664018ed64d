//! Times the feedback filter against NumPy: the same items, the same rule, the same items accepted.
//!
//! `PEERS_PYTHON=python cargo run --release -p jackfield-retrieval --example feedback_bench` prints Markdown. The script
//! beside this file does the rule in NumPy; it is left out without `PEERS_PYTHON`.

use std::{
    error::Error,
    fs,
    hint::black_box,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use jackfield_plugin_api::Random;
use jackfield_retrieval::feedback::filter::{Columns, Filter, Rule};
use serde_json::Value;

const RULE: Rule = Rule { threshold: 0.5, half_life: 14.0, max_age: 90.0, sigmas: 3.0, per_user: 10, per_intent: 100 };
const OF_DAY: f64 = 0.5;

/// Made up: most items are fresh, users are many, intents few.
struct Made {
    factors: [Vec<f32>; 3],
    age: Vec<f32>,
    user: Vec<u32>,
    intent: Vec<u32>,
}

impl Made {
    fn new(count: usize) -> Self {
        let mut random = Random::new(count as u64);
        let mut column =
            |of: &dyn Fn(f64) -> f64| (0..count).map(|_| of(random.next_f64()) as f32).collect::<Vec<f32>>();
        let factors = [column(&|x| 0.5 + 0.5 * x), column(&|x| 0.4 + 0.6 * x), column(&|x| x.sqrt())];
        let age = column(&|x| 100.0 * x * x);
        let mut numbers = |below: usize| (0..count).map(|_| random.below(below as u64) as u32).collect::<Vec<u32>>();
        let (user, intent) = (numbers(count / 20 + 2), numbers(count / 200 + 2));
        Self { factors, age, user, intent }
    }

    fn columns(&self) -> Columns<'_> {
        let [confidence, reputation, specificity] = &self.factors;
        Columns {
            confidence,
            reputation,
            specificity,
            age: &self.age,
            user: &self.user,
            intent: &self.intent,
            elapsed_day: OF_DAY,
        }
    }

    /// The columns one after the other, each number in four bytes.
    fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        for column in self.factors.iter().chain([&self.age]) {
            column.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
        }
        for column in [&self.user, &self.intent] {
            column.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
        }
        fs::write(path, bytes)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let python = std::env::var_os("PEERS_PYTHON");
    let filter = Filter::new(RULE);
    println!("| items | accepted | this filter, median | NumPy, median | ratio | NumPy, decay alone |");
    println!("| --: | --: | --: | --: | --: | --: |");
    for (count, runs, inner) in [(100, 201, 1000), (1_000_000, 31, 1)] {
        let made = Made::new(count);
        let outcome = filter.apply(&made.columns());
        let mut times: Vec<Duration> = (0..runs)
            .map(|_| {
                let start = Instant::now();
                for _ in 0..inner {
                    black_box(filter.apply(black_box(&made.columns())));
                }
                start.elapsed() / inner
            })
            .collect();
        times.sort_unstable();
        let ours = times[runs / 2].as_secs_f64() * 1e6;
        let accepted = outcome.accepted.len();
        let Some(python) = &python else {
            println!("| {count} | {accepted} | {ours:.2} us | | | |");
            continue;
        };
        let data = std::env::temp_dir().join(format!("feedback-{}-{count}.bin", std::process::id()));
        made.write(&data)?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feedback_bench.py");
        let output = Command::new(python).arg(script).arg(&data).arg(count.to_string()).output()?;
        fs::remove_file(&data)?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let answer: Value = serde_json::from_slice(&output.stdout)?;
        let theirs: Vec<u32> = serde_json::from_value(answer["accepted"].clone())?;
        assert_eq!(outcome.accepted, theirs, "NumPy accepts other items");
        let micros = |key: &str| answer[key].as_f64().unwrap_or(f64::NAN);
        let (whole, decay) = (micros("whole"), micros("decay"));
        println!("| {count} | {accepted} | {ours:.2} us | {whole:.1} us | {:.1} | {decay:.1} us |", whole / ours);
    }
    Ok(())
}
