//! BERT's tokens: a text is cleaned, parted at spaces and punctuation, and each word becomes the longest pieces of the
//! vocabulary, from its start (Wu et al. 2016). What the tokenizer's file says is checked and written anew, so that what
//! reads it gives the tokens that the reference gives.

use serde_json::{Value, json};

use crate::{
    RunError,
    load::{LoadFault, Tokenizer},
};

/// Bytes of a text that become tokens at once: of a text that is too long, the rest is not looked at.
const BYTES_AT_ONCE: usize = 4096;
/// Longest word, in characters, that a file may allow.
const LONGEST_WORD: u64 = 1 << 16;

/// A tokenizer, and what stands around each text.
#[derive(Debug)]
pub(super) struct Pieces {
    tokenizer: Tokenizer,
    before: Vec<u32>,
    after: Vec<u32>,
    /// Whether a text may be parted at spaces before it becomes tokens: no token that is found in the text as it is has one.
    can_part: bool,
}

impl Pieces {
    /// Reads `tokenizer.json`, for a model with so many tokens.
    pub(super) fn read(text: &[u8], vocabulary: usize) -> Result<Self, LoadFault> {
        let file: Value = serde_json::from_slice(text).map_err(|error| LoadFault::NotJson(error.to_string()))?;
        for (part, known) in
            [("model", "WordPiece"), ("normalizer", "BertNormalizer"), ("pre_tokenizer", "BertPreTokenizer")]
        {
            let kind = &file[part]["type"];
            if kind != known {
                return Err(wrong(format!("the type of its `{part}` is {kind}, and only \"{known}\" is read here")));
            }
        }
        let added = added(&file)?;
        let [before, after] = tokens_around(&file["post_processor"])?;
        if let Some(id) = before.iter().chain(&after).find(|id| **id as usize >= vocabulary) {
            return Err(wrong(format!(
                "its `post_processor` has a token {id}, but the model has {vocabulary} of them"
            )));
        }
        let model = model(&file["model"], &added)?;
        let can_part = !added.iter().any(|(content, _)| content.chars().any(char::is_whitespace));
        let added: Vec<Value> = added
            .iter()
            .map(|(content, id)| {
                json!({ "id": id, "content": content, "special": true, "single_word": false, "lstrip": false,
                        "rstrip": false, "normalized": false })
            })
            .collect();
        // Without what adds tokens, or takes some away: that depends on how many are asked for.
        let plain = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
            "normalizer": normalizer(&file["normalizer"])?, "pre_tokenizer": { "type": "BertPreTokenizer" },
            "post_processor": null, "decoder": null, "model": model,
        });
        let tokenizer = Tokenizer::read(plain.to_string().as_bytes(), vocabulary)?;
        Ok(Self { tokenizer, before, after, can_part })
    }

    /// How many tokens stand around each text.
    pub(super) fn ends(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// The tokens of a text, those around it included, `most` at most: what is too long is cut at its end.
    pub(super) fn tokens(&self, text: &str, most: usize) -> Result<Vec<u32>, RunError> {
        let end = most.saturating_sub(self.after.len());
        let mut tokens = self.before.clone();
        let mut rest = text;
        while tokens.len() < end && !rest.is_empty() {
            let (part, others) = if self.can_part { first_part(rest) } else { (rest, "") };
            tokens.extend(self.tokenizer.encode(part, true)?);
            rest = others;
        }
        tokens.truncate(end);
        tokens.extend(&self.after);
        Ok(tokens)
    }
}

/// The begin of a text, up to a space some way in, and the rest: no word or token reaches across a space.
fn first_part(text: &str) -> (&str, &str) {
    match text.as_bytes().iter().skip(BYTES_AT_ONCE).position(|&byte| byte == b' ') {
        Some(index) => text.split_at(BYTES_AT_ONCE + index),
        None => (text, ""),
    }
}

/// The tokens that are found in a text as it is, with their numbers.
fn added(file: &Value) -> Result<Vec<(&str, u32)>, LoadFault> {
    let mut added = Vec::new();
    for token in file["added_tokens"].as_array().into_iter().flatten() {
        let (Some(content), Some(id)) = (token["content"].as_str(), number(&token["id"])) else {
            return Err(wrong(format!("one of its `added_tokens` does not have a content or a number: {token}")));
        };
        let is_plain = ["single_word", "lstrip", "rstrip", "normalized"].iter().all(|key| token[key] != true);
        if content.is_empty() || !is_plain {
            return Err(wrong(format!("its added token `{content}` is not one that is found in a text as it is")));
        }
        added.push((content, id));
    }
    Ok(added)
}

