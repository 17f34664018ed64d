//! The best sentences of passages for a query.
//!
//! A sentence scores the share of the query's content words that it has, each weighted by how telling it is among all
//! sentences (`ln(1 + sentences / sentences with the word)`), plus a part for its passage's place in the ranking. Sentences
//! are taken one by one; words that earlier ones have count for less, so that the next one adds something.

use std::{collections::BTreeSet, ops::Range};

use jackfield_text::{cut::first_words, sentences::sentences};

use crate::{
    passage::Hit,
    terms::{distinct, inverse_frequencies},
};

/// What a passage's score adds at most, against 1 for a sentence with every word of the query.
const PASSAGE_WEIGHT: f64 = 0.25;
/// What a word of the query still counts once a sentence that was taken has it.
const REPEATED_WORD_WEIGHT: f64 = 0.3;
/// Two sentences that share more of their words than this (Jaccard 1901) say the same.
const SAME: f64 = 0.8;

/// A sentence of a passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Excerpt {
    /// Index of the passage.
    pub passage: usize,
    /// Its bytes in the text of the passage.
    pub range: Range<usize>,
}

impl Excerpt {
    fn text<'a>(&self, hits: &'a [Hit]) -> &'a str {
        &hits[self.passage].text[self.range.clone()]
    }
}

/// A sentence that may be taken.
struct Candidate {
    excerpt: Excerpt,
    /// Its distinct content words.
    words: BTreeSet<String>,
}

/// The content words of a query that some sentence has.
struct QueryWords {
    /// Each with how telling it is among the sentences.
    weights: Vec<(String, f64)>,
    /// The sum of the weights.
    total: f64,
}

/// The best sentences, best first: at most `most`, of at most `max_chars` characters together, joined by spaces. A first
/// sentence that is longer alone is cut at a word.
#[must_use]
pub fn extract(query: &str, hits: &[Hit], most: usize, max_chars: usize) -> Vec<Excerpt> {
    let candidates = candidates(hits);
    let query_words = QueryWords::new(query, &candidates);
    let passage_scores = scaled(hits);

    let mut left: Vec<usize> = (0..candidates.len()).collect();
    let mut taken: Vec<&Candidate> = Vec::new();
    let mut covered: BTreeSet<&str> = BTreeSet::new();
    let mut room = max_chars;
    while taken.len() < most {
        let score = |index: usize| {
            let Candidate { excerpt, words } = &candidates[index];
            PASSAGE_WEIGHT * passage_scores[excerpt.passage] + query_words.coverage(words, &covered)
        };
        let scores = left.iter().map(|&index| (index, score(index)));
        // Of those that score alike the first.
        let best = scores.reduce(|best, next| if next.1 > best.1 { next } else { best });
        let Some((next, _)) = best else { break };
        left.retain(|&index| index != next);
        let candidate = &candidates[next];
        let length = candidate.excerpt.text(hits).chars().count() + usize::from(!taken.is_empty());
        if taken.iter().any(|earlier| says_the_same(candidate, earlier, hits)) || (length > room && !taken.is_empty()) {
            continue;
        }
        room = room.saturating_sub(length);
        covered.extend(query_words.found_in(&candidate.words));
        taken.push(candidate);
    }
    let mut excerpts: Vec<Excerpt> = taken.into_iter().map(|candidate| candidate.excerpt.clone()).collect();
    if let Some(first) = excerpts.first_mut() {
        first.range.end = first.range.start + first_words(first.text(hits), max_chars).len();
    }
    excerpts.retain(|excerpt| !excerpt.range.is_empty());
    excerpts
}

/// Every sentence of the passages.
fn candidates(hits: &[Hit]) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for (passage, hit) in hits.iter().enumerate() {
        for range in sentences(&hit.text) {
            let words = distinct(&hit.text[range.clone()]);
            candidates.push(Candidate { excerpt: Excerpt { passage, range }, words });
        }
    }
    candidates
}

impl QueryWords {
    fn new(query: &str, candidates: &[Candidate]) -> Self {
        let telling = inverse_frequencies(candidates.iter().map(|candidate| &candidate.words));
        let weights: Vec<(String, f64)> = distinct(query)
            .into_iter()
            .filter_map(|word| telling.get(word.as_str()).copied().map(|weight| (word, weight)))
            .collect();
        let total = weights.iter().map(|(_, weight)| weight).sum();
        Self { weights, total }
    }

