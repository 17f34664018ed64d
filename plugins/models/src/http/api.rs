//! The client of one instance.

use std::{collections::BTreeMap, time::Duration};

use jackfield_plugin_api::prelude::*;

use super::{
    endpoint::Endpoint,
    secret::{KeyName, is_secret_name, is_secret_value, names_secret},
    text::shortened_line,
};

/// Longest answer, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// How long an answer may take is the host's to say.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How the key is sent to a server whose configuration does not say so.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DefaultKeyHeader {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `x-api-key: KEY`.
    ApiKey,
}

/// What an [`Api`] is made of: the keys that models' configurations share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApiConfig<'a> {
    /// Address that `path` is added to.
    pub(crate) base_url: &'a str,
    /// Path of the one call that is made.
    pub(crate) path: &'a str,
    /// Name of the model.
    pub(crate) model: &'a str,
    /// Variable that holds the key.
    pub(crate) api_key_env: Option<&'a str>,
    /// File that holds the key.
    pub(crate) api_key_file: Option<&'a FilePath>,
    /// Name of the header that holds the key, where that is configured.
    pub(crate) api_key_header: Option<&'a str>,
    /// How the key is sent otherwise.
    pub(crate) default_key_header: DefaultKeyHeader,
    /// Headers of the configuration.
    pub(crate) headers: &'a BTreeMap<String, String>,
    /// Headers of the protocol; one of the configuration wins.
    pub(crate) fixed: &'a [(&'static str, &'static str)],
}

/// A server, and a model on it. Calls go through the host, which keeps the connections and puts the key into its header.
#[derive(Debug)]
pub(crate) struct Api {
    endpoint: Endpoint,
    headers: Vec<(String, String)>,
    /// Where the key is, in backticks.
    key_place: Option<String>,
    model: String,
}

impl Api {
    /// Prepares the call. Nothing is called.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the address, the name of the key or a header is not valid.
    pub(crate) fn open(config: &ApiConfig<'_>) -> Result<Self> {
        if config.model.trim().is_empty() {
            return Err(Failure::InvalidConfig("`name` is empty: it names the model".to_owned()));
        }
        let endpoint = Endpoint::parse(config.base_url, config.path)?;
        let key = KeyName::of(config.api_key_env, config.api_key_file)?;
        let headers = headers(config, key.as_ref())?;
        Ok(Self { endpoint, headers, key_place: key.map(|key| key.place()), model: config.model.to_owned() })
    }

    /// Makes the call and reads the answer of a success.
    ///
    /// # Errors
    /// Whatever the server's status, or the lack of an answer, means.
    pub(crate) async fn post(&self, host: &Host<'_>, body: Vec<u8>) -> Result<Vec<u8>> {
        let request = HttpRequest {
            method: "POST".to_owned(),
            url: self.endpoint.url().to_owned(),
            headers: self.headers.clone(),
            body,
            timeout: Some(PATIENCE),
        };
        let response = match host.fetch(request).await {
            Ok(response) => response,
            // An answer that is too long is the server's fault, and no budget of ours.
            Err(Failure::OverBudget(why)) => return Err(Failure::InvalidOutput(why)),
            Err(failure) => return Err(failure),
        };
        if !(200..300).contains(&response.status) {
            return Err(self.refused(response.status, &response.headers, &response.body));
        }
        if response.body.len() > MAX_ANSWER {
            return Err(self.invalid_answer(&format!("answered more than {} MiB", MAX_ANSWER >> 20)));
        }
        // The host has unpacked what it knows how to.
        match response.header("content-encoding").map(str::trim).filter(|coding| !is_plain(coding)) {
            Some(coding) => Err(self.invalid_answer(&format!(
                "answered in the coding `{}` (`Content-Encoding`), which it was asked not to use",
                shortened_line(coding, 40)
            ))),
            None => Ok(response.body),
        }
    }

    /// Host, with the port where it is not the scheme's own.
    pub(crate) fn host(&self) -> &str {
        self.endpoint.host()
    }

    /// Path of the call.
    pub(crate) fn path(&self) -> &str {
        self.endpoint.path()
    }

    /// Name of the model.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// Where the key is, in backticks.
    pub(crate) fn key_place(&self) -> Option<&str> {
        self.key_place.as_deref()
    }
}

/// Whether a coding is none.
fn is_plain(coding: &str) -> bool {
    coding.is_empty() || coding.eq_ignore_ascii_case("identity")
}

/// The header that holds the key, in lower case.
fn key_header(config: &ApiConfig<'_>) -> Result<String> {
    let Some(name) = config.api_key_header else {
        return Ok(match config.default_key_header {
            DefaultKeyHeader::Bearer => "authorization".to_owned(),
            DefaultKeyHeader::ApiKey => "x-api-key".to_owned(),
        });
    };
    let header = name.to_ascii_lowercase();
    if !is_header_name(name) {
        return Err(Failure::InvalidConfig(format!("`api_key_header`: {name:?} is not the name of a header")));
    }
    if is_own_header(&header) {
        return Err(Failure::InvalidConfig(format!("`api_key_header`: header `{name}` is set by the client itself")));
    }
    Ok(header)
}

