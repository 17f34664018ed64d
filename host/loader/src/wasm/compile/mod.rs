//! Compiles the bytes of a component to native code, within bounds, or takes the code that was compiled earlier.

mod bounds;
mod cost;
mod entry;
mod folder;

use std::{
    io,
    path::PathBuf,
    sync::{Once, OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use wasmtime::{Engine, component::Component};

use self::{
    cost::{Cost, Most},
    entry::Key,
    folder::Folder,
};
use crate::{
    Digest, escape_untrusted,
    sandbox::{parse_size, size},
};

/// A component of at least this many bytes is announced before it is compiled, since that may take seconds.
const ANNOUNCED: usize = 2 << 20;
/// A smaller one is announced when it has taken this long.
const ANNOUNCED_AFTER: Duration = Duration::from_secs(3);
/// How often the cost of compiling is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// The stack of the thread that compiles, in bytes. Nested components need much of it.
const STACK: usize = 16 << 20;
/// The most bytes in the folder of compiled components, unless `JACKFIELD_CACHE_SIZE` says otherwise.
const MOST_KEPT: u64 = 1 << 30;

/// Gets a line before a component is compiled.
static ANNOUNCE: OnceLock<fn(&str)> = OnceLock::new();

/// From now on, this function gets a line such as `compiling mine (18 MiB) …` whenever compiling a component takes a while. Only
/// the first function that is given counts.
pub fn announce_compiling(to: fn(&str)) {
    let _ = ANNOUNCE.set(to);
}

/// Why a component was not compiled.
#[derive(Debug)]
pub(super) enum NotCompiled {
    /// It would take, or did take, more than the limits allow.
    TooCostly(String),
    /// The system did not start the thread that would compile it.
    NoThread(io::Error),
    /// It is not valid.
    Invalid(wasmtime::Error),
}

/// Compiles a component, or takes what was compiled earlier.
pub(super) fn compile(engine: &Engine, name: &str, bytes: &[u8], digest: &Digest) -> Result<Component, NotCompiled> {
    compile_or_load(usable_folder().as_ref(), engine, name, bytes, digest).map(|(component, _)| component)
}

/// Where a compiled component came from.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    /// The folder of compiled components.
    Kept,
    /// The compiler.
    Compiled,
    /// The compiler, because the code in the folder cannot be used, for this reason.
    Replaced(String),
}

fn compile_or_load(
    folder: Option<&Folder>,
    engine: &Engine,
    name: &str,
    bytes: &[u8],
    digest: &Digest,
) -> Result<(Component, Origin), NotCompiled> {
    let key = Key::new(engine, digest);
    let mut origin = Origin::Compiled;
    if let Some(folder) = folder {
        let file = key.file_name();
        let kept =
            folder.read(&file).and_then(|content| content.map(|content| load(engine, &key, &content)).transpose());
        match kept {
            Ok(Some(component)) => return Ok((component, Origin::Kept)),
            Ok(None) => {}
            Err(why) => {
                tracing::warn!(
                    "the compiled code that is kept of `{}` is not used, and is made anew: `{}` {why}",
                    escape_untrusted(name),
                    folder.path().join(&file).display()
                );
                origin = Origin::Replaced(why);
            }
        }
    }
    bounds::check(bytes).map_err(NotCompiled::TooCostly)?;
    let component = compile_within(&cost::MOST, engine, name, bytes)?;
    // If the code cannot be kept, nothing is lost but time.
    if let Some(folder) = folder
        && let Ok(code) = component.serialize()
        && let Err(error) = folder.keep(&key.file_name(), &[&key.header(&code), &code])
    {
        tracing::debug!("the compiled code of `{}` was not kept: {error}", escape_untrusted(name));
    }
    Ok((component, origin))
}

/// Makes a component from the content of a file in the folder.
fn load(engine: &Engine, key: &Key, content: &[u8]) -> Result<Component, String> {
    let code = key.code(content)?;
    // SAFETY: what is loaded has to be what `Component::serialize` gave. `Folder` reads only regular files of this user, in
    // a folder of this user, both closed to others, so that nobody else wrote them; and `Key::code` found the SHA-256 that
    // `Key::header` put before the code, over all of it, over this very component and over version, target and settings of
    // this very compiler, so that it is neither damaged nor another's. The bytes are in memory of our own: nobody changes
    // them between that check and this use. Who can write as this user can attack the process without any file.
    let component = unsafe { Component::deserialize(engine, code) };
    component.map_err(|error| format!("cannot be loaded: {error:#}"))
}

/// Compiles on a thread of its own, so that a compiler that panics or does not end does no harm beyond this call. A thread that
/// takes too much is abandoned, and ends with the process.
fn compile_within(most: &Most, engine: &Engine, name: &str, bytes: &[u8]) -> Result<Component, NotCompiled> {
    let announce = || {
        if let Some(announce) = ANNOUNCE.get() {
            announce(&format!("compiling {} ({}) …", escape_untrusted(name), size(bytes.len() as u64)));
        }
    };
    let mut announced = bytes.len() >= ANNOUNCED;
    if announced {
        announce();
    }
    let (done, answer) = mpsc::channel();
    let (compiler, copy) = (engine.clone(), bytes.to_vec());
    let work = move || {
        let _ = done.send(Component::from_binary(&compiler, &copy));
    };
    let (began, cost) = (Instant::now(), Cost::now());
    let thread = thread::Builder::new().name("compile".to_owned()).stack_size(STACK).spawn(work);
    thread.map_err(NotCompiled::NoThread)?;
    loop {
        match answer.recv_timeout(CHECK_INTERVAL) {
            Ok(compiled) => return compiled.map_err(NotCompiled::Invalid),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(NotCompiled::Invalid(wasmtime::Error::msg("the compiler failed over it")));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        if !announced && began.elapsed() > ANNOUNCED_AFTER {
            announced = true;
            announce();
        }
        if let Some(what) = cost.beyond(most) {
            return Err(NotCompiled::TooCostly(what));
        }
    }
}

/// Opens the folder of compiled components, if they are kept and it can be used. A fault of it is logged once.
fn usable_folder() -> Option<Folder> {
    static SAID: Once = Once::new();
    let path = folder_path()?;
    match Folder::open(&path, most_kept()) {
        Ok(folder) => Some(folder),
        Err(why) => {
            let hint = why.hint(&path).map(|hint| format!(": {hint}")).unwrap_or_default();
            SAID.call_once(|| tracing::warn!("compiled plugins are not kept: `{}` {why}{hint}", path.display()));
            None
        }
    }
}

/// The folder of compiled components; none if they are not kept.
fn folder_path() -> Option<PathBuf> {
    let root = match std::env::var_os("JACKFIELD_CACHE_DIR") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        Some(_) => return None,
        None => {
            let xdg = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
            let home = std::env::home_dir().filter(|home| home.is_absolute());
            xdg.or_else(|| home.map(|home| home.join(".cache")))?.join("jackfield")
        }
    };
    Some(root.join("compiled"))
}

/// The most bytes that the folder may hold.
fn most_kept() -> u64 {
    static SAID: Once = Once::new();
    let Some(text) = std::env::var_os("JACKFIELD_CACHE_SIZE").filter(|text| !text.is_empty()) else { return MOST_KEPT };
    let text = text.to_string_lossy();
    parse_size(&text).unwrap_or_else(|why| {
        SAID.call_once(|| {
            let (text, most) = (escape_untrusted(&text), size(MOST_KEPT));
            tracing::warn!("JACKFIELD_CACHE_SIZE is not a size such as `512MiB`: `{text}`: {why}; {most} it is");
        });
        MOST_KEPT
    })
}

/// The state of the folder of compiled components.
#[derive(Clone, Debug)]
pub struct CompiledComponents {
    /// The folder.
    pub folder: PathBuf,
    /// Why it cannot be used, if so, as the predicate of a sentence about the folder, and what to do about it.
    pub unusable: Option<(String, Option<String>)>,
    /// How many components there are.
    pub files: u64,
    /// Their bytes in all.
    pub bytes: u64,
    /// The most bytes that it may hold.
    pub most: u64,
}

/// The state of the folder of compiled components, which is made if it does not exist; none if they are not kept.
#[must_use]
pub fn compiled() -> Option<CompiledComponents> {
    let (path, most) = (folder_path()?, most_kept());
    let looked = Folder::open(&path, most).and_then(|folder| folder.try_writing().map(|()| folder));
    let (unusable, (files, bytes)) = match looked {
        Ok(folder) => (None, folder.totals()),
        Err(why) => (Some((why.to_string(), why.hint(&path))), (0, 0)),
    };
    Some(CompiledComponents { folder: path, unusable, files, bytes, most })
}

#[cfg(test)]
mod tests;
