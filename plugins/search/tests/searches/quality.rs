//! How good searches are: a loose bound, which a broken one misses by far.

use serde_json::json;

use crate::problems::{open, problems};

/// The mean of what five seeds dominate, which spreads less than a median of so few.
fn mean(name: &str, config: &serde_json::Value, problem: usize, trials: u64) -> f64 {
    let search = open(name, config);
    let problem = &problems()[problem];
    (0..5).map(|seed| problem.dominated(&problem.run(&*search, seed, trials))).sum::<f64>() / 5.0
}

#[test]
fn tpe_dominates_what_random_trials_do_not() {
    let config = json!({ "startup": 20, "candidates": 64 });
    for (problem, least) in [(0, 9.6), (1, 0.83), (2, 3.94)] {
        let (found, random) = (mean("tpe", &config, problem, 70), mean("random", &json!({}), problem, 70));
        assert!(found >= least && found > random, "{}: {found}, random {random}", problems()[problem].name);
    }
}

#[test]
fn nsga2_dominates_what_random_trials_do_not() {
    for (problem, least) in [(0, 9.4), (1, 0.83), (2, 4.03)] {
        let (found, random) = (mean("nsga2", &json!({}), problem, 200), mean("random", &json!({}), problem, 200));
        assert!(found >= least && found > random, "{}: {found}, random {random}", problems()[problem].name);
    }
}
