//! Values that TOML has no type for: durations, sizes, and what may be a name.

use std::time::Duration;

use humantime::DurationError as Error;

pub(super) use crate::plugin::sandbox::parse_size as size;

/// Reads `200ms`, `2m`, `1h 30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| match error {
        Error::UnknownUnit { unit, .. } if unit.is_empty() => "a unit is missing".to_owned(),
        Error::UnknownUnit { unit, .. } => format!("unknown unit `{unit}`"),
        Error::NumberExpected(_) => "expected a number".to_owned(),
        Error::NumberOverflow => "too long".to_owned(),
        Error::Empty => "it is empty".to_owned(),
        other => other.to_string().to_lowercase(),
    })
}

/// Whether it may be the name of a stage or a plugin: a lower-case letter, then lower-case letters, digits, `-`, `_`.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-' || char == '_')
}

/// What a name would be if it followed the rule.
pub(super) fn as_name(text: &str) -> Option<String> {
    let name: String = text
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || char == '_' { char.to_ascii_lowercase() } else { '-' })
        .collect();
    let name = name.trim_matches(|char: char| char == '-' || char.is_ascii_digit()).to_owned();
    is_name(&name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("256MiB"), Ok(256 << 20));
        assert_eq!(size("10 kb"), Ok(10_000));
        assert_eq!(size("4_096"), Ok(4096));
        assert_eq!(size("1.5GiB"), Ok(3 << 29));
        assert!(size("").is_err());
        assert!(size("-1").is_err());
        assert!(size("5 parsecs").is_err());
        assert!(size("99999999999TiB").is_err());
        assert!(size("99999999999.5TiB").is_err());
    }

    #[test]
    fn names() {
        assert!(is_name("say-means_2"));
        for bad in ["", "Say", "2nd", "-a", "a b", "ä", "a/b"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert_eq!(as_name("Say Means").as_deref(), Some("say-means"));
        assert_eq!(as_name("2"), None);
    }
}
