//! The grammar of speaker labels, which all formats share: `Ann:`, `**Ann (she/her):**`, `[Ann] 10:02`, `>> ANN:`.
//!
//! ```text
//! line  = [ marks ] label [ ":" ] said
//! label = name [ stamp ]    in brackets, in quotation marks, in emphasis, or bare
//! name  = words [ "(" role or pronouns ")" ] [ "|" organisation ]
//! ```
//!
//! The form alone does not make a speaker of what stands before a colon: `names` judges all labels of a text together.

use std::borrow::Cow;

use crate::{
    clean::one_spaced,
    marks::Unmarked,
    names::{is_numbered_speaker, looks_like_name, without_remarks},
    time::{self, Stamp},
};

/// Labels with more characters are not names, without the roles and remarks in brackets that belong to a name.
const LONGEST_LABEL: usize = 80;
/// Labels with more characters are not names, all in all.
const LONGEST_WITH_REMARKS: usize = 160;
/// How many characters of a line are looked at for a colon: a label, a stamp, and the signs between them.
const LONGEST_HEAD: usize = LONGEST_WITH_REMARKS + 60;
/// Quotation marks and brackets that a name may stand in.
const ENCLOSURES: [(char, char); 10] = [
    ('[', ']'),
    ('(', ')'),
    ('<', '>'),
    ('【', '】'),
    ('"', '"'),
    ('“', '”'),
    ('\'', '\''),
    ('‘', '’'),
    ('«', '»'),
    ('「', '」'),
];
/// Headings of notes and of letters, which are never names, however often they recur.
const NEVER_NAMES: &[&str] = &[
    "action item",
    "action items",
    "actions",
    "agenda",
    "also",
    "attendees",
    "attention",
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
    "fact",
    "file",
    "ftp",
    "fwd",
    "fyi",
    "hint",
    "http",
    "https",
    "i.e",
    "important",
    "info",
    "kind",
    "language",
    "location",
    "mailto",
    "meeting",
    "nb",
    "n.b",
    "note",
    "notes",
    "option",
    "p.s",
    "participants",
    "place",
    "point",
    "present",
    "problem",
    "ps",
    "re",
    "reason",
    "reminder",
    "result",
    "results",
    "solution",
    "source",
    "start",
    "step",
    "steps",
    "subject",
    "summary",
    "time",
    "tip",
    "title",
    "tl;dr",
    "todo",
    "topic",
    "topics",
    "transcript",
    "update",
    "url",
    "venue",
    "warning",
];

/// Abbreviations within titles: `Prof. Dr. med. K. Maier`.
const TITLES: [&str; 8] = ["med", "phil", "rer", "nat", "jur", "habil", "jr", "sr"];

/// A line that begins with the label of a speaker, as far as its form goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Labelled<'a> {
    pub(crate) name: Cow<'a, str>,
    /// The time that the label, or the beginning of what is said, is marked with.
    pub(crate) stamp: Option<Stamp<'a>>,
    pub(crate) said: &'a str,
}

/// A label before a colon, or a name in brackets that needs none: `[SPEAKER_00] text`, `<Ann> text`.
pub(crate) fn before_colon<'a>(line: &Unmarked<'a>) -> Option<Labelled<'a>> {
    let Some((head, mut said)) = split_at_colon(line.rest, line.emphasis) else {
        return in_brackets(line.rest);
    };
    let head = match (line.emphasis, head.strip_suffix(line.emphasis)) {
        ("", _) => head,
        (_, Some(head)) => head,
        // `**Ann:** text`: the emphasis ends after the colon.
        (sign, None) => {
            said = said.strip_prefix(sign)?;
            head
        }
    };
    let (name, mut stamp) = name_and_stamp(head, true)?;
    // `Ann: [00:12] text`
    let said_at = time::leading(said).filter(|found| found.is_marked && said.trim_start().starts_with(['[', '(', '<']));
    if let Some(found) = said_at {
        stamp = stamp.or(Some(found.stamp));
        said = found.rest;
    }
    Some(Labelled { name, stamp, said: said.trim() })
}

