//! Texts of servers and models, made fit to be shown or parsed.

/// At most `most` characters on one line; what is cut ends in an ellipsis.
pub(crate) fn shortened_line(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(4 * most));
    let mut count = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        for character in (count > 0).then_some(' ').into_iter().chain(word.chars()) {
            if count == most {
                line.push('…');
                return line;
            }
            line.push(character);
            count += 1;
        }
    }
    line
}

/// The text within a Markdown code fence, if the text is nothing but one; otherwise the text.
pub(crate) fn unfenced(text: &str) -> &str {
    let inner = || {
        let body = text.trim().strip_prefix("```")?.strip_suffix("```")?;
        let (info, body) = body.split_once('\n')?;
        (!info.contains('`') && !body.contains("```")).then(|| body.trim())
    };
    inner().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_put_on_one_line_and_cut() {
        assert_eq!(shortened_line(" one\n\t two\u{7} ", 20), "one two");
        assert_eq!(shortened_line("abcdef", 6), "abcdef");
        assert_eq!(shortened_line("abc def", 4), "abc …");
        assert_eq!(shortened_line("äöü", 2), "äö…");
        assert_eq!(shortened_line("", 2), "");
    }

    #[test]
    fn a_fence_around_the_whole_text_is_taken_off() {
        assert_eq!(unfenced("```json\n{\"a\": 1}\n```\n"), "{\"a\": 1}");
        assert_eq!(unfenced("```\n1\n```"), "1");
        for same in ["{}", "```", "``````", "see:\n```json\n1\n```", "```a\n1\n```\ntext\n```b\n2\n```"] {
            assert_eq!(unfenced(same), same);
        }
    }
}
