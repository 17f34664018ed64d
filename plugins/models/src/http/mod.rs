//! One POST to a server that answers prompts, by way of the host, and what came of it as a
//! [`Failure`](jackfield_plugin_api::Failure).

mod api;
mod body;
pub(crate) mod content;
mod endpoint;
pub(crate) mod event_stream;
pub(crate) mod foreign_json;
mod meaning;
mod retry_after;
mod secret;
mod server_error;
mod status;
mod text;

use jackfield_plugin_api::{Failure, Permission, Result};

pub(crate) use api::{Api, ApiConfig, DefaultKeyHeader};
pub(crate) use body::{body_of, refuse_own_keys};
pub(crate) use server_error::ServerError;
pub(crate) use status::refusal;
pub(crate) use text::unfenced;

/// What a model calls its server by, which is there once the model is opened.
///
/// # Errors
/// [`Failure::Internal`] before that.
pub(crate) fn opened(api: Option<&Api>) -> Result<&Api> {
    api.ok_or_else(|| Failure::Internal("the model was not opened before it was called".to_owned()))
}

/// What a model asks for that calls a server.
pub(crate) fn permissions() -> Vec<Permission> {
    [
        ("http", "to call the server at `base_url`"),
        ("secret", "to send it the key that `api_key_env` or `api_key_file` names"),
    ]
    .map(|(name, reason)| Permission { name: name.to_owned(), reason: reason.to_owned() })
    .to_vec()
}
