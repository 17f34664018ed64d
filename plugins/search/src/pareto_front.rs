//! The Pareto fronts of points with several measures, where less is better in every measure.

use std::cmp::Ordering;

/// The order of points by their first measures, then by their second ones, and so on. In this order none is dominated by a later
/// one.
pub(crate) fn compare_lexicographically(a: &[f64], b: &[f64]) -> Ordering {
    a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Indices of the points in lexicographic order; equal points stay in their order.
pub(crate) fn sorted_indices(points: &[&[f64]]) -> Vec<usize> {
    let mut order: Vec<_> = (0..points.len()).collect();
    order.sort_by(|&a, &b| compare_lexicographically(points[a], points[b]));
    order
}

/// The rank of each point, where less is better in every measure: 0 where no other point dominates it, 1 where those of rank 0
/// alone do, and so on. Equal points have one rank. Ranks are computed until `enough` different points have one; all others have
/// the next rank.
pub(crate) fn pareto_ranks(points: &[&[f64]], enough: usize) -> Vec<usize> {
    let mut order = sorted_indices(points);
    let mut ranks = vec![0; points.len()];
    let (mut rank, mut ranked) = (0, 0);
    while !order.is_empty() && ranked < enough {
        let mut front: Vec<&[f64]> = Vec::new();
        let mut others = Vec::with_capacity(order.len());
        // In two measures, what was found last has the least second one.
        let is_on_front = |front: &[&[f64]], point: &[f64]| match point.len() {
            0 | 1 => front.is_empty(),
            2 => front.last().is_none_or(|last| point[1] < last[1]),
            _ => !front.iter().any(|other| other.iter().zip(point).all(|(other, own)| other <= own)),
        };
        let mut last: Option<(&[f64], bool)> = None;
        for index in order {
            let point = points[index];
            let is_on = match last {
                Some((last, is_on)) if last == point => is_on,
                _ => {
                    let is_on = is_on_front(&front, point);
                    if is_on {
                        front.push(point);
                        ranked += 1;
                    }
                    is_on
                }
            };
            last = Some((point, is_on));
            if is_on {
                ranks[index] = rank;
            } else {
                others.push(index);
            }
        }
        order = others;
        rank += 1;
    }
    order.into_iter().for_each(|index| ranks[index] = rank);
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::pareto_ranks;

    /// By the definition.
    fn ranks_by_definition(points: &[Vec<f64>]) -> Vec<usize> {
        let dominates =
            |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b);
        let mut found = vec![usize::MAX; points.len()];
        for rank in 0..points.len() {
            let left: Vec<_> = (0..points.len()).filter(|&at| found[at] == usize::MAX).collect();
            for &at in &left {
                if !left.iter().any(|&other| dominates(&points[other], &points[at])) {
                    found[at] = rank;
                }
            }
        }
        found
    }

    proptest! {
        #[test]
        fn ranks_are_those_of_the_definition(
            points in (1_usize..=4).prop_flat_map(|measures| {
                prop::collection::vec(prop::collection::vec((0_u8..5).prop_map(f64::from), measures), 0..30)
            }),
            enough in 0_usize..40,
        ) {
            let found = pareto_ranks(&points.iter().map(Vec::as_slice).collect::<Vec<_>>(), enough);
            let expected = ranks_by_definition(&points);
            let last = found.iter().copied().max().unwrap_or_default();
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert_eq!(*found, (*expected).min(last));
            }
            let mut ranked: Vec<_> = (0..points.len()).filter(|&at| found[at] < last).map(|at| &points[at]).collect();
            ranked.sort_by(|a, b| super::compare_lexicographically(a, b));
            ranked.dedup();
            prop_assert!(found == expected || ranked.len() >= enough);
        }
    }
}
