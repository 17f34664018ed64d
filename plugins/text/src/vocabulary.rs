//! Numbers for the words of a corpus, with their stems.

use rust_stemmers::{Algorithm, Stemmer};
use rustc_hash::FxHashMap;

use crate::words;

/// Number of a word in its compared form; numbers are given in order of first use.
pub type WordId = u32;
/// Number of a stem of content words; numbers are given in order of first use.
pub type TermId = u32;

struct Word {
    text: Box<str>,
    term: Option<TermId>,
    filler: bool,
    /// How often it is written in lower case, and how often with a capital inside of a text.
    cases: (u32, u32),
    /// How it was first written with a capital.
    capital: Option<Box<str>>,
}

struct Term {
    stem: Box<str>,
    /// The words of this stem, with how often each was used.
    forms: Vec<(WordId, u32)>,
}

/// The words of a corpus. Each distinct word is lower-cased, split and stemmed once.
pub struct Vocabulary {
    stemmer: Stemmer,
    /// As written to compared forms: one, or two for a contraction.
    compared_by_surface: FxHashMap<Box<str>, (WordId, Option<WordId>)>,
    ids: FxHashMap<Box<str>, WordId>,
    words: Vec<Word>,
    term_ids: FxHashMap<Box<str>, TermId>,
    terms: Vec<Term>,
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
            compared_by_surface: FxHashMap::default(),
            ids: FxHashMap::default(),
            words: Vec::new(),
            term_ids: FxHashMap::default(),
            terms: Vec::new(),
        }
    }
}

impl Vocabulary {
    /// Appends the words of `text`, fillers and immediate repetitions left out, as [`words::tokens`] has them.
    pub fn read(&mut self, text: &str, ids: &mut Vec<WordId>) {
        let first_index = ids.len();
        for (_, word) in words::words(text) {
            let (first, second) = self.compared_forms(word);
            if second.is_none() {
                self.note_case(first, word, ids.len() == first_index);
            }
            for id in std::iter::once(first).chain(second) {
                if !self.words[id as usize].filler && (ids.len() == first_index || ids.last() != Some(&id)) {
                    ids.push(id);
                    self.count(id);
                }
            }
        }
    }

    fn note_case(&mut self, id: WordId, word: &str, at_head: bool) {
        let word_entry = &mut self.words[id as usize];
        if word_entry.term.is_none() {
            return;
        }
        if !word.starts_with(char::is_uppercase) {
            word_entry.cases.0 += 1;
        } else if !at_head {
            word_entry.cases.1 += 1;
            if word_entry.capital.is_none() {
                word_entry.capital = Some(words::spelled(word).into());
            }
        }
    }

    fn count(&mut self, id: WordId) {
        if let Some(term) = self.words[id as usize].term {
            let forms = &mut self.terms[term as usize].forms;
            match forms.iter_mut().find(|form| form.0 == id) {
                Some(form) => form.1 += 1,
                None => forms.push((id, 1)),
            }
        }
    }

    fn compared_forms(&mut self, word: &str) -> (WordId, Option<WordId>) {
        if let Some(&known) = self.compared_by_surface.get(word) {
            return known;
        }
        let mut ids = (None, None);
        words::normal_forms(word, |form| {
            let id = self.intern(form);
            if ids.0.is_none() {
                ids.0 = Some(id);
            } else {
                ids.1 = Some(id);
            }
        });
        let ids = (ids.0.unwrap_or_default(), ids.1);
        self.compared_by_surface.insert(word.into(), ids);
        ids
    }

    fn intern(&mut self, form: &str) -> WordId {
        if let Some(&id) = self.ids.get(form) {
            return id;
        }
        let id = self.words.len() as WordId;
        let is_content_word =
            form.chars().nth(1).is_some() && form.chars().any(char::is_alphabetic) && !words::is_stop_word(form);
        // Two letters without a vowel are a word broken off.
        let has_vowel_sound = form.chars().nth(2).is_some()
            || form == "tv"
            || form.contains(['a', 'e', 'i', 'o', 'u', 'y'])
            || !form.is_ascii();
        let is_content_word = is_content_word && has_vowel_sound && !form.contains("n't");
        let term = is_content_word.then(|| {
            let stem = self.stemmer.stem(form);
            *self.term_ids.entry(stem.as_ref().into()).or_insert_with(|| {
                self.terms.push(Term { stem: stem.as_ref().into(), forms: Vec::new() });
                self.terms.len() as TermId - 1
            })
        });
        self.words.push(Word { text: form.into(), term, filler: words::is_filler(form), cases: (0, 0), capital: None });
        self.ids.insert(form.into(), id);
        id
    }

    /// The compared form of a word.
    #[must_use]
    pub fn word(&self, id: WordId) -> &str {
        &self.words[id as usize].text
    }

    /// The number of a word's stem, if the word is a content word.
    #[must_use]
    pub fn term(&self, id: WordId) -> Option<TermId> {
        self.words[id as usize].term
    }

    /// The stem.
    #[must_use]
    pub fn stem(&self, term: TermId) -> &str {
        &self.terms[term as usize].stem
    }

    /// The word that is used most with this stem, of two used alike the one used first; with a capital if it is mostly
    /// written so.
    #[must_use]
    pub fn usual_form(&self, term: TermId) -> &str {
        let term = &self.terms[term as usize];
        let most_used = term.forms.iter().fold(None::<(WordId, u32)>, |most_used, &form| match most_used {
            Some(most_used) if most_used.1 >= form.1 => Some(most_used),
            _ => Some(form),
        });
        most_used.map_or(&term.stem, |(id, _)| self.written(id))
    }

    /// The word with a capital if it is mostly written so inside of a text.
    #[must_use]
    pub fn written(&self, id: WordId) -> &str {
        let word = &self.words[id as usize];
        match &word.capital {
            Some(capital) if word.cases.1 > word.cases.0 => capital,
            _ => &word.text,
        }
    }

    /// How many stems there are.
    #[must_use]
    pub fn term_count(&self) -> usize {
        self.terms.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Vocabulary;

    #[test]
    fn words_of_one_stem_share_a_term_and_its_usual_form() {
        let mut vocabulary = Vocabulary::default();
        let mut ids = Vec::new();
        vocabulary.read("Buttons, a button; um the buttons we'll press", &mut ids);
        let terms: Vec<_> = ids.iter().filter_map(|&id| vocabulary.term(id)).collect();
        assert_eq!(terms, [0, 0, 0, 1]);
        assert_eq!(vocabulary.usual_form(0), "buttons");
        assert_eq!(vocabulary.term_count(), 2);
    }
}
