//! Groundedness, recall and diversity.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    answer::Sentence,
    passage::Hit,
    terms::{counts, distinct, similarity},
};

/// Share of an answer's sentences that the passages they cite bear out: those of which at least `containment` of the
/// distinct content words stand, stemmed, in the cited passages together. A sentence without content words counts if it
/// cites a passage at all. None without sentences.
#[must_use]
pub fn groundedness(sentences: &[Sentence], hits: &[Hit], containment: f64) -> Option<f64> {
    let mut words: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for hit in hits {
        let all = words.entry(&hit.id).or_default();
        all.extend(distinct(&hit.text));
        all.extend(hit.title.iter().flat_map(|title| distinct(title)));
    }
    let supported = |sentence: &&Sentence| {
        let cited: Vec<&BTreeSet<String>> =
            sentence.citations.iter().filter_map(|c| words.get(c.id.as_str())).collect();
        let said = distinct(&sentence.text);
        let borne = said.iter().filter(|word| cited.iter().any(|words| words.contains(*word))).count();
        !cited.is_empty() && borne as f64 >= containment * said.len() as f64 - 1e-9
    };
    let grounded = sentences.iter().filter(supported).count();
    (!sentences.is_empty()).then(|| grounded as f64 / sentences.len() as f64)
}

/// Share of the relevant documents among the hits. None where none is relevant.
#[must_use]
pub fn recall(hits: &[Hit], relevant: &[String]) -> Option<f64> {
    let wanted: BTreeSet<&str> = relevant.iter().map(String::as_str).collect();
    let found: BTreeSet<&str> = hits.iter().map(|hit| hit.id.as_str()).filter(|id| wanted.contains(id)).collect();
    (!wanted.is_empty()).then(|| found.len() as f64 / wanted.len() as f64)
}

/// How unlike the passages that an answer cites are: the mean over pairs of 1 less the cosine of their counts of content
/// words (intra-list dissimilarity: Ziegler, McNee, Konstan and Lausen 2005). 0 where it cites one passage; none where it
/// cites none that is there.
#[must_use]
pub fn diversity(sentences: &[Sentence], hits: &[Hit]) -> Option<f64> {
    let cited: BTreeSet<&str> = sentences.iter().flat_map(|s| &s.citations).map(|c| c.id.as_str()).collect();
    let mut seen = BTreeSet::new();
    let vectors: Vec<BTreeMap<String, f64>> = hits
        .iter()
        .filter(|hit| cited.contains(hit.id.as_str()) && seen.insert(hit.id.as_str()))
        .map(|hit| counts(&hit.text))
        .collect();
    let (mut sum, mut pairs) = (0.0, 0u32);
    for (at, left) in vectors.iter().enumerate() {
        for right in &vectors[at + 1..] {
            sum += 1.0 - similarity(left, right);
            pairs += 1;
        }
    }
    (!vectors.is_empty()).then(|| if pairs == 0 { 0.0 } else { (sum / f64::from(pairs)).clamp(0.0, 1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Citation;

    fn hits() -> Vec<Hit> {
        let hit = |id: &str, text: &str| Hit { id: id.to_owned(), text: text.to_owned(), ..Hit::default() };
        vec![
            hit("owl", "The owl hunts mice at night."),
            hit("fox", "Foxes sleep by day."),
            hit("twin", "At night the owl hunts mice."),
        ]
    }

    fn says(text: &str, ids: &[&str]) -> Sentence {
        let citations = ids.iter().map(|id| Citation { id: (*id).to_owned(), quote: String::new() });
        Sentence { text: text.to_owned(), citations: citations.collect() }
    }

    #[test]
    fn a_sentence_is_grounded_by_what_it_cites_alone() {
        let of = |sentence: Sentence| groundedness(&[sentence], &hits(), 0.6);
        assert_eq!(of(says("Owls hunt at night.", &["owl"])), Some(1.0));
        assert_eq!(of(says("Owls hunt at night.", &["fox"])), Some(0.0));
        assert_eq!(of(says("Owls hunt at night.", &[])), Some(0.0));
        assert_eq!(of(says("Owls hunt at night.", &["gone"])), Some(0.0));
        assert_eq!(of(says("Owls hunt and foxes sleep.", &["owl", "fox"])), Some(1.0));
        // Two of four words.
        assert_eq!(of(says("Owls hunt purple unicorns.", &["owl"])), Some(0.0));
        assert_eq!(groundedness(&[], &hits(), 0.6), None);
    }

    #[test]
    fn recall_counts_each_relevant_document_once() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(recall(&hits(), &ids(&["owl", "owl", "cat"])), Some(0.5));
        assert_eq!(recall(&hits(), &[]), None);
    }

    #[test]
    fn copies_are_no_diversity() {
        let of = |ids: &[&str]| diversity(&[says("x", ids)], &hits());
        assert!(of(&["owl", "twin"]).unwrap() < 1e-9);
        assert!((of(&["owl", "fox"]).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!((of(&["owl"]), of(&["gone"])), (Some(0.0), None));
    }
}
