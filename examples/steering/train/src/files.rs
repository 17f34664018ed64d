//! The files of a model, as Hugging Face's tools have them.

use std::{fs, io, path::Path};

use crate::{
    arithmetic::half,
    model::{CONTEXT, EPSILON, HEAD, HEADS, HIDDEN, INNER, KEY_HEADS, LAYERS, Model, ROPE_BASE, Tensor},
    tokenizer::{END, Tokenizer},
};

/// What a conversation becomes before the model reads it.
const TEMPLATE: &str = "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}\
    {% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/// Writes a model's folder, but for `checksums.json`.
pub fn write(folder: &Path, model: &Model, weights: &[f32], tokenizer: &Tokenizer) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let vocabulary = tokenizer.len();
    let config = format!(
        r#"{{
 "architectures": ["LlamaForCausalLM"],
 "model_type": "llama",
 "hidden_size": {HIDDEN},
 "intermediate_size": {INNER},
 "num_hidden_layers": {LAYERS},
 "num_attention_heads": {HEADS},
 "num_key_value_heads": {KEY_HEADS},
 "head_dim": {HEAD},
 "vocab_size": {vocabulary},
 "max_position_embeddings": {CONTEXT},
 "rope_theta": {ROPE_BASE:.1},
 "rms_norm_eps": {EPSILON:e},
 "hidden_act": "silu",
 "tie_word_embeddings": true,
 "eos_token_id": {END},
 "torch_dtype": "float16"
}}
"#
    );
    fs::write(folder.join("config.json"), config)?;
    fs::write(folder.join("tokenizer.json"), tokenizer.file())?;
    let template = format!("{{\n \"eos_token\": \"<|end|>\",\n \"chat_template\": \"{TEMPLATE}\"\n}}\n");
    fs::write(folder.join("tokenizer_config.json"), template)?;
    fs::write(folder.join("model.safetensors"), safetensors(model, weights))
}

/// The weights in half precision, in the format safetensors.
fn safetensors(model: &Model, weights: &[f32]) -> Vec<u8> {
    let describe = |tensor: &&Tensor| {
        let shape = match tensor.is_gain() {
            true => format!("{}", tensor.columns),
            false => format!("{},{}", tensor.rows, tensor.columns),
        };
        let [start, end] = [tensor.range.start, tensor.range.end].map(|at| 2 * at);
        format!(r#""{}":{{"dtype":"F16","shape":[{shape}],"data_offsets":[{start},{end}]}}"#, tensor.name)
    };
    let described: Vec<String> = model.tensors().iter().map(describe).collect();
    let mut header = format!("{{{}}}", described.join(","));
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend(weights.iter().flat_map(|weight| half(*weight).to_le_bytes()));
    file
}
