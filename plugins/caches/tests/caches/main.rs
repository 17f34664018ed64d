//! What the cache backends promise. `redis-server`, `redis-cli` and `openssl` must be there, and leave to mount a tmpfs.
#![forbid(unsafe_code)]

mod behaviour;
mod memory;
mod model;
mod offers;
mod redis;
mod redis_hostile;
mod redis_server;
mod redis_unreachable;
mod sqlite;
mod sqlite_failures;
mod support;
