//! Shares of yes and no: Wilson's interval, and tests of two shares of the same items.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2};

use crate::{bootstrap::Interval, normal};

/// The interval of a share (Wilson 1927), as statsmodels' `proportion_confint(method="wilson")`. None of nothing.
///
/// Unlike the textbook's interval it stays within 0 and 1, and says something where all passed or none.
///
/// ```
/// let interval = jackfield_statistics::proportion::wilson(10, 10, 0.95).unwrap();
/// assert!((interval.low - 0.722).abs() < 1e-3 && interval.high == 1.0);
/// ```
#[must_use]
pub fn wilson(passed: u64, count: u64, level: f64) -> Option<Interval> {
    if count == 0 {
        return None;
    }
    let (n, z) = (count as f64, normal::quantile(0.5 * (1.0 - level)));
    let (share, squared) = (passed as f64 / n, z * z);
    let centre = (share + squared / (2.0 * n)) / (1.0 + squared / n);
    let spread = share * (1.0 - share) / n + squared / (4.0 * n * n);
    let half = z.abs() / (1.0 + squared / n) * spread.max(0.0).sqrt();
    // The ends are 0 and 1 exactly where none passed and all; rounding would make them almost that.
    Some(Interval {
        low: if passed == 0 { 0.0 } else { (centre - half).max(0.0) },
        high: if passed >= count { 1.0 } else { (centre + half).min(1.0) },
    })
}

/// How likely a share that is this far from one half, or farther, is among `count` tosses of a coin: the sign test, with two
/// sides. It is 1 of no tosses. SciPy's `binomtest(heads, count).pvalue`.
#[must_use]
pub fn sign_test(heads: u64, count: u64) -> f64 {
    let least = heads.min(count - heads.min(count));
    (2.0 * tosses_up_to(least, count)).min(1.0)
}

/// Items that two graders or two models disagree on: what McNemar's test (1947) reads. Those that both pass, or both fail, say
/// nothing about which is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct McNemar {
    /// How many items only the first passes.
    pub only_first: u64,
    /// How many items only the second passes.
    pub only_second: u64,
}

impl McNemar {
    /// The exact p-value, with two sides: that of the sign test. It errs on the safe side.
    #[must_use]
    pub fn exact(self) -> f64 {
        sign_test(self.only_first, self.only_first + self.only_second)
    }

    /// The mid-p value (Fagerland, Lydersen and Laake 2013), which counts only half of how likely the observed outcome is: the
    /// one that they recommend, for any number of items. It is 1 where nothing differs.
    #[must_use]
    pub fn mid_p(self) -> f64 {
        let (least, count) = (self.only_first.min(self.only_second), self.only_first + self.only_second);
        if self.only_first == self.only_second {
            // The two sides meet at the outcome, which would be counted twice.
            return if count == 0 { 1.0 } else { 1.0 - 0.5 * tosses(least, count) };
        }
        2.0 * tosses_up_to(least, count) - tosses(least, count)
    }

    /// The statistic and its p-value by the chi-squared distribution with one degree of freedom, with Yates' correction for
    /// continuity or without. 0 and 1 where nothing differs.
    #[must_use]
    pub fn chi_squared(self, corrected: bool) -> (f64, f64) {
        let count = (self.only_first + self.only_second) as f64;
        if count == 0.0 {
            return (0.0, 1.0);
        }
        let difference = self.only_first.abs_diff(self.only_second) as f64;
        let difference = if corrected { (difference - 1.0).max(0.0) } else { difference };
        let statistic = difference * difference / count;
        (statistic, libm::erfc(statistic.sqrt() * FRAC_1_SQRT_2))
    }
}

/// How likely exactly so many heads are.
fn tosses(heads: u64, count: u64) -> f64 {
    let (heads, n) = (heads as f64, count as f64);
    let log_ways = libm::lgamma(n + 1.0) - libm::lgamma(heads + 1.0) - libm::lgamma(n - heads + 1.0);
    libm::exp(log_ways - n * LN_2)
}

/// How likely so many heads or fewer are, where `heads` is at most half of `count`.
fn tosses_up_to(heads: u64, count: u64) -> f64 {
    // Relative to the last term, from it downwards: what follows becomes smaller and smaller.
    let (mut term, mut sum) = (1.0, 0.0);
    for at in (0..=heads).rev() {
        sum += term;
        if term < 1e-18 * sum {
            break;
        }
        term *= at as f64 / (count - at + 1) as f64;
    }
    sum * tosses(heads, count)
}

#[cfg(test)]
mod tests {
    use super::{McNemar, sign_test, wilson};
    use crate::fixtures::{fixtures, near};

    #[test]
    fn wilsons_interval_is_that_of_statsmodels() {
        let cases = fixtures().wilson;
        assert!(cases.len() >= 10);
        for (passed, count, level, low, high) in cases {
            let interval = wilson(passed, count, level).unwrap();
            near(interval.low, low, &format!("low of {passed} in {count}"));
            near(interval.high, high, &format!("high of {passed} in {count}"));
        }
        assert_eq!(wilson(0, 0, 0.95), None);
    }

    #[test]
    fn mcnemars_tests_are_those_of_statsmodels_and_the_sign_test_that_of_scipy() {
        let cases = fixtures().mcnemar;
        assert!(cases.len() >= 10);
        for case in cases {
            let counts = McNemar { only_first: case.only_first, only_second: case.only_second };
            let what = format!("{counts:?}");
            near(counts.exact(), case.exact, &what);
            near(counts.mid_p(), case.mid_p, &what);
            for (corrected, (statistic, p)) in [(true, case.corrected), (false, case.plain)] {
                let found = counts.chi_squared(corrected);
                near(found.0, statistic, &what);
                near(found.1, p, &what);
            }
            near(sign_test(case.only_first, case.only_first + case.only_second), case.exact, &what);
        }
    }

    #[test]
    fn where_nothing_differs_nothing_is_unlikely() {
        let none = McNemar::default();
        assert_eq!((none.exact(), none.mid_p(), none.chi_squared(true)), (1.0, 1.0, (0.0, 1.0)));
        assert_eq!(McNemar { only_first: 1, only_second: 1 }.mid_p(), 0.75);
    }
}
