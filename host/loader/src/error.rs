//! Why a plugin file could not be loaded.

use std::{io, path::PathBuf};

use super::Digest;

/// Why a plugin file could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is neither a native library nor a WebAssembly component.
    #[error("`{}` is not a plugin: {found}", path.display())]
    NotAPlugin {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// The file is WebAssembly, and not a component.
    #[error("`{}` is not a plugin: {found}", path.display())]
    NotAComponent {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
        /// What to do about it, if that can be told from the file.
        fix: Option<String>,
    },
    /// The file is a component that uses what this host does not have of WebAssembly.
    #[error("`{}` needs {what}, which this host does not have", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The extensions of WebAssembly that it uses.
        what: String,
        /// What to build it without.
        fix: String,
    },
    /// The file is cut short or damaged.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Compiling the component would take more time or memory than the limits allow.
    #[error("`{}` is not compiled: {what}", path.display())]
    TooCostly {
        /// The file.
        path: PathBuf,
        /// What it has too much of.
        what: String,
    },
    /// The library is for another processor or system.
    #[error("`{}` is built for {found}, this host runs {wanted}", path.display())]
    WrongTarget {
        /// The file.
        path: PathBuf,
        /// What it is built for.
        found: String,
        /// What would be needed.
        wanted: String,
    },
    /// The file lacks what every plugin has.
    #[error("`{}` is not a Jackfield plugin: {what}", path.display())]
    NoEntry {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
    /// The plugin speaks another major version of the contract.
    #[error("`{}` speaks protocol {}.{}, this host serves {}.x: {fix}", path.display(), found.0, found.1, served)]
    Protocol {
        /// The file.
        path: PathBuf,
        /// The plugin's version.
        found: (u16, u16),
        /// The host's major, as text.
        served: String,
        /// What to do about it.
        fix: &'static str,
    },
    /// The plugin's data layout differs from the host's, in spite of equal protocol versions.
    #[error("`{}` was built with another layout of the contract: {what}", path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// The first difference.
        what: String,
    },
    /// The plugin aborts on panic, so a fault in it would end the host.
    #[error("`{}` is built with panic = \"abort\": a panic in it would end the host", path.display())]
    Aborts {
        /// The file.
        path: PathBuf,
    },
    /// The file is native code, and native code is not allowed.
    #[error("`{}` is native code, which runs with the host's full rights, and is not allowed", path.display())]
    NotAllowed {
        /// The file.
        path: PathBuf,
        /// Its digest, for the entry that would allow it.
        digest: Digest,
        /// Whether its digest is pinned already, by the pipeline or the lockfile.
        pinned: bool,
    },
    /// The file is not the one that was pinned.
    #[error("`{}` has sha256 {found}, the pipeline pins {pinned}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Digest of the file.
        found: Digest,
        /// Digest in the pipeline.
        pinned: Digest,
    },
    /// The library, or one that it needs, would make the dynamic loader load code that is not pinned.
    #[error("`{}` {what}", path.display())]
    Dependency {
        /// The library.
        path: PathBuf,
        /// What is wrong, as the predicate of a sentence about it.
        what: String,
        /// What to do about it.
        fix: String,
    },
    /// It was granted a permission that none of its extensions asks for.
    #[error("`{}` is granted {granted}, which it does not ask for", path.display())]
    Unasked {
        /// The file.
        path: PathBuf,
        /// The grants, in backticks.
        granted: String,
        /// What it asks for, in backticks.
        asked: String,
    },
    /// The descriptors of the plugin break the contract.
    #[error("`{}` describes itself wrongly: {what}", path.display())]
    Descriptor {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The plugin failed while it was set up.
    #[error("`{}` failed while being loaded: {what}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// How.
        what: String,
    },
}

impl LoadError {
    /// What to do about it, if that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotAllowed { pinned: true, .. } => {
                Some("if you trust it, add to its entry: allow_native = true".to_owned())
            }
            Self::NotAllowed { digest, .. } => {
                Some(format!("if you trust it, add to its entry: allow_native = true, sha256 = \"{digest}\""))
            }
            Self::Changed { found, .. } => {
                Some(format!("if the change is yours, pin the new file: sha256 = \"{found}\""))
            }
            Self::Dependency { fix, .. }
            | Self::Unsupported { fix, .. }
            | Self::NotAComponent { fix: Some(fix), .. } => Some(fix.clone()),
            Self::Aborts { .. } => Some("build it without `panic = \"abort\"` in the profile".to_owned()),
            Self::Layout { .. } => Some("rebuild it against the host's version of jackfield-plugin-api".to_owned()),
            Self::NotAPlugin { .. } | Self::NotAComponent { .. } | Self::NoEntry { .. } => Some(
                "a plugin is a native library or a WebAssembly component made with jackfield-plugin-api".to_owned(),
            ),
            Self::WrongTarget { .. } => Some("build it for this machine, or as a WebAssembly component".to_owned()),
            Self::TooCostly { .. } => Some(
                "build it with optimisation and without debug information, or split it into several plugins".to_owned(),
            ),
            Self::Damaged { .. } => Some("build or download it again".to_owned()),
            Self::Unasked { asked, .. } if asked.is_empty() => {
                Some("it asks for nothing: leave the grant out".to_owned())
            }
            Self::Unasked { asked, .. } => Some(format!("it asks for {asked}")),
            Self::Read { .. } | Self::Protocol { .. } | Self::Descriptor { .. } | Self::Failed { .. } => None,
        }
    }
}
