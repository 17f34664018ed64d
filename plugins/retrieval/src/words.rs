//! The words of a text in the form in which the keyword leg compares them.

use jackfield_text::{language::Language, stems::Stemmer, words::searched_words};
use rustc_hash::FxHashMap;

/// Turns texts into the terms that a keyword index holds: words, stemmed or as they are.
pub struct Terms {
    stemmer: Option<Stemmer>,
}

impl Terms {
    /// Words as they are.
    #[must_use]
    pub const fn plain() -> Self {
        Self { stemmer: None }
    }

    /// Stems of a language (Snowball 3.0), and of English where the language has none or is not known: texts without function words,
    /// such as lists of parts, are in no language that can be told, and English words stand among Chinese ones.
    #[must_use]
    pub fn stems(language: Language) -> Self {
        Self { stemmer: Some(Stemmer::new(language).unwrap_or_else(Stemmer::english)) }
    }

    /// Calls `take` with each term of a text in order.
    pub fn each(&self, text: &str, mut take: impl FnMut(&str)) {
        searched_words(text, |word| match &self.stemmer {
            Some(stemmer) => take(&stemmer.stem(word)),
            None => take(word),
        });
    }
}

/// Whether one term is likely another one misspelt, in another form, or a part of it.
pub(crate) fn are_near(left: &str, right: &str) -> bool {
    /// Shorter terms are alike by chance.
    const SHORTEST: usize = 4;
    let (left_length, right_length) = (left.chars().count(), right.chars().count());
    let (shorter, longer) = if left_length < right_length { (left, right) } else { (right, left) };
    let (least, most) = (left_length.min(right_length), left_length.max(right_length));
    if least < SHORTEST {
        return false;
    }
    // A letter of four may be wrong.
    longer.contains(shorter) || (most - least <= most / 4 && strsim::osa_distance(shorter, longer) <= most / 4)
}

/// Terms of many texts, each distinct word stemmed once.
pub(crate) struct Numbered<'a> {
    terms: &'a Terms,
    of_words: FxHashMap<Box<str>, u32>,
    /// Terms with their numbers, which are given in order of first use.
    pub(crate) numbers: FxHashMap<Box<str>, u32>,
}

impl<'a> Numbered<'a> {
    pub(crate) fn new(terms: &'a Terms) -> Self {
        Self { terms, of_words: FxHashMap::default(), numbers: FxHashMap::default() }
    }

    /// Appends the numbers of a text's terms.
    pub(crate) fn read(&mut self, text: &str, numbers: &mut Vec<u32>) {
        searched_words(text, |word| {
            if let Some(&number) = self.of_words.get(word) {
                numbers.push(number);
                return;
            }
            let stem = self.terms.stemmer.as_ref().map(|stemmer| stemmer.stem(word));
            let term = stem.as_deref().unwrap_or(word);
            let next = self.numbers.len() as u32;
            let number = match self.numbers.get(term) {
                Some(&number) => number,
                None => *self.numbers.entry(term.into()).or_insert(next),
            };
            self.of_words.insert(word.into(), number);
            numbers.push(number);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(terms: &Terms, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        terms.each(text, |term| found.push(term.to_owned()));
        found
    }

    #[test]
    fn words_lose_case_punctuation_and_possession() {
        assert_eq!(
            listed(&Terms::plain(), "The Wing's lift, at Mach 2.5: HEATED!"),
            ["the", "wing", "lift", "at", "mach", "2.5", "heated"]
        );
    }

    #[test]
    fn words_of_one_stem_are_one_term() {
        assert_eq!(listed(&Terms::stems(Language::English), "heated heating heats"), ["heat", "heat", "heat"]);
        assert_eq!(listed(&Terms::stems(Language::German), "Anträge Antrag"), ["antrag", "antrag"]);
        assert_eq!(listed(&Terms::stems(Language::Chinese), "猫 heated"), ["猫", "heat"]);
    }

    #[test]
    fn a_slip_and_a_part_of_a_word_are_near_it() {
        for (left, right) in
            [("receive", "recieve"), ("brücke", "autobahnbrücke"), ("owlet", "owlets"), ("muller", "müller")]
        {
            assert!(are_near(left, right) && are_near(right, left), "{left} {right}");
        }
        for (left, right) in [("cat", "cattle"), ("moon", "zoom"), ("unicorn", "uniform"), ("", "word")] {
            assert!(!are_near(left, right), "{left} {right}");
        }
    }

    #[test]
    fn numbers_follow_first_use_and_stems() {
        let terms = Terms::stems(Language::English);
        let mut numbered = Numbered::new(&terms);
        let mut found = Vec::new();
        numbered.read("heated wings heat a wing", &mut found);
        assert_eq!(found, [0, 1, 0, 2, 1]);
    }
}
