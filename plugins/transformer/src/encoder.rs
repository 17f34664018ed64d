//! Sentence encoders with BERT's architecture (Devlin et al. 2019; Reimers and Gurevych 2019): a vector for each text.
//!
//! | file | what it does |
//! | --- | --- |
//! | `settings` | `config.json` and its siblings: what the model is |
//! | `weights` | tensors by name to matrices |
//! | `pieces` | texts to tokens |
//! | `layers` | tokens to the last layer's rows |
//! | `arithmetic` | what is done row by row |

mod arithmetic;
mod layers;
mod pieces;
mod settings;
mod weights;

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    num::NonZero,
    path::Path,
    sync::Mutex,
    thread,
};

use jackfield_plugin_api::sync::lock;
use sha2::{Digest, Sha256};

use self::{
    layers::Pass,
    pieces::Pieces,
    settings::{Pooling, Settings},
    weights::EncoderWeights,
};
use crate::{
    Kernel, LoadError, RunError,
    load::{LONGEST_CONFIG, LONGEST_TOKENIZER, LoadFault, required_file, safetensors, verify},
};

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";
/// Most tokens where the folder does not say.
const DEFAULT_LONGEST: usize = 256;
/// A model that reads fewer tokens cannot read a sentence.
const FEWEST_TOKENS: usize = 8;
/// Fewest tokens of several texts that are worth a thread of their own.
const WORTH_A_THREAD: usize = 48;

/// A sentence encoder: a vector of length 1 for each text, from the last layer's rows.
///
/// A text's vector has the same bits alone and in any batch, at any number of threads.
#[derive(Debug)]
pub struct SentenceEncoder {
    settings: Settings,
    weights: EncoderWeights,
    pieces: Pieces,
    longest: usize,
    pooling: Pooling,
    kernel: Kernel,
    identity: [u8; 32],
}

impl SentenceEncoder {
    /// Reads a model's folder, as sentence-transformers writes it: `config.json`, `tokenizer.json` and `model.safetensors`,
    /// and `sentence_bert_config.json`, `1_Pooling/config.json` and `checksums.json` where they are there. Texts are read up
    /// to `max_tokens` tokens, by default what the folder says, or 256, and never more than the model has positions.
    ///
    /// # Errors
    /// [`LoadError`] for a file that is missing, is not what its name says, or is of a model that does not run here.
    pub fn load(folder: &Path, max_tokens: Option<usize>) -> Result<Self, LoadError> {
        Self::load_with(folder, max_tokens, Kernel::best())
    }

    fn load_with(folder: &Path, max_tokens: Option<usize>, kernel: Kernel) -> Result<Self, LoadError> {
        let mut identity = Sha256::new();
        let path = folder.join(CONFIG);
        let text = required_file(&path, LONGEST_CONFIG)?;
        identity.update(Sha256::digest(&text));
        let settings = Settings::read(&text).map_err(|fault| fault.of(&path))?;
        let path = folder.join(TOKENIZER);
        let text = required_file(&path, LONGEST_TOKENIZER)?;
        identity.update(Sha256::digest(&text));
        let pieces = Pieces::read(&text, settings.vocabulary).map_err(|fault| fault.of(&path))?;
        let limit = match max_tokens {
            Some(most) => Some(most),
            None => settings::longest(folder)?,
        };
        let longest = limit.unwrap_or(DEFAULT_LONGEST).min(settings.positions);
        if longest < FEWEST_TOKENS.max(pieces.ends()) {
            let why = format!("with {longest} tokens at most it cannot read a sentence");
            return Err(LoadFault::WrongTokenizer(why).of(folder));
        }
        let pooling = settings::pooling(folder)?;
        verify(folder, &[WEIGHTS.to_owned()])?;
        let path = folder.join(WEIGHTS);
        let mut read = || {
            let mut file = File::open(&path)?;
            identity.update(digest(&mut file)?);
            // Position numbers, which some files have, are a type of their own that nothing here needs.
            let is_skipped = |name: &str| name.ends_with("position_ids");
            let mut file = safetensors::open_without(BufReader::new(file), is_skipped)?;
            EncoderWeights::read(&mut file, &settings)
        };
        let weights = read().map_err(|fault: LoadFault| fault.of(&path))?;
        identity.update(format!("encoder 2 {longest} {} {}", pooling.name(), kernel.name()));
        Ok(Self { settings, weights, pieces, longest, pooling, kernel, identity: identity.finalize().into() })
    }

