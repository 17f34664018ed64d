//! Fusion: two rankings become one, and a ranking is made diverse.

use jackfield_plugin_api::prelude::*;

/// How the keyword leg and the vector leg become one ranking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Fusion {
    /// `alpha * bm25 + (1 - alpha) * vector`, the scores of each leg brought to 0 to 1 per query.
    #[default]
    Weighted,
    /// Reciprocal ranks, `1 / (60 + rank)` of each leg summed (Cormack, Clarke and Büttcher 2009); `alpha` is not used.
    Rrf,
}

/// The constant of reciprocal-rank fusion.
pub const RRF: f64 = 60.0;

/// Scores scaled to 0 to 1: the least to 0, the greatest to 1. Equal scores tell nothing apart: all become 1 where they are
/// above 0, and else 0.
#[must_use]
pub fn min_max(scores: &[f64]) -> Vec<f64> {
    let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = greatest - least;
    let alike = if least > 0.0 { 1.0 } else { 0.0 };
    let scale = |score: &f64| if width > 0.0 { (score - least) / width } else { alike };
    scores.iter().map(scale).collect()
}

/// `alpha * left + (1 - alpha) * right`, each brought to 0 to 1.
#[must_use]
pub fn weighted(left: &[f64], right: &[f64], alpha: f64) -> Vec<f64> {
    let (left, right) = (min_max(left), min_max(right));
    left.iter().zip(&right).map(|(left, right)| alpha * left + (1.0 - alpha) * right).collect()
}

/// Sum over the legs of `1 / (60 + rank)`, with ranks from 1; a leg that did not rank the document adds nothing.
#[must_use]
pub fn reciprocal(ranks: impl IntoIterator<Item = Option<usize>>) -> f64 {
    ranks.into_iter().flatten().map(|rank| 1.0 / (RRF + rank as f64)).sum()
}

/// Maximal marginal relevance (Carbonell and Goldstein 1998): the order in which candidates are taken when each is the one
/// with the greatest `lambda * relevance - (1 - lambda) * max similarity to those taken`. Of two alike, the earlier.
///
/// `similarity` is asked for each pair of a candidate and one just taken, once.
#[must_use]
pub fn diverse(
    relevance: &[f64],
    lambda: f64,
    most: usize,
    mut similarity: impl FnMut(usize, usize) -> f64,
) -> Vec<usize> {
    let mut taken = Vec::new();
    let mut nearest = vec![None::<f64>; relevance.len()];
    let mut left: Vec<usize> = (0..relevance.len()).collect();
    while taken.len() < most && !left.is_empty() {
        let value = |index: usize| lambda * relevance[index] - (1.0 - lambda) * nearest[index].unwrap_or(0.0);
        let better = |best: usize, &index: &usize| if value(index) > value(best) { index } else { best };
        let next = left.iter().fold(left[0], better);
        left.retain(|&index| index != next);
        for &index in &left {
            let near = similarity(index, next);
            nearest[index] = Some(nearest[index].map_or(near, |nearest| nearest.max(near)));
        }
        taken.push(next);
    }
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scores_of_both_legs_are_brought_to_one_range_before_they_are_weighed() {
        assert_eq!(weighted(&[30.0, 10.0, 20.0], &[0.1, 0.3, 0.2], 0.75), [0.75, 0.25, 0.5]);
    }

    #[test]
    fn a_leg_that_tells_nothing_apart_has_no_say() {
        assert_eq!(weighted(&[0.0, 0.0], &[0.2, 0.4], 0.5), [0.0, 0.5]);
        assert_eq!(min_max(&[]), [0f64; 0]);
        assert_eq!((min_max(&[0.4]), min_max(&[0.4, 0.4]), min_max(&[-0.4])), (vec![1.0], vec![1.0, 1.0], vec![0.0]));
    }

    #[test]
    fn reciprocal_ranks_add_up() {
        assert!((reciprocal([Some(1), Some(3)]) - (1.0 / 61.0 + 1.0 / 63.0)).abs() < 1e-15);
        assert_eq!(reciprocal([None, None]), 0.0);
    }

    #[test]
    fn a_near_copy_of_what_was_taken_waits() {
        let similarity = |left: usize, right: usize| if left + right == 1 { 0.99 } else { 0.1 };
        assert_eq!(diverse(&[1.0, 0.95, 0.7], 0.5, 3, similarity), [0, 2, 1]);
        assert_eq!(diverse(&[1.0, 0.95, 0.7], 1.0, 2, similarity), [0, 1]);
    }

    proptest! {
        #[test]
        fn without_a_wish_for_diversity_relevance_alone_counts(relevance in prop::collection::vec(0u8..9, 0..20)) {
            let relevance: Vec<f64> = relevance.into_iter().map(f64::from).collect();
            let mut sorted: Vec<usize> = (0..relevance.len()).collect();
            sorted.sort_by(|&left, &right| relevance[right].total_cmp(&relevance[left]).then(left.cmp(&right)));
            prop_assert_eq!(diverse(&relevance, 1.0, relevance.len(), |_, _| 0.5), sorted);
        }
    }
}
