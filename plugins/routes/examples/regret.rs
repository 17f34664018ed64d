//! Regret on five arms whose rewards are known, by policy and rounds, beside what theory says of it.
//!
//!     cargo run --release -p jackfield-routes --example regret
//!
//! Rewards are 0 or 1; regret is what the best arm would have given more, in expectation. The bound of Lai and Robbins (1985)
//! is what no policy stays below for long that is good on all arms: the sum of gap / KL(mean, best) over the other arms, times
//! ln n, as n grows. That of Auer, Cesa-Bianchi and Fischer (2002) is one that UCB1 never exceeds.

use jackfield_plugin_api::{Arm, Attempt, Outcome, Question, Random, testing};
use jackfield_routes as _;
use serde_json::{Value, json};

const MEANS: [f64; 5] = [0.3, 0.9, 0.5, 0.8, 0.7];
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const BEST: f64 = 0.9;
const ROUNDS: [usize; 3] = [100, 1_000, 10_000];
const SEEDS: u64 = 100;

fn main() {
    println!("| regret after rounds, averages over {SEEDS} seeds | 100 | 1,000 | 10,000 |\n| --- | --: | --: | --: |");
    let bolder = json!({ "exploration": 0.5 });
    for (label, name, config, delay) in [
        ("thompson", "thompson", json!({}), 0),
        ("thompson, rewards 64 rounds late", "thompson", json!({}), 64),
        ("ucb1", "ucb1", json!({}), 0),
        ("ucb1, exploration 0.5", "ucb1", bolder, 0),
        ("epsilon-greedy, 0.1", "epsilon-greedy", json!({}), 0),
        ("epsilon-greedy, 1 / (1 + n / 20)", "epsilon-greedy", json!({ "epsilon": 1.0, "decay": 0.05 }), 0),
    ] {
        println!("| {label} | {} |", cells(regret(name, &config, delay)));
    }
    let gap: f64 = MEANS.iter().map(|mean| (BEST - mean) / MEANS.len() as f64).sum();
    println!("| any arm at random | {} |", cells(ROUNDS.map(|rounds| gap * rounds as f64)));
    let others = || MEANS.iter().filter(|&&mean| mean < BEST);
    let slope: f64 = others().map(|&mean| (BEST - mean) / divergence(mean, BEST)).sum();
    println!("| Lai and Robbins: {slope:.1} ln n | {} |", cells(ROUNDS.map(|rounds| slope * (rounds as f64).ln())));
    let (inverse, sum) = others().map(|mean| BEST - mean).fold((0.0, 0.0), |(a, b), gap| (a + 1.0 / gap, b + gap));
    let most = |rounds: usize| 8.0 * (rounds as f64).ln() * inverse + (1.0 + std::f64::consts::PI.powi(2) / 3.0) * sum;
    println!("| UCB1 at most | {} |", cells(ROUNDS.map(most)));
}

fn cells(values: [f64; 3]) -> String {
    values.map(|value| format!("{value:.1}")).join(" | ")
}

/// Kullback-Leibler divergence of two coins.
fn divergence(p: f64, q: f64) -> f64 {
    p * (p / q).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - q)).ln()
}

fn regret(name: &str, config: &Value, delay: usize) -> [f64; 3] {
    let arms: Vec<_> = NAMES.iter().map(|&name| Arm { name: name.to_owned(), with: json!({}) }).collect();
    let mut question =
        Question { context: String::new(), arms: arms.clone().into(), tried: Vec::new(), pending: Vec::new(), seed: 0 };
    let mut total = [0.0; 3];
    for seed in 0..SEEDS {
        let mut policy = testing::policy(name, config, &arms).expect("a policy");
        let mut world = Random::new(1_000 + seed);
        let mut pending = std::collections::VecDeque::new();
        for round in 0..ROUNDS[2] {
            question.seed = world.next_u64();
            let arm = policy.decide(&question).expect("a decision").arm as usize;
            for (total, rounds) in total.iter_mut().zip(ROUNDS) {
                if round < rounds {
                    *total += (BEST - MEANS[arm]) / SEEDS as f64;
                }
            }
            pending.push_back(Outcome {
                attempts: vec![Attempt { arm: NAMES[arm].to_owned(), failed: false }],
                reward: Some(f64::from(u8::from(world.next_f64() < MEANS[arm]))),
                ..Outcome::default()
            });
            if pending.len() > delay
                && let Some(outcome) = pending.pop_front()
            {
                policy.learn(&outcome).expect("learned");
            }
        }
    }
    total
}
