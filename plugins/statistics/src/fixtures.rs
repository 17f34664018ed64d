//! What the tests compare with: the numbers that `fixtures/make.py` got from SciPy and others.

use serde::Deserialize;

/// `fixtures/statistics.json`.
#[derive(Deserialize)]
pub(crate) struct Fixtures {
    /// Share, degrees of freedom, quantile.
    pub(crate) student: Vec<(f64, f64, f64)>,
    pub(crate) bootstrap: Vec<Bootstrap>,
    /// Passed, count, level, low, high.
    pub(crate) wilson: Vec<(u64, u64, f64, f64, f64)>,
    pub(crate) mcnemar: Vec<McNemar>,
    pub(crate) paired: Vec<Paired>,
    /// Tries, passed, k, pass@k, pass^k.
    pub(crate) repeats: Vec<(u32, u32, u32, f64, f64)>,
    pub(crate) kappa: Vec<Kappa>,
    pub(crate) alpha: Vec<Alpha>,
    pub(crate) confusion: Vec<Confusion>,
}

#[derive(Deserialize)]
pub(crate) struct Bootstrap {
    pub(crate) values: Vec<f64>,
    pub(crate) draws: u32,
    pub(crate) level: f64,
    pub(crate) seed: u64,
    pub(crate) percentile: (f64, f64),
    pub(crate) bca: (f64, f64),
}

#[derive(Deserialize)]
pub(crate) struct McNemar {
    pub(crate) only_first: u64,
    pub(crate) only_second: u64,
    pub(crate) exact: f64,
    pub(crate) mid_p: f64,
    pub(crate) corrected: (f64, f64),
    pub(crate) plain: (f64, f64),
}

#[derive(Deserialize)]
pub(crate) struct Paired {
    pub(crate) first: Vec<f64>,
    pub(crate) second: Vec<f64>,
    pub(crate) t_test: f64,
    /// Where there are few enough to try all ways.
    pub(crate) permutation: Option<f64>,
}

#[derive(Deserialize)]
pub(crate) struct Kappa {
    pub(crate) first: Vec<u32>,
    pub(crate) second: Vec<u32>,
    pub(crate) categories: usize,
    pub(crate) none: f64,
    pub(crate) linear: f64,
    pub(crate) quadratic: f64,
}

#[derive(Deserialize)]
pub(crate) struct Alpha {
    pub(crate) units: Vec<Vec<u32>>,
    pub(crate) values: Vec<f64>,
    pub(crate) nominal: f64,
    pub(crate) ordinal: f64,
    pub(crate) interval: f64,
}

#[derive(Deserialize)]
pub(crate) struct Confusion {
    pub(crate) labels: usize,
    pub(crate) expected: Vec<u32>,
    pub(crate) predicted: Vec<u32>,
    pub(crate) accuracy: f64,
    /// Precision, recall, F1, support.
    pub(crate) by_label: Vec<(f64, f64, f64, u64)>,
    pub(crate) macro_average: (f64, f64, f64),
}

pub(crate) fn fixtures() -> Fixtures {
    serde_json::from_str(include_str!("../fixtures/statistics.json")).expect("fixtures as make.py writes them")
}

/// Panics unless the two agree to nine digits.
#[track_caller]
pub(crate) fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{what}: {found} is not {expected}");
}
