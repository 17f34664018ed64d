//! The clients that requests go through, and the connections that they keep.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use jackfield_loader::sandbox::Reach;
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;

use super::addresses::{is_public, is_this_machine};

/// Longest wait for a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection without a request is kept. Many servers close theirs after 60 s.
const IDLE: Duration = Duration::from_secs(50);
/// Most connections without a request that are kept to one server.
const MAX_IDLE: usize = 4096;

/// The clients, made when they are first needed.
#[derive(Default)]
pub(super) struct Clients {
    /// For grants of public addresses.
    public: Pair,
    /// For grants that name an address of this machine's network, or any address.
    anywhere: Pair,
    /// For this machine itself, where such a grant allows that.
    this_machine: Pair,
}

/// A client for `http` and one for `https`: a plain address needs no certificates, which take time to read and may be missing.
#[derive(Default)]
struct Pair {
    plain: OnceLock<Result<Client, String>>,
    secure: OnceLock<Result<Client, String>>,
}

impl Clients {
    /// The client for a server within this reach.
    ///
    /// # Errors
    /// Why there is none, such as a system without certificates.
    pub(super) fn get(&self, reach: Reach, host: &str, is_secure: bool) -> Result<&Client, String> {
        let is_proxied = is_proxied(reach, host);
        let pair = match reach {
            Reach::Public => &self.public,
            Reach::Anywhere if is_proxied => &self.anywhere,
            Reach::Anywhere => &self.this_machine,
        };
        let client = if is_secure { &pair.secure } else { &pair.plain };
        client.get_or_init(|| new_client(reach, is_proxied, is_secure)).as_ref().map_err(Clone::clone)
    }
}

/// Whether requests go through the proxy that the environment names. A proxy would look names up itself, so it is used only
/// where any address will do; and to a proxy, this machine would be the proxy itself.
pub(super) fn is_proxied(reach: Reach, host: &str) -> bool {
    reach == Reach::Anywhere && !is_this_machine(host)
}

/// A client of HTTP/1.1 that follows no redirect, since that may lead to another server, and keeps no cookies. Over HTTP/2 all
/// requests would share one connection, whose server says how many it takes at a time, and the others would wait unseen.
fn new_client(reach: Reach, is_proxied: bool, is_secure: bool) -> Result<Client, String> {
    let failed = |error: &dyn fmt::Display| error.to_string();
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?;
    let tls = if is_secure {
        tls.with_platform_verifier().map_err(|error| failed(&error))?.with_no_client_auth()
    } else {
        tls.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    };
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MAX_IDLE)
        .user_agent(concat!("jackfield/", env!("CARGO_PKG_VERSION")));
    let builder = if is_proxied { builder } else { builder.no_proxy() };
    let builder = match reach {
        Reach::Public => builder.dns_resolver(Arc::new(PublicOnly)),
        Reach::Anywhere => builder,
    };
    builder.build().map_err(|error| failed(&error.without_url()))
}

/// A name that leads to this machine or its network.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that is not public")]
pub(super) struct NotPublic;

/// Looks names up, and takes no address that is not public: whoever owns a name decides where it leads.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.iter().copied().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() && !found.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}
