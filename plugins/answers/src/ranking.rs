//! How good a ranking is, told with judgements, and without them from the query, the passages, and what the answer cites.
//!
//! A route that weighs one way of searching against another changes the order of the passages more than what is made of them. So
//! it needs a reward that sees the order, and that does not drown it in how easy a query is: [`ranking`] compares the passages of
//! one query with each other alone.

use std::collections::BTreeSet;

use crate::{
    answer::Sentence,
    passage::Hit,
    terms::{content, distinct},
};

/// The sum of gains, each divided by `log2(rank + 1)`: discounted cumulative gain (Järvelin and Kekäläinen 2002).
fn discounted(gains: impl IntoIterator<Item = f64>) -> f64 {
    gains.into_iter().enumerate().map(|(index, gain)| gain / libm::log2(index as f64 + 2.0)).sum()
}

/// How early the passages come that bear out the query, 0 to 1: discounted gain over that of the same passages in the best order,
/// where a passage gains the cube of its [`Support`]. None where no passage has anything like a content word of the query.
#[must_use]
pub fn ranking(query: &str, hits: &[Hit]) -> Option<f64> {
    let support = Support::new(query);
    let gains: Vec<f64> = hits
        .iter()
        .map(|hit| {
            let share = support.by(hit);
            share * share * share
        })
        .collect();
    let mut best = gains.clone();
    best.sort_by(|left, right| right.total_cmp(left));
    let ideal = discounted(best);
    (ideal > 0.0).then(|| (discounted(gains) / ideal).min(1.0))
}

/// How early the passages come that the answer cites, 0 to 1: discounted gain of 1 for each of them, over that of a ranking that
/// begins with them. None if it cites none that is there.
#[must_use]
pub fn cited_early(sentences: &[Sentence], hits: &[Hit]) -> Option<f64> {
    let cited: BTreeSet<&str> = sentences.iter().flat_map(|s| &s.citations).map(|c| c.id.as_str()).collect();
    let is_cited: Vec<bool> = hits.iter().map(|hit| cited.contains(hit.id.as_str())).collect();
    normalized(&is_cited, is_cited.iter().filter(|is_cited| **is_cited).count())
}

/// How early the relevant passages come, 0 to 1: nDCG at `depth`, where each that is relevant gains 1. None if none is known.
#[must_use]
pub fn ndcg(hits: &[Hit], relevant: &[String], depth: usize) -> Option<f64> {
    let relevant: BTreeSet<&str> = relevant.iter().map(String::as_str).collect();
    let is_relevant: Vec<bool> = hits.iter().take(depth).map(|hit| relevant.contains(hit.id.as_str())).collect();
    normalized(&is_relevant, relevant.len().min(depth))
}

/// Discounted gain of the passages that are wanted, over that of a ranking that begins with so many of them.
fn normalized(is_wanted: &[bool], most: usize) -> Option<f64> {
    let gains = is_wanted.iter().map(|&is_wanted| if is_wanted { 1.0 } else { 0.0 });
    (most > 0).then(|| discounted(gains) / discounted(std::iter::repeat_n(1.0, most)))
}

/// How far the two legs of a search agree on the order of the passages, 0 to 1: the share of pairs that both put in the same
/// order, where a pair that is alike to one of them counts half (Kendall's tau, from 0 to 1). None for fewer than two passages, and
/// where a passage lacks the score of a leg.
#[must_use]
pub fn agreement(hits: &[Hit]) -> Option<f64> {
    let scores: Vec<(f64, f64)> = hits.iter().map(|hit| Some((hit.bm25?, hit.vector?))).collect::<Option<_>>()?;
    let (mut agreed, mut pairs) = (0.0, 0.0);
    for (index, left) in scores.iter().enumerate() {
        for right in &scores[index + 1..] {
            let order = (left.0 - right.0) * (left.1 - right.1);
            agreed += if order > 0.0 {
                1.0
            } else if order < 0.0 {
                0.0
            } else {
                0.5
            };
            pairs += 1.0;
        }
    }
    (pairs > 0.0).then(|| agreed / pairs)
}

/// The content words of a query, to be found in passages.
///
/// A passage supports a word wholly if it has it, in any form of one stem. Otherwise by the likeness of the word that is most like
/// it: the share of their parts of three letters that both have (Dice 1945), squared. So a misspelt or compounded word finds its
/// like, and one code is not taken for another.
pub struct Support {
    words: Vec<(String, Trigrams)>,
}

impl Support {
    /// The words of a query.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let words: BTreeSet<String> = content(query).into_iter().collect();
        Self {
            words: words
                .into_iter()
                .map(|word| (Trigrams::of(&word), word))
                .map(|(parts, word)| (word, parts))
                .collect(),
        }
    }

    /// Mean support of the query's words by a passage and its title, 0 to 1; 0 for a query without content words.
    #[must_use]
    pub fn by(&self, hit: &Hit) -> f64 {
        let mut found = distinct(&hit.text);
        found.extend(hit.title.iter().flat_map(|title| distinct(title)));
        if self.words.is_empty() || found.is_empty() {
            return 0.0;
        }
        let parts: Vec<Trigrams> = found.iter().map(|word| Trigrams::of(word)).collect();
        let support = |(word, trigrams): &(String, Trigrams)| {
            if found.contains(word) {
                return 1.0;
            }
            let likeness = parts.iter().map(|other| trigrams.likeness(other)).fold(0.0, f64::max);
            likeness * likeness
        };
        self.words.iter().map(support).sum::<f64>() / self.words.len() as f64
    }
}

