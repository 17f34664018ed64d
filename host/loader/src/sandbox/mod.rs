//! The sandbox as the rest of the host sees it: what a plugin may do (`permission`, `grants`), how much of the machine it may
//! use (`limits`, `memory_total`), and when it may run (`admission`, `queue_clock`).

mod admission;
mod grants;
mod limits;
mod memory_total;
mod permission;
mod queue_clock;

pub(crate) use admission::Turn;
pub use admission::{Admission, Demand};
pub use grants::{Grant, GrantError, GrantedFolder, Grants, Reach, unasked};
pub use jackfield_plugin_api::{address_space_limit as address_space, format_size as size, parse_size};
pub use limits::Limits;
pub use limits::{is_out_of_time, to_open as limits_to_open, took_too_long, used_up};
pub use memory_total::{MemoryTotal, usual as usual_memory_total};
pub use permission::{ASKED_FOR, Permission, PermissionError, SecretName, Server};
pub use queue_clock::QueueClock;
