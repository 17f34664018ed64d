//! The Pareto front of a set of points: those that no other point dominates.
//!
//! Less is better in every coordinate of a point. This is the only place of the host that compares points by dominance.

/// An objective: whether less of it is better, and its value for each arm.
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) minimize: bool,
    /// By position of the arm; none for an arm without a value.
    pub(super) values: Vec<Option<f64>>,
}

/// For each arm whether it is on the Pareto front of these objectives. An arm without a value is worst in that objective, and
/// one without any value is not on the front.
pub(super) fn pareto_front_of_arms(measures: &[Measure], arm_count: usize) -> Vec<bool> {
    let value = |measure: &Measure, arm: usize| measure.values.get(arm).copied().flatten();
    let loss = |measure: &Measure, arm: usize| match value(measure, arm) {
        Some(value) if measure.minimize => value,
        Some(value) => -value,
        None => f64::INFINITY,
    };
    let losses: Vec<Vec<f64>> =
        (0..arm_count).map(|arm| measures.iter().map(|measure| loss(measure, arm)).collect()).collect();
    let has_value = |arm: usize| measures.iter().any(|measure| value(measure, arm).is_some());
    pareto_front(&losses).into_iter().enumerate().map(|(arm, on_front)| on_front && has_value(arm)).collect()
}

/// For each point whether it is on the Pareto front. Of equal points, all are on it or none.
pub(super) fn pareto_front(points: &[Vec<f64>]) -> Vec<bool> {
    // A point that is dominated by one that is itself dominated is dominated by the better one, too.
    let mut undominated: Vec<usize> = Vec::new();
    for index in 0..points.len() {
        add_unless_beaten(&mut undominated, index, |a, b| dominates(&points[*a], &points[*b]));
    }
    let mut on_front = vec![false; points.len()];
    undominated.into_iter().for_each(|index| on_front[index] = true);
    on_front
}

/// The points of the Pareto front, each of several equal points once. Each comparison takes a step; none where that takes more
/// steps than are left.
pub(super) fn distinct_pareto_front(points: Vec<Vec<f64>>, steps_left: &mut u64) -> Option<Vec<Vec<f64>>> {
    let mut front: Vec<Vec<f64>> = Vec::new();
    for point in points {
        *steps_left = steps_left.checked_sub(front.len() as u64 + 1)?;
        add_unless_beaten(&mut front, point, |a, b| weakly_dominates(a, b));
    }
    Some(front)
}

/// Adds a candidate to a front unless one that is on it beats the candidate, and removes those that the candidate beats.
/// Returns whether it was added.
pub(super) fn add_unless_beaten<T>(front: &mut Vec<T>, candidate: T, beats: impl Fn(&T, &T) -> bool) -> bool {
    if front.iter().any(|other| beats(other, &candidate)) {
        return false;
    }
    front.retain(|other| !beats(&candidate, other));
    front.push(candidate);
    true
}

/// Whether `a` is at most as large as `b` in every coordinate.
pub(super) fn weakly_dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b)
}

/// Whether `a` is at most as large as `b` in every coordinate and smaller in one.
fn dominates(a: &[f64], b: &[f64]) -> bool {
    weakly_dominates(a, b) && a.iter().zip(b).any(|(a, b)| a < b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(minimize: bool, values: &[Option<f64>]) -> Measure {
        Measure { name: String::new(), minimize, values: values.to_vec() }
    }

    #[test]
    fn an_arm_that_another_dominates_is_not_on_the_pareto_front() {
        let cost = measure(true, &[Some(1.0), Some(5.0), Some(1.0), None, Some(5.0)]);
        let quality = measure(false, &[Some(0.5), Some(1.0), Some(0.0), None, Some(1.0)]);
        // The second and the fifth are equal: neither dominates the other.
        assert_eq!(pareto_front_of_arms(&[cost, quality], 5), [true, true, false, false, true]);
    }

    #[test]
    fn a_missing_value_is_the_worst() {
        let cost = measure(true, &[Some(1.0), Some(2.0)]);
        let quality = measure(false, &[None, Some(0.1)]);
        assert_eq!(pareto_front_of_arms(&[cost, quality], 2), [true, true]);
        assert_eq!(pareto_front_of_arms(&[measure(false, &[None, Some(0.1)])], 2), [false, true]);
    }

    #[test]
    fn a_distinct_front_has_equal_points_once_and_ends_when_its_steps_do() {
        let points = vec![vec![2.0, 2.0], vec![1.0, 3.0], vec![1.0, 3.0], vec![2.0, 1.0]];
        assert_eq!(distinct_pareto_front(points.clone(), &mut 100), Some(vec![vec![1.0, 3.0], vec![2.0, 1.0]]));
        assert_eq!(distinct_pareto_front(points, &mut 3), None);
    }
}
