//! Times the estimate at the sizes of `bench/bootstrap.py`, on the same samples with the same seed.
//!
//!     cargo run --release --example bootstrap

use std::hint::black_box;
use std::time::{Duration, Instant};

use jackfield_claims::estimate::{Options, Samples, estimate};
use jackfield_statistics::numpy::Generator;

const RUNS: usize = 101;

fn main() {
    for (templates, replicates, draws) in [(16, 2, 1000), (16, 2, 5000), (16, 8, 5000), (64, 4, 5000)] {
        let mut rng = Generator::new(1_u64);
        let mut answer = || 0.2 + 0.6 * (rng.below(10_001) as f64 / 10_000.0);
        let samples = (0..templates).map(|_| (0..replicates).map(|_| answer()).collect());
        let samples = Samples { templates: samples.collect() };
        let options = Options::new(draws, 20_260_101);
        let mut times: Vec<Duration> = (0..RUNS)
            .map(|_| {
                let start = Instant::now();
                black_box(estimate(black_box(&samples), black_box(&options)).expect("fit samples"));
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        let found = estimate(&samples, &options).expect("fit samples");
        let [low, high] = found.ci95;
        println!(
            "T={templates} R={replicates} B={draws}: median {:.3} ms, least {:.3} ms of {RUNS}; {} [{low}, {high}]",
            times[RUNS / 2].as_secs_f64() * 1e3,
            times[0].as_secs_f64() * 1e3,
            found.prob_true,
        );
    }
}
