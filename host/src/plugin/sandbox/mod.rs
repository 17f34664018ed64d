//! What a sandboxed plugin may use up.

mod limits;

pub use limits::Limits;
pub(crate) use limits::size;
