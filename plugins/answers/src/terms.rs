//! Content words of a text.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_text::{
    stems::Stemmer,
    words::{is_function_word, searched_words},
};

/// Stems (English, Snowball 3.0) of the content words of a text in order: words as UAX #29 bounds them, in lower
/// case and composed, without those of NLTK's list of English stop words. Numbers are content. Of a script that is written
/// without blanks, characters and pairs of them are words.
#[must_use]
pub fn content(text: &str) -> Vec<String> {
    let stemmer = Stemmer::english();
    let mut found = Vec::new();
    searched_words(text, |word| {
        if !word.is_empty() && !is_function_word(word) {
            found.push(stemmer.stem(word).into_owned());
        }
    });
    found
}

/// The distinct content words of a text.
#[must_use]
pub fn distinct(text: &str) -> BTreeSet<String> {
    content(text).into_iter().collect()
}

/// How telling each word is among texts: `ln(1 + texts / texts with the word)`.
#[must_use]
pub fn inverse_frequencies<'a>(texts: impl IntoIterator<Item = &'a BTreeSet<String>>) -> BTreeMap<&'a str, f64> {
    let mut holding: BTreeMap<&str, u32> = BTreeMap::new();
    let mut count = 0u32;
    for words in texts {
        count += 1;
        for word in words {
            *holding.entry(word).or_default() += 1;
        }
    }
    let inverse = |with_word: u32| libm::log(1.0 + f64::from(count) / f64::from(with_word));
    holding.into_iter().map(|(word, with_word)| (word, inverse(with_word))).collect()
}

/// Cosine of two texts' counts of content words; 0 where either has none.
#[must_use]
pub fn similarity(left: &BTreeMap<String, f64>, right: &BTreeMap<String, f64>) -> f64 {
    let norm = |counts: &BTreeMap<String, f64>| counts.values().map(|x| x * x).sum::<f64>().sqrt();
    let shared: f64 = left.iter().filter_map(|(word, x)| right.get(word).map(|y| x * y)).sum();
    let norms = norm(left) * norm(right);
    if norms > 0.0 { shared / norms } else { 0.0 }
}

/// How often each content word stands in a text.
#[must_use]
pub fn counts(text: &str) -> BTreeMap<String, f64> {
    let mut counts = BTreeMap::new();
    for word in content(text) {
        *counts.entry(word).or_insert(0.0) += 1.0;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_words_and_forms_do_not_count_but_numbers_do() {
        assert_eq!(content("The owl's 12 owlets weren't hunting."), ["owl", "12", "owlet", "hunt"]);
    }

    #[test]
    fn words_of_any_script_are_content() {
        assert_eq!(content("猫喝水"), ["猫", "喝", "猫喝", "水", "喝水"]);
        assert_eq!(content("Cafe\u{301}"), content("CAFÉ"));
    }

    #[test]
    fn rare_words_tell_more() {
        let texts = [distinct("a red owl"), distinct("a red fox")];
        let found = inverse_frequencies(&texts);
        assert!(found["owl"] > found["red"] && found["red"] > 0.0);
    }

    #[test]
    fn similarity_is_one_for_the_same_words_and_zero_for_none_shared() {
        assert!((similarity(&counts("red owl"), &counts("owl, red!")) - 1.0).abs() < 1e-12);
        assert_eq!(similarity(&counts("red owl"), &counts("blue fox")), 0.0);
        assert_eq!(similarity(&counts(""), &counts("")), 0.0);
    }
}
