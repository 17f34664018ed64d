//! Sentence encoders with BERT's architecture (Devlin et al. 2019; Reimers and Gurevych 2019), run on the CPU.

mod encoder;
mod weights;
mod wordpiece;

use std::{
    collections::HashMap,
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    thread,
    time::SystemTime,
};

use jackfield_plugin_api::{Failure, Result};
use ndarray::{Axis, Slice};
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::{
    encoder::{Config, Encoder},
    weights::Weights,
    wordpiece::WordPiece,
};
use crate::vectors::{Vectors, normalize};

/// Longest text where the folder does not say.
const LONGEST: usize = 256;
/// A model that reads fewer tokens reads no sentence.
const SHORTEST: usize = 8;
/// Most tokens that go through the model at once: beyond it a larger batch gains nothing.
const AT_ONCE: usize = 512;
/// Fewest that are worth a thread of their own.
const APART: usize = 48;

/// A sentence encoder: a vector of length 1 for each text, from the model's last layer.
pub struct Bert {
    encoder: Encoder,
    tokenizer: WordPiece,
    longest: usize,
    pooling: Pooling,
    /// Digest of all of the above.
    identity: [u8; 32],
}

/// What becomes the vector of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pooling {
    /// The mean over its tokens.
    Mean,
    /// Its first token.
    First,
}

/// What a model that is in use was read from: stages that use one share it.
type Key = (PathBuf, u64, Option<SystemTime>, Option<usize>);

static OPEN: Mutex<Option<HashMap<Key, Weak<Bert>>>> = Mutex::new(None);

impl Bert {
    /// Reads the model in a folder, or shares it with whoever has it open.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if a file is missing or is not what its name says.
    pub(crate) fn open(folder: &Path, max_tokens: Option<usize>) -> Result<Arc<Self>> {
        let weights = folder.join("model.safetensors");
        let about = fs::metadata(&weights).map_err(|error| wrong(&weights, &error))?;
        let key = (folder.to_owned(), about.len(), about.modified().ok(), max_tokens);
        // Held while a model is read: whoever asks for the same one meanwhile gets this one.
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let open = open.get_or_insert_default();
        if let Some(bert) = open.get(&key).and_then(Weak::upgrade) {
            return Ok(bert);
        }
        open.retain(|_, bert| bert.strong_count() > 0);
        let bert = Arc::new(Self::read(folder, max_tokens)?);
        open.insert(key, Arc::downgrade(&bert));
        Ok(bert)
    }

    fn read(folder: &Path, max_tokens: Option<usize>) -> Result<Self> {
        let mut identity = Sha256::new();
        let path = folder.join("config.json");
        let held = bytes(&path)?;
        identity.update(&held);
        let config = Config::read(&held).map_err(|error| wrong(&path, &error))?;
        let path = folder.join("model.safetensors");
        let held = bytes(&path)?;
        identity.update(&held);
        let encoder = Weights::read(&held).and_then(|weights| Encoder::new(&weights, &config));
        let encoder = encoder.map_err(|error| wrong(&path, &error))?;
        drop(held);
        let path = folder.join("tokenizer.json");
        let held = bytes(&path)?;
        identity.update(&held);
        let tokenizer = WordPiece::read(&held).map_err(|error| wrong(&path, &error))?;
        if tokenizer.greatest() as usize >= encoder.words() {
            let error =
                format!("it has a token {}, but the model has {} of them", tokenizer.greatest(), encoder.words());
            return Err(wrong(&path, &error));
        }
        let longest = max_tokens.or_else(|| said(folder)).unwrap_or(LONGEST).min(config.positions);
        if longest < SHORTEST.max(tokenizer.ends()) {
            let error = format!("with {longest} tokens at most it reads no sentence");
            return Err(wrong(folder, &error));
        }
        let pooling = pooling(folder)?;
        identity.update(format!("bert 1 {longest} {pooling:?}"));
        Ok(Self { encoder, tokenizer, longest, pooling, identity: identity.finalize().into() })
    }

    /// Length of a vector.
    pub(crate) fn dimensions(&self) -> usize {
        self.encoder.dimensions()
    }

    /// Digest of all that a vector depends on besides the text.
    pub(crate) fn identity(&self) -> &[u8] {
        &self.identity
    }

