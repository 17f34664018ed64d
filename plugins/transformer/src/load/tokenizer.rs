//! Turns texts into tokens and back, by `tokenizer.json` of a folder or the vocabulary of a GGUF file.

use std::path::Path;

use jackfield_plugin_api::{Failure, catch_panic};
use kitoken::{Kitoken, SpecialToken, SpecialTokenKind};
use serde_json::{Map, Value, json};

use super::{
    LoadError, LoadFault, folder::required_file, gguf_metadata, gguf_vocabulary,
    gguf_vocabulary::CONTRACTIONS_AND_WORDS, tokenizer_check::check,
};
use crate::RunError;

const TOKENIZER: &str = "tokenizer.json";
/// Longest tokenizer that is read. Those of large vocabularies have 35 MB.
pub(crate) const LONGEST_TOKENIZER: u64 = 64 << 20;
/// Longest text that becomes tokens.
const LONGEST_TEXT: usize = 1 << 30;
/// What a panic of the library is called by.
const PLACE: &str = "tokenizer";

/// Turns texts to tokens, and tokens to texts.
///
/// What the files say of padding, of cutting texts short, and of tokens to add is left alone: texts become their tokens, and
/// nothing else. Tokens become texts one by one, so what comes of several is what comes of each, one after the other; a space
/// that some tools leave out at the begin of a text is kept.
pub struct Tokenizer {
    inner: Kitoken,
    vocabulary: usize,
    begin: Option<u32>,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("vocabulary", &self.vocabulary).finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Reads the tokenizer of a model whose vocabulary has so many tokens: `tokenizer.json` of its folder, or the metadata
    /// `tokenizer.ggml` of its GGUF file.
    ///
    /// # Errors
    /// [`LoadError`] if it is missing, not a tokenizer, of a kind that is not known here, or has tokens beyond the vocabulary.
    pub fn load(path: &Path, vocabulary: usize) -> Result<Self, LoadError> {
        if !path.is_dir() {
            let read = || {
                let metadata = gguf_metadata(path, &gguf_vocabulary::LISTS)?;
                Self::of(gguf_vocabulary::definition(&metadata, vocabulary)?, vocabulary)
            };
            return read().map_err(|fault: LoadFault| fault.of(path));
        }
        let path = path.join(TOKENIZER);
        let text = required_file(&path, LONGEST_TOKENIZER)?;
        Self::read(&text, vocabulary).map_err(|fault| fault.of(&path))
    }

    /// Reads the text of `tokenizer.json`.
    pub(crate) fn read(text: &[u8], vocabulary: usize) -> Result<Self, LoadFault> {
        let definition = serde_json::from_slice(text).map_err(|error| LoadFault::NotJson(error.to_string()))?;
        Self::of(definition, vocabulary)
    }

    fn of(mut definition: Value, vocabulary: usize) -> Result<Self, LoadFault> {
        check(&definition, vocabulary)?;
        let begin = begin(&definition["post_processor"]);
        if let Some(definition) = definition.as_object_mut() {
            adapt(definition);
        }
        let wrong = |why: String| LoadFault::WrongTokenizer(why);
        let text = serde_json::to_vec(&definition).map_err(|error| wrong(error.to_string()))?;
        drop(definition);
        let inner = catch_panic(PLACE, || Kitoken::from_tokenizers_slice(&text))
            .map_err(|panic| wrong(panic_message(panic)))?;
        Ok(Self { inner: inner.map_err(|error| wrong(error.to_string()))?, vocabulary, begin })
    }

    /// The token that the tokenizer puts before each text where tokens are added.
    pub(super) const fn begin(&self) -> Option<u32> {
        self.begin
    }

    /// The tokens of a text. Texts of special tokens, such as those that begin a turn, become these tokens if `special` is
    /// set. Nothing is added.
    ///
    /// # Errors
    /// [`RunError::NotTokenized`] for a text that the vocabulary cannot write, that has more than 2^30 bytes, or of which the
    /// tokenizer's expressions do not find a part in a million steps.
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, RunError> {
        let not = |why: String| RunError::NotTokenized { why };
        if text.len() > LONGEST_TEXT {
            return Err(not(format!("it has {} bytes, more than {LONGEST_TEXT}", text.len())));
        }
        // The library unwraps what an expression says when it gives up, which depends on the text. Nothing of it is changed
        // by reading a text, so nothing is left half done.
        let gave_up = |_| {
            not("an expression of the tokenizer gives up on it; a part of it is too long, such as a million spaces"
                .to_owned())
        };
        let found = catch_panic(PLACE, || self.inner.encode(text, special)).map_err(gave_up)?;
        found.map_err(|error| not(error.to_string()))
    }

