//! From a checked file to a plugin.

use std::{io::Write as _, path::Path, sync::Arc};

use jackfield_plugin_api::{
    Extension, Level, PROTOCOL, guarded,
    native::{AttachError, HEADER_SYMBOL, attach},
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::preflight::preflight;
use crate::plugin::LoadError;

/// A loaded library: the protocol that it speaks and what it offers.
pub(in crate::plugin) struct Loaded {
    pub(in crate::plugin) protocol: (u16, u16),
    pub(in crate::plugin) extensions: Vec<Arc<dyn Extension>>,
}

/// Loads a native library from the bytes of its file.
///
/// What is loaded is a private copy of exactly these bytes, whose digest the caller has checked: the file may be
/// overwritten at any time, and loading the same path twice would give the first library again.
pub(in crate::plugin) fn load(path: &Path, bytes: &[u8]) -> Result<Loaded, LoadError> {
    let note = preflight(path, bytes)?;
    if note.protocol().0 != PROTOCOL.0 {
        let mend = if note.protocol().0 > PROTOCOL.0 {
            "a newer jackfield is needed"
        } else {
            "rebuild it against a newer jackfield-plugin-api"
        };
        return Err(LoadError::Protocol {
            path: path.to_owned(),
            found: note.protocol(),
            served: PROTOCOL.0.to_string(),
            mend,
        });
    }
    if !note.unwinds() {
        return Err(LoadError::Aborts { path: path.to_owned() });
    }
    let failed = |what: String| LoadError::Failed { path: path.to_owned(), what };

    let mut copy = tempfile::Builder::new()
        .prefix("jackfield-")
        .suffix(".so")
        .tempfile()
        .map_err(|error| failed(format!("cannot make a private copy: {error}")))?;
    copy.write_all(bytes).map_err(|error| failed(format!("cannot write a private copy: {error}")))?;
    let (_, copy) = copy.into_parts();

    // SAFETY: loading runs the library's constructors. The file passed the pre-flight, and the person who runs the
    // pipeline allowed this very digest as native code.
    let library =
        unsafe { Library::open(Some(&*copy), RTLD_NOW | RTLD_LOCAL) }.map_err(|error| failed(in_full(&error)))?;
    // The copy stays mapped, and for good: instances, futures and thread-locals of the library may outlive anything here.
    let library: &'static Library = Box::leak(Box::new(library));
    // SAFETY: only the address of the symbol is taken.
    let header = unsafe { library.get::<*const ()>(HEADER_SYMBOL.as_bytes()) }
        .map_err(|error| LoadError::NoEntry { path: path.to_owned(), what: in_full(&error) })?;
    let header = header.as_raw_ptr().cast_const().cast();
    // SAFETY: the library is leaked above, and its note carries this major of the protocol.
    let attached =
        guarded("load", || unsafe { attach(header, log_level()) }).map_err(|failure| failed(failure.to_string()))?;
    let extensions = attached.map_err(|error| match error {
        AttachError::Layout(what) => LoadError::Layout { path: path.to_owned(), what },
        AttachError::Descriptor(what) => LoadError::Descriptor { path: path.to_owned(), what },
        AttachError::Failed(what) => failed(what),
    })?;
    Ok(Loaded { protocol: note.protocol(), extensions })
}

/// The most verbose level that the host's log takes.
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

/// An error with its causes: the loader's own message is in the last.
fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
