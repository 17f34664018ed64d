//! Turns a sentence of speech into one that reads well: fillers and repetitions go, and the other words stay as they were said.

use crate::{
    cut::one_line,
    disfluency::{drop_asides, drop_false_starts, drop_fillers, drop_fragments, drop_repetitions},
    sentences::is_sentence_end,
    words,
};

/// Words that open a sentence of speech without adding meaning. They are dropped.
const OPENERS: &[&str] = &[
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
/// Words that are dropped at the start of a sentence only where a comma or a full stop follows.
const OPENERS_WITH_COMMA: &[&str] = &[
    "actually", "because", "good", "great", "hi", "hello", "like", "look", "no", "now", "or", "perfect", "right",
    "sorry", "sure", "then", "thanks", "also",
];
/// Words that stand at the end of an unfinished sentence. They are dropped.
const UNFINISHED_ENDS: &[&str] = &["and", "because", "but", "or", "so", "uh", "the", "a"];
/// Words that are dropped at the end of a sentence only where a comma or a break precedes them; elsewhere they belong there (`when they say yes`).
const UNFINISHED_ENDS_WITH_COMMA: &[&str] = &["like", "okay", "ok", "right", "well", "yeah", "yes", "alright"];

/// A word or a mark of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Word(String),
    Mark(char),
    /// Where the speaker breaks off.
    Break,
}

