//! When something is due, in the words used.

use jackfield_text::words;

/// What may stand before a time.
const BEFORE: &[&str] = &["by", "before", "until", "till", "on", "for", "within", "in", "at", "after", "during"];
const DAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Spans of time, and what happens at a time.
const SPANS: &[&str] = &[
    "minute",
    "minutes",
    "hour",
    "hours",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "year",
    "years",
    "meeting",
    "session",
    "weekend",
    "afternoon",
    "morning",
    "evening",
    "quarter",
    "semester",
    "term",
];
/// Spans that time is counted in: `in two weeks`.
const MEASURES: &[&str] =
    &["minutes", "hour", "hours", "day", "days", "week", "weeks", "month", "months", "year", "years"];
/// Words of which each names a time.
const ALONE: &[&str] = &["tomorrow", "tonight", "asap", "immediately"];
const ORDINALS: &[&str] = &[
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "thirtieth",
];

/// A word of a text.
struct Word<'a> {
    /// Its offset in the text, in bytes.
    offset: usize,
    /// As it is written.
    written: &'a str,
    /// In small letters, without a possessive `'s`.
    compared: String,
}

/// The words of a text, looked at by index.
struct Words<'a>(Vec<Word<'a>>);

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        let words = words::words(text).map(|(offset, written)| {
            let compared = written.to_lowercase().trim_end_matches("'s").trim_end_matches("’s").to_owned();
            Word { offset, written, compared }
        });
        Self(words.collect())
    }

    /// The word at an index as it is compared; empty beyond the last.
    fn get(&self, index: usize) -> &str {
        self.0.get(index).map_or("", |word| word.compared.as_str())
    }

    fn is_capital(&self, index: usize) -> bool {
        self.0.get(index).is_some_and(|word| word.written.starts_with(char::is_uppercase))
    }

    /// `March`, and `May` where it is written with a capital.
    fn is_month(&self, index: usize) -> bool {
        (MONTHS.contains(&self.get(index)) || self.get(index) == "may") && self.is_capital(index)
    }

    /// Whether a preposition of time stands before the word.
    fn follows_preposition(&self, index: usize) -> bool {
        index > 0 && BEFORE.contains(&self.get(index - 1))
    }
}

/// A time that something may be due at: `by Friday`, `before the next meeting`, `tomorrow morning`, `in two weeks`,
/// `by the end of the day`, `on 12 March`.
pub(crate) fn due(text: &str) -> Option<&str> {
    let words = Words::new(text);
    let mut found: Option<(usize, usize)> = None;
    for index in 0..words.0.len() {
        let Some(length) = time_length(&words, index) else { continue };
        // The preposition belongs to it, with an article between.
        let article = index > 0 && matches!(words.get(index - 1), "the" | "our" | "this");
        let first = index - usize::from(article);
        let has_preposition = words.follows_preposition(first);
        let start = if has_preposition { first - 1 } else { first };
        // A bare span (`the meeting`) is a time only after a preposition that sets a limit.
        let is_bare_span = SPANS.contains(&words.get(index)) && length == 1;
        let sets_limit = has_preposition && matches!(words.get(start), "by" | "before" | "until" | "till" | "after");
        if is_bare_span && !sets_limit {
            continue;
        }
        if DAYS.contains(&words.get(index)) && !has_preposition && found.is_some() {
            continue;
        }
        found = Some((start, index + length));
        if !is_bare_span || (has_preposition && matches!(words.get(start), "by" | "before" | "until")) {
            break;
        }
    }
    let (first, end) = found?;
    let last = &words.0[end - 1];
    Some(&text[words.0[first].offset..last.offset + last.written.len()])
}

