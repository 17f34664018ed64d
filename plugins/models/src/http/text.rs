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

/// What a web page says to a reader: its title and its text, without marks, scripts and styles.
pub(crate) fn page_text(page: &str) -> String {
    const UNSEEN: [(&str, &str); 3] = [("script", "</script"), ("style", "</style"), ("!--", "-->")];
    // As long as the page in bytes, since only ASCII letters change.
    let lower = page.to_ascii_lowercase();
    let mut text = String::new();
    let mut at = 0;
    while let Some(length) = lower[at..].find('<') {
        text.push_str(&page[at..at + length]);
        text.push(' ');
        let mark = at + length + 1;
        let end = UNSEEN.iter().find(|(name, _)| lower[mark..].starts_with(name)).map_or("", |(_, end)| *end);
        let ends = lower[mark..].find(end).map(|found| mark + found);
        at = ends.and_then(|ends| Some(ends + lower[ends..].find('>')? + 1)).unwrap_or(page.len());
    }
    text.push_str(&page[at..]);
    text.trim().to_owned()
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
    fn of_a_web_page_what_a_reader_sees_is_left() {
        let page = "<!DOCTYPE html><HTML><head><title>One moment</title><style>b { c: d }</style><!-- <b>no</b> -->\n\
                    <SCRIPT>if (a < b) {}</SCRIPT ></head><body class=\"x\">Away <b>for</b> now &amp; then</body></HTML>";
        assert_eq!(shortened_line(&page_text(page), 100), "One moment Away for now &amp; then");
        assert_eq!(page_text("<p"), "");
        assert_eq!(page_text("<script>never closed"), "");
        assert_eq!(page_text("<!-- 1 > 0, -- <i>so</i> --><!-->seen"), "seen");
        assert_eq!(page_text("no marks"), "no marks");
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
