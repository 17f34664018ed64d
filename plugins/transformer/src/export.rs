//! Writing a model: a folder that this program and others read, with edits in its weights.
//!
//! All weights are written as 32-bit floats, whatever the files had that they were read from: rounded to 16 bits, the model would
//! differ from the one that was looked at, under its edits, by more than many an edit does.

mod error;
mod safetensors;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

use jackfield_plugin_api::Component;
use serde_json::{Map, Value, json};

pub use self::error::ExportError;
use self::safetensors::{Tensor, write};
use crate::{
    Edits, Transformer,
    load::{
        CHECKSUMS, ENDS, LONGEST_CONFIG, LoadFault, checksums, folder_config, folder_texts, required_file, tensor_names,
    },
    matrix::Matrix,
    weights::Layer,
};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
/// Files of a folder that say how texts become tokens and where replies end.
const COPIED: [&str; 9] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "generation_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
];

/// Writes a model that was read from `source`, with edits in its weights, to the folder `to`, which must be empty or absent, and
/// gives the names of the files with their SHA-256. The folder is there as a whole or not at all; one that is there stays what it
/// is (its owner and its rights, or the disk that is mounted there), and gets `config.json`, without which it is no model, last.
///
/// Its logits are those of the model under the edits, but for rounding. `is_cancelled` is asked now and then.
///
/// # Errors
/// [`ExportError`] for a folder that is not empty or cannot be written, and for a model that cannot be said in such a folder.
pub fn export(
    model: &Transformer,
    source: &Path,
    edits: &Edits,
    to: &Path,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<BTreeMap<String, String>, ExportError> {
    check_absent(to)?;
    let parent = match to.is_dir() {
        true => to,
        false => to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")),
    };
    fs::create_dir_all(parent).map_err(|error| ExportError::write(parent, error))?;
    let part = PartialFolder::create(to, parent)?;
    for (name, value) in texts(model, source, &part.0)? {
        let text = serde_json::to_string_pretty(&value).map_err(|error| ExportError::write(&part.0, error.into()))?;
        write_file(&part.0.join(name), |file| file.write_all(text.as_bytes()))?;
    }
    let tensors = tensors(model, edits);
    let cancelled = || io::Error::new(io::ErrorKind::Interrupted, "cancelled");
    let mut check = || if is_cancelled() { Err(cancelled()) } else { Ok(()) };
    let written = write_file(&part.0.join(WEIGHTS), |file| write(file, &tensors, &mut check));
    if is_cancelled() {
        return Err(ExportError::Cancelled);
    }
    written?;
    let sums = checksums(&part.0).map_err(ExportError::Load)?;
    write_file(&part.0.join(CHECKSUMS), |file| file.write_all(sums.as_bytes()))?;
    let files = serde_json::from_str::<Value>(&sums).map(|mut sums| sums["files"].take());
    let files = files.and_then(serde_json::from_value).map_err(|error| ExportError::write(&part.0, error.into()))?;
    if parent == to {
        part.move_into(to)?
    } else {
        part.rename(to)?
    }
    // So that the name lasts as well.
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(|error| ExportError::write(parent, error))?;
    Ok(files)
}

fn check_absent(to: &Path) -> Result<(), ExportError> {
    match fs::read_dir(to).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(false) => Err(ExportError::Occupied { path: to.to_owned() }),
        Err(_) if to.is_file() => Err(ExportError::Occupied { path: to.to_owned() }),
        Err(error) => Err(ExportError::write(to, error)),
    }
}

/// A folder that is being written, and is removed unless it gets its name.
struct PartialFolder(PathBuf);

