//! Finds the speakers whom a text addresses or mentions by name.

use std::collections::BTreeMap;

use crate::words;

/// Words of a speaker's label that are not part of the name.
const TITLES: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "miss",
    "dr",
    "prof",
    "professor",
    "sir",
    "hon",
    "honourable",
    "right",
    "rt",
    "the",
    "am",
    "mp",
    "ms",
    "grad",
    "phd",
    "chair",
    "speaker",
    "minister",
    "of",
    "and",
    "de",
    "van",
    "von",
];

/// The speakers of a transcript, by what others may call them.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// A name's words, lower-case, to the speaker; a single word only where it belongs to one speaker.
    by_words: BTreeMap<Vec<String>, usize>,
}

/// A speaker's name in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Index of the speaker.
    pub speaker: usize,
    /// Offset of the name's first byte.
    pub start: usize,
    /// Offset after its last byte.
    pub end: usize,
}

impl Names {
    /// Takes the speakers' labels, such as `Hon. Jane Doe (Leeds)`, in the order of their indices.
    #[must_use]
    pub fn new<S: AsRef<str>>(speakers: &[S]) -> Self {
        let mut owners: BTreeMap<Vec<String>, Option<usize>> = BTreeMap::new();
        for (index, speaker) in speakers.iter().enumerate() {
            let label = speaker.as_ref().split('(').next().unwrap_or_default();
            let label_words: Vec<String> = words::words(label).map(|(_, word)| word.to_lowercase()).collect();
            let name_words: Vec<_> =
                label_words.iter().filter(|word| !TITLES.contains(&word.as_str())).cloned().collect();
            let mut spellings: Vec<Vec<String>> = name_words
                .iter()
                .filter(|word| word.chars().count() > 2 && !words::is_stop_word(word))
                .map(|w| vec![w.clone()])
                .collect();
            spellings.push(name_words);
            spellings.push(label_words);
            spellings.retain(|spelling| {
                spelling.iter().any(|word| word.chars().count() > 1)
                    && (spelling.len() > 1 || !TITLES.contains(&&*spelling[0]))
            });
            spellings.sort();
            spellings.dedup();
            for spelling in spellings {
                // A spelling that two speakers share identifies neither.
                owners.entry(spelling).and_modify(|owner| *owner = None).or_insert(Some(index));
            }
        }
        Self { by_words: owners.into_iter().filter_map(|(spelling, owner)| Some((spelling, owner?))).collect() }
    }

    /// Every name in the text, the longest at each place. Names are written with a capital.
    #[must_use]
    pub fn mentions(&self, text: &str) -> Vec<Mention> {
        let text_words: Vec<(usize, &str)> = words::words(text).collect();
        let mut found = Vec::new();
        let mut index = 0;
        while index < text_words.len() {
            // A name starts with a capital, or with a title.
            let first = text_words[index].1;
            if !first.starts_with(char::is_uppercase) && !TITLES.contains(&first) {
                index += 1;
                continue;
            }
            let longest = (1..=4.min(text_words.len() - index)).rev().find_map(|length| {
                let candidate = &text_words[index..index + length];
                let are_separated = |pair: &[(usize, &str)]| {
                    !text[pair[0].0 + pair[0].1.len()..pair[1].0].chars().all(|c| c.is_whitespace() || c == '.')
                };
                if candidate.windows(2).any(are_separated) {
                    return None;
                }
                let has_capital = candidate.iter().any(|(_, word)| word.chars().next().is_some_and(char::is_uppercase));
                let key: Vec<String> = candidate.iter().map(|(_, word)| name_part(word)).collect();
                let speaker = *self.by_words.get(&key).filter(|_| has_capital)?;
                let (start, last) = (candidate[0].0, candidate[length - 1]);
                Some((length, Mention { speaker, start, end: last.0 + last.1.len() }))
            });
            match longest {
                Some((length, mention)) => {
                    found.push(mention);
                    index += length;
                }
                None => index += 1,
            }
        }
        found
    }

    /// The speaker whom the sentence calls by name: the name stands at its head or end, set off by a comma, or is all
    /// that is said.
    #[must_use]
    pub fn addressed(&self, sentence: &str) -> Option<usize> {
        self.mentions(sentence).into_iter().find_map(|mention| {
            let before = sentence[..mention.start].trim_end();
            let after = sentence[mention.end..].trim_start();
            let at_start = last_word_is_title(before) || before.is_empty() || before.ends_with([',', '.', '?', '!']);
            let at_end = after.is_empty() || after.starts_with([',', '.', '?', '!']);
            (at_start && at_end).then_some(mention.speaker)
        })
    }
}

fn name_part(word: &str) -> String {
    let lower = word.to_lowercase();
    lower.strip_suffix("'s").or_else(|| lower.strip_suffix("’s")).unwrap_or(&lower).to_owned()
}

fn last_word_is_title(text: &str) -> bool {
    words::words(text).last().is_some_and(|(start, word)| {
        TITLES.contains(&word.to_lowercase().as_str()) && text[start + word.len()..].trim_matches(['.', ' ']).is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_set_off_by_a_comma_is_called() {
        let names = Names::new(&["Alice Moore", "Hon. Bob Stone (Leeds)", "Project Manager"]);
        assert_eq!(names.addressed("Bob, can you send it?"), Some(1));
        assert_eq!(names.addressed("Could you do that, Alice?"), Some(0));
        assert_eq!(names.addressed("Thank you, Mr. Stone."), Some(1));
        assert_eq!(names.addressed("I spoke with Bob about it."), None);
    }

    #[test]
    fn a_name_that_two_speakers_share_identifies_neither() {
        let names = Names::new(&["Grad A", "Grad B", "Ann Lee", "Bo Lee"]);
        assert!(names.mentions("Lee and Grad, A grad").is_empty());
        assert_eq!(
            names.mentions("Ask Bo Lee's friend and Grad B").iter().map(|m| m.speaker).collect::<Vec<_>>(),
            [3, 1]
        );
    }

    #[test]
    fn common_words_in_lower_case_are_not_names() {
        assert!(Names::new(&["Will Marks"]).mentions("it will leave marks").is_empty());
    }
}
