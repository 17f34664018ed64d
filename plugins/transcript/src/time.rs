//! The grammar of times in transcripts, which all formats share.
//!
//! ```text
//! stamp   = moment [ range moment ]            a range counts from its beginning
//! moment  = [ date ] clock [ "AM" | "PM" ] [ zone ]  |  length
//! clock   = [ hours ":" ] minutes ":" seconds [ fraction | frames ]
//! length  = "4.2s" | "1m 2s" | "PT1M2S"       only in brackets and in ranges
//! range   = "-->" | "->" | "–" | "-" | "to" …
//! ```
//!
//! A stamp stands bare or in brackets, before a label, after it, or on a line of its own.

mod clock;
mod date;
mod length;

use clock::{clock_at, meridiem};
use date::{date_at, date_behind, zone};
pub(crate) use length::seconds;

/// The most bytes between two brackets that are looked at for a time.
const LONGEST_BRACKET: usize = 80;
/// The brackets that a stamp may stand in.
const BRACKETS: [(char, char); 6] = [('[', ']'), ('(', ')'), ('<', '>'), ('{', '}'), ('（', '）'), ('【', '】')];
/// What stands between the two ends of a range, the longest first.
const RANGE_SIGNS: [&str; 12] = ["-->", "--&gt;", "->", "–>", "—>", "→", "–", "—", "-", "~", "to ", "until "];
/// What sets a stamp apart from what follows it.
const SEPARATORS: [char; 8] = ['-', '–', '—', '|', '·', '•', '→', ':'];

/// A point in time, as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stamp<'a> {
    /// Seconds from the start of the recording or, of a time of day, from midnight; nothing for a date alone.
    pub(crate) seconds: Option<f64>,
    /// The date, as it is written.
    pub(crate) date: Option<&'a str>,
}

/// A stamp at the head of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leading<'a> {
    pub(crate) stamp: Stamp<'a>,
    /// Whether brackets, an arrow or a date set it apart: what is said may begin with a bare time, but not so.
    pub(crate) is_marked: bool,
    pub(crate) rest: &'a str,
}

/// Seconds of a clock time, alone: `12:34`, `1:02:03`, `00:00:12.500`, `00:00:12,500`.
pub(crate) fn clock(text: &str) -> Option<f64> {
    clock_at(text, false).filter(|clock| clock.rest.is_empty()).map(|clock| clock.seconds)
}

/// The stamp that the whole text is: a moment, a range, or the length of the recording up to there.
pub(crate) fn whole(text: &str) -> Option<Stamp<'_>> {
    let text = text.trim();
    let (stamp, rest, _) = range_at(text, true).or_else(|| {
        let (date, rest) = date_at(text).filter(|(date, _)| date::has_year(date))?;
        Some((Stamp { seconds: None, date: Some(date) }, rest, false))
    })?;
    rest.trim().is_empty().then_some(stamp)
}

/// A stamp at the head of a line, bare or in brackets, and the rest of the line after what sets it apart.
pub(crate) fn leading(line: &str) -> Option<Leading<'_>> {
    let line = line.trim_start();
    if let Some((mut stamp, mut rest)) = bracketed(line) {
        // `[2026-03-05] [10:02:01]`, and `[00:12] - [00:15]`.
        let after_sign = range_sign(rest.trim_start()).map_or(rest, |(_, rest)| rest).trim_start();
        let is_after_sign = after_sign.len() < rest.trim_start().len();
        let bare = || moment_at(after_sign).filter(|_| is_after_sign || stamp.seconds.is_none());
        if let Some((second, after)) = bracketed(after_sign).or_else(bare) {
            stamp.seconds = stamp.seconds.or(second.seconds);
            rest = after;
        }
        return Some(Leading { stamp, is_marked: true, rest: skip_separator(rest) });
    }
    let (stamp, rest, has_arrow) = range_at(line, false)?;
    let is_marked = has_arrow || stamp.date.is_some_and(date::has_year);
    Some(Leading { stamp, is_marked, rest: skip_separator(rest) })
}

