//! Tokens of a small vocabulary: words and marks, each with the space before it.

use std::fmt::Write as _;

use jackfield_plugin_api::Token;
use jackfield_plugin_api::prelude::*;

/// Tokens that stand for no text. A prompt is each message between its role and [`END`], and the role of the answer.
const SPECIAL: [&str; 4] = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"];
const ASSISTANT: u32 = 2;
const END: u32 = 3;
/// Longest run of letters and digits that is one token, in characters.
const LONGEST: usize = 24;
const CONSONANTS: &[u8; 20] = b"bcdfghjklmnpqrstvwxz";
const VOWELS: &[u8; 5] = b"aeiou";
/// How many syllables there are; words of the vocabulary have two.
const SYLLABLES: u32 = 100;

/// The smallest vocabulary.
pub(super) const FEWEST_TOKENS: u32 = 16;
/// The largest vocabulary: every word of two syllables, and what stands for no text.
pub(super) const MOST_TOKENS: u32 = SYLLABLES * SYLLABLES + SPECIAL.len() as u32;

/// Splits texts into tokens. Words without a token of their own share those of the vocabulary, by a hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokenizer {
    /// How many tokens there are.
    pub(super) vocabulary: u32,
}

impl Tokenizer {
    /// The prompt as the model reads it.
    pub(super) fn prompt(self, messages: &[Message]) -> Vec<Token> {
        let special = |id: u32| Token { id, text: SPECIAL[id as usize].to_owned() };
        let mut tokens = Vec::new();
        for message in messages {
            tokens.push(special(match message.role {
                Role::System => 0,
                Role::User => 1,
                Role::Assistant => ASSISTANT,
            }));
            tokens.extend(self.tokens(&message.content));
            tokens.push(special(END));
        }
        tokens.push(special(ASSISTANT));
        tokens
    }

    /// The tokens of a text; put together, they are the text.
    pub(super) fn tokens(self, text: &str) -> Vec<Token> {
        pieces(text).map(|piece| Token { id: self.id(piece), text: piece.to_owned() }).collect()
    }

    /// The text of a token of the vocabulary.
    pub(super) fn text(id: u32) -> String {
        if let Some(special) = SPECIAL.get(id as usize) {
            return (*special).to_owned();
        }
        let mut text = String::from(" ");
        let number = id - SPECIAL.len() as u32;
        for syllable in [number / SYLLABLES % SYLLABLES, number % SYLLABLES] {
            let (consonant, vowel) = (CONSONANTS[(syllable / 5) as usize], VOWELS[(syllable % 5) as usize]);
            let _ = write!(text, "{}{}", char::from(consonant), char::from(vowel));
        }
        text
    }

    fn id(self, piece: &str) -> u32 {
        let word = piece.trim().to_lowercase();
        if let Some(id) = spelled(&word).filter(|id| *id < self.vocabulary) {
            return id;
        }
        // FNV-1a.
        let hash = word
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let first = SPECIAL.len() as u32;
        first + Random::new(hash).below(u64::from(self.vocabulary - first)) as u32
    }
}

/// The token that is spelled so.
fn spelled(word: &str) -> Option<u32> {
    let [c1, v1, c2, v2] = *<&[u8; 4]>::try_from(word.as_bytes()).ok()?;
    let syllable = |consonant: u8, vowel: u8| {
        let consonant = CONSONANTS.iter().position(|known| *known == consonant)?;
        Some((consonant * 5 + VOWELS.iter().position(|known| *known == vowel)?) as u32)
    };
    Some(SPECIAL.len() as u32 + syllable(c1, v1)? * SYLLABLES + syllable(c2, v2)?)
}

/// Runs of letters and digits, and single marks, each with the white space before it.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let word = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        let mut inside = rest[word..].char_indices();
        let first = inside.next().map_or(0, |(_, first)| first.len_utf8());
        let is_word = rest[word..].starts_with(char::is_alphanumeric);
        let longer = inside.take(LONGEST - 1).take_while(|(_, c)| is_word && c.is_alphanumeric());
        let end = word + longer.last().map_or(first, |(at, c)| at + c.len_utf8());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: Tokenizer = Tokenizer { vocabulary: 64 };

    fn texts(text: &str) -> Vec<String> {
        SMALL.tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn words_and_marks_are_tokens_with_the_space_before_them() {
        assert_eq!(texts("Hello, world!\n  Ok. "), ["Hello", ",", " world", "!", "\n  Ok", ".", " "]);
        assert_eq!(texts(""), Vec::<String>::new());
        assert_eq!(texts(&"x".repeat(50)).len(), 3);
        let ids = |text: &str| SMALL.tokens(text).iter().map(|token| token.id).collect::<Vec<_>>();
        assert_eq!(ids("Hello"), ids(" hello"));
        let prompt = SMALL.prompt(&[Message::system("a b"), Message::user("c")]);
        let said: String = prompt.into_iter().map(|token| token.text).collect();
        assert_eq!(said, "<|system|>a b<|end|><|user|>c<|end|><|assistant|>");
    }

    #[test]
    fn every_token_of_the_vocabulary_is_read_as_it_is_written() {
        let all = Tokenizer { vocabulary: MOST_TOKENS };
        for id in [4, 5, 63, 104, 9_999, MOST_TOKENS - 1] {
            assert_eq!(all.tokens(&Tokenizer::text(id)), [Token { id, text: Tokenizer::text(id) }], "{id}");
        }
        assert!(SMALL.tokens(&Tokenizer::text(9_999))[0].id < 64, "a word beyond the vocabulary shares a token");
    }

    proptest! {
        #[test]
        fn the_tokens_of_any_text_are_the_text(text in any::<String>()) {
            let tokens = SMALL.tokens(&text);
            prop_assert!(tokens.iter().all(|token| (4..64).contains(&token.id)));
            prop_assert_eq!(tokens.into_iter().map(|token| token.text).collect::<String>(), text);
        }
    }
}
