//! A sentence of talk made fit to be read: the words that carry it stay as they were said.

use crate::words;

/// Steers the talk at the head of a sentence; a reader misses nothing.
const LEADS: &[&str] =
    &["so", "and", "but", "well", "okay", "ok", "kay", "yeah", "yep", "yes", "alright", "anyway", "basically", "cause", "cuz"];
/// The same, but only where a comma or a full stop follows.
const LEADS_WITH_COMMA: &[&str] = &[
    "actually", "because", "hi", "hello", "like", "look", "no", "now", "or", "right", "sorry", "sure", "then",
    "thanks", "also",
];
/// Hangs on at the end of a sentence.
const TAILS: &[&str] = &[
    "and", "because", "but", "like", "okay", "ok", "or", "right", "so", "then", "uh", "well", "yeah", "yes", "alright",
    "the", "a",
];
/// Set off by commas or breaks these carry nothing.
const ASIDES: &[&[&str]] =
    &[&["you", "know"], &["i", "mean"], &["like"], &["sort", "of"], &["kind", "of"], &["well"], &["okay"], &["yeah"]];
/// Short words that often stand before a longer word of the same beginning; others in that place are false starts.
const WHOLE: &[&str] = &[
    "a", "all", "an", "any", "as", "at", "be", "but", "by", "can", "do", "for", "go", "had", "he", "her", "his", "if",
    "in", "is", "it", "me", "my", "no", "not", "of", "on", "one", "or", "our", "out", "she", "so", "some", "to", "too",
    "up", "us", "was", "we", "you",
];
/// A false start of more words than this is not dropped but set off by a dash.
const SHORT_START: usize = 3;

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Word(String),
    Mark(char),
    /// Where the speaker breaks off.
    Break,
}

impl Piece {
    fn lower(&self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word.to_lowercase().replace('’', "'")),
            _ => None,
        }
    }

    fn is_any(&self, list: &[&str]) -> bool {
        self.lower().is_some_and(|word| list.contains(&word.trim_start_matches('\'')))
    }
}

/// The sentence without transcribers' marks, fillers, false starts and repetitions, with its spaces and its capital and
/// full stop set right; empty if nothing is left.
#[must_use]
pub fn clean(sentence: &str) -> String {
    let mut pieces = split(sentence);
    drop_fillers(&mut pieces);
    drop_asides(&mut pieces);
    for _ in 0..2 {
        drop_repetitions(&mut pieces);
        drop_fragments(&mut pieces);
        drop_false_starts(&mut pieces);
    }
    tidy_marks(&mut pieces);
    strip_ends(&mut pieces);
    join(&pieces)
}

/// Words and marks of a text; a word keeps its inner punctuation.
fn split(text: &str) -> Vec<Piece> {
    let tokenised = [" ,", " .", " ?"].iter().any(|mark| text.contains(mark));
    let mut plain = String::with_capacity(text.len());
    let mut from = 0;
    for (start, end) in words::noise(text) {
        plain.push_str(&text[from..start]);
        plain.push_str(if &text[start..end] == "{disfmarker}" { " \u{1} " } else { " " });
        from = end;
    }
    plain.push_str(&text[from..]);

    let mut pieces: Vec<Piece> = Vec::new();
    let mut glue = false;
    let raw: Vec<&str> = plain.split_whitespace().collect();
    for (at, token) in raw.iter().enumerate() {
        if *token == "\u{1}" {
            pieces.push(Piece::Break);
            continue;
        }
        if *token == "-" && tokenised && at > 0 && at + 1 < raw.len() {
            glue = matches!(pieces.last(), Some(Piece::Word(_)));
            continue;
        }
        let mut word = *token;
        let mut marks = Vec::new();
        while let Some(last) = word.chars().last() {
            // A full stop inside the sentence belongs to an abbreviation, unless it stands alone.
            let stop = last == '.' && (word.len() == 1 || at + 1 == raw.len());
            if !(stop || matches!(last, ',' | ';' | ':' | '?' | '!' | '…' | '—' | '–')) {
                break;
            }
            marks.push(last);
            word = &word[..word.len() - last.len_utf8()];
        }
        if word == "-" || word == "--" {
            pieces.push(Piece::Mark('–'));
        } else if !word.is_empty() {
            let word = words::spelled(word).into_owned();
            let clitic = tokenised && (word.starts_with('\'') || word == "n't" || word == "%");
            match pieces.last_mut() {
                Some(Piece::Word(last)) if glue => *last = format!("{last}-{word}"),
                Some(Piece::Word(last))
                    if clitic && !words::is_filler(word.trim_start_matches('\'')) && word != "'kay" =>
                {
                    last.push_str(&word);
                }
                _ => pieces.push(Piece::Word(word)),
            }
        }
        glue = false;
        pieces.extend(marks.into_iter().rev().map(Piece::Mark));
    }
    pieces
}

