//! The text that all replies begin with.

/// The longest text that all replies begin with. Where it would end within a word of one of them, it ends before that word,
/// and white space at its end is left off: most vocabularies have it at the begin of the next token.
///
/// ```
/// use jackfield_directions::common_start;
///
/// assert_eq!(common_start(&["Sure, here is a list", "Sure, here it is"]), "Sure, here");
/// ```
#[must_use]
pub fn common_start<'a>(replies: &[&'a str]) -> &'a str {
    let Some((first, others)) = replies.split_first() else { return "" };
    let shared_length = |other: &&str| {
        let pairs = first.chars().zip(other.chars());
        pairs
            .take_while(|(first_char, other_char)| first_char == other_char)
            .map(|(first_char, _)| first_char.len_utf8())
            .sum::<usize>()
    };
    let mut start = &first[..others.iter().map(shared_length).min().unwrap_or(first.len())];
    let continues_word = |reply: &&str| reply[start.len()..].chars().next().is_some_and(is_of_word);
    if replies.iter().any(continues_word) {
        start = start.trim_end_matches(is_of_word);
    }
    start.trim_end()
}

/// Whether a character is part of a word. Scripts without cases are written without spaces, and each character is taken as a
/// word.
fn is_of_word(character: char) -> bool {
    character.is_lowercase() || character.is_uppercase() || character.is_numeric()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::common_start;

    #[test]
    fn a_start_ends_before_the_word_in_which_replies_begin_to_differ() {
        for (replies, wanted) in [
            (&[][..], ""),
            (&["Dear aunt,\n"], "Dear aunt,"),
            (&["The cat", "Then"], ""),
            (&["The cat", "The hat"], "The"),
            (&["The", "The hat"], "The"),
            (&["Sure! One", "Sure! 1", "Sure? "], "Sure"),
            (&["好的我", "好的你"], "好的"),
            (&["a", ""], ""),
        ] {
            assert_eq!(common_start(replies), wanted, "{replies:?}");
        }
    }

    proptest! {
        #[test]
        fn all_replies_begin_with_it_in_whichever_order(mut replies in proptest::collection::vec("(a|b|é|好| |1){0,5}", 1..5)) {
            let texts: Vec<&str> = replies.iter().map(String::as_str).collect();
            let start = common_start(&texts).to_owned();
            prop_assert!(replies.iter().all(|reply| reply.starts_with(&start)));
            replies.reverse();
            let texts: Vec<&str> = replies.iter().map(String::as_str).collect();
            prop_assert_eq!(common_start(&texts), start);
        }
    }
}
