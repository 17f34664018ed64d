//! Decides which labels of a text name a speaker, judging all of them together.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

/// Words that may be written in lower case inside of names and roles.
const SMALL_NAME_WORDS: &[&str] = &[
    "of", "the", "and", "de", "da", "di", "do", "dos", "du", "del", "den", "der", "van", "von", "zu", "la", "le", "al",
    "el", "bin", "bint", "ibn", "ap", "for", "y", "e", "i", "med.", "phil.", "rer.", "nat.", "jur.", "habil.", "jr.",
    "sr.",
];
/// Words that number speakers, in lower case.
const NUMBERED_WORDS: &[&str] = &[
    "speaker",
    "spk",
    "participant",
    "person",
    "guest",
    "s",
    "user",
    "voice",
    "channel",
    "interviewer",
    "interviewee",
    "respondent",
    "moderator",
    "student",
    "caller",
    "agent",
    "unknown",
    "unidentified speaker",
    "sprecher",
    "locuteur",
    "hablante",
    "orador",
    "спикер",
];
/// Pronouns that people write after their names, as in `she/her`.
const PRONOUNS: &[&str] = &[
    "she", "her", "hers", "he", "him", "his", "they", "them", "theirs", "it", "its", "xe", "xem", "ze", "zir", "any",
    "all", "elle", "il", "iel", "ella", "él", "elle", "sie", "ihr", "er", "ihm",
];
/// A longer word of a script without upper and lower case, which may have no spaces either, is a sentence.
const LONGEST_CASELESS_WORD: usize = 14;

/// Whether each word is written as in a name or a role: `Ann`, `ANN B.`, `Grad C`, `Speaker 1`, `speaker_01`.
pub(crate) fn looks_like_name(label: &str) -> bool {
    let plain = without_remarks(label);
    let plain = plain.trim();
    if !plain.contains(char::is_alphabetic) {
        return false;
    }
    let first_sign = plain.chars().find(|c| !matches!(c, '"' | '“' | '\''));
    let starts_capital = first_sign.is_some_and(|c| c.is_uppercase() || !c.is_alphabetic());
    let is_caseless_sign = |c: char| c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase();
    let is_caseless = plain.contains(is_caseless_sign)
        && plain
            .split_whitespace()
            .all(|word| word.chars().filter(|&c| is_caseless_sign(c)).count() <= LONGEST_CASELESS_WORD);
    let is_numbered = is_numbered_speaker(plain);
    (starts_capital || is_caseless || is_numbered)
        && plain.split_whitespace().count() <= 6
        && (is_numbered
            || plain.split_whitespace().all(|word| {
                let first = word.chars().next().unwrap_or(' ');
                !first.is_lowercase()
                    || SMALL_NAME_WORDS.contains(&word)
                    || has_inner_capital(word)
                    || are_pronouns(word)
            }))
}

/// `she/her`, in lower case.
fn are_pronouns(word: &str) -> bool {
    word.contains('/') && word.split('/').all(|part| PRONOUNS.contains(&part))
}

/// A label without what says more about the name, in brackets or after a bar.
pub(crate) fn without_remarks(label: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::with_capacity(label.len());
    for c in label.chars().take_while(|&c| c != '|') {
        match c {
            '(' | '（' | '[' => depth += 1,
            ')' | '）' | ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

/// `d'Entremont`, `al-Rashid`, `eBay`.
fn has_inner_capital(word: &str) -> bool {
    word.chars().skip(1).take(3).any(char::is_uppercase)
}

/// `speaker 1`, `spk_0`, `participant2`.
pub(crate) fn is_numbered_speaker(label: &str) -> bool {
    let head = label.trim_end_matches(|c: char| c.is_ascii_digit());
    head.len() < label.len()
        && NUMBERED_WORDS.contains(&head.trim_end_matches([' ', '_', '-', '#']).to_lowercase().as_str())
}

/// The labels of a text, judged together: a name recurs, or looks like one among others.
#[derive(Debug, Default)]
pub(crate) struct Labels<'a> {
    counts: FxHashMap<Cow<'a, str>, usize>,
}

impl<'a> Labels<'a> {
    pub(crate) fn add(&mut self, label: Cow<'a, str>) {
        *self.counts.entry(label).or_default() += 1;
    }

    /// Drops labels that are not names, in a text with this number of lines (or blocks, or cues) that could have one.
    pub(crate) fn retain_names(mut self, lines: usize) -> Self {
        let named_lines: usize =
            self.counts.iter().filter(|(label, _)| looks_like_name(label)).map(|(_, count)| count).sum();
        let most_lines_named = named_lines * 10 >= lines * 3;
        let recurring = self.counts.iter().filter(|(label, count)| **count >= 2 && looks_like_name(label)).count();
        let total: usize = self.counts.values().sum();
        let most_lines_labelled = total * 10 >= lines * 3;
        self.counts.retain(|label, count| {
            if looks_like_name(label) {
                // Prose has a capitalised word before a colon now and then, but not the same two again and again.
                most_lines_named
                    || (*count >= 2 && recurring >= 2)
                    || *count >= 5
                    || (recurring >= 2 && label.split_whitespace().count() >= 2)
            } else {
                // `project manager:` in a text where nearly everything is so headed.
                *count >= 2
                    && most_lines_labelled
                    && label.split('(').next().unwrap_or(label).split_whitespace().count() <= 3
                    && !jackfield_text::words::is_stop_word(label)
            }
        });
        self
    }

    pub(crate) fn is_name(&self, label: &str) -> bool {
        self.counts.contains_key(label)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_roles_look_like_names() {
        for name in [
            "Ann",
            "ANN B.",
            "Mr. Jean de la Tour (Leeds, BQ)",
            "speaker_01",
            "Grad C",
            "Professor D",
            "李雷",
            "Ann Lee | acme inc.",
            "\"Ann\" Lee",
            "Mr. Chris d'Entremont",
            "Speaker #2",
            "Ann Lee - she/her",
        ] {
            assert!(looks_like_name(name), "{name}");
        }
        for other in [
            "Ann (chair) and then",
            ", [ w",
            "the main thing",
            "We have two options",
            "and then he said",
            "我们今天要讨论的问题主要是下面这几个",
        ] {
            assert!(!looks_like_name(other), "{other}");
        }
    }
}