    /// Length of a vector.
    #[must_use]
    pub const fn dimensions(&self) -> usize {
        self.settings.hidden
    }

    /// A digest of all that a vector depends on besides the text: files, options, the kernel, and how this program reads them.
    #[must_use]
    pub const fn identity(&self) -> &[u8; 32] {
        &self.identity
    }

    /// The vectors of the texts, one after the other. Texts are shared between up to `threads` threads.
    ///
    /// # Errors
    /// [`RunError::VectorNotFinite`] with the index of a text whose vector is not finite, because the weights exceed 32-bit
    /// floats; [`RunError::NotTokenized`] for a text that does not become tokens.
    pub fn embed(&self, texts: &[&str], threads: NonZero<usize>) -> Result<Vec<f32>, RunError> {
        let tokens = texts.iter().map(|text| self.pieces.tokens(text, self.longest)).collect::<Result<Vec<_>, _>>()?;
        let tokens: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).collect();
        let vectors = self.embed_tokens(&tokens, threads.get());
        match vectors.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(RunError::VectorNotFinite { text: index / self.dimensions() }),
            None => Ok(vectors),
        }
    }

    fn embed_tokens(&self, tokens: &[&[u32]], threads: usize) -> Vec<f32> {
        let parts = parts(tokens, threads);
        let mut vectors = vec![0.0; tokens.len() * self.dimensions()];
        let mut rest = vectors.as_mut_slice();
        let mut work = Vec::with_capacity(parts.len());
        for part in parts {
            let (results, others) = rest.split_at_mut(part.len() * self.dimensions());
            rest = others;
            work.push((part, results));
        }
        let helpers = threads.min(work.len()).saturating_sub(1);
        let work = Mutex::new(work.into_iter());
        let take_work = || lock(&work).next();
        let embed_parts = || {
            let mut pass = Pass::new(&self.settings, &self.weights, self.kernel);
            while let Some((part, results)) = take_work() {
                self.pool(&mut pass, part, results);
            }
        };
        thread::scope(|scope| {
            for _ in 0..helpers {
                // Where the system does not give a thread, the others do its work.
                let _ = thread::Builder::new().spawn_scoped(scope, embed_parts);
            }
            embed_parts();
        });
        vectors
    }

    fn pool(&self, pass: &mut Pass<'_>, texts: &[&[u32]], results: &mut [f32]) {
        let hidden = self.dimensions();
        let mut rows = pass.read(texts);
        for (text, result) in texts.iter().zip(results.chunks_exact_mut(hidden)) {
            let (of_text, others) = rows.split_at(text.len() * hidden);
            rows = others;
            self.pooling.vector(of_text, result);
        }
    }
}

/// The SHA-256 of a file, which is read from its begin again afterwards.
fn digest(file: &mut File) -> io::Result<[u8; 32]> {
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    file.rewind()?;
    Ok(digest.finalize().into())
}

/// Parts of the texts, in order, with about as many tokens each: a part or more for each thread, if there are enough, and
/// none much larger than what goes through the layers at once.
fn parts<'a, 'b>(mut texts: &'a [&'b [u32]], threads: usize) -> Vec<&'a [&'b [u32]]> {
    let tokens: usize = texts.iter().map(|text| text.len()).sum();
    let count = tokens.div_ceil(layers::ROWS_AT_ONCE).next_multiple_of(threads.max(1)).max(1);
    let full = tokens.div_ceil(count).max(WORTH_A_THREAD);
    let mut parts = Vec::new();
    while !texts.is_empty() {
        let mut sum = 0;
        let is_last = |text: &&[u32]| {
            sum += text.len();
            sum >= full
        };
        let (part, rest) = texts.split_at(texts.iter().position(is_last).map_or(texts.len(), |last| last + 1));
        parts.push(part);
        texts = rest;
    }
    parts
}

#[cfg(test)]
mod tests;
