//! Verifies the detached signatures beside plugin files, in the format of minisign.

use std::{
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
};

use minisign_verify::{PublicKey, Signature};

use crate::regular_file;

/// The id of a key. People compare it, and signatures name their key by it. It proves nothing by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// Reads 16 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| plain)?;
        Some(Self(number.to_le_bytes()))
    }

    /// The id as minisign's files hold it.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

/// A public key that the pipeline trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    id: KeyId,
    key: PublicKey,
}

impl TrustedKey {
    /// Reads the line of a public key, `RW` and 54 more characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let key = PublicKey::from_base64(text).ok()?;
        let id = KeyId::of(minisign::PublicKey::from_base64(text).ok()?.keynum())?;
        Some(Self { id, key })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// The keys whose signatures count, and whether a file needs one. Without keys no signature is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers {
    /// The keys.
    pub keys: Vec<TrustedKey>,
    /// Whether each file must be signed; a signature that is there must hold either way.
    pub required: bool,
}

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The key.
    pub key: KeyId,
    /// The comment of the signer, which is signed together with the file.
    pub comment: String,
}

/// Why a plugin file is refused because of its signature.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// There is none, and there has to be one.
    #[error("`{}` is not signed, and the pipeline requires signatures", file.display())]
    Missing {
        /// The plugin file.
        file: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The signature's file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a signature.
    #[error("`{}` is not a signature of minisign: {what}", path.display())]
    Malformed {
        /// The signature's file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It is of the kind that current tools no longer make.
    #[error("`{}` is a legacy signature of the key {key}: it signs the file and not its hash", path.display())]
    Legacy {
        /// The signature's file.
        path: PathBuf,
        /// The key it names.
        key: KeyId,
    },
    /// It is by a key that the pipeline does not trust.
    #[error("`{}` is by the key {key}, which the pipeline does not trust", path.display())]
    Untrusted {
        /// The signature's file.
        path: PathBuf,
        /// The key it names.
        key: KeyId,
        /// The keys that are trusted.
        trusted: Vec<KeyId>,
    },
    /// It does not fit the file.
    #[error("`{}` is not what the key {key} signed", file.display())]
    Wrong {
        /// The plugin file.
        file: PathBuf,
        /// The key.
        key: KeyId,
    },
}

impl SignatureError {
    /// What to do about it, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { file } => {
                let signature = signature_path(file);
                Some(format!(
                    "get `{}` from who made it; if that is you: `jackfield plugins sign`",
                    signature.file_name().unwrap_or_default().to_string_lossy()
                ))
            }
            Self::Unreadable { .. } => None,
            Self::Malformed { .. } => Some("get it again from who made it: it is cut short or damaged".to_owned()),
            Self::Legacy { .. } => Some("have it signed again, with minisign 0.10 or later".to_owned()),
            Self::Untrusted { key, trusted, .. } => {
                let trusted: Vec<String> = trusted.iter().map(ToString::to_string).collect();
                Some(format!(
                    "trusted: {}; if you trust {key} too, add its public key to `keys` of `[trust]`",
                    trusted.join(", ")
                ))
            }
            Self::Wrong { .. } => Some(
                "the file or its signature was changed, or the signature is another file's: get the originals back from \
                 who made them"
                    .to_owned(),
            ),
        }
    }
}

/// Where the signature of a file lies.
#[must_use]
pub fn signature_path(file: &Path) -> PathBuf {
    let mut path = OsString::from(file);
    path.push(".minisig");
    path.into()
}

impl Signers {
    /// Verifies the content of a file against the signature beside it.
    ///
    /// # Errors
    /// If there is a signature that does not hold, or none where there has to be one.
    pub fn check(&self, file: &Path, content: &[u8]) -> Result<Option<Signed>, SignatureError> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let path = signature_path(file);
        let text = match regular_file::read(&path, regular_file::MOST_TEXT) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return if self.required { Err(SignatureError::Missing { file: file.to_owned() }) } else { Ok(None) };
            }
            Err(source) => return Err(SignatureError::Unreadable { path, source }),
        };
        let (signature, key) = decode(&text).map_err(|what| SignatureError::Malformed { path: path.clone(), what })?;
        // Anyone can make a key with a given id, so all trusted keys that have it are tried.
        let mut tried = false;
        for trusted in self.keys.iter().filter(|trusted| trusted.id == key) {
            tried = true;
            match trusted.key.verify(content, &signature, false) {
                Ok(()) => return Ok(Some(Signed { key, comment: signature.trusted_comment().to_owned() })),
                Err(minisign_verify::Error::UnexpectedAlgorithm) => return Err(SignatureError::Legacy { path, key }),
                Err(_) => {}
            }
        }
        if tried {
            return Err(SignatureError::Wrong { file: file.to_owned(), key });
        }
        Err(SignatureError::Untrusted { path, key, trusted: self.keys.iter().map(|trusted| trusted.id).collect() })
    }
}

/// Reads a signature, and the id of the key that it names.
fn decode(bytes: &[u8]) -> Result<(Signature, KeyId), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let lines = text.lines().count();
    if lines < 4 {
        return Err(format!("it has {lines} of its 4 lines"));
    }
    let damaged = || "what it says cannot be decoded".to_owned();
    let signature = Signature::decode(text).map_err(|_| damaged())?;
    // `minisign_verify` does not give the id of the key.
    let named = minisign::SignatureBox::from_string(text).map_err(|_| damaged())?;
    Ok((signature, KeyId::of(named.keynum()).ok_or_else(damaged)?))
}