impl Piece {
    pub(crate) fn lower_case(&self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word.to_lowercase().replace('’', "'")),
            _ => None,
        }
    }

    pub(crate) fn is_any(&self, list: &[&str]) -> bool {
        self.lower_case().is_some_and(|word| list.contains(&word.trim_start_matches('\'')))
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

/// The sentence without transcribers' marks, on one line: what can be done for a reader in any language.
#[must_use]
pub fn without_marks(sentence: &str) -> String {
    let mut plain = String::with_capacity(sentence.len());
    let mut copied_until = 0;
    for (start, end) in words::noise(sentence) {
        plain.push_str(&sentence[copied_until..start]);
        plain.push(' ');
        copied_until = end;
    }
    plain.push_str(&sentence[copied_until..]);
    capitalised(&one_line(&plain))
}

/// Words and marks of a text; a word keeps its inner punctuation.
fn split(text: &str) -> Vec<Piece> {
    let tokenised = [" ,", " .", " ?"].iter().any(|mark| text.contains(mark));
    let mut plain = String::with_capacity(text.len());
    let mut copied_until = 0;
    for (start, end) in words::noise(text) {
        plain.push_str(&text[copied_until..start]);
        plain.push_str(if &text[start..end] == "{disfmarker}" { " \u{1} " } else { " " });
        copied_until = end;
    }
    plain.push_str(&text[copied_until..]);

    let mut pieces: Vec<Piece> = Vec::new();
    let mut joins_next = false;
    let raw_tokens: Vec<&str> = plain.split_whitespace().collect();
    for (index, token) in raw_tokens.iter().enumerate() {
        if *token == "\u{1}" {
            pieces.push(Piece::Break);
            continue;
        }
        if *token == "-" && tokenised && index > 0 && index + 1 < raw_tokens.len() {
            joins_next = matches!(pieces.last(), Some(Piece::Word(_)));
            continue;
        }
        let mut word = *token;
        let mut marks = Vec::new();
        while let Some(last) = word.chars().last() {
            // A full stop inside the sentence belongs to an abbreviation, unless it stands alone.
            let is_full_stop = last == '.' && (word.len() == 1 || index + 1 == raw_tokens.len());
            let is_foreign_end = !last.is_ascii() && last != '…' && is_sentence_end(last);
            if !(is_full_stop || is_foreign_end || matches!(last, ',' | ';' | ':' | '?' | '!' | '…' | '—' | '–'))
            {
                break;
            }
            marks.push(last);
            word = &word[..word.len() - last.len_utf8()];
        }
        if word == "-" || word == "--" {
            pieces.push(Piece::Mark('–'));
        } else if !word.is_empty() {
            let word = words::spelled(word).into_owned();
            let is_clitic = tokenised && (word.starts_with('\'') || word == "n't" || word == "%");
            match pieces.last_mut() {
                Some(Piece::Word(last)) if joins_next => *last = format!("{last}-{word}"),
                Some(Piece::Word(last))
                    if is_clitic && !words::is_filler(word.trim_start_matches('\'')) && word != "'kay" =>
                {
                    last.push_str(&word);
                }
                _ => pieces.push(Piece::Word(word)),
            }
        }
        joins_next = false;
        pieces.extend(marks.into_iter().rev().map(Piece::Mark));
    }
    pieces
}

/// Keeps one mark of each run of marks, the strongest, and none at the start.
fn tidy_marks(pieces: &mut Vec<Piece>) {
    let mut tidied: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces.drain(..) {
        match (&piece, tidied.last()) {
            (Piece::Mark(_) | Piece::Break, None) => {}
            (Piece::Mark(',') | Piece::Break, Some(Piece::Mark(_) | Piece::Break)) => {}
            (Piece::Mark(_), Some(Piece::Mark(_) | Piece::Break)) => {
                tidied.pop();
                tidied.push(piece);
            }
            _ => tidied.push(piece),
        }
    }
    *pieces = tidied;
}

fn strip_ends(pieces: &mut Vec<Piece>) {
    loop {
        let has_mark = matches!(pieces.get(1), Some(Piece::Mark(_) | Piece::Break));
        let is_short = pieces.len() <= 3 + usize::from(has_mark);
        match pieces.first() {
            Some(Piece::Mark(_) | Piece::Break) => _ = pieces.remove(0),
            Some(first) if !is_short && (first.is_any(OPENERS) || (has_mark && first.is_any(OPENERS_WITH_COMMA))) => {
                // `So that` and `well known` are not openers, but few sentences start with them.
                pieces.drain(..1 + usize::from(has_mark));
            }
            _ => break,
        }
    }
    let end_mark = pieces.iter().rev().find_map(|piece| match piece {
        Piece::Mark(mark) if *mark != '…' && is_sentence_end(*mark) => Some(*mark),
        _ => None,
    });
    let end_mark = end_mark.filter(|_| matches!(pieces.last(), Some(Piece::Mark(_))));
    loop {
        match pieces.last() {
            Some(Piece::Mark(_) | Piece::Break) => _ = pieces.pop(),
            Some(last) if pieces.len() > 3 && last.is_any(UNFINISHED_ENDS) => _ = pieces.pop(),
            Some(last)
                if pieces.len() > 3
                    && last.is_any(UNFINISHED_ENDS_WITH_COMMA)
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
        pieces.push(Piece::Mark(end_mark.unwrap_or('.')));
    }
}

fn join(pieces: &[Piece]) -> String {
    let mut text = String::new();
    let mut in_quotes = false;
    let mut no_space = true;
    for piece in pieces {
        match piece {
            Piece::Word(word) if word == "\"" => {
                in_quotes = !in_quotes;
                if in_quotes && !text.is_empty() {
                    text.push(' ');
                }
                text.push('"');
                no_space = in_quotes;
            }
            Piece::Word(word) => {
                if !no_space {
                    text.push(' ');
                }
                match word.as_str() {
                    "i" => text.push('I'),
                    word => text.push_str(word),
                }
                no_space = word == "$" || word == "£" || word == "€";
            }
            Piece::Mark(mark @ ('–' | '—')) => {
                text.push(' ');
                text.push(*mark);
                no_space = false;
            }
            Piece::Mark(mark) => {
                text.push(*mark);
                no_space = false;
            }
            Piece::Break => {
                text.push_str(" –");
                no_space = false;
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

    use super::{clean, without_marks};

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
    fn other_languages_keep_their_words_and_marks() {
        assert_eq!(without_marks("um zehn {vocalsound} prüft er  die Zahlen."), "Um zehn prüft er die Zahlen.");
        assert_eq!(without_marks("[laughter]"), "");
        assert_eq!(clean("我们决定了。"), "我们决定了。");
        assert_eq!(clean("真的吗？"), "真的吗？");
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
