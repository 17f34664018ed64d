//! The errors of the files of a model.

use std::{
    error, fmt, io,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::Failure;

use crate::MemoryShort;

/// Why a model was not loaded.
#[derive(Debug)]
pub struct LoadError {
    /// The file, or the folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: LoadFault,
}

/// What is wrong with a file of a model.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadFault {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is what Git LFS keeps in the place of a file.
    Pointer,
    /// It ends before something it promises.
    Truncated {
        /// What it promises.
        what: &'static str,
        /// How many bytes that takes.
        needed: u64,
        /// How many there are.
        found: u64,
    },
    /// A number of things is beyond any model's.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// The most that are read.
        most: u64,
    },
    /// It does not fit into memory.
    OutOfMemory {
        /// What does not.
        what: String,
    },
    /// There is less memory left than its weights take.
    MemoryShort(MemoryShort),
    /// It is not JSON, or not of the form it should be.
    NotJson(String),
    /// A key is absent, or its value cannot be.
    WrongKey {
        /// The key.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// The architecture is not one that runs here.
    UnknownArchitecture(String),
    /// The kind of position encoding is not one that runs here.
    UnknownRope(String),
    /// The quantisation is not one that is read here.
    UnknownQuantization(String),
    /// The file does not begin as a GGUF file does.
    BadMagic([u8; 4]),
    /// The version of the format is not one that is read here.
    UnknownVersion(u32),
    /// The alignment is not a power of two of at least 8.
    BadAlignment(u64),
    /// A name stands there twice.
    Twice(String),
    /// A tensor's data lie outside of the file.
    OutOfRange {
        /// The tensor.
        tensor: String,
        /// Where they begin, from the begin of all data.
        begin: u64,
        /// Where they end.
        end: u64,
        /// How many bytes of data there are.
        length: u64,
    },
    /// The data of two tensors overlap.
    Overlap {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// There are bytes that belong to no tensor.
    Gap {
        /// Where they begin, from the begin of all data.
        begin: u64,
        /// Where they end.
        end: u64,
    },
    /// A tensor does not begin at a multiple of the alignment.
    Unaligned {
        /// The tensor.
        tensor: String,
        /// Where it begins.
        begin: u64,
        /// The alignment.
        alignment: u64,
    },
    /// A tensor has more or fewer bytes than its shape takes.
    WrongLength {
        /// The tensor.
        tensor: String,
        /// Bytes that there are.
        found: u64,
        /// Bytes that its shape takes; none for more than can be counted.
        wanted: Option<u64>,
    },
    /// A tensor does not have the shape that the configuration makes it have.
    WrongShape {
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<u64>,
        /// The shape it should have.
        wanted: Vec<u64>,
    },
    /// A tensor is absent.
    MissingTensor(String),
    /// A tensor is there that the architecture does not have.
    UnknownTensor(String),
    /// A weight is not a finite number.
    NotFinite {
        /// The tensor.
        tensor: String,
        /// Index of its row.
        row: usize,
        /// Index in the row.
        column: usize,
    },
    /// The tokenizer cannot be used.
    WrongTokenizer(String),
    /// The template of conversations cannot be used.
    WrongTemplate(String),
    /// A name of a file leaves the folder.
    OutsideFolder(String),
    /// A file of weights does not stand in `checksums.json`.
    NotListed(String),
    /// A file is not the one whose checksum stands in `checksums.json`.
    WrongChecksum {
        /// The checksum that stands there.
        wanted: String,
        /// That of the file.
        found: String,
    },
}

impl LoadFault {
    /// The error of a file.
    #[must_use]
    pub fn of(self, path: &Path) -> LoadError {
        LoadError { path: path.to_owned(), fault: self }
    }
}

/// How the pointers of Git LFS begin.
pub(super) const POINTER: &[u8] = b"version https://git-lfs.github.com/";

impl From<io::Error> for LoadFault {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// Text of a file, as it may stand in a message: without control characters, and not longer than a line.
#[derive(Clone, Copy)]
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 120;
        match self.0.char_indices().nth(MOST) {
            None => write!(f, "`{}`", self.0.escape_debug()),
            Some((end, _)) => write!(f, "`{}…`", self.0[..end].escape_debug()),
        }
    }
}

