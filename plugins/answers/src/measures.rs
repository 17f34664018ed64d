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
        let words_of_hit = words.entry(&hit.id).or_default();
        words_of_hit.extend(distinct(&hit.text));
        words_of_hit.extend(hit.title.iter().flat_map(|title| distinct(title)));
    }
    let is_grounded = |sentence: &&Sentence| {
        let cited: Vec<&BTreeSet<String>> =
            sentence.citations.iter().filter_map(|c| words.get(c.id.as_str())).collect();
        let sentence_words = distinct(&sentence.text);
        let supported = sentence_words.iter().filter(|word| cited.iter().any(|words| words.contains(*word))).count();
        !cited.is_empty() && supported as f64 >= containment * sentence_words.len() as f64 - 1e-9
    };
    let grounded = sentences.iter().filter(is_grounded).count();
    (!sentences.is_empty()).then(|| grounded as f64 / sentences.len() as f64)
}

/// Share of the relevant documents among the hits. None if no document is relevant.
#[must_use]
pub fn recall(hits: &[Hit], relevant: &[String]) -> Option<f64> {
    let relevant: BTreeSet<&str> = relevant.iter().map(String::as_str).collect();
    let found: BTreeSet<&str> = hits.iter().map(|hit| hit.id.as_str()).filter(|id| relevant.contains(id)).collect();
    (!relevant.is_empty()).then(|| found.len() as f64 / relevant.len() as f64)
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
    for (index, left) in vectors.iter().enumerate() {
        for right in &vectors[index + 1..] {
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
        let grounded_share = |sentence: Sentence| groundedness(&[sentence], &hits(), 0.6);
        assert_eq!(grounded_share(says("Owls hunt at night.", &["owl"])), Some(1.0));
        assert_eq!(grounded_share(says("Owls hunt at night.", &["fox"])), Some(0.0));
        assert_eq!(grounded_share(says("Owls hunt at night.", &[])), Some(0.0));
        assert_eq!(grounded_share(says("Owls hunt at night.", &["gone"])), Some(0.0));
        assert_eq!(grounded_share(says("Owls hunt and foxes sleep.", &["owl", "fox"])), Some(1.0));
        // Two of four words.
        assert_eq!(grounded_share(says("Owls hunt purple unicorns.", &["owl"])), Some(0.0));
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
        let diversity_of = |ids: &[&str]| diversity(&[says("x", ids)], &hits());
        assert!(diversity_of(&["owl", "twin"]).unwrap() < 1e-9);
        assert!((diversity_of(&["owl", "fox"]).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!((diversity_of(&["owl"]), diversity_of(&["gone"])), (Some(0.0), None));
    }
}
