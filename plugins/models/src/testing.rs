//! A host whose server is a function, and what else tests share.

use std::collections::BTreeMap;

use jackfield_plugin_api::{
    prelude::*,
    testing::{FakeHost, test_context},
};
use serde_json::Value;

use crate::http::{Api, ApiConfig, DefaultKeyHeader};

/// The configuration of an [`Api`] without a key.
pub(crate) fn config() -> ApiConfig<'static> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    ApiConfig {
        base_url: "http://127.0.0.1:9/v1",
        path: "chat/completions",
        model: "tiny",
        api_key_env: None,
        api_key_file: None,
        api_key_header: None,
        default_key_header: DefaultKeyHeader::Bearer,
        headers: &NONE,
        fixed: &[],
    }
}

/// An [`Api`] that has a key and is never called.
pub(crate) fn api() -> Api {
    Api::open(&ApiConfig { api_key_env: Some("TINY_KEY"), ..config() }).unwrap()
}

/// An answer of this status, with these headers and this body.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Result<HttpResponse> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(HttpResponse { status, headers, body: body.as_ref().to_vec() })
}

/// The body of a request, which is JSON.
pub(crate) fn json_of(asked: &HttpRequest) -> Value {
    serde_json::from_slice(&asked.body).unwrap()
}

/// Calls a model that asks no server.
pub(crate) async fn ask(model: &impl Model, request: CompletionRequest) -> Result<Completion> {
    ask_server(model, request, |_| panic!("no server is asked")).await
}

/// Calls a model, whose server answers so.
pub(crate) async fn ask_server(
    model: &impl Model,
    request: CompletionRequest,
    server: impl Fn(&HttpRequest) -> Result<HttpResponse> + Send + Sync + 'static,
) -> Result<Completion> {
    model.complete(request, &Host::new(&FakeHost::default().with_server(server), &test_context(), 0)).await
}
