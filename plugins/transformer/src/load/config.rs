//! `config.json` of a Llama-family folder.

use serde_json::{Map, Value};

use super::{
    LoadFault,
    json::{Keys, missing},
};
use crate::{Architecture, architecture::RopeScaling};

pub(super) const MOST_LAYERS: u64 = 4096;
pub(super) const MOST_HIDDEN: u64 = 1 << 20;
pub(super) const MOST_HEADS: u64 = 1 << 16;
pub(super) const MOST_INNER: u64 = 1 << 22;
pub(super) const MOST_TOKENS: u64 = 1 << 24;

/// Reads `config.json`, and `generation_config.json` if it is there, which may say more of the tokens that end a reply.
///
/// # Errors
/// [`LoadFault`] for what is no configuration of a model that runs here.
pub(crate) fn architecture(config: &[u8], generation: Option<&[u8]>) -> Result<Architecture, LoadFault> {
    let config = object(config)?;
    let keys = Keys(&config);
    known_architecture(keys)?;
    for (key, plain) in [("attention_bias", false), ("mlp_bias", false)] {
        if keys.truth(key)?.is_some_and(|found| found != plain) {
            return Err(LoadFault::UnknownArchitecture(format!("llama with {key}")));
        }
    }
    if keys.get("quantization_config").is_some() {
        let method = keys.get("quantization_config").and_then(|quantization| quantization.get("quant_method"));
        let name = method.and_then(Value::as_str).unwrap_or("quantization_config");
        return Err(LoadFault::UnknownQuantization(name.to_owned()));
    }
    match keys.text("hidden_act")?.unwrap_or("silu") {
        "silu" | "swish" => {}
        other => return Err(LoadFault::UnknownArchitecture(format!("llama with {other}"))),
    }
    let size =
        |key: &str, most: u64| Ok::<_, LoadFault>(keys.whole(key, 1..=most)?.ok_or_else(|| missing(key))? as usize);
    let (hidden, heads) = (size("hidden_size", MOST_HIDDEN)?, size("num_attention_heads", MOST_HEADS)?);
    let key_value_heads = keys.whole("num_key_value_heads", 1..=MOST_HEADS)?.map_or(heads, |heads| heads as usize);
    let head = keys.whole("head_dim", 1..=MOST_HEADS)?.map(|head| head as usize);
    let mut ends = keys.tokens("eos_token_id")?;
    let mut begin = keys.tokens("bos_token_id")?.first().copied();
    if let Some(generation) = generation {
        let generation = object(generation)?;
        let more = Keys(&generation).tokens("eos_token_id")?;
        ends.extend(more.into_iter().filter(|token| !ends.contains(token)).collect::<Vec<_>>());
        begin = begin.or(Keys(&generation).tokens("bos_token_id")?.first().copied());
    }
    let (rope_base, rope_scaling) = rope(keys)?;
    let architecture = Architecture {
        layers: size("num_hidden_layers", MOST_LAYERS)?,
        hidden,
        heads,
        key_value_heads,
        head: head_length(hidden, heads, head)?,
        inner: size("intermediate_size", MOST_INNER)?,
        vocabulary: size("vocab_size", MOST_TOKENS)?,
        context: keys.whole("max_position_embeddings", 1..=MOST_TOKENS)?.unwrap_or(2048) as usize,
        epsilon: keys.positive("rms_norm_eps")?.unwrap_or(1e-6) as f32,
        rope_base,
        rope_scaling,
        tied: keys.truth("tie_word_embeddings")?.unwrap_or(false),
        begin,
        ends,
    };
    check_heads(&architecture)?;
    check_tokens(&architecture)?;
    Ok(architecture)
}

/// The object that a file of JSON holds.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, LoadFault> {
    serde_json::from_slice(bytes).map_err(|error| LoadFault::NotJson(error.to_string()))
}

