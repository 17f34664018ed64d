//! `jackfield.lock`: the plugin files that a person looked at and accepted, held against those that are there.
//!
//! - `format`, `parse`: the file.
//! - `signature`, `sign`: detached signatures beside plugin files, in the format of minisign.
//! - `diff`: what is there against what is locked.
//! - `verify`: a plugin file is let in, or is not.

mod diff;
mod format;
mod parse;
mod sign;
mod signature;
mod verify;

pub use diff::{Change, Difference, Part};
pub use format::{Entry, FILE_NAME, Lock, LockedExtension, VERSION, quoted};
pub use parse::{LockFault, parse};
pub use sign::{MAX_COMMENT, MAX_PASSWORD, NewKey, SignError, SigningKey, generate_key};
pub use signature::{KeyId, SignatureError, Signed, Signers, TrustedKey, signature_path};
pub use verify::{Admitted, Claim, Found, Native, Refusal, Undescribed, admit, examine};