/// A label that a stamp, a tab or a wide gap sets apart from what is said: `Ann   text`, `Ann [00:12] text`.
pub(crate) fn before_gap<'a>(line: &Unmarked<'a>) -> Option<Labelled<'a>> {
    let head_end = line.rest.char_indices().nth(LONGEST_HEAD).map_or(line.rest.len(), |(end, _)| end);
    let head = &line.rest[..head_end];
    // `Ann [00:12] text`: a stamp in brackets after a name.
    let bracket = head.char_indices().skip(1).filter(|&(_, c)| matches!(c, '[' | '(')).find_map(|(at, _)| {
        let found = time::leading(&line.rest[at..]).filter(|found| found.stamp.seconds.is_some())?;
        Some((&line.rest[..at], found))
    });
    if let Some((name, found)) = bracket.filter(|(_, found)| !found.rest.is_empty()) {
        let (name, _) = name_and_stamp(without_end(name, line.emphasis), true)?;
        return Some(Labelled { name, stamp: Some(found.stamp), said: found.rest.trim() });
    }
    let gap = head.find('\t').into_iter().chain(head.find("  ")).min()?;
    let (name, said) = (line.rest[..gap].trim(), line.rest[gap..].trim());
    let (name, stamp) = name_and_stamp(without_end(name, line.emphasis), true)?;
    // `From  Ann Lee  to  Everyone : text`
    if jackfield_text::words::is_stop_word(&name.to_lowercase()) {
        return None;
    }
    // `Ann   00:12   text`
    let (stamp, said) = match time::leading(said).filter(|_| stamp.is_none()) {
        Some(found) => (Some(found.stamp), without_end_time(found.rest)),
        None => (stamp, said),
    };
    (!said.is_empty()).then_some(Labelled { name, stamp, said })
}

/// What is said behind the end and the length of a segment, where tabs set them apart: `00:00:01.200   text`.
fn without_end_time(mut said: &str) -> &str {
    for _ in 0..2 {
        let behind = said.split_once('\t').filter(|(end, _)| time::clock(end.trim()).is_some());
        said = behind.map_or(said, |(_, rest)| rest.trim_start());
    }
    said
}

/// A line that is a name and no more, but for a stamp: `Ann Lee`, `Ann Lee  00:12`, `**Ann** (00:12)`.
pub(crate) fn alone<'a>(line: &Unmarked<'a>) -> Option<(Cow<'a, str>, Option<Stamp<'a>>)> {
    // A line as long as this is something said.
    if line.rest.len() > 8 * LONGEST_HEAD {
        return None;
    }
    let (head, tail) = match line.emphasis {
        "" => (line.rest, ""),
        sign => line.rest.split_once(sign)?,
    };
    let tail = tail.trim().trim_start_matches([':', ',', '-', '–', '|']).trim();
    let tail_stamp = if tail.is_empty() { None } else { Some(time::whole(tail)?) };
    let head = head.trim();
    let is_marked = tail_stamp.is_some() || time::trailing(head.strip_suffix(':').unwrap_or(head)).is_some();
    let (name, stamp) = name_and_stamp(head.strip_suffix([':', '：']).unwrap_or(head), is_marked)?;
    let is_short = without_remarks(&name).chars().count() <= 60 && !name.ends_with(['.', ',', '?', '!', ':', '…'])
        || name.split_whitespace().count() == 1;
    (is_short && looks_like_name(&name)).then_some((name, tail_stamp.or(stamp)))
}

/// The name of a voice tag or of a field, which is one for certain.
pub(crate) fn given_name(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches(':');
    let name = name_and_stamp(text, true).map_or_else(|| one_spaced(text), |(name, _)| name);
    (!name.is_empty()).then(|| name.into_owned())
}

