//! Stems: what the forms of a word have in common, by the algorithms of Snowball 3.0 (<https://snowballstem.org>).

use std::borrow::Cow;

use snowball_stemmers_rs::{Algorithm, Stemmer as Snowball};

use crate::language::Language;

/// Cuts words of one language to their stems.
pub struct Stemmer(Snowball);

impl Stemmer {
    /// The stemmer of English, which is Porter 2 as Snowball 3.0 has it.
    #[must_use]
    pub fn english() -> Self {
        Self(Snowball::create(Algorithm::English))
    }

    /// The stemmer of a language, where there is one: Chinese, Japanese and Korean have none.
    #[must_use]
    pub fn new(language: Language) -> Option<Self> {
        language.algorithm().map(|algorithm| Self(Snowball::create(algorithm)))
    }

    /// The stem of a word in lower case with its characters composed. A word that has no ending of the language is its own
    /// stem.
    #[must_use]
    pub fn stem<'word>(&self, word: &'word str) -> Cow<'word, str> {
        self.0.stem(word)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn share_a_stem(language: Language, words: &[&str]) -> bool {
        let stemmer = Stemmer::new(language).expect("the language has a stemmer");
        words.iter().all(|word| stemmer.stem(word) == stemmer.stem(words[0]))
    }

    #[test]
    fn forms_of_a_word_share_a_stem() {
        use Language::{Dutch, English, French, German, Italian, Polish, Portuguese, Russian, Spanish, Swedish};
        for (language, words) in [
            (English, ["add", "added", "adding"]),
            (English, ["meet", "meeting", "meetings"]),
            (English, ["generous", "generously", "generous"]),
            (German, ["sitzung", "sitzungen", "sitzung"]),
            (German, ["antrag", "anträge", "anträgen"]),
            (French, ["décision", "décisions", "décision"]),
            (Spanish, ["reunión", "reuniones", "reunión"]),
            (Italian, ["riunione", "riunioni", "riunione"]),
            (Portuguese, ["projeto", "projetos", "projeto"]),
            (Dutch, ["vergadering", "vergaderingen", "vergadering"]),
            (Swedish, ["möte", "möten", "mötet"]),
            (Russian, ["бюджет", "бюджета", "бюджетом"]),
            (Polish, ["projekt", "projektu", "projekty"]),
        ] {
            assert!(share_a_stem(language, &words), "{language:?} {words:?}");
        }
    }

    #[test]
    fn words_that_only_begin_alike_keep_apart() {
        for words in
            [["university", "universe"], ["organ", "organization"], ["past", "paste"], ["internal", "international"]]
        {
            assert!(!share_a_stem(Language::English, &words), "{words:?}");
        }
    }

    #[test]
    fn languages_without_endings_have_no_stemmer() {
        for language in [Language::Chinese, Language::Japanese, Language::Korean, Language::Another] {
            assert!(Stemmer::new(language).is_none(), "{language:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_stem(text in "\\PC{0,24}") {
            for stemmer in Language::every().filter_map(Stemmer::new) {
                let _ = stemmer.stem(&text);
            }
        }
    }
}
