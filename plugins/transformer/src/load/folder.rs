//! Folders of the Llama family: `config.json`, and weights in `model.safetensors` or in several files that an index lists.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::IgnoredAny};

use super::{
    LoadError, LoadFault, Reserve,
    assemble::{Format, check, weights},
    checksums::{is_plain, listed, verify},
    config,
    error::POINTER,
    safetensors,
    tensors::{TensorFile, Tensors},
};
use crate::{Architecture, weights::Weights};

/// Longest configuration that is read. What it holds may take many times its length in memory.
pub(crate) const LONGEST_CONFIG: u64 = 4 << 20;
/// Longest list of tensors or files that is read.
pub(super) const LONGEST_LIST: u64 = 16 << 20;
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// Reads a model from a folder.
pub(super) fn load(folder: &Path, reserve: &mut Reserve<'_>) -> Result<(Architecture, Weights), LoadError> {
    let architecture = architecture(folder)?;
    let (index, names) = names(folder)?;
    verify(folder, &names)?;
    let mut shards = Shards::open(folder, index.as_ref(), &names)?;
    let weights = weights(&mut shards, Format::Folder, &architecture, reserve).map_err(|fault| fault.of(folder))?;
    Ok((architecture, weights))
}

/// Whether the weights of a folder can be those of its model, as far as it is said before them. No weight is read.
pub(super) fn examine(folder: &Path, architecture: &Architecture) -> Result<(), LoadError> {
    let (index, names) = names(folder)?;
    listed(folder, &names)?;
    let shards = Shards::open(folder, index.as_ref(), &names)?;
    check(&shards, Format::Folder, architecture).map_err(|fault| fault.of(folder))
}

/// In which file each tensor is, if the weights are in several.
type Index = BTreeMap<String, String>;

/// The index, if there is one, and the names of all files with weights.
fn names(folder: &Path) -> Result<(Option<Index>, Vec<String>), LoadError> {
    let index = index(folder)?;
    let mut names: Vec<String> = index.iter().flat_map(BTreeMap::values).cloned().collect();
    names.sort_unstable();
    names.dedup();
    if index.is_none() {
        names.push(WEIGHTS.to_owned());
    }
    Ok((index, names))
}

/// Reads what a folder says of its model, and nothing else.
pub(super) fn architecture(folder: &Path) -> Result<Architecture, LoadError> {
    let path = folder.join(CONFIG);
    let text = required_file(&path, LONGEST_CONFIG)?;
    let generation = small_file(&folder.join("generation_config.json"), LONGEST_CONFIG)?;
    config::architecture(&text, generation.as_deref()).map_err(|fault| fault.of(&path))
}

/// The index of a folder, if there is one.
fn index(folder: &Path) -> Result<Option<Index>, LoadError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Listing {
        #[serde(default)]
        #[expect(dead_code, reason = "its sizes are found anew")]
        metadata: IgnoredAny,
        weight_map: Index,
    }
    let path = folder.join(INDEX);
    let Some(text) = small_file(&path, LONGEST_LIST)? else { return Ok(None) };
    let index: Listing =
        serde_json::from_slice(&text).map_err(|error| LoadFault::NotJson(error.to_string()).of(&path))?;
    match index.weight_map.values().find(|name| !is_plain(name)) {
        Some(name) => Err(LoadFault::OutsideFolder(name.clone()).of(&path)),
        None => Ok(Some(index.weight_map)),
    }
}

/// A text file of at most so many bytes, which must be there.
pub(crate) fn required_file(path: &Path, longest: u64) -> Result<Vec<u8>, LoadError> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "the file is missing");
    small_file(path, longest)?.ok_or_else(|| LoadFault::Unreadable(missing()).of(path))
}

/// A text file of at most so many bytes, if it is there.
pub(crate) fn small_file(path: &Path, longest: u64) -> Result<Option<Vec<u8>>, LoadError> {
    let fault = |error: io::Error| LoadFault::from(error).of(path);
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(fault)?,
    };
    let mut text = Vec::new();
    file.take(longest + 1).read_to_end(&mut text).map_err(fault)?;
    if text.len() as u64 > longest {
        return Err(LoadFault::TooMany { what: "bytes", found: text.len() as u64, most: longest }.of(path));
    }
    if text.starts_with(POINTER) {
        return Err(LoadFault::Pointer.of(path));
    }
    Ok(Some(text))
}

/// Several files as one.
struct Shards {
    files: Vec<TensorFile<BufReader<File>>>,
    /// Which file has a tensor.
    owner: BTreeMap<String, usize>,
}

impl Shards {
    /// Reads and checks what stands before the weights in each file.
    fn open(folder: &Path, index: Option<&Index>, names: &[String]) -> Result<Self, LoadError> {
        let mut shards = Self { files: Vec::with_capacity(names.len()), owner: BTreeMap::new() };
        for name in names {
            shards.add(folder.join(name), index.map(|index| (index, name.as_str())))?;
        }
        match index.into_iter().flatten().find(|(tensor, _)| !shards.owner.contains_key(*tensor)) {
            Some((tensor, _)) => Err(LoadFault::MissingTensor(tensor.clone()).of(&folder.join(INDEX))),
            None => Ok(shards),
        }
    }

    /// Adds a file. Where there is an index, each of the file's tensors must be listed under the file's name.
    fn add(&mut self, path: PathBuf, listed: Option<(&Index, &str)>) -> Result<(), LoadError> {
        let file = File::open(&path).map_err(|error| LoadFault::from(error).of(&path))?;
        let opened = safetensors::open(BufReader::new(file)).map_err(|fault| fault.of(&path))?;
        for tensor in opened.tensors.keys() {
            if self.owner.insert(tensor.clone(), self.files.len()).is_some() {
                return Err(LoadFault::Twice(tensor.clone()).of(&path));
            }
            if listed.is_some_and(|(index, name)| index.get(tensor).is_none_or(|file| file != name)) {
                let why = "the index does not list the tensor under this file; get the folder anew".to_owned();
                return Err(LoadFault::WrongKey { key: tensor.clone(), why }.of(&path));
            }
        }
        self.files.push(opened);
        Ok(())
    }
}

impl Tensors for Shards {
    fn names(&self) -> Vec<&str> {
        self.owner.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[u64]> {
        self.files[*self.owner.get(name)?].shape(name)
    }

    fn rows(&mut self, name: &str, each: &mut dyn FnMut(usize, &[f32])) -> Result<(), LoadFault> {
        let owner = *self.owner.get(name).ok_or_else(|| LoadFault::MissingTensor(name.to_owned()))?;
        self.files[owner].rows(name, each)
    }
}
