//! The hypervolume of points, which is how much of the space they dominate up to a reference point, and how much each adds to it.
//! Less is better in every measure.

use crate::pareto_front::{compare_lexicographically, pareto_ranks, sorted_indices};

/// The volume of what at least one of the points dominates, and which dominates the reference point. Points that do not
/// dominate the reference point count for nothing.
///
/// Exact, by exclusive volumes (While, Bradstreet and Barone 2012); for two measures by a sweep.
///
/// ```
/// let points: [&[f64]; 3] = [&[1.0, 2.0], &[2.0, 1.0], &[2.5, 2.5]];
/// assert_eq!(jackfield_search::hypervolume(&points, &[3.0, 3.0]), 3.0);
/// ```
#[must_use]
pub fn hypervolume(points: &[&[f64]], reference: &[f64]) -> f64 {
    let dominates_reference = |point: &&[f64]| point.iter().zip(reference).all(|(own, bound)| own < bound);
    let mut points: Vec<&[f64]> = points.iter().copied().filter(dominates_reference).collect();
    points.sort_by(|a, b| compare_lexicographically(a, b));
    volume(&points, reference)
}

/// The box between a point and the reference point.
fn inclusive(point: &[f64], reference: &[f64]) -> f64 {
    point.iter().zip(reference).map(|(own, bound)| bound - own).product()
}

/// The volume of points that are in order of their first measure.
fn volume(points: &[&[f64]], reference: &[f64]) -> f64 {
    if let [_, second] = *reference {
        let mut lowest = second;
        let mut sum = 0.0;
        for point in points {
            if point[1] < lowest {
                sum += (reference[0] - point[0]) * (lowest - point[1]);
                lowest = point[1];
            }
        }
        return sum;
    }
    let exclusive_volume = |(at, point): (usize, &&[f64])| exclusive(point, &points[at + 1..], reference);
    points.iter().enumerate().map(exclusive_volume).sum()
}

/// The volume of what a point dominates and none of the others does.
fn exclusive(point: &[f64], others: &[&[f64]], reference: &[f64]) -> f64 {
    let limited_to_point =
        |other: &&[f64]| other.iter().zip(point).map(|(other, own)| other.max(*own)).collect::<Vec<f64>>();
    let limited: Vec<Vec<f64>> = others.iter().map(limited_to_point).collect();
    let limited: Vec<&[f64]> = limited.iter().map(Vec::as_slice).collect();
    let point_ranks = pareto_ranks(&limited, 1);
    let mut limited: Vec<&[f64]> =
        limited.into_iter().zip(point_ranks).filter(|(_, rank)| *rank == 0).map(|(point, _)| point).collect();
    limited.sort_by(|a, b| compare_lexicographically(a, b));
    limited.dedup();
    inclusive(point, reference) - volume(&limited, reference)
}

/// The reference point for these points: a tenth worse than the worst of them in each measure.
pub(crate) fn reference_of(points: &[&[f64]]) -> Vec<f64> {
    let measures = points.first().map_or(0, |point| point.len());
    let bound = |measure: usize| {
        let worst = points.iter().map(|point| point[measure]).fold(f64::NEG_INFINITY, f64::max);
        let bound = (1.1 * worst).max(0.9 * worst);
        if bound == 0.0 { TINY } else { bound }
    };
    (0..measures).map(bound).collect()
}

/// Stands for zero where zero would be divided by, or would leave a trial without weight.
pub(crate) const TINY: f64 = 1e-12;