/// The time at which a task is due, with single spaces: a time behind the verb, whose offset in bytes is given, or one that opens
/// the sentence. Without a verb only a time with a limit counts (`by Friday`). Who gives thanks for a morning sets no time.
pub(crate) fn due_of_task(text: &str, verb: Option<usize>) -> Option<String> {
    let time = due(text)?;
    let lower = text.to_lowercase();
    if lower.contains("thank") {
        return None;
    }
    let start = time.as_ptr() as usize - text.as_ptr() as usize;
    let opens = !text[..start].contains(|c: char| c.is_alphanumeric()) || text[..start].split_whitespace().count() < 3;
    let sets_limit = ["by ", "before ", "until ", "till "].iter().any(|word| time.to_lowercase().starts_with(word));
    let belongs = verb.is_some_and(|verb| start > verb || opens) || sets_limit;
    belongs.then(|| time.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// How many words from `index` are a day of the month after `the`: `twentieth`, `twenty first of May`, `3rd of June`.
fn ordinal_length(words: &Words<'_>, index: usize) -> Option<usize> {
    let tens = usize::from(matches!(words.get(index), "twenty" | "thirty"));
    let day = words.get(index + tens);
    let digits = day.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let is_numeric =
        digits.len() < day.len() && (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let is_day = ORDINALS.contains(&day) || (is_numeric && tens == 0);
    if index < 2 || words.get(index - 1) != "the" || !is_day {
        return None;
    }
    let length = tens + 1;
    let after_of = words.get(index + length + 1);
    if words.get(index + length) == "of" && (MONTHS.contains(&after_of) || after_of == "may") {
        return Some(length + 2);
    }
    // `by the third door`: another word after it makes it a rank.
    let sets_limit = matches!(words.get(index - 2), "by" | "before" | "until" | "till");
    let is_rank =
        matches!(words.get(index + length), "one" | "of") || (matches!(day, "first" | "second" | "third") && tens == 0);
    (sets_limit && !is_rank).then_some(length)
}

/// How many words from `index` name a time, without the preposition.
fn time_length(words: &Words<'_>, index: usize) -> Option<usize> {
    if let Some(length) = ordinal_length(words, index) {
        return Some(length);
    }
    let next = words.get(index + 1);
    let has_preposition = words.follows_preposition(index);
    match words.get(index) {
        // `today` opens many a sentence; at the end it is a time.
        "today" if index + 1 == words.0.len() || has_preposition => Some(1),
        word if ALONE.contains(&word) => Some(1 + usize::from(is_part_of_day(next))),
        word @ ("next" | "this" | "coming") if index > 0 || DAYS.contains(&next) || SPANS.contains(&next) => {
            let is_present = word == "this" && matches!(next, "meeting" | "session" | "term" | "minute" | "hour");
            let is_span = SPANS.contains(&next) && !is_present;
            (DAYS.contains(&next) || is_span || words.is_month(index + 1)).then_some(2)
        }
        "end" if next == "of" => {
            let article = usize::from(matches!(words.get(index + 2), "the" | "this" | "next" | "our"));
            let last = words.get(index + 2 + article);
            let is_time = SPANS.contains(&last) || DAYS.contains(&last) || words.is_month(index + 2 + article);
            is_time.then_some(3 + article)
        }
        "soon" if index > 0 && words.get(index - 1) == "as" && next == "as" && words.get(index + 2) == "possible" => {
            Some(3)
        }
        word if DAYS.contains(&word) && words.is_capital(index) => Some(1 + usize::from(is_part_of_day(next))),
        _ if words.is_month(index) && (has_preposition || is_small_number(next)) => {
            Some(1 + usize::from(is_small_number(next) && !matches!(next, "a" | "an")))
        }
        word if is_small_number(word) && words.is_month(index + 1) => Some(2),
        word if is_small_number(word) && has_preposition && matches!(words.get(index - 1), "in" | "within") => {
            let distance = (1..=3).find(|&skipped| SPANS.contains(&words.get(index + skipped)))?;
            MEASURES.contains(&words.get(index + distance)).then_some(distance + 1)
        }
        word if SPANS.contains(&word) => Some(1),
        _ => None,
    }
}

/// `12`, `3rd`, `two`, `a couple`.
fn is_small_number(word: &str) -> bool {
    let digits = word.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h']);
    (!digits.is_empty() && digits.len() <= 2 && digits.bytes().all(|b| b.is_ascii_digit()))
        || matches!(
            word,
            "a" | "an" | "one" | "two" | "three" | "four" | "five" | "six" | "ten" | "few" | "couple" | "half"
        )
}

fn is_part_of_day(word: &str) -> bool {
    matches!(word, "morning" | "afternoon" | "evening" | "night" | "noon")
}

#[cfg(test)]
mod tests {
    use super::{due, due_of_task};

    #[test]
    fn times_are_found_in_the_words_used() {
        for (text, time) in [
            ("I'll send it by Friday afternoon.", "by Friday afternoon"),
            ("Finish that before the next meeting , please .", "before the next meeting"),
            ("We do it tomorrow morning.", "tomorrow morning"),
            ("Write it by the end of the week", "by the end of the week"),
            ("It is due in two weeks.", "in two weeks"),
            ("Hand in by 12 March, no later.", "by 12 March"),
            ("Hand in before March 12th.", "before March 12th"),
            ("I'll look at it after the meeting.", "after the meeting"),
            ("I'll do it next week.", "next week"),
            ("I'll send the drawing by the twentieth.", "by the twentieth"),
            ("We sell cakes by the twelfth of April.", "by the twelfth of April"),
            ("It goes out before the twenty-first, I hope.", "before the twenty-first"),
            ("Order them on the 1st of May at the latest.", "on the 1st of May"),
            ("I'll ask finance today.", "today"),
        ] {
            assert_eq!(due(text), Some(time), "{text}");
        }
    }

    #[test]
    fn a_task_is_due_at_a_time_behind_its_verb() {
        assert_eq!(due_of_task("I'll send it by Friday", Some(5)), Some("by Friday".to_owned()));
        assert_eq!(due_of_task("Next week I'll send it", Some(15)), Some("Next week".to_owned()));
        assert_eq!(due_of_task("Thank you for sending it this morning", Some(14)), None);
        assert_eq!(due_of_task("It rained on Friday", None), None);
    }

    #[test]
    fn other_words_are_no_times() {
        for text in [
            "I may go in a box.",
            "This meeting is long.",
            "We march on.",
            "One of the two things",
            "Stop by the third door",
            "Today we talk",
            "",
        ] {
            assert_eq!(due(text), None, "{text}");
        }
    }
}