/// The two sides of the first colon that can end a label: not one of a time, of an address, or inside of brackets.
fn split_at_colon<'a>(line: &'a str, emphasis: &str) -> Option<(&'a str, &'a str)> {
    let mut depth = 0_usize;
    for (at, c) in line.char_indices().take(LONGEST_HEAD) {
        match c {
            '(' | '[' | '（' | '【' => depth += 1,
            ')' | ']' | '）' | '】' => depth = depth.saturating_sub(1),
            ':' | '：' if depth == 0 => {
                let said = &line[at + c.len_utf8()..];
                if c == '：' || ends_label(said, emphasis) {
                    return Some((line[..at].trim_end(), said));
                }
            }
            _ => {}
        }
    }
    None
}

/// A label without the sign that ends its emphasis.
fn without_end<'a>(label: &'a str, emphasis: &str) -> &'a str {
    let label = label.trim_end();
    label.strip_suffix(emphasis).unwrap_or(label)
}

/// Whether what follows a colon shows that it ended a label: white space, the end of an emphasis, or a new sentence.
fn ends_label(said: &str, emphasis: &str) -> bool {
    let begins_sentence =
        |c: char| c.is_alphabetic() && !c.is_lowercase() || matches!(c, '"' | '“' | '«' | '「' | '[' | '(' | '¿' | '¡');
    said.is_empty()
        || said.starts_with(char::is_whitespace)
        || said.starts_with(begins_sentence)
        || !emphasis.is_empty() && said.starts_with(emphasis)
}

/// `[SPEAKER_00] text`, `(speaker 1) text`, `<Ann> text`: brackets of other contents are sounds and remarks.
fn in_brackets(line: &str) -> Option<Labelled<'_>> {
    let close = match line.chars().next()? {
        '[' => ']',
        '(' => ')',
        '<' => '>',
        _ => return None,
    };
    let end = line.char_indices().take(LONGEST_HEAD).find(|&(_, c)| c == close)?.0;
    let (name, stamp) = name_and_stamp(&line[1..end], true)?;
    let said = line[end + 1..].trim();
    if time::whole(said).is_some() {
        return None;
    }
    let is_speaker = is_numbered_speaker(&name)
        || stamp.is_some() && looks_like_name(&name)
        || close == '>' && looks_like_name(&name) && !name.contains(' ');
    (is_speaker && !said.is_empty()).then_some(Labelled { name, stamp, said })
}

/// A label as a name and a stamp, if it could be one. `may_be_enclosed`: brackets around all of it are not part of it.
fn name_and_stamp(label: &str, may_be_enclosed: bool) -> Option<(Cow<'_, str>, Option<Stamp<'_>>)> {
    let mut name = label;
    let mut stamp = None;
    loop {
        let before = name.len();
        name = name.trim().trim_matches(['\u{200b}', '\u{200c}', '\u{200d}']);
        name = name.trim_start_matches([' ', '-', '–', '—', '•', '·', '»', '*']);
        name = name.trim_end_matches([' ', '-', '–', '—', '|', ',', '·', '•', '@', '：']);
        if let Some((rest, found)) = time::trailing(name) {
            // `Ann at 10:30` is no label, but `Ann (00:12)` is.
            name = rest;
            stamp = stamp.or(Some(found));
        }
        if let Some(found) = time::leading(name).filter(|found| !found.rest.is_empty()) {
            name = found.rest;
            stamp = stamp.or(Some(found.stamp));
        }
        if let Some((rest, seconds)) = behind_odd_time(name) {
            name = rest;
            stamp = stamp.or(seconds.map(|seconds| Stamp { seconds: Some(seconds), date: None }));
        }
        if may_be_enclosed {
            name = without_enclosure(name);
        }
        if name.len() == before {
            break;
        }
    }
    let name = chat_sender(name);
    let is_bare_word = stamp.is_some() && jackfield_text::words::is_stop_word(&name.to_lowercase());
    (could_be_label(name) && !is_bare_word).then(|| (one_spaced(name), stamp))
}

