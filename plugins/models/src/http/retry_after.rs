//! How long a server asks to wait.

use std::time::Duration;

/// Longest wait that is believed.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait that `retry-after-ms` or `Retry-After` (seconds, perhaps with a unit, or an HTTP date) asks for, at most a day. A date
/// counts from the answer's own `Date`, so that a clock that is off does no harm: the host adds one where the server has none.
pub(super) fn retry_after(headers: &[(String, String)]) -> Option<Duration> {
    let text = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim());
    if let Some(wait) = text("retry-after-ms").and_then(|text| wait_of(text, 0.001)) {
        return Some(wait);
    }
    let asked = text("retry-after")?;
    wait_of(asked, 1.0).or_else(|| {
        let until = httpdate::parse_http_date(asked).ok()?;
        let from = httpdate::parse_http_date(text("date")?).ok()?;
        Some(until.duration_since(from).unwrap_or_default().min(LONGEST))
    })
}

/// The wait that a text says: a number of such units, in seconds, or numbers that have a unit each; at most a day.
pub(super) fn wait_of(text: &str, unit: f64) -> Option<Duration> {
    let seconds = text.parse::<f64>().map_or_else(|_| sum_of(text), |number| Some(number * unit))?;
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).map_or(LONGEST, |wait| wait.min(LONGEST)))
}

/// The seconds of numbers that have a unit each: `4s`, `1.5 min`, `1h30m`.
fn sum_of(text: &str) -> Option<f64> {
    let (mut sum, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|char: char| char.is_ascii_alphabetic())?);
        let end = after.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        sum += number.trim_end().parse::<f64>().ok()? * unit_of(unit)?;
        rest = after.trim_start();
    }
    (!text.is_empty()).then_some(sum)
}

/// The seconds of a unit that some servers write after the number.
fn unit_of(name: &str) -> Option<f64> {
    match name.to_ascii_lowercase().as_str() {
        "ms" => Some(0.001),
        "s" | "sec" | "second" | "seconds" => Some(1.0),
        "m" | "min" | "minute" | "minutes" => Some(60.0),
        "h" | "hour" | "hours" => Some(3600.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&str, &str)]) -> Option<Duration> {
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        retry_after(&headers)
    }

    #[test]
    fn seconds_milliseconds_and_dates_are_read() {
        assert_eq!(wait(&[("retry-after", "3")]), Some(Duration::from_secs(3)));
        assert_eq!(wait(&[("retry-after", " 0.5 ")]), Some(Duration::from_millis(500)));
        assert_eq!(wait(&[("retry-after-ms", "250"), ("retry-after", "9")]), Some(Duration::from_millis(250)));
        assert_eq!(wait(&[("retry-after", "4s")]), Some(Duration::from_secs(4)));
        assert_eq!(wait(&[("retry-after", "1.5 min")]), Some(Duration::from_secs(90)));
        assert_eq!(wait(&[("retry-after", "1h30m")]), Some(Duration::from_secs(5400)));
        assert_eq!(wait(&[("retry-after", "59m12s")]), Some(Duration::from_secs(3552)));
        assert_eq!(wait(&[("retry-after", "1s 500ms")]), Some(Duration::from_millis(1500)));
        assert_eq!(wait(&[("retry-after-ms", "250ms")]), Some(Duration::from_millis(250)));
        let date = ("date", "Sun, 06 Nov 1994 08:49:35 GMT");
        assert_eq!(wait(&[date, ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]), Some(Duration::from_secs(2)));
        assert_eq!(wait(&[date, ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_no_wait_and_a_huge_one_is_a_day() {
        assert_eq!(wait(&[]), None);
        for invalid_answer in ["soon", "-1", "NaN", "", "1h30", "1h soon", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            assert_eq!(wait(&[("retry-after", invalid_answer)]), None, "{invalid_answer}");
        }
        for huge in ["1e300", "inf", "999999999", "48h"] {
            assert_eq!(wait(&[("retry-after", huge)]), Some(LONGEST), "{huge}");
        }
        assert_eq!(wait(&[("retry-after-ms", "x"), ("retry-after", "2")]), Some(Duration::from_secs(2)));
    }
}
