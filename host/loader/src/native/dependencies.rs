//! The libraries that a native plugin needs. Those of the system are the loader's affair; any other is code that runs with
//! the host's full rights as the plugin does, and so is pinned as the plugin is.

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
const MOST: usize = 64;

/// A library beside a plugin that the plugin, or another such library, needs, and that is not one of the system.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// What it is called by those that need it, which is the name of its file.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The digest of its content.
    pub digest: Digest,
}

/// Reads the libraries beside a plugin that it needs. What cannot be read is not there: that is found when it is loaded.
pub(crate) fn beside(plugin: &Path, bytes: &[u8]) -> Vec<Dependency> {
    let folder = plugin.parent().unwrap_or(Path::new(""));
    let mut found = BTreeMap::<String, Dependency>::new();
    let mut open = needed(plugin, bytes);
    while let Some(name) = open.pop() {
        if found.contains_key(&name) || found.len() >= MOST || name.contains('/') || find(&name, &[]) == Found::System {
            continue;
        }
        let path = folder.join(&name);
        let Ok(bytes) = regular_file::read(&path, regular_file::MOST_BYTES) else { continue };
        open.extend(needed(&path, &bytes));
        found.insert(name.clone(), Dependency { name, path, digest: Digest::of(&bytes), bytes });
    }
    found.into_values().collect()
}

fn needed(path: &Path, bytes: &[u8]) -> Vec<String> {
    let read = check_segments(path, bytes).ok().and_then(|()| Dynamic::read(bytes).ok());
    read.map(|dynamic| dynamic.needed).unwrap_or_default()
}

/// Checks that the loader will load nothing that is neither pinned nor the system's: not for the plugin, and not for the
/// libraries that it needs. The libraries come in an order in which each can be loaded after those that it needs.
///
/// # Errors
/// The first thing that speaks against it.
pub(super) fn check<'a>(
    plugin: &Path,
    bytes: &[u8],
    dependencies: &'a [Dependency],
) -> Result<Vec<&'a Dependency>, LoadError> {
    let names: BTreeSet<&str> = dependencies.iter().map(|one| one.name.as_str()).collect();
    check_one(plugin, bytes, &names)?;
    let mut waiting = Vec::new();
    for one in dependencies {
        check_segments(&one.path, &one.bytes)?;
        let dynamic = check_one(&one.path, &one.bytes, &names)?;
        if dynamic.name.as_deref() != Some(&one.name) {
            let own =
                dynamic.name.map_or("no name".to_owned(), |name| format!("the name `{}`", escape_untrusted(&name)));
            return Err(refused(
                &one.path,
                format!("has {own} in it, and is needed as `{}`", escape_untrusted(&one.name)),
                format!("link it with `-Wl,-soname,{}`", escape_untrusted(&one.name)),
            ));
        }
        waiting.push((one, dynamic.needed));
    }
    let (mut order, mut loaded) = (Vec::new(), BTreeSet::new());
    while !waiting.is_empty() {
        let ready = |(_, needed): &(&Dependency, Vec<String>)| {
            needed.iter().all(|name| !names.contains(name.as_str()) || loaded.contains(name))
        };
        let Some(next) = waiting.iter().position(ready) else {
            let (one, _) = waiting[0];
            let fix = "link the libraries that need one another into one".to_owned();
            return Err(refused(&one.path, "needs a library that needs it in turn".to_owned(), fix));
        };
        let (one, _) = waiting.remove(next);
        loaded.insert(one.name.clone());
        order.push(one);
    }
    Ok(order)
}

fn check_one(path: &Path, bytes: &[u8], pinned: &BTreeSet<&str>) -> Result<Dynamic, LoadError> {
    let damaged = |what: String| LoadError::Damaged { path: path.to_owned(), what };
    let dynamic = Dynamic::read(bytes).map_err(damaged)?;
    if let Some((kind, name)) = dynamic.further.first() {
        let what = format!("has the loader load `{}` besides ({kind})", escape_untrusted(name));
        return Err(refused(path, what, "link it without that".to_owned()));
    }
    for folder in &dynamic.folders {
        // That folder is where the copy lies that is loaded: there is nothing but it. It does no harm, and is how a loader
        // other than ours finds what is pinned.
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
