//! Regret on five arms whose rewards are known, by policy and rounds, beside what theory says of it.
//!
//!     cargo run --release -p jackfield-routes --example regret
//!
//! Regret is what the best arm would have given more, in expectation. Rewards are 0 or 1, or fractions: normal around the arm's
//! mean, within 0 to 1. The bound of Lai and Robbins (1985) is what no policy stays below for long that is good on all arms: the
//! sum of gap / divergence over the other arms, times ln n, as n grows. Of 0 and 1, the divergence is KL(mean, best); of normal
//! rewards of unknown variance, ln(1 + gap^2 / variance) / 2 (Burnetas and Katehakis 1996). The bound of Auer, Cesa-Bianchi and
//! Fischer (2002) is one that UCB1 never exceeds.
//!
//! With `PEERS_PYTHON` set to a Python that has `mabwiser`, its policies are run on the same arms; its Thompson sampling takes
//! rewards of 0 and 1 alone.

use std::{collections::VecDeque, env, process::Command};

use jackfield_plugin_api::{Arm, Attempt, Outcome, Question, Random, testing};
use jackfield_routes as _;
use serde_json::{Value, json};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const FAR: [f64; 5] = [0.3, 0.9, 0.5, 0.8, 0.7];
const CLOSE: [f64; 5] = [0.50, 0.58, 0.52, 0.56, 0.54];
const ROUNDS: [usize; 3] = [100, 1_000, 10_000];
const SEEDS: u64 = 100;

/// Arms, and how their rewards vary.
struct World {
    label: &'static str,
    means: [f64; 5],
    /// Standard deviation of fractions; none where rewards are 0 or 1.
    deviation: Option<f64>,
}

const WORLDS: [World; 4] = [
    World { label: "0 or 1, means .3 .5 .7 .8 .9", means: FAR, deviation: None },
    World { label: "0 or 1, means .50 .52 .54 .56 .58", means: CLOSE, deviation: None },
    World { label: "fractions, the same means, standard deviation .2", means: CLOSE, deviation: Some(0.2) },
    World { label: "fractions, the same means, standard deviation .05", means: CLOSE, deviation: Some(0.05) },
];

impl World {
    fn best(&self) -> f64 {
        self.means.iter().copied().fold(0.0, f64::max)
    }

    fn reward(&self, arm: usize, random: &mut Random) -> f64 {
        match self.deviation {
            None => f64::from(u8::from(random.next_f64() < self.means[arm])),
            Some(deviation) => (self.means[arm] + deviation * normal(random)).clamp(0.0, 1.0),
        }
    }

    /// What the bound of Lai and Robbins has before ln n.
    fn slope(&self) -> f64 {
        let best = self.best();
        let others = self.means.iter().filter(|&&mean| mean < best);
        let divergence = |mean: f64| match self.deviation {
            None => divergence(mean, best),
            Some(deviation) => (1.0 + ((best - mean) / deviation).powi(2)).ln() / 2.0,
        };
        others.map(|&mean| (best - mean) / divergence(mean)).sum()
    }
}

/// A standard normal number (Box and Muller 1958).
fn normal(random: &mut Random) -> f64 {
    (-2.0 * (1.0 - random.next_f64()).ln()).sqrt() * (std::f64::consts::TAU * random.next_f64()).cos()
}

