//! Texts as the evaluation of SQuAD compares them (Rajpurkar and others 2016, `evaluate-v1.1.py`).

/// What the script takes out: ASCII punctuation.
fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
}

/// In lower case, without punctuation and the articles a, an and the, with one blank between words.
pub(crate) fn normalize(text: &str) -> String {
    let bare: String = text.to_lowercase().chars().filter(|character| !is_punctuation(*character)).collect();
    without_articles(&bare).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Each article that stands between characters of no word becomes a blank.
fn without_articles(text: &str) -> String {
    let is_of_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut kept = String::with_capacity(text.len());
    let mut word = String::new();
    for character in text.chars().chain([' ']) {
        if is_of_word(character) {
            word.push(character);
            continue;
        }
        kept.push_str(if matches!(&*word, "a" | "an" | "the") { " " } else { &word });
        word.clear();
        kept.push(character);
    }
    kept
}

/// The words of [`normalize`].
pub(crate) fn tokens(text: &str) -> Vec<String> {
    normalize(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_and_punctuation_do_not_count() {
        assert_eq!(normalize(" The  Eiffel-Tower, in an\tanthem of a-b "), "eiffeltower in anthem of ab");
        assert_eq!(tokens("The!"), Vec::<String>::new());
    }
}
