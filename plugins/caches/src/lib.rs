//! This plugin keeps the values of caches: in memory, in a SQLite file or on a Redis server. It does not decide what is cached or
//! under which key; that is the host's part.
//!
//! | backend | keeps values | outlives the process | for |
//! | --- | --- | --- | --- |
//! | `memory` | in this process | no | the first tier |
//! | `sqlite` | in one file, which several processes may share | yes | one machine |
//! | `redis` | in a Redis server or cluster | yes | many machines |
//!
//! All three give the same answers: a value that has expired is never given out, a value that is larger than the backend
//! takes is not kept (and what was under its key is forgotten), and `clear`, `size` and `list` go by the beginning of the
//! key, whatever characters it holds. The futures are bound to no runtime: any executor can poll them.
#![forbid(unsafe_code)]

mod lifetime;
pub mod memory;
pub mod redis;
pub mod sqlite;
mod state;

use jackfield_plugin_api::prelude::*;

pub use memory::Memory;
pub use redis::Redis;
pub use sqlite::Sqlite;

export_plugin!(caches: Memory, Sqlite, Redis);
