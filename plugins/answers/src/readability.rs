//! Flesch's reading ease (Flesch 1948).

use jackfield_text::sentences::sentences;
use unicode_segmentation::UnicodeSegmentation;

/// `206.835 - 1.015 * words / sentences - 84.6 * syllables / words`: about 0 for what scholars read, 60 to 70 for plain
/// English, 100 for what children read; not bounded. None for a text without words.
#[must_use]
pub fn reading_ease(text: &str) -> Option<f64> {
    let (mut words, mut syllables) = (0usize, 0usize);
    for word in text.unicode_words() {
        words += 1;
        syllables += self::syllables(word);
    }
    let sentences =
        sentences(text).iter().filter(|range| text[(*range).clone()].unicode_words().next().is_some()).count();
    if words == 0 || sentences == 0 {
        return None;
    }
    let (words, syllables) = (words as f64, syllables as f64);
    Some(206.835 - 1.015 * words / sentences as f64 - 84.6 * syllables / words)
}

/// Syllables of an English word by its spelling: groups of vowels, a silent `e` at the end not counted, at least one.
#[must_use]
pub fn syllables(word: &str) -> usize {
    let letters: Vec<char> = word.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect();
    let is_vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let starts_group = |index: usize| is_vowel(letters[index]) && (index == 0 || !is_vowel(letters[index - 1]));
    let groups = (0..letters.len()).filter(|&index| starts_group(index)).count();
    let ends_silent = match letters.as_slice() {
        // The ends of `table` and `little` are spoken.
        [.., before, 'l', 'e'] => is_vowel(*before),
        // The end of `heated` is spoken, that of `burned` is not.
        [.., before, 'e', 'd'] => !matches!(before, 't' | 'd') && !is_vowel(*before),
        [.., before, 'e', 's'] => !matches!(before, 's' | 'z' | 'x' | 'c' | 'g' | 'h') && !is_vowel(*before),
        [.., before, 'e'] => !is_vowel(*before),
        _ => false,
    };
    (groups - usize::from(ends_silent && groups > 1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_of_common_words() {
        for (word, count) in [
            ("owl", 1),
            ("table", 2),
            ("make", 1),
            ("heated", 2),
            ("burned", 1),
            ("boxes", 2),
            ("plates", 1),
            ("the", 1),
            ("reading", 2),
            ("beautiful", 3),
            ("rhythm", 1),
            ("syllable", 3),
            ("42", 1),
            ("", 1),
            ("agree", 2),
        ] {
            assert_eq!(syllables(word), count, "{word}");
        }
    }

    #[test]
    fn ease_is_the_formula_of_flesch() {
        // Six words of a syllable each in one sentence.
        let ease = reading_ease("The cat sat on the mat.").unwrap();
        assert!((ease - (206.835 - 1.015 * 6.0 - 84.6)).abs() < 1e-9);
        assert!(reading_ease("Incomprehensibilities characterize bureaucratic organizations.").unwrap() < 0.0);
        assert_eq!(reading_ease(" ... "), None);
    }
}
