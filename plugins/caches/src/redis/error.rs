//! Errors of the server and of the connection to it, as failures.

use ::redis::{ErrorKind, RedisError, ServerErrorKind};
use jackfield_plugin_api::prelude::*;

/// The message of the library or the server. Neither contains a password.
pub(super) fn error_text(error: &RedisError) -> String {
    error.to_string()
}

/// The failure of a request, with what to do about it where that is known.
pub(super) fn failure(shown: &str, error: &RedisError) -> Failure {
    if is_refusal(error) {
        let hint = "check the user in the address, and `password_env` or `password_file`";
        return Failure::InvalidConfig(format!("redis at `{shown}` refuses access ({}): {hint}", error_text(error)));
    }
    match error.code() {
        Some("WRONGTYPE") => Failure::Unavailable(format!(
            "redis at `{shown}` holds something else than text under a key of the cache: choose another `prefix`"
        )),
        Some("OOM") => Failure::Unavailable(format!(
            "redis at `{shown}` has no room left: raise its `maxmemory`, or set an eviction policy such as `allkeys-lru`"
        )),
        _ => Failure::Unavailable(format!("redis at `{shown}`: {}", error_text(error))),
    }
}

/// Whether nothing but another password or more rights would help.
fn is_refusal(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm))
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"))
}

/// Whether other commands would fail in the same way, so that it is useless to send them for a while.
pub(super) fn affects_all(error: &RedisError) -> bool {
    is_refusal(error)
        || needs_new_connection(error)
        || matches!(error.code(), Some("LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "MISCONF"))
}

/// Whether the connection cannot be used any more. That of a cluster recovers by itself, unless it has lost every node.
pub(super) fn needs_new_connection(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || matches!(error.kind(), ErrorKind::ClusterConnectionNotFound | ErrorKind::Parse)
}
