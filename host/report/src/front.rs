//! The non-dominated set of points.

/// An objective's values, an arm each, and whether less of it is better.
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) minimize: bool,
    pub(super) values: Vec<Option<f64>>,
}

/// Which arms no other dominates: no other is at least as good in every objective and better in one. An arm without a value
/// is worst in that objective, and one without any is not on the front.
pub(super) fn on_front(measures: &[Measure], arms: usize) -> Vec<bool> {
    let loss = |measure: &Measure, arm: usize| match measure.values.get(arm).copied().flatten() {
        Some(value) if measure.minimize => value,
        Some(value) => -value,
        None => f64::INFINITY,
    };
    let points: Vec<Vec<f64>> =
        (0..arms).map(|arm| measures.iter().map(|measure| loss(measure, arm)).collect()).collect();
    let is_known = |arm: usize| measures.iter().any(|measure| measure.values.get(arm).copied().flatten().is_some());
    non_dominated(&points).into_iter().enumerate().map(|(arm, is_front)| is_front && is_known(arm)).collect()
}

/// Which points no other dominates: no other is at most as large in every coordinate and smaller in one. Of points that are
/// alike, all are, or none.
pub(super) fn non_dominated(points: &[Vec<f64>]) -> Vec<bool> {
    let dominates = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b);
    // What is dominated by one that is itself dominated is dominated by the better one, too.
    let mut kept: Vec<usize> = Vec::new();
    for (place, point) in points.iter().enumerate() {
        if !kept.iter().any(|other| dominates(&points[*other], point)) {
            kept.retain(|other| !dominates(point, &points[*other]));
            kept.push(place);
        }
    }
    let mut on_front = vec![false; points.len()];
    kept.into_iter().for_each(|place| on_front[place] = true);
    on_front
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(minimize: bool, values: &[Option<f64>]) -> Measure {
        Measure { name: String::new(), minimize, values: values.to_vec() }
    }

    #[test]
    fn an_arm_that_another_beats_in_all_is_not_on_the_front() {
        let cost = measure(true, &[Some(1.0), Some(5.0), Some(1.0), None, Some(5.0)]);
        let quality = measure(false, &[Some(0.5), Some(1.0), Some(0.0), None, Some(1.0)]);
        // The second and the fifth are equal: neither dominates the other.
        assert_eq!(on_front(&[cost, quality], 5), [true, true, false, false, true]);
    }

    #[test]
    fn a_missing_value_is_the_worst() {
        let cost = measure(true, &[Some(1.0), Some(2.0)]);
        let quality = measure(false, &[None, Some(0.1)]);
        assert_eq!(on_front(&[cost, quality], 2), [true, true]);
        assert_eq!(on_front(&[measure(false, &[None, Some(0.1)])], 2), [false, true]);
    }
}
