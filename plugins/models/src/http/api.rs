//! The client of one instance.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use hyper_util::client::proxy::matcher::Matcher;
use jackfield_plugin_api::prelude::*;
use reqwest::{
    Client, Method, Request,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
        USER_AGENT,
    },
    redirect,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::task::JoinSet;

use super::{
    body::{self, MAX_ANSWER, MAX_ERROR_BODY, ReadError},
    encoding::{DecodeError, decode},
    endpoint::Endpoint,
    proxy::proxy_for,
    secret::{Secret, is_secret_name, is_secret_value},
    text::shortened_line,
    transport::broken,
};

/// Longest wait for a connection. How long the answer may take is the host's to say.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection without a call is kept. Many servers close theirs after 60 s.
const IDLE: Duration = Duration::from_secs(50);
/// Most connections without a call that are kept.
const MAX_IDLE: usize = 4096;

/// How the key is sent to a server whose configuration does not say so.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DefaultKeyHeader {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `x-api-key: KEY`.
    ApiKey,
}

/// What an [`Api`] is made of: the keys that models' configurations share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApiConfig<'a> {
    /// Address that `path` is added to.
    pub(crate) base_url: &'a str,
    /// Path of the one call that is made.
    pub(crate) path: &'a str,
    /// Name of the model.
    pub(crate) model: &'a str,
    /// Variable that holds the key.
    pub(crate) api_key_env: Option<&'a str>,
    /// File that holds the key.
    pub(crate) api_key_file: Option<&'a FilePath>,
    /// Name of the header that holds the key, where that is configured.
    pub(crate) api_key_header: Option<&'a str>,
    /// How the key is sent otherwise.
    pub(crate) default_key_header: DefaultKeyHeader,
    /// Headers of the configuration.
    pub(crate) headers: &'a BTreeMap<String, String>,
    /// Headers of the protocol; one of the configuration wins.
    pub(crate) fixed: &'a [(&'static str, &'static str)],
}

