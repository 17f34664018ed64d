//! How far raters agree, beyond what chance would do.

/// How much a disagreement weighs that is so many categories wide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weights {
    /// Every disagreement is as bad.
    #[default]
    None,
    /// By the distance.
    Linear,
    /// By the square of the distance.
    Quadratic,
}

/// Cohen's kappa (1960; weighted, 1968) of two raters: scikit-learn's `cohen_kappa_score`.
///
/// A rating is the number of its category, below `categories`; for weights, categories are in their order. 1 is agreement, 0 is
/// what chance would give. None without ratings, and where chance alone would make them agree, as where everything has one
/// category: then it is not defined.
///
/// # Panics
/// If the lists differ in length, or a rating is not below `categories`.
#[must_use]
pub fn cohen_kappa(first: &[u32], second: &[u32], categories: usize, weights: Weights) -> Option<f64> {
    assert_eq!(first.len(), second.len(), "both rate each item");
    let weight = |a: u32, b: u32| match weights {
        Weights::None => f64::from(u8::from(a != b)),
        Weights::Linear => f64::from(a.abs_diff(b)),
        Weights::Quadratic => f64::from(a.abs_diff(b)) * f64::from(a.abs_diff(b)),
    };
    let mut counts = [vec![0.0; categories], vec![0.0; categories]];
    let mut observed = 0.0;
    for (a, b) in first.iter().zip(second) {
        counts[0][*a as usize] += 1.0;
        counts[1][*b as usize] += 1.0;
        observed += weight(*a, *b);
    }
    let n = first.len() as f64;
    // By moments, so that many categories do not take the square of their number.
    let [one, other] = &counts;
    let expected = match weights {
        Weights::None => n * n - one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>(),
        Weights::Linear => {
            // The distance of two numbers is how many thresholds lie between them.
            let (mut below_one, mut below_other, mut sum) = (0.0, 0.0, 0.0);
            for (a, b) in one.iter().zip(other) {
                below_one += a;
                below_other += b;
                sum += below_one * (n - below_other) + below_other * (n - below_one);
            }
            sum
        }
        Weights::Quadratic => {
            let moments = |counts: &[f64]| {
                let add = |(first, second): (f64, f64), (at, count): (usize, &f64)| {
                    let at = at as f64;
                    (first + at * count, second + at * at * count)
                };
                counts.iter().enumerate().fold((0.0, 0.0), add)
            };
            let ((first, first_squares), (second, second_squares)) = (moments(one), moments(other));
            n * (first_squares + second_squares) - 2.0 * first * second
        }
    };
    (expected > 0.0).then(|| 1.0 - observed * n / expected)
}

/// What the values of ratings mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Names: they are the same or not.
    #[default]
    Nominal,
    /// An order: how many ratings lie between two values counts.
    Ordinal,
    /// Numbers: the square of the difference counts.
    Interval,
}

/// Krippendorff's alpha (2011, "Computing Krippendorff's Alpha-Reliability") of any number of raters, where ratings may be
/// missing: that of the package `krippendorff`.
///
/// A unit is the ratings that one item has, each the number of its value among `values`, which are in ascending order; those of
/// one rating or none say nothing and are left out. 1 is agreement, 0 is what chance would give. None where fewer than two
/// different values occur in units that count: then it is not defined. It takes linear time.
///
/// # Panics
/// If a rating is not below the number of values.
pub fn krippendorff_alpha<'a>(
    units: impl IntoIterator<Item = &'a [u32], IntoIter: Clone>,
    values: &[f64],
    level: Level,
) -> Option<f64> {
    let units = units.into_iter().filter(|unit| unit.len() > 1);
    let mut counts = vec![0.0; values.len()];
    for rating in units.clone().flatten() {
        counts[*rating as usize] += 1.0;
    }
    let n: f64 = counts.iter().sum();
    // Where the values lie. The distance of two in an order is that of their middle ranks: what lies between them, and half of
    // each.
    let places: Vec<f64> = match level {
        Level::Nominal => Vec::new(),
        Level::Interval => values.to_vec(),
        Level::Ordinal => {
            let mut before = 0.0;
            let rank = |count: &f64| {
                before += count;
                before - 0.5 * count
            };
            counts.iter().map(rank).collect()
        }
    };
    // Of so many ratings, the sum of squared distances of all ordered pairs.
    let (expected, mut observed) = if level == Level::Nominal {
        (n * n - counts.iter().map(|count| count * count).sum::<f64>(), 0.0)
    } else {
        let mean = counts.iter().zip(&places).map(|(count, place)| count * place).sum::<f64>() / n;
        let squares: f64 =
            counts.iter().zip(&places).map(|(count, place)| count * (place - mean) * (place - mean)).sum();
        (2.0 * n * squares, 0.0)
    };
    let mut sorted = Vec::new();
    for unit in units {
        let size = unit.len() as f64;
        let pairs = if level == Level::Nominal {
            sorted.clear();
            sorted.extend_from_slice(unit);
            sorted.sort_unstable();
            let same: f64 = sorted.chunk_by(|a, b| a == b).map(|run| (run.len() * run.len()) as f64).sum();
            size * size - same
        } else {
            let mean = unit.iter().map(|rating| places[*rating as usize]).sum::<f64>() / size;
            let square = |rating: &u32| (places[*rating as usize] - mean) * (places[*rating as usize] - mean);
            2.0 * size * unit.iter().map(square).sum::<f64>()
        };
        observed += pairs / (size - 1.0);
    }
    (expected > 0.0).then(|| 1.0 - (n - 1.0) * observed / expected)
}

