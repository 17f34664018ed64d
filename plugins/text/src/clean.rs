//! A sentence of talk made fit to be read: the words that carry it stay as they were said.

use crate::{
    disfluency::{drop_asides, drop_false_starts, drop_fillers, drop_fragments, drop_repetitions},
    words,
};

/// Steers the talk at the head of a sentence; a reader misses nothing.
const LEADS: &[&str] = &[
    "so",
    "and",
    "but",
    "well",
    "okay",
    "ok",
    "kay",
    "yeah",
    "yep",
    "yes",
    "alright",
    "anyway",
    "basically",
    "cause",
    "cuz",
];
/// The same, but only where a comma or a full stop follows.
const LEADS_WITH_COMMA: &[&str] = &[
    "actually", "because", "good", "great", "hi", "hello", "like", "look", "no", "now", "or", "perfect", "right",
    "sorry", "sure", "then", "thanks", "also",
];
/// Hangs on at the end of a sentence that is not finished.
const TAILS: &[&str] = &["and", "because", "but", "or", "so", "uh", "the", "a"];
/// Hangs on at the end where a comma or a break is before it; else it belongs there (`when they say yes`).
const TAILS_WITH_COMMA: &[&str] = &["like", "okay", "ok", "right", "well", "yeah", "yes", "alright"];
/// A word or a mark of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Word(String),
    Mark(char),
    /// Where the speaker breaks off.
    Break,
}

impl Piece {
    pub(crate) fn lower(&self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word.to_lowercase().replace('’', "'")),
            _ => None,
        }
    }

    pub(crate) fn is_any(&self, list: &[&str]) -> bool {
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
            Some(last)
                if pieces.len() > 3
                    && last.is_any(TAILS_WITH_COMMA)
                    && matches!(pieces[pieces.len() - 2], Piece::Mark(_) | Piece::Break) =>
            {
                pieces.pop();
            }
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
    fn what_ends_a_sentence_stays() {
        assert_eq!(clean("It's ready when they say yes."), "It's ready when they say yes.");
        assert_eq!(clean("Do we pay for the hostel as well?"), "Do we pay for the hostel as well?");
        assert_eq!(clean("We need the chip , right ?"), "We need the chip?");
    }

    #[test]
    fn stutter_goes() {
        assert_eq!(clean("on, off, ch the channels, a although on TV ."), "On, off, the channels, although on TV.");
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