    /// One row per text. Texts go through the model together, on as many threads as there are cores.
    ///
    /// # Errors
    /// [`Failure::Internal`] if a thread panics.
    pub(crate) fn embed(&self, texts: &[&str]) -> Result<Vectors> {
        let tokens: Vec<Vec<u32>> = texts.iter().map(|text| self.tokenizer.tokens(text, self.longest)).collect();
        let tokens: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).collect();
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let parts = parts(&tokens, threads);
        let mut vectors = Vectors::new(self.encoder.dimensions());
        if threads == 1 || parts.len() == 1 {
            parts.iter().for_each(|part| vectors.append(&self.pooled(part)));
            return Ok(vectors);
        }
        let next = Mutex::new(parts.iter().enumerate());
        let work = || {
            let mut done = Vec::new();
            loop {
                let part = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((at, part)) = part else { return done };
                done.push((at, self.pooled(part)));
            }
        };
        let panicked = |_| Failure::Internal("a thread of the sentence encoder panicked".to_owned());
        let mut done = thread::scope(|scope| {
            let others: Vec<_> = (1..threads.min(parts.len())).map(|_| scope.spawn(work)).collect();
            let mut done = work();
            for other in others {
                done.extend(other.join().map_err(panicked)?);
            }
            Ok::<_, Failure>(done)
        })?;
        done.sort_by_key(|(at, _)| *at);
        done.iter().for_each(|(_, part)| vectors.append(part));
        Ok(vectors)
    }

    fn pooled(&self, texts: &[&[u32]]) -> Vectors {
        let rows = self.encoder.forward(texts);
        let mut vectors = Vectors::new(self.encoder.dimensions());
        let mut start = 0;
        for text in texts {
            let end = match self.pooling {
                Pooling::Mean => start + text.len(),
                Pooling::First => start + text.len().min(1),
            };
            // The length of the sum is no matter: rows get length 1.
            let mut vector = rows.slice_axis(Axis(0), Slice::from(start..end)).sum_axis(Axis(0)).to_vec();
            normalize(&mut vector);
            vectors.push(&vector);
            start += text.len();
        }
        vectors
    }
}

/// Parts of the texts, in order, with about as many tokens each: a part or more for each thread, if there are enough.
fn parts<'a, 'b>(mut texts: &'a [&'b [u32]], threads: usize) -> Vec<&'a [&'b [u32]]> {
    let count = |texts: &[&[u32]]| texts.iter().map(|text| text.len()).sum::<usize>();
    let all = count(texts);
    let most = all.div_ceil(all.div_ceil(AT_ONCE).next_multiple_of(threads).max(1)).max(APART);
    let mut parts = Vec::new();
    while !texts.is_empty() {
        let mut tokens = 0;
        // Up to the text with which the part is full.
        let full = |text: &&[u32]| {
            tokens += text.len();
            tokens >= most
        };
        let (part, rest) = texts.split_at(texts.iter().position(full).map_or(texts.len(), |last| last + 1));
        parts.push(part);
        texts = rest;
    }
    parts
}

/// What `sentence_bert_config.json` says of the longest text, where it is there.
fn said(folder: &Path) -> Option<usize> {
    let config: Value = serde_json::from_slice(&fs::read(folder.join("sentence_bert_config.json")).ok()?).ok()?;
    config.get("max_seq_length")?.as_u64().and_then(|length| usize::try_from(length).ok())
}

/// What `1_Pooling/config.json` says; the mean where it is not there.
fn pooling(folder: &Path) -> Result<Pooling> {
    let path = folder.join("1_Pooling/config.json");
    if !path.exists() {
        return Ok(Pooling::Mean);
    }
    let config: Value = serde_json::from_slice(&bytes(&path)?).map_err(|error| wrong(&path, &error))?;
    let on = config.as_object().into_iter().flatten().filter(|(_, on)| **on == Value::Bool(true));
    let modes: Vec<&str> = on.filter_map(|(mode, _)| mode.strip_prefix("pooling_mode_")).collect();
    match modes[..] {
        ["mean_tokens"] => Ok(Pooling::Mean),
        ["cls_token"] => Ok(Pooling::First),
        _ => {
            let error = format!("it pools by {modes:?}, and only `mean_tokens` and `cls_token` are known here");
            Err(wrong(&path, &error))
        }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let mend =
        "`embedder.folder` has to hold config.json, tokenizer.json and model.safetensors of a BERT sentence encoder";
    Failure::InvalidConfig(format!("cannot use `{}`: {error}; {mend}", path.display()))
}

#[cfg(test)]
mod tests;
