//! Compiled components, kept between runs.
//!
//! A compiled component is native code that runs unchecked, so only files that this user alone can have written are ever
//! loaded: the folder is the user's own and closed to others, and so is the file.

use std::{
    fs::{self, DirBuilder},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use wasmtime::{Engine, component::Component};

use crate::plugin::Digest;

/// Compiles a component, or takes what was compiled earlier.
pub(super) fn compile(engine: &Engine, bytes: &[u8], digest: &Digest) -> wasmtime::Result<Component> {
    let Some(file) = place(engine, digest) else { return Component::from_binary(engine, bytes) };
    if let Some(component) = take(engine, &file) {
        return Ok(component);
    }
    let component = Component::from_binary(engine, bytes)?;
    // A cache that cannot be written costs time, nothing else.
    if let Ok(compiled) = component.serialize()
        && let Err(error) = keep(&file, &compiled)
    {
        tracing::debug!("a compiled plugin was not kept: {error}");
    }
    Ok(component)
}

/// Where the compiled form of an artifact is kept: named by the artifact, the version of the compiler, the target and its
/// settings.
fn place(engine: &Engine, digest: &Digest) -> Option<PathBuf> {
    let folder = folder()?;
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).ok()?;
    if !ours(&folder) {
        tracing::warn!("`{}` can be written by others: compiled plugins are not kept there", folder.display());
        return None;
    }
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    Some(folder.join(format!("{digest}-{:016x}.cwasm", hasher.finish())))
}

/// The folder of compiled components; none if they are not kept.
fn folder() -> Option<PathBuf> {
    let root = match std::env::var_os("JACKFIELD_CACHE_DIR") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        Some(_) => return None,
        None => {
            let xdg = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
            xdg.or_else(|| std::env::home_dir().map(|home| home.join(".cache")))?.join("jackfield")
        }
    };
    Some(root.join("compiled"))
}

/// How the folder of compiled components stands.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The folder.
    pub folder: PathBuf,
    /// Whether a file can be made in it.
    pub writable: Result<(), String>,
    /// Whether it belongs to this user and nobody else can write it.
    pub ours: bool,
    /// How many components there are.
    pub files: u64,
    /// Their bytes in all.
    pub bytes: u64,
}

/// Looks at the folder of compiled components, and makes it if it is not there; none if they are not to be kept.
#[must_use]
pub fn compiled() -> Option<Compiled> {
    let folder = folder()?;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    let writable = made.and_then(|()| tempfile::NamedTempFile::new_in(&folder).map(drop));
    let (mut files, mut bytes) = (0, 0);
    for about in fs::read_dir(&folder).into_iter().flatten().flatten().filter_map(|entry| entry.metadata().ok()) {
        if about.is_file() {
            files += 1;
            bytes += about.len();
        }
    }
    let ours = ours(&folder);
    Some(Compiled { folder, writable: writable.map_err(|error| error.to_string()), ours, files, bytes })
}

/// Whether a file or folder belongs to this user and nobody else can write it.
fn ours(path: &Path) -> bool {
    // SAFETY-relevant: this is what makes `take` sound. A process's own new file tells whose user it runs as.
    let Ok(meta) = fs::symlink_metadata(path) else { return false };
    let Ok(me) = fs::metadata("/proc/self") else { return false };
    meta.uid() == me.uid() && meta.permissions().mode() & 0o022 == 0 && !meta.is_symlink()
}

fn take(engine: &Engine, file: &Path) -> Option<Component> {
    if !file.exists() || !ours(file) {
        return None;
    }
    // SAFETY: the file and its folder belong to this user and only this user can write them, so it is what `keep` wrote
    // (or the user attacks their own process, which needs no file for it). Wasmtime checks that version, target and
    // settings fit.
    let component = unsafe { Component::deserialize_file(engine, file) };
    component.inspect_err(|error| tracing::debug!("a compiled plugin is made anew: {error:#}")).ok()
}

fn keep(file: &Path, compiled: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    // Temporary files are made for this user alone.
    let mut aside = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut aside, compiled)?;
    aside.persist(file).map(|_| ()).map_err(|error| error.error)
}
