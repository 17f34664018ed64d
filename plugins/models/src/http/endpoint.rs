//! The address that calls go to.

use jackfield_plugin_api::prelude::*;

use super::secret::is_secret_name;

/// An address, and the parts of it that messages show.
#[derive(Debug)]
pub(crate) struct Endpoint {
    url: String,
    host: String,
    path: String,
}

impl Endpoint {
    /// The address `base` with `path` (such as `chat/completions`) added; a query of `base` is kept.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if `base` is not a plain http(s) address. The message shows no part of it that could be
    /// a secret.
    pub(crate) fn parse(base: &str, path: &str) -> Result<Self> {
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        let base = base.trim();
        let Some((scheme, rest)) = base.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
            return invalid(
                "`base_url` is not an address: it begins neither with `http://` nor with `https://`".to_owned(),
            );
        };
        let scheme = scheme.to_ascii_lowercase();
        let usual_port = match scheme.as_str() {
            "http" => "80",
            "https" => "443",
            _ => return invalid(format!("`base_url` begins with `{scheme}:`, not with `http://` or `https://`")),
        };
        if rest.contains('#') {
            return invalid("`base_url` holds a `#`".to_owned());
        }
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, base_path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if authority.contains('@') {
            return invalid("`base_url` holds a user or a password: name the key with `api_key_env`".to_owned());
        }
        let host = match host_of(authority, usual_port) {
            Ok(host) => host,
            Err(what) => return invalid(format!("`base_url` is not an address: {what}")),
        };
        if base.chars().any(|char| char.is_whitespace() || char.is_control() || char == '\\') {
            return invalid("`base_url` is not an address: it has blank space or a `\\` in it".to_owned());
        }
        let names =
            query.into_iter().flat_map(|query| query.split('&')).map(|pair| pair.split('=').next().unwrap_or(pair));
        if let Some(name) = names.into_iter().find(|name| is_secret_name(name)) {
            return invalid(format!(
                "`base_url` holds a secret, `{name}`, which would be kept with every run: name the key with `api_key_env`"
            ));
        }
        let path = format!("{}/{path}", base_path.trim_end_matches('/'));
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        Ok(Self { url: format!("{scheme}://{host}{path}{query}"), host, path })
    }

    /// The address to call.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Host, with the port where it is not the scheme's own.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Path without the query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The host in lower case, with its port where that is not the usual one; or what is wrong with it.
fn host_of(authority: &str, usual_port: &str) -> Result<String, &'static str> {
    // An address of IPv6 stands in brackets.
    let port_at = if authority.ends_with(']') { None } else { authority.rfind(':') };
    let (host, port) = match port_at {
        Some(at) => (&authority[..at], &authority[at + 1..]),
        None => (authority, ""),
    };
    if host.is_empty() {
        return Err("it names no host");
    }
    let is_known = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.contains(|char: char| char.is_ascii() && !char.is_ascii_alphanumeric() && !"-._~%".contains(char))
        }
    };
    if !is_known {
        return Err("its host is not one");
    }
    let host = host.to_ascii_lowercase();
    match port {
        port if port.is_empty() || port == usual_port => Ok(host),
        port if port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0) => {
            Ok(format!("{host}:{port}"))
        }
        _ => Err("what follows its host is not a port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_added_and_the_query_kept() {
        for (base, url, host, path) in [
            (
                "http://127.0.0.1:8080/v1/?version=2",
                "http://127.0.0.1:8080/v1/chat/completions?version=2",
                "127.0.0.1:8080",
                "/v1/chat/completions",
            ),
            (
                "https://api.openai.com",
                "https://api.openai.com/chat/completions",
                "api.openai.com",
                "/chat/completions",
            ),
            (
                " HTTPS://API.example.org:443/v1 ",
                "https://api.example.org/v1/chat/completions",
                "api.example.org",
                "/v1/chat/completions",
            ),
            ("http://[::1]:81", "http://[::1]:81/chat/completions", "[::1]:81", "/chat/completions"),
            (
                "http://b\u{fc}cher.example",
                "http://b\u{fc}cher.example/chat/completions",
                "b\u{fc}cher.example",
                "/chat/completions",
            ),
        ] {
            let endpoint = Endpoint::parse(base, "chat/completions").unwrap();
            assert_eq!((endpoint.url(), endpoint.host(), endpoint.path()), (url, host, path));
        }
    }

    #[test]
    fn what_is_not_a_plain_address_is_refused_without_being_shown() {
        for (base, part) in [
            ("127.0.0.1:8080/v1", "is not an address"),
            ("ftp://example.org", "begins with `ftp:`"),
            ("https://me:hidden@example.org/v1", "holds a user or a password"),
            ("https://me:a hidden 'b@example.org/v1", "holds a user or a password"),
            ("https://me:hidden/x@example.org/v1", "is not a port"),
            ("https://example.org/v1#hidden", "holds a `#`"),
            ("https://example.org/v1?version=2&api_key=hidden", "holds a secret, `api_key`"),
            ("https://example.org/v1 hidden", "blank space"),
            ("https://example.org\\hidden", "is not an address"),
            ("https://exa mple.org", "its host is not one"),
            ("https://:80/v1", "it names no host"),
            ("https:///v1", "it names no host"),
            ("https://example.org:0", "is not a port"),
            ("https://[hidden]/v1", "its host is not one"),
            ("https:example.org", "is not an address"),
            ("", "is not an address"),
        ] {
            let Err(Failure::InvalidConfig(message)) = Endpoint::parse(base, "x") else { panic!("{base}") };
            assert!(message.contains(part), "{base}: {message}");
            assert!(!message.contains("hidden"), "{message}");
        }
    }
}
