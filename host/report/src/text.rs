//! Texts cut to the length that a page or a table has room for.

/// How many characters of a digest are shown.
const DIGEST_CHARACTERS: usize = 12;

/// The text cut to at most `max_characters`; where something was cut off, the last of them is `…`.
pub(super) fn truncate(text: &str, max_characters: usize) -> String {
    match text.char_indices().nth(max_characters) {
        Some(_) => text.chars().take(max_characters.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// The beginning of a digest, long enough to tell it from others.
pub(super) fn short_digest(digest: &str) -> String {
    digest.chars().take(DIGEST_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_cut_ends_with_an_ellipsis() {
        assert_eq!(
            [truncate("abcdef", 4), truncate("abcd", 4), truncate("äöü", 2), truncate("a", 0)],
            ["abc…", "abcd", "ä…", "…"]
        );
        assert_eq!(short_digest("0123456789abcdef"), "0123456789ab");
    }
}
