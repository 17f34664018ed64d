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

/// `config.json` of an architecture; none for a position encoding that no such file can say.
pub(crate) fn folder_config(architecture: &Architecture) -> Option<Map<String, Value>> {
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
    let known = match &architecture.rope_scaling {
        RopeScaling::Factors(factors) => as_llama_3(architecture, factors)?,
        known => known.clone(),
    };
    if let RopeScaling::Llama3 { factor, low_frequency, high_frequency, original_context } = known {
        let scaling = json!({
            "rope_type": "llama3", "factor": short(factor), "low_freq_factor": short(low_frequency),
            "high_freq_factor": short(high_frequency), "original_max_position_embeddings": original_context as u64,
        });
        set("rope_scaling", scaling);
    }
    if let Some(begin) = architecture.begin {
        set("bos_token_id", json!(begin));
    }
    match architecture.ends[..] {
        [] => {}
        [end] => drop(set("eos_token_id", json!(end))),
        ref ends => drop(set("eos_token_id", json!(ends))),
    }
    Some(config)
}

/// The scaling of Llama 3.1 and later, where that is what these divisors of frequencies are: GGUF files have them in its place.
fn as_llama_3(architecture: &Architecture, factors: &[f32]) -> Option<RopeScaling> {
    const CLOSE: f32 = 1e-4;
    let factor = factors.iter().copied().fold(1.0, f32::max).round();
    let scaling = RopeScaling::Llama3 { factor, low_frequency: 1.0, high_frequency: 4.0, original_context: 8192.0 };
    let plain = Architecture { rope_scaling: RopeScaling::None, ..architecture.clone() }.frequencies();
    let scaled = Architecture { rope_scaling: scaling.clone(), ..architecture.clone() }.frequencies();
    let is_close = |((plain, scaled), factor): ((f32, f32), &f32)| ((plain / scaled) / factor - 1.0).abs() < CLOSE;
    (factors.len() == plain.len() && plain.into_iter().zip(scaled).zip(factors).all(is_close)).then_some(scaling)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::config;

    fn architecture(rope_scaling: RopeScaling) -> Architecture {
        Architecture {
            layers: 2,
            hidden: 128,
            heads: 2,
            key_value_heads: 1,
            head: 64,
            inner: 256,
            vocabulary: 300,
            context: 4096,
            epsilon: 1e-5,
            rope_base: 500_000.0,
            rope_scaling,
            tied: true,
            begin: Some(1),
            ends: vec![2, 3],
        }
    }

    fn read_again(architecture: &Architecture) -> Option<Architecture> {
        let text = serde_json::to_vec(&Value::Object(folder_config(architecture)?)).expect("JSON");
        Some(config::architecture(&text, None).expect("a configuration"))
    }

    #[test]
    fn an_architecture_is_read_from_the_configuration_that_is_written_of_it() {
        let llama_3 =
            |factor| RopeScaling::Llama3 { factor, low_frequency: 1.0, high_frequency: 4.0, original_context: 8192.0 };
        for scaling in [RopeScaling::None, llama_3(8.0)] {
            let wanted = architecture(scaling);
            assert_eq!(read_again(&wanted).expect("it can be said"), wanted);
        }
        // As GGUF files have it.
        let scaled = architecture(llama_3(32.0)).frequencies();
        let plain = architecture(RopeScaling::None).frequencies();
        let factors = plain.iter().zip(&scaled).map(|(plain, scaled)| plain / scaled).collect();
        let read = read_again(&architecture(RopeScaling::Factors(factors))).expect("it can be said");
        assert_eq!(read, architecture(llama_3(32.0)));
        let one = Architecture { ends: vec![7], begin: None, ..architecture(RopeScaling::None) };
        assert_eq!(read_again(&one).expect("it can be said"), one);
    }

    #[test]
    fn divisors_that_no_configuration_can_say_are_refused() {
        let other = architecture(RopeScaling::Factors((0..32).map(|pair| 1.0 + pair as f32).collect()));
        assert_eq!(folder_config(&other), None);
    }
}