fn main() {
    let gaussian = json!({ "likelihood": "gaussian" });
    let policies = [
        ("thompson", "thompson", json!({}), 0),
        ("thompson, centered-beta", "thompson", json!({ "likelihood": "centered-beta" }), 0),
        ("thompson, gaussian", "thompson", gaussian.clone(), 0),
        ("thompson, rewards 64 rounds late", "thompson", json!({}), 64),
        ("thompson, gaussian, rewards 64 rounds late", "thompson", gaussian, 64),
        ("ucb1", "ucb1", json!({}), 0),
        ("ucb1, exploration 0.5", "ucb1", json!({ "exploration": 0.5 }), 0),
        ("epsilon-greedy, 0.1", "epsilon-greedy", json!({}), 0),
        ("epsilon-greedy, 1 / (1 + n / 20)", "epsilon-greedy", json!({ "epsilon": 1.0, "decay": 0.05 }), 0),
    ];
    for world in &WORLDS {
        println!("| {}: regret after rounds, averages over {SEEDS} seeds | 100 | 1,000 | 10,000 |", world.label);
        println!("| --- | --: | --: | --: |");
        for (label, name, config, delay) in &policies {
            println!("| {label} | {} |", cells(regret(world, name, config, *delay)));
        }
        if let Ok(python) = env::var("PEERS_PYTHON") {
            peers(&python, world);
        }
        let best = world.best();
        let gap: f64 = world.means.iter().map(|mean| (best - mean) / world.means.len() as f64).sum();
        println!("| any arm at random | {} |", cells(ROUNDS.map(|rounds| gap * rounds as f64)));
        let slope = world.slope();
        println!("| Lai and Robbins: {slope:.1} ln n | {} |", cells(ROUNDS.map(|rounds| slope * (rounds as f64).ln())));
        let gaps = world.means.iter().map(|mean| best - mean).filter(|gap| *gap > 0.0);
        let (inverse, sum) = gaps.fold((0.0, 0.0), |(a, b), gap| (a + 1.0 / gap, b + gap));
        let pi = std::f64::consts::PI;
        let most = |rounds: usize| 8.0 * (rounds as f64).ln() * inverse + (1.0 + pi * pi / 3.0) * sum;
        println!("| UCB1 at most | {} |\n", cells(ROUNDS.map(most)));
    }
}

fn cells(values: [f64; 3]) -> String {
    values.map(|value| format!("{value:.1}")).join(" | ")
}

/// Kullback-Leibler divergence of two coins.
fn divergence(p: f64, q: f64) -> f64 {
    p * (p / q).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - q)).ln()
}

fn regret(world: &World, name: &str, config: &Value, delay: usize) -> [f64; 3] {
    let arms: Vec<_> = NAMES.iter().map(|&name| Arm { name: name.to_owned(), with: json!({}) }).collect();
    let mut question =
        Question { context: String::new(), arms: arms.clone().into(), tried: Vec::new(), pending: Vec::new(), seed: 0 };
    let mut total = [0.0; 3];
    for seed in 0..SEEDS {
        let mut policy = testing::policy(name, config, &arms).expect("a policy");
        let mut random = Random::new(1_000 + seed);
        let mut pending = VecDeque::new();
        for round in 0..ROUNDS[2] {
            question.seed = random.next_u64();
            let arm = policy.decide(&question).expect("a decision").arm as usize;
            for (total, rounds) in total.iter_mut().zip(ROUNDS) {
                if round < rounds {
                    *total += (world.best() - world.means[arm]) / SEEDS as f64;
                }
            }
            pending.push_back(Outcome {
                attempts: vec![Attempt { arm: NAMES[arm].to_owned(), failed: false }],
                reward: Some(world.reward(arm, &mut random)),
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

/// Runs MABWiser's policies on the same arms, 20 seeds and 1,000 rounds each: an outcome takes it a tenth of a millisecond.
fn peers(python: &str, world: &World) {
    let script = r#"
import sys, json, random
from mabwiser.mab import MAB, LearningPolicy as L
means, deviation = json.loads(sys.argv[1]), json.loads(sys.argv[2])
names = [str(i) for i in range(len(means))]
policies = [("UCB1", L.UCB1(1.25)), ("epsilon-greedy, 0.1", L.EpsilonGreedy(0.1))]
if deviation is None:
    policies.insert(0, ("Thompson sampling", L.ThompsonSampling()))
for label, policy in policies:
    total = [0.0, 0.0]
    for seed in range(20):
        world = random.Random(seed)
        draw = lambda i: float(world.random() < means[i]) if deviation is None else min(1, max(0, world.gauss(means[i], deviation)))
        mab = MAB(names, policy, seed=seed)
        mab.fit(names, [draw(i) for i in range(len(means))])
        lost = sum(max(means) - mean for mean in means)
        for round in range(len(means), 1000):
            if round == 100: total[0] += lost / 20
            i = int(mab.predict())
            lost += max(means) - means[i]
            mab.partial_fit([names[i]], [draw(i)])
        total[1] += lost / 20
    print(f"| MABWiser, {label} (20 seeds) | {total[0]:.1f} | {total[1]:.1f} | |")
"#;
    let (means, deviation) = (json!(world.means).to_string(), json!(world.deviation).to_string());
    match Command::new(python).args(["-c", script, &means, &deviation]).output() {
        Ok(output) if output.status.success() => print!("{}", String::from_utf8_lossy(&output.stdout)),
        Ok(output) => eprintln!("MABWiser: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => eprintln!("{python}: {error}"),
    }
}
