//! The best sentences of passages for a query.
//!
//! A sentence scores the share of the query's content words that it has, each weighed by how telling it is among all
//! sentences (`ln(1 + sentences / sentences with the word)`), plus a part for its passage's place in the ranking. Sentences
//! are taken one by one; words that those before have count for less, so that the next one adds something.

use std::{collections::BTreeSet, ops::Range};

use jackfield_text::sentences::sentences;

use crate::{
    passage::Hit,
    terms::{distinct, inverse_frequencies},
};

/// What a passage's score adds at most, against 1 for a sentence with every word of the query.
const PASSAGE: f64 = 0.25;
/// What a word of the query still counts once a sentence taken has it.
const AGAIN: f64 = 0.3;
/// Two sentences of which the shared words are a greater share of all of theirs (Jaccard 1901) are one.
const SAME: f64 = 0.8;

/// A sentence that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// Which passage it stands in.
    pub passage: usize,
    /// Where in its text.
    pub range: Range<usize>,
}

/// The best sentences, best first: at most `most`, of at most `max_chars` characters together, joined by spaces. A first
/// sentence that is longer alone is cut at a word.
#[must_use]
pub fn extract(query: &str, hits: &[Hit], most: usize, max_chars: usize) -> Vec<Taken> {
    let mut all: Vec<(Taken, BTreeSet<String>)> = Vec::new();
    for (passage, hit) in hits.iter().enumerate() {
        for range in sentences(&hit.text) {
            let words = distinct(&hit.text[range.clone()]);
            all.push((Taken { passage, range }, words));
        }
    }
    let telling = inverse_frequencies(all.iter().map(|(_, words)| words));
    let wanted: Vec<(String, f64)> = distinct(query)
        .into_iter()
        .filter_map(|word| telling.get(word.as_str()).copied().map(|weight| (word, weight)))
        .collect();
    let whole: f64 = wanted.iter().map(|(_, weight)| weight).sum();
    let of_passage = scaled(hits);

    let mut left: Vec<usize> = (0..all.len()).collect();
    let mut had: BTreeSet<&str> = BTreeSet::new();
    let mut taken: Vec<usize> = Vec::new();
    let mut room = max_chars;
    while taken.len() < most {
        let score = |at: usize| {
            let (sentence, words) = &all[at];
            let worth = |(word, weight): &(String, f64)| {
                let share = if had.contains(word.as_str()) { AGAIN } else { 1.0 };
                if words.contains(word) { share * weight } else { 0.0 }
            };
            let gained: f64 = wanted.iter().map(worth).sum();
            PASSAGE * of_passage[sentence.passage] + if whole > 0.0 { gained / whole } else { 0.0 }
        };
        let Some((&next, _)) =
            left.iter().map(|at| (at, score(*at))).reduce(|best, one| if one.1 > best.1 { one } else { best })
        else {
            break;
        };
        left.retain(|&at| at != next);
        let (sentence, words) = &all[next];
        let text = &hits[sentence.passage].text[sentence.range.clone()];
        let length = text.chars().count() + usize::from(!taken.is_empty());
        let alike =
            taken.iter().any(|&before| jaccard(words, &all[before].1) > SAME || text == text_of(hits, &all[before].0));
        if alike || (length > room && !taken.is_empty()) {
            continue;
        }
        room = room.saturating_sub(length);
        had.extend(wanted.iter().map(|(word, _)| word.as_str()).filter(|word| words.contains(*word)));
        taken.push(next);
    }
    let mut found: Vec<Taken> = taken.into_iter().map(|at| all[at].0.clone()).collect();
    if let Some(first) = found.first_mut() {
        first.range = cut(&hits[first.passage].text, first.range.clone(), max_chars);
    }
    found.retain(|taken| !taken.range.is_empty());
    found
}

fn text_of<'a>(hits: &'a [Hit], taken: &Taken) -> &'a str {
    &hits[taken.passage].text[taken.range.clone()]
}

/// Scores of the passages brought to 0 to 1; 1 for all where they are alike.
fn scaled(hits: &[Hit]) -> Vec<f64> {
    let scores = || hits.iter().map(|hit| if hit.score.is_finite() { hit.score } else { 0.0 });
    let (least, most) = scores().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), s| (l.min(s), m.max(s)));
    scores().map(|score| if most > least { (score - least) / (most - least) } else { 1.0 }).collect()
}

fn jaccard(left: &BTreeSet<String>, right: &BTreeSet<String>) -> f64 {
    let shared = left.intersection(right).count();
    let all = left.len() + right.len() - shared;
    if all == 0 { 0.0 } else { shared as f64 / all as f64 }
}

/// The head of a range that has at most so many characters, ending with a word where it can.
fn cut(text: &str, range: Range<usize>, max_chars: usize) -> Range<usize> {
    let sentence = &text[range.clone()];
    let Some((end, _)) = sentence.char_indices().nth(max_chars) else { return range };
    let head = &sentence[..end];
    let head = if sentence[end..].starts_with(char::is_whitespace) {
        head
    } else {
        head.rfind(char::is_whitespace).map_or(head, |at| &head[..at])
    };
    range.start..range.start + head.trim_end().len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hit(id: &str, text: &str, score: f64) -> Hit {
        Hit { id: id.to_owned(), text: text.to_owned(), score, title: None }
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
        extract(query, &hits, most, max_chars).iter().map(|taken| text_of(&hits, taken).to_owned()).collect()
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
            let taken = extract(&query, &hits, most, room);
            prop_assert!(taken.len() <= most);
            let together = taken.iter().map(|taken| text_of(&hits, taken)).collect::<Vec<_>>().join(" ");
            prop_assert!(together.chars().count() <= room, "{together:?}");
        }
    }
}
