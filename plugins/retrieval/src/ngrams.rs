//! Texts as sparse vectors of their words, pairs of words and parts of words.
//!
//! A feature weighs `(1 + ln count) * ln(1 + texts / texts that have it)` (Salton and Buckley 1988). Words and parts of words
//! are two blocks, each brought to length 1, so that neither outvotes the other however long the words are.

use std::ops::RangeInclusive;

use jackfield_text::{
    normal::{comparable, push_folded},
    unspaced::is_unspaced,
    vectors::{Sparse, inverse_frequencies},
    words::written_words,
};
use rustc_hash::FxHashMap;

use crate::rows::Rows;

/// Lengths of the parts of a word in characters, its two ends being marked by one more each.
const PARTS: RangeInclusive<usize> = 2..=4;
/// Lengths of the parts of what is written without blanks, in which nobody marks where words end.
const UNSPACED_PARTS: RangeInclusive<usize> = 1..=3;
/// From so many texts on a feature that a single one has is left out: that halves what is kept, and tells nothing more.
const MANY_TEXTS: usize = 4000;

/// The features of texts that were learned from, with their numbers and weights.
#[derive(Clone, Debug, Default)]
pub struct Ngrams {
    /// Words, and pairs of neighbours with a blank between them.
    words: Block,
    /// Parts of words.
    parts: Block,
}

/// Features that share a length.
#[derive(Clone, Debug, Default)]
struct Block {
    numbers: FxHashMap<Box<str>, u32>,
    /// By number.
    weights: Vec<f64>,
}

impl Ngrams {
    /// Learns the features of texts and how telling each is. With it come the vectors of the texts.
    #[must_use]
    pub fn learn<'a>(texts: impl IntoIterator<Item = &'a str>) -> (Self, Rows) {
        let mut found = Self::default();
        let (mut words, mut parts) = (Vec::new(), Vec::new());
        for text in texts {
            let (mut of_words, mut of_parts) = (Vec::new(), Vec::new());
            each_feature(text, |is_part, feature| {
                if is_part {
                    of_parts.push(found.parts.number_of(feature));
                } else {
                    of_words.push(found.words.number_of(feature));
                }
            });
            words.push(of_words);
            parts.push(of_parts);
        }
        found.words.weigh(&mut words);
        found.parts.weigh(&mut parts);
        let mut rows = Rows::new(found.dimensions());
        for (words, parts) in words.into_iter().zip(parts) {
            rows.push(found.vector_of(words, parts));
        }
        (found, rows)
    }

    /// How many features there are.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.words.weights.len() + self.parts.weights.len()
    }

    /// The entries of a text's vector: the numbers of those of its features that are known, ascending, with their weights.
    #[must_use]
    pub fn vector(&self, text: &str) -> Vec<(u32, f32)> {
        let (mut words, mut parts) = (Vec::new(), Vec::new());
        each_feature(text, |is_part, feature| {
            let (block, numbers) = if is_part { (&self.parts, &mut parts) } else { (&self.words, &mut words) };
            numbers.extend(block.numbers.get(feature));
        });
        self.vector_of(words, parts).collect()
    }

    fn vector_of(&self, words: Vec<u32>, parts: Vec<u32>) -> impl Iterator<Item = (u32, f32)> + use<> {
        let first_part = self.words.weights.len() as u32;
        let words = Sparse::counts(words).weighted(&self.words.weights).normalized();
        let parts = Sparse::counts(parts).weighted(&self.parts.weights).normalized();
        let words: Vec<(u32, f32)> = words.iter().map(|(number, value)| (number, value as f32)).collect();
        let parts: Vec<(u32, f32)> = parts.iter().map(|(number, value)| (first_part + number, value as f32)).collect();
        words.into_iter().chain(parts)
    }
}

impl Block {
    /// The number of a feature, which are given in order of first use.
    fn number_of(&mut self, feature: &str) -> u32 {
        let next = self.numbers.len() as u32;
        match self.numbers.get(feature) {
            Some(&number) => number,
            None => *self.numbers.entry(feature.into()).or_insert(next),
        }
    }

    /// Weighs the features by the texts that they are found in, which have their numbers; what is left out of the block is
    /// left out of the texts.
    fn weigh(&mut self, texts: &mut [Vec<u32>]) {
        if texts.len() >= MANY_TEXTS {
            let kept = renumbered(&holders(texts, self.numbers.len()));
            self.numbers.retain(|_, number| match kept[*number as usize] {
                Some(new) => {
                    *number = new;
                    true
                }
                None => false,
            });
            for numbers in texts.iter_mut() {
                *numbers = numbers.iter().filter_map(|&number| kept[number as usize]).collect();
            }
        }
        self.weights = inverse_frequencies(texts.iter().map(Vec::as_slice), self.numbers.len());
    }
}

