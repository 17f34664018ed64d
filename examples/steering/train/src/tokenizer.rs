//! A byte-level tokenizer (BPE), learned from the words of a text, and its file `tokenizer.json`.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

/// The special tokens, numbered from 0: the end of a turn, and the beginnings of the turns of each role.
pub const SPECIAL: [&str; 4] = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"];
/// The number of the token that ends a turn.
pub const END: u32 = 0;

/// A vocabulary with the merges that make its tokens.
pub struct Tokenizer {
    /// The bytes of each token, the special ones first.
    tokens: Vec<Vec<u8>>,
    /// Pairs of tokens with the token that they become: the smaller that is, the sooner they are merged.
    merges: HashMap<[u32; 2], u32>,
}

impl Tokenizer {
    /// Learns a vocabulary of `size` tokens from texts: again and again, the pair of tokens that is seen most often becomes
    /// one.
    pub fn learn<'a>(texts: impl Iterator<Item = &'a str>, size: usize) -> Self {
        let mut tokens: Vec<Vec<u8>> = SPECIAL.iter().map(|text| text.as_bytes().to_vec()).collect();
        tokens.extend((0..=u8::MAX).map(|byte| vec![byte]));
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for word in texts.flat_map(words) {
            *counts.entry(word).or_default() += 1;
        }
        let mut words: Vec<(Vec<u32>, u64)> =
            counts.into_iter().map(|(word, count)| (bytes_as_tokens(word), count)).collect();
        let mut merges = HashMap::new();
        while tokens.len() < size {
            let mut pairs: BTreeMap<[u32; 2], u64> = BTreeMap::new();
            for (word, count) in &words {
                for pair in word.windows(2) {
                    *pairs.entry([pair[0], pair[1]]).or_default() += count;
                }
            }
            let most = pairs.iter().max_by_key(|&(pair, count)| (count, std::cmp::Reverse(pair)));
            let Some((&pair, _)) = most else { break };
            let merged = tokens.len() as u32;
            tokens.push([tokens[pair[0] as usize].as_slice(), &tokens[pair[1] as usize]].concat());
            merges.insert(pair, merged);
            words.iter_mut().for_each(|(word, _)| merge(word, pair, merged));
        }
        Self { tokens, merges }
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The tokens of a text, none of them special.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for word in words(text) {
            let mut word = bytes_as_tokens(word);
            let first = |word: &[u32]| {
                let merges = word.windows(2).filter_map(|pair| Some(([pair[0], pair[1]], self.merges.get(pair)?)));
                merges.min_by_key(|(_, merged)| **merged).map(|(pair, merged)| (pair, *merged))
            };
            while let Some((pair, merged)) = first(&word) {
                merge(&mut word, pair, merged);
            }
            found.extend(word);
        }
        found
    }

    /// What `tokenizer.json` holds.
    pub fn file(&self) -> String {
        let mut merges: Vec<_> = self.merges.iter().map(|(pair, merged)| (*merged, *pair)).collect();
        merges.sort_unstable();
        let shown = |token: u32| {
            let bytes = &self.tokens[token as usize];
            let special = (token as usize) < SPECIAL.len();
            let text =
                if special { SPECIAL[token as usize].to_owned() } else { bytes.iter().map(shown_byte).collect() };
            text.replace('\\', "\\\\").replace('"', "\\\"")
        };
        let list = |lines: Vec<String>| lines.join(",\n");
        let special = |(id, text): (usize, &&str)| {
            format!(
                "  {{\"id\": {id}, \"content\": \"{text}\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \
                 \"normalized\": false, \"special\": true}}"
            )
        };
        let byte_level =
            "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}";
        let mut file = String::from("{\n \"version\": \"1.0\",\n \"truncation\": null,\n \"padding\": null,\n");
        let added = list(SPECIAL.iter().enumerate().map(special).collect());
        let vocabulary = list((0..self.tokens.len() as u32).map(|id| format!("   \"{}\": {id}", shown(id))).collect());
        let merge = |(_, [first, second]): &(u32, [u32; 2])| format!("   \"{} {}\"", shown(*first), shown(*second));
        let merges = list(merges.iter().map(merge).collect());
        // Writing to a string does not fail.
        _ = write!(
            file,
            " \"added_tokens\": [\n{added}\n ],\n \"normalizer\": null,\n \"pre_tokenizer\": {byte_level},\n \
             \"post_processor\": null,\n \"decoder\": {byte_level},\n \"model\": {{\n  \"type\": \"BPE\",\n  \
             \"dropout\": null,\n  \"unk_token\": null,\n  \"continuing_subword_prefix\": null,\n  \
             \"end_of_word_suffix\": null,\n  \"fuse_unk\": false,\n  \"byte_fallback\": false,\n  \
             \"ignore_merges\": false,\n  \"vocab\": {{\n{vocabulary}\n  }},\n  \"merges\": [\n{merges}\n  ]\n }}\n}}\n"
        );
        file
    }
}

