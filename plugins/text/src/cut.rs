//! Texts made shorter, or put on one line, for a reader.
//!
//! Lengths are in characters (Unicode scalar values). A text that is short enough stays as it is.

/// The text on one line: its words, parted by single spaces.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// The first `most` characters of a text, wherever that cuts it.
#[must_use]
pub fn first_chars(text: &str, most: usize) -> &str {
    match text.char_indices().nth(most) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// The first words of a text, `most` characters together at most, without white space at their end; of a word that is
/// longer alone its first characters.
#[must_use]
pub fn first_words(text: &str, most: usize) -> &str {
    let head = first_chars(text, most);
    if head.len() == text.len() {
        return text;
    }
    let ends_with_word = text[head.len()..].starts_with(char::is_whitespace);
    let head = match head.rfind(char::is_whitespace) {
        Some(end) if !ends_with_word => &head[..end],
        _ => head,
    };
    head.trim_end()
}

/// The text on one line, cut between words to `most` characters at most, with an ellipsis behind what is left.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        let room = most.saturating_sub(length + usize::from(length > 0));
        if letters > room {
            if length == 0 {
                line.push_str(first_chars(word, most));
            }
            while line.ends_with([',', ';', ':', '-', '–']) {
                line.pop();
            }
            line.push('…');
            return line;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += letters;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{first_chars, first_words, one_line, shortened};

    #[test]
    fn a_line_has_single_spaces() {
        assert_eq!(one_line(" one\n\t two  "), "one two");
        assert_eq!(one_line(" \n"), "");
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(first_chars("äöü", 2), "äö");
        assert_eq!(first_chars("äöü", 3), "äöü");
        assert_eq!(first_chars("äöü", 0), "");
    }

    #[test]
    fn a_head_ends_with_a_word_where_it_can() {
        assert_eq!(first_words("the owl hunts", 13), "the owl hunts");
        assert_eq!(first_words("the owl hunts", 9), "the owl");
        assert_eq!(first_words("the owl hunts", 7), "the owl");
        assert_eq!(first_words("the owl hunts", 8), "the owl");
        assert_eq!(first_words("owlets", 3), "owl");
    }

    #[test]
    fn text_is_cut_between_words() {
        assert_eq!(shortened("one two three", 7), "one two…");
        assert_eq!(shortened("one two, three", 9), "one two…");
        assert_eq!(shortened("one two", 7), "one two");
        assert_eq!(shortened("çççççç", 3), "ççç…");
        assert_eq!(shortened("", 3), "");
    }
}
