//! Intervals by drawing again from what was observed (Efron and Tibshirani 1993).
//!
//! Which observations are drawn is what `numpy.random.default_rng(seed).integers(0, n, size=(draws, n))` gives, as in
//! `scipy.stats.bootstrap`, so that the intervals are SciPy's.

use crate::{describe, normal, numpy::Generator, student};

/// Above so many independent observations [`mean_interval`] takes Student's interval: the two differ by less than what
/// another seed changes, and drawing again would take minutes for millions.
pub const MOST_REDRAWN: usize = 5_000;

/// How an interval is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draws {
    /// How often everything is drawn again; 1,000 are usual.
    pub count: u32,
    /// How often the interval holds the truth, above 0 and below 1: usually 0.95.
    pub level: f64,
    /// The seed.
    pub seed: u64,
}

impl Draws {
    /// A thousand draws for an interval of 95 %.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { count: 1_000, level: 0.95, seed }
    }
}

/// A range that holds the truth with some confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its low end.
    pub low: f64,
    /// Its high end.
    pub high: f64,
}

impl Interval {
    /// An interval of one point.
    #[must_use]
    pub const fn point(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// Whether a value is in it, its ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The statistic of each draw, in the order drawn. It is given the indices that were drawn, as many as there are observations.
///
/// # Panics
/// With more than 2^32 - 1 observations.
pub fn redraw(observations: usize, draws: &Draws, mut statistic: impl FnMut(&[u32]) -> f64) -> Vec<f64> {
    let bound = u32::try_from(observations).expect("less than 2^32 observations");
    let mut generator = Generator::new(draws.seed);
    let mut drawn = vec![0; observations];
    (0..draws.count)
        .map(|_| {
            generator.fill_below(bound, &mut drawn);
            statistic(&drawn)
        })
        .collect()
}

/// The interval between two quantiles of the draws, which are sorted. None if there are no draws.
pub fn percentile_interval(drawn: &mut [f64], level: f64) -> Option<Interval> {
    if drawn.is_empty() {
        return None;
    }
    drawn.sort_unstable_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - level);
    Some(Interval { low: describe::quantile(drawn, tail), high: describe::quantile(drawn, 1.0 - tail) })
}

/// The bias-corrected and accelerated interval (BCa; Efron 1987) of the draws, which are sorted.
///
/// `estimate` is the statistic of the observations themselves, and `left_out` has its value without each of them in turn.
/// Where nothing varies it is a point, or the percentile interval. None if there are no draws.
pub fn bca_interval(drawn: &mut [f64], estimate: f64, left_out: &[f64], level: f64) -> Option<Interval> {
    if drawn.is_empty() {
        return None;
    }
    drawn.sort_unstable_by(f64::total_cmp);
    let (first, last) = (drawn[0], drawn[drawn.len() - 1]);
    if first == last {
        return Some(Interval { low: first.min(estimate), high: first.max(estimate) });
    }
    let below = drawn.partition_point(|value| *value < estimate);
    let not_above = drawn.partition_point(|value| *value <= estimate);
    let bias = normal::quantile((below + not_above) as f64 / (2 * drawn.len()) as f64);
    let mean = describe::mean(left_out);
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in left_out {
        let influence = mean - value;
        squares += influence * influence;
        cubes += influence * influence * influence;
    }
    let acceleration = if squares > 0.0 { cubes / (6.0 * squares * squares.sqrt()) } else { 0.0 };
    if !bias.is_finite() {
        // Every draw is on one side of the estimate.
        return percentile_interval(drawn, level)
            .map(|Interval { low, high }| Interval { low: low.min(estimate), high: high.max(estimate) });
    }
    let share = |z: f64| {
        let shifted = bias + z;
        let divisor = 1.0 - acceleration * shifted;
        // Beyond this the correction has no meaning any more: the end of the draws is the end of the interval.
        if divisor <= 0.0 { normal::below(z.signum() * 40.0) } else { normal::below(bias + shifted / divisor) }
    };
    // A level that is all but 1, as that of two observations becomes, asks for the ends of the draws.
    let z = normal::quantile(0.5 * (1.0 - level)).max(-40.0);
    Some(Interval { low: describe::quantile(drawn, share(z)), high: describe::quantile(drawn, share(-z)) })
}

/// The level at which an interval of draws holds the truth as often as `level` says, where there are few observations.
///
/// The spread of draws is too small by the square root of (n - 1) / n, and its tails are those of a normal distribution where
/// Student's are due. A higher level makes up for both: the expanded interval of Hesterberg (2015, "What Teachers Should Know
/// About the Bootstrap", section 3.2).
#[must_use]
pub fn expanded_level(level: f64, observations: usize) -> f64 {
    if observations < 2 {
        return level;
    }
    let n = observations as f64;
    let t = student::quantile(0.5 * (1.0 - level), n - 1.0);
    1.0 - 2.0 * normal::below((n / (n - 1.0)).sqrt() * t)
}

/// The interval of the mean of independent values: BCa of draws at the [expanded level](expanded_level); of more than
/// [`MOST_REDRAWN`] values, Student's. None if there is no value; of one, or of values that are all the same, that value.
///
/// In 2,000 simulations of each of five distributions (normal, uniform, two beta distributions and the exponential), 95 %
/// intervals held the mean 93 to 97 times in 100 from 30 values on; of 10 values of the exponential distribution, 91 to 92
/// times.
///
/// ```
/// use jackfield_statistics::{Draws, bootstrap::mean_interval};
///
/// let scores = [0.2, 0.4, 0.5, 0.9, 1.0, 0.3, 0.8];
/// let interval = mean_interval(&scores, &Draws::new(7)).unwrap();
/// assert!(interval.low > 0.2 && interval.high < 1.0 && interval.contains(0.6));
/// ```
#[must_use]
pub fn mean_interval(values: &[f64], draws: &Draws) -> Option<Interval> {
    ratio_interval(values, None, draws)
}

/// The interval of the mean of values that are independent only from cluster to cluster, such as questions about one text:
/// whole clusters are drawn. `sums` has the sum of each cluster's values, `sizes` how many they are. Otherwise as
/// [`mean_interval`], where the number of clusters counts, not that of values.
///
/// # Panics
/// If the two lists differ in length.
#[must_use]
pub fn clustered_mean_interval(sums: &[f64], sizes: &[u32], draws: &Draws) -> Option<Interval> {
    assert_eq!(sums.len(), sizes.len(), "each cluster has a sum and a size");
    ratio_interval(sums, Some(sizes), draws)
}

/// The interval of a sum of `sums` over a sum of `sizes`; each size is 1 without them.
fn ratio_interval(sums: &[f64], sizes: Option<&[u32]>, draws: &Draws) -> Option<Interval> {
    let clusters = sums.len();
    if clusters == 0 {
        return None;
    }
    let size = |index: usize| sizes.map_or(1.0, |sizes| f64::from(sizes[index]));
    let total = describe::sum(sums);
    let count = sizes.map_or(clusters as f64, |sizes| sizes.iter().map(|size| f64::from(*size)).sum());
    let estimate = total / count;
    if clusters == 1 {
        return Some(Interval::point(estimate));
    }
    if clusters > MOST_REDRAWN {
        let squares: f64 =
            (0..clusters).map(|index| sums[index] - estimate * size(index)).map(|rest| rest * rest).sum();
        let n = clusters as f64;
        let error = (squares * n / (n - 1.0)).sqrt() / count;
        let half = -student::quantile(0.5 * (1.0 - draws.level), n - 1.0) * error;
        // A mean beyond all that was observed is not claimed.
        let means = (0..clusters).map(|index| sums[index] / size(index));
        let (least, most) = means.fold((estimate, estimate), |(low, high), mean| (mean.min(low), mean.max(high)));
        return Some(Interval { low: (estimate - half).max(least), high: (estimate + half).min(most) });
    }
    let mut drawn = redraw(clusters, draws, |indices| {
        // Four running sums, so that an addition need not wait for the one before it.
        let (mut totals, mut counts) = ([0.0; 4], [0_u64; 4]);
        for (turn, index) in indices.iter().enumerate() {
            totals[turn % 4] += sums[*index as usize];
            counts[turn % 4] += sizes.map_or(1, |sizes| u64::from(sizes[*index as usize]));
        }
        totals.iter().sum::<f64>() / counts.iter().sum::<u64>() as f64
    });
    let left_out: Vec<f64> = (0..clusters).map(|index| (total - sums[index]) / (count - size(index))).collect();
    bca_interval(&mut drawn, estimate, &left_out, expanded_level(draws.level, clusters))
}

#[cfg(test)]
mod tests;