/// Drops fillers, `Mm-hmm` with its hyphen too; one that is set off by commas takes both with it.
fn drop_fillers(pieces: &mut Vec<Piece>) {
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut dropped = false;
    for piece in pieces.drain(..) {
        if piece.lower().is_some_and(|word| word.trim_start_matches('\'').split('-').all(words::is_filler)) {
            dropped = true;
            continue;
        }
        if dropped && piece == Piece::Mark(',') && kept.last() == Some(&piece) {
            kept.pop();
        } else {
            kept.push(piece);
        }
        dropped = false;
    }
    *pieces = kept;
}

fn drop_asides(pieces: &mut Vec<Piece>) {
    let edge = |piece: Option<&Piece>| !matches!(piece, Some(Piece::Word(_)));
    let mut at = 0;
    while at < pieces.len() {
        let found = ASIDES.iter().find(|aside| {
            aside.iter().enumerate().all(|(i, word)| pieces.get(at + i).is_some_and(|piece| piece.is_any(&[word])))
                && edge(at.checked_sub(1).and_then(|before| pieces.get(before)))
                && edge(pieces.get(at + aside.len()))
        });
        match found {
            Some(aside) => {
                let comma = matches!(pieces.get(at + aside.len()), Some(Piece::Mark(',')));
                pieces.drain(at..at + aside.len() + usize::from(comma));
            }
            None => at += 1,
        }
    }
}

/// Drops the first of two equal runs of up to four words, with the break between them.
fn drop_repetitions(pieces: &mut Vec<Piece>) {
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces.drain(..) {
        kept.push(piece);
        for run in (1..=4).rev() {
            let Some(second) = kept.len().checked_sub(run) else { continue };
            let first_end = if matches!(kept[..second].last(), Some(Piece::Break)) { second - 1 } else { second };
            let Some(first) = first_end.checked_sub(run) else { continue };
            let equal = (0..run).all(|i| {
                let lower = kept[second + i].lower();
                lower.is_some() && lower == kept[first + i].lower()
            });
            if equal {
                kept.drain(first..second);
                break;
            }
        }
    }
    *pieces = kept;
}

/// Drops words that were begun and begun again: `mot most`, `i in my`.
fn drop_fragments(pieces: &mut Vec<Piece>) {
    let mut at = 0;
    while at + 1 < pieces.len() {
        let fragment = match (&pieces[at], &pieces[at + 1]) {
            (Piece::Word(word), Piece::Word(next)) => {
                let (lower, next) = (word.to_lowercase(), next.to_lowercase());
                let begun = word.chars().all(char::is_alphabetic)
                    && word.chars().count() <= 5
                    && next.len() > lower.len()
                    && next.starts_with(&lower);
                let capital = word.len() == 1 && !matches!(word.as_str(), "I" | "A") && word.chars().all(char::is_uppercase);
                let pronoun = matches!(next.split(['\'', '’']).next(), Some("i" | "we" | "you" | "he" | "she" | "they" | "it"));
                let letter = word.len() == 1 && word.chars().all(|c| c.is_ascii_lowercase()) && !matches!(word.as_str(), "a" | "n" | "o" | "x" | "y" | "z");
                let lone = (word == "i" && next != "'m") || (letter && word != "i") || (capital && pronoun);
                (begun && !WHOLE.contains(&lower.as_str()) && !next[lower.len()..].starts_with(['\'', '-', '’', 's']))
                    || lone
            }
            _ => false,
        };
        if fragment {
            pieces.remove(at);
        } else {
            at += 1;
        }
    }
}

/// Drops what was said since the last mark where the speaker breaks off soon after it.
fn drop_false_starts(pieces: &mut Vec<Piece>) {
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut since = 0;
    for piece in pieces.drain(..) {
        match piece {
            Piece::Break if since <= SHORT_START => {
                kept.truncate(kept.len() - since);
                since = 0;
            }
            Piece::Word(_) => {
                kept.push(piece);
                since += 1;
            }
            _ => {
                kept.push(piece);
                since = 0;
            }
        }
    }
    *pieces = kept;
}

/// One mark at a time, the strongest, and none at the head.
fn tidy_marks(pieces: &mut Vec<Piece>) {
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces.drain(..) {
        match (&piece, kept.last()) {
            (Piece::Mark(_) | Piece::Break, None) => {}
            (Piece::Mark(',') | Piece::Break, Some(Piece::Mark(_) | Piece::Break)) => {}
            (Piece::Mark(_), Some(Piece::Mark(_) | Piece::Break)) => {
                kept.pop();
                kept.push(piece);
            }
            _ => kept.push(piece),
        }
    }
    *pieces = kept;
}

