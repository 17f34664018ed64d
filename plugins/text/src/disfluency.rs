//! Removes the disfluencies of speech: fillers, repetitions, and words or sentences that were begun twice.

use crate::{clean::Piece, words};

/// Phrases without meaning where they are set off by commas or breaks.
const ASIDES: &[&[&str]] =
    &[&["you", "know"], &["i", "mean"], &["like"], &["sort", "of"], &["kind", "of"], &["well"], &["okay"], &["yeah"]];
/// Short words that often precede a longer word with the same beginning. Any other word in that position is a false start.
const WHOLE_SHORT_WORDS: &[&str] = &[
    "a", "all", "an", "any", "as", "at", "be", "but", "by", "can", "do", "for", "go", "had", "he", "her", "his", "if",
    "in", "is", "it", "me", "my", "no", "not", "of", "on", "one", "or", "our", "out", "she", "so", "some", "to", "too",
    "up", "us", "was", "we", "you",
];
/// Words without a vowel that are complete words, not fragments.
const WORDS_WITHOUT_VOWEL: &[&str] = &[
    "cd", "cm", "dr", "dvd", "hz", "kg", "khz", "km", "lcd", "ltd", "mm", "mph", "mr", "mrs", "ms", "mp", "nd", "nth",
    "pc", "ph", "pm", "rd", "st", "th", "tv", "vs", "xml",
];
/// A false start of more words than this is not dropped but set off by a dash.
const SHORT_START: usize = 3;

/// Drops fillers, `Mm-hmm` with its hyphen too; one that is set off by commas takes both with it.
pub(crate) fn drop_fillers(pieces: &mut Vec<Piece>) {
    let mut remaining: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut after_dropped = false;
    for piece in pieces.drain(..) {
        if piece.lower_case().is_some_and(|word| word.trim_start_matches('\'').split('-').all(words::is_filler)) {
            after_dropped = true;
            continue;
        }
        if after_dropped && piece == Piece::Mark(',') && remaining.last() == Some(&piece) {
            remaining.pop();
        } else {
            remaining.push(piece);
        }
        after_dropped = false;
    }
    *pieces = remaining;
}

/// Drops phrases without meaning that are set off by marks, such as `you know`.
pub(crate) fn drop_asides(pieces: &mut Vec<Piece>) {
    let is_boundary = |piece: Option<&Piece>| !matches!(piece, Some(Piece::Word(_)));
    let mut index = 0;
    while index < pieces.len() {
        let aside = ASIDES.iter().find(|aside| {
            aside.iter().enumerate().all(|(i, word)| pieces.get(index + i).is_some_and(|piece| piece.is_any(&[word])))
                && is_boundary(index.checked_sub(1).and_then(|before| pieces.get(before)))
                && is_boundary(pieces.get(index + aside.len()))
        });
        match aside {
            Some(aside) => {
                let comma = matches!(pieces.get(index + aside.len()), Some(Piece::Mark(',')));
                pieces.drain(index..index + aside.len() + usize::from(comma));
            }
            None => index += 1,
        }
    }
}

/// Drops the first of two equal runs of up to four words, with the break between them.
pub(crate) fn drop_repetitions(pieces: &mut Vec<Piece>) {
    let mut remaining: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces.drain(..) {
        remaining.push(piece);
        for length in (1..=4).rev() {
            let Some(second) = remaining.len().checked_sub(length) else { continue };
            let first_end = if matches!(remaining[..second].last(), Some(Piece::Break)) { second - 1 } else { second };
            let Some(first) = first_end.checked_sub(length) else { continue };
            let equal = (0..length).all(|i| {
                let lower = remaining[second + i].lower_case();
                lower.is_some() && lower == remaining[first + i].lower_case()
            });
            if equal {
                remaining.drain(first..second);
                break;
            }
        }
    }
    *pieces = remaining;
}

/// Drops words that were begun and begun again: `mot most`, `i in my`.
pub(crate) fn drop_fragments(pieces: &mut Vec<Piece>) {
    let mut index = 0;
    while index + 1 < pieces.len() {
        let is_fragment = match (&pieces[index], &pieces[index + 1]) {
            (Piece::Word(word), Piece::Word(next)) => is_fragment(word, next),
            _ => false,
        };
        if is_fragment {
            pieces.remove(index);
        } else {
            index += 1;
        }
    }
}

/// Whether a word is the beginning of the next word, or a single letter that is not a word of its own.
fn is_fragment(word: &str, next: &str) -> bool {
    let (lower_case, next) = (word.to_lowercase(), next.to_lowercase());
    let is_beginning_of_next = word.chars().all(char::is_alphabetic)
        && word.chars().count() <= 5
        && next.len() > lower_case.len()
        && next.starts_with(&lower_case);
    if is_beginning_of_next {
        let rest = &next[lower_case.len()..];
        // `we we'll`: the word alone, then the same word with its contraction.
        let is_contracted_again = rest.starts_with(['\'', '’']);
        if is_contracted_again
            || (!WHOLE_SHORT_WORDS.contains(&lower_case.as_str()) && !rest.starts_with(['\'', '-', '’', 's']))
        {
            return true;
        }
    }
    let has_no_vowel = (2..=3).contains(&word.len())
        && word.chars().all(|c| c.is_ascii_lowercase())
        && !word.contains(['a', 'e', 'i', 'o', 'u', 'y'])
        && !WORDS_WITHOUT_VOWEL.contains(&lower_case.as_str())
        && next.starts_with(char::is_alphabetic);
    // `a although`: before a word that starts with `a`, the article would be `an`.
    let is_wrong_article = lower_case == "a" && next.len() > 2 && next.starts_with('a');
    has_no_vowel || is_wrong_article || is_lone_letter(word, &next)
}

/// Whether a word is a single letter that does not stand by itself before this next word, given in lower case.
fn is_lone_letter(word: &str, next: &str) -> bool {
    let is_capital = word.len() == 1 && !matches!(word, "I" | "A") && word.chars().all(char::is_uppercase);
    let is_before_pronoun =
        matches!(next.split(['\'', '’']).next(), Some("i" | "we" | "you" | "he" | "she" | "they" | "it"));
    let is_lower_case_letter = word.len() == 1
        && word.chars().all(|c| c.is_ascii_lowercase())
        && !matches!(word, "a" | "n" | "o" | "x" | "y" | "z");
    (word == "i" && next != "'m") || (is_lower_case_letter && word != "i") || (is_capital && is_before_pronoun)
}

/// Drops the words since the last mark where the speaker breaks off soon after it.
pub(crate) fn drop_false_starts(pieces: &mut Vec<Piece>) {
    let mut remaining: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut words_since_mark = 0;
    for piece in pieces.drain(..) {
        match piece {
            Piece::Break if words_since_mark <= SHORT_START => {
                remaining.truncate(remaining.len() - words_since_mark);
                words_since_mark = 0;
            }
            Piece::Word(_) => {
                remaining.push(piece);
                words_since_mark += 1;
            }
            _ => {
                remaining.push(piece);
                words_since_mark = 0;
            }
        }
    }
    *pieces = remaining;
}
