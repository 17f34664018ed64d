//! Where the environment variables of OpenTelemetry send spans.

use std::time::Duration;

use jackfield_loader::mask_secrets;
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_TIMEOUT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_HEADERS, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
};
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};

use super::SpansError;

/// The address of a collector, and how long to wait for it.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    /// Without user and password: libraries show it as it is.
    pub(super) url: Url,
    /// What the user and the password of the address become: the value of `Authorization`.
    pub(super) authorization: Option<String>,
    /// For one batch, with its tries.
    pub(super) timeout: Duration,
    /// Between the first try and the second; twice that before the third.
    pub(super) backoff: Duration,
}

impl Destination {
    pub(super) fn new(mut url: Url) -> Self {
        let authorization = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let (user, password) = (url.username(), url.password().unwrap_or_default());
            let credentials = [percent_decoded(user), percent_decoded(password)].join(&b':');
            format!("Basic {}", base64(&credentials))
        });
        // Both can be removed from every address that can have them.
        let _ = (url.set_username(""), url.set_password(None));
        Self { url, authorization, timeout: Duration::from_secs(10), backoff: Duration::from_millis(200) }
    }

    /// None if the environment asks for no spans.
    pub(super) fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SpansError> {
        let lookup = |name: &'static str| lookup(name).filter(|value| !value.is_empty()).map(|value| (name, value));
        if lookup("OTEL_SDK_DISABLED").is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"))
            || lookup("OTEL_TRACES_EXPORTER")
                .is_some_and(|(_, value)| !value.split(',').any(|exporter| exporter.trim() == "otlp"))
        {
            return Ok(None);
        }
        let traces_endpoint = lookup(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
        let (path, given) = match traces_endpoint {
            Some(endpoint) => ("", Some(endpoint)),
            None => ("/v1/traces", lookup(OTEL_EXPORTER_OTLP_ENDPOINT)),
        };
        let Some((variable, value)) = given else { return Ok(None) };
        let url = Url::parse(&match path {
            "" => value.clone(),
            path => format!("{}{path}", value.trim_end_matches('/')),
        });
        let Some(url) = url.ok().filter(|url| matches!(url.scheme(), "http" | "https")) else {
            return Err(SpansError::Endpoint { variable, value: without_user(&value) });
        };
        let protocol = lookup(OTEL_EXPORTER_OTLP_TRACES_PROTOCOL).or_else(|| lookup(OTEL_EXPORTER_OTLP_PROTOCOL));
        if let Some((variable, value)) = protocol
            && value != "http/protobuf"
        {
            return Err(SpansError::Protocol { variable, value });
        }
        let mut destination = Self::new(url);
        let timeout = lookup(OTEL_EXPORTER_OTLP_TRACES_TIMEOUT).or_else(|| lookup(OTEL_EXPORTER_OTLP_TIMEOUT));
        if let Some(millis) = timeout.and_then(|(_, value)| value.trim().parse().ok()).filter(|millis| *millis > 0) {
            destination.timeout = Duration::from_millis(millis);
        }
        Ok(Some(destination))
    }

    /// What is wrong with the headers that the environment asks for: each entry that is passed over, without its value.
    pub(super) fn header_faults(lookup: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let mut faults = Vec::new();
        for variable in [OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TRACES_HEADERS] {
            let value = lookup(variable).unwrap_or_default();
            let entries: Vec<&str> = value.split_terminator(',').map(str::trim).collect();
            for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| !entry.is_empty()) {
                if let Some(why) = header_fault(entry) {
                    let (number, count) = (index + 1, entries.len());
                    faults.push(format!("entry {number} of {count} in `{variable}` is passed over: {why}"));
                }
            }
        }
        faults
    }

    /// Whether the address is that of this machine, which is never reached by a proxy.
    pub(super) fn is_local(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
        let address = host.parse::<std::net::IpAddr>();
        let is_name = host == "localhost" || host.ends_with(".localhost");
        is_name || address.is_ok_and(|address| address.to_canonical().is_loopback())
    }

    /// The address without what may be secret in it.
    pub(super) fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.to_string()
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let (mut decoded, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, after @ ..] = rest {
        let hex = || u8::from_str_radix(str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        match (first, hex()) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let digit_index = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit > chunk.len() { '=' } else { char::from(DIGITS[digit_index]) });
        }
    }
    text
}

/// Why an entry is not `name=value` as a header can have it.
fn header_fault(entry: &str) -> Option<&'static str> {
    let Some((name, value)) = entry.split_once('=') else { return Some("it is not written `name=value`") };
    let (name, value) = (name.trim(), value.trim());
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        return Some("its name is not the name of a header");
    }
    if value.is_empty() {
        return Some("it has no value");
    }
    // Percent signs stand for bytes that are text all the same.
    HeaderValue::from_str(value).is_err().then_some("its value cannot be that of a header")
}

