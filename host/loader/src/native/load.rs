//! Loading: a native library whose file was verified becomes a plugin.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{Arc, Mutex},
};

use jackfield_plugin_api::{
    Extension, Level, PROTOCOL, catch_panic,
    native::{AttachError, HEADER_SYMBOL, attach},
    sync::lock,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::{
    dependencies::{self, Dependency},
    image::Image,
    preflight::preflight,
};
use crate::{Artifact, Digest, LoadError};

/// A loaded library: the protocol that it speaks and what it offers.
pub(crate) struct Loaded {
    pub(crate) protocol: (u16, u16),
    pub(crate) extensions: Vec<Arc<dyn Extension>>,
}

/// The libraries that this process has loaded. They are never unloaded, because instances, futures and thread-locals of a
/// library may outlive every value of the host.
#[derive(Default)]
struct Libraries {
    /// Plugins, by alias and content. A plugin that is loaded again gets the library that is there already.
    plugins: BTreeMap<(String, Digest), &'static Library>,
    /// Libraries that plugins need, by name. The dynamic loader knows only one library of a name.
    dependencies: BTreeMap<String, Digest>,
}

static LIBRARIES: Mutex<Libraries> = Mutex::new(Libraries { plugins: BTreeMap::new(), dependencies: BTreeMap::new() });

/// Loads a native library, as the plugin `alias`, from the bytes of its file.
///
/// What is loaded is a private copy of exactly these bytes and of those of the libraries beside it, whose digests the caller
/// has checked: the files may be overwritten at any time.
pub(crate) fn load(alias: &str, artifact: &Artifact) -> Result<Loaded, LoadError> {
    let (path, bytes) = (artifact.path(), artifact.bytes());
    let note = preflight(path, bytes)?;
    if note.protocol().0 != PROTOCOL.0 {
        let fix = if note.protocol().0 > PROTOCOL.0 {
            "a newer jackfield is needed"
        } else {
            "rebuild it against a newer jackfield-plugin-api"
        };
        return Err(LoadError::Protocol {
            path: path.to_owned(),
            found: note.protocol(),
            served: PROTOCOL.0.to_string(),
            fix,
        });
    }
    if !note.unwinds() {
        return Err(LoadError::Aborts { path: path.to_owned() });
    }
    let failed = |what: String| LoadError::Failed { path: path.to_owned(), what };

    let order = dependencies::check(path, bytes, artifact.dependencies())?;
    let mut libraries = lock(&LIBRARIES);
    for dependency in order {
        libraries.load_dependency(path, dependency)?;
    }
    let library = libraries.load_plugin(alias, artifact)?;
    drop(libraries);
    // SAFETY: only the address of the symbol is taken.
    let header = unsafe { library.get::<*const ()>(HEADER_SYMBOL.as_bytes()) }.map_err(|_| LoadError::NoEntry {
        path: path.to_owned(),
        what: format!("it lacks the symbol `{HEADER_SYMBOL}`"),
    })?;
    let header = header.as_raw_ptr().cast_const().cast();
    // SAFETY: the library is leaked above, and its note carries this major of the protocol.
    let attached = catch_panic("load", || unsafe { attach(header, log_level()) })
        .map_err(|failure| failed(failure.to_string()))?;
    let extensions = attached.map_err(|error| match error {
        AttachError::Layout(what) => LoadError::Layout { path: path.to_owned(), what },
        AttachError::Descriptor(what) => LoadError::Descriptor { path: path.to_owned(), what },
        AttachError::Failed(what) => failed(what),
    })?;
    Ok(Loaded { protocol: note.protocol(), extensions })
}

impl Libraries {
    /// Loads a library that a plugin needs. From then on the dynamic loader takes it for every library that needs one of this
    /// name.
    fn load_dependency(&mut self, plugin: &Path, dependency: &Dependency) -> Result<(), LoadError> {
        let Dependency { name, path, bytes, digest } = dependency;
        match self.dependencies.get(name) {
            Some(loaded) if loaded == digest => return Ok(()),
            Some(loaded) => {
                return Err(LoadError::Dependency {
                    path: plugin.to_owned(),
                    what: format!("needs another `{name}` than was loaded for another plugin (sha256 {loaded})"),
                    fix: "have the plugins need the same file, or give one of them another name".to_owned(),
                });
            }
            None => {}
        }
        open(path, bytes)?;
        self.dependencies.insert(name.clone(), digest.clone());
        Ok(())
    }

    /// Loads the library of a plugin, unless it is loaded already.
    fn load_plugin(&mut self, alias: &str, artifact: &Artifact) -> Result<&'static Library, LoadError> {
        let key = (alias.to_owned(), artifact.whole_digest());
        if let Some(library) = self.plugins.get(&key) {
            return Ok(library);
        }
        let library = open(artifact.path(), artifact.bytes())?;
        self.plugins.insert(key, library);
        Ok(library)
    }
}

/// Lets the dynamic loader load these bytes. The library stays loaded until the process ends.
fn open(path: &Path, bytes: &[u8]) -> Result<&'static Library, LoadError> {
    let failed = |what: String| LoadError::Failed { path: path.to_owned(), what };
    let copy_failed = |error: io::Error| {
        let folder = std::env::temp_dir();
        failed(format!(
            "cannot make a private copy of it in `{}`: {error}; TMPDIR names another folder",
            folder.display()
        ))
    };
    let load_image = |image: Image| {
        // SAFETY: loading runs the library's constructors. The file passed the pre-flight, so that the loader takes it and
        // loads nothing else for it than libraries of the system and those that are loaded here; and the person who runs the
        // pipeline allowed this very digest, and those, as native code. Nobody else can change the copy.
        let opened = unsafe { Library::open(Some(image.path()), RTLD_NOW | RTLD_LOCAL) };
        match opened {
            Ok(library) => {
                image.loaded();
                Ok(library)
            }
            // The loader names the copy, but people know only the file.
            Err(error) => {
                let what = with_causes(&error).replace(&*image.path().to_string_lossy(), &path.to_string_lossy());
                Err((what, image.hint()))
            }
        }
    };
    let opened = match load_image(Image::new(bytes).map_err(copy_failed)?) {
        // The system may forbid code in memory files.
        Err((what, None)) if what.contains("failed to map segment") => {
            load_image(Image::in_folder(bytes).map_err(copy_failed)?)
        }
        other => other,
    };
    let library = opened.map_err(|(what, hint)| failed(hint.map_or(what.clone(), |hint| format!("{what}; {hint}"))))?;
    Ok(Box::leak(Box::new(library)))
}

/// The most verbose level that the host logs.
fn log_level() -> Level {
    use tracing::level_filters::LevelFilter;
    match LevelFilter::current() {
        LevelFilter::TRACE => Level::Trace,
        LevelFilter::DEBUG => Level::Debug,
        LevelFilter::INFO => Level::Info,
        LevelFilter::WARN => Level::Warn,
        _ => Level::Error,
    }
}

/// An error with its causes: the message of the dynamic loader is the last of them.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