/// A stamp at the end of a text, bare or in brackets, and what stands before it.
pub(crate) fn trailing(text: &str) -> Option<(&str, Stamp<'_>)> {
    let text = text.trim_end();
    if let Some((open, close)) = BRACKETS.iter().find(|(_, close)| text.ends_with(*close)) {
        let open_at = text.rfind(*open)?;
        let inner = &text[open_at + open.len_utf8()..text.len() - close.len_utf8()];
        return whole(inner).map(|stamp| (text[..open_at].trim_end(), stamp));
    }
    if !text.ends_with(|c: char| c.is_ascii_digit() || matches!(c, 'M' | 'm' | '.' | 'Z' | 's' | 'c')) {
        return None;
    }
    // The longest stamp wins, so that no part of a date is left to the name.
    let mut best = None;
    for (at, _) in text.char_indices().rev().take(LONGEST_BRACKET).filter(|(at, _)| starts_word(text, *at)) {
        // A length such as `4.2s` says too little outside of brackets, but as the beginning of a range.
        if let Some((stamp, "", _)) = range_at(&text[at..], false) {
            best = Some((text[..at].trim_end(), stamp));
        }
    }
    best
}

fn starts_word(text: &str, at: usize) -> bool {
    !text[at..].starts_with(char::is_whitespace) && text[..at].chars().next_back().is_none_or(char::is_whitespace)
}

/// Beginning and end of the cue whose timing line this is: `00:01.000 --> 00:02.000 align:start`.
pub(crate) fn cue_timing(line: &str) -> Option<(f64, Option<f64>)> {
    let (start, rest) = signed_clock(line)?;
    let rest = rest.trim_start();
    let after_sign = ["-->", "--&gt;", "—>", "–>"].iter().find_map(|sign| rest.strip_prefix(sign))?.trim_start();
    let end = signed_clock(after_sign).map(|(end, _)| end);
    // An end that is cut short or missing takes nothing from what is said.
    let is_timing = end.is_some() || after_sign.is_empty() || after_sign.starts_with(|c: char| c.is_ascii_digit());
    is_timing.then_some((start, end))
}

/// Whether a line is a timing line and has nothing after it but the settings of its cue, such as `align:start`.
pub(crate) fn is_whole_cue_timing(line: &str) -> bool {
    let mut words = line
        .rsplit("--")
        .next()
        .unwrap_or_default()
        .trim_start_matches("&gt;")
        .trim_start_matches(['>', ' '])
        .split_whitespace();
    let end = words.next().unwrap_or_default();
    let is_setting = |word: &str| word.contains([':', '=']) && !word.ends_with(':');
    cue_timing(line).is_some() && clock(end).is_some() && words.next().is_none_or(is_setting)
}

/// Beginning and end of the cue whose timing line this is in SBV: `0:00:01.000,0:00:03.500`.
pub(crate) fn sbv_timing(line: &str) -> Option<(f64, Option<f64>)> {
    let line = line.trim();
    if line.len() > LONGEST_BRACKET {
        return None;
    }
    line.match_indices(',').find_map(|(at, _)| {
        let (start, end) = (clock(line[..at].trim())?, clock(line[at + 1..].trim())?);
        Some((start, Some(end)))
    })
}

/// A clock time, which tools that shift subtitles may have moved to before the beginning: that is the beginning then.
fn signed_clock(text: &str) -> Option<(f64, &str)> {
    match text.strip_prefix('-') {
        Some(positive) => clock_at(positive, false).map(|clock| (0.0, clock.rest)),
        None => clock_at(text, false).map(|clock| (clock.seconds, clock.rest)),
    }
}

fn bracketed(text: &str) -> Option<(Stamp<'_>, &str)> {
    let open = text.chars().next()?;
    let (_, close) = *BRACKETS.iter().find(|(sign, _)| *sign == open)?;
    let (close_at, _) = text.char_indices().take(LONGEST_BRACKET).find(|&(_, c)| c == close)?;
    Some((whole(&text[open.len_utf8()..close_at])?, &text[close_at + close.len_utf8()..]))
}

