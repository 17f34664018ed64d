//! Requests that failed before there was an answer.

use std::{error::Error, io, time::Duration};

use jackfield_plugin_api::Failure;
use reqwest::Url;

use super::{
    client::{CONNECT_TIMEOUT, NotPublic},
    not_granted_inside,
};

/// The longest reason of another library that is shown, in characters.
const MOST_CHARS: usize = 200;

/// Where a request goes, and how long it may take.
pub(super) struct Endpoint<'a> {
    pub(super) url: &'a Url,
    pub(super) timeout: Duration,
}

impl Endpoint<'_> {
    /// The host, with the port where it is not the scheme's own.
    pub(super) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// What broke, as a failure that names the host, or the proxy where it is that one's doing, and nothing else of the address.
    pub(super) fn broken(&self, proxy: Option<&str>, error: &reqwest::Error) -> Failure {
        let host = self.host();
        if error.is_builder() {
            return Failure::Internal(format!("failed to form a call to the server at {host}: {}", deepest(error)));
        }
        let message = match proxy.filter(|_| error.is_connect()) {
            Some(proxy) => {
                let cause = match cause(error) {
                    Cause::NotPublic => return not_granted_inside(self.url.host_str().unwrap_or_default()),
                    Cause::Tunnel(Tunnel::Unauthorized) => {
                        let wanted = format!("{proxy} wants a user and a password: put them into its address");
                        return Failure::InvalidConfig(wanted);
                    }
                    // The connection to the server, within the one to the proxy.
                    Cause::Tls(reason) => {
                        format!("there is no secure connection to the server at {host} through it: {reason}")
                    }
                    Cause::Tunnel(Tunnel::Refused) => format!("it does not connect to {host}"),
                    Cause::Refused => "it refuses connections".to_owned(),
                    Cause::Cut => "it broke the connection off".to_owned(),
                    Cause::Dns => format!("no address is known for it: {}", deepest(error)),
                    Cause::Other if error.is_timeout() => {
                        format!("it took no connection within {} s", CONNECT_TIMEOUT.as_secs())
                    }
                    Cause::Other => deepest(error),
                };
                format!("the server at {host} is not reached through {proxy}: {cause}")
            }
            None => match cause(error) {
                Cause::NotPublic => return not_granted_inside(self.url.host_str().unwrap_or_default()),
                Cause::Refused => format!("the server at {host} refuses connections"),
                Cause::Cut => format!("the server at {host} broke the connection off"),
                Cause::Dns => format!("no address is known for {host}: {}", deepest(error)),
                Cause::Tls(reason) => format!("there is no secure connection to the server at {host}: {reason}"),
                Cause::Other if error.is_timeout() && error.is_connect() => {
                    format!("the server at {host} took no connection within {} s", CONNECT_TIMEOUT.as_secs())
                }
                Cause::Other if error.is_timeout() => {
                    let limit = humantime::format_duration(self.timeout);
                    format!("the server at {host} did not answer within {limit}")
                }
                Cause::Other | Cause::Tunnel(_) if error.is_connect() => {
                    format!("failed to connect to the server at {host}: {}", deepest(error))
                }
                Cause::Other | Cause::Tunnel(_) => {
                    format!("the call to the server at {host} broke: {}", deepest(error))
                }
            },
        };
        Failure::Unavailable(message)
    }
}

enum Cause {
    NotPublic,
    Refused,
    Cut,
    Dns,
    Tls(String),
    Tunnel(Tunnel),
    Other,
}

/// Why a proxy leads to no server.
enum Tunnel {
    /// It wants to know who asks.
    Unauthorized,
    /// It answered with another failure.
    Refused,
}

fn cause(error: &reqwest::Error) -> Cause {
    let mut next = Some(error as &(dyn Error + 'static));
    // What the resolver says stands below the error of the client, which looks like that of any name without an address.
    while let Some(error) = next {
        if error.is::<NotPublic>() {
            return Cause::NotPublic;
        }
        next = error.source();
    }
    let mut next = Some(error as &(dyn Error + 'static));
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Cause::Tls(tls.to_string());
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::ConnectionRefused => return Cause::Refused,
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof => return Cause::Cut,
                _ => {}
            }
            // What an I/O error wraps, perhaps twice, is not among its sources.
            let mut inner = io.get_ref();
            while let Some(wrapped) = inner {
                if let Some(tls) = wrapped.downcast_ref::<rustls::Error>() {
                    return Cause::Tls(tls.to_string());
                }
                inner = wrapped.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            }
        } else {
            match error.to_string().as_str() {
                "dns error" => return Cause::Dns,
                "tunnel error: proxy authorization required" => return Cause::Tunnel(Tunnel::Unauthorized),
                "tunnel error: unsuccessful" => return Cause::Tunnel(Tunnel::Refused),
                "tunnel error: unexpected end of file" => return Cause::Cut,
                "connection closed before message completed" | "end of file before message length reached" => {
                    return Cause::Cut;
                }
                _ => {}
            }
        }
        next = error.source();
    }
    Cause::Other
}

/// The innermost cause, which is the one that says something.
fn deepest(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    // Only the outermost error, ours, ever shows the address.
    if std::ptr::eq(std::ptr::from_ref(last).cast::<()>(), std::ptr::from_ref(error).cast::<()>()) {
        return "the reason is not known".to_owned();
    }
    let reason = last.to_string();
    match reason.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason,
    }
}
