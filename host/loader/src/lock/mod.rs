//! `jackfield.lock`: the plugin files that a person looked at and accepted. Before a run, the files that are there are compared
//! with it, and nothing of a file is executed that differs.
//!
//! - `format`, `parse`, `reader`: the text of the lockfile.
//! - `signature`, `sign`: detached signatures beside plugin files, in the format of minisign.
//! - `found`: a plugin file as it was found.
//! - `diff`: the differences between a file that was found and its entry.
//! - `verify`: a plugin file is admitted, or refused with all reasons.

mod diff;
mod format;
mod found;
mod parse;
mod reader;
mod sign;
mod signature;
mod verify;

pub use diff::{Change, Difference, Part};
pub use format::{Entry, FILE_NAME, Lock, LockedExtension, VERSION, quoted};
pub use found::{Found, Undescribed};
pub use parse::parse;
pub use reader::LockFault;
pub use sign::{MAX_COMMENT, MAX_PASSWORD, NewKey, SignError, SigningKey, generate_key};
pub use signature::{KeyId, SignatureError, Signed, Signers, TrustedKey, signature_path};
pub use verify::{Admitted, Claim, NativeCode, Refusal, admit, examine};