/// What each point adds to the volume of all, as a share of the greatest contribution, at least [`TINY`]: 1 for each where that is
/// too large for a float, and for a single one.
pub(crate) fn contributions(points: &[&[f64]]) -> Vec<f64> {
    if points.len() <= 1 {
        return vec![1.0; points.len()];
    }
    let reference = reference_of(points);
    let point_ranks = pareto_ranks(points, 1);
    let front_indices: Vec<usize> =
        sorted_indices(points).into_iter().filter(|&index| point_ranks[index] == 0).collect();
    let front: Vec<&[f64]> = front_indices.iter().map(|&index| points[index]).collect();
    let mut volumes = vec![0.0; points.len()];
    for (position, &index) in front_indices.iter().enumerate() {
        volumes[index] = if let [first, second] = *reference {
            let right = front.get(position + 1).map_or(first, |next| next[0]);
            let above = if position == 0 { second } else { front[position - 1][1] };
            (right - points[index][0]) * (above - points[index][1])
        } else {
            let others: Vec<&[f64]> = [&front[..position], &front[position + 1..]].concat();
            exclusive(points[index], &others, &reference)
        };
    }
    let greatest = volumes.iter().copied().fold(TINY, f64::max);
    if !greatest.is_finite() || volumes.iter().any(|volumes| volumes.is_nan()) {
        return vec![1.0; points.len()];
    }
    volumes.iter().map(|volumes| (volumes / greatest).max(TINY)).collect()
}

/// Indices of `size` of the points, of which none dominates another: those that one after the other add most to the volume of
/// the points taken already (greedy subset selection: Guerreiro, Fonseca and Paquete 2016). Equal points are taken once, unless
/// there are not enough others.
pub(crate) fn subset(points: &[&[f64]], size: usize) -> Vec<usize> {
    if size >= points.len() {
        return (0..points.len()).collect();
    }
    let reference = reference_of(points);
    // The first of equal points, in order.
    let mut order = sorted_indices(points);
    order.dedup_by(|later, first| points[*later] == points[*first]);
    if order.len() <= size {
        let equal_points = (0..points.len()).filter(|index| !order.contains(index)).take(size - order.len());
        let equal_points: Vec<usize> = equal_points.collect();
        return [order, equal_points].concat();
    }
    if !reference.iter().all(|bound| bound.is_finite()) {
        order.truncate(size);
        return order;
    }
    if reference.len() == 2 {
        subset_of_plane(points, order, &reference, size)
    } else {
        subset_of_space(points, order, &reference, size)
    }
}

/// In two measures, a point adds a rectangle, whose far corner is given by its neighbours among the taken points.
fn subset_of_plane(points: &[&[f64]], mut order: Vec<usize>, reference: &[f64], size: usize) -> Vec<usize> {
    let mut corners = vec![[reference[0], reference[1]]; order.len()];
    let mut taken = Vec::with_capacity(size);
    for _ in 0..size {
        let area = |position: usize| {
            (corners[position][0] - points[order[position]][0]) * (corners[position][1] - points[order[position]][1])
        };
        let best = position_of_greatest(order.len(), area);
        let index = order.remove(best);
        corners.remove(best);
        taken.push(index);
        corners[..best].iter_mut().for_each(|corner| corner[0] = corner[0].min(points[index][0]));
        corners[best..].iter_mut().for_each(|corner| corner[1] = corner[1].min(points[index][1]));
    }
    taken
}

/// The contribution of a point only decreases as more points are taken, so it is computed anew only where it could be the greatest.
fn subset_of_space(points: &[&[f64]], mut order: Vec<usize>, reference: &[f64], size: usize) -> Vec<usize> {
    let mut bounds: Vec<f64> = order.iter().map(|&index| inclusive(points[index], reference)).collect();
    let mut taken: Vec<usize> = Vec::with_capacity(size);
    loop {
        let best = position_of_greatest(order.len(), |position| bounds[position]);
        taken.push(order.remove(best));
        bounds.remove(best);
        if taken.len() == size {
            return taken;
        }
        let others: Vec<&[f64]> = taken.iter().map(|&index| points[index]).collect();
        let mut by_bound: Vec<usize> = (0..order.len()).collect();
        by_bound.sort_by(|&a, &b| bounds[b].total_cmp(&bounds[a]));
        let mut most = f64::NEG_INFINITY;
        for position in by_bound {
            if bounds[position] < most {
                break;
            }
            bounds[position] = exclusive(points[order[position]], &others, reference);
            most = most.max(bounds[position]);
        }
    }
}

