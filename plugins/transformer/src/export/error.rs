//! The errors of writing a model.

use std::{
    error, fmt, io,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::Failure;

use crate::LoadError;

/// Why a model was not written.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// There is something where the folder is to be.
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder cannot be written.
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Its position encoding, with a divisor for each frequency, is none that `config.json` can say.
    Unsayable {
        /// The GGUF file.
        path: PathBuf,
    },
    /// What is to be written cannot be read, or cannot be said in a folder.
    Load(LoadError),
    /// It is no longer wanted.
    Cancelled,
}

impl ExportError {
    pub(super) fn write(path: &Path, error: io::Error) -> Self {
        Self::Write { path: path.to_owned(), error }
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |path: &Path| path.display().to_string().escape_debug().to_string();
        match self {
            Self::Occupied { path } => {
                write!(f, "`{}` is there already: name a folder that is empty, or that is not there", shown(path))
            }
            Self::Write { path, error } => write!(f, "cannot write `{}`: {error}", shown(path)),
            Self::Unsayable { path } => write!(
                f,
                "`{}` has a divisor for each frequency of its position encoding, which a folder cannot say: export the model from \
                 the folder that the file was made of",
                shown(path)
            ),
            Self::Load(error) => error.fmt(f),
            Self::Cancelled => f.write_str("the model is no longer wanted"),
        }
    }
}

impl error::Error for ExportError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Write { error, .. } => Some(error),
            Self::Load(error) => Some(error),
            Self::Occupied { .. } | Self::Unsayable { .. } | Self::Cancelled => None,
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Load(error) => error.into(),
            ExportError::Cancelled => Self::Cancelled(error.to_string()),
            ExportError::Occupied { .. } | ExportError::Unsayable { .. } => Self::InvalidConfig(error.to_string()),
            // The disk may be full for the moment, but what it says is the same the next second.
            ExportError::Write { .. } => Self::Internal(error.to_string()),
        }
    }
}
