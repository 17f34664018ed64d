//! Finds cue phrases, each with a value, in a list of words.

use std::collections::BTreeMap;

/// A list of phrases, each with a value. Phrases are written as [`words::tokens`](crate::words::tokens) has them
/// (`i ll send`), words parted by spaces; `*` stands for up to two words of any kind.
#[derive(Debug)]
pub struct Phrases<T> {
    by_first: BTreeMap<&'static str, Vec<(Vec<&'static str>, T)>>,
}

/// An occurrence of a phrase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match<T> {
    /// Index of its first word.
    pub start: usize,
    /// Index after its last word.
    pub end: usize,
    /// The value of the phrase.
    pub value: T,
}

impl<T: Copy> Phrases<T> {
    /// The list of these phrases.
    #[must_use]
    pub fn new(phrases: &[(&'static str, T)]) -> Self {
        let mut by_first: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for &(phrase, value) in phrases {
            let mut words = phrase.split(' ');
            let first = words.next().expect("a phrase has a first word");
            by_first.entry(first).or_default().push((words.collect(), value));
        }
        Self { by_first }
    }

    /// Every occurrence of a phrase, in order; of those that start at one word, the longest.
    pub fn find<S: AsRef<str>>(&self, tokens: &[S]) -> Vec<Match<T>> {
        let mut found = Vec::new();
        for (start, token) in tokens.iter().enumerate() {
            let Some(phrases) = self.by_first.get(token.as_ref()) else { continue };
            let longest = phrases
                .iter()
                .filter_map(|(rest, value)| {
                    let length = match_rest(rest, &tokens[start + 1..])?;
                    Some(Match { start, end: start + 1 + length, value: *value })
                })
                .reduce(|longest, next| if next.end > longest.end { next } else { longest });
            found.extend(longest);
        }
        found
    }
}

/// How many tokens the rest of a phrase takes up.
fn match_rest<S: AsRef<str>>(rest: &[&str], tokens: &[S]) -> Option<usize> {
    match rest.split_first() {
        None => Some(0),
        Some((&"*", rest)) => {
            (0..=2.min(tokens.len())).find_map(|skip| match_rest(rest, &tokens[skip..]).map(|length| skip + length))
        }
        Some((first, rest)) => {
            let (token, tokens) = tokens.split_first()?;
            if token.as_ref() == *first { match_rest(rest, tokens).map(|length| 1 + length) } else { None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::tokens;

    #[test]
    fn the_longest_phrase_at_a_word_is_taken() {
        let phrases = Phrases::new(&[("we", 1), ("we * decided", 2)]);
        let found = phrases.find(&tokens("So we have all decided that we go"));
        assert_eq!(found, [Match { start: 1, end: 5, value: 2 }, Match { start: 6, end: 7, value: 1 }]);
    }

    #[test]
    fn a_gap_is_two_words_at_most() {
        assert!(Phrases::new(&[("we * decided", ())]).find(&tokens("we have not all decided")).is_empty());
    }
}