/// The name behind a time in a spelling that is a time nowhere else, and its seconds where it is clear what they are:
/// `10h02 Ann`, `00.12.05 Ann`, `12'05" Ann`.
fn behind_odd_time(label: &str) -> Option<(&str, Option<f64>)> {
    let (word, rest) = label.split_once(char::is_whitespace)?;
    let word = word.trim_matches(['[', ']', '(', ')']);
    let is_sign = |c: char| matches!(c, 'h' | 'm' | 's' | '.' | ',' | '\'' | '"' | '′' | '″');
    let is_time = word.starts_with(|c: char| c.is_ascii_digit())
        && word.contains(is_sign)
        && word.chars().all(|c| c.is_ascii_digit() || is_sign(c));
    let rest = rest.trim_start();
    if !is_time || !looks_like_name(rest) {
        return None;
    }
    let numbers: Vec<f64> = word.split(is_sign).filter_map(|number| number.parse().ok()).collect();
    let seconds = match *numbers {
        [hours, minutes] if word.contains('h') => Some(hours * 3600.0 + minutes * 60.0),
        [minutes, seconds] if word.contains(['m', '\'', '′']) => Some(minutes * 60.0 + seconds),
        [hours, minutes, seconds] => Some(hours * 3600.0 + minutes * 60.0 + seconds),
        _ => None,
    };
    Some((rest, seconds))
}

/// Without the brackets or quotation marks that stand around all of a name.
fn without_enclosure(name: &str) -> &str {
    ENCLOSURES
        .iter()
        .find_map(|(open, close)| {
            let inner = name.strip_prefix(*open)?.strip_suffix(*close)?;
            (!inner.contains([*open, *close])).then_some(inner)
        })
        .unwrap_or(name)
}

/// `From Ann Lee to Everyone`, as chats are saved.
fn chat_sender(name: &str) -> &str {
    let sender = name.strip_prefix("From ").and_then(|rest| rest.rsplit_once(" to "));
    sender
        .filter(|(_, to)| {
            let to = to.trim().to_lowercase();
            let is_private = ["(direct message)", "(privately)"].iter().any(|ending| to.ends_with(ending));
            is_private || ["everyone", "all panelists", "hosts and panelists", "me"].contains(&to.as_str())
        })
        .map_or(name, |(from, _)| from.trim())
}

/// Whether the text may label a speaker as far as its form goes.
fn could_be_label(label: &str) -> bool {
    let length_fits =
        !label.is_empty() && label.chars().take(LONGEST_WITH_REMARKS + 1).count() <= LONGEST_WITH_REMARKS && {
            let plain = without_remarks(label);
            plain.chars().count() <= LONGEST_LABEL && plain.split_whitespace().count() <= 12
        };
    length_fits
        && label.chars().any(char::is_alphabetic)
        && has_signs_of_names(label)
        && !NEVER_NAMES.contains(&label.to_lowercase().trim_end_matches('.'))
        && !label.split_whitespace().any(|word| time::clock(word.trim_matches(['(', ')', '[', ']'])).is_some())
        && !ends_a_sentence(label)
}

/// Signs that no name has, outside of brackets: `(she/her)` is part of one.
fn has_signs_of_names(label: &str) -> bool {
    let mut depth = 0_usize;
    let mut before = ' ';
    label.chars().all(|c| {
        match c {
            '(' | '[' | '（' => depth += 1,
            ')' | ']' | '）' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_double_slash = c == '/' && before == '/';
        before = c;
        let is_of_names = match c {
            '!' | '?' | ';' | '"' | '“' | '”' | '<' | '>' | '=' | '{' | '}' | '\\' => {
                depth > 0 || matches!(c, '"' | '“' | '”')
            }
            ':' | '：' | '。' | '！' | '？' | '；' | '，' | '、' | '؟' | '؛' | '…' => depth > 0,
            _ => true,
        };
        is_of_names && !is_double_slash
    })
}

/// Whether a word ends in a full stop that is not one of an abbreviation or an initial.
fn ends_a_sentence(label: &str) -> bool {
    label.split_whitespace().any(|word| {
        word.strip_suffix('.').is_some_and(|head| {
            !TITLES.contains(&head)
                && (head.chars().count() > 5
                    || head.chars().next().is_some_and(|first| first.is_lowercase() && head.chars().count() > 1))
        })
    })
}

#[cfg(test)]
mod tests;
