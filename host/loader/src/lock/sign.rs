//! Makes keys, and signatures with them, in the format of minisign.

use std::{io, path::PathBuf};

use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};

use super::signature::KeyId;

/// The longest password, in bytes: minisign takes no longer one.
pub const MAX_PASSWORD: usize = 1024;

/// The longest trusted comment, in bytes.
pub const MAX_COMMENT: usize = 1024;

/// Why a key could not be made or used. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// A file could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The text is not a secret key.
    #[error("it is not a secret key of minisign: {0}")]
    NotAKey(String),
    /// The password is not that of the key.
    #[error("the password is not that of the key")]
    WrongPassword,
    /// The password is longer than minisign takes.
    #[error("the password is longer than {MAX_PASSWORD} bytes")]
    LongPassword,
    /// The comment would not fit its line.
    #[error("the comment has to be one line of at most {MAX_COMMENT} bytes")]
    BadComment,
    /// The system gave no random numbers, or the like.
    #[error("the key or signature could not be made: {0}")]
    Failed(String),
}

impl SignError {
    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A secret key, ready to sign. It is never shown.
pub struct SigningKey(SecretKey);

impl SigningKey {
    /// Whether the text of a secret key is locked with a password.
    ///
    /// # Errors
    /// [`SignError::NotAKey`].
    pub fn is_locked(text: &str) -> Result<bool, SignError> {
        let line = text.lines().nth(1).unwrap_or_default();
        // Base64 of `Ed`, of the algorithm that makes a key of the password (`Sc`, or two zeros for none), and of a `B`.
        match line.get(..6) {
            Some("RWRTY0") => Ok(true),
            Some("RWQAAE") => Ok(false),
            _ => Err(SignError::NotAKey("its second line is not what `minisign` or `keygen` writes".to_owned())),
        }
    }

    /// Opens the text of a secret key; with a password if it is locked.
    ///
    /// # Errors
    /// If it is not a secret key, or another password's.
    pub fn open(text: &str, password: Option<String>) -> Result<Self, SignError> {
        use minisign::ErrorKind;
        let locked = Self::is_locked(text)?;
        let opened = SecretKeyBox::from_string(text).and_then(|text| {
            if locked {
                text.into_secret_key(Some(password.unwrap_or_default()))
            } else {
                text.into_unencrypted_secret_key()
            }
        });
        opened.map(Self).map_err(|error| match error.kind() {
            ErrorKind::Verify if locked => SignError::WrongPassword,
            ErrorKind::Verify => {
                SignError::NotAKey("it is damaged, or made by `minisign -W`, with no checksum".to_owned())
            }
            _ => SignError::NotAKey("it is cut short or damaged".to_owned()),
        })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> Option<KeyId> {
        KeyId::of(self.0.keynum())
    }

    /// The line of its public key, as `keys` of `[trust]` takes it.
    ///
    /// # Errors
    /// [`SignError::Failed`] if the key is damaged.
    pub fn public(&self) -> Result<String, SignError> {
        PublicKey::from_secret_key(&self.0).map(|key| key.to_base64()).map_err(SignError::failed)
    }

    /// The text of a signature of some content. The comment is signed along.
    ///
    /// # Errors
    /// If the comment does not fit, or the system gives no random numbers.
    pub fn sign(&self, content: &[u8], comment: &str) -> Result<String, SignError> {
        let comment = comment.trim();
        if comment.len() > MAX_COMMENT || comment.chars().any(|char| char.is_control() && char != '\t') {
            return Err(SignError::BadComment);
        }
        let made = minisign::sign(None, &self.0, content, Some(comment), Some("signature made with jackfield"));
        made.map(minisign::SignatureBox::into_string).map_err(SignError::failed)
    }
}

/// A new pair of keys, as texts.
pub struct NewKey {
    /// The file of the secret key.
    pub secret: String,
    /// The file of the public key.
    pub public: String,
    /// The line of the public key alone.
    pub line: String,
    /// Their id.
    pub id: KeyId,
}

/// Makes a pair of keys; the secret one is locked with a password, if there is one.
///
/// # Errors
/// If the password is too long, or the system gives no random numbers.
pub fn generate_key(password: Option<String>) -> Result<NewKey, SignError> {
    if password.as_ref().is_some_and(|password| password.len() > MAX_PASSWORD) {
        return Err(SignError::LongPassword);
    }
    let (made, what) = match password {
        Some(password) => (KeyPair::generate_encrypted_keypair(Some(password)), "jackfield encrypted secret key"),
        None => (KeyPair::generate_unencrypted_keypair(), "jackfield secret key, without a password"),
    };
    let KeyPair { pk, sk } = made.map_err(SignError::failed)?;
    let id = KeyId::of(pk.keynum()).ok_or_else(|| SignError::failed("its id has another length"))?;
    Ok(NewKey {
        secret: sk.to_box(Some(what)).map_err(SignError::failed)?.into_string(),
        public: pk.to_box().map_err(SignError::failed)?.into_string(),
        line: pk.to_base64(),
        id,
    })
}