impl PartialFolder {
    fn create(to: &Path, parent: &Path) -> Result<Self, ExportError> {
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let id = process::id();
        let mut number = 0_u32;
        loop {
            let path = parent.join(format!(".{name}.{id}.{number}.part"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                // That of another export at the same time, or of a process of the same number that was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < u32::MAX => number += 1,
                Err(error) => return Err(ExportError::write(&path, error)),
            }
        }
    }

    /// Moves the files, in an order in which what is not whole is no model.
    fn move_into(self, to: &Path) -> Result<(), ExportError> {
        let read = || -> io::Result<Vec<_>> { fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name())).collect() };
        let mut names = read().map_err(|error| ExportError::write(&self.0, error))?;
        names.sort_by_key(|name| (name == CONFIG, name.clone()));
        for name in names {
            let path = to.join(&name);
            fs::rename(self.0.join(&name), &path).map_err(|error| ExportError::write(&path, error))?;
        }
        Ok(())
    }

    fn rename(self, to: &Path) -> Result<(), ExportError> {
        fs::rename(&self.0, to).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                ExportError::Occupied { path: to.to_owned() }
            }
            _ => ExportError::write(to, error),
        })
    }
}

impl Drop for PartialFolder {
    fn drop(&mut self) {
        // It is not there any more if it has its name.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write_file(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), ExportError> {
    let write = || {
        let mut file = File::create_new(path)?;
        fill(&mut file)?;
        file.sync_all()
    };
    write().map_err(|error| ExportError::write(path, error))
}

/// The files that are texts: `config.json`, and of a GGUF file the vocabulary. Those of a folder are copied.
fn texts(model: &Transformer, source: &Path, to: &Path) -> Result<Vec<(&'static str, Value)>, ExportError> {
    let architecture = model.architecture();
    let (mut config, mut all) = if source.is_dir() {
        for name in COPIED {
            let (from, to) = (source.join(name), to.join(name));
            match fs::copy(&from, &to) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                copied => drop(copied.map_err(|error| ExportError::write(&to, error))?),
            }
        }
        let path = source.join(CONFIG);
        let text = required_file(&path, LONGEST_CONFIG).map_err(ExportError::Load)?;
        let wrong = |error: serde_json::Error| ExportError::Load(LoadFault::NotJson(error.to_string()).of(&path));
        (serde_json::from_slice::<Map<String, Value>>(&text).map_err(wrong)?, Vec::new())
    } else {
        let config = folder_config(architecture).ok_or_else(|| ExportError::Unsayable { path: source.to_owned() })?;
        (config, folder_texts(source, architecture).map_err(ExportError::Load)?)
    };
    // Both names are in use for the type of the weights.
    config.remove("dtype");
    config.insert("torch_dtype".to_owned(), json!("float32"));
    all.push((CONFIG, Value::Object(config)));
    Ok(all)
}

/// All tensors, in the order of their use.
fn tensors<'a>(model: &'a Transformer, edits: &'a Edits) -> Vec<Tensor<'a>> {
    let (weights, architecture) = (&model.weights, model.architecture());
    let [embedding, final_norm, head] = ENDS;
    let mut all = vec![Tensor::rows(embedding, &weights.embedding, 0..architecture.vocabulary)];
    for (index, layer) in weights.layers.iter().enumerate() {
        let names = tensor_names(index);
        let Layer { attention_norm, queries_keys_values, attention_output, mlp_norm, gate_up, down } = layer;
        let (queries, keys, inner) = (architecture.queries(), architecture.keys(), architecture.inner);
        all.push(Tensor::vector(names.attention_norm, attention_norm));
        all.extend(stacked(names.queries_keys_values, queries_keys_values, [queries, keys, keys]));
        let edited = |name, component, matrix| Tensor::edited(name, matrix, edits, (component, index));
        all.push(edited(names.attention_output, Component::AttentionOutput, attention_output));
        all.push(Tensor::vector(names.mlp_norm, mlp_norm));
        all.extend(stacked(names.gate_up, gate_up, [inner, inner]));
        all.push(edited(names.down, Component::MlpDown, down));
    }
    all.push(Tensor::vector(final_norm, &weights.final_norm));
    all.extend(weights.head.as_ref().map(|matrix| Tensor::rows(head, matrix, 0..architecture.vocabulary)));
    all
}

/// Matrices that lie below one another.
fn stacked<const N: usize>(names: [String; N], matrix: &Matrix, rows: [usize; N]) -> impl Iterator<Item = Tensor<'_>> {
    let mut first = 0;
    names.into_iter().zip(rows).map(move |(name, rows)| {
        let tensor = Tensor::rows(name, matrix, first..first + rows);
        first += rows;
        tensor
    })
}
