//! Points in time in the forms in which documents write them.

use jackfield_plugin_api::prelude::*;

/// A point in time: seconds since 1970 (UTC), or a text of RFC 3339 such as `2026-03-01T12:00:00Z`.
#[derive(Clone, Debug, PartialEq, Document)]
#[serde(untagged)]
pub enum Moment {
    /// Seconds since 1970-01-01T00:00:00Z.
    Seconds(f64),
    /// Date, time and offset.
    Written(String),
}

impl Moment {
    /// Days since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] with the text, if it is not of RFC 3339.
    pub fn days(&self) -> Result<f64> {
        match self {
            Self::Seconds(seconds) => Ok(seconds / 86_400.0),
            Self::Written(text) => parse_days(text).ok_or_else(|| {
                let hint = "write it as `2026-03-01T12:00:00Z`, or as seconds since 1970";
                Failure::InvalidInput(format!("`{}` is not a point in time: {hint}", text.escape_debug()))
            }),
        }
    }
}

/// Days since 1970 of a text of RFC 3339: `YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm)`.
fn parse_days(text: &str) -> Option<f64> {
    let number = |start: usize, end: usize| -> Option<i64> {
        let digits = text.get(start..end)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let has_one_of = |index: usize, bytes: &[u8]| text.as_bytes().get(index).is_some_and(|byte| bytes.contains(byte));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let separators: [(usize, &[u8]); 5] = [(4, b"-"), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")];
    if !separators.iter().all(|(index, bytes)| has_one_of(*index, bytes)) {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of_month = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let longest = *days_of_month.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    // Second 60 is a leap second.
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut fraction = 0.0;
    if let Some(after) = rest.strip_prefix('.') {
        let end = after.bytes().position(|byte| !byte.is_ascii_digit())?;
        if end == 0 {
            return None;
        }
        fraction = format!("0.{}", &after[..end]).parse().ok()?;
        rest = &after[end..];
    }
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), a, b, b':', c, d] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => {
            let two = |tens: &u8, ones: &u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
            let (hours, minutes) = (two(a, b), two(c, d));
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -60 } else { 60 }
        }
        _ => return None,
    };
    // Days since 1970 of a date (Hinnant 2013): years begin in March, so that a leap day comes last.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let seconds = (hour * 60 + minute) * 60 + second - offset;
    Some(days as f64 + (seconds as f64 + fraction) / 86_400.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_days_since_1970() {
        for (text, days) in [
            ("1970-01-01T00:00:00Z", 0.0),
            ("2000-03-01T00:00:00Z", 11_017.0),
            ("2024-02-29T12:00:00Z", 19_782.5),
            ("2024-02-29T14:00:00+02:00", 19_782.5),
            ("1969-12-31T18:00:00.000-06:00", 0.0),
        ] {
            assert_eq!(Moment::Written(text.to_owned()).days(), Ok(days), "{text}");
        }
        assert_eq!(Moment::Seconds(43_200.0).days(), Ok(0.5));
    }

    #[test]
    fn what_is_not_a_date_is_refused_with_its_text() {
        for text in
            ["", "yesterday", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01", "2024-01-01T00:00:00"]
        {
            let failure = Moment::Written(text.to_owned()).days().unwrap_err();
            assert!(matches!(&failure, Failure::InvalidInput(why) if why.contains(text)), "{failure}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,12}[Z+-]?[0-9:é]{0,5}") {
            let _ = Moment::Written(text).days();
        }
    }
}
