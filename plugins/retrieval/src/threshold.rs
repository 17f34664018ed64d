//! Where to stop believing a classifier, learned from labelled data.

/// The threshold under which an answer is better withheld.
///
/// Of labelled queries, `scores` has the confidence of each, `out_of_scope` whether no answer is right. Each query in scope
/// stands for `weight` of its sort, so that a sample of them can be judged. A query is answered if its score is at least the
/// threshold. The threshold answered maximises F1 of what is withheld: with `hits` queries withheld that are out of scope,
/// `2 * hits / (all withheld + all out of scope)`. Unlike the mean of both kinds' shares, that counts what withholding costs
/// where most queries are in scope. It lies midway between two scores; of thresholds alike, the lowest. None unless there
/// are queries of both kinds, all scores being numbers.
#[must_use]
pub fn fit_threshold(scores: &[f64], out_of_scope: &[bool], weight: f64) -> Option<f64> {
    if scores.len() != out_of_scope.len() || scores.iter().any(|s| s.is_nan()) {
        return None;
    }
    let outside = out_of_scope.iter().filter(|&&out| out).count();
    if outside == 0 || outside == scores.len() {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&left, &right| scores[left].total_cmp(&scores[right]));
    let (mut hits, mut withheld) = (0.0, 0.0);
    let (mut best, mut threshold) = (0.0, scores[order[0]].min(0.0));
    for (rank, &query) in order.iter().enumerate() {
        let hit = if out_of_scope[query] { 1.0 } else { 0.0 };
        hits += hit;
        withheld += hit + (1.0 - hit) * weight;
        let next = order.get(rank + 1).map(|&next| scores[next]);
        if next == Some(scores[query]) {
            continue;
        }
        let f1 = 2.0 * hits / (withheld + outside as f64);
        if f1 > best + 1e-12 {
            best = f1;
            // Beyond the last score nothing is answered.
            threshold = next.map_or(scores[query] + 1e-6, |next| f64::midpoint(scores[query], next));
        }
    }
    Some(threshold)
}

/// The threshold that keeps a share of right answers, from the confidences of answers that were right.
///
/// If these are exchangeable with those to come, an answer that is right falls below the threshold with a probability of at
/// most `1 - share`, or of one over their number plus one, whichever is more: it is the `(1 - share) * (number + 1)`th smallest
/// of them, and at least the smallest (split conformal prediction: Vovk, Gammerman and Shafer 2005). 0 where there are none.
#[must_use]
pub fn threshold_that_keeps(right: &[f64], share: f64) -> f64 {
    let mut confidences = right.to_vec();
    confidences.sort_by(f64::total_cmp);
    let rank = ((1.0 - share) * (right.len() as f64 + 1.0) + 1e-9) as usize;
    confidences.get(rank.clamp(1, right.len().max(1)) - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn f1(threshold: f64, scores: &[f64], out: &[bool], weight: f64) -> f64 {
        let withheld = |of: bool| (0..out.len()).filter(|&at| out[at] == of && scores[at] < threshold).count() as f64;
        let (hits, all) = (withheld(true), out.iter().filter(|&&out| out).count() as f64);
        let (precision, recall) = (hits / (hits + weight * withheld(false)).max(1e-9), hits / all);
        2.0 * precision * recall / (precision + recall).max(1e-9)
    }

    #[test]
    fn a_gap_between_the_kinds_is_found() {
        let found = fit_threshold(&[0.2, 0.9, 0.3, 0.8], &[true, false, true, false], 1.0);
        assert!((found.unwrap() - 0.55).abs() < 1e-12);
    }

    #[test]
    fn the_more_queries_are_in_scope_the_less_is_withheld() {
        let (scores, out) = ([0.1, 0.2, 0.3, 0.4], [true, false, true, false]);
        assert!((fit_threshold(&scores, &out, 0.5).unwrap() - 0.35).abs() < 1e-12);
        assert!((fit_threshold(&scores, &out, 9.0).unwrap() - 0.15).abs() < 1e-12);
    }

    #[test]
    fn without_both_kinds_there_is_nothing_to_learn_from() {
        assert_eq!(fit_threshold(&[0.2, 0.9], &[false, false], 1.0), None);
        assert_eq!(fit_threshold(&[], &[], 1.0), None);
        assert_eq!(fit_threshold(&[f64::NAN, 0.1], &[false, true], 1.0), None);
    }

    #[test]
    fn the_share_of_right_answers_that_is_asked_for_is_kept() {
        let right: Vec<f64> = (1..100).rev().map(|at| f64::from(at) / 100.0).collect();
        assert!((threshold_that_keeps(&right, 0.95) - 0.05).abs() < 1e-12);
        assert!((threshold_that_keeps(&right, 0.5) - 0.5).abs() < 1e-12);
        assert_eq!((threshold_that_keeps(&right, 1.0), threshold_that_keeps(&right, 0.0)), (0.01, 0.99));
        assert_eq!((threshold_that_keeps(&[0.7, 0.6], 0.95), threshold_that_keeps(&[], 0.95)), (0.6, 0.0));
    }

    proptest! {
        #[test]
        fn no_other_threshold_does_better(
            queries in prop::collection::vec((0u8..20, any::<bool>()), 2..40),
            weight in 1u8..9,
        ) {
            let scores: Vec<f64> = queries.iter().map(|q| f64::from(q.0) / 20.0).collect();
            let out: Vec<bool> = queries.iter().map(|q| q.1).collect();
            let weight = f64::from(weight);
            if let Some(found) = fit_threshold(&scores, &out, weight) {
                let best = f1(found, &scores, &out, weight);
                for other in (0..=41).map(|at| f64::from(at) / 40.0) {
                    prop_assert!(best >= f1(other, &scores, &out, weight) - 1e-6);
                }
            } else {
                prop_assert!(out.iter().all(|&o| o) || out.iter().all(|&o| !o));
            }
        }
    }
}
