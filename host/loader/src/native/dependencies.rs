//! The libraries that a native plugin needs. The dynamic loader takes those of the system. Any other library is code that runs
//! with the host's full rights, like the plugin, and so it is pinned like the plugin.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    dynamic::Dynamic,
    preflight::check_segments,
    system::{Found, find, is_for_the_administrator},
};
use crate::{Digest, LoadError, escape_untrusted, regular_file};

/// The most libraries that are read for one plugin.
const MOST_LIBRARIES: usize = 64;

/// A library beside a plugin that the plugin, or another such library, needs, and that is not one of the system.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The name by which others need it, which is the name of its file.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The content of the file.
    pub bytes: Vec<u8>,
    /// The digest of the content.
    pub digest: Digest,
}

/// Reads the libraries beside a plugin that it needs. One that cannot be read is left out, and reported as missing when the
/// plugin is loaded.
pub(crate) fn read_dependencies(plugin: &Path, bytes: &[u8]) -> Vec<Dependency> {
    let folder = plugin.parent().unwrap_or(Path::new(""));
    let mut found = BTreeMap::<String, Dependency>::new();
    let mut unread = needed(plugin, bytes);
    while let Some(name) = unread.pop() {
        if found.contains_key(&name)
            || found.len() >= MOST_LIBRARIES
            || name.contains('/')
            || find(&name, &[]) == Found::System
        {
            continue;
        }
        let path = folder.join(&name);
        let Ok(bytes) = regular_file::read(&path, regular_file::MOST_BYTES) else { continue };
        unread.extend(needed(&path, &bytes));
        found.insert(name.clone(), Dependency { name, path, digest: Digest::of(&bytes), bytes });
    }
    found.into_values().collect()
}

fn needed(path: &Path, bytes: &[u8]) -> Vec<String> {
    let read = check_segments(path, bytes).ok().and_then(|()| Dynamic::read(bytes).ok());
    read.map(|dynamic| dynamic.needed).unwrap_or_default()
}

/// Checks that the dynamic loader will load nothing but pinned libraries and those of the system, for the plugin and for the
/// libraries that it needs. Returns the libraries in an order in which each comes after those that it needs.
///
/// # Errors
/// The first reason against it.
pub(super) fn check<'a>(
    plugin: &Path,
    bytes: &[u8],
    dependencies: &'a [Dependency],
) -> Result<Vec<&'a Dependency>, LoadError> {
    let names: BTreeSet<&str> = dependencies.iter().map(|dependency| dependency.name.as_str()).collect();
    check_library(plugin, bytes, &names)?;
    let mut waiting = Vec::new();
    for dependency in dependencies {
        check_segments(&dependency.path, &dependency.bytes)?;
        let dynamic = check_library(&dependency.path, &dependency.bytes, &names)?;
        if dynamic.name.as_deref() != Some(&dependency.name) {
            let own =
                dynamic.name.map_or("no name".to_owned(), |name| format!("the name `{}`", escape_untrusted(&name)));
            return Err(refused(
                &dependency.path,
                format!("has {own} in it, and is needed as `{}`", escape_untrusted(&dependency.name)),
                format!("link it with `-Wl,-soname,{}`", escape_untrusted(&dependency.name)),
            ));
        }
        waiting.push((dependency, dynamic.needed));
    }
    let (mut order, mut loaded) = (Vec::new(), BTreeSet::new());
    while !waiting.is_empty() {
        let is_ready = |(_, needed): &(&Dependency, Vec<String>)| {
            needed.iter().all(|name| !names.contains(name.as_str()) || loaded.contains(name))
        };
        let Some(next) = waiting.iter().position(is_ready) else {
            let (dependency, _) = waiting[0];
            let fix = "link the libraries that need one another into one".to_owned();
            return Err(refused(&dependency.path, "needs a library that needs it in turn".to_owned(), fix));
        };
        let (dependency, _) = waiting.remove(next);
        loaded.insert(dependency.name.clone());
        order.push(dependency);
    }
    Ok(order)
}

/// Checks what one library makes the dynamic loader load.
fn check_library(path: &Path, bytes: &[u8], pinned: &BTreeSet<&str>) -> Result<Dynamic, LoadError> {
    let damaged = |what: String| LoadError::Damaged { path: path.to_owned(), what };
    let dynamic = Dynamic::read(bytes).map_err(damaged)?;
    if let Some((kind, name)) = dynamic.further.first() {
        let what = format!("has the loader load `{}` besides ({kind})", escape_untrusted(name));
        return Err(refused(path, what, "link it without that".to_owned()));
    }
    for folder in &dynamic.folders {
        // Here `$ORIGIN` is the folder of the private copy, in which there is nothing else, so it does no harm. Programs other
        // than this one find the pinned libraries by it.
        let beside = matches!(folder.as_str(), "$ORIGIN" | "${ORIGIN}");
        if (beside && !pinned.is_empty()) || is_for_the_administrator(Path::new(folder)) {
            continue;
        }
        let what = format!(
            "has libraries looked for in `{}` (RPATH or RUNPATH), where others can put one",
            escape_untrusted(folder)
        );
        let fix = format!("link it without `-rpath`, or take that out: patchelf --remove-rpath {}", path.display());
        return Err(refused(path, what, fix));
    }
    for name in dynamic.needed.iter().filter(|name| !pinned.contains(name.as_str())) {
        check_needed(path, name, &dynamic.folders)?;
    }
    Ok(dynamic)
}

/// Checks that a library that is not pinned is one of the system.
fn check_needed(path: &Path, name: &str, folders: &[String]) -> Result<(), LoadError> {
    let shown = escape_untrusted(name);
    if name.contains('/') {
        let fix =
            "link it with the library's name (`-l`, or `-Wl,-soname` in the library) in place of a path".to_owned();
        return Err(refused(path, format!("needs `{shown}`, a library by its path"), fix));
    }
    match find(name, folders) {
        Found::System => Ok(()),
        Found::Elsewhere(file) => Err(refused(
            path,
            format!(
                "needs `{shown}`, which would be loaded from `{}`, where others than the administrator can change it",
                file.display()
            ),
            format!(
                "put a copy beside the plugin, which is then pinned as the plugin is, or link `{shown}` in statically"
            ),
        )),
        Found::Nowhere => Err(refused(
            path,
            format!("needs `{shown}`, which is neither a library of this system nor pinned"),
            format!("put `{shown}` beside the plugin and pin it, link it in statically, or install it on the system"),
        )),
    }
}

fn refused(path: &Path, what: String, fix: String) -> LoadError {
    LoadError::Dependency { path: path.to_owned(), what, fix }
}