    /// The share of the query's words that are among `words`, 0 to 1; those that are `covered` already count for less.
    fn coverage(&self, words: &BTreeSet<String>, covered: &BTreeSet<&str>) -> f64 {
        let gain = |(word, weight): &(String, f64)| {
            let share = if covered.contains(word.as_str()) { REPEATED_WORD_WEIGHT } else { 1.0 };
            if words.contains(word) { share * weight } else { 0.0 }
        };
        let gained: f64 = self.weights.iter().map(gain).sum();
        if self.total > 0.0 { gained / self.total } else { 0.0 }
    }

    /// Those of the query's words that are among `words`.
    fn found_in(&self, words: &BTreeSet<String>) -> impl Iterator<Item = &str> {
        self.weights.iter().map(|(word, _)| word.as_str()).filter(|word| words.contains(*word))
    }
}

fn says_the_same(candidate: &Candidate, earlier: &Candidate, hits: &[Hit]) -> bool {
    jaccard(&candidate.words, &earlier.words) > SAME || candidate.excerpt.text(hits) == earlier.excerpt.text(hits)
}

/// The scores of the passages, scaled to 0 to 1; 1 for all where they are alike.
fn scaled(hits: &[Hit]) -> Vec<f64> {
    let scores = || hits.iter().map(|hit| if hit.score.is_finite() { hit.score } else { 0.0 });
    let (least, most) = scores().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), s| (l.min(s), m.max(s)));
    scores().map(|score| if most > least { (score - least) / (most - least) } else { 1.0 }).collect()
}

/// The share of all words of two sets that both have.
fn jaccard(left: &BTreeSet<String>, right: &BTreeSet<String>) -> f64 {
    let shared = left.intersection(right).count();
    let total = left.len() + right.len() - shared;
    if total == 0 { 0.0 } else { shared as f64 / total as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hit(id: &str, text: &str, score: f64) -> Hit {
        Hit { id: id.to_owned(), text: text.to_owned(), score, ..Hit::default() }
    }

    fn hits() -> Vec<Hit> {
        vec![
            hit("a", "Owls are birds. The owl hunts mice at night, with its ears.", 1.0),
            hit("b", "Foxes sleep by day. At night, with its ears, the owl hunts mice!", 0.6),
            hit("c", "Mice hide under snow in winter.", 0.0),
        ]
    }

    fn found(query: &str, most: usize, max_chars: usize) -> Vec<String> {
        let hits = hits();
        extract(query, &hits, most, max_chars).iter().map(|excerpt| excerpt.text(&hits).to_owned()).collect()
    }

    #[test]
    fn the_sentence_with_the_words_asked_for_comes_first_and_its_like_not_at_all() {
        assert_eq!(
            found("When does an owl hunt mice?", 2, 400),
            ["The owl hunts mice at night, with its ears.", "Owls are birds."]
        );
    }

    #[test]
    fn what_is_left_of_the_query_leads_to_the_next_sentence() {
        let both = ["The owl hunts mice at night, with its ears.", "Mice hide under snow in winter."];
        assert_eq!(found("do owls hunt mice in winter snow", 2, 400), both);
    }

    #[test]
    fn without_a_common_word_the_best_passage_speaks() {
        assert_eq!(found("unicorn", 1, 400), ["Owls are birds."]);
        assert!(extract("unicorn", &[], 3, 400).is_empty());
    }

    #[test]
    fn a_first_sentence_that_is_too_long_is_cut_at_a_word() {
        assert_eq!(found("owl hunt mice", 2, 15), ["The owl hunts"]);
    }

    proptest! {
        #[test]
        fn what_is_taken_stands_in_its_passage_and_fits(
            texts in prop::collection::vec("\\PC{0,80}", 0..4), query in "\\PC{0,20}", most in 0usize..5, room in 0usize..60,
        ) {
            let hits: Vec<Hit> = texts.iter().map(|text| hit("x", text, 0.0)).collect();
            let excerpts = extract(&query, &hits, most, room);
            prop_assert!(excerpts.len() <= most);
            let together = excerpts.iter().map(|excerpt| excerpt.text(&hits)).collect::<Vec<_>>().join(" ");
            prop_assert!(together.chars().count() <= room, "{together:?}");
        }
    }
}
