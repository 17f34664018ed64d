//! A plugin file as it was found, in the shape in which a lockfile holds it.

use std::fmt;

use super::{format::Entry, signature::Signed};
use crate::LoadError;

/// A plugin file as it was found.
#[derive(Debug)]
pub struct Found {
    /// The entry that a lockfile would have for it. Without a description, protocol and extensions are empty.
    pub entry: Entry,
    /// Its signature, if it has one and the pipeline trusts keys.
    pub signed: Option<Signed>,
    /// Why there is no description of what it offers, if there is none.
    pub undescribed: Option<Undescribed>,
}

/// Why it is not known what a file offers.
#[derive(Debug)]
pub enum Undescribed {
    /// It is native code, which would run with full rights to describe itself.
    Native,
    /// It is the file that is locked, so that there is no need for a description.
    Known,
    /// Its signature does not hold, so that nothing of it is executed.
    WronglySigned,
    /// It was executed in the sandbox to describe itself, and failed.
    Failed(LoadError),
}

impl fmt::Display for Undescribed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native => f.write_str("it is native code, which is not run to be asked"),
            Self::Known => f.write_str("it is the file that is locked"),
            Self::WronglySigned => f.write_str("its signature does not hold, so it is not asked"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}
