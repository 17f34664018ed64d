//! Decisions a second, by policy and number of arms, linked in and seen through the contract.
//!
//!     cargo run --release -p jackfield-routes --example decisions
//!
//! With `PEERS_PYTHON` set to a Python that has `mabwiser`, its Thompson sampling is timed in the same run.

use std::{env, hint::black_box, process::Command, time::Instant};

use jackfield_plugin_api::{Arm, Attempt, Objective, Outcome, PolicyState, Question, Random, testing};
use jackfield_routes::pareto_front;
use serde_json::{Value, json};

const CONTEXTS: [&str; 4] = ["finance", "general", "healthcare", "travel"];
/// Outcomes that each arm of each context has, before anything is timed.
const OUTCOMES: usize = 40;
/// The least of so many runs is reported, each of a millisecond or two, so that some have a core to themselves: others use this
/// machine too.
const RUNS: usize = 200;

fn main() {
    println!("| policy | arms | ns a decision | decisions a second | ns an outcome |");
    println!("| --- | --: | --: | --: | --: |");
    let hints = json!({ "hints": { "key": "alpha", "contexts": { "healthcare": 0.7 }, "other": 0.4 } });
    let mut thompson = Vec::new();
    for (label, name, config) in [
        ("thompson", "thompson", json!({})),
        ("thompson, hints", "thompson", hints),
        ("thompson, gaussian", "thompson", json!({ "likelihood": "gaussian" })),
        ("thompson, centered-beta", "thompson", json!({ "likelihood": "centered-beta" })),
        ("ucb1", "ucb1", json!({})),
        ("epsilon-greedy", "epsilon-greedy", json!({})),
        ("pareto, 3 objectives", "pareto", json!({ "preference": { "cost": 0.3, "diversity": 0.1, "quality": 0.6 } })),
        ("fallback", "fallback", json!({})),
        ("round-robin", "round-robin", json!({})),
    ] {
        for count in [5, 50] {
            let (decision, outcome) = time(name, &config, count);
            println!("| {label} | {count} | {decision:.0} | {:.0} | {outcome:.0} |", 1e9 / decision);
            if label == "thompson" {
                thompson.push((count, decision));
            }
        }
    }
    println!();
    time_front();
    match env::var("PEERS_PYTHON") {
        Ok(python) => compare(&python, &thompson),
        Err(_) => eprintln!("PEERS_PYTHON is not set: no comparison with MABWiser"),
    }
}

fn arms(count: usize) -> Vec<Arm> {
    let arm = |index: usize| {
        let alpha = (index + 1) as f64 / (count + 1) as f64;
        Arm { name: format!("alpha={alpha:.3}"), with: json!({ "alpha": alpha }) }
    };
    (0..count).map(arm).collect()
}

fn outcome(context: &str, arm: &Arm, random: &mut Random) -> Outcome {
    let reward = random.next_f64();
    let objective = |name: &str, value| Objective { name: name.to_owned(), value, minimize: name == "cost" };
    Outcome {
        context: context.to_owned(),
        attempts: vec![Attempt { arm: arm.name.clone(), failed: false }],
        reward: Some(reward),
        objectives: ["cost", "diversity", "quality"].map(|name| objective(name, random.next_f64())).into(),
        ..Outcome::default()
    }
}

/// Nanoseconds of a decision and of an outcome.
fn time(name: &str, config: &Value, count: usize) -> (f64, f64) {
    let arms = arms(count);
    let mut policy = testing::policy(name, config, &arms).expect("a policy");
    let mut random = Random::new(1);
    let mut outcomes = Vec::new();
    for context in CONTEXTS {
        for arm in arms.iter().flat_map(|arm| [arm; OUTCOMES]) {
            outcomes.push(outcome(context, arm, &mut random));
        }
    }
    let mut learned = f64::INFINITY;
    for _ in 0..RUNS / 10 {
        policy = testing::policy(name, config, &arms).expect("a policy");
        let start = Instant::now();
        for outcome in &outcomes {
            policy.learn(outcome).expect("learned");
        }
        learned = learned.min(start.elapsed().as_secs_f64() * 1e9 / outcomes.len() as f64);
    }
    let mut questions = CONTEXTS.map(|context| Question {
        context: context.to_owned(),
        arms: arms.clone().into(),
        tried: Vec::new(),
        pending: Vec::new(),
        seed: 0,
    });
    let rounds = 10_000 / (count * CONTEXTS.len());
    let decided = (0..RUNS).map(|_| decide(&*policy, &mut questions, rounds)).fold(f64::INFINITY, f64::min);
    (decided, learned)
}

fn decide(policy: &dyn PolicyState, questions: &mut [Question], rounds: usize) -> f64 {
    let start = Instant::now();
    let mut seed = 0;
    for _ in 0..rounds {
        for question in &mut *questions {
            question.seed = seed;
            seed += 1;
            black_box(policy.decide(question).expect("a decision"));
        }
    }
    start.elapsed().as_secs_f64() * 1e9 / seed as f64
}

fn time_front() {
    println!("| front, 3 objectives | points | on the front | ms |");
    println!("| --- | --: | --: | --: |");
    let mut random = Random::new(2);
    for count in [1_000, 10_000] {
        let cube: Vec<[f64; 3]> = (0..count).map(|_| std::array::from_fn(|_| random.next_f64())).collect();
        let sphere: Vec<_> = cube
            .iter()
            .map(|point| point.map(|x| -(x + 0.01) / point.iter().map(|x| (x + 0.01).powi(2)).sum::<f64>().sqrt()))
            .collect();
        for (label, points) in [("in a cube", cube), ("on a sphere: all on the front", sphere)] {
            let mut least = f64::INFINITY;
            let mut size = 0;
            for _ in 0..RUNS {
                let start = Instant::now();
                size = black_box(pareto_front(black_box(&points))).iter().filter(|&&on| on).count();
                least = least.min(start.elapsed().as_secs_f64() * 1e3);
            }
            println!("| {label} | {count} | {size} | {least:.2} |");
        }
    }
    println!();
}

/// One context: MABWiser keeps a model without one.
const PEER: &str = "
import sys, time, numpy as np
from mabwiser.mab import MAB, LearningPolicy
rng = np.random.default_rng(1)
for count in map(int, sys.argv[1:]):
    arms = [f'alpha={(i + 1) / (count + 1):.3f}' for i in range(count)]
    mab = MAB(arms, LearningPolicy.ThompsonSampling(), seed=1)
    mab.fit(arms * 40, rng.integers(0, 2, count * 40))
    least = float('inf')
    for _ in range(200):
        start = time.perf_counter()
        for _ in range(5000 // count // 10):
            mab.predict()
        least = min(least, (time.perf_counter() - start) / (5000 // count // 10))
    print(count, least * 1e9)
";

fn compare(python: &str, ours: &[(usize, f64)]) {
    let mut command = Command::new(python);
    command.args(["-W", "ignore", "-c", PEER]).args(ours.iter().map(|(count, _)| count.to_string()));
    let output = command.output().expect("PEERS_PYTHON runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("| Thompson sampling | arms | ns a decision | ratio |");
    println!("| --- | --: | --: | --: |");
    for (line, (count, own)) in said.lines().zip(ours) {
        let peer: f64 = line.split(' ').nth(1).and_then(|number| number.parse().ok()).expect("a number");
        println!("| MABWiser `predict` | {count} | {peer:.0} | {:.1} |", peer / own);
    }
}
