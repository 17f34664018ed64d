//! A cache backend that keeps values on a server of the tests (`tests/key_value_server.rs`).
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /v/KEY` | 200 with the value, or 404 |
//! | `PUT /v/KEY`, perhaps with `x-ttl-ms` | 204 |
//! | `DELETE /v/KEY` | 204 |
//! | `DELETE /all/PREFIX` | 200 with their number |
//! | `GET /size/PREFIX` | 200 with number and bytes, one space between them |
//! | `GET /list/PREFIX?after=KEY&limit=N` | 200 with a line for each: key, value, milliseconds or `-` |
//!
//! Keys, and values in lists, are hexadecimal digits.

use std::time::Duration;

use jackfield_plugin_api::{from_hex, prelude::*, to_hex};

/// Keeps values on a server of its own kind.
#[derive(Config)]
pub struct KeyValue {
    /// Address of the server, without a slash at its end.
    pub url: String,
    /// Whether it takes every key for the same one.
    #[config(default = false)]
    pub confused: bool,
}

impl KeyValue {
    async fn ask(&self, method: &str, path: String, host: &Host<'_>) -> Result<Option<Vec<u8>>> {
        self.send(HttpRequest::new(method, format!("{}{path}", self.url)), host).await
    }

    async fn send(&self, mut request: HttpRequest, host: &Host<'_>) -> Result<Option<Vec<u8>>> {
        request.timeout = Some(Duration::from_secs(2));
        let response = host.fetch(request).await?;
        match response.status {
            200 | 204 => Ok(Some(response.body)),
            404 => Ok(None),
            status => Err(Failure::Unavailable(format!("the server answers {status}"))),
        }
    }

    fn path(&self, key: &str) -> String {
        format!("/v/{}", to_hex(if self.confused { b"one" } else { key.as_bytes() }))
    }
}

/// What the server should not have said.
fn odd(what: &str) -> Failure {
    Failure::InvalidOutput(format!("the server answers {what}"))
}

fn number(text: Option<&str>) -> Result<u64> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| odd("no number"))
}

fn text(body: Option<Vec<u8>>) -> Result<String> {
    String::from_utf8(body.unwrap_or_default()).map_err(|_| odd("no text"))
}

impl CacheBackend for KeyValue {
    const NAME: &'static str = "key-value";

    async fn get(&self, key: &str, host: &Host<'_>) -> Result<Option<CacheValue>> {
        Ok(self.ask("GET", self.path(key), host).await?.map(Into::into))
    }

    async fn put(&self, key: &str, value: CacheValue, ttl: Option<Duration>, host: &Host<'_>) -> Result<()> {
        let mut request = HttpRequest::new("PUT", format!("{}{}", self.url, self.path(key)));
        request.body = value.to_vec();
        if let Some(ttl) = ttl {
            request = request.header("x-ttl-ms", ttl.as_millis().to_string());
        }
        self.send(request, host).await.map(drop)
    }

    async fn remove(&self, key: &str, host: &Host<'_>) -> Result<()> {
        self.ask("DELETE", self.path(key), host).await.map(drop)
    }

    async fn clear(&self, prefix: &str, host: &Host<'_>) -> Result<u64> {
        let body = text(self.ask("DELETE", format!("/all/{}", to_hex(prefix.as_bytes())), host).await?)?;
        number(Some(&body))
    }

    async fn size(&self, prefix: &str, host: &Host<'_>) -> Result<CacheSize> {
        let body = text(self.ask("GET", format!("/size/{}", to_hex(prefix.as_bytes())), host).await?)?;
        let mut parts = body.split(' ');
        Ok(CacheSize { entries: number(parts.next())?, bytes: number(parts.next())? })
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize, host: &Host<'_>) -> Result<Vec<CacheEntry>> {
        let after = after.map_or_else(String::new, |after| format!("&after={}", to_hex(after.as_bytes())));
        let path = format!("/list/{}?limit={limit}{after}", to_hex(prefix.as_bytes()));
        let body = text(self.ask("GET", path, host).await?)?;
        let entry = |line: &str| {
            let mut parts = line.split(' ');
            let bytes = |part: Option<&str>| part.and_then(from_hex).ok_or_else(|| odd("no digits"));
            let key = String::from_utf8(bytes(parts.next())?).map_err(|_| odd("a key that is no text"))?;
            let value = bytes(parts.next())?.into();
            let ttl = match parts.next() {
                Some("-") => None,
                left => Some(Duration::from_millis(number(left)?)),
            };
            Ok(CacheEntry { key, value, ttl })
        };
        body.lines().map(entry).collect()
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn permissions() -> Vec<Permission> {
        vec![Permission { name: "http".to_owned(), reason: "to reach the server that `url` names".to_owned() }]
    }
}