/// A text that is not a valid address, without what may be a user and a password in it.
fn without_user(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((_, host)) => format!("********@{host}"),
        None => mask_secrets(address).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::SpansError;
    use super::Destination;

    fn from(variables: &[(&str, &str)]) -> Result<Option<Destination>, SpansError> {
        Destination::from_env(|name| {
            variables.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn url(variables: &[(&str, &str)]) -> Option<String> {
        from(variables).unwrap().map(|destination| destination.url.to_string())
    }

    const HERE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");

    #[test]
    fn nothing_is_sent_unless_it_is_asked_for() {
        assert_eq!(url(&[]), None);
        assert_eq!(url(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), None);
        assert_eq!(url(&[HERE, ("OTEL_SDK_DISABLED", "True")]), None);
        assert_eq!(url(&[HERE, ("OTEL_TRACES_EXPORTER", "none")]), None);
    }

    #[test]
    fn the_general_endpoint_gets_the_path_and_the_special_one_is_taken_as_it_is() {
        assert_eq!(url(&[HERE]).unwrap(), "http://localhost:4318/v1/traces");
        assert_eq!(
            url(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a.example/otlp/")]).unwrap(),
            "https://a.example/otlp/v1/traces"
        );
        let special = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b.example/spans");
        assert_eq!(url(&[HERE, special]).unwrap(), "http://b.example/spans");
        assert_eq!(url(&[HERE, ("OTEL_TRACES_EXPORTER", "console, otlp")]).unwrap(), "http://localhost:4318/v1/traces");
    }

    #[test]
    fn what_can_not_be_reached_by_http_is_refused() {
        let wrong = from(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317")]).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "`OTEL_EXPORTER_OTLP_ENDPOINT` is not an `http://` or `https://` address: \"localhost:4317\""
        );
        let wrong = from(&[HERE, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap_err();
        assert!(matches!(wrong, SpansError::Protocol { .. }), "{wrong}");
    }

    #[test]
    fn a_malformed_header_is_reported_without_its_value() {
        let faults = |value: &str| {
            Destination::header_faults(|name| (name == "OTEL_EXPORTER_OTLP_HEADERS").then(|| value.to_owned()))
        };
        assert!(faults("authorization=Bearer%20me,x-team=blue,").is_empty());
        assert!(faults("").is_empty());
        let reported = faults("api-key:hidden,x-team=blue,a b=hidden,empty=,x=hid\u{7}den");
        assert_eq!(reported.len(), 4, "{reported:?}");
        assert!(
            reported[0].starts_with("entry 1 of 5 in `OTEL_EXPORTER_OTLP_HEADERS` is passed over: "),
            "{reported:?}"
        );
        assert!(reported.iter().all(|text| !text.contains("hid")), "{reported:?}");
    }

    #[test]
    fn an_address_that_is_none_is_shown_without_its_password() {
        for address in ["me:hidden@localhost:4317", "ftp://me:hidden@host/", "grpc://host?key=hidden"] {
            let message = from(&[("OTEL_EXPORTER_OTLP_ENDPOINT", address)]).unwrap_err().to_string();
            assert!(!message.contains("hidden") && message.contains("host"), "{message}");
        }
    }

    #[test]
    fn the_timeout_is_in_milliseconds_and_nonsense_is_passed_over() {
        let timeout = |value| from(&[HERE, ("OTEL_EXPORTER_OTLP_TIMEOUT", value)]).unwrap().unwrap().timeout;
        assert_eq!(timeout("2500"), Duration::from_millis(2500));
        assert_eq!(timeout("soon"), Duration::from_secs(10));
    }

    #[test]
    fn a_secret_in_the_address_is_not_shown() {
        let destination = Destination::new("http://me:secret@10.0.0.1:4318/v1/traces?key=secret".parse().unwrap());
        assert_eq!(destination.shown(), "http://10.0.0.1:4318/v1/traces");
        assert!(!destination.url.as_str().contains("me:"), "{}", destination.url);
    }

    #[test]
    fn user_and_password_of_the_address_become_a_header() {
        // RFC 7617 has this example.
        let authorization = |text: &str| Destination::new(text.parse().unwrap()).authorization;
        assert_eq!(
            authorization("http://Aladdin:open%20sesame@h/").as_deref(),
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        );
        assert_eq!(authorization("http://a:b@h/").as_deref(), Some("Basic YTpi"));
        assert_eq!(authorization("http://token@h/").as_deref(), Some("Basic dG9rZW46"));
        assert_eq!(authorization("http://h/"), None);
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        let here = |text: &str| Destination::new(text.parse().unwrap()).is_local();
        assert!(here("http://localhost:4318") && here("http://127.0.0.1:4318") && here("http://[::1]:4318"));
        assert!(!here("http://10.0.0.1:4318") && !here("https://collector.example"));
    }
}
