//! HTTP for plugins: only to the servers that were granted, and to no address of this machine or its network unless the grant
//! names it, whatever the name of a server resolves to.
//!
//! Models, caches and stages share it, and the connections that it keeps. The headers of a request may name secrets, which are
//! put in here: see [`SecretStore`].

mod addresses;
mod client;
mod encoding;
mod exchange;
mod proxy;
#[cfg(test)]
mod tests;
mod trace;
mod transport;

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper_util::client::proxy::matcher::Matcher;
use jackfield_loader::{
    mask_secrets,
    sandbox::{Grants, Permission, Reach, Server, size},
};
use jackfield_plugin_api::{Failure, HttpRequest, HttpResponse, Result};
use reqwest::{
    Method, Request, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use self::{
    addresses::{is_public, literal_address},
    client::{Clients, is_proxied},
    exchange::{ExchangeError, exchange},
    proxy::proxy_for,
    transport::Endpoint,
};
use crate::secrets::{KnownSecret, SecretStore};

pub(crate) use trace::FetchTrace;

/// How long an answer may take unless the plugin says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long it may take whatever the plugin says, unless the service that the plugin answers for has a limit of its own.
pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);
/// The largest body of a request, in bytes.
const LARGEST_BODY: usize = 64 << 20;
/// Headers that the client sets, and a plugin must not.
const CLIENT_HEADERS: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "proxy-authorization",
    "proxy-connection",
];

/// HTTP for all plugins of a run.
#[derive(Default)]
pub struct Http {
    clients: Clients,
    secrets: SecretStore,
    /// Whether no server may be asked: for a forecast.
    is_closed: AtomicBool,
}

/// For whom a request is made, and what bounds it.
pub(crate) struct FetchCaller<'a> {
    pub(crate) grants: &'a Grants,
    /// An answer of more bytes is refused.
    pub(crate) max_response_bytes: u64,
    /// How long an answer may take whatever the plugin says.
    pub(crate) longest_timeout: Duration,
    /// What is noted of the requests, if anybody wants to know.
    pub(crate) trace: Option<&'a FetchTrace>,
}

impl Http {
    /// From now on, no server is asked.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Makes a request for a plugin with these grants; an answer of more than `max_response_bytes` bytes is refused.
    ///
    /// # Errors
    /// As [`Host::fetch`](jackfield_plugin_api::Host::fetch) says.
    pub async fn fetch(&self, grants: &Grants, request: HttpRequest, max_response_bytes: u64) -> Result<HttpResponse> {
        let caller = FetchCaller { grants, max_response_bytes, longest_timeout: LONGEST_TIMEOUT, trace: None };
        self.fetch_for(&caller, request).await
    }

