//! Where the server is.

use std::sync::Arc;

use ::redis::{
    ConnectionInfo, IntoConnectionInfo,
    cluster::{ClusterClient, ClusterClientBuilder},
};
use jackfield_plugin_api::prelude::*;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::{connection::Timeouts, error, secret::Secret};

/// The forms of addresses that are accepted.
const FORMS: &str = "`redis://HOST:PORT/DATABASE`, `rediss://…` for TLS, `unix:///PATH`, \
    `redis+cluster://HOST:PORT,HOST:PORT,…` or `rediss+cluster://…`";

/// A server or a cluster, and what it takes to be admitted.
#[derive(Debug)]
pub(super) struct Address {
    nodes: Vec<String>,
    is_cluster: bool,
    password: Option<Secret>,
    ca: Option<Vec<u8>>,
}

/// What opens connections.
pub(super) enum Endpoint {
    Single(Box<ConnectionInfo>),
    Cluster(Box<ClusterClient>),
}

impl Address {
    /// # Errors
    /// [`Failure::InvalidConfig`] that names the address, but never a password.
    pub(super) fn parse(url: &str, urls: &[String], password: Option<Secret>, ca: Option<Vec<u8>>) -> Result<Self> {
        for url in urls.iter().map(String::as_str).chain([url]) {
            refuse_password(url)?;
        }
        let (nodes, is_cluster) = if urls.is_empty() { split(url)? } else { (urls.to_vec(), true) };
        let address = Self { nodes, is_cluster, password, ca };
        if address.ca.is_some() && !address.has_tls() {
            return Err(Failure::InvalidConfig("`ca_file` is for TLS: begin the address with `rediss`".to_owned()));
        }
        Ok(address)
    }

    /// Connects nowhere.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if an address makes no sense.
    pub(super) fn endpoint(&self, timeouts: Timeouts) -> Result<Endpoint> {
        let nodes: Vec<ConnectionInfo> = self.nodes.iter().map(|node| self.node(node)).collect::<Result<_>>()?;
        if !self.is_cluster {
            let node = nodes.into_iter().next().ok_or_else(|| Failure::InvalidConfig("no address".to_owned()))?;
            return Ok(Endpoint::Single(Box::new(node)));
        }
        let builder = ClusterClientBuilder::new(nodes)
            .retries(2)
            .connection_timeout(timeouts.connect)
            .response_timeout(timeouts.answer);
        let opened = builder.build().map(|client| Endpoint::Cluster(Box::new(client)));
        opened.map_err(|error| self.invalid(&error::error_text(&error)))
    }

    /// How to encrypt, where the address asks for it.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if a certificate makes no sense.
    pub(super) fn tls(&self) -> Result<Option<Arc<ClientConfig>>> {
        if !self.has_tls() {
            return Ok(None);
        }
        let wrong = |error: &dyn std::fmt::Display| self.invalid(&error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(&error))?;
        let builder = match &self.ca {
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(ca) {
                    let certificate = certificate.map_err(|error| wrong(&format!("`ca_file` is not PEM: {error}")))?;
                    roots.add(certificate).map_err(|error| wrong(&error))?;
                }
                builder.with_root_certificates(roots)
            }
            None => builder.with_platform_verifier().map_err(|error| wrong(&error))?,
        };
        Ok(Some(Arc::new(builder.with_no_client_auth())))
    }

    fn invalid(&self, what: &str) -> Failure {
        Failure::InvalidConfig(format!("redis at `{}`: {what}", self.shown()))
    }

    /// For messages. Passwords are never in it.
    pub(super) fn shown(&self) -> String {
        self.nodes.join(",")
    }

    fn has_tls(&self) -> bool {
        self.nodes.iter().any(|node| node.starts_with("rediss:"))
    }

    fn node(&self, node: &str) -> Result<ConnectionInfo> {
        let info = node.into_connection_info().map_err(|error| {
            let error_text = error::error_text(&error);
            Failure::InvalidConfig(format!("`{node}` is not an address of redis ({error_text}): expected {FORMS}"))
        })?;
        let Some(password) = &self.password else { return Ok(info) };
        let settings = info.redis_settings().clone().set_password(password.reveal());
        Ok(info.set_redis_settings(settings))
    }
}

/// A password in a pipeline file would be kept with every run.
fn refuse_password(url: &str) -> Result<()> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let holds = |node: &str| node.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    let parameters = rest.split_once('?').map_or("", |(_, query)| query).split('&');
    let in_query = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
        ["pass", "password", "pwd", "secret", "token", "auth", "key"].contains(&name.as_str())
    };
    if parameters.into_iter().any(in_query) || rest.split(['/', ',']).any(holds) || holds(rest) {
        let message = "the address of redis holds a password, which would be kept with every run: take it out, and name \
            the variable or the file that holds it, by `password_env` or `password_file`";
        return Err(Failure::InvalidConfig(message.to_owned()));
    }
    Ok(())
}

/// The nodes, each with an address of its own, and whether they are a cluster.
fn split(url: &str) -> Result<(Vec<String>, bool)> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(Failure::InvalidConfig(format!("`{url}` is not an address of redis: expected {FORMS}")));
    };
    match scheme {
        "redis" | "rediss" | "unix" => Ok((vec![url.to_owned()], false)),
        "redis+cluster" | "rediss+cluster" => {
            let scheme = scheme.trim_end_matches("+cluster");
            Ok((rest.trim_end_matches('/').split(',').map(|node| format!("{scheme}://{node}")).collect(), true))
        }
        _ => Err(Failure::InvalidConfig(format!("`{url}` is not an address of redis: expected {FORMS}"))),
    }
}
