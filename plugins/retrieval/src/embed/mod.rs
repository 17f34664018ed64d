//! Texts as vectors of length 1.

#[cfg(feature = "models")]
mod bert;
mod by_model;
mod cached;
mod hashing;

use std::sync::Arc;

use jackfield_plugin_api::prelude::*;
#[cfg(feature = "models")]
use jackfield_transformer::SentenceEncoder;

pub use by_model::embed_by_model;
pub(crate) use by_model::other_length;
pub use cached::embed_cached;
pub use hashing::{Features, Hashing};

use crate::vectors::Vectors;

/// Length of hashed vectors where nothing else is said: what learns from dense ones pays for each element.
const DIMENSIONS: usize = 1024;

/// Which embedder turns texts into vectors.
#[derive(Clone, Debug, PartialEq, Document)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum EmbedderConfig {
    /// Hashed words, pairs of words and parts of words: needs no file, knows no synonyms.
    Hashing {
        /// Length of a vector: the longer, the fewer features share an element. By default 16,384 where documents are searched, which
        /// keep only the elements that are not 0, and elsewhere 1,024.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 16, max = 65536))]
        dimensions: Option<usize>,
        /// Whether features that few of the texts at hand have weigh more.
        #[config(default = true)]
        idf: bool,
    },
    /// A sentence encoder with BERT's architecture, run in the process. Only in hosts that link this plugin in.
    Bert {
        /// Folder with `config.json`, `tokenizer.json` and `model.safetensors`, as sentence-transformers writes it.
        folder: DigestedPath,
        /// Longest text in tokens; what is beyond is not read. By default what the folder says, or 256.
        #[schemars(range(min = 8, max = 8192))]
        max_tokens: Option<usize>,
    },
    /// The model that the pipeline gives to the stage (`model = "name"`), which has to offer `embed`. It is asked about the
    /// texts of the configuration when the first document comes, and about each document; give the stage a `store`, so that
    /// no text is embedded twice.
    #[schemars(extend("x-needs" = "model:embed"))]
    Model {},
}

impl Default for EmbedderConfig {
    fn default() -> Self {
        Self::Hashing { dimensions: None, idf: true }
    }
}

impl EmbedderConfig {
    /// The same with a length for hashed vectors, where none was given.
    #[must_use]
    pub fn or_dimensions(&self, length: usize) -> Self {
        match self {
            Self::Hashing { dimensions: None, idf } => Self::Hashing { dimensions: Some(length), idf: *idf },
            other => other.clone(),
        }
    }

    /// Whether vectors are made of words and their parts alone: of other words they say nothing.
    #[must_use]
    pub const fn is_of_words(&self) -> bool {
        matches!(self, Self::Hashing { .. })
    }

    /// Whether the stage's model makes the vectors. It can be called only while the stage is.
    #[must_use]
    pub const fn is_of_stage(&self) -> bool {
        matches!(self, Self::Model {})
    }
}

/// An embedder in the process, ready to be used. Cheap to clone.
#[derive(Clone)]
pub enum Embedder {
    /// Hashed features.
    Hashing(Arc<Hashing>),
    /// A sentence encoder.
    #[cfg(feature = "models")]
    Bert(Arc<SentenceEncoder>),
}

impl Embedder {
    /// Makes the embedder; `texts` are those at hand, from which the hashing embedder learns how common features are.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if a size is out of range, the model's folder cannot be read or is not one, or the vectors
    /// are a stage's model's to make, which are [asked for](embed_by_model).
    pub fn open<'a>(config: &EmbedderConfig, texts: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        match config {
            EmbedderConfig::Hashing { dimensions, idf } => {
                let dimensions = dimensions.unwrap_or(DIMENSIONS);
                if !(16..=65536).contains(&dimensions) {
                    let wrong = format!("`embedder.dimensions` is {dimensions}: it must be 16 to 65536");
                    return Err(Failure::InvalidConfig(wrong));
                }
                let mut hashing = Hashing::new(dimensions);
                if *idf {
                    hashing.fit(texts);
                }
                Ok(Self::Hashing(Arc::new(hashing)))
            }
            #[cfg(feature = "models")]
            EmbedderConfig::Bert { folder, max_tokens } => Ok(Self::Bert(bert::open(&folder.path, *max_tokens)?)),
            EmbedderConfig::Model {} => Err(Failure::InvalidConfig(
                "the embedder `model` is the model of a stage: there is none outside a call".to_owned(),
            )),
            #[cfg(not(feature = "models"))]
            EmbedderConfig::Bert { .. } => Err(Failure::InvalidConfig(
                "this build runs no models in the process: use the embedder `hashing`, or a host that links \
                 jackfield-retrieval in with its feature `models`"
                    .to_owned(),
            )),
        }
    }

    /// Whether vectors are made of words and their parts alone: of other words they say nothing.
    #[must_use]
    pub const fn is_of_words(&self) -> bool {
        matches!(self, Self::Hashing(_))
    }

    /// Length of a vector.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        match self {
            Self::Hashing(hashing) => hashing.dimensions(),
            #[cfg(feature = "models")]
            Self::Bert(encoder) => encoder.dimensions(),
        }
    }

    /// What distinguishes this embedder from every other that makes other vectors: a digest of all that it learned or read.
    #[must_use]
    pub fn identity(&self) -> &[u8] {
        match self {
            Self::Hashing(hashing) => hashing.identity(),
            #[cfg(feature = "models")]
            Self::Bert(encoder) => encoder.identity(),
        }
    }

    /// One row per text.
    ///
    /// # Errors
    /// [`Failure::Internal`] if the model fails on the texts.
    pub fn embed(&self, texts: &[&str]) -> Result<Vectors> {
        match self {
            Self::Hashing(hashing) => {
                let mut vectors = Vectors::new(hashing.dimensions());
                for text in texts {
                    vectors.push(&hashing.embed(text));
                }
                Ok(vectors)
            }
            #[cfg(feature = "models")]
            Self::Bert(encoder) => bert::embed(encoder, texts),
        }
    }
}

/// What a stage asks for that embeds texts.
pub(crate) fn permissions() -> Vec<Permission> {
    let cache = "to keep the vectors of queries, so that none is embedded twice".to_owned();
    let model = "to have the model make the vectors, with `embedder = { kind = \"model\" }`".to_owned();
    vec![
        Permission { name: "cache".to_owned(), reason: cache },
        Permission { name: "model:embed".to_owned(), reason: model },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_the_kind_does_not_have_is_refused() {
        let read = |text: &str| serde_json::from_str::<EmbedderConfig>(text);
        assert_eq!(read(r#"{"kind": "hashing"}"#).unwrap(), EmbedderConfig::default());
        assert!(read(r#"{"kind": "hashing", "folder": "x"}"#).unwrap_err().to_string().contains("folder"));
        assert!(read(r#"{"kind": "word2vec"}"#).unwrap_err().to_string().contains("word2vec"));
    }

    #[test]
    fn sizes_out_of_range_are_refused() {
        let tiny = EmbedderConfig::Hashing { dimensions: Some(3), idf: false };
        assert!(matches!(Embedder::open(&tiny, []), Err(Failure::InvalidConfig(_))));
    }
}