impl fmt::Display for LoadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
                f.write_str("cannot read it: the file is missing; look at the path, or get it anew")
            }
            Self::Unreadable(error) => write!(f, "cannot read it: {error}"),
            Self::Pointer => f.write_str("it is a pointer in place of the file: `git lfs pull` gets that"),
            Self::Truncated { what, needed, found } => {
                write!(f, "it is cut short: {what} needs {needed} bytes, and there are {found}; get the file anew")
            }
            Self::TooMany { what, found, most } => {
                write!(f, "it has {found} {what}, more than {most}, the most that is read")
            }
            Self::OutOfMemory { what } => write!(f, "{} does not fit into memory", Quoted(what)),
            Self::MemoryShort(short) => {
                write!(f, "its weights do not fit into memory: {short}; {}, or take a smaller model", short.advice())
            }
            Self::NotJson(why) => write!(f, "it is not the JSON it should be: {}", Quoted(why)),
            Self::WrongKey { key, why } => write!(f, "{}: {}", Quoted(key), why.escape_debug()),
            Self::UnknownArchitecture(name) => {
                write!(f, "the architecture {} does not run here; only the Llama family does", Quoted(name))
            }
            Self::UnknownRope(name) => {
                write!(f, "the position encoding {} does not run here; only `default` and `llama3` do", Quoted(name))
            }
            Self::UnknownQuantization(name) => write!(
                f,
                "the type {} is not read here; F32, F16 and BF16 are, and in GGUF Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K \
                 and Q6_K",
                Quoted(name)
            ),
            Self::BadMagic(bytes) => {
                write!(
                    f,
                    "it is not a GGUF file: it begins with `{}`; a model is a GGUF file, or a folder with `config.json`",
                    bytes.escape_ascii()
                )
            }
            Self::UnknownVersion(version) => write!(f, "version {version} of GGUF is not read here; 2 and 3 are"),
            Self::BadAlignment(alignment) => {
                write!(f, "the alignment is {alignment}: it must be a power of two from 8 to 65536; get the file anew")
            }
            Self::Twice(name) => write!(f, "{} stands there twice; get the file anew", Quoted(name)),
            Self::OutOfRange { tensor, begin, end, length } => write!(
                f,
                "the tensor {} lies at {begin} to {end}, but there are {length} bytes of data; get the file anew",
                Quoted(tensor)
            ),
            Self::Overlap { first, second } => {
                write!(f, "the tensors {} and {} overlap; get the file anew", Quoted(first), Quoted(second))
            }
            Self::Gap { begin, end } => {
                write!(f, "the bytes {begin} to {end} of the data belong to no tensor; get the file anew")
            }
            Self::Unaligned { tensor, begin, alignment } => {
                write!(
                    f,
                    "the tensor {} begins at {begin}, not at a multiple of {alignment}; get the file anew",
                    Quoted(tensor)
                )
            }
            Self::WrongLength { tensor, found, wanted: Some(wanted) } => {
                write!(
                    f,
                    "the tensor {} has {found} bytes, but its shape takes {wanted}; get the file anew",
                    Quoted(tensor)
                )
            }
            Self::WrongLength { tensor, found, wanted: None } => {
                write!(f, "the tensor {} has {found} bytes, and its shape cannot be; get the file anew", Quoted(tensor))
            }
            Self::WrongShape { tensor, found, wanted } => write!(
                f,
                "the tensor {} has the shape {found:?}, but the configuration makes it {wanted:?}; configuration and weights must \
                 be those of one model",
                Quoted(tensor)
            ),
            Self::MissingTensor(name) => write!(
                f,
                "the tensor {} is missing; configuration and weights must be those of one model",
                Quoted(name)
            ),
            Self::UnknownTensor(name) => {
                write!(f, "the tensor {} is not one of the Llama architecture", Quoted(name))
            }
            Self::NotFinite { tensor, row, column } => {
                write!(
                    f,
                    "the tensor {} is not finite at row {row}, column {column}; get the file anew",
                    Quoted(tensor)
                )
            }
            Self::WrongTokenizer(why) => write!(f, "the tokenizer cannot be used: {}", Quoted(why)),
            Self::WrongTemplate(why) => write!(f, "the template of conversations cannot be used: {}", Quoted(why)),
            Self::OutsideFolder(name) => write!(f, "{} is not the plain name of a file", Quoted(name)),
            Self::NotListed(name) => write!(f, "it does not list {}, which holds weights", Quoted(name)),
            Self::WrongChecksum { wanted, found } => write!(
                f,
                "its SHA-256 is {found}, but checksums.json says {}; get the file anew, or make checksums.json anew if the \
                 file was changed on purpose",
                Quoted(wanted)
            ),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot load `{}`: {}", self.path.display().to_string().escape_debug(), self.fault)
    }
}

impl error::Error for LoadError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.fault {
            LoadFault::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error.fault {
            LoadFault::OutOfMemory { .. } | LoadFault::MemoryShort(_) => Self::OverBudget(error.to_string()),
            _ => Self::InvalidConfig(error.to_string()),
        }
    }
}
