//! Decides which words before a colon, or on a line of their own, name a speaker.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

/// Labels with more bytes are not names (`Mr. Jean-Claude Tremblay (Rivière-des-Prairies, BQ)` is one).
const LONGEST_LABEL: usize = 80;
/// Headings of notes and of letters, which are never names, however often they recur.
const NEVER_NAMES: &[&str] = &[
    "agenda",
    "also",
    "attendees",
    "bcc",
    "caution",
    "cc",
    "conclusion",
    "copyright",
    "date",
    "disclaimer",
    "duration",
    "e.g",
    "end",
    "error",
    "example",
    "examples",
    "file",
    "ftp",
    "fwd",
    "fyi",
    "http",
    "https",
    "i.e",
    "important",
    "info",
    "location",
    "mailto",
    "meeting",
    "note",
    "notes",
    "p.s",
    "participants",
    "place",
    "present",
    "ps",
    "re",
    "reminder",
    "source",
    "start",
    "subject",
    "summary",
    "time",
    "tip",
    "title",
    "todo",
    "topic",
    "topics",
    "transcript",
    "update",
    "url",
    "venue",
    "warning",
    "result",
    "results",
    "problem",
    "solution",
    "option",
    "step",
    "steps",
    "point",
    "reason",
    "fact",
];
/// Words that may be written in lower case inside of names and roles.
const SMALL_NAME_WORDS: &[&str] =
    &["of", "the", "and", "de", "da", "di", "del", "der", "van", "von", "la", "le", "al", "bin", "ap", "for", "y", "e"];

/// A name and its words: what stands before a colon at the head of a line, if it could be a label at all.
pub(crate) fn split_label(line: &str) -> Option<(Cow<'_, str>, &str)> {
    // A colon inside of a time or an address is followed by no space.
    let mut colons = line.char_indices().take(LONGEST_LABEL + 1).filter(|&(_, c)| matches!(c, ':' | '：'));
    let (colon, mark) = colons.find(|&(at, c)| {
        let rest = &line[at + c.len_utf8()..];
        rest.is_empty() || rest.starts_with(char::is_whitespace) || rest.starts_with("**") || c == '：'
    })?;
    let rest = &line[colon + mark.len_utf8()..];
    // `**Ann:** text`, as some tools export it.
    let (head, rest) = match line.strip_prefix("**") {
        Some(bold) => match rest.strip_prefix("**") {
            Some(rest) => (&line[2..colon], rest),
            None => (bold[..colon.saturating_sub(2)].strip_suffix("**")?, rest),
        },
        None => (&line[..colon], rest),
    };
    if !(rest.is_empty() || rest.starts_with(char::is_whitespace) || mark == '：') {
        return None;
    }
    let label = without_time(head.trim());
    could_be_label(label).then(|| (Cow::Borrowed(label), rest.trim()))
}

/// `Ann (00:12)` and `Ann [00:12]` without the time.
fn without_time(label: &str) -> &str {
    let open = label.rfind(['(', '[']);
    match open {
        Some(open)
            if label.ends_with([')', ']']) && crate::time::clock(&label[open + 1..label.len() - 1]).is_some() =>
        {
            label[..open].trim_end()
        }
        _ => label,
    }
}

/// Whether the text may label a speaker as far as its form goes.
pub(crate) fn could_be_label(label: &str) -> bool {
    let length_fits = !label.is_empty() && label.len() <= LONGEST_LABEL && label.split_whitespace().count() <= 10;
    length_fits
        && label.chars().any(char::is_alphabetic)
        && !label.contains(['?', '!', ';', '"', '{', '}', '<', '>', '=', '/', '\\', '|'])
        && !NEVER_NAMES.contains(&label.to_lowercase().trim_end_matches('.'))
        && !label.split_whitespace().any(|word| crate::time::clock(word.trim_matches(['(', ')', '[', ']'])).is_some())
        && !ends_a_sentence(label)
}

/// Whether a word ends in a full stop that is not one of an abbreviation or an initial.
fn ends_a_sentence(label: &str) -> bool {
    label.split_whitespace().any(|word| {
        word.strip_suffix('.').is_some_and(|head| {
            head.chars().count() > 4
                || head.chars().next().is_some_and(|first| first.is_lowercase() && head.chars().count() > 1)
        })
    })
}

/// Whether each word is written as in a name or a role: `Ann`, `ANN B.`, `Grad C`, `Speaker 1`, `speaker_01`.
pub(crate) fn looks_like_name(label: &str) -> bool {
    let plain = label.split('(').next().unwrap_or(label).trim();
    let mut words = plain.split_whitespace().peekable();
    let starts_capital =
        words.peek().is_some_and(|word| word.chars().next().is_some_and(|c| c.is_uppercase() || !c.is_alphabetic()));
    let is_caseless = plain.chars().any(|c| c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase());
    (starts_capital || is_caseless || is_numbered_speaker(plain))
        && plain.split_whitespace().count() <= 6
        && (is_numbered_speaker(plain)
            || words.all(|word| {
                let first = word.chars().next().unwrap_or(' ');
                !first.is_lowercase() || SMALL_NAME_WORDS.contains(&word)
            }))
}

/// `speaker 1`, `spk_0`, `participant2`.
fn is_numbered_speaker(label: &str) -> bool {
    let head = label.trim_end_matches(|c: char| c.is_ascii_digit());
    head.len() < label.len()
        && matches!(
            head.trim_end_matches([' ', '_', '-', '#']).to_lowercase().as_str(),
            "speaker" | "spk" | "participant" | "person" | "guest" | "s"
        )
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
                    && label.split_whitespace().count() <= 3
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

    fn label(line: &str) -> Option<String> {
        split_label(line).map(|(label, _)| label.into_owned())
    }

    #[test]
    fn times_and_addresses_are_not_labels() {
        for line in
            ["00:12: hello", "12:30 we met", "http://example.org is it", "See: http://x", "Note: this", "[00:12]: x"]
        {
            assert!(label(line).is_none_or(|found| found == "See"), "{line}");
        }
    }

    #[test]
    fn labels_lose_their_time_and_their_bold() {
        assert_eq!(label("Ann Lee (00:12): hi").as_deref(), Some("Ann Lee"));
        assert_eq!(label("**Ann:** hi").as_deref(), Some("Ann"));
        assert_eq!(label("**Ann**: hi").as_deref(), Some("Ann"));
    }

    #[test]
    fn names_and_roles_look_like_names() {
        for name in ["Ann", "ANN B.", "Mr. Jean de la Tour (Leeds, BQ)", "speaker_01", "Grad C", "Professor D", "李雷"]
        {
            assert!(could_be_label(name) && looks_like_name(name), "{name}");
        }
        for other in ["the main thing", "We have two options", "and then he said"] {
            assert!(!looks_like_name(other), "{other}");
        }
    }
}
