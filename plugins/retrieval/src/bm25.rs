//! The keyword leg: BM25 (Robertson, Walker, Jones, Hancock-Beaulieu and Gatford 1994), scored exactly.
//!
//! `score(q, d) = sum over the words of q of idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * |d| / avgdl))` with
//! `idf = ln(1 + (N - n + 0.5) / (n + 0.5))`, which stays positive, as in Lucene. What a term adds to the score of a
//! document depends on no query, so it is computed once (Lu 2024, BM25S): a query is then a sum over the lists of its terms.
//!
//! Lengths of documents are exact: engines that keep them in one byte, as Lucene and Tantivy do, rank otherwise wherever
//! the rounding decides.

use jackfield_text::language::Language;
use rustc_hash::FxHashMap;

use crate::words::{Numbered, Terms, are_near};

/// How BM25 weighs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// How slowly repetition stops to count, at least 0.
    pub k1: f64,
    /// How much length counts, 0 to 1.
    pub b: f64,
    /// Whether words of one stem are one term, in the language that the texts are in.
    pub stem: bool,
}

/// An inverted index with a score per posting.
pub struct Bm25 {
    terms: Terms,
    numbers: FxHashMap<Box<str>, u32>,
    /// Where the list of each term starts, and after the last one where that ends.
    starts: Vec<usize>,
    /// Documents of each list, ascending.
    documents: Vec<u32>,
    /// What the term adds to the score of the document.
    weights: Vec<f32>,
    count: usize,
}

