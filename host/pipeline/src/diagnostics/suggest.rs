//! Suggestions for names that do not exist: the nearest of the names that do.

use std::fmt::Write as _;

/// The name that was probably meant, if one is near enough.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Case and the kind of separator are the commonest slips, so they cost nothing.
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(name);
    let allowed = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|candidate| !candidate.is_empty() && *candidate != name)
        .map(|candidate| (distance(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits between two names; adding or dropping a plural `s` or a whole word counts as one.
fn distance(left: &str, right: &str) -> usize {
    let whole_word = |long: &str, short: &str| short.len() >= 4 && long.split('_').any(|word| word == short);
    if left != right && (whole_word(left, right) || whole_word(right, left)) {
        return 1;
    }
    strsim::damerau_levenshtein(left, right)
}

/// A hint for an unknown name: the nearest one, else all that there are, after a word such as `known keys`.
pub fn hint_for<'a>(name: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if known.is_empty() => None,
        None => Some(format!("{what}: {}", list(known))),
    }
}

/// Names in backticks, joined by commas; a long list is cut.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 16;
    let names: Vec<&str> = names.into_iter().collect();
    let mut text = names.iter().take(MOST).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        let _ = write!(text, " and {} more", names.len() - MOST);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_nothing_far() {
        let known = ["max_in_flight", "retry", "timeout", "use", "in"];
        assert_eq!(nearest("max-in-flight", known), Some("max_in_flight"));
        assert_eq!(nearest("retrys", known), Some("retry"));
        assert_eq!(nearest("Timeout", known), Some("timeout"));
        assert_eq!(nearest("tiemout", known), Some("timeout"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("x", known), None);
    }
}
