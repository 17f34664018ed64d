//! Clock times: hours, minutes and seconds with fractions or frames, and the halves of a 12-hour day.

/// The digits of a group that is not the first, such as the minutes of `1:02:03`.
const GROUP_DIGITS: usize = 2;

/// A clock time at the head of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clock<'a> {
    pub(super) seconds: f64,
    /// Whether there are hours before the minutes and seconds.
    pub(super) has_hours: bool,
    pub(super) rest: &'a str,
}

/// Before or after noon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum HalfDay {
    Morning,
    Afternoon,
}

impl HalfDay {
    /// Seconds since midnight of a time on a 12-hour clock. A time that has no place on one is left as it is.
    pub(super) fn seconds(self, seconds: f64) -> f64 {
        let noon = 43_200.0;
        match self {
            Self::Morning if (noon..noon + 3600.0).contains(&seconds) => seconds - noon,
            Self::Afternoon if seconds < noon => seconds + noon,
            _ => seconds,
        }
    }
}

/// The clock time at the head of a text. `is_strict`: each group but the first has two digits,
/// as it is written by those who mean a time, and a word may not follow at once.
pub(super) fn clock_at(text: &str, is_strict: bool) -> Option<Clock<'_>> {
    if let Some(clock) = drop_frame_at(text) {
        return Some(clock);
    }
    let (first, mut rest) = digits(text)?;
    if first.len() > 4 {
        return None;
    }
    let mut groups = vec![first];
    while groups.len() < 3
        && let Some((group, after)) = rest.strip_prefix(':').and_then(digits)
    {
        let has_its_digits = if is_strict { group.len() == GROUP_DIGITS } else { group.len() <= GROUP_DIGITS };
        // Programs that round write `00:00:60.000` too.
        let is_too_large = group.len() == GROUP_DIGITS && if is_strict { group >= "60" } else { group > "60" };
        if !has_its_digits || is_too_large {
            return None;
        }
        groups.push(group);
        rest = after;
    }
    if groups.len() < 2 {
        return None;
    }
    let whole_seconds =
        groups.iter().fold(0.0, |sum: f64, group| sum * 60.0 + group.parse::<f64>().unwrap_or_default());
    let (fraction, rest) = fraction_at(rest, &groups);
    // Hours, minutes and seconds are added up as whole numbers first, so that the sum is the closest one there is.
    let seconds =
        if fraction.is_empty() { whole_seconds } else { format!("{whole_seconds}.{fraction}").parse().ok()? };
    let goes_on = rest.starts_with(|c: char| c.is_ascii_digit() || c == '_' || c == '%')
        || rest.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        || is_strict && rest.starts_with(|c: char| c.is_ascii_alphabetic()) && !starts_with_suffix(rest);
    (!goes_on).then_some(Clock { seconds, has_hours: groups.len() == 3, rest })
}

/// A time code of dropped frames, `00;00;02;15`, without its frames.
fn drop_frame_at(text: &str) -> Option<Clock<'_>> {
    let code = text.get(..11)?;
    let has_form = code.bytes().enumerate().all(|(at, byte)| match at % 3 {
        2 => byte == b';',
        _ => byte.is_ascii_digit(),
    });
    let rest = &text[code.len()..];
    if !has_form || rest.starts_with(|c: char| c.is_alphanumeric() || c == ';') {
        return None;
    }
    let group = |at: usize| code[at..at + GROUP_DIGITS].parse::<f64>().ok();
    let (hours, minutes, seconds) = (group(0)?, group(3)?, group(6)?);
    let seconds_of_code = hours * 3600.0 + minutes * 60.0 + seconds;
    (minutes < 60.0 && seconds < 60.0).then_some(Clock { seconds: seconds_of_code, has_hours: true, rest })
}

/// `AM` and `PM`, written to the number, and the `Z` of a time zone.
fn starts_with_suffix(rest: &str) -> bool {
    meridiem(rest).0.is_some() || rest.strip_prefix('Z').is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// The digits after the point or comma. Frames (`00:00:01:12`) are left out, as the file does not say how many a second
/// has; three digits after a colon are milliseconds.
fn fraction_at<'a>(rest: &'a str, groups: &[&str]) -> (&'a str, &'a str) {
    if let Some((fraction, after)) = rest.strip_prefix(['.', ',']).and_then(digits) {
        return (fraction, after);
    }
    let is_time_code = groups.len() == 3 && groups[1].len() == GROUP_DIGITS && groups[2].len() == GROUP_DIGITS;
    if is_time_code && let Some((frames, after)) = rest.strip_prefix([':', ';']).and_then(digits) {
        match frames.len() {
            2 => return ("", after),
            3 => return (frames, after),
            _ => {}
        }
    }
    ("", rest)
}

/// `AM`, `p.m.` and the like after a time, and the rest.
pub(super) fn meridiem(rest: &str) -> (Option<HalfDay>, &str) {
    let trimmed = rest.trim_start();
    for (half_day, words) in [(HalfDay::Morning, ["a.m.", "a.m", "am"]), (HalfDay::Afternoon, ["p.m.", "p.m", "pm"])] {
        for word in words {
            let found = trimmed.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word));
            if found.is_some() && !trimmed[word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '\'') {
                return (Some(half_day), &trimmed[word.len()..]);
            }
        }
    }
    (None, rest)
}

/// The half of the day where it stands before the time: `오후 10:02`.
pub(super) fn leading_half_day(text: &str) -> (Option<HalfDay>, &str) {
    let words = [("오전", "오후"), ("上午", "下午"), ("午前", "午後")];
    for (morning, afternoon) in words {
        for (word, half_day) in [(morning, HalfDay::Morning), (afternoon, HalfDay::Afternoon)] {
            if let Some(rest) = text.strip_prefix(word) {
                return (Some(half_day), rest.trim_start());
            }
        }
    }
    (None, text)
}

/// The ASCII digits at the head of a text, at least one, and the rest.
pub(super) fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
