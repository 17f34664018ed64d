//! Sentence encoders that stages share.

use std::{
    collections::HashMap,
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Weak},
    thread,
    time::SystemTime,
};

use jackfield_plugin_api::{Failure, Result, sync::lock};
use jackfield_transformer::SentenceEncoder;

use crate::vectors::Vectors;

/// What a model that is in use was read from: stages that use one share it.
type Key = (PathBuf, u64, Option<SystemTime>, Option<usize>);

static OPEN: Mutex<Option<HashMap<Key, Weak<SentenceEncoder>>>> = Mutex::new(None);

/// Reads the model in a folder, or shares it with whoever has it open.
///
/// # Errors
/// [`Failure::InvalidConfig`] if a file is missing or is not what its name says; [`Failure::OverBudget`] for a model that
/// does not fit into memory.
pub(super) fn open(folder: &Path, max_tokens: Option<usize>) -> Result<Arc<SentenceEncoder>> {
    let weights = folder.join("model.safetensors");
    let about = fs::metadata(&weights).map_err(|error| {
        let path = weights.display().to_string();
        with_advice(Failure::InvalidConfig(format!("cannot load `{}`: {error}", path.escape_debug())))
    })?;
    let key = (folder.to_owned(), about.len(), about.modified().ok(), max_tokens);
    // Locked while a model is read, so that nobody reads the same one at the same time.
    let mut open = lock(&OPEN);
    let open = open.get_or_insert_default();
    if let Some(encoder) = open.get(&key).and_then(Weak::upgrade) {
        return Ok(encoder);
    }
    open.retain(|_, encoder| encoder.strong_count() > 0);
    let encoder = SentenceEncoder::load(folder, max_tokens).map_err(|error| with_advice(error.into()))?;
    let encoder = Arc::new(encoder);
    open.insert(key, Arc::downgrade(&encoder));
    Ok(encoder)
}

/// One row per text, on as many threads as there are cores.
///
/// # Errors
/// [`Failure::InvalidOutput`] for a text whose vector is not finite; [`Failure::InvalidInput`] for one that does not become
/// tokens.
pub(super) fn embed(encoder: &SentenceEncoder, texts: &[&str]) -> Result<Vectors> {
    let threads = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let rows = encoder.embed(texts, threads)?;
    let mut vectors = Vectors::new(encoder.dimensions());
    for row in rows.chunks_exact(encoder.dimensions()) {
        vectors.push(row);
    }
    Ok(vectors)
}

/// Says what the folder has to hold.
fn with_advice(failure: Failure) -> Failure {
    match failure {
        Failure::InvalidConfig(why) => Failure::InvalidConfig(format!(
            "{why}; `embedder.folder` has to hold config.json, tokenizer.json and model.safetensors of a BERT sentence \
             encoder"
        )),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::dot;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../transformer/fixtures/bert")
    }

    #[test]
    fn stages_with_one_folder_share_the_model() {
        let (left, right) = (open(&folder(), None).unwrap(), open(&folder(), None).unwrap());
        assert!(Arc::ptr_eq(&left, &right));
        assert!(!Arc::ptr_eq(&left, &open(&folder(), Some(9)).unwrap()));
        assert!(embed(&left, &[]).unwrap().is_empty());
    }

    #[test]
    fn each_text_has_a_row_of_length_one_that_does_not_depend_on_the_others() {
        let encoder = open(&folder(), None).unwrap();
        let texts = ["the owl hunts at night", "", "a fox sleeps by day"];
        let rows = embed(&encoder, &texts).unwrap();
        assert_eq!(rows.len(), texts.len());
        for (row, text) in rows.rows().zip(texts) {
            assert!((dot(row, row) - 1.0).abs() < 1e-5);
            assert_eq!(row, embed(&encoder, &[text]).unwrap().row(0));
        }
    }

    #[test]
    fn a_folder_that_lacks_a_file_is_named_with_what_it_has_to_hold() {
        let failure = open(Path::new("/nowhere"), None).unwrap_err();
        let Failure::InvalidConfig(why) = failure else { panic!("{failure}") };
        assert!(why.contains("/nowhere/model.safetensors") && why.contains("embedder.folder"), "{why}");
        let empty = tempfile::tempdir().unwrap();
        std::fs::write(empty.path().join("model.safetensors"), "").unwrap();
        let failure = open(empty.path(), None).unwrap_err();
        let Failure::InvalidConfig(why) = failure else { panic!("{failure}") };
        assert!(why.contains("config.json") && why.contains("embedder.folder"), "{why}");
    }
}
