//! The address that calls go to.

use jackfield_plugin_api::prelude::*;
use reqwest::Url;

use super::secret::is_secret_name;

/// A parsed address and the parts of it that messages show.
#[derive(Debug)]
pub(crate) struct Endpoint {
    url: Url,
    host: String,
}

impl Endpoint {
    /// The address `base` with `path` (such as `chat/completions`) added; a query of `base` is kept.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if `base` is not a plain http(s) address. The message shows no part of it that could be
    /// a secret.
    pub(crate) fn parse(base: &str, path: &str) -> Result<Self> {
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        let mut url = match Url::parse(base.trim()) {
            Ok(url) => url,
            Err(error) => return invalid(format!("`base_url` is not an address: {error}")),
        };
        if !matches!(url.scheme(), "http" | "https") {
            return invalid(format!("`base_url` begins with `{}:`, not with `http://` or `https://`", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return invalid("`base_url` holds a user or a password: name the key with `api_key_env`".to_owned());
        }
        if url.fragment().is_some() {
            return invalid("`base_url` holds a `#`".to_owned());
        }
        if let Some((name, _)) = url.query_pairs().find(|(name, _)| is_secret_name(name)) {
            return invalid(format!(
                "`base_url` holds a secret, `{name}`, which would be kept with every run: name the key with `api_key_env`"
            ));
        }
        let whole_path = format!("{}/{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole_path);
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return invalid("`base_url` names no host".to_owned()),
        };
        Ok(Self { url, host })
    }

    /// The address to call.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Host, with the port where it is not the scheme's own.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Path without the query.
    pub(crate) fn path(&self) -> &str {
        self.url.path()
    }

    /// Whether calls are encrypted.
    pub(crate) fn secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the server is on this machine.
    pub(crate) fn local(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches([']', '.']);
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse().is_ok_and(|address: std::net::IpAddr| address.to_canonical().is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_added_and_the_query_kept() {
        let endpoint = Endpoint::parse("http://127.0.0.1:8080/v1/?version=2", "chat/completions").unwrap();
        assert_eq!(endpoint.url().as_str(), "http://127.0.0.1:8080/v1/chat/completions?version=2");
        assert_eq!((endpoint.host(), endpoint.path()), ("127.0.0.1:8080", "/v1/chat/completions"));
        assert!(endpoint.local() && !endpoint.secure());
        let endpoint = Endpoint::parse("https://api.openai.com", "chat/completions").unwrap();
        assert_eq!((endpoint.host(), endpoint.path()), ("api.openai.com", "/chat/completions"));
        assert!(endpoint.secure() && !endpoint.local());
        for local in
            ["http://[::1]:80/v1", "http://llm.localhost/v1", "http://localhost.:80", "http://[::ffff:127.0.0.1]"]
        {
            assert!(Endpoint::parse(local, "x").unwrap().local(), "{local}");
        }
        assert!(!Endpoint::parse("http://localhost.example.org/v1", "x").unwrap().local());
    }

    #[test]
    fn what_is_not_a_plain_address_is_refused_without_being_shown() {
        for (base, part) in [
            ("127.0.0.1:8080/v1", "is not an address"),
            ("ftp://example.org", "begins with `ftp:`"),
            ("https://me:hidden@example.org/v1", "holds a user or a password"),
            ("https://example.org/v1#hidden", "holds a `#`"),
            ("https://example.org/v1?version=2&api_key=hidden", "holds a secret, `api_key`"),
            ("", "is not an address"),
        ] {
            let Err(Failure::InvalidConfig(message)) = Endpoint::parse(base, "x") else { panic!("{base}") };
            assert!(message.contains(part), "{message}");
            assert!(!message.contains("hidden"), "{message}");
        }
    }
}
