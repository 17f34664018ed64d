//! The Pareto front of a set of points: those that no other point dominates.

use std::collections::BTreeMap;

/// Which points are not dominated: true for a point that no other is at least as good as in every objective and better than
/// in one. Less is better in every objective; of equal points, all are dominated or none.
///
/// A coordinate that is not a number, or missing, is worse than all others. For up to three objectives in O(n log n), by a
/// sweep in order of the first objective over a staircase of the others (Kung, Luccio and Preparata 1975); for more in
/// O(n f), where f is the size of the set.
///
/// ```
/// let points = [[1.0, 5.0], [2.0, 2.0], [3.0, 3.0], [2.0, 2.0]];
/// assert_eq!(jackfield_routes::pareto_front(&points), [true, true, false, true]);
/// ```
#[must_use]
pub fn pareto_front<P: AsRef<[f64]>>(points: &[P]) -> Vec<bool> {
    let objectives = points.iter().map(|point| point.as_ref().len()).max().unwrap_or_default();
    if objectives <= 3 { front_by_sweep(points) } else { front_by_comparison(points, objectives) }
}

/// A coordinate as an integer, in the same order as the coordinates.
fn ordered_bits(coordinate: Option<&f64>) -> u64 {
    let coordinate = coordinate.copied().filter(|found| !found.is_nan()).unwrap_or(f64::INFINITY);
    // The sum makes the two zeros one.
    let bits = (coordinate + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The front of points with up to three objectives.
fn front_by_sweep<P: AsRef<[f64]>>(points: &[P]) -> Vec<bool> {
    let mut rows = Vec::with_capacity(points.len());
    for (index, point) in points.iter().enumerate() {
        let point = point.as_ref();
        rows.push(([ordered_bits(point.first()), ordered_bits(point.get(1)), ordered_bits(point.get(2))], index));
    }
    rows.sort_unstable();
    let mut is_on_front = vec![false; points.len()];
    // Of the points so far: the least third objective by the second one, each step lower than the one before.
    let mut staircase = BTreeMap::new();
    let mut last_keys = None;
    for (keys, index) in rows {
        let is_on = match last_keys {
            Some((same, is_on)) if same == keys => is_on,
            _ => add_step(&mut staircase, keys[1], keys[2]),
        };
        last_keys = Some((keys, is_on));
        is_on_front[index] = is_on;
    }
    is_on_front
}

/// Adds a step to the staircase if it lies below the staircase; says whether it does.
fn add_step(staircase: &mut BTreeMap<u64, u64>, second: u64, third: u64) -> bool {
    if staircase.range(..=second).next_back().is_some_and(|(_, &third_below)| third_below <= third) {
        return false;
    }
    while let Some((&next_second, _)) = staircase.range(second..).next().filter(|&(_, &next_third)| next_third >= third)
    {
        staircase.remove(&next_second);
    }
    staircase.insert(second, third);
    true
}

/// The front of points with any number of objectives.
fn front_by_comparison<P: AsRef<[f64]>>(points: &[P], objectives: usize) -> Vec<bool> {
    let mut rows = Vec::with_capacity(points.len());
    for (index, point) in points.iter().enumerate() {
        let keys: Vec<_> = (0..objectives).map(|objective| ordered_bits(point.as_ref().get(objective))).collect();
        rows.push((keys, index));
    }
    rows.sort_unstable();
    let mut is_on_front = vec![false; points.len()];
    // In this order no point is dominated by a later one.
    let mut front_keys: Vec<&[u64]> = Vec::new();
    for (keys, index) in &rows {
        let dominates = |other: &&[u64]| *other != keys && other.iter().zip(keys).all(|(other, own)| other <= own);
        if !front_keys.iter().any(dominates) {
            front_keys.push(keys);
            is_on_front[*index] = true;
        }
    }
    is_on_front
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Random;
    use proptest::prelude::*;

    use super::pareto_front;

    /// By the definition, in O(n^2).
    fn by_definition(points: &[Vec<f64>]) -> Vec<bool> {
        let dominates =
            |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b);
        points.iter().map(|point| !points.iter().any(|other| dominates(other, point))).collect()
    }

    #[test]
    fn ten_thousand_points_have_the_front_of_the_definition() {
        let mut random = Random::new(5);
        for objectives in 2..=4 {
            let points: Vec<Vec<f64>> =
                (0..10_000).map(|_| (0..objectives).map(|_| random.next_f64() - 0.5).collect()).collect();
            let found = pareto_front(&points);
            assert_eq!(found, by_definition(&points), "{objectives} objectives");
            let size = found.iter().filter(|&&on| on).count();
            assert!(size > 2 && size < 2_000, "{size} points on the front of {objectives} objectives");
        }
    }

    #[test]
    fn points_that_are_all_on_the_front_are_all_found() {
        // On a sphere, where nothing dominates anything.
        let mut random = Random::new(6);
        let point = |_| {
            let point: [f64; 3] = std::array::from_fn(|_| random.next_f64() + 0.01);
            let length = point.iter().map(|x| x * x).sum::<f64>().sqrt();
            point.map(|x| -x / length)
        };
        let points: Vec<_> = (0..10_000).map(point).collect();
        assert_eq!(pareto_front(&points).iter().filter(|&&on| on).count(), 10_000);
    }

    #[test]
    fn a_coordinate_that_is_not_a_number_is_worst() {
        let points = [vec![f64::NAN, 0.0], vec![1.0, 0.0], vec![0.5], vec![-0.0, 1.0], vec![0.0, 1.0]];
        assert_eq!(pareto_front(&points), [false, true, false, true, true]);
        assert_eq!(pareto_front::<[f64; 2]>(&[]), [false; 0]);
    }

    proptest! {
        #[test]
        fn ties_and_copies_are_as_in_the_definition(
            points in (1_usize..=5).prop_flat_map(|objectives| {
                prop::collection::vec(prop::collection::vec((0_u8..4).prop_map(f64::from), objectives), 0..40)
            }),
        ) {
            prop_assert_eq!(pareto_front(&points), by_definition(&points));
        }
    }
}
