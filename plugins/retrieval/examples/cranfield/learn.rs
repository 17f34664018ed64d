//! Thompson sampling with fractional rewards over weights of the keyword leg: what a route does, in small.
//!
//! Each arm has a Beta posterior, from Beta(1, 1); a reward `r` adds `r` to its `a` and `1 - r` to its `b`. The reward is
//! nDCG@10 of the query that the arm served.

use jackfield_plugin_api::Random;

const FOLDS: usize = 5;
/// Passes over the queries that are learned from, for the held-out figures.
const PASSES: usize = 8;
/// Orders of the queries that the online figures are means of.
const ORDERS: u64 = 40;

struct Arms {
    posteriors: Vec<(f64, f64)>,
    random: Random,
}

impl Arms {
    fn new(count: usize, seed: u64) -> Self {
        Self { posteriors: vec![(1.0, 1.0); count], random: Random::new(seed) }
    }

    fn decide(&mut self) -> usize {
        let random = &mut self.random;
        let draws = self.posteriors.iter().map(|&(a, b)| {
            let (x, y) = (gamma(random, a), gamma(random, b));
            x / (x + y)
        });
        draws.enumerate().fold((0, -1.0), |best, one| if one.1 > best.1 { one } else { best }).0
    }

    fn learn(&mut self, arm: usize, reward: f64) {
        self.posteriors[arm].0 += reward;
        self.posteriors[arm].1 += 1.0 - reward;
    }

    fn best(&self) -> usize {
        let means = self.posteriors.iter().map(|(a, b)| a / (a + b));
        means.enumerate().fold((0, -1.0), |best, one| if one.1 > best.1 { one } else { best }).0
    }
}

/// A standard gamma variate of shape 1 or more (Marsaglia and Tsang 2000).
fn gamma(random: &mut Random, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        // Box and Muller 1958.
        let radius = (-2.0 * (1.0 - random.next_f64()).ln()).sqrt();
        let x = radius * (std::f64::consts::TAU * random.next_f64()).cos();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && (1.0 - random.next_f64()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

fn shuffled(mut order: Vec<usize>, random: &mut Random) -> Vec<usize> {
    for at in (1..order.len()).rev() {
        order.swap(at, random.below(at as u64 + 1) as usize);
    }
    order
}

/// What the arm learned on four fifths of the queries gives the last fifth; and which arms those were.
pub(crate) fn held_out(arms: &[Vec<[f64; 3]>], queries: usize) -> (Vec<[f64; 3]>, String) {
    let (mut values, mut chosen) = (vec![[0.0; 3]; queries], Vec::new());
    for fold in 0..FOLDS {
        let mut learner = Arms::new(arms.len(), fold as u64);
        let mut random = Random::new(100 + fold as u64);
        for _ in 0..PASSES {
            let order = (0..queries).filter(|query| query % FOLDS != fold).collect();
            for query in shuffled(order, &mut random) {
                let arm = learner.decide();
                learner.learn(arm, arms[arm][query][0]);
            }
        }
        let best = learner.best();
        chosen.push(format!("{:.1}", best as f64 / (arms.len() - 1) as f64));
        (fold..queries).step_by(FOLDS).for_each(|query| values[query] = arms[best][query]);
    }
    (values, chosen.join(" "))
}

/// What each query is served while learning, regret and all: the mean over orders, each query seen once.
pub(crate) fn online(arms: &[Vec<[f64; 3]>], queries: usize) -> Vec<[f64; 3]> {
    let mut values = vec![[0.0; 3]; queries];
    for seed in 0..ORDERS {
        let mut learner = Arms::new(arms.len(), 1_000 + seed);
        let mut random = Random::new(2_000 + seed);
        for query in shuffled((0..queries).collect(), &mut random) {
            let arm = learner.decide();
            learner.learn(arm, arms[arm][query][0]);
            values[query].iter_mut().zip(arms[arm][query]).for_each(|(sum, value)| *sum += value / ORDERS as f64);
        }
    }
    values
}