/// How many texts have each feature.
fn holders(texts: &[Vec<u32>], features: usize) -> Vec<u32> {
    let mut holders = vec![0; features];
    for numbers in texts {
        let mut numbers = numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().for_each(|number| holders[number as usize] += 1);
    }
    holders
}

/// New numbers of the features that more than one text has.
fn renumbered(holders: &[u32]) -> Vec<Option<u32>> {
    let mut next = 0..;
    holders.iter().map(|&count| if count > 1 { next.next() } else { None }).collect()
}

/// Calls `visit` with each feature of a text, and whether it is a part of a word.
fn each_feature(text: &str, mut visit: impl FnMut(bool, &str)) {
    let text = comparable(text);
    let (mut pair, mut marked, mut ends) = (String::new(), String::new(), Vec::new());
    for (run, unspaced) in runs(&text) {
        marked.clear();
        if unspaced {
            push_folded(run, &mut marked);
            each_part(&marked, UNSPACED_PARTS, &mut ends, |part| visit(true, part));
            pair.clear();
            continue;
        }
        written_words(run, |word| {
            visit(false, word);
            if !pair.is_empty() {
                let end_of_first = pair.len();
                pair.push(' ');
                pair.push_str(word);
                visit(false, &pair);
                pair.drain(..end_of_first + 1);
            } else {
                pair.push_str(word);
            }
            marked.clear();
            marked.extend([" ", word, " "]);
            each_part(&marked, PARTS, &mut ends, |part| visit(true, part));
        });
    }
}

/// Calls `visit` with each part of a text that has one of these lengths; `ends` is room for the work.
fn each_part(text: &str, lengths: RangeInclusive<usize>, ends: &mut Vec<usize>, mut visit: impl FnMut(&str)) {
    ends.clear();
    ends.extend(text.char_indices().map(|(at, _)| at));
    ends.push(text.len());
    for length in lengths {
        for span in ends.windows(length + 1) {
            visit(&text[span[0]..span[length]]);
        }
    }
}

/// A text in pieces, each with whether it is written without blanks between words.
fn runs(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let unspaced = is_unspaced(rest.chars().next()?);
        let end = rest.find(|c| is_unspaced(c) != unspaced).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some((run, unspaced))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(text: &str) -> (Vec<String>, Vec<String>) {
        let (mut words, mut parts) = (Vec::new(), Vec::new());
        each_feature(text, |is_part, feature| {
            if is_part { &mut parts } else { &mut words }.push(feature.to_owned());
        });
        (words, parts)
    }

    #[test]
    fn words_pairs_and_marked_parts_are_features() {
        let (words, parts) = features("Pay it, NOW");
        assert_eq!(words, ["pay", "it", "pay it", "now", "it now"]);
        assert_eq!(&parts[..9], [" p", "pa", "ay", "y ", " pa", "pay", "ay ", " pay", "pay "]);
    }

    #[test]
    fn what_is_written_without_blanks_has_characters_and_what_stands_together() {
        let (words, parts) = features("转账，到卡 ok");
        assert_eq!(words, ["ok"]);
        assert_eq!(&parts[..6], ["转", "账", "转账", "到", "卡", "到卡"]);
    }

    #[test]
    fn each_block_of_a_vector_has_length_1_and_unknown_features_are_left_out() {
        let (ngrams, rows) = Ngrams::learn(["pay my bill", "book a flight", ""]);
        let squares = |entries: &[(u32, f32)]| entries.iter().map(|(_, value)| value * value).sum::<f32>();
        assert!((squares(rows.row(0)) - 2.0).abs() < 1e-5 && rows.row(2).is_empty());
        assert_eq!(ngrams.vector("pay my bill"), rows.row(0));
        assert!(ngrams.vector("Ωμέγα").is_empty());
        let slip = ngrams.vector("flihgt");
        assert!(!slip.is_empty() && slip.iter().all(|(number, _)| *number as usize >= ngrams.words.weights.len()));
    }

    #[test]
    fn of_very_many_texts_a_feature_of_one_alone_is_left_out() {
        let texts: Vec<String> =
            (0..MANY_TEXTS).map(|at| if at == 7 { "zebra".to_owned() } else { "horse".to_owned() }).collect();
        let (ngrams, rows) = Ngrams::learn(texts.iter().map(String::as_str));
        assert!(rows.row(7).is_empty() && ngrams.vector("zebra").is_empty() && !ngrams.vector("horse").is_empty());
        assert_eq!(ngrams.dimensions(), 1 + 15);
    }
}
