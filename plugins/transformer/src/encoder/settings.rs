//! The settings of a sentence encoder in a folder, apart from its weights and its tokens.

use std::path::Path;

use serde_json::{Map, Value};

use super::arithmetic::{add_to_sums, greatest, unit};
use crate::{
    LoadError,
    load::{Keys, LONGEST_CONFIG, LoadFault, missing, small_file},
};

/// Largest length that a tensor may have.
const MOST: u64 = u32::MAX as u64;

/// How a model is built.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// How many tokens have a vector.
    pub(super) vocabulary: usize,
    /// Most tokens of a text.
    pub(super) positions: usize,
    /// How many types of tokens there are; each token here is of the first.
    pub(super) types: usize,
    /// Length of a row.
    pub(super) hidden: usize,
    /// Length of a row in the feed-forward network.
    pub(super) inner: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    /// Added to variances.
    pub(super) epsilon: f64,
    pub(super) activation: Activation,
}

/// What the feed-forward network applies to each component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    /// GELU, by the error function.
    Gelu,
    /// GELU, by the hyperbolic tangent that comes close to it.
    GeluTanh,
}

/// What becomes the vector of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The mean of its rows.
    Mean,
    /// The row of its first token.
    First,
    /// Of each component, the greatest of its rows.
    Max,
}

impl Settings {
    /// Reads `config.json`.
    pub(super) fn read(text: &[u8]) -> Result<Self, LoadFault> {
        let object = object(text)?;
        let keys = Keys(&object);
        let length = |key: &str| -> Result<usize, LoadFault> {
            let length = keys.whole(key, 1..=MOST)?.ok_or_else(|| missing(key))?;
            usize::try_from(length).map_err(|_| LoadFault::OutOfMemory { what: key.to_owned() })
        };
        for (key, known) in [("model_type", "bert"), ("position_embedding_type", "absolute")] {
            if let Some(other) = keys.text(key)?.filter(|value| *value != known) {
                return Err(wrong(key, format!("it is {other:?}, and only {known:?} runs here")));
            }
        }
        let activation = match keys.text("hidden_act")?.unwrap_or("gelu") {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
            other => {
                let why =
                    format!("it is {other:?}, and only \"gelu\", \"gelu_new\" and \"gelu_pytorch_tanh\" run here");
                return Err(wrong("hidden_act", why));
            }
        };
        let epsilon = match keys.get("layer_norm_eps") {
            None => 1e-12,
            Some(value) => value
                .as_f64()
                .filter(|epsilon| (0.0..1.0).contains(epsilon))
                .ok_or_else(|| wrong("layer_norm_eps", "it must be a number from 0 to below 1".to_owned()))?,
        };
        let settings = Self {
            vocabulary: length("vocab_size")?,
            positions: length("max_position_embeddings")?,
            types: length("type_vocab_size")?,
            hidden: length("hidden_size")?,
            inner: length("intermediate_size")?,
            layers: length("num_hidden_layers")?,
            heads: length("num_attention_heads")?,
            epsilon,
            activation,
        };
        let Self { hidden, heads, .. } = settings;
        if !hidden.is_multiple_of(heads) {
            let why = format!("it is {heads}, and must divide hidden_size, which is {hidden}");
            return Err(wrong("num_attention_heads", why));
        }
        Ok(settings)
    }
}

impl Pooling {
    /// What tells its vectors from those of the others.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::First => "cls",
            Self::Max => "max",
        }
    }

    /// Fills in the vector of a text, of length 1, from its rows. Without a row, it is zero.
    pub(super) fn vector(self, rows: &[f32], vector: &mut [f32]) {
        let rows = rows.chunks_exact(vector.len());
        let mut sums = vec![0.0; vector.len()];
        match self {
            // The length of the sum does not matter: it becomes 1.
            Self::Mean => rows.for_each(|row| add_to_sums(&mut sums, row)),
            Self::First => rows.take(1).for_each(|row| add_to_sums(&mut sums, row)),
            Self::Max => greatest(&mut sums, rows),
        }
        unit(&sums, vector);
    }
}

/// The most tokens of a text, where `sentence_bert_config.json` says so.
pub(super) fn longest(folder: &Path) -> Result<Option<usize>, LoadError> {
    let path = folder.join("sentence_bert_config.json");
    let Some(text) = small_file(&path, LONGEST_CONFIG)? else { return Ok(None) };
    let read = || -> Result<Option<usize>, LoadFault> {
        let longest = Keys(&object(&text)?).whole("max_seq_length", 1..=MOST)?;
        Ok(longest.and_then(|longest| usize::try_from(longest).ok()))
    };
    read().map_err(|fault| fault.of(&path))
}

/// What `1_Pooling/config.json` says; the mean, where it is not there.
pub(super) fn pooling(folder: &Path) -> Result<Pooling, LoadError> {
    let path = folder.join("1_Pooling").join("config.json");
    let Some(text) = small_file(&path, LONGEST_CONFIG)? else { return Ok(Pooling::Mean) };
    let read = || -> Result<Pooling, LoadFault> {
        let object = object(&text)?;
        let on = object.iter().filter(|(_, value)| **value == Value::Bool(true));
        let modes: Vec<&str> = on.filter_map(|(key, _)| key.strip_prefix("pooling_mode_")).collect();
        match modes[..] {
            ["mean_tokens"] => Ok(Pooling::Mean),
            ["cls_token"] => Ok(Pooling::First),
            ["max_tokens"] => Ok(Pooling::Max),
            _ => {
                let why = format!("they are {modes:?}, and must be one of `mean_tokens`, `cls_token` and `max_tokens`");
                Err(wrong("pooling_mode_…", why))
            }
        }
    };
    read().map_err(|fault| fault.of(&path))
}

fn object(text: &[u8]) -> Result<Map<String, Value>, LoadFault> {
    serde_json::from_slice(text).map_err(|error| LoadFault::NotJson(error.to_string()))
}

fn wrong(key: &str, why: String) -> LoadFault {
    LoadFault::WrongKey { key: key.to_owned(), why }
}
