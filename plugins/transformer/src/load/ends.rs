//! The tokens that begin texts of a model, and those that end replies.

use std::path::Path;

use super::{
    LoadError, Tokenizer,
    config::object,
    folder::{LONGEST_CONFIG, small_file},
    json::Keys,
    template::{CONFIG, special_text},
};
use crate::Architecture;

/// Special tokens that end a turn in the families of models that run here. Files that name one end of a reply often leave
/// out the others, and the reply would go on with a turn of the user's.
const ENDS_OF_TURNS: [&str; 9] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<end_of_utterance>",
];

/// The tokens that stand before a text, and those that end a reply, as the files of a model say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEnds {
    /// The token that is put before a text which no template made; none if nothing is. It is never put before what a
    /// template made: a template writes whatever its model was trained to read, this token included.
    pub begin: Option<u32>,
    /// The tokens that end a reply, each once. They are not part of it.
    pub ends: Vec<u32>,
}

impl TextEnds {
    /// Reads them from a folder, or a GGUF file.
    ///
    /// A reply ends at each token that any of the files names: `eos_token_id` of `config.json` and `generation_config.json`,
    /// `eos_token` of `tokenizer_config.json`; in GGUF, the metadata `eos_token_id`, `eot_token_id` and `eom_token_id` of
    /// `tokenizer.ggml`; in both, each special token that is known to end a turn, such as `<|im_end|>` and `<|eot_id|>`.
    ///
    /// A text begins with a token if `add_bos_token` says so, or, where it is not said, if the tokenizer puts one there: in
    /// `tokenizer.json` its `post_processor`, in GGUF vocabularies of the model `llama` and of Llama 3.
    ///
    /// # Errors
    /// [`LoadError`] for a configuration that cannot be read.
    pub fn load(path: &Path, architecture: &Architecture, tokenizer: &Tokenizer) -> Result<Self, LoadError> {
        let mut texts = Self { begin: tokenizer.begin(), ends: architecture.ends.clone() };
        if path.is_dir() {
            let path = path.join(CONFIG);
            if let Some(text) = small_file(&path, LONGEST_CONFIG)? {
                let config = object(&text).map_err(|fault| fault.of(&path))?;
                let token = |key| special_text(&config, key).and_then(|text| tokenizer.special(text));
                texts.add(token("eos_token"));
                match Keys(&config).truth("add_bos_token").map_err(|fault| fault.of(&path))? {
                    Some(true) => texts.begin = token("bos_token").or(architecture.begin).or(texts.begin),
                    Some(false) => texts.begin = None,
                    None => {}
                }
            }
        }
        for text in ENDS_OF_TURNS {
            texts.add(tokenizer.special(text));
        }
        Ok(texts)
    }

    fn add(&mut self, end: Option<u32>) {
        self.ends.extend(end.filter(|end| !self.ends.contains(end)));
    }
}
