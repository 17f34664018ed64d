//! Checks a tokenizer before a library reads it: that the library supports all that it contains.

use std::collections::HashSet;

use serde_json::Value;

use super::LoadFault;

/// Longest text of a token.
const LONGEST_TOKEN: usize = 1 << 16;
/// How many times as long a text may become before it is split.
const MOST_GROWTH: u64 = 4096;

/// Whether a tokenizer can be used by a model whose vocabulary has so many tokens.
///
/// # Errors
/// [`LoadFault::WrongTokenizer`] for a model of an unknown kind, for tokens without a number, with the number of another or
/// one beyond the vocabulary, for merges that are not there or make what is not a token, and for texts that would explode.
pub(super) fn check(tokenizer: &Value, vocabulary: usize) -> Result<(), LoadFault> {
    let model = &tokenizer["model"];
    let kind = model["type"].as_str().unwrap_or("BPE");
    if !matches!(kind, "BPE" | "Unigram" | "WordPiece") {
        return Err(wrong(format!("a model of the type {kind} is not read here")));
    }
    if kind == "BPE" && model["merges"].as_array().is_none_or(Vec::is_empty) {
        return Err(wrong("it does not have merges"));
    }
    check_tokens(tokenizer, vocabulary)?;
    if kind == "BPE" {
        check_merges(model)?;
    }
    if growth(&tokenizer["normalizer"]).saturating_mul(growth(&tokenizer["pre_tokenizer"])) > MOST_GROWTH {
        return Err(wrong(format!("texts could become more than {MOST_GROWTH} times as long before they are split")));
    }
    Ok(())
}

fn wrong(why: impl Into<String>) -> LoadFault {
    LoadFault::WrongTokenizer(why.into())
}

fn check_tokens(tokenizer: &Value, vocabulary: usize) -> Result<(), LoadFault> {
    let model = &tokenizer["model"];
    let words = model["vocab"].as_object().into_iter().flatten().map(|(text, id)| (Some(text.as_str()), id.as_u64()));
    let listed = model["vocab"].as_array().into_iter().flatten().enumerate();
    let listed = listed.map(|(id, entry)| (entry[0].as_str(), Some(id as u64)));
    let mut texts: Vec<Option<&str>> = Vec::new();
    let added = tokenizer["added_tokens"].as_array().into_iter().flatten();
    let added = added.map(|token| (token["content"].as_str(), token["id"].as_u64()));
    for (text, id) in words.chain(listed).chain(added) {
        let Some(text) = text else { return Err(wrong("a token does not have a text")) };
        if text.len() > LONGEST_TOKEN {
            return Err(wrong(format!("a token has {} bytes, more than {LONGEST_TOKEN}", text.len())));
        }
        let Some(id) = id else { return Err(wrong(format!("a token does not have a number: {text}"))) };
        let Some(index) = usize::try_from(id).ok().filter(|index| *index < vocabulary) else {
            return Err(wrong(format!("it has a token {id}, but the model has {vocabulary} of them")));
        };
        if index >= texts.len() {
            texts.resize(index + 1, None);
        }
        match texts[index].replace(text) {
            Some(other) if other != text => {
                return Err(wrong(format!("the number {id} is that of two tokens: {other} and {text}")));
            }
            _ => {}
        }
    }
    if texts.iter().all(Option::is_none) { Err(wrong("it does not have tokens")) } else { Ok(()) }
}

fn check_merges(model: &Value) -> Result<(), LoadFault> {
    let words: HashSet<&str> =
        model["vocab"].as_object().into_iter().flatten().map(|(text, _)| text.as_str()).collect();
    for merge in model["merges"].as_array().into_iter().flatten() {
        let pair = match merge {
            Value::String(text) => text.split_once(' '),
            pair => pair[0].as_str().zip(pair[1].as_str()),
        };
        let Some((first, second)) = pair else {
            return Err(wrong("a merge is not a pair of tokens"));
        };
        let whole = [first, second].concat();
        if !words.contains(whole.as_str()) {
            return Err(wrong(format!("the merge `{first} {second}` makes a token that there is not")));
        }
    }
    Ok(())
}

/// How many times as long a text can become at most.
fn growth(step: &Value) -> u64 {
    let parts = ["normalizers", "pretokenizers"].iter().flat_map(|key| step[*key].as_array().into_iter().flatten());
    let within = parts.map(growth).fold(1, u64::saturating_mul);
    let own = match step["type"].as_str() {
        // What is put in the place of nothing comes between all characters.
        Some("Replace") => 1 + step["content"].as_str().map_or(0, str::len) as u64,
        Some("Prepend") => 1 + step["prepend"].as_str().map_or(0, str::len) as u64 / 64,
        Some("Metaspace") => 4,
        _ => 1,
    };
    within.saturating_mul(own)
}
