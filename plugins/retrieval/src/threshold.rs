//! Where to stop believing a classifier, learned from labelled data.

/// The threshold under which an answer is better withheld.
///
/// Of labelled queries, `scores` has the confidence of each, `correct` whether its answer was right, `out_of_scope` whether
/// no answer would have been. A query is answered if its score is at least the threshold. The threshold answered maximises
/// `(share of queries in scope answered rightly) + (share of queries out of scope not answered)`: each kind of query counts
/// as a whole, so that it does not matter how many of each there are. It lies midway between two scores; of thresholds
/// alike, the lowest. None unless there are queries of both kinds, all scores being numbers.
#[must_use]
pub fn fit_threshold(scores: &[f64], correct: &[bool], out_of_scope: &[bool]) -> Option<f64> {
    if scores.len() != correct.len() || scores.len() != out_of_scope.len() || scores.iter().any(|s| s.is_nan()) {
        return None;
    }
    let outside = out_of_scope.iter().filter(|&&out| out).count();
    let inside = scores.len() - outside;
    if outside == 0 || inside == 0 {
        return None;
    }
    // What the value gains when the threshold passes a query: it is withheld then.
    let gain = |at: usize| {
        if out_of_scope[at] {
            1.0 / outside as f64
        } else if correct[at] {
            -1.0 / inside as f64
        } else {
            0.0
        }
    };
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&left, &right| scores[left].total_cmp(&scores[right]));
    let (mut value, mut best, mut threshold) = (0.0, 0.0, scores[order[0]].min(0.0));
    for (place, &at) in order.iter().enumerate() {
        value += gain(at);
        let next = order.get(place + 1).map(|&next| scores[next]);
        if next == Some(scores[at]) {
            continue;
        }
        if value > best + 1e-12 {
            best = value;
            // Beyond the last score nothing is answered.
            threshold = next.map_or(scores[at] + 1e-6, |next| f64::midpoint(scores[at], next));
        }
    }
    Some(threshold)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(threshold: f64, scores: &[f64], correct: &[bool], out: &[bool]) -> f64 {
        let share = |of: bool, good: &dyn Fn(usize) -> bool| {
            let all: Vec<usize> = (0..scores.len()).filter(|&at| out[at] == of).collect();
            all.iter().filter(|&&at| good(at)).count() as f64 / all.len() as f64
        };
        share(false, &|at| correct[at] && scores[at] >= threshold) + share(true, &|at| scores[at] < threshold)
    }

    #[test]
    fn a_gap_between_the_kinds_is_found() {
        let found = fit_threshold(&[0.2, 0.9, 0.3, 0.8], &[false, true, false, true], &[true, false, true, false]);
        assert!((found.unwrap() - 0.55).abs() < 1e-12);
    }

    #[test]
    fn without_both_kinds_there_is_nothing_to_learn_from() {
        assert_eq!(fit_threshold(&[0.2, 0.9], &[true, true], &[false, false]), None);
        assert_eq!(fit_threshold(&[], &[], &[]), None);
        assert_eq!(fit_threshold(&[f64::NAN, 0.1], &[true, true], &[false, true]), None);
    }

    proptest! {
        #[test]
        fn no_other_threshold_does_better(queries in prop::collection::vec((0u8..20, any::<bool>(), any::<bool>()), 2..40)) {
            let scores: Vec<f64> = queries.iter().map(|q| f64::from(q.0) / 20.0).collect();
            let correct: Vec<bool> = queries.iter().map(|q| q.1).collect();
            let out: Vec<bool> = queries.iter().map(|q| q.2).collect();
            if let Some(found) = fit_threshold(&scores, &correct, &out) {
                let best = value(found, &scores, &correct, &out);
                for other in (0..=41).map(|at| f64::from(at) / 40.0) {
                    prop_assert!(best >= value(other, &scores, &correct, &out) - 1e-9);
                }
            } else {
                prop_assert!(out.iter().all(|&o| o) || out.iter().all(|&o| !o));
            }
        }
    }
}
