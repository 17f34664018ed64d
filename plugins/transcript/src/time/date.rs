//! Dates before or after a clock time: `2026-03-05`, `03/05/26`, `5 March 2026`, `Friday`.

use super::clock::digits;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Names of time zones.
const ZONES: [&str; 14] =
    ["UTC", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "CEST", "CET", "BST", "IST"];
const DAYS: [&str; 9] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "today", "yesterday"];

/// A date at the head of a text, as it is written, and the rest.
pub(super) fn date_at(text: &str) -> Option<(&str, &str)> {
    let after_day = day_name(text).map(|rest| rest.strip_prefix(',').unwrap_or(rest).trim_start());
    let rest = match after_day {
        Some(rest) => numbers(rest).or_else(|| words(rest)).unwrap_or(&text[text.len() - rest.len()..]),
        None => numbers(text).or_else(|| words(text))?,
    };
    Some((text[..text.len() - rest.len()].trim_end(), rest))
}

/// A date after a clock time, and the rest.
pub(super) fn date_behind(rest: &str) -> Option<(&str, &str)> {
    let after = rest.strip_prefix(',').unwrap_or(rest);
    let date = after.trim_start();
    (date.len() < rest.len()).then_some(())?;
    let end = numbers(date).or_else(|| words(date))?;
    Some((&date[..date.len() - end.len()], end)).filter(|(date, _)| has_year(date))
}

/// Whether a date is one of a calendar, and not `Friday` or `3/5`.
pub(super) fn has_year(date: &str) -> bool {
    date.bytes().filter(u8::is_ascii_digit).count() >= 4
}

/// What joins a date to its time: `T`, a comma, `at`, a dash.
pub(super) fn skip_joint(rest: &str) -> &str {
    if let Some(rest) = rest.strip_prefix(['T', 't', '_']) {
        return rest;
    }
    let rest = rest.strip_prefix([',', ';']).unwrap_or(rest).trim_start();
    let joints = ["at ", "um ", "à ", "- ", "– ", "— ", "| "];
    joints.iter().find_map(|joint| rest.strip_prefix(joint)).unwrap_or(rest).trim_start()
}

/// What follows the name of a time zone, if there is one: `Z`, ` UTC`, ` EST`.
pub(super) fn zone_name(rest: &str) -> Option<&str> {
    let ends = |after: &&str| !after.starts_with(char::is_alphanumeric);
    rest.strip_prefix('Z').filter(ends).or_else(|| {
        let name = rest.trim_start();
        ZONES.iter().find_map(|zone| name.strip_prefix(*zone).filter(ends))
    })
}

/// What follows a time zone: `Z`, `+01:00`, ` +0100`, ` UTC`.
pub(super) fn zone(rest: &str) -> &str {
    if let Some(after) = rest.strip_prefix('Z') {
        return after;
    }
    let trimmed = rest.trim_start();
    let is_offset_apart =
        trimmed.starts_with(['+', '-']) && trimmed.bytes().skip(1).take_while(u8::is_ascii_digit).count() == 4;
    let after_name = zone_name(rest);
    let offset = after_name.unwrap_or(if is_offset_apart { trimmed } else { rest });
    let Some((hours, after)) = offset.strip_prefix(['+', '-']).and_then(digits) else {
        return offset;
    };
    match hours.len() {
        4 => after,
        1 | 2 => after
            .strip_prefix(':')
            .and_then(digits)
            .filter(|(minutes, _)| minutes.len() == 2)
            .map_or(if after_name.is_some() || hours.len() == 2 { after } else { offset }, |(_, after)| after),
        _ => offset,
    }
}

/// `2026-03-05`, `3/5/26`, `05.03.2026`, and `3/5` without a year.
fn numbers(text: &str) -> Option<&str> {
    let (first, rest) = digits(text)?;
    // `20260305`, and `2026年3月5日`.
    if first.len() == 8 && (first.starts_with("19") || first.starts_with("20")) {
        return (!rest.starts_with(char::is_alphabetic) || rest.starts_with('T')).then_some(rest);
    }
    if let Some((_, rest)) = rest.strip_prefix('年').and_then(digits) {
        let (_, rest) = rest.strip_prefix('月').and_then(digits)?;
        return rest.strip_prefix('日');
    }
    let sign = rest.chars().next().filter(|sign| matches!(sign, '-' | '/' | '.'))?;
    let (second, rest) = digits(&rest[1..])?;
    let third = rest.strip_prefix(sign).and_then(digits);
    let fits = |text: &str, lengths: &[usize]| lengths.contains(&text.len());
    let end = match third {
        Some((third, end)) => {
            let is_date = fits(second, &[1, 2])
                && (fits(first, &[4]) && fits(third, &[1, 2]) || fits(first, &[1, 2]) && fits(third, &[2, 4]));
            is_date.then_some(end)?
        }
        None => (sign == '/' && fits(first, &[1, 2]) && fits(second, &[1, 2])).then_some(rest)?,
    };
    // `2026-03-05T10:02`, but no word and no further number.
    let goes_on = end.starts_with(|c: char| c.is_alphanumeric() && c != 'T' && c != 't');
    (!goes_on).then(|| if sign == '.' { end.strip_prefix('.').unwrap_or(end) } else { end })
}

/// `5 March 2026`, `5th of Mar 2026`, `March 5, 2026`.
fn words(text: &str) -> Option<&str> {
    if let Some(rest) = name(text, &MONTHS) {
        let rest = day_number(rest.strip_prefix('.').unwrap_or(rest).trim_start())?;
        let after_comma = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        return Some(year(after_comma).unwrap_or(rest));
    }
    let rest = day_number(text)?.trim_start_matches(['-', ' ', '/']);
    let rest = rest.strip_prefix("of ").unwrap_or(rest);
    let rest = name(rest, &MONTHS)?;
    let rest = rest.strip_prefix(['.', ',', '-', '/']).unwrap_or(rest);
    Some(year(rest.trim_start()).unwrap_or(rest))
}

/// `5`, `05`, `5th`, `5.`.
fn day_number(text: &str) -> Option<&str> {
    let (day, rest) = digits(text).filter(|(day, _)| day.len() <= 2)?;
    let is_day = day.parse::<u32>().is_ok_and(|day| (1..=31).contains(&day));
    is_day.then(|| ["st", "nd", "rd", "th", "."].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest))
}

fn year(text: &str) -> Option<&str> {
    digits(text).filter(|(year, rest)| year.len() == 4 && !rest.starts_with(':')).map(|(_, rest)| rest)
}

fn day_name(text: &str) -> Option<&str> {
    name(text, &DAYS)
}

/// One of the names at the head of a text, whole or in its first three letters, and what follows it.
fn name<'a>(text: &'a str, names: &[&str]) -> Option<&'a str> {
    let end = text.bytes().take(12).position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len().min(12));
    let word = text.get(..end).filter(|word| word.len() >= 3)?;
    names
        .iter()
        .any(|name| name.eq_ignore_ascii_case(word) || name[..3].eq_ignore_ascii_case(word))
        .then(|| &text[end..])
}
