//! Scripts that are written without blanks between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese.
//!
//! Without a dictionary nobody can say where their words end. Characters and what stands beside them have to do.

/// Whether a character is of a script that is written without blanks between words.
#[must_use]
pub const fn is_unspaced(c: char) -> bool {
    matches!(c,
        // Thai and Lao; Burmese; Khmer.
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        // Hiragana and katakana with the mark of long vowels; Bopomofo.
        | '\u{3041}'..='\u{30ff}' | '\u{3105}'..='\u{312f}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}')
        || is_ideograph(c)
}

/// What stands between two words where they are put together: nothing if both are of scripts without blanks.
#[must_use]
pub fn blank_between(left: &str, right: &str) -> &'static str {
    if left.ends_with(is_unspaced) && right.starts_with(is_unspaced) { "" } else { " " }
}

/// Words put together as their scripts are written.
#[must_use]
pub fn joined<S: AsRef<str>>(words: &[S]) -> String {
    let mut text = String::new();
    for word in words.iter().map(AsRef::as_ref) {
        if !text.is_empty() {
            text.push_str(blank_between(&text, word));
        }
        text.push_str(word);
    }
    text
}

/// Whether a character is a Chinese one, in whichever language.
#[must_use]
pub const fn is_ideograph(c: char) -> bool {
    matches!(c, '々' | '〇' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_put_together_as_they_are_written() {
        assert_eq!(joined(&["remote", "control"]), "remote control");
        assert_eq!(joined(&["项目", "预算"]), "项目预算");
        assert_eq!(joined(&["テスト", "plan"]), "テスト plan");
    }
}
