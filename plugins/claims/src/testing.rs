//! What the tests share: the numbers that `fixtures/make.py` got from NumPy, and how near to them is near enough.

use serde::Deserialize;

/// `fixtures/numpy.json`.
#[derive(Deserialize)]
pub(crate) struct Fixtures {
    /// Bounds to draw below.
    pub(crate) bounds: Vec<u64>,
    /// Trims, one per bootstrap in turn.
    pub(crate) trims: Vec<f64>,
    /// Per line a seed and what it draws.
    pub(crate) generator: Vec<String>,
    /// Per line the point, the interval, the interquartile range and the stability.
    pub(crate) bootstraps: Vec<String>,
}

/// The fixtures, parsed.
pub(crate) fn fixtures() -> Fixtures {
    serde_json::from_str(include_str!("../fixtures/numpy.json")).expect("fixtures as make.py writes them")
}

/// Whether two numbers agree: in every bit where `ln` and `exp` are glibc's, which made the fixtures, and to about four
/// units in the last place where they are another library's.
pub(crate) fn agree(left: f64, right: f64) -> bool {
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        left.to_bits() == right.to_bits()
    } else {
        (left - right).abs() <= 1e-15 * left.abs().max(1.0)
    }
}