    /// The texts of the special tokens that a text becomes only where that is wanted.
    #[must_use]
    pub fn special_texts(&self) -> Vec<String> {
        let controls = |token: &SpecialToken| token.kind == SpecialTokenKind::Control;
        let text = |token: &SpecialToken| String::from_utf8(token.bytes.to_vec()).ok();
        self.inner.to_definition().specials.iter().filter(|token| controls(token)).filter_map(text).collect()
    }

    /// The bytes that tokens stand for. They may end within a character. Special tokens are left out unless `special` is
    /// set, and so are tokens that the model has and the tokenizer does not.
    ///
    /// # Errors
    /// [`RunError::NotTokenized`] for a token that there is not.
    pub fn decode(&self, tokens: &[u32], special: bool) -> Result<Vec<u8>, RunError> {
        let not = |why: String| RunError::NotTokenized { why };
        let mut text = Vec::new();
        for &token in tokens {
            if token as usize >= self.vocabulary {
                return Err(not(format!("there is no token {token} in a vocabulary of {}", self.vocabulary)));
            }
            let found = catch_panic(PLACE, || self.inner.decode([token], special))
                .map_err(|panic| not(panic_message(panic)))?;
            text.extend(found.unwrap_or_default());
        }
        Ok(text)
    }

    /// The special token that a text is, if it is one.
    #[must_use]
    pub fn special(&self, text: &str) -> Option<u32> {
        match self.encode(text, true).ok()?[..] {
            [token] if self.decode(&[token], false).is_ok_and(|text| text.is_empty()) => Some(token),
            _ => None,
        }
    }
}

fn panic_message(panic: Failure) -> String {
    panic.to_string()
}

/// The token that a post-processor puts before a text.
fn begin(processor: &Value) -> Option<u32> {
    match processor["type"].as_str()? {
        "TemplateProcessing" => {
            let id = processor["single"].get(0)?.get("SpecialToken")?["id"].as_str()?;
            u32::try_from(processor["special_tokens"].get(id)?["ids"].get(0)?.as_u64()?).ok()
        }
        "BertProcessing" | "RobertaProcessing" => u32::try_from(processor["cls"].get(1)?.as_u64()?).ok(),
        "Sequence" => processor["processors"].as_array()?.iter().find_map(begin),
        _ => None,
    }
}

/// Takes out what is done to texts and tokens as wholes, and puts long texts of special tokens before those they begin with.
fn adapt(definition: &mut Map<String, Value>) {
    for key in ["truncation", "padding", "post_processor"] {
        definition.insert(key.to_owned(), Value::Null);
    }
    if let Some(splits) = definition.get_mut("pre_tokenizer").filter(|splits| splits.is_object()) {
        *splits = json!({ "type": "Sequence", "pretokenizers": steps_by_expression(splits.take()) });
    }
    if let Some(decoder) = definition.get_mut("decoder") {
        *decoder = by_token(decoder.take()).unwrap_or(Value::Null);
    }
    if let Some(added) = definition.get_mut("added_tokens").and_then(Value::as_array_mut) {
        added.sort_by_key(|token| std::cmp::Reverse(token["content"].as_str().map_or(0, str::len)));
    }
}

/// Names the expression by which `ByteLevel` splits texts. The tokenizer's own for it takes a tab or a line break to the word
/// after it, so that "\t't" is split differently from how the tool that made the vocabulary does it.
///
/// The steps are in one list: a list within another would be taken last.
fn steps_by_expression(mut step: Value) -> Vec<Value> {
    if let Some(Value::Array(steps)) = step.get_mut("pretokenizers").map(Value::take) {
        return steps.into_iter().flat_map(steps_by_expression).collect();
    }
    if step["type"] != "ByteLevel" || step["use_regex"].as_bool() == Some(false) {
        return vec![step];
    }
    step["use_regex"] = Value::Bool(false);
    let expression = json!({ "Regex": CONTRACTIONS_AND_WORDS });
    vec![json!({ "type": "Split", "pattern": expression, "behavior": "Isolated", "invert": false }), step]
}

/// A decoder that does to each token what it does to a text; none if nothing is left of it.
fn by_token(decoder: Value) -> Option<Value> {
    match decoder["type"].as_str() {
        Some("Strip") => None,
        Some("Metaspace") => Some(
            json!({ "type": "Replace", "pattern": { "String": decoder["replacement"].as_str()? }, "content": " " }),
        ),
        Some("Sequence") => {
            let Value::Object(mut sequence) = decoder else { return None };
            let decoders = sequence.get_mut("decoders").map(Value::take);
            let decoders = decoders.and_then(|decoders| match decoders {
                Value::Array(decoders) => Some(decoders),
                _ => None,
            })?;
            let decoders: Vec<Value> = decoders.into_iter().filter_map(by_token).collect();
            Some(json!({ "type": "Sequence", "decoders": decoders }))
        }
        _ => Some(decoder),
    }
}
