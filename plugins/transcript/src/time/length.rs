//! Lengths of time from the beginning: `4.2s`, `1m 2s`, `PT1M2.5S`, and bare numbers of seconds.

use super::clock::digits;

/// Units of time, longest spelling first, with their seconds.
const UNITS: [(&str, f64); 16] = [
    ("milliseconds", 0.001),
    ("seconds", 1.0),
    ("minutes", 60.0),
    ("second", 1.0),
    ("minute", 60.0),
    ("hours", 3600.0),
    ("hour", 3600.0),
    ("secs", 1.0),
    ("mins", 60.0),
    ("sec", 1.0),
    ("min", 60.0),
    ("hr", 3600.0),
    ("ms", 0.001),
    ("h", 3600.0),
    ("m", 60.0),
    ("s", 1.0),
];

/// Seconds of a clock time, of a length with a unit, or of a bare number of seconds.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let bare_number = || text.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0);
    let length = || length_at(text).filter(|(_, rest, _)| rest.is_empty()).map(|(seconds, _, _)| seconds);
    super::clock(text).or_else(bare_number).or_else(length).or_else(|| iso_length(text))
}

/// A length at the head of a text: its seconds, the rest, and whether it names a unit. A bare number has a point.
pub(super) fn length_at(text: &str) -> Option<(f64, &str, bool)> {
    let (mut sum, mut rest, mut units) = (0.0, text, 0);
    while let Some((value, after)) = number_at(rest) {
        let Some((unit, after)) = unit_at(after.strip_prefix(' ').unwrap_or(after)) else {
            let is_bare = units == 0 && text[..text.len() - after.len()].contains('.');
            let ends = !after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | ',' | ':' | '%'));
            return if is_bare && ends {
                Some((value, after, false))
            } else {
                (units > 0).then_some((sum, rest, true))
            };
        };
        sum += value * unit;
        units += 1;
        rest = after;
        let next = rest.trim_start();
        if !next.starts_with(|c: char| c.is_ascii_digit()) || units == 3 {
            break;
        }
        rest = next;
    }
    (units > 0).then_some((sum, rest, true))
}

fn number_at(text: &str) -> Option<(f64, &str)> {
    let (whole, mut rest) = digits(text).filter(|(whole, _)| whole.len() <= 12)?;
    let mut end = whole.len();
    if let Some((fraction, after)) = rest.strip_prefix('.').and_then(digits) {
        end += 1 + fraction.len();
        rest = after;
    }
    Some((text[..end].parse().ok()?, rest))
}

/// The seconds of a unit that no further letter or digit makes another word of, other than the next number of a length.
fn unit_at(text: &str) -> Option<(f64, &str)> {
    UNITS.iter().find_map(|(name, seconds)| {
        let rest = text.strip_prefix(name)?;
        (!rest.starts_with(char::is_alphabetic)).then_some((*seconds, rest))
    })
}

/// `PT1H2M3.5S`, as ISO 8601 writes a length.
fn iso_length(text: &str) -> Option<f64> {
    let mut rest = text.strip_prefix("PT").filter(|rest| !rest.is_empty())?;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let (value, after) = number_at(rest)?;
        let unit = match after.chars().next()? {
            'H' => 3600.0,
            'M' => 60.0,
            'S' => 1.0,
            _ => return None,
        };
        sum += value * unit;
        rest = &after[1..];
    }
    Some(sum)
}