    /// Makes a request for this caller.
    ///
    /// # Errors
    /// As [`Host::fetch`](jackfield_plugin_api::Host::fetch) says.
    pub(crate) async fn fetch_for(&self, caller: &FetchCaller<'_>, request: HttpRequest) -> Result<HttpResponse> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(Failure::InvalidConfig("a forecast asks no server".to_owned()));
        }
        let shown = || mask_secrets(&request.url).into_owned();
        let url =
            Url::parse(&request.url).map_err(|error| invalid(&format!("`{}` is not an address: {error}", shown())))?;
        // In lower case already.
        let host = url.host_str().unwrap_or_default();
        if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
            return Err(invalid(&format!("`{}` is not an address of http or https", shown())));
        }
        let Some(reach) = caller.grants.server(host, url.port()) else {
            let server = Server::Named { host: host.to_owned(), below: false, port: url.port() };
            return Err(Failure::InvalidConfig(caller.grants.denial(&Permission::Http(server))));
        };
        if reach == Reach::Public && literal_address(host).is_some_and(|address| !is_public(address)) {
            return Err(not_granted_inside(host));
        }
        let method = Method::from_bytes(request.method.as_bytes())
            .ok()
            .filter(|method| method != Method::CONNECT)
            .ok_or_else(|| invalid(&format!("`{}` is not a method", request.method)))?;
        if request.body.len() > LARGEST_BODY {
            return Err(invalid("a body of more than 64 MiB cannot be sent"));
        }
        let client = self
            .clients
            .get(reach, host, url.scheme() == "https")
            .map_err(|why| Failure::InvalidConfig(format!("failed to prepare the HTTP client: {why}")))?
            .clone();
        let timeout = request.timeout.unwrap_or(DEFAULT_TIMEOUT).min(caller.longest_timeout);
        let mut used = Vec::new();
        let headers = headers(&request.headers, |text| {
            let server = Server::Named { host: host.to_owned(), below: false, port: url.port() };
            self.secrets.fill(text, &|name| caller.grants.check_secret(name, &server), &mut used)
        })?;
        let mut sent = Request::new(method, url.clone());
        *sent.headers_mut() = headers;
        *sent.body_mut() = Some(request.body.into());
        *sent.timeout_mut() = Some(timeout);
        let limit = usize::try_from(caller.max_response_bytes).unwrap_or(usize::MAX);
        let endpoint = Endpoint { url: &url, timeout };
        let proxy = || is_proxied(reach, host).then(|| proxy_for(&Matcher::from_system(), &url)).flatten();
        match exchange(client, sent, limit).await {
            Ok(answer) => {
                if let Some(trace) = caller.trace {
                    trace.note_answer(answer.status, || proxy().filter(|_| url.scheme() == "http"));
                }
                let text = |(name, value): (&HeaderName, &HeaderValue)| {
                    let value = value.to_str().ok()?;
                    Some((name.as_str().to_owned(), redacted(value, &used).into_owned()))
                };
                let headers = answer.headers.iter().filter_map(text).collect();
                let body = used.iter().fold(answer.body, |body, secret| secret.scrub_bytes(body));
                Ok(HttpResponse { status: answer.status, headers, body })
            }
            Err(error) => {
                if let Some(trace) = caller.trace {
                    trace.note_failure(&error);
                }
                let server = endpoint.host();
                let limit = size(caller.max_response_bytes);
                Err(match error {
                    ExchangeError::TooLong => {
                        Failure::OverBudget(format!("the server at {server} answered more than {limit}"))
                    }
                    ExchangeError::TooLongUnpacked => {
                        Failure::OverBudget(format!("the server at {server} answered more than {limit} once unpacked"))
                    }
                    ExchangeError::Damaged(coding) => Failure::Unavailable(format!(
                        "the server at {server} answered something that is no whole `{}`, as `Content-Encoding` says it is",
                        redacted(&coding, &used)
                    )),
                    ExchangeError::Broken(error) => endpoint.broken(proxy().as_deref(), &error),
                })
            }
        }
    }

    /// The secrets that requests may carry.
    pub(crate) const fn secrets(&self) -> &SecretStore {
        &self.secrets
    }
}

/// A text of a server without the secrets that were sent to it.
fn redacted<'a>(text: &'a str, used: &[Arc<KnownSecret>]) -> Cow<'a, str> {
    used.iter().fold(Cow::Borrowed(text), |text, secret| match secret.scrub(&text) {
        Some(scrubbed) => Cow::Owned(scrubbed),
        None => text,
    })
}

/// The most headers of a request: a map of headers holds no more than some thousands, and panics beyond.
const MOST_HEADERS: usize = 1_000;

/// The headers of a request. `fill` puts secrets into a value that names some.
fn headers(pairs: &[(String, String)], mut fill: impl FnMut(&str) -> Result<String>) -> Result<HeaderMap> {
    if pairs.len() > MOST_HEADERS {
        return Err(invalid(&format!("a request has at most {MOST_HEADERS} headers, and this one {}", pairs.len())));
    }
    let mut headers = HeaderMap::with_capacity(pairs.len() + 4);
    for (name, value) in pairs {
        let known =
            HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| !CLIENT_HEADERS.contains(&name.as_str()));
        let name = known.ok_or_else(|| invalid(&format!("header `{name}` must not be set by a plugin")))?;
        let filled = if SecretStore::names_secret(value) { Some(fill(value)?) } else { None };
        // The value may be a secret: it is not repeated.
        let mut value = HeaderValue::from_str(filled.as_deref().unwrap_or(value))
            .map_err(|_| invalid(&format!("header `{name}` has no valid value")))?;
        value.set_sensitive(filled.is_some());
        headers.append(name, value);
    }
    Ok(headers)
}

fn invalid(what: &str) -> Failure {
    Failure::InvalidInput(what.to_owned())
}

fn not_granted_inside(host: &str) -> Failure {
    Failure::InvalidConfig(format!(
        "{host} is an address of this machine or its network, which a grant has to name: `http:{host}=private`"
    ))
}
