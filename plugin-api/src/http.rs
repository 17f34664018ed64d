//! HTTP through the host.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A request that the host makes for a plugin, if it was granted `http:HOST`.
///
/// The value of a header may name a secret, as in `Bearer ${secret:WRITER_KEY}`: the host puts in what the variable
/// `WRITER_KEY` holds, or the file of that path if there is a `/` in the name. The plugin asks for `secret` or `secret:NAME`, and
/// the secret goes to the servers that it was granted for and to no other. The plugin never sees it: where a server repeats it
/// as it is, `[key]` stands in its place in the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// `GET`, `POST` or another method.
    pub method: String,
    /// An absolute `http` or `https` address.
    pub url: String,
    /// Names and values, in order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body, empty for none; at most 64 MiB.
    #[serde(skip)]
    pub body: Vec<u8>,
    /// How long to wait for the whole answer; 30 seconds by default.
    #[serde(default)]
    pub timeout: Option<Duration>,
}

impl HttpRequest {
    /// A request without headers or body.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Vec::new(), body: Vec::new(), timeout: None }
    }

    /// A `GET` of this address.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A `POST` of this body to this address.
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::new("POST", url) }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What a server answered, whatever its status. A redirect comes back as it is: the host follows none. A body that came packed
/// (`gzip`, `deflate`) is unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// The status, such as 200.
    pub status: u16,
    /// Names, in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(skip)]
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first value of a header; its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}
