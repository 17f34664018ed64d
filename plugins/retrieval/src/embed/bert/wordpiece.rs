//! BERT's tokenizer: text is cleaned, parted at spaces and punctuation, and each word becomes the longest pieces of the
//! vocabulary, from its start (Schuster and Nakajima 2012; Wu et al. 2016).
//!
//! Reads `tokenizer.json` as the crate `tokenizers` writes it, and gives the same numbers; that crate reads every kind of
//! tokenizer there is, and would be most of what this one is built from.

use rustc_hash::FxHashMap;
use serde_json::Value;
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

/// A tokenizer.
pub(super) struct WordPiece {
    /// Pieces with which a word begins.
    first: FxHashMap<String, u32>,
    /// Pieces with which it goes on, without their prefix.
    next: FxHashMap<String, u32>,
    unknown: u32,
    /// Longest word in characters; a longer one is unknown.
    longest: usize,
    /// Tokens that are found in the text as it stands.
    special: Vec<(String, u32)>,
    /// What stands around every text.
    around: [Vec<u32>; 2],
    clean: bool,
    part_ideographs: bool,
    strip_accents: bool,
    lowercase: bool,
}

impl WordPiece {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let file: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        for (part, known) in
            [("model", "WordPiece"), ("normalizer", "BertNormalizer"), ("pre_tokenizer", "BertPreTokenizer")]
        {
            let kind = &file[part]["type"];
            if kind != known {
                return Err(format!("the type of its `{part}` is {kind}, and only \"{known}\" is known here"));
            }
        }
        let (model, normalizer) = (&file["model"], &file["normalizer"]);
        let prefix = model["continuing_subword_prefix"].as_str().unwrap_or("##");
        let vocabulary = model["vocab"].as_object().ok_or("its `model` has no `vocab`")?;
        let (mut first, mut next) = (FxHashMap::default(), FxHashMap::default());
        for (piece, id) in vocabulary {
            let id = number(id).ok_or_else(|| format!("`{piece}` has no number in its `vocab`"))?;
            if let Some(piece) = piece.strip_prefix(prefix) {
                next.insert(piece.to_owned(), id);
            }
            first.insert(piece.clone(), id);
        }
        let unknown = model["unk_token"].as_str().unwrap_or("[UNK]");
        let unknown = *first.get(unknown).ok_or_else(|| format!("`{unknown}` is not in its `vocab`"))?;
        let mut special = Vec::new();
        for token in file["added_tokens"].as_array().into_iter().flatten() {
            let (Some(content), Some(id)) = (token["content"].as_str(), number(&token["id"])) else {
                return Err(format!("one of its `added_tokens` has no `content` or no number: {token}"));
            };
            let plain = ["single_word", "lstrip", "rstrip", "normalized"].iter().all(|key| token[key] != true);
            if content.is_empty() || !plain {
                return Err(format!("its added token `{content}` is none that stands in the text as it is"));
            }
            special.push((content.to_owned(), id));
        }
        let lowercase = normalizer["lowercase"] != false;
        Ok(Self {
            first,
            next,
            unknown,
            longest: model["max_input_chars_per_word"].as_u64().map_or(100, |most| most as usize),
            special,
            around: around(&file["post_processor"])?,
            clean: normalizer["clean_text"] != false,
            part_ideographs: normalizer["handle_chinese_chars"] != false,
            strip_accents: normalizer["strip_accents"].as_bool().unwrap_or(lowercase),
            lowercase,
        })
    }

    /// The greatest number that a token has.
    pub(super) fn greatest(&self) -> u32 {
        let added = self.special.iter().map(|(_, id)| *id).chain(self.around.iter().flatten().copied());
        self.first.values().copied().chain(added).max().unwrap_or(0)
    }

    /// How many tokens stand around every text.
    pub(super) fn ends(&self) -> usize {
        self.around.iter().map(Vec::len).sum()
    }

    /// The numbers of a text's tokens, those around it included, `most` at most: what is too long is cut at its end.
    pub(super) fn tokens(&self, text: &str, most: usize) -> Vec<u32> {
        let [before, after] = &self.around;
        let end = most.saturating_sub(after.len());
        let mut tokens = before.clone();
        let mut rest = text;
        while tokens.len() < end {
            // The first special token; of two that begin together, the longer.
            let found = self.special.iter().filter_map(|(content, id)| Some((rest.find(content)?, content.len(), *id)));
            let Some((at, length, id)) = found.min_by_key(|&(at, length, _)| (at, usize::MAX - length)) else {
                self.words(rest, end, &mut tokens);
                break;
            };
            self.words(&rest[..at], end, &mut tokens);
            tokens.push(id);
            rest = &rest[at + length..];
        }
        tokens.truncate(end);
        tokens.extend(after);
        tokens
    }

    fn words(&self, text: &str, end: usize, tokens: &mut Vec<u32>) {
        let mut word = String::new();
        for c in self.normalized(text).chars() {
            let punctuation = is_punctuation(c);
            if punctuation || c.is_whitespace() {
                self.pieces(&word, tokens);
                word.clear();
                if tokens.len() >= end {
                    return;
                }
            }
            if punctuation {
                self.pieces(c.encode_utf8(&mut [0; 4]), tokens);
            } else if !c.is_whitespace() {
                word.push(c);
            }
        }
        self.pieces(&word, tokens);
    }

    fn pieces(&self, word: &str, tokens: &mut Vec<u32>) {
        let start = tokens.len();
        let mut rest = if word.chars().nth(self.longest).is_some() {
            tokens.push(self.unknown);
            ""
        } else {
            word
        };
        while !rest.is_empty() {
            let pieces = if rest.len() == word.len() { &self.first } else { &self.next };
            let ends = rest.char_indices().rev().map(|(at, c)| at + c.len_utf8());
            let Some((end, id)) = ends.filter_map(|end| Some((end, *pieces.get(&rest[..end])?))).next() else {
                tokens.truncate(start);
                tokens.push(self.unknown);
                return;
            };
            tokens.push(id);
            rest = &rest[end..];
        }
    }

    fn normalized(&self, text: &str) -> String {
        let mut normal = String::with_capacity(text.len());
        for c in text.chars() {
            if self.clean && is_control(c) {
                continue;
            }
            if self.clean && c.is_whitespace() {
                normal.push(' ');
            } else if self.part_ideographs && is_ideograph(c) {
                normal.extend([' ', c, ' ']);
            } else {
                normal.push(c);
            }
        }
        if self.strip_accents && !normal.is_ascii() {
            let accent = |c: &char| get_general_category(*c) == GeneralCategory::NonspacingMark;
            normal = normal.nfd().filter(|c| !accent(c)).collect();
        }
        if self.lowercase {
            // Character by character: a final sigma is no other than any sigma.
            normal = normal.chars().flat_map(char::to_lowercase).collect();
        }
        normal
    }
}

