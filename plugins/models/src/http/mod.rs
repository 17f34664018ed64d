//! One POST to a server that answers prompts, and what came of it as a [`Failure`](jackfield_plugin_api::Failure).

mod api;
mod body;
pub(crate) mod content;
mod encoding;
mod endpoint;
pub(crate) mod event_stream;
pub(crate) mod foreign_json;
mod meaning;
mod proxy;
mod retry_after;
mod secret;
mod server_error;
mod status;
mod text;
mod transport;

pub(crate) use api::{Api, ApiConfig, DefaultKeyHeader};
pub(crate) use body::{body_of, refuse_own_keys};
pub(crate) use server_error::ServerError;
pub(crate) use text::unfenced;
