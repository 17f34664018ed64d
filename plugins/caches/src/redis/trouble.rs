//! What the server or the way to it says, as a failure.

use ::redis::{ErrorKind, RedisError, ServerErrorKind};
use jackfield_plugin_api::prelude::*;

/// The message of the library or the server. Neither repeats a password.
pub(super) fn said(error: &RedisError) -> String {
    error.to_string()
}

pub(super) fn failure(shown: &str, error: &RedisError) -> Failure {
    if is_refusal(error) {
        let mend = "check the user in the address, and `password_env` or `password_file`";
        return Failure::InvalidConfig(format!("redis at `{shown}` does not let us in ({}): {mend}", said(error)));
    }
    match error.code() {
        Some("WRONGTYPE") => Failure::Unavailable(format!(
            "redis at `{shown}` holds something else than text under a key of the cache: choose another `prefix`"
        )),
        Some("OOM") => Failure::Unavailable(format!(
            "redis at `{shown}` has no room left: raise its `maxmemory`, or set an eviction policy such as `allkeys-lru`"
        )),
        _ => Failure::Unavailable(format!("redis at `{shown}`: {}", said(error))),
    }
}

/// Whether nothing but another password or more rights would help.
fn is_refusal(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm))
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"))
}

/// Whether other commands would fare the same, so that asking on is in vain for a while.
pub(super) fn is_of_all(error: &RedisError) -> bool {
    is_refusal(error)
        || needs_new_connection(error)
        || matches!(error.code(), Some("LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "MISCONF"))
}

/// Whether the connection is of no more use. That of a cluster mends itself, unless it has lost every node.
pub(super) fn needs_new_connection(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || matches!(error.kind(), ErrorKind::ClusterConnectionNotFound | ErrorKind::Parse)
}
