//! The proxy that the environment puts between here and a server.

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

/// A proxy as messages name it: with the variable's kind and its address, without user and password. `None` if calls to this
/// address go straight to the server. It follows the rules of the HTTP client, which has them from the same place.
pub(super) fn proxy_for(rules: &Matcher, url: &Url) -> Option<String> {
    let proxy = rules.intercept(&url.as_str().parse().ok()?)?;
    let address = proxy.uri();
    let host = address.host()?;
    let shown = address.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Some(format!("the proxy at {shown} (`{}_PROXY` or `ALL_PROXY`)", url.scheme().to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_its_password() {
        let rules = Matcher::builder()
            .http("http://me:hidden@proxy.example.org:3128")
            .https("http://[::1]:8080")
            .no("direct.example.org")
            .build();
        let proxy = |url: &str| proxy_for(&rules, &url.parse().expect("an address"));
        assert_eq!(
            proxy("http://llm.example.net/v1?a=b").as_deref(),
            Some("the proxy at proxy.example.org:3128 (`HTTP_PROXY` or `ALL_PROXY`)")
        );
        assert_eq!(
            proxy("https://llm.example.net/v1").as_deref(),
            Some("the proxy at [::1]:8080 (`HTTPS_PROXY` or `ALL_PROXY`)")
        );
        assert_eq!(proxy("http://direct.example.org/v1"), None);
        assert_eq!(
            proxy_for(&Matcher::builder().build(), &"http://llm.example.net".parse().expect("an address")),
            None
        );
    }
}
