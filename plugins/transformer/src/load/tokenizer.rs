//! `tokenizer.json`: texts to tokens, and back.

use std::path::Path;

use kitoken::Kitoken;
use serde_json::Value;

use super::{LoadError, LoadFault, folder::small_file};
use crate::RunError;

const TOKENIZER: &str = "tokenizer.json";
/// Longest tokenizer that is read. Those of large vocabularies have 35 MB.
const LONGEST_TOKENIZER: u64 = 64 << 20;

/// Turns texts to tokens, and tokens to texts.
pub struct Tokenizer {
    inner: Kitoken,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Reads the tokenizer of a model's folder, whose vocabulary has so many tokens.
    ///
    /// # Errors
    /// [`LoadError`] if it is missing, not a tokenizer, or has tokens beyond the vocabulary.
    pub fn load(folder: &Path, vocabulary: usize) -> Result<Self, LoadError> {
        let path = folder.join(TOKENIZER);
        let Some(text) = small_file(&path, LONGEST_TOKENIZER)? else {
            let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "the file is missing");
            return Err(LoadFault::Unreadable(missing).of(&path));
        };
        Self::read(&text, vocabulary).map_err(|fault| fault.of(&path))
    }

    fn read(text: &[u8], vocabulary: usize) -> Result<Self, LoadFault> {
        let value: Value = serde_json::from_slice(text).map_err(|error| LoadFault::NotJson(error.to_string()))?;
        check(&value, vocabulary)?;
        let inner =
            Kitoken::from_tokenizers_slice(text).map_err(|error| LoadFault::WrongTokenizer(error.to_string()))?;
        Ok(Self { inner })
    }

    /// The tokens of a text. Texts of special tokens, such as those that begin a turn, become these tokens if `special` is
    /// set. Nothing is added.
    ///
    /// # Errors
    /// [`RunError::NotTokenized`] for a text that the vocabulary cannot write.
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, RunError> {
        self.inner.encode(text, special).map_err(|error| RunError::NotTokenized { why: error.to_string() })
    }

    /// The bytes that tokens stand for. They may end within a character. Special tokens are left out unless `special` is set.
    ///
    /// # Errors
    /// [`RunError::NotTokenized`] for a token that there is not.
    pub fn decode(&self, tokens: &[u32], special: bool) -> Result<Vec<u8>, RunError> {
        self.inner.decode(tokens, special).map_err(|error| RunError::NotTokenized { why: error.to_string() })
    }
}

/// What must be there for a tokenizer to mean what it says.
fn check(tokenizer: &Value, vocabulary: usize) -> Result<(), LoadFault> {
    let wrong = |why: String| Err(LoadFault::WrongTokenizer(why));
    let model = &tokenizer["model"];
    let kind = model["type"].as_str().unwrap_or("BPE");
    if !matches!(kind, "BPE" | "Unigram" | "WordPiece") {
        return wrong(format!("a model of the type {kind} is not read here"));
    }
    if kind == "BPE" && model["merges"].as_array().is_none_or(Vec::is_empty) {
        return wrong("it does not have merges".to_owned());
    }
    let words = model["vocab"].as_object().map(|words| words.values()).into_iter().flatten();
    let added = tokenizer["added_tokens"].as_array().into_iter().flatten().map(|token| &token["id"]);
    let listed = model["vocab"].as_array().map_or(0, Vec::len);
    let mut largest = listed.saturating_sub(1) as u64;
    for id in words.chain(added) {
        match id.as_u64() {
            Some(id) => largest = largest.max(id),
            None => return wrong("a token does not have a number".to_owned()),
        }
    }
    if largest >= vocabulary as u64 {
        return wrong(format!("it has a token {largest}, but the model has {vocabulary} of them"));
    }
    Ok(())
}
