//! What a sandboxed plugin may do, and what it may use up.

mod grants;
mod limits;
mod permission;

pub use grants::{Grant, GrantError, Grants, Reach, unasked};
pub use limits::Limits;
pub(crate) use limits::{parse_size, size};
pub use permission::{Permission, PermissionError, Server};
