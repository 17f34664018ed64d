//! HTTP for plugins: only to the servers that were granted, and to no address of this machine or its network unless the grant
//! names it, whatever the name of a server resolves to.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use jackfield_loader::{
    mask_secrets,
    sandbox::{Grants, Permission, Reach, Server, size},
};
use jackfield_plugin_api::{Failure, HttpRequest, HttpResponse, Result};
use reqwest::{
    Client, Method, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

/// How long an answer may take unless the plugin says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long it may take whatever the plugin says.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);
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

/// The clients, made when they are first needed.
#[derive(Default)]
pub struct Http {
    /// For grants of public addresses.
    public: OnceLock<Option<Client>>,
    /// For grants that name an address of this machine's network, or any address.
    anywhere: OnceLock<Option<Client>>,
    /// For this machine itself, where such a grant allows that.
    this_machine: OnceLock<Option<Client>>,
}

impl Http {
    /// Makes a request for a plugin with these grants; an answer of more than `max_response_bytes` bytes is refused.
    ///
    /// # Errors
    /// As [`Host::fetch`](jackfield_plugin_api::Host::fetch) says.
    pub async fn fetch(&self, grants: &Grants, request: HttpRequest, max_response_bytes: u64) -> Result<HttpResponse> {
        let shown = mask_secrets(&request.url);
        let url =
            Url::parse(&request.url).map_err(|error| invalid(&format!("`{shown}` is not an address: {error}")))?;
        let host = url.host_str().map(str::to_ascii_lowercase).unwrap_or_default();
        if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
            return Err(invalid(&format!("`{shown}` is not an address of http or https")));
        }
        let Some(reach) = grants.server(&host, url.port()) else {
            let server = Server::Named { host, below: false, port: url.port() };
            return Err(Failure::InvalidConfig(grants.denial(&Permission::Http(server))));
        };
        if reach == Reach::Public && literal_address(&host).is_some_and(|address| !is_public(address)) {
            return Err(not_granted_inside(&host));
        }
        let method = Method::from_bytes(request.method.as_bytes())
            .ok()
            .filter(|method| method != Method::CONNECT)
            .ok_or_else(|| invalid(&format!("`{}` is not a method", request.method)))?;
        if request.body.len() > LARGEST_BODY {
            return Err(invalid("a body of more than 64 MiB cannot be sent"));
        }
        let client =
            self.client(reach, &host).ok_or_else(|| Failure::Internal("there is no HTTP client here".to_owned()))?;
        let timeout = request.timeout.unwrap_or(DEFAULT_TIMEOUT).min(LONGEST_TIMEOUT);
        let request =
            client.request(method, url).headers(headers(&request.headers)?).body(request.body).timeout(timeout);
        let mut response = request.send().await.map_err(|error| request_failed(&host, timeout, &error))?;
        let status = response.status().as_u16();
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            value.to_str().ok().map(|value| (name.as_str().to_owned(), value.to_owned()))
        };
        let headers = response.headers().iter().filter_map(text).collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| request_failed(&host, timeout, &error))? {
            if (body.len() + chunk.len()) as u64 > max_response_bytes {
                return Err(Failure::OverBudget(format!(
                    "the server at {host} answered more than {}",
                    size(max_response_bytes)
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, headers, body })
    }

    fn client(&self, reach: Reach, host: &str) -> Option<&Client> {
        let (client, is_proxied) = match reach {
            Reach::Public => (&self.public, false),
            // To a proxy, this machine would be the proxy itself.
            Reach::Anywhere if is_this_machine(host) => (&self.this_machine, false),
            Reach::Anywhere => (&self.anywhere, true),
        };
        client.get_or_init(|| new_client(reach, is_proxied)).as_ref()
    }
}

/// A client that follows no redirect, since that may lead to another server, and keeps no cookies. A proxy would look names
/// up itself, so it is used only where any address will do.
fn new_client(reach: Reach, is_proxied: bool) -> Option<Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(Duration::from_secs(10))
        .user_agent(concat!("jackfield/", env!("CARGO_PKG_VERSION")));
    let builder = if is_proxied { builder } else { builder.no_proxy() };
    let builder = match reach {
        Reach::Public => builder.dns_resolver(Arc::new(PublicOnly)),
        Reach::Anywhere => builder,
    };
    builder.build().ok()
}

fn headers(pairs: &[(String, String)]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let known =
            HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| !CLIENT_HEADERS.contains(&name.as_str()));
        let name = known.ok_or_else(|| invalid(&format!("header `{name}` must not be set by a plugin")))?;
        // The value may be a secret: it is not repeated.
        let value =
            HeaderValue::from_str(value).map_err(|_| invalid(&format!("header `{name}` has no valid value")))?;
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

fn request_failed(host: &str, timeout: Duration, error: &reqwest::Error) -> Failure {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        if cause.is::<NotPublic>() {
            break;
        }
        cause = source;
    }
    if cause.is::<NotPublic>() {
        return not_granted_inside(host);
    }
    if error.is_timeout() {
        let limit = humantime::format_duration(timeout);
        return Failure::Unavailable(format!("the server at {host} did not answer within {limit}"));
    }
    Failure::Unavailable(format!("the server at {host} cannot be reached: {cause}"))
}

/// A name that leads to this machine or its network.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that is not public")]
struct NotPublic;

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

fn literal_address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether a name or an address is this machine's own, so that a proxy would look for it at itself.
fn is_this_machine(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    name == "localhost"
        || name.ends_with(".localhost")
        || literal_address(name).is_some_and(|address| address.to_canonical().is_loopback())
}

/// Whether an address is one of the public internet, by the registries of special-purpose addresses (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // Addresses of version 4 inside those of version 6: mapped, compatible, translated (RFC 6052), 6to4.
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // What is in use lies in 2000::/3; documentation, benchmarks and Teredo are parts of it.
        [first, second, ..] => {
            first & 0xe000 == 0x2000 && !(first == 0x2001 && (second == 0xdb8 || second == 2 || second == 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_machine_and_its_network_are_not_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(address.parse().expect(address)), "{address}");
        }
        for address in ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "172.32.0.1"] {
            assert!(is_public(address.parse().expect(address)), "{address}");
        }
        assert_eq!(literal_address("[::1]"), Some("::1".parse().expect("an address")));
    }

    #[test]
    fn what_is_this_machine_itself_is_known_by_its_name() {
        for host in
            ["localhost", "localhost.", "llm.localhost", "127.0.0.1", "127.8.0.1", "[::1]", "[::ffff:127.0.0.1]"]
        {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["example.org", "notlocalhost", "localhost.example.org", "10.0.0.1", "[fe80::1]", "0.0.0.0"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn headers_that_belong_to_the_client_are_refused_and_values_not_repeated() {
        let set = |name: &str, value: &str| headers(&[(name.to_owned(), value.to_owned())]);
        assert!(set("x-key", "1").is_ok());
        for name in CLIENT_HEADERS.iter().chain(&["", "a b", "Host"]) {
            set(name, "1").expect_err(name);
        }
        let failure = set("x-key", "very-secret\n").expect_err("a line break").to_string();
        assert!(!failure.contains("very-secret"), "{failure}");
    }
}
