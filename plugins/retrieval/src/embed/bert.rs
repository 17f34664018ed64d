//! Sentence encoders with BERT's architecture (Devlin et al. 2019; Reimers and Gurevych 2019), run by candle on the CPU.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::SystemTime,
};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use jackfield_plugin_api::{Failure, Result};
use serde_json::Value;
use tokenizers::{Tokenizer, TruncationParams};

use crate::vectors::{Vectors, normalize};

/// Longest text where the folder does not say.
const LONGEST: usize = 256;
/// Most tokens that go through the model at once, padding included: beyond it a larger batch gains nothing.
const AT_ONCE: usize = 4096;

/// A sentence encoder: the mean over a text's tokens of the model's last layer, with length 1.
pub struct Bert {
    model: BertModel,
    tokenizer: Tokenizer,
    dimensions: usize,
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
        let path = folder.join("config.json");
        let config: Config = serde_json::from_slice(&bytes(&path)?).map_err(|error| wrong(&path, &error))?;
        let path = folder.join("tokenizer.json");
        let mut tokenizer = Tokenizer::from_bytes(bytes(&path)?).map_err(|error| wrong(&path, &error))?;
        let path = folder.join("model.safetensors");
        let weights = VarBuilder::from_buffered_safetensors(bytes(&path)?, DType::F32, &Device::Cpu)
            .map_err(|error| wrong(&path, &error))?;
        let dimensions = config.hidden_size;
        let longest = config.max_position_embeddings;
        let model = BertModel::load(weights, &config).map_err(|error| wrong(&path, &error))?;
        let max_length = max_tokens.or_else(|| said(folder)).unwrap_or(LONGEST).min(longest);
        // Texts of a batch are padded here, those of like length together.
        let truncation = TruncationParams { max_length, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(truncation)).map_err(|error| wrong(folder, &error))?;
        Ok(Self { model, tokenizer, dimensions })
    }

    /// One row per text. Texts go through the model together, those of like length next to each other.
    ///
    /// # Errors
    /// [`Failure::Internal`] if the tokenizer or the model fails.
    pub(crate) fn embed(&self, texts: &[&str]) -> Result<Vectors> {
        let failed = |error: &dyn std::fmt::Display| Failure::Internal(format!("the sentence encoder failed: {error}"));
        let mut tokens: Vec<(usize, Vec<u32>)> = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let encoding = self.tokenizer.encode(*text, true).map_err(|error| failed(&error))?;
            tokens.push((index, encoding.get_ids().to_vec()));
        }
        tokens.sort_by_key(|(index, ids)| (ids.len(), *index));
        let mut rows = vec![Vec::new(); texts.len()];
        let mut rest = tokens.as_slice();
        while !rest.is_empty() {
            // As many as fit once padded to the longest, which is the last.
            let fit = (1..=rest.len()).take_while(|&n| n == 1 || n * rest[n - 1].1.len() <= AT_ONCE).count();
            let (batch, after) = rest.split_at(fit);
            rest = after;
            let pooled = self.pooled(batch).map_err(|error| failed(&error))?;
            for ((index, _), mut row) in batch.iter().zip(pooled) {
                normalize(&mut row);
                rows[*index] = row;
            }
        }
        let mut vectors = Vectors::new(self.dimensions);
        rows.iter().for_each(|row| vectors.push(row));
        Ok(vectors)
    }

    fn pooled(&self, batch: &[(usize, Vec<u32>)]) -> candle_core::Result<Vec<Vec<f32>>> {
        let (count, length) = (batch.len(), batch.iter().map(|(_, ids)| ids.len()).max().unwrap_or(0));
        if length == 0 {
            return Ok(vec![vec![0.0; self.dimensions]; count]);
        }
        let padded = |ids: &[u32], of: fn(u32) -> u32| {
            let rest = length - ids.len();
            ids.iter().map(|&id| of(id)).chain(std::iter::repeat_n(0, rest)).collect::<Vec<u32>>()
        };
        let ids: Vec<u32> = batch.iter().flat_map(|(_, ids)| padded(ids, |id| id)).collect();
        let mask: Vec<u32> = batch.iter().flat_map(|(_, ids)| padded(ids, |_| 1)).collect();
        let ids = Tensor::from_vec(ids, (count, length), &Device::Cpu)?;
        let mask = Tensor::from_vec(mask, (count, length), &Device::Cpu)?;
        let last = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        // The length of the sum is no matter: rows get length 1.
        last.broadcast_mul(&mask)?.sum(1)?.to_vec2::<f32>()
    }
}

/// What `sentence_bert_config.json` says of the longest text, where it is there.
fn said(folder: &Path) -> Option<usize> {
    let config: Value = serde_json::from_slice(&fs::read(folder.join("sentence_bert_config.json")).ok()?).ok()?;
    config.get("max_seq_length")?.as_u64().map(|length| length as usize)
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

#[cfg(test)]
mod tests;
