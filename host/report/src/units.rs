//! Numbers, times and amounts as people read them, and steps of axes.

use std::time::Duration;

/// Milliseconds as people read them.
pub fn ms(value: f64) -> String {
    match value {
        0.0 => "-".to_owned(),
        value if value >= 10_000.0 => format!("{:.1} s", value / 1000.0),
        value if value >= 100.0 => format!("{value:.0} ms"),
        value if value >= 1.0 => format!("{value:.1} ms"),
        value => format!("{value:.3} ms"),
    }
}

/// A number with its noun, in the plural unless it is one.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Microseconds as people read them.
pub(super) fn microseconds(value: u64) -> String {
    ms(value as f64 / 1000.0)
}

/// Microseconds in few characters, to two or three digits: 390 µs, 4.1 ms, 121 ms.
pub(super) fn brief_duration(value: u64) -> String {
    match value as f64 {
        value if value < 1e3 => format!("{value:.0} µs"),
        value if value < 1e4 => format!("{:.1} ms", value / 1e3),
        value if value < 1e6 => format!("{:.0} ms", value / 1e3),
        value if value < 1e7 => format!("{:.1} s", value / 1e6),
        value => format!("{} s", with_commas((value / 1e6) as u64)),
    }
}

/// A number with its noun, as [`counted`], with a comma between thousands.
pub(super) fn grouped_count(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", with_commas(count), if count == 1 { "" } else { "s" })
}

/// A time that may be long: `1h 12m 3s`.
pub(super) fn long_duration(value: u64) -> String {
    match value {
        value if value < 1_000_000 => return microseconds(value),
        value if value < 60_000_000 => return format!("{} s", short_number(value as f64 / 1e6)),
        _ => {}
    }
    humantime::format_duration(Duration::from_secs(value / 1_000_000)).to_string()
}

/// The label of a tick, in the unit of the axis' end.
pub(super) fn tick_label(value: f64, end: f64) -> String {
    let (unit, name) = match end {
        end if end >= 7_200e6 => (3_600e6, "h"),
        end if end >= 120e6 => (60e6, "min"),
        end if end >= 1e6 => (1e6, "s"),
        end if end >= 1e3 => (1e3, "ms"),
        _ => (1.0, "µs"),
    };
    format!("{} {name}", short_number(value / unit))
}

/// Times of a logarithmic axis: 1 µs, 10 ms, 1 s.
pub(super) fn power_label(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{} s", with_commas((value / 1e6) as u64)),
        value if value >= 1e3 => format!("{:.0} ms", value / 1e3),
        value => format!("{value:.0} µs"),
    }
}

/// At most three decimals, and none that say nothing.
pub(super) fn short_number(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.001 || size == 0.0 => format!("{value:.3}"),
        _ => return format!("{value:.1e}"),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// To four digits, and none that say nothing.
pub fn significant_digits(value: f64) -> String {
    let size = value.abs();
    if value != 0.0 && !(1e-4..1e7).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals =
        if size >= 1000.0 || value == 0.0 { 0 } else { (3 - size.log10().floor() as i32).clamp(0, 7) as usize };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// With a comma between thousands.
pub(super) fn with_commas(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// US dollars.
pub(super) fn usd(value: f64) -> String {
    match value {
        0.0 => "0 USD".to_owned(),
        value if value.abs() >= 10.0 => format!("{value:.2} USD"),
        value if value.abs() >= 0.001 => format!("{value:.4} USD"),
        value => format!("{value:.6} USD"),
    }
}

/// A share of 1 in percent.
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        percent if percent < 0.1 => "< 0.1 %".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// `part` of `whole`; 0 of nothing.
pub(super) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}

/// A coordinate or length in a drawing.
pub(super) fn px(value: f64) -> String {
    let text = format!("{:.1}", if value.is_finite() { value } else { 0.0 });
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// A moment of the record, RFC 3339, as people read it.
pub(super) fn readable_timestamp(text: &str) -> String {
    match text.get(..19) {
        Some(seconds) => format!("{} UTC", seconds.replace('T', " ")),
        None => text.to_owned(),
    }
}

/// Steps of an axis from 0 to `end`, between 3 and 8 of them: 1, 2 or 5 times a power of ten; of minutes and hours, what
/// divides them.
pub(super) fn axis_step(end: f64) -> f64 {
    let (unit, span) = match end {
        end if end >= 7_200e6 => (3_600e6, end / 3_600e6),
        end if end >= 120e6 => (60e6, end / 60e6),
        end => (1.0, end),
    };
    let power = 10_f64.powf((span.max(1e-9) / 8.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| span / step <= 8.0);
    unit * step.unwrap_or(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let all = [
            with_commas(0),
            with_commas(999),
            with_commas(1_234_567),
            usd(0.0),
            usd(0.000_012),
            usd(0.0144),
            usd(12.5),
            percent(0.0),
            percent(0.000_1),
            percent(0.05),
            percent(0.625),
            short_number(0.25),
            short_number(1234.5),
            short_number(0.000_12),
            short_number(20.0),
            long_duration(1_474_000),
            brief_duration(390),
            brief_duration(4_120),
            brief_duration(121_400),
            grouped_count(12_000, "call"),
            long_duration(3_723_000_000),
            px(3.04),
            px(f64::NAN),
            readable_timestamp("2026-11-21T22:21:14.837Z"),
            readable_timestamp("nonsense"),
            power_label(1e7),
            power_label(10.0),
            tick_label(2.5e6, 5e6),
            significant_digits(0.035_123),
            significant_digits(0.0),
            significant_digits(1234.56),
            significant_digits(0.95),
            significant_digits(-12.0),
            significant_digits(0.000_012),
        ];
        let wanted = [
            "0",
            "999",
            "1,234,567",
            "0 USD",
            "0.000012 USD",
            "0.0144 USD",
            "12.50 USD",
            "0 %",
            "< 0.1 %",
            "5.0 %",
            "62 %",
            "0.25",
            "1234",
            "1.2e-4",
            "20",
            "1.47 s",
            "390 µs",
            "4.1 ms",
            "121 ms",
            "12,000 calls",
            "1h 2m 3s",
            "3",
            "0",
            "2026-11-21 22:21:14 UTC",
            "nonsense",
            "10 s",
            "10 µs",
            "2.5 s",
            "0.03512",
            "0",
            "1235",
            "0.95",
            "-12",
            "1.200e-5",
        ];
        assert_eq!(all.each_ref().map(String::as_str), wanted);
    }

    #[test]
    fn an_axis_has_a_handful_of_round_steps() {
        for end in [3.0, 950.0, 1e6, 2.3e6, 119e6, 121e6, 7_000e6, 9_000e6, 1e12] {
            let step = axis_step(end);
            assert!((2.0..=8.0).contains(&(end / step)), "{end}: {step}");
        }
        assert_eq!((axis_step(950.0), axis_step(2.3e6), axis_step(600e6)), (200.0, 5e5, 120e6));
    }
}