/// Whether a header can have this name.
fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether the client itself sets a header.
fn is_own_header(name: &str) -> bool {
    matches!(
        name,
        "accept-encoding"
            | "connection"
            | "content-length"
            | "content-type"
            | "host"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Headers of every call.
fn headers(config: &ApiConfig<'_>, key: Option<&KeyName>) -> Result<Vec<(String, String)>> {
    let mut headers = BTreeMap::new();
    for (name, value) in
        [("content-type", "application/json"), ("accept", "application/json"), ("accept-encoding", "identity")]
            .iter()
            .chain(config.fixed)
    {
        headers.insert((*name).to_owned(), (*value).to_owned());
    }
    for (name, value) in config.headers {
        let invalid = |what: &str| Err(Failure::InvalidConfig(format!("header `{name}` {what}")));
        if !is_header_name(name) {
            return invalid("is not the name of a header");
        }
        match name.to_ascii_lowercase() {
            name if (is_secret_name(&name) || is_secret_value(value)) && !names_secret(value) => {
                return invalid(
                    "would hold a secret: name the key with `api_key_env` or `api_key_file`, or write `${secret:NAME}`",
                );
            }
            name if is_own_header(&name) => return invalid("is set by the client itself"),
            _ if value.chars().any(|char| char.is_control() && char != '\t') => {
                return invalid("has a value that no header can have");
            }
            name => headers.insert(name, value.clone()),
        };
    }
    if let Some(key) = key {
        let name = key_header(config)?;
        let value = key.placeholder();
        // A header for schemes has to name one; any other holds the key alone.
        let value = if name == "authorization" { format!("Bearer {value}") } else { value };
        headers.insert(name, value);
    }
    Ok(headers.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::FailureKind;

    use super::*;
    use crate::testing::config;

    fn with_header(name: &str, value: &str) -> Result<Api> {
        let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Api::open(&ApiConfig { headers: &headers, fixed: &[("anthropic-version", "1")], ..config() })
    }

    fn header<'a>(api: &'a Api, name: &str) -> Option<&'a str> {
        api.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn with_key_in(header: Option<&str>, default: DefaultKeyHeader) -> Result<Api> {
        Api::open(&ApiConfig {
            api_key_env: Some("KEY"),
            api_key_header: header,
            default_key_header: default,
            ..config()
        })
    }

    #[test]
    fn the_key_is_named_in_the_header_that_it_belongs_to() {
        for (given, default, name, value) in [
            (None, DefaultKeyHeader::Bearer, "authorization", "Bearer ${secret:KEY}"),
            (None, DefaultKeyHeader::ApiKey, "x-api-key", "${secret:KEY}"),
            (Some("API-Key"), DefaultKeyHeader::Bearer, "api-key", "${secret:KEY}"),
            (Some("Authorization"), DefaultKeyHeader::ApiKey, "authorization", "Bearer ${secret:KEY}"),
        ] {
            let api = with_key_in(given, default).unwrap();
            assert_eq!(header(&api, name), Some(value));
            assert_eq!(api.headers.iter().filter(|(_, value)| value.contains("KEY")).count(), 1);
        }
        for (given, what) in
            [("a b", "is not the name of a header"), ("Content-Length", "by the client itself"), ("", "not the name")]
        {
            let failure = with_key_in(Some(given), DefaultKeyHeader::Bearer).unwrap_err();
            assert_eq!(failure.kind(), FailureKind::InvalidConfig);
            assert!(failure.message().contains(what), "{failure:?}");
        }
    }

    #[test]
    fn headers_are_checked_when_the_model_is_opened() {
        let message = |name, value| match with_header(name, value) {
            Err(Failure::InvalidConfig(message)) => message,
            other => panic!("{other:?}"),
        };
        assert!(message("Authorization", "Bearer hidden").contains("would hold a secret"));
        assert!(message("x-team", "Bearer hidden").contains("would hold a secret"));
        assert!(!message("Authorization", "Bearer hidden").contains("hidden"));
        assert!(message("a b", "x").contains("is not the name of a header"));
        assert!(message("x-a", "1\n2").contains("no header can have"));
        assert!(message("Host", "x").contains("by the client itself"));
        assert_eq!(header(&with_header("Anthropic-Version", "2").unwrap(), "anthropic-version"), Some("2"));
        let named = with_header("X-Api-Key", "${secret:GATEWAY_KEY}").unwrap();
        assert_eq!(header(&named, "x-api-key"), Some("${secret:GATEWAY_KEY}"));
    }
}
