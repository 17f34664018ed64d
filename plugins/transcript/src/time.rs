//! Parses times as they are written in transcripts.

/// Seconds of `12:34`, `1:02:03`, `00:00:12.500` or `00:00:12,500`; nothing else is a time.
pub(crate) fn clock(text: &str) -> Option<f64> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut seconds = 0.0;
    let mut parts = 0;
    for part in whole.split(':') {
        if part.is_empty() || part.len() > 4 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let value: f64 = part.parse().ok()?;
        if parts > 0 && (part.len() > 2 || value >= 60.0) {
            return None;
        }
        seconds = seconds * 60.0 + value;
        parts += 1;
    }
    if !(2..=3).contains(&parts) {
        return None;
    }
    // Hours, minutes and seconds are added up as whole numbers first, so that the sum is the closest one there is.
    let fraction = match fraction {
        Some(digits) if !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{seconds}.{digits}").parse().ok()?
        }
        Some(_) => return None,
        None => seconds,
    };
    Some(fraction)
}

/// Seconds of a clock time or of a bare number of seconds.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let bare_seconds =
        || text.strip_suffix('s').unwrap_or(text).parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0);
    clock(text).or_else(bare_seconds)
}

/// A time at the head of a line, bare or in brackets, with an end time or not: its seconds and the rest of the line.
pub(crate) fn leading(line: &str) -> Option<(f64, &str)> {
    let (inner, rest) = match line.chars().next()? {
        open @ ('[' | '(') => {
            let close = if open == '[' { ']' } else { ')' };
            let end = line.char_indices().take(40).find(|&(_, c)| c == close)?.0;
            (&line[1..end], &line[end + 1..])
        }
        '0'..='9' => {
            let end = line.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ','))).unwrap_or(line.len());
            // A comma or full stop after a time is not part of it.
            let time = line[..end].trim_end_matches(['.', ',', ':']);
            (time, &line[time.len()..])
        }
        _ => return None,
    };
    let mut ends = inner.split("-->").flat_map(|part| part.split([' ', '-', '–'])).filter(|part| !part.is_empty());
    let start = clock(ends.next()?)?;
    if !ends.all(|end| clock(end).is_some()) {
        return None;
    }
    Some((start, skip_end(rest)))
}

/// The rest of a line after ` --> 00:15` or ` - 00:15`, and after what sets a time off.
fn skip_end(rest: &str) -> &str {
    let trimmed = rest.trim_start();
    let dash = ["-->", "-", "–"].iter().find_map(|dash| trimmed.strip_prefix(dash));
    if let Some(after) = dash {
        let after = after.trim_start();
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        if clock(&after[..end]).is_some() {
            return &after[end..];
        }
        return after;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_times_are_read() {
        assert_eq!(clock("00:12"), Some(12.0));
        assert_eq!(clock("01:02:03.5"), Some(3723.5));
        assert_eq!(clock("00:00:12,345"), Some(12.345));
        assert_eq!(clock("75:10"), Some(4510.0));
    }

    #[test]
    fn other_texts_are_not_clock_times() {
        for text in ["12", "1:2:3:4", "10:75", "a:12", "", ":", "1:234", "00:12."] {
            assert_eq!(clock(text), None, "{text}");
        }
    }

    #[test]
    fn bare_numbers_are_seconds() {
        assert_eq!(seconds(" 12.5 "), Some(12.5));
        assert_eq!(seconds("-1"), None);
        assert_eq!(seconds("inf"), None);
    }

    #[test]
    fn a_time_may_lead_a_line_in_many_guises() {
        for line in
            ["[00:12] x", "(00:12) x", "00:12 x", "00:00:12 - 00:15 x", "[00:12 --> 00:15] x", "00:12 --> 00:15 x"]
        {
            let (start, rest) = leading(line).expect(line);
            assert_eq!((start, rest.trim()), (12.0, "x"), "{line}");
        }
        assert_eq!(leading("[laughter] x"), None);
        assert_eq!(leading("12 people came"), None);
    }
}
