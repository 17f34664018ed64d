//! Numbers for the words of a corpus, with their stems.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{language::Language, lexicon::Lexicon, normal::composed, stems::Stemmer, unspaced::is_unspaced, words};

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

/// The words of a corpus in one language. Each distinct word is lower-cased, split and stemmed once.
pub struct Vocabulary {
    language: Language,
    /// None where the language has none.
    stemmer: Option<Stemmer>,
    /// Stop words of a language other than English.
    stop_words: FxHashSet<String>,
    /// Words of scripts without blanks.
    lexicon: Lexicon,
    /// As written to compared forms: one, or two for a contraction.
    compared_by_surface: FxHashMap<Box<str>, (WordId, Option<WordId>)>,
    ids: FxHashMap<Box<str>, WordId>,
    words: Vec<Word>,
    term_ids: FxHashMap<Box<str>, TermId>,
    terms: Vec<Term>,
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self::new(Language::English, Lexicon::default())
    }
}

impl Vocabulary {
    /// No words yet, of a corpus in this language; words of scripts without blanks are those of the lexicon.
    #[must_use]
    pub fn new(language: Language, mut lexicon: Lexicon) -> Self {
        let stop_words = if language == Language::English { FxHashSet::default() } else { language.stop_words() };
        lexicon.add(stop_words.iter().map(String::as_str));
        Self {
            language,
            stemmer: Stemmer::new(language),
            stop_words,
            lexicon,
            compared_by_surface: FxHashMap::default(),
            ids: FxHashMap::default(),
            words: Vec::new(),
            term_ids: FxHashMap::default(),
            terms: Vec::new(),
        }
    }

    /// Whether a lower-case word says nothing about the subject.
    fn is_stop_word(&self, word: &str) -> bool {
        if self.language == Language::English { words::is_stop_word(word) } else { self.stop_words.contains(word) }
    }

    /// Whether a lower-case word is a sound of hesitation or of listening. `Um` and `er` are words in German.
    fn is_filler(&self, word: &str) -> bool {
        words::is_filler(word) && !self.stop_words.contains(word)
    }

    /// Whether a word may have a Korean particle at its end.
    fn is_korean_noun(&self, word: &str) -> bool {
        self.language == Language::Korean && !self.stop_words.contains(word)
    }

    /// Appends the words of `text`, fillers and immediate repetitions left out, as [`words::tokens`] has them.
    pub fn read(&mut self, text: &str, ids: &mut Vec<WordId>) {
        let first_index = ids.len();
        let words: Vec<(usize, &str)> = if text.contains(is_unspaced) {
            words::without_noise(text, self.lexicon.split(text)).collect()
        } else {
            words::words(text).collect()
        };
        for (_, word) in words {
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
        let elided = Some(word).filter(|_| self.language.elides()).and_then(|word| word.split_once(['\'', '’']));
        let mut forms = Vec::new();
        match elided {
            Some((article, rest)) if !article.is_empty() && !rest.is_empty() => {
                forms.extend([article, rest].map(|part| composed(part).to_lowercase()));
            }
            _ => match Some(word).filter(|word| self.is_korean_noun(word)).and_then(without_particle) {
                Some((noun, particle)) => forms.extend([noun, particle].map(|part| composed(part).into_owned())),
                None => words::normal_forms(word, |form| forms.push(form.to_owned())),
            },
        }
        for form in &forms {
            let id = self.intern(form);
            if ids.0.is_none() {
                ids.0 = Some(id);
            } else {
                ids.1 = Some(id);
            }
        }
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
            form.chars().nth(1).is_some() && form.chars().any(char::is_alphabetic) && !self.is_stop_word(form);
        // Two letters without a vowel are a word broken off.
        let has_vowel_sound = form.chars().nth(2).is_some()
            || form == "tv"
            || form.contains(['a', 'e', 'i', 'o', 'u', 'y'])
            || !form.is_ascii();
        // Of a language of which nothing is known, short words are taken for function words.
        let is_short =
            self.language == Language::Another && form.chars().nth(3).is_none() && !form.contains(is_unspaced);
        let is_content_word = is_content_word && !is_short && has_vowel_sound && !form.contains("n't");
        let term = is_content_word.then(|| {
            let stem = self.stemmer.as_ref().map_or(Cow::Borrowed(form), |stemmer| stemmer.stem(form));
            *self.term_ids.entry(stem.as_ref().into()).or_insert_with(|| {
                self.terms.push(Term { stem: stem.as_ref().into(), forms: Vec::new() });
                self.terms.len() as TermId - 1
            })
        });
        self.words.push(Word { text: form.into(), term, filler: self.is_filler(form), cases: (0, 0), capital: None });
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

    /// How often the forms of a stem are written in lower case inside of a text, and how often with a capital.
    #[must_use]
    pub fn cases(&self, term: TermId) -> (u32, u32) {
        let forms = self.terms[term as usize].forms.iter().map(|(id, _)| self.words[*id as usize].cases);
        forms.fold((0, 0), |(lower, capital), (more, capitals)| (lower + more, capital + capitals))
    }

    /// How many stems there are.
    #[must_use]
    pub fn term_count(&self) -> usize {
        self.terms.len()
    }
}

/// A Korean noun and the particle at its end, such as `예산` and `을`.
fn without_particle(word: &str) -> Option<(&str, &str)> {
    /// The longer ones first.
    const PARTICLES: [&str; 21] = [
        "에서", "으로", "까지", "부터", "에게", "처럼", "보다", "은", "는", "이", "가", "을", "를", "의", "에", "와",
        "과", "도", "로", "만", "요",
    ];
    let particle = PARTICLES.iter().find(|particle| word.ends_with(**particle))?;
    let noun = &word[..word.len() - particle.len()];
    noun.chars().nth(1).is_some().then_some((noun, *particle))
}

#[cfg(test)]
mod tests {
    use super::Vocabulary;
    use crate::{language::Language, lexicon::Lexicon};

    fn usual_forms(language: Language, text: &str) -> Vec<String> {
        let mut vocabulary = Vocabulary::new(language, Lexicon::learn([text]));
        let mut ids = Vec::new();
        vocabulary.read(text, &mut ids);
        (0..vocabulary.term_count() as u32).map(|term| vocabulary.usual_form(term).to_owned()).collect()
    }

    #[test]
    fn content_words_are_those_of_the_language() {
        assert_eq!(
            usual_forms(Language::German, "Um zehn prüft er, ähm, die Zahlen der neuen Website, und die Zahl stimmt."),
            ["prüft", "Zahlen", "neuen", "Website"]
        );
        assert_eq!(
            usual_forms(Language::French, "L’équipe prépare l'offre, et qu'elle soit prête."),
            ["équipe", "prépare", "offre", "prête"]
        );
        assert_eq!(
            usual_forms(Language::Korean, "예산을 논의하고, 예산이 부족하면 일정은 그대로."),
            ["예산", "논의하고", "부족하면", "일정"]
        );
        assert_eq!(
            usual_forms(Language::Another, "Klient čeká na nabídku a cenu."),
            ["klient", "čeká", "nabídku", "cenu"]
        );
        assert_eq!(usual_forms(Language::Chinese, "我们讨论预算。预算的问题，大家知道。"), ["讨论", "预算"]);
    }

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