/// The share of pairs of ratings of the same item that are the same, of all such pairs: percent agreement. None without pairs.
#[must_use]
pub fn raw_agreement<'a>(units: impl IntoIterator<Item = &'a [u32]>) -> Option<f64> {
    let (mut same, mut pairs) = (0.0, 0.0);
    let mut sorted: Vec<u32> = Vec::new();
    for unit in units {
        sorted.clear();
        sorted.extend_from_slice(unit);
        sorted.sort_unstable();
        let ordered = |count: usize| (count * count.saturating_sub(1)) as f64;
        same += sorted.chunk_by(|a, b| a == b).map(|run| ordered(run.len())).sum::<f64>();
        pairs += ordered(unit.len());
    }
    (pairs > 0.0).then(|| same / pairs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Level, Weights, cohen_kappa, krippendorff_alpha, raw_agreement};
    use crate::fixtures::{fixtures, near};

    #[test]
    fn kappa_is_that_of_scikit_learn() {
        let cases = fixtures().kappa;
        assert!(cases.len() >= 6);
        for case in cases {
            for (weights, expected) in
                [(Weights::None, case.none), (Weights::Linear, case.linear), (Weights::Quadratic, case.quadratic)]
            {
                let found = cohen_kappa(&case.first, &case.second, case.categories, weights).unwrap();
                near(found, expected, &format!("{weights:?}"));
            }
        }
    }

    #[test]
    fn alpha_is_that_of_the_package_krippendorff() {
        let cases = fixtures().alpha;
        assert!(cases.len() >= 6);
        for case in cases {
            let units = case.units.iter().map(Vec::as_slice);
            for (level, expected) in
                [(Level::Nominal, case.nominal), (Level::Ordinal, case.ordinal), (Level::Interval, case.interval)]
            {
                near(krippendorff_alpha(units.clone(), &case.values, level).unwrap(), expected, &format!("{level:?}"));
            }
        }
    }

    #[test]
    fn agreement_that_cannot_be_told_from_chance_is_not_defined() {
        assert_eq!(cohen_kappa(&[0, 0], &[0, 0], 2, Weights::None), None);
        assert_eq!(cohen_kappa(&[], &[], 0, Weights::Quadratic), None);
        let units: [&[u32]; 3] = [&[0, 0], &[1], &[]];
        assert_eq!(krippendorff_alpha(units, &[0.0, 1.0], Level::Nominal), None);
        assert_eq!(raw_agreement(units), Some(1.0));
        assert_eq!(raw_agreement([&[1_u32] as &[u32]]), None);
    }

    proptest! {
        #[test]
        fn two_who_always_agree_have_one(ratings in prop::collection::vec(0_u32..4, 2..30)) {
            prop_assume!(ratings.iter().any(|rating| *rating != ratings[0]));
            for weights in [Weights::None, Weights::Linear, Weights::Quadratic] {
                let kappa = cohen_kappa(&ratings, &ratings, 4, weights).unwrap();
                prop_assert!((kappa - 1.0).abs() < 1e-12);
            }
            let units: Vec<[u32; 2]> = ratings.iter().map(|rating| [*rating; 2]).collect();
            for level in [Level::Nominal, Level::Ordinal, Level::Interval] {
                let units = units.iter().map(|unit| unit.as_slice());
                let alpha = krippendorff_alpha(units, &[0.0, 1.0, 2.0, 3.0], level).unwrap();
                prop_assert!((alpha - 1.0).abs() < 1e-12);
            }
        }
    }
}
