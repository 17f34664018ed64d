//! Meetings in QMSum's form, the measures of a division into topics, and how sure a difference between two methods is.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::Random;
use serde_json::Value;

pub(crate) type Error = Box<dyn std::error::Error>;

/// The `*.json` files of a folder, in order.
pub(crate) fn json_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files: Vec<_> = fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

/// The name of a meeting's file without its ending.
pub(crate) fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn span(value: &Value) -> Option<(usize, usize)> {
    let end = |at: usize| value[at].as_str().and_then(|text| text.parse().ok());
    Some((end(0)?, end(1)?))
}

/// All spans of turns that the entries of a list name.
pub(crate) fn spans(list: &Value) -> Vec<(usize, usize)> {
    let entries = list.as_array().into_iter().flatten();
    entries.flat_map(|entry| entry["relevant_text_span"].as_array().into_iter().flatten()).filter_map(span).collect()
}

/// Where the annotators' topics begin, but for the start of the meeting of `n` turns.
pub(crate) fn gold_cuts(gold: &Value, n: usize) -> Vec<usize> {
    let starts: BTreeSet<usize> =
        spans(&gold["topic_list"]).into_iter().map(|span| span.0).filter(|s| (1..n).contains(s)).collect();
    starts.into_iter().collect()
}

/// Cuts into `count` stretches of as many turns each.
pub(crate) fn even(n: usize, count: usize) -> Vec<usize> {
    (1..count).map(|at| at * n / count).filter(|&at| at > 0).collect()
}

/// Pk (Beeferman, Berger & Lafferty 1999) and WindowDiff (Pevzner & Hearst 2002) of cuts, with a window of half the mean
/// length of a gold segment.
pub(crate) fn pk_and_window_diff(n: usize, gold: &[usize], cuts: &[usize]) -> [f64; 2] {
    let window = ((n as f64 / (gold.len() + 1) as f64 / 2.0).round() as usize).max(1);
    let between = |cuts: &[usize], from: usize| cuts.iter().filter(|&&cut| cut > from && cut <= from + window).count();
    let probes = n.saturating_sub(window);
    let (mut pk, mut diff) = (0, 0);
    for from in 0..probes {
        let (a, b) = (between(gold, from), between(cuts, from));
        pk += usize::from((a == 0) != (b == 0));
        diff += usize::from(a != b);
    }
    [pk as f64 / probes.max(1) as f64, diff as f64 / probes.max(1) as f64]
}

/// So many different numbers below `n`, in order.
pub(crate) fn draw(n: usize, count: usize, random: &mut Random) -> BTreeSet<usize> {
    let mut drawn = BTreeSet::new();
    while drawn.len() < count.min(n) {
        drawn.insert(random.below(n as u64) as usize);
    }
    drawn
}

/// Both measures of so many random cuts, as means over many draws.
pub(crate) fn random_cuts(n: usize, gold: &[usize], cuts: usize, random: &mut Random) -> [f64; 2] {
    const ROUNDS: usize = 50;
    let mut sums = [0.0; 2];
    for _ in 0..ROUNDS {
        let drawn: Vec<usize> = draw(n - 1, cuts, random).into_iter().map(|at| at + 1).collect();
        sums.iter_mut().zip(pk_and_window_diff(n, gold, &drawn)).for_each(|(sum, value)| *sum += value);
    }
    sums.map(|sum| sum / ROUNDS as f64)
}

/// How sure it is that paired differences are not chance.
pub(crate) struct Paired {
    pub(crate) mean: f64,
    /// The interval that 95 of 100 resamplings of the pairs lie in.
    pub(crate) interval: [f64; 2],
    /// The share of random changes of signs by which the mean is as far from 0 (two-sided).
    pub(crate) p: f64,
}

/// A bootstrap interval of the mean difference, and a permutation test of it.
pub(crate) fn paired(differences: &[f64]) -> Paired {
    const ROUNDS: usize = 20_000;
    let count = differences.len().max(1) as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let mut random = Random::new(1);
    let mut means: Vec<f64> = Vec::with_capacity(ROUNDS);
    let mut as_far = 0;
    for _ in 0..ROUNDS {
        let resampled = (0..differences.len()).map(|_| differences[random.below(differences.len() as u64) as usize]);
        means.push(resampled.sum::<f64>() / count);
        let flipped: f64 = differences.iter().map(|d| if random.below(2) == 0 { *d } else { -d }).sum();
        as_far += usize::from((flipped / count).abs() >= mean.abs() - 1e-12);
    }
    means.sort_by(f64::total_cmp);
    let interval = [means[ROUNDS / 40], means[ROUNDS - 1 - ROUNDS / 40]];
    Paired { mean, interval, p: (as_far + 1) as f64 / (ROUNDS + 1) as f64 }
}

impl std::fmt::Display for Paired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:+.3} [{:+.3}, {:+.3}] | {:.4}", self.mean, self.interval[0], self.interval[1], self.p)
    }
}