/// What a post-processor puts around a text.
fn around(post: &Value) -> Result<[Vec<u32>; 2], String> {
    let wrong = || format!("its `post_processor` is none that is known here: {post}");
    let mut around = [Vec::new(), Vec::new()];
    match post["type"].as_str() {
        None if post.is_null() => {}
        Some("BertProcessing") => {
            for (side, end) in around.iter_mut().zip(["cls", "sep"]) {
                side.push(number(&post[end][1]).ok_or_else(wrong)?);
            }
        }
        Some("TemplateProcessing") => {
            let mut side = 0;
            for part in post["single"].as_array().ok_or_else(wrong)? {
                if !part["Sequence"].is_null() && side == 0 {
                    side = 1;
                } else {
                    let ids = &post["special_tokens"][part["SpecialToken"]["id"].as_str().ok_or_else(wrong)?]["ids"];
                    for id in ids.as_array().ok_or_else(wrong)? {
                        around[side].push(number(id).ok_or_else(wrong)?);
                    }
                }
            }
        }
        _ => return Err(wrong()),
    }
    Ok(around)
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| number.try_into().ok())
}

/// Other than a line's end or a tabulator, which are white space; the sign for what could not be read is one of them.
fn is_control(c: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse};
    if matches!(c, '\t' | '\n' | '\r') {
        return false;
    }
    c == '\u{fffd}' || matches!(get_general_category(c), Control | Format | PrivateUse)
}

fn is_punctuation(c: char) -> bool {
    use GeneralCategory::{
        ClosePunctuation, ConnectorPunctuation, DashPunctuation, FinalPunctuation, InitialPunctuation, OpenPunctuation,
        OtherPunctuation,
    };
    if c.is_ascii() {
        return c.is_ascii_punctuation();
    }
    matches!(
        get_general_category(c),
        ClosePunctuation
            | ConnectorPunctuation
            | DashPunctuation
            | FinalPunctuation
            | InitialPunctuation
            | OpenPunctuation
            | OtherPunctuation
    )
}

/// The blocks of ideographs, which are words by themselves.
fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2b73f}'
        | '\u{2b740}'..='\u{2b81f}' | '\u{2b920}'..='\u{2ceaf}' | '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests;