impl Bm25 {
    /// Indexes texts, numbered in the order given; fewer than 2^32.
    #[must_use]
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str> + Clone, parameters: Parameters) -> Self {
        let Parameters { k1, b, stem } = parameters;
        let terms = if stem { Terms::stems(Language::of(texts.clone())) } else { Terms::plain() };
        let mut numbered = Numbered::new(&terms);
        // (term, document, frequency), document by document.
        let mut postings: Vec<(u32, u32, u32)> = Vec::new();
        let mut lengths: Vec<u32> = Vec::new();
        let mut read = Vec::new();
        for (document, text) in texts.into_iter().enumerate() {
            read.clear();
            numbered.read(text, &mut read);
            lengths.push(read.len() as u32);
            read.sort_unstable();
            for same in read.chunk_by(|left, right| left == right) {
                postings.push((same[0], document as u32, same.len() as u32));
            }
        }
        let numbers = numbered.numbers;

        let mut starts = vec![0usize; numbers.len() + 1];
        for &(term, ..) in &postings {
            starts[term as usize + 1] += 1;
        }
        for term in 0..numbers.len() {
            starts[term + 1] += starts[term];
        }
        let count = lengths.len();
        let mean = lengths.iter().map(|&length| f64::from(length)).sum::<f64>() / count.max(1) as f64;
        let (mut documents, mut weights) = (vec![0u32; postings.len()], vec![0f32; postings.len()]);
        let mut next = starts.clone();
        for (term, document, frequency) in postings {
            let term = term as usize;
            let holds = (starts[term + 1] - starts[term]) as f64;
            let idf = libm::log(1.0 + (count as f64 - holds + 0.5) / (holds + 0.5));
            let frequency = f64::from(frequency);
            let length = 1.0 - b + b * f64::from(lengths[document as usize]) / mean;
            documents[next[term]] = document;
            weights[next[term]] = (idf * frequency * (k1 + 1.0) / (frequency + k1 * length)) as f32;
            next[term] += 1;
        }
        Self { terms, numbers, starts, documents, weights, count }
    }

    /// How many documents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a text has a word that some document has, or one that is likely a document's word misspelt, in another form,
    /// or a part of it.
    #[must_use]
    pub fn knows_a_word_of(&self, text: &str) -> bool {
        let mut terms = Vec::new();
        self.terms.each(text, |term| terms.push(term.to_owned()));
        terms.iter().any(|term| self.numbers.contains_key(term.as_str()))
            || self.numbers.keys().any(|known| terms.iter().any(|term| are_near(term, known)))
    }

    /// The score of every document; a word that the query repeats counts as often.
    #[must_use]
    pub fn scores(&self, query: &str) -> Vec<f32> {
        let mut scores = vec![0f32; self.count];
        self.terms.each(query, |term| {
            let Some(&number) = self.numbers.get(term) else { return };
            let list = self.starts[number as usize]..self.starts[number as usize + 1];
            for (&document, &weight) in self.documents[list.clone()].iter().zip(&self.weights[list]) {
                scores[document as usize] += weight;
            }
        });
        scores
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::rank::{best, numbered};

    const LUCENE: Parameters = Parameters { k1: 1.2, b: 0.75, stem: false };

    #[test]
    fn scores_and_rankings_are_those_of_the_reference() {
        let made: Value = serde_json::from_str(include_str!("../fixtures/bm25.json")).unwrap();
        let texts =
            |key: &str| made[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>();
        let (documents, queries) = (texts("documents"), texts("queries"));
        let index = Bm25::new(documents.iter().copied(), LUCENE);
        for (query, expected) in queries.iter().zip(made["scores"].as_array().unwrap()) {
            let expected: Vec<f64> = expected.as_array().unwrap().iter().map(|score| score.as_f64().unwrap()).collect();
            let found = index.scores(query);
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (f64::from(*found) - expected).abs() <= 1e-5 * expected.max(1.0),
                    "{query}: {found} {expected}"
                );
            }
            let expected: Vec<f32> = expected.iter().map(|&score| score as f32).collect();
            let order = |scores: &[f32]| best(numbered(scores), 10).iter().map(|r| r.document).collect::<Vec<u32>>();
            assert_eq!(order(&found), order(&expected), "{query}");
        }
    }

    #[test]
    fn a_collection_of_one_document_scores_its_words() {
        let index = Bm25::new(["Tea is hot."], LUCENE);
        assert!(index.scores("tea")[0] > 0.0);
        assert_eq!(index.scores("coffee"), [0.0]);
    }

    #[test]
    fn words_are_found_however_they_are_written() {
        let index = Bm25::new(["Das Cafe\u{301} an der Straße", "ＴＯＫＹＯ 東京都", "ОДЕССА и ΟΔΟΣ"], LUCENE);
        for (query, document) in
            [("café", 0), ("STRASSE", 0), ("tokyo", 1), ("京", 1), ("東京", 1), ("одесса", 2), ("οδός", 9), ("οδος", 2)]
        {
            let scores = index.scores(query);
            assert!(
                scores.iter().enumerate().all(|(at, score)| (*score > 0.0) == (at == document)),
                "{query} {scores:?}"
            );
        }
    }

    #[test]
    fn words_are_stemmed_in_the_language_of_the_collection() {
        let stemmed = |texts: [&'static str; 2]| Bm25::new(texts, Parameters { stem: true, ..LUCENE });
        let german = stemmed([
            "Der Antrag wird von der Stadt nicht mehr bearbeitet, wenn die Frist vorbei ist.",
            "Das Schwimmbad ist auch im Winter für die Kinder der Stadt offen.",
        ]);
        assert!(german.scores("Anträge")[0] > 0.0 && german.scores("Anträge")[1] == 0.0);
        let english = stemmed([
            "The applications are no longer handled by the town when the time is over.",
            "The pool is open for the children of the town in winter too.",
        ]);
        assert!(english.scores("application")[0] > 0.0 && english.scores("application")[1] == 0.0);
    }

    #[test]
    fn a_word_is_known_if_a_document_has_it_or_nearly() {
        let index = Bm25::new(["I receive the letters.", "猫喝水"], LUCENE);
        assert!(["letters", "a recieve", "letter", "猫"].iter().all(|query| index.knows_a_word_of(query)));
        assert!(["", " ", "?!", "unicorns", "狗"].iter().all(|query| !index.knows_a_word_of(query)));
    }

    #[test]
    fn a_collection_without_words_scores_nothing() {
        assert_eq!(Bm25::new(["", "..."], LUCENE).scores("word"), [0.0, 0.0]);
        assert!(Bm25::new([], LUCENE).scores("word").is_empty());
    }

    proptest! {
        #[test]
        fn one_more_word_of_the_query_never_lowers_a_score(
            texts in prop::collection::vec("[a-d]( [a-d]){0,6}", 1..8), query in "[a-d]( [a-d]){0,3}", more in "[a-d]",
        ) {
            let index = Bm25::new(texts.iter().map(String::as_str), LUCENE);
            let (less, more) = (index.scores(&query), index.scores(&format!("{query} {more}")));
            prop_assert!(less.iter().zip(&more).all(|(less, more)| less <= more && *less >= 0.0));
        }
    }
}