/// A server, a model on it, and the connections to it. The key is in `headers`, marked as sensitive.
pub(crate) struct Api {
    client: Client,
    endpoint: Endpoint,
    headers: HeaderMap,
    key: Option<Secret>,
    model: String,
    /// The proxy that calls go through, as messages name it.
    proxy: Option<String>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("host", &self.host()).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Api {
    /// Reads the key and prepares the client. Nothing is called.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the address, the key or a header is not valid.
    pub(crate) fn open(config: &ApiConfig<'_>) -> Result<Self> {
        if config.model.trim().is_empty() {
            return Err(Failure::InvalidConfig("`name` is empty: it names the model".to_owned()));
        }
        let endpoint = Endpoint::parse(config.base_url, config.path)?;
        let key = Secret::read(config.api_key_env, config.api_key_file)?;
        let headers = headers(config, key.as_ref())?;
        let client = client(&endpoint)?;
        let proxy = (!endpoint.local()).then(|| proxy_for(&Matcher::from_system(), endpoint.url())).flatten();
        Ok(Self { client, endpoint, headers, key, model: config.model.to_owned(), proxy })
    }

    /// Makes the call and reads the answer of a success.
    ///
    /// # Errors
    /// Whatever the server's status, or the lack of an answer, means.
    pub(crate) async fn post(&self, body: Vec<u8>) -> Result<Vec<u8>> {
        let mut request = Request::new(Method::POST, self.endpoint.url().clone());
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = Some(body.into());
        match on_runtime(exchange(self.client.clone(), request)).await {
            Ok(Answer::Success(body)) => Ok(body),
            Ok(Answer::OtherStatus(status, headers, body)) => Err(self.refused(status, &headers, &body)),
            Err(ReadError::TooLong) => {
                Err(self.invalid_answer(&format!("answered more than {} MiB", MAX_ANSWER >> 20)))
            }
            Err(ReadError::Decode(DecodeError::TooLong)) => {
                Err(self.invalid_answer(&format!("answered more than {} MiB once unpacked", MAX_ANSWER >> 20)))
            }
            Err(ReadError::Decode(DecodeError::Unknown(coding))) => Err(self.invalid_answer(&format!(
                "answered in the coding `{}` (`Content-Encoding`), which it was asked not to use",
                shortened_line(&self.redact(coding), 40)
            ))),
            Err(ReadError::Decode(DecodeError::Damaged(coding))) => Err(self.no_answer(&format!(
                "answered something that is no whole `{coding}`, as `Content-Encoding` says it is"
            ))),
            Err(ReadError::Broken(error)) => Err(broken(&self.endpoint, self.proxy(), &error)),
        }
    }

    /// Host, with the port where it is not the scheme's own.
    pub(crate) fn host(&self) -> &str {
        self.endpoint.host()
    }

    /// Path of the call.
    pub(crate) fn path(&self) -> &str {
        self.endpoint.path()
    }

    /// The proxy that calls go through, as messages name it; `None` if they go straight to the server.
    pub(crate) fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// Name of the model.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// Where the key was read from, in backticks.
    pub(crate) fn key_place(&self) -> Option<&str> {
        self.key.as_ref().map(Secret::place)
    }

    /// The text without the key.
    pub(crate) fn redact(&self, text: String) -> String {
        match &self.key {
            Some(key) => key.redact(text),
            None => text,
        }
    }

    /// The answer without the key: a server that repeats it must not bring it into the record and the cache.
    pub(crate) fn scrub(&self, completion: Completion) -> Completion {
        let Some(key) = &self.key else { return completion };
        let model = completion.model.map(|model| key.scrub(model));
        let reasoning = completion.reasoning.map(|reasoning| key.scrub(reasoning));
        Completion { text: key.scrub(completion.text), model, reasoning, ..completion }
    }
}

/// What came back.
enum Answer {
    /// The body.
    Success(Vec<u8>),
    /// Any other status, the headers, and the start of the body.
    OtherStatus(u16, HeaderMap, Vec<u8>),
}

async fn exchange(client: Client, request: Request) -> Result<Answer, ReadError> {
    let mut response = client.execute(request).await.map_err(ReadError::Broken)?;
    let status = response.status();
    if status.is_success() {
        let body = body::read(&mut response, MAX_ANSWER).await?;
        return decode(response.headers(), body, MAX_ANSWER).map(Answer::Success).map_err(ReadError::Decode);
    }
    let body = body::read_start(&mut response, MAX_ERROR_BODY).await;
    // The status says enough where the body cannot be read.
    let body = decode(response.headers(), body, MAX_ANSWER).unwrap_or_default();
    Ok(Answer::OtherStatus(status.as_u16(), response.headers().clone(), body))
}

/// Runs the future where the sockets are served, so that the caller is woken once, with the outcome, and not at each step.
/// Dropping the returned future stops it.
async fn on_runtime<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let mut tasks = JoinSet::new();
    tasks.spawn(future);
    match tasks.join_next().await {
        Some(Ok(outcome)) => outcome,
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // Only a runtime that shuts down ends a task so; with it goes whoever waits for this one.
        _ => std::future::pending().await,
    }
}

/// The header that holds the key.
fn key_header(config: &ApiConfig<'_>) -> Result<HeaderName> {
    let Some(name) = config.api_key_header else {
        return Ok(match config.default_key_header {
            DefaultKeyHeader::Bearer => AUTHORIZATION,
            DefaultKeyHeader::ApiKey => HeaderName::from_static("x-api-key"),
        });
    };
    match name.parse::<HeaderName>() {
        Ok(header) if !is_own_header(header.as_str()) => Ok(header),
        Ok(_) => Err(Failure::InvalidConfig(format!("`api_key_header`: header `{name}` is set by the client itself"))),
        Err(_) => Err(Failure::InvalidConfig(format!("`api_key_header`: {name:?} is not the name of a header"))),
    }
}

/// Whether the client itself sets a header.
fn is_own_header(name: &str) -> bool {
    matches!(name, "host" | "content-length" | "content-type" | "transfer-encoding" | "connection" | "accept-encoding")
}