/// The distinct parts of three characters of a word whose ends are marked, in order.
struct Trigrams(Vec<[char; 3]>);

impl Trigrams {
    fn of(word: &str) -> Self {
        let marked: Vec<char> = ['<'].into_iter().chain(word.chars()).chain(['>']).collect();
        let mut parts: Vec<[char; 3]> = marked.windows(3).map(|part| [part[0], part[1], part[2]]).collect();
        parts.sort_unstable();
        parts.dedup();
        Self(parts)
    }

    /// Share of the parts of two words that both have.
    fn likeness(&self, other: &Self) -> f64 {
        let (mut left, mut right, mut shared) = (0, 0, 0u32);
        while let (Some(one), Some(two)) = (self.0.get(left), other.0.get(right)) {
            left += usize::from(one <= two);
            right += usize::from(two <= one);
            shared += u32::from(one == two);
        }
        let total = self.0.len() + other.0.len();
        if total == 0 { 0.0 } else { 2.0 * f64::from(shared) / total as f64 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::answer::Citation;

    fn hit(id: &str, text: &str) -> Hit {
        Hit { id: id.to_owned(), text: text.to_owned(), ..Hit::default() }
    }

    fn scored(bm25: f64, vector: f64) -> Hit {
        Hit { bm25: Some(bm25), vector: Some(vector), ..hit("x", "") }
    }

    fn cites(id: &str) -> Sentence {
        Sentence { text: String::new(), citations: vec![Citation { id: id.to_owned(), quote: String::new() }] }
    }

    #[test]
    fn the_passage_that_has_the_words_is_best_first() {
        let [right, wrong] = [hit("a", "The owl hunts mice."), hit("b", "The clerk stamps forms.")];
        assert_eq!(ranking("what do owls hunt", &[right.clone(), wrong.clone()]), Some(1.0));
        let second = ranking("what do owls hunt", &[wrong.clone(), right]).expect("a word is there");
        assert!(second > 0.6 && second < 0.65, "{second} is not about 1 / log2 3");
        assert_eq!(ranking("what is it", std::slice::from_ref(&wrong)), None);
        assert_eq!(ranking("owl", &[]), None);
    }

    #[test]
    fn a_misspelt_word_finds_its_like_and_a_code_is_not_another_code() {
        let support = |query: &str, text: &str| Support::new(query).by(&hit("a", text));
        assert!(support("bycicles", "Bicycles may be hired.") > 2.0 * support("bycicles", "Boats may be hired."));
        assert_eq!(support("KX2041B", "The seal KX2041B."), 1.0);
        assert!(support("KX2041B", "The seal KX2014B.") < 0.3);
    }

    #[test]
    fn what_is_cited_or_relevant_gains_less_further_down() {
        let hits = [hit("a", ""), hit("b", ""), hit("c", "")];
        assert_eq!(cited_early(&[cites("a"), cites("b")], &hits), Some(1.0));
        assert_eq!(cited_early(&[cites("c")], &hits), Some(0.5));
        assert_eq!(cited_early(&[cites("gone")], &hits), None);
        assert_eq!(ndcg(&hits, &["c".to_owned()], 10), Some(0.5));
        assert_eq!(ndcg(&hits, &["c".to_owned()], 2), Some(0.0));
        assert_eq!(ndcg(&hits, &[], 10), None);
    }

    #[test]
    fn legs_that_order_alike_agree() {
        assert_eq!(agreement(&[scored(3.0, 0.9), scored(2.0, 0.5), scored(1.0, 0.1)]), Some(1.0));
        assert_eq!(agreement(&[scored(1.0, 0.9), scored(2.0, 0.5)]), Some(0.0));
        assert_eq!(agreement(&[scored(0.0, 0.9), scored(0.0, 0.5)]), Some(0.5));
        assert_eq!((agreement(&[scored(1.0, 1.0)]), agreement(&[hit("a", ""), hit("b", "")])), (None, None));
    }

    proptest! {
        #[test]
        fn the_best_order_has_a_ranking_of_one_and_no_order_more(
            texts in prop::collection::vec("(owl|hunt|mice|night|[a-z]{3,6})( (owl|hunt|mice|night|[a-z]{3,6})){0,4}", 1..8),
        ) {
            let query = "owls hunting mice by night";
            let mut hits: Vec<Hit> = texts.iter().map(|text| hit("x", text)).collect();
            let as_found = ranking(query, &hits);
            let support = Support::new(query);
            hits.sort_by(|left, right| support.by(right).total_cmp(&support.by(left)));
            let best = ranking(query, &hits);
            prop_assert!(best.is_none_or(|best| (best - 1.0).abs() < 1e-12));
            prop_assert!(as_found.is_none_or(|found| (0.0..=1.0).contains(&found)));
            prop_assert_eq!(as_found.is_some(), best.is_some());
        }
    }
}
