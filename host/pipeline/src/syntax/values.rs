//! Values that TOML has no type for: durations, sizes, and what may be a name.

use std::time::Duration;

use humantime::DurationError as Error;

pub(crate) use jackfield_loader::sandbox::parse_size as size;

/// The longest time that a pipeline may name: beyond it, clocks run over.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Reads `200ms`, `2m`, `1h 30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text);
    if parsed.as_ref().is_ok_and(|duration| *duration > LONGEST) {
        return Err("longer than a hundred years".to_owned());
    }
    parsed.map_err(|error| match error {
        Error::UnknownUnit { unit, .. } if unit.is_empty() => "a unit is missing".to_owned(),
        Error::UnknownUnit { unit, .. } => format!("unknown unit `{unit}`"),
        Error::NumberExpected(_) => "expected a number".to_owned(),
        Error::NumberOverflow => "too long".to_owned(),
        Error::Empty => "it is empty".to_owned(),
        other => other.to_string().to_lowercase(),
    })
}

/// The most characters of the name of a stage, a plugin, a model: it becomes the name of files.
pub(crate) const LONGEST_NAME: usize = 64;

/// The most bytes of the name of a pipeline or of an item's file.
pub(crate) const LONGEST_PIPELINE_NAME: usize = 100;

pub(crate) const LONGEST_FILE_NAME: usize = 200;

/// What keeps a text from being the name of a pipeline, if anything does: run folders are called after it.
pub(crate) fn wrong_pipeline_name(text: &str) -> Option<String> {
    let wrong = text.chars().find(|char| !(char.is_alphanumeric() || matches!(char, '-' | '_' | '.')));
    match (text.chars().next(), wrong) {
        (None, _) => Some("it is empty".to_owned()),
        (_, Some(char)) => Some(format!("it cannot contain `{}`", char.escape_debug())),
        (Some('.'), _) => Some("it starts with a dot".to_owned()),
        _ if text.len() > LONGEST_PIPELINE_NAME => {
            Some(format!("it has {} bytes, more than {LONGEST_PIPELINE_NAME}", text.len()))
        }
        _ => None,
    }
}

/// Whether it may be the name of a stage or a plugin: a lower-case letter, then lower-case letters, digits, `-`, `_`.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-' || char == '_')
}

/// What a name would be if it followed the rule.
pub(crate) fn as_name(text: &str) -> Option<String> {
    let name: String = text
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || char == '_' { char.to_ascii_lowercase() } else { '-' })
        .collect();
    let name = name.trim_start_matches(|char: char| !char.is_ascii_lowercase());
    let name: String = name.chars().take(LONGEST_NAME).collect();
    let name = name.trim_end_matches(|char: char| char == '-' || char.is_ascii_digit()).to_owned();
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
    fn durations_have_an_end() {
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("100y 50d"), Err("longer than a hundred years".to_owned()));
        assert!(duration("99999999999999999999y").is_err());
    }

    #[test]
    fn names_of_pipelines_lead_nowhere() {
        for good in ["transcripts", "Q3_report.v2", "会议", "a..b", "7"] {
            assert_eq!(wrong_pipeline_name(good), None, "{good}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", ".a", "a\0", "a b", "a\n", "/a", "C:", &"x".repeat(101)] {
            assert!(wrong_pipeline_name(bad).is_some(), "{bad:?}");
        }
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