fn bytes_as_tokens(text: &str) -> Vec<u32> {
    text.bytes().map(|byte| SPECIAL.len() as u32 + u32::from(byte)).collect()
}

/// Puts `merged` in the place of each such pair, from the left.
fn merge(word: &mut Vec<u32>, pair: [u32; 2], merged: u32) {
    let mut at = 0;
    while at + 1 < word.len() {
        if word[at..at + 2] == pair {
            word[at] = merged;
            word.remove(at + 1);
        }
        at += 1;
    }
}

/// The character that stands for a byte in `tokenizer.json`: itself where it can be seen, else one from U+0100 on.
fn shown_byte(byte: &u8) -> char {
    let seen = |byte: u8| matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    if seen(*byte) {
        return char::from(*byte);
    }
    let before = (0..*byte).filter(|byte| !seen(*byte)).count() as u32;
    char::from_u32(0x100 + before).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The parts of an ASCII text within which tokens are merged, as the step `ByteLevel` of a tokenizer splits it: letters,
/// digits or signs with a space before them, and what other white space there is.
fn words(text: &str) -> Vec<&str> {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' => 0,
        b'0'..=b'9' => 1,
        b' ' | b'\n' => 2,
        _ => 3,
    };
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let space = bytes[start] == b' ' && bytes.get(start + 1).is_some_and(|next| kind(*next) != 2);
        let first = kind(bytes[start + usize::from(space)]);
        let mut end = start + usize::from(space) + 1;
        while bytes.get(end).is_some_and(|byte| kind(*byte) == first) {
            end += 1;
        }
        // The last of several spaces belongs to what follows.
        if first == 2 && end < bytes.len() && end - start > 1 {
            end -= 1;
        }
        words.push(&text[start..end]);
        start = end;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_before_spaces() {
        let text = "Dear aunt,\nI  am 12.\n\n1. pear";
        let parts = ["Dear", " aunt", ",", "\n", "I", " ", " am", " 12", ".", "\n", "\n", "1", ".", " pear"];
        assert_eq!(words(text), parts);
    }

    #[test]
    fn frequent_words_become_one_token_and_tokens_make_the_text_again() {
        let tokenizer = Tokenizer::learn(["the cat and the hat"].into_iter().cycle().take(3), 270);
        assert_eq!(tokenizer.encode(" the").len(), 1);
        let text = "the dog and the cat";
        let bytes = tokenizer.encode(text).into_iter().flat_map(|token| tokenizer.tokens[token as usize].clone());
        assert_eq!(bytes.collect::<Vec<u8>>(), text.as_bytes());
    }

    #[test]
    fn bytes_that_cannot_be_seen_have_characters_of_their_own() {
        assert_eq!([b' ', b'\n', b'a', 0xAD].map(|byte| shown_byte(&byte)), ['\u{120}', '\u{10A}', 'a', '\u{143}']);
    }
}
