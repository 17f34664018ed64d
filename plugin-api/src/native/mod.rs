//! The native ABI. Plugin authors see nothing of it, and a host sees [`attach`] and [`Note`] alone.
//!
//! A library exports two symbols, both defined here once, whatever the number of extensions in it:
//! `JACKFIELD_PLUGIN`, a [`Note`] of plain bytes that can be read from the file without loading it, and the header of
//! the function table, under a name that carries the protocol's major.

mod abi;
mod attach;
mod attach_cache;
mod guest;
mod guest_cache;
mod logs;
mod note;

pub use attach::{AttachError, attach};
pub use note::Note;

/// Name of the symbol that holds the [`Note`].
pub const NOTE_SYMBOL: &str = "JACKFIELD_PLUGIN";

/// Name of the symbol that holds the header of the function table, for this major of the protocol.
pub const HEADER_SYMBOL: &str = "JACKFIELD_PLUGIN_ABI_0";
