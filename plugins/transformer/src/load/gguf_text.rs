//! What a GGUF file says apart from its weights, as the files of a folder that say the same.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{
    LoadError, LoadFault, gguf_metadata,
    gguf_model::Keys,
    gguf_vocabulary::{self, LISTS, MODEL, TOKENS},
    template,
};
use crate::{Architecture, RopeScaling};

/// `config.json` of an architecture.
///
/// # Errors
/// [`LoadFault::UnknownRope`] for a position encoding that no such file can say.
pub(crate) fn folder_config(architecture: &Architecture) -> Result<Map<String, Value>, LoadFault> {
    // A float that is written in as few digits as tell it apart.
    let short = |number: f32| number.to_string().parse::<f64>().map_or(Value::Null, Value::from);
    let mut config = Map::new();
    let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
    set("architectures", json!(["LlamaForCausalLM"]));
    set("model_type", json!("llama"));
    set("hidden_act", json!("silu"));
    set("hidden_size", json!(architecture.hidden));
    set("intermediate_size", json!(architecture.inner));
    set("num_hidden_layers", json!(architecture.layers));
    set("num_attention_heads", json!(architecture.heads));
    set("num_key_value_heads", json!(architecture.key_value_heads));
    set("head_dim", json!(architecture.head));
    set("vocab_size", json!(architecture.vocabulary));
    set("max_position_embeddings", json!(architecture.context));
    set("rms_norm_eps", short(architecture.epsilon));
    set("rope_theta", short(architecture.rope_base));
    set("tie_word_embeddings", json!(architecture.tied));
    match &architecture.rope_scaling {
        RopeScaling::None => {}
        &RopeScaling::Llama3 { factor, low_frequency, high_frequency, original_context } => {
            let scaling = json!({
                "rope_type": "llama3", "factor": short(factor), "low_freq_factor": short(low_frequency),
                "high_freq_factor": short(high_frequency),
                "original_max_position_embeddings": original_context as u64,
            });
            set("rope_scaling", scaling);
        }
        RopeScaling::Factors(_) => {
            return Err(LoadFault::UnknownRope("rope_freqs".to_owned()));
        }
    }
    if let Some(begin) = architecture.begin {
        set("bos_token_id", json!(begin));
    }
    match architecture.ends[..] {
        [] => {}
        [end] => drop(set("eos_token_id", json!(end))),
        ref ends => drop(set("eos_token_id", json!(ends))),
    }
    Ok(config)
}

/// `tokenizer.json` and `tokenizer_config.json` of a GGUF file; none if it does not have a vocabulary.
///
/// # Errors
/// [`LoadError`] for a vocabulary that is not read here.
pub(crate) fn folder_texts(path: &Path, architecture: &Architecture) -> Result<Vec<(&'static str, Value)>, LoadError> {
    let read = || {
        let metadata = gguf_metadata(path, &LISTS)?;
        let keys = Keys(&metadata);
        if keys.text(MODEL)?.is_none() {
            return Ok(Vec::new());
        }
        let mut tokenizer = json!({
            "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "pre_tokenizer": null,
        });
        let definition = gguf_vocabulary::definition(&metadata, architecture.vocabulary)?;
        if let (Value::Object(tokenizer), Value::Object(definition)) = (&mut tokenizer, definition) {
            tokenizer.extend(definition);
        }
        let mut config = Map::new();
        config.insert("tokenizer_class".to_owned(), json!("PreTrainedTokenizerFast"));
        config.insert("model_max_length".to_owned(), json!(architecture.context));
        if let Some(template) = keys.text(template::GGUF_TEMPLATE)? {
            config.insert("chat_template".to_owned(), json!(template));
        }
        let texts = keys.texts(TOKENS)?;
        for (name, key) in template::GGUF_TOKENS {
            let token = keys.whole(key, 0..=u64::from(u32::MAX))?;
            if let Some(text) = token.and_then(|token| texts?.get(token as usize)) {
                config.insert(format!("{name}_token"), json!(text));
            }
        }
        Ok(vec![("tokenizer.json", tokenizer), ("tokenizer_config.json", Value::Object(config))])
    };
    read().map_err(|fault: LoadFault| fault.of(path))
}