/// The model, with all that may be left out filled in.
fn model(model: &Value, added: &[(&str, u32)]) -> Result<Value, LoadFault> {
    let text = |key: &str, otherwise: &'static str| match &model[key] {
        Value::Null => Ok(otherwise.to_owned()),
        Value::String(text) => Ok(text.clone()),
        other => Err(wrong(format!("`{key}` of its `model` is {other}, and must be a text"))),
    };
    let (prefix, unknown) = (text("continuing_subword_prefix", "##")?, text("unk_token", "[UNK]")?);
    let vocabulary =
        model["vocab"].as_object().ok_or_else(|| wrong("its `model` does not have a `vocab`".to_owned()))?;
    if let Some((piece, _)) = vocabulary.iter().find(|(_, id)| number(id).is_none()) {
        return Err(wrong(format!("`{piece}` does not have a number in its `vocab`")));
    }
    let is_added = |piece: &str| added.iter().any(|(content, _)| *content == piece);
    match (vocabulary.get(&unknown), added.iter().find(|(content, _)| *content == unknown)) {
        (Some(id), Some((_, added))) if number(id) == Some(*added) => {}
        _ => {
            return Err(wrong(format!(
                "its `unk_token` `{unknown}` does not stand, with one number, in its `vocab` and its `added_tokens`"
            )));
        }
    }
    if !vocabulary.keys().any(|piece| !is_added(piece) && !piece.starts_with(&prefix)) {
        return Err(wrong("no piece of its `vocab` can begin a word".to_owned()));
    }
    let longest = match &model["max_input_chars_per_word"] {
        Value::Null => 100,
        other => other.as_u64().filter(|longest| (1..=LONGEST_WORD).contains(longest)).ok_or_else(|| {
            wrong(format!("`max_input_chars_per_word` is {other}, and must be a whole number from 1 to {LONGEST_WORD}"))
        })?,
    };
    Ok(json!({
        "type": "WordPiece", "unk_token": unknown, "continuing_subword_prefix": prefix,
        "max_input_chars_per_word": longest, "vocab": vocabulary,
    }))
}

/// How a text is cleaned. The reader's own cleaning also takes out characters that Unicode does not have yet, and lowers a
/// sigma at the end of a word to another than elsewhere, which the reference does not do.
fn normalizer(normalizer: &Value) -> Result<Value, LoadFault> {
    let truth = |key: &str| match &normalizer[key] {
        Value::Null => Ok(true),
        Value::Bool(truth) => Ok(*truth),
        other => Err(wrong(format!("`{key}` of its `normalizer` is {other}, and must be true or false"))),
    };
    let (clean, ideographs, lowercase) = (truth("clean_text")?, truth("handle_chinese_chars")?, truth("lowercase")?);
    let accents = if normalizer["strip_accents"].is_null() { lowercase } else { truth("strip_accents")? };
    let replace = |pattern: &str, content: &str| json!({ "type": "Replace", "pattern": { "Regex": pattern }, "content": content });
    let mut steps = Vec::new();
    if clean {
        steps.push(replace(r"[\t\n\r]", " "));
        steps.push(replace(r"[\p{Cc}\p{Cf}\p{Co}\x{FFFD}]", ""));
        steps.push(replace(r"\s", " "));
    }
    if lowercase {
        steps.push(replace("\u{3a3}", "\u{3c3}"));
    }
    steps.push(json!({ "type": "BertNormalizer", "clean_text": false, "handle_chinese_chars": ideographs,
                       "strip_accents": accents, "lowercase": lowercase }));
    Ok(json!({ "type": "Sequence", "normalizers": steps }))
}

/// What a post-processor puts around a text.
fn tokens_around(post: &Value) -> Result<[Vec<u32>; 2], LoadFault> {
    let unknown = || wrong(format!("its `post_processor` is not one that is read here: {post}"));
    let mut tokens: [Vec<u32>; 2] = Default::default();
    match post["type"].as_str() {
        None if post.is_null() => {}
        Some("BertProcessing") => {
            for (side, end) in tokens.iter_mut().zip(["cls", "sep"]) {
                side.push(number(&post[end][1]).ok_or_else(unknown)?);
            }
        }
        Some("TemplateProcessing") => {
            let mut side = 0;
            for part in post["single"].as_array().ok_or_else(unknown)? {
                if !part["Sequence"].is_null() && side == 0 {
                    side = 1;
                    continue;
                }
                let token = &post["special_tokens"][part["SpecialToken"]["id"].as_str().ok_or_else(unknown)?];
                for id in token["ids"].as_array().ok_or_else(unknown)? {
                    tokens[side].push(number(id).ok_or_else(unknown)?);
                }
            }
        }
        _ => return Err(unknown()),
    }
    Ok(tokens)
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| number.try_into().ok())
}

fn wrong(why: String) -> LoadFault {
    LoadFault::WrongTokenizer(why)
}

#[cfg(test)]
mod tests;