/// The first of `count` positions at which the number is greatest.
fn position_of_greatest(count: usize, number: impl Fn(usize) -> f64) -> usize {
    let mut greatest = (0, f64::NEG_INFINITY);
    for position in 0..count {
        let found = number(position);
        if found > greatest.1 {
            greatest = (position, found);
        }
    }
    greatest.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By counting the cells of a grid of whole numbers.
    fn counted(points: &[Vec<f64>], reference: u8) -> f64 {
        let measures = points[0].len() as u32;
        let cells = u32::from(reference).pow(measures);
        let dominated = |cell: &u32| {
            let corner = |measure: u32| f64::from(cell / u32::from(reference).pow(measure) % u32::from(reference));
            points.iter().any(|point| point.iter().zip(0..).all(|(own, measure)| *own <= corner(measure)))
        };
        f64::from((0..cells).filter(dominated).count() as u32)
    }

    fn points() -> impl Strategy<Value = Vec<Vec<f64>>> {
        (2_usize..=4).prop_flat_map(|measures| {
            prop::collection::vec(prop::collection::vec((0_u8..6).prop_map(f64::from), measures), 1..8)
        })
    }

    proptest! {
        #[test]
        fn volumes_are_what_is_counted(points in points()) {
            let reference = vec![6.0; points[0].len()];
            let found = hypervolume(&points.iter().map(Vec::as_slice).collect::<Vec<_>>(), &reference);
            prop_assert_eq!(found, counted(&points, 6));
        }

        #[test]
        fn what_a_point_adds_is_what_the_front_loses_without_it(points in points()) {
            let points: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
            let pareto_ranks = pareto_ranks(&points, 1);
            let reference = reference_of(&points);
            let without = |left_out: usize| {
                let is_in = |at: &usize| pareto_ranks[*at] == 0 && *at != left_out;
                hypervolume(&(0..points.len()).filter(is_in).map(|at| points[at]).collect::<Vec<_>>(), &reference)
            };
            let lost: Vec<f64> = (0..points.len()).map(|at| without(usize::MAX) - without(at)).collect();
            let most = lost.iter().copied().fold(TINY, f64::max);
            let found = contributions(&points);
            for (found, lost) in found.iter().zip(&lost).filter(|_| points.len() > 1) {
                prop_assert!((found - (lost / most).max(TINY)).abs() < 1e-7, "{found} {lost} {most}");
            }
        }

        #[test]
        fn a_subset_takes_what_adds_most(points in points(), size in 1_usize..6) {
            let points: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
            let front = pareto_ranks(&points, 1);
            let points: Vec<&[f64]> = points.into_iter().zip(front).filter(|(_, rank)| *rank == 0).map(|(point, _)| point).collect();
            let found = subset(&points, size);
            let mut different = found.clone();
            different.sort_unstable();
            different.dedup();
            prop_assert_eq!(different.len(), size.min(points.len()));
            let reference = reference_of(&points);
            let volume = |taken: &[usize]| hypervolume(&taken.iter().map(|&at| points[at]).collect::<Vec<_>>(), &reference);
            let mut unequal = points.clone();
            unequal.sort_by(|a, b| compare_lexicographically(a, b));
            unequal.dedup();
            if size < unequal.len() {
                for step in 0..found.len() {
                    let reached = volume(&found[..=step]);
                    for other in 0..points.len() {
                        prop_assert!(volume(&[&found[..step], &[other]].concat()) <= reached + 1e-9);
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_too_large_for_a_volume_weigh_the_same() {
        let points: [&[f64]; 2] = [&[-1e300, 1e300], &[1e300, -1e300]];
        assert_eq!(contributions(&points), [1.0, 1.0]);
        assert_eq!(subset(&points, 1).len(), 1);
        assert_eq!(contributions(&[&[1.0, 2.0]]), [1.0]);
    }
}
