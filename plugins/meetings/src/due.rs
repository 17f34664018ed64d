//! When something is due, in the words used.

use jackfield_text::words;

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

/// A time that something may be due at: `by Friday`, `before the next meeting`, `tomorrow morning`, `in two weeks`,
/// `by the end of the day`, `on 12 March`.
pub(crate) fn due(text: &str) -> Option<&str> {
    let all: Vec<(usize, &str, String)> = words::words(text)
        .map(|(at, word)| (at, word, word.to_lowercase().trim_end_matches("'s").trim_end_matches("’s").to_owned()))
        .collect();
    let word = |at: usize| all.get(at).map_or("", |word| word.2.as_str());
    let mut found: Option<(usize, usize)> = None;
    for at in 0..all.len() {
        let Some(length) = time(&all, at) else { continue };
        // The preposition belongs to it, with an article between.
        let article = at > 0 && matches!(word(at - 1), "the" | "our" | "this");
        let first = at - usize::from(article);
        let led = first > 0 && BEFORE.contains(&word(first - 1));
        let start = if led { first - 1 } else { first };
        // A bare span (`the meeting`) is a time only after a preposition that sets a limit.
        let strict = SPANS.contains(&word(at)) && length == 1;
        if strict && !(led && matches!(word(start), "by" | "before" | "until" | "till" | "after")) {
            continue;
        }
        if DAYS.contains(&word(at)) && !led && found.is_some() {
            continue;
        }
        found = Some((start, at + length));
        if led && matches!(word(start), "by" | "before" | "until") {
            break;
        }
        if found.is_some() && !strict {
            break;
        }
    }
    let (first, end) = found?;
    let last = &all[end - 1];
    Some(&text[all[first].0..last.0 + last.1.len()])
}

/// How many words from `at` are a day of the month after `the`: `twentieth`, `twenty first of May`, `3rd of June`.
fn ordinal(all: &[(usize, &str, String)], at: usize) -> Option<usize> {
    let word = |at: usize| all.get(at).map_or("", |word| word.2.as_str());
    let tens = usize::from(matches!(word(at), "twenty" | "thirty"));
    let day = word(at + tens);
    let digits = day.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let numeric =
        digits.len() < day.len() && (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let named = ORDINALS.contains(&day);
    if at < 2 || word(at - 1) != "the" || !(named || (numeric && tens == 0)) {
        return None;
    }
    let month = |at: usize| MONTHS.contains(&word(at)) || word(at) == "may";
    let length = tens + 1;
    if word(at + length) == "of" && month(at + length + 1) {
        return Some(length + 2);
    }
    // `by the third door`: another word after it makes it a rank.
    let limit = matches!(word(at - 2), "by" | "before" | "until" | "till");
    let rank = matches!(word(at + length), "one" | "of") || (matches!(day, "first" | "second" | "third") && tens == 0);
    (limit && !rank).then_some(length)
}

/// How many words from `at` name a time, without the preposition.
fn time(all: &[(usize, &str, String)], at: usize) -> Option<usize> {
    let word = |at: usize| all.get(at).map_or("", |word| word.2.as_str());
    let capital = |at: usize| all.get(at).is_some_and(|word| word.1.starts_with(char::is_uppercase));
    let number = |text: &str| {
        let digits = text.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h']);
        (!digits.is_empty() && digits.len() <= 2 && digits.bytes().all(|b| b.is_ascii_digit()))
            || matches!(
                text,
                "a" | "an" | "one" | "two" | "three" | "four" | "five" | "six" | "ten" | "few" | "couple" | "half"
            )
    };
    let day = |text: &str| DAYS.contains(&text);
    let month = |at: usize| (MONTHS.contains(&word(at)) || (word(at) == "may" && capital(at))) && capital(at);
    let part = |text: &str| matches!(text, "morning" | "afternoon" | "evening" | "night" | "noon");
    let led = at > 0 && BEFORE.contains(&word(at - 1));
    if let Some(length) = ordinal(all, at) {
        return Some(length);
    }
    match word(at) {
        // `today` opens many a sentence; at the end it is a time.
        "today" if at + 1 == all.len() || led => Some(1),
        text if ALONE.contains(&text) => Some(1 + usize::from(part(word(at + 1)))),
        "next" | "this" | "coming" if at > 0 || day(word(at + 1)) || SPANS.contains(&word(at + 1)) => {
            let next = word(at + 1);
            let spans = SPANS.contains(&next)
                && !(word(at) == "this" && matches!(next, "meeting" | "session" | "term" | "minute" | "hour"));
            (day(next) || spans || month(at + 1)).then_some(2)
        }
        "end" if word(at + 1) == "of" => {
            let article = usize::from(matches!(word(at + 2), "the" | "this" | "next" | "our"));
            let last = word(at + 2 + article);
            (SPANS.contains(&last) || day(last) || month(at + 2 + article)).then_some(3 + article)
        }
        "soon" if at > 0 && word(at - 1) == "as" && word(at + 1) == "as" && word(at + 2) == "possible" => Some(3),
        text if day(text) && capital(at) => Some(1 + usize::from(part(word(at + 1)))),
        _ if month(at) && (led || number(word(at + 1))) => {
            Some(1 + usize::from(number(word(at + 1)) && !matches!(word(at + 1), "a" | "an")))
        }
        text if number(text) && month(at + 1) => Some(2),
        text if number(text) && led && matches!(word(at - 1), "in" | "within") => {
            let of = (1..=3).find(|&skip| SPANS.contains(&word(at + skip)))?;
            matches!(
                word(at + of),
                "minutes"
                    | "hour"
                    | "hours"
                    | "day"
                    | "days"
                    | "week"
                    | "weeks"
                    | "month"
                    | "months"
                    | "year"
                    | "years"
            )
            .then_some(of + 1)
        }
        text if SPANS.contains(&text) => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::due;

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
