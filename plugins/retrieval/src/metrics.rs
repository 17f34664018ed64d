//! Measures of a ranking against judgements, as trec_eval defines them.
//!
//! A ranking is a list of document ids, best first, each once. Judgements give ids a grade; 0 and below, like no judgement
//! at all, is not relevant.

use std::collections::BTreeMap;

/// Grades of documents for one query.
pub type Judgements = BTreeMap<String, f64>;

/// The grade of a document; 0 if it is not relevant.
fn grade(judgements: &Judgements, id: &str) -> f64 {
    judgements.get(id).copied().filter(|grade| *grade > 0.0).unwrap_or(0.0)
}

/// How many documents are relevant.
fn relevant(judgements: &Judgements) -> usize {
    judgements.values().filter(|grade| **grade > 0.0).count()
}

/// Normalised discounted cumulative gain at `depth` (Järvelin and Kekäläinen 2002), with the grade as gain and
/// `log2(rank + 1)` as discount: trec_eval's `ndcg_cut`. None if nothing is relevant.
#[must_use]
pub fn ndcg<'a>(ranking: impl IntoIterator<Item = &'a str>, judgements: &Judgements, depth: usize) -> Option<f64> {
    let discounted = |grades: &mut dyn Iterator<Item = f64>| -> f64 {
        grades.take(depth).enumerate().map(|(rank, grade)| grade / libm::log2(rank as f64 + 2.0)).sum()
    };
    let mut ideal: Vec<f64> = judgements.values().copied().filter(|grade| *grade > 0.0).collect();
    ideal.sort_by(|left, right| right.total_cmp(left));
    let ideal = discounted(&mut ideal.into_iter());
    (ideal > 0.0).then(|| discounted(&mut ranking.into_iter().map(|id| grade(judgements, id))) / ideal)
}

/// Share of the relevant documents among the first `depth`. None if nothing is relevant.
#[must_use]
pub fn recall<'a>(ranking: impl IntoIterator<Item = &'a str>, judgements: &Judgements, depth: usize) -> Option<f64> {
    let found = ranking.into_iter().take(depth).filter(|id| grade(judgements, id) > 0.0).count();
    let total = relevant(judgements);
    (total > 0).then(|| found as f64 / total as f64)
}

/// Average precision over the whole ranking: trec_eval's `map` of one query. None if nothing is relevant.
#[must_use]
pub fn average_precision<'a>(ranking: impl IntoIterator<Item = &'a str>, judgements: &Judgements) -> Option<f64> {
    let (mut found, mut sum) = (0usize, 0.0);
    for (rank, id) in ranking.into_iter().enumerate() {
        if grade(judgements, id) > 0.0 {
            found += 1;
            sum += found as f64 / (rank + 1) as f64;
        }
    }
    let total = relevant(judgements);
    (total > 0).then(|| sum / total as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged() -> Judgements {
        [("a", 3.0), ("b", 2.0), ("c", 0.0), ("d", 1.0), ("e", -1.0)].map(|(id, grade)| (id.to_owned(), grade)).into()
    }

    #[test]
    fn measures_are_those_of_trec_eval() {
        // By hand: gains 0 3 0 2 over an ideal of 3 2 1.
        let ranking = ["c", "a", "x", "b"];
        let gained = 3.0 / 3f64.log2() + 2.0 / 5f64.log2();
        let ideal = 3.0 + 2.0 / 3f64.log2() + 0.5;
        assert!((ndcg(ranking, &judged(), 10).unwrap() - gained / ideal).abs() < 1e-12);
        assert!((recall(ranking, &judged(), 10).unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert!((average_precision(ranking, &judged()).unwrap() - (0.5 + 0.5) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn depth_cuts_the_ranking_and_the_ideal() {
        assert_eq!(ndcg(["b", "a"], &judged(), 1), Some(2.0 / 3.0));
        assert_eq!(recall(["c", "a"], &judged(), 1), Some(0.0));
    }

    #[test]
    fn the_ideal_ranking_has_the_greatest_gain() {
        assert_eq!(ndcg(["a", "b", "d", "c"], &judged(), 10), Some(1.0));
        assert_eq!(average_precision(["a", "b", "d"], &judged()), Some(1.0));
    }

    #[test]
    fn a_query_without_relevant_documents_has_no_measure() {
        let none = [("e".to_owned(), -1.0)].into();
        assert_eq!(
            (ndcg(["e"], &none, 10), recall(["e"], &none, 10), average_precision(["e"], &none)),
            (None, None, None)
        );
    }
}
