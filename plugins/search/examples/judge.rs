//! How much searches dominate of three test problems, medians over blocks of 20 seeds, beside what an equal implementation of the
//! same rule reaches in 95 of 100 blocks.
//!
//!     cargo run --release -p jackfield-search --example judge -- 50
//!     cargo run --release -p jackfield-search --example judge -- jsonl > trials.jsonl
//!
//! The number is how many blocks. With `jsonl`, the values of every trial of one block are written, for a judge of another origin.

#[path = "../tests/searches/problems.rs"]
mod problems;

use jackfield_search as _;
use problems::{Problem, open, problems};
use serde_json::{Value, json};

const SEEDS: u64 = 20;

/// A search, how many trials it has, and what an equal implementation reaches of each problem in 95 of 100 blocks; of `random`,
/// what it reaches.
struct Entry {
    search: &'static str,
    config: Value,
    trials: u64,
    bar: [f64; 3],
}

impl Entry {
    fn label(&self) -> String {
        match &self.config["startup"] {
            Value::Null => format!("`{}`", self.search),
            startup => format!("`{}`, startup {startup}", self.search),
        }
    }
}

fn entries() -> Vec<Entry> {
    vec![
        Entry { search: "random", config: json!({}), trials: 200, bar: [8.92, 0.819, 4.01] },
        Entry { search: "nsga2", config: json!({}), trials: 200, bar: [9.57, 0.842, 4.06] },
        Entry { search: "tpe", config: json!({ "startup": 30 }), trials: 100, bar: [9.95, 0.853, 4.02] },
        Entry { search: "tpe", config: json!({ "startup": 60 }), trials: 200, bar: [10.13, 0.869, 4.13] },
    ]
}

fn main() {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "1".to_owned());
    if argument == "jsonl" {
        entries().iter().for_each(|entry| problems().iter().for_each(|problem| write_trials(entry, problem)));
        return;
    }
    let blocks: u64 = argument.parse().expect("a number of blocks, or `jsonl`");
    println!("| search | trials | problem | bar | medians of blocks: least | median | greatest | blocks at or above |");
    println!("| --- | --: | --- | --: | --: | --: | --: | --: |");
    for entry in entries() {
        for (problem, bar) in problems().iter().zip(entry.bar) {
            let mut medians: Vec<f64> = (0..blocks).map(|block| block_median(&entry, problem, block)).collect();
            medians.sort_by(f64::total_cmp);
            let reached = medians.iter().filter(|median| **median >= bar).count();
            let [least, middle, greatest] = [medians[0], median(&medians), medians[medians.len() - 1]];
            println!(
                "| {} | {} | {} | {bar} | {least:.3} | {middle:.3} | {greatest:.3} | {reached} of {blocks} |",
                entry.label(),
                entry.trials,
                problem.name
            );
        }
    }
}

fn block_median(entry: &Entry, problem: &Problem, block: u64) -> f64 {
    let search = open(entry.search, &entry.config);
    let reach = |seed: u64| problem.dominated(&problem.run(&*search, block * SEEDS + seed, entry.trials));
    let mut reached: Vec<f64> = (0..SEEDS).map(reach).collect();
    reached.sort_by(f64::total_cmp);
    median(&reached)
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

fn write_trials(entry: &Entry, problem: &Problem) {
    let search = open(entry.search, &entry.config);
    for seed in 0..SEEDS {
        for outcome in problem.run(&*search, seed, entry.trials) {
            let line = json!({
                "problem": problem.name, "sampler": entry.label(), "seed": seed, "trial": outcome.trial, "params": outcome.values,
            });
            println!("{line}");
        }
    }
}
