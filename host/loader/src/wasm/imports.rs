//! The imports of a component.

use std::path::Path;

use wasmtime::component::Component;

use super::{compile, engine::engine, load::not_loaded};
use crate::{Digest, LoadError, regular_file};

/// The interfaces that the component in a file imports, such as `wasi:clocks/wall-clock@0.2.3`, sorted. Nothing of it runs.
///
/// # Errors
/// If the file cannot be read or holds no component.
pub fn imports(path: &Path) -> Result<Vec<String>, LoadError> {
    let read = regular_file::read(path, regular_file::MOST_BYTES);
    let bytes = read.map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    let engine = engine(false).map_err(|what| LoadError::Failed { path: path.to_owned(), what })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let compiled = compile::compile(engine, &name, &bytes, &Digest::of(&bytes));
    let component: Component = compiled.map_err(|error| not_loaded(path, &bytes, error))?;
    let mut names: Vec<String> = component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect();
    names.sort();
    Ok(names)
}
