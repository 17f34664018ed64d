//! Reading models: folders of the Llama family, and GGUF files. What is read becomes 32-bit floats.

mod assemble;
mod blocks;
mod checksums;
mod config;
mod ends;
mod error;
mod folder;
mod gguf;
mod gguf_model;
mod gguf_text;
mod gguf_vocabulary;
mod json;
mod numbers;
pub(crate) mod safetensors;
mod template;
mod tensors;
mod tokenizer;
mod tokenizer_check;

use std::{fs::File, io::BufReader, path::Path};

pub(crate) use self::{
    assemble::{ENDS, tensor_names},
    checksums::verify,
    folder::{LONGEST_CONFIG, required_file, small_file},
    gguf_text::{folder_config, folder_texts},
    json::{Keys, missing},
    tensors::Tensors,
    tokenizer::LONGEST_TOKENIZER,
};
pub use self::{
    checksums::{CHECKSUMS, checksums},
    ends::TextEnds,
    error::{LoadError, LoadFault},
    template::ChatTemplate,
    tokenizer::Tokenizer,
};
use crate::{Architecture, MemoryShort, weights::Weights};

/// Reserves as many bytes as weights take, before any of them is read.
pub(crate) type Reserve<'a> = dyn FnMut(u64) -> Result<(), MemoryShort> + 'a;

/// Reads a model from a folder, or from a GGUF file.
pub(crate) fn load(path: &Path, reserve: &mut Reserve<'_>) -> Result<(Architecture, Weights), LoadError> {
    if path.is_dir() {
        return folder::load(path, reserve);
    }
    let mut read = || {
        let (mut file, metadata) = gguf::open(BufReader::new(File::open(path)?), &[])?;
        let architecture = gguf_model::architecture(&metadata, &mut file)?;
        let weights = assemble::weights(&mut file, assemble::Format::Gguf, &architecture, reserve)?;
        Ok((architecture, weights))
    };
    read().map_err(|fault: LoadFault| fault.of(path))
}

/// Reads what a folder, or a GGUF file, says of its model, and whether the weights that it has can be those of that model, as
/// far as it is said before them. No weight is read, and no checksum compared.
pub(crate) fn examine(path: &Path) -> Result<Architecture, LoadError> {
    if path.is_dir() {
        let architecture = folder::architecture(path)?;
        return folder::examine(path, &architecture).map(|()| architecture);
    }
    let read = || {
        let (mut file, metadata) = gguf::open(BufReader::new(File::open(path)?), &[])?;
        let architecture = gguf_model::architecture(&metadata, &mut file)?;
        assemble::check(&file, assemble::Format::Gguf, &architecture)?;
        Ok(architecture)
    };
    read().map_err(|fault: LoadFault| fault.of(path))
}

/// The metadata of a GGUF file, with these lists.
fn gguf_metadata(path: &Path, lists: &[&str]) -> Result<gguf::Metadata, LoadFault> {
    Ok(gguf::open(BufReader::new(File::open(path)?), lists)?.1)
}

impl Architecture {
    /// Reads what a folder, or a GGUF file, says of its model, without the weights.
    ///
    /// # Errors
    /// [`LoadError`] for a model that does not run here.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        if path.is_dir() {
            return folder::architecture(path);
        }
        let read = || {
            let (mut file, metadata) = gguf::open(BufReader::new(File::open(path)?), &[])?;
            gguf_model::architecture(&metadata, &mut file)
        };
        read().map_err(|fault: LoadFault| fault.of(path))
    }
}