/// Headers of every call.
fn headers(config: &ApiConfig<'_>, key: Option<&Secret>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("jackfield/", env!("CARGO_PKG_VERSION"))));
    for &(name, value) in config.fixed {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    for (name, value) in config.headers {
        let invalid = |what: &str| Err(Failure::InvalidConfig(format!("header `{name}` {what}")));
        let Ok(header) = name.parse::<HeaderName>() else { return invalid("is not the name of a header") };
        match header.as_str() {
            name if is_secret_name(name) || is_secret_value(value) => {
                return invalid("would hold a secret: name the key with `api_key_env` or `api_key_file`");
            }
            name if is_own_header(name) => return invalid("is set by the client itself"),
            _ => {}
        }
        let Ok(value) = HeaderValue::from_str(value) else { return invalid("has a value that no header can have") };
        headers.insert(header, value);
    }
    if let Some(key) = key {
        let name = key_header(config)?;
        // A header for schemes has to name one; any other holds the key alone.
        let value = if name == AUTHORIZATION || name == PROXY_AUTHORIZATION {
            format!("Bearer {}", key.reveal())
        } else {
            key.reveal().to_owned()
        };
        let Ok(mut value) = HeaderValue::from_str(&value) else {
            return Err(Failure::InvalidConfig(format!("what {} holds is not an API key", key.place())));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// A client of HTTP/1.1 that follows no redirect, asks for no compression and, on this machine, uses no proxy.
fn client(endpoint: &Endpoint) -> Result<Client> {
    let invalid =
        |error: &dyn fmt::Display| Failure::InvalidConfig(format!("failed to prepare the HTTP client: {error}"));
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(&error))?;
    let tls = if endpoint.secure() {
        // The system's certificates: reading them takes time, so a plain address does without.
        tls.with_platform_verifier().map_err(|error| invalid(&error))?.with_no_client_auth()
    } else {
        tls.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    };
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MAX_IDLE);
    if endpoint.local() { builder.no_proxy() } else { builder }.build().map_err(|error| invalid(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{KEY, api, config, key_file};

    fn with_header(name: &str, value: &str) -> Result<Api> {
        let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Api::open(&ApiConfig { headers: &headers, fixed: &[("anthropic-version", "1")], ..config() })
    }

    fn with_key_in(header: Option<&str>, default: DefaultKeyHeader) -> Result<HeaderMap> {
        let (_folder, file) = key_file();
        let config =
            ApiConfig { api_key_file: Some(&file), api_key_header: header, default_key_header: default, ..config() };
        Api::open(&config).map(|api| api.headers)
    }

    #[test]
    fn the_key_stands_in_the_header_that_is_named() {
        for (header, default, name, value) in [
            (None, DefaultKeyHeader::Bearer, "authorization", format!("Bearer {KEY}")),
            (None, DefaultKeyHeader::ApiKey, "x-api-key", KEY.to_owned()),
            (Some("API-Key"), DefaultKeyHeader::Bearer, "api-key", KEY.to_owned()),
            (Some("Authorization"), DefaultKeyHeader::ApiKey, "authorization", format!("Bearer {KEY}")),
        ] {
            let headers = with_key_in(header, default).unwrap();
            assert_eq!(headers[name], value);
            assert!(headers[name].is_sensitive());
            assert_eq!(headers.values().filter(|value| value.is_sensitive()).count(), 1);
        }
        for (header, what) in
            [("a b", "is not the name of a header"), ("Content-Length", "by the client itself"), ("", "not the name")]
        {
            let failure = with_key_in(Some(header), DefaultKeyHeader::Bearer).unwrap_err();
            assert_eq!(failure.kind(), jackfield_plugin_api::FailureKind::InvalidConfig);
            assert!(failure.message().contains(what), "{failure:?}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let (_folder, _) = key_file();
        let api = api();
        assert!(!format!("{api:?} {:?}", api.headers).contains("very-secret"));
        assert!(format!("{:?}", api.headers).contains("Sensitive"));
    }

    #[test]
    fn headers_are_checked_when_the_model_is_opened() {
        let message = |name, value| match with_header(name, value) {
            Err(Failure::InvalidConfig(message)) => message,
            other => panic!("{other:?}"),
        };
        assert!(message("Authorization", "Bearer hidden").contains("would hold a secret"));
        assert!(message("x-team", "Bearer hidden").contains("would hold a secret"));
        assert!(!message("Authorization", "Bearer hidden").contains("hidden"));
        assert!(message("a b", "x").contains("is not the name of a header"));
        assert!(message("x-a", "1\n2").contains("no header can have"));
        assert!(message("Host", "x").contains("by the client itself"));
        assert_eq!(with_header("Anthropic-Version", "2").unwrap().headers["anthropic-version"], "2");
    }
}