fn known_architecture(keys: Keys<'_>) -> Result<(), LoadFault> {
    let kind = keys.text("model_type")?;
    let listed = keys.get("architectures").and_then(Value::as_array);
    let named = listed.and_then(|names| names.first()).and_then(Value::as_str);
    match (kind, named) {
        (Some("llama"), None | Some("LlamaForCausalLM")) | (None, Some("LlamaForCausalLM")) => Ok(()),
        (Some("llama"), Some(other)) | (Some(other), _) | (None, Some(other)) => {
            Err(LoadFault::UnknownArchitecture(other.to_owned()))
        }
        (None, None) => Err(missing("model_type")),
    }
}

/// The length of a head: what is said, or else the hidden state's over the heads.
pub(super) fn head_length(hidden: usize, heads: usize, said: Option<usize>) -> Result<usize, LoadFault> {
    let why = match said {
        None if !hidden.is_multiple_of(heads) => {
            format!("{heads} heads do not share a hidden state of {hidden} evenly")
        }
        None if !(hidden / heads).is_multiple_of(2) => {
            format!("heads of {} components do not make pairs", hidden / heads)
        }
        Some(head) if !head.is_multiple_of(2) => format!("heads of {head} components do not make pairs"),
        _ => return Ok(said.unwrap_or(hidden / heads)),
    };
    Err(LoadFault::WrongKey { key: "num_attention_heads".to_owned(), why })
}

/// Whether the heads of keys and values fit those of queries.
pub(super) fn check_heads(architecture: &Architecture) -> Result<(), LoadFault> {
    let &Architecture { heads, key_value_heads, .. } = architecture;
    if heads.is_multiple_of(key_value_heads) {
        return Ok(());
    }
    let why = format!("{heads} heads do not share {key_value_heads} heads of keys evenly");
    Err(LoadFault::WrongKey { key: "num_key_value_heads".to_owned(), why })
}

/// Whether the vocabulary has the tokens that are named.
pub(super) fn check_tokens(architecture: &Architecture) -> Result<(), LoadFault> {
    let named = architecture.ends.iter().chain(&architecture.begin);
    match named.copied().find(|&token| token as usize >= architecture.vocabulary) {
        None => Ok(()),
        Some(token) => {
            let why = format!("there is no token {token} in a vocabulary of {}", architecture.vocabulary);
            Err(LoadFault::WrongKey { key: "eos_token_id".to_owned(), why })
        }
    }
}

fn rope(keys: Keys<'_>) -> Result<(f32, RopeScaling), LoadFault> {
    // Newer folders have base and scaling in one table.
    let scaling = keys.get("rope_scaling").or_else(|| keys.get("rope_parameters"));
    let scaling = match scaling {
        None => None,
        Some(Value::Object(scaling)) => Some(Keys(scaling)),
        Some(_) => {
            return Err(LoadFault::WrongKey { key: "rope_scaling".to_owned(), why: "it must be a table".to_owned() });
        }
    };
    let mut base = keys.positive("rope_theta")?;
    if let (None, Some(scaling)) = (base, scaling) {
        base = scaling.positive("rope_theta")?;
    }
    for keys in [Some(keys), scaling].into_iter().flatten() {
        if keys.positive("partial_rotary_factor")?.is_some_and(|part| part != 1.0) {
            return Err(LoadFault::UnknownRope("partial_rotary_factor".to_owned()));
        }
    }
    let base = base.unwrap_or(10_000.0) as f32;
    let Some(scaling) = scaling else { return Ok((base, RopeScaling::None)) };
    let kind = scaling.text("rope_type")?.or(scaling.text("type")?);
    let number = |key: &str| Ok::<_, LoadFault>(scaling.positive(key)?.ok_or_else(|| missing(key))? as f32);
    match kind.unwrap_or("default") {
        "default" => Ok((base, RopeScaling::None)),
        "llama3" => {
            let (low_frequency, high_frequency) = (number("low_freq_factor")?, number("high_freq_factor")?);
            if low_frequency >= high_frequency {
                let why = "it must be above low_freq_factor".to_owned();
                return Err(LoadFault::WrongKey { key: "high_freq_factor".to_owned(), why });
            }
            let (factor, original_context) = (number("factor")?, number("original_max_position_embeddings")?);
            Ok((base, RopeScaling::Llama3 { factor, low_frequency, high_frequency, original_context }))
        }
        other => Err(LoadFault::UnknownRope(other.to_owned())),
    }
}
