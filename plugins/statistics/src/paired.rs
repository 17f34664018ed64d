//! Two scores of the same items: how far they differ, and how likely that is by chance.
//!
//! Items differ in how hard they are more than models do. So it is the difference item by item that counts, not that of two
//! means with an interval each.

use crate::{
    bootstrap::{self, Draws, Interval},
    describe,
    numpy::Generator,
    student,
};

/// Up to so many differences all ways to flip their signs are tried.
const MOST_EXACT: usize = 16;

/// How two scores of the same items differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The mean of second minus first.
    pub mean: f64,
    /// Its interval: [`bootstrap::mean_interval`] of the differences, so that items are drawn with both of their scores.
    pub interval: Interval,
}

/// The mean of the differences, item by item, and its interval. None without items.
#[must_use]
pub fn difference(differences: &[f64], draws: &Draws) -> Option<Difference> {
    let interval = bootstrap::mean_interval(differences, draws)?;
    Some(Difference { mean: describe::mean(differences), interval })
}

/// The p-value of Student's paired t-test, with two sides: SciPy's `ttest_rel`. None for fewer than two items, and 1 where
/// nothing differs.
#[must_use]
pub fn t_test(differences: &[f64]) -> Option<f64> {
    let deviation = describe::standard_deviation(differences)?;
    let (mean, n) = (describe::mean(differences), differences.len() as f64);
    if deviation == 0.0 {
        return Some(if mean == 0.0 { 1.0 } else { 0.0 });
    }
    Some(student::two_sided(mean / (deviation / n.sqrt()), n - 1.0))
}

/// The p-value of the permutation test, with two sides: how often a sum as far from 0 comes out if it is up to a coin which of
/// an item's two scores is whose. It assumes nothing about how scores are distributed.
///
/// Up to 16 items that differ, all ways are tried: SciPy's `permutation_test(permutation_type="samples")`. Of more, `draws.count`
/// of them, and the observed one is counted as one more (Phipson and Smyth 2010), so that no p-value is 0.
#[must_use]
pub fn permutation_test(differences: &[f64], draws: &Draws) -> f64 {
    let differing: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
    let observed = differing.iter().sum::<f64>().abs();
    let size: f64 = differing.iter().map(|difference| difference.abs()).sum();
    // Sums of the same numbers in another order may differ in their last bits.
    let bar = observed - 1e-12 * size;
    let sum = |signs: &mut dyn FnMut(usize) -> bool| -> f64 {
        differing.iter().enumerate().map(|(at, value)| if signs(at) { -value } else { *value }).sum()
    };
    if differing.len() <= MOST_EXACT {
        let ways = 1_u32 << differing.len();
        let as_far = (0..ways).filter(|way| sum(&mut |at| way >> at & 1 == 1).abs() >= bar).count();
        return as_far as f64 / f64::from(ways);
    }
    let mut random = Generator::new(draws.seed);
    let as_far = (0..draws.count)
        .filter(|_| {
            let mut word = 0;
            let signs = &mut |at: usize| {
                if at.is_multiple_of(64) {
                    word = random.next_u64();
                }
                word >> (at % 64) & 1 == 1
            };
            sum(signs).abs() >= bar
        })
        .count();
    (as_far + 1) as f64 / (f64::from(draws.count) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::{difference, permutation_test, t_test};
    use crate::{
        bootstrap::Draws,
        fixtures::{fixtures, near},
    };

    #[test]
    fn paired_tests_are_those_of_scipy() {
        let cases = fixtures().paired;
        assert!(cases.len() >= 5);
        for case in cases {
            let differences: Vec<f64> = case.first.iter().zip(&case.second).map(|(a, b)| b - a).collect();
            near(t_test(&differences).unwrap(), case.t_test, "t");
            if let Some(exact) = case.permutation {
                near(permutation_test(&differences, &Draws::new(1)), exact, "permutations");
            }
        }
    }

    #[test]
    fn many_items_are_permuted_by_draws() {
        let differences: Vec<f64> = (0..60).map(|at| f64::from(at % 7) - 2.0).collect();
        let (drawn, t) = (permutation_test(&differences, &Draws::new(3)), t_test(&differences).unwrap());
        assert!(t < 0.01 && (1.0 / 1_001.0..0.01).contains(&drawn), "{t} {drawn}");
        assert_eq!(drawn, permutation_test(&differences, &Draws::new(3)));
    }

    #[test]
    fn what_does_not_differ_is_not_unlikely() {
        assert_eq!(t_test(&[0.0, 0.0]), Some(1.0));
        assert_eq!(t_test(&[1.0]), None);
        assert_eq!(permutation_test(&[0.0, 0.0], &Draws::new(1)), 1.0);
        assert_eq!(difference(&[], &Draws::new(1)), None);
    }
}
