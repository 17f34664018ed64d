//! The non-dominated set.

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
/// assert_eq!(jackfield_routes::front(&points), [true, true, false, true]);
/// ```
#[must_use]
pub fn front<P: AsRef<[f64]>>(points: &[P]) -> Vec<bool> {
    let objectives = points.iter().map(|point| point.as_ref().len()).max().unwrap_or_default();
    if objectives <= 3 { swept(points) } else { compared(points, objectives) }
}

/// A coordinate as an integer of the same order.
fn key(coordinate: Option<&f64>) -> u64 {
    let coordinate = coordinate.copied().filter(|found| !found.is_nan()).unwrap_or(f64::INFINITY);
    // The sum makes the two zeros one.
    let bits = (coordinate + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn swept<P: AsRef<[f64]>>(points: &[P]) -> Vec<bool> {
    let row = |(index, point): (usize, &P)| {
        let point = point.as_ref();
        ([key(point.first()), key(point.get(1)), key(point.get(2))], index)
    };
    let mut rows: Vec<_> = points.iter().enumerate().map(row).collect();
    rows.sort_unstable();
    let mut is_on = vec![false; points.len()];
    // Of the points so far: the least third objective by the second one, each step lower than the one before.
    let mut stairs = BTreeMap::new();
    let mut last = None;
    for (row, index) in rows {
        let on = match last {
            Some((same, on)) if same == row => on,
            _ => step(&mut stairs, row[1], row[2]),
        };
        last = Some((row, on));
        is_on[index] = on;
    }
    is_on
}

/// Adds a step to the stairs, unless it is not below them.
fn step(stairs: &mut BTreeMap<u64, u64>, second: u64, third: u64) -> bool {
    if stairs.range(..=second).next_back().is_some_and(|(_, &least)| least <= third) {
        return false;
    }
    while let Some((&above, _)) = stairs.range(second..).next().filter(|&(_, &other)| other >= third) {
        stairs.remove(&above);
    }
    stairs.insert(second, third);
    true
}

fn compared<P: AsRef<[f64]>>(points: &[P], objectives: usize) -> Vec<bool> {
    let row = |(index, point): (usize, &P)| {
        let keys: Vec<_> = (0..objectives).map(|objective| key(point.as_ref().get(objective))).collect();
        (keys, index)
    };
    let mut rows: Vec<_> = points.iter().enumerate().map(row).collect();
    rows.sort_unstable();
    let mut is_on = vec![false; points.len()];
    // In this order no point is dominated by a later one.
    let mut on: Vec<&[u64]> = Vec::new();
    for (row, index) in &rows {
        let dominates = |other: &&[u64]| *other != row && other.iter().zip(row).all(|(other, own)| other <= own);
        if !on.iter().any(dominates) {
            on.push(row);
            is_on[*index] = true;
        }
    }
    is_on
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Random;
    use proptest::prelude::*;

    use super::front;

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
            let found = front(&points);
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
        assert_eq!(front(&points).iter().filter(|&&on| on).count(), 10_000);
    }

    #[test]
    fn what_is_no_number_is_worst() {
        let points = [vec![f64::NAN, 0.0], vec![1.0, 0.0], vec![0.5], vec![-0.0, 1.0], vec![0.0, 1.0]];
        assert_eq!(front(&points), [false, true, false, true, true]);
        assert_eq!(front::<[f64; 2]>(&[]), [false; 0]);
    }

    proptest! {
        #[test]
        fn ties_and_copies_are_as_in_the_definition(
            points in (1_usize..=5).prop_flat_map(|objectives| {
                prop::collection::vec(prop::collection::vec((0_u8..4).prop_map(f64::from), objectives), 0..40)
            }),
        ) {
            prop_assert_eq!(front(&points), by_definition(&points));
        }
    }
}
