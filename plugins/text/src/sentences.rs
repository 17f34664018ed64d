//! Splits a text into sentences, as exact substrings of it.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// A sentence of more bytes is cut at a clause or a word, so that a quote stays a quote.
const LONGEST: usize = 600;
/// A run of spaces and punctuation with more characters ends a sentence.
const LONGEST_RUN: usize = 24;
/// Abbreviations whose full stop does not end a sentence.
const ABBREVIATIONS: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "hon", "st", "vs", "e.g", "i.e", "cf", "no", "sen", "rep", "gov", "fig", "approx",
    // German, French, Spanish and Portuguese, Dutch, Italian.
    "z.b", "d.h", "u.a", "bzw", "nr", "mme", "mlle", "sra", "srta", "p.ej", "p.ex", "dhr", "mevr", "dott",
];
/// Words behind which a number with a full stop is a German day, as in `am 5. Mai`.
const BEFORE_DAYS: &[&str] = &["am", "vom", "zum", "bis", "ab", "den", "dem", "der", "seit"];

/// Marks behind which a clause ends, of any script.
const CLAUSE_MARKS: &str = ";,；，、،؛";

/// Whether a mark ends a question, of any script.
#[must_use]
pub const fn is_question_mark(c: char) -> bool {
    matches!(c, '?' | '？' | '؟' | '\u{37e}' | '⁇' | '⁈')
}

/// Whether a mark ends a sentence, of any script.
#[must_use]
pub const fn is_sentence_end(c: char) -> bool {
    is_question_mark(c)
        || matches!(c, '.' | '!' | '…' | '。' | '．' | '｡' | '！' | '।' | '॥' | '۔' | '։' | '።' | '။' | '⁉' | '‼')
}

/// Byte ranges of the sentences of a text (UAX #29, with abbreviations of titles kept together), white space trimmed,
/// none empty, in order.
#[must_use]
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut unfinished: Option<usize> = None;
    let pieces = bounded_stretches(text).into_iter();
    let pieces = pieces.flat_map(|range| {
        text[range.clone()].split_sentence_bound_indices().map(move |(offset, piece)| (range.start + offset, piece))
    });
    for (offset, piece) in pieces {
        let start = unfinished.unwrap_or(offset);
        let end = offset + piece.len();
        if ends_in_abbreviation(piece) && end < text.len() && end - start < LONGEST {
            unfinished = Some(start);
            continue;
        }
        unfinished = None;
        push_within_limit(text, start..end, &mut found);
    }
    if let Some(start) = unfinished {
        push_within_limit(text, start..text.len(), &mut found);
    }
    found
}

/// Cuts a text inside of long runs of spaces and punctuation. The rules look ahead over such a run from every position in
/// it, which takes quadratic time if the run is unbounded.
fn bounded_stretches(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut run_length) = (0, 0);
    for (offset, c) in text.char_indices() {
        run_length = if c.is_alphanumeric() { 0 } else { run_length + 1 };
        if run_length > LONGEST_RUN {
            found.push(start..offset);
            start = offset;
            run_length = 0;
        }
    }
    found.push(start..text.len());
    found
}

fn ends_in_abbreviation(piece: &str) -> bool {
    let Some(head) = piece.trim_end().strip_suffix('.') else { return false };
    // In tokenised text a full stop stands apart and ends a sentence.
    let last = head.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    let is_initial = last.chars().count() == 1 && last.chars().all(char::is_uppercase) && last != "I";
    let is_day = (1..=2).contains(&last.len()) && last.bytes().all(|byte| byte.is_ascii_digit()) && {
        let before = head[..head.len() - last.len()].split_whitespace().next_back().unwrap_or("");
        BEFORE_DAYS.contains(&before.to_lowercase().as_str())
    };
    is_initial || is_day || (last.len() <= 6 && ABBREVIATIONS.contains(&last.to_lowercase().as_str()))
}

/// Adds a range without its white space, cut where it is too long.
fn push_within_limit(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut rest = trim(text, range);
    while rest.len() > LONGEST {
        let mut limit = rest.start + LONGEST;
        while !text.is_char_boundary(limit) {
            limit -= 1;
        }
        let window = &text[rest.start..limit];
        let half = LONGEST / 2;
        let cut_at = window
            .char_indices()
            .rfind(|&(at, c)| at > half && CLAUSE_MARKS.contains(c))
            .map(|(at, c)| at + c.len_utf8())
            .or_else(|| window.rfind(char::is_whitespace).filter(|&at| at > 0))
            .unwrap_or(window.len());
        found.push(trim(text, rest.start..rest.start + cut_at));
        rest = trim(text, rest.start + cut_at..rest.end);
    }
    if !rest.is_empty() {
        found.push(rest);
    }
}

fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = start + piece.trim().len();
    start..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn tokenised_and_plain_text_split_alike() {
        assert_eq!(split("We agree . Do we ? Yes !"), ["We agree .", "Do we ?", "Yes !"]);
        assert_eq!(split("We agree. Do we? Yes!"), ["We agree.", "Do we?", "Yes!"]);
    }

    #[test]
    fn titles_do_not_end_a_sentence() {
        assert_eq!(
            split("Thank you, Mr. Chair. I ask Dr. J. Smith."),
            ["Thank you, Mr. Chair.", "I ask Dr. J. Smith."]
        );
    }

    #[test]
    fn abbreviations_and_days_of_other_languages_do_not_end_a_sentence() {
        assert_eq!(
            split("Wir treffen uns am 5. Mai. Das Budget, z.B. Hotels, steht."),
            ["Wir treffen uns am 5. Mai.", "Das Budget, z.B. Hotels, steht."]
        );
        assert_eq!(split("Merci, Mme. Dupont. On y va."), ["Merci, Mme. Dupont.", "On y va."]);
        assert_eq!(split("We need 5. Then we stop."), ["We need 5.", "Then we stop."]);
    }

    #[test]
    fn sentences_of_any_script_end_where_it_says() {
        assert_eq!(split("我们决定了。真的吗？好！走"), ["我们决定了。", "真的吗？", "好！", "走"]);
        assert_eq!(split("هل نبدأ؟ نعم. انتهى۔"), ["هل نبدأ؟", "نعم.", "انتهى۔"]);
        assert_eq!(split("काम हो गया। ठीक है?"), ["काम हो गया।", "ठीक है?"]);
        let long = split(&"预算很重要，".repeat(100)).len();
        assert!(long > 2 && split(&"预算很重要，".repeat(100)).iter().all(|piece| piece.ends_with('，')), "{long}");
    }

    #[test]
    fn long_runs_of_spaces_and_brackets_take_linear_time() {
        for unit in [" ", ")", "\""] {
            let text = format!("a.{}b", unit.repeat(2_000_000));
            assert!(split(&text).len() > 1);
        }
    }

    #[test]
    fn a_text_without_full_stops_is_cut_at_words() {
        let text = "word ".repeat(1000);
        let all = split(&text);
        assert!(all.len() > 5 && all.iter().all(|piece| piece.len() <= LONGEST && piece.ends_with("word")));
    }

    proptest! {
        #[test]
        fn sentences_are_in_order_and_lose_nothing_but_space(text in "\\PC{0,300}") {
            let ranges = sentences(&text);
            let mut end = 0;
            for range in &ranges {
                prop_assert!(range.start >= end && !range.is_empty());
                prop_assert!(text[end..range.start].trim().is_empty());
                end = range.end;
            }
            prop_assert!(text[end..].trim().is_empty());
        }
    }
}