/// A moment or a range at the head of a text, and whether an arrow shows that it is a range. Lengths and bare numbers of
/// seconds count only where nothing else can be meant: in brackets or before an arrow.
fn range_at(text: &str, in_brackets: bool) -> Option<(Stamp<'_>, &str, bool)> {
    if let Some((start, rest)) = moment_at(text) {
        let comma = || rest.strip_prefix(',').filter(|_| in_brackets).map(|rest| (false, rest));
        let sign = range_sign(rest.trim_start()).or_else(comma);
        let end = sign.and_then(|(is_arrow, rest)| Some((is_arrow, moment_at(rest.trim_start())?.1)));
        return Some(end.map_or((start, rest, false), |(is_arrow, after)| (start, after, is_arrow)));
    }
    let (seconds, rest, has_unit) = length::length_at(text)?;
    let start = Stamp { seconds: Some(seconds), date: None };
    let sign = range_sign(rest.trim_start()).filter(|(is_arrow, _)| *is_arrow || in_brackets);
    let end = sign.and_then(|(is_arrow, rest)| Some((is_arrow, length::length_at(rest.trim_start())?.1)));
    match end {
        Some((is_arrow, after)) => Some((start, after, is_arrow)),
        None => (in_brackets && has_unit).then_some((start, rest, false)),
    }
}

/// Whether the sign of a range at the head of a text is an arrow, and the rest.
fn range_sign(text: &str) -> Option<(bool, &str)> {
    RANGE_SIGNS.iter().find_map(|sign| Some((sign.contains(['>', '→', ';']), text.strip_prefix(sign)?)))
}

/// A date and a clock time, or a clock time alone.
fn moment_at(text: &str) -> Option<(Stamp<'_>, &str)> {
    if let Some((date, rest)) = date_at(text)
        && let Some((seconds, rest)) = day_time_at(date::skip_joint(rest), true)
    {
        return Some((Stamp { seconds: Some(seconds), date: Some(date) }, zone(rest)));
    }
    let (seconds, rest) = day_time_at(text, false)?;
    // `10:02 AM, 03/05/2026`, as some chats write it.
    match date_behind(rest) {
        Some((date, after)) => {
            let (seconds, _) = day_time_at(text, true)?;
            Some((Stamp { seconds: Some(seconds), date: Some(date) }, after))
        }
        None => Some((Stamp { seconds: Some(seconds), date: None }, date::zone_name(rest).unwrap_or(rest))),
    }
}

/// A clock time of 12 or 24 hours. Of a day, which a date or a half of the day shows it to be, `10:02` has hours and
/// minutes; of a recording, minutes and seconds.
fn day_time_at(text: &str, is_of_day: bool) -> Option<(f64, &str)> {
    let (half_day, text) = clock::leading_half_day(text);
    let clock = clock_at(text, true)?;
    let (half_day, rest) = match half_day {
        Some(half_day) => (Some(half_day), clock.rest),
        None => meridiem(clock.rest),
    };
    let is_of_day = is_of_day || half_day.is_some();
    let seconds = if is_of_day && !clock.has_hours { clock.seconds * 60.0 } else { clock.seconds };
    Some((half_day.map_or(seconds, |half_day| half_day.seconds(seconds)), rest))
}

/// What follows a stamp, without the sign that sets it apart.
fn skip_separator(rest: &str) -> &str {
    let trimmed = rest.trim_start();
    match trimmed.strip_prefix(SEPARATORS) {
        Some(after) if after.is_empty() || after.starts_with(char::is_whitespace) || trimmed.starts_with(':') => {
            after.trim_start()
        }
        _ => trimmed,
    }
}

/// Counts on over midnight: gives stamps with dates as seconds from midnight of the first day.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    date: String,
    days: u32,
}

impl Timeline {
    /// Seconds of a stamp. Each date other than the one before it counts as the next day, since how the numbers of a
    /// date are ordered is not known.
    pub(crate) fn seconds(&mut self, stamp: Stamp<'_>) -> Option<f64> {
        if let Some(date) = stamp.date
            && date != self.date
        {
            self.days += u32::from(!self.date.is_empty());
            date.clone_into(&mut self.date);
        }
        stamp.seconds.map(|seconds| seconds + 86_400.0 * f64::from(self.days))
    }
}

#[cfg(test)]
mod tests;
