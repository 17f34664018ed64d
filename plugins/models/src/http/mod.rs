//! One POST to a server that answers prompts, and what came of it as a [`Failure`](jackfield_plugin_api::Failure).

mod api;
mod body;
mod complaint;
pub(crate) mod counts;
mod endpoint;
mod retry_after;
mod secret;
mod status;
mod text;
mod transport;

pub(crate) use api::{Api, ApiConfig, KeyHeader};
pub(crate) use body::body_of;
pub(crate) use complaint::Complaint;
pub(crate) use text::unfenced;
