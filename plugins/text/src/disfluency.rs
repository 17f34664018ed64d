//! What slips into speech and no reader misses: fillers, repetitions, words and sentences begun twice.

use crate::{clean::Piece, words};

/// Set off by commas or breaks these carry nothing.
const ASIDES: &[&[&str]] =
    &[&["you", "know"], &["i", "mean"], &["like"], &["sort", "of"], &["kind", "of"], &["well"], &["okay"], &["yeah"]];
/// Short words that often stand before a longer word of the same beginning; others in that place are false starts.
const WHOLE: &[&str] = &[
    "a", "all", "an", "any", "as", "at", "be", "but", "by", "can", "do", "for", "go", "had", "he", "her", "his", "if",
    "in", "is", "it", "me", "my", "no", "not", "of", "on", "one", "or", "our", "out", "she", "so", "some", "to", "too",
    "up", "us", "was", "we", "you",
];
/// Words without a vowel that are whole.
const VOWELLESS: &[&str] = &[
    "cd", "cm", "dr", "dvd", "hz", "kg", "khz", "km", "lcd", "ltd", "mm", "mph", "mr", "mrs", "ms", "mp", "nd", "nth",
    "pc", "ph", "pm", "rd", "st", "th", "tv", "vs", "xml",
];
/// A false start of more words than this is not dropped but set off by a dash.
const SHORT_START: usize = 3;

/// Drops fillers, `Mm-hmm` with its hyphen too; one that is set off by commas takes both with it.
pub(crate) fn drop_fillers(pieces: &mut Vec<Piece>) {
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

/// Drops what is set off and says nothing, such as `you know`.
pub(crate) fn drop_asides(pieces: &mut Vec<Piece>) {
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
pub(crate) fn drop_repetitions(pieces: &mut Vec<Piece>) {
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
pub(crate) fn drop_fragments(pieces: &mut Vec<Piece>) {
    let mut at = 0;
    while at + 1 < pieces.len() {
        let fragment = match (&pieces[at], &pieces[at + 1]) {
            (Piece::Word(word), Piece::Word(next)) => {
                let (lower, next) = (word.to_lowercase(), next.to_lowercase());
                let begun = word.chars().all(char::is_alphabetic)
                    && word.chars().count() <= 5
                    && next.len() > lower.len()
                    && next.starts_with(&lower);
                let capital =
                    word.len() == 1 && !matches!(word.as_str(), "I" | "A") && word.chars().all(char::is_uppercase);
                let pronoun =
                    matches!(next.split(['\'', '’']).next(), Some("i" | "we" | "you" | "he" | "she" | "they" | "it"));
                let letter = word.len() == 1
                    && word.chars().all(|c| c.is_ascii_lowercase())
                    && !matches!(word.as_str(), "a" | "n" | "o" | "x" | "y" | "z");
                let lone = (word == "i" && next != "'m") || (letter && word != "i") || (capital && pronoun);
                // `we we'll`: the same word, then with what hangs on it.
                let vowelless = (2..=3).contains(&word.len())
                    && word.chars().all(|c| c.is_ascii_lowercase())
                    && !word.contains(['a', 'e', 'i', 'o', 'u', 'y'])
                    && !VOWELLESS.contains(&lower.as_str())
                    && next.starts_with(char::is_alphabetic);
                // `a although`: before its own letter the article is `an`.
                let article = lower == "a" && next.len() > 2 && next.starts_with('a');
                let again = begun && next[lower.len()..].starts_with(['\'', '’']);
                again
                    || vowelless
                    || article
                    || (begun
                        && !WHOLE.contains(&lower.as_str())
                        && !next[lower.len()..].starts_with(['\'', '-', '’', 's']))
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
pub(crate) fn drop_false_starts(pieces: &mut Vec<Piece>) {
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