fn strip_ends(pieces: &mut Vec<Piece>) {
    loop {
        let comma = matches!(pieces.get(1), Some(Piece::Mark(_) | Piece::Break));
        let short = pieces.len() <= 3 + usize::from(comma);
        match pieces.first() {
            Some(Piece::Mark(_) | Piece::Break) => _ = pieces.remove(0),
            Some(first) if !short && (first.is_any(LEADS) || (comma && first.is_any(LEADS_WITH_COMMA))) => {
                // `So that` and `well known` are no leads, but few sentences start with them.
                pieces.drain(..1 + usize::from(comma));
            }
            _ => break,
        }
    }
    let question = pieces.iter().rev().find_map(|piece| match piece {
        Piece::Mark(mark @ ('?' | '!' | '.')) => Some(*mark),
        _ => None,
    });
    let question = question.filter(|_| matches!(pieces.last(), Some(Piece::Mark(_))));
    loop {
        match pieces.last() {
            Some(Piece::Mark(_) | Piece::Break) => _ = pieces.pop(),
            Some(last) if pieces.len() > 3 && last.is_any(TAILS) => _ = pieces.pop(),
            Some(last) if pieces.len() > 4 && last.is_any(&["know", "mean"]) => {
                let before = pieces.len() - 2;
                if !pieces[before].is_any(&["you", "i"]) || matches!(pieces[before - 1], Piece::Word(_)) {
                    break;
                }
                pieces.truncate(before);
            }
            _ => break,
        }
    }
    if !pieces.is_empty() {
        pieces.push(Piece::Mark(question.unwrap_or('.')));
    }
}

fn join(pieces: &[Piece]) -> String {
    let mut text = String::new();
    let mut quoted = false;
    let mut tight = true;
    for piece in pieces {
        match piece {
            Piece::Word(word) if word == "\"" => {
                quoted = !quoted;
                if quoted && !text.is_empty() {
                    text.push(' ');
                }
                text.push('"');
                tight = quoted;
            }
            Piece::Word(word) => {
                if !tight {
                    text.push(' ');
                }
                match word.as_str() {
                    "i" => text.push('I'),
                    word => text.push_str(word),
                }
                tight = word == "$" || word == "£" || word == "€";
            }
            Piece::Mark(mark @ ('–' | '—')) => {
                text.push(' ');
                text.push(*mark);
                tight = false;
            }
            Piece::Mark(mark) => {
                text.push(*mark);
                tight = false;
            }
            Piece::Break => {
                text.push_str(" –");
                tight = false;
            }
        }
    }
    capitalised(&text)
}

/// The text with its first letter a capital.
#[must_use]
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::clean;

    #[test]
    fn spaces_before_punctuation_go() {
        assert_eq!(clean("That 's fine , is n't it ?"), "That's fine, isn't it?");
        assert_eq!(clean("a LISP - like form ."), "A LISP-like form.");
    }

    #[test]
    fn marks_and_fillers_go() {
        assert_eq!(
            clean("{vocalsound} Um so we , uh , need {gap} a T_V_ set , you know , for testing ,"),
            "We need a TV set, for testing."
        );
    }

    #[test]
    fn false_starts_and_repetitions_go() {
        assert_eq!(
            clean(
                "So are {disfmarker} we we need to {disfmarker} we need to have i in my mind a mos most simple design ."
            ),
            "We need to have in my mind a most simple design."
        );
    }

    #[test]
    fn a_longer_false_start_is_set_off_by_a_dash() {
        assert_eq!(
            clean("you don't have to do it now but when {disfmarker} once you go back ."),
            "You don't have to do it now but when – once you go back."
        );
    }

    #[test]
    fn written_sentences_stay_as_they_are() {
        let written = "I thank Mr. Jones, the member for Leeds, and the U.S. team: all of them.";
        assert_eq!(clean(written), written);
    }

    #[test]
    fn nothing_but_noise_is_nothing() {
        assert_eq!(clean("{vocalsound} Um , {disfmarker} ."), "");
        assert_eq!(clean("Mm - hmm ."), "");
    }

    proptest! {
        #[test]
        fn cleaning_never_panics(text in "\\PC{0,200}") {
            let _ = clean(&text);
        }

        #[test]
        fn cleaning_never_panics_on_marked_talk(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("{disfmarker}"), Just("i"), Just("in"), Just(","), Just("."), Just("so"), Just("you know"), Just("-"),
                    Just("\""), Just("'s"), Just("um"), Just("we"), Just("like"), Just("?")
                ],
                0..30,
            )
        ) {
            let _ = clean(&parts.join(" "));
        }
    }
}
