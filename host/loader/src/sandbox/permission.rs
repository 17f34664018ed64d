//! Permissions: their text, and which one covers which other.

use std::{fmt, str::FromStr};

use jackfield_plugin_api::Ability;
use serde::{Deserialize, Serialize};

/// Something that a plugin may ask for and a pipeline may grant. As text: `model`, `model:ABILITY`, `cache`, `clock`,
/// `random`, `http:HOST`, `secret:NAME`, `read:NAME`, `scratch:NAME`, `env:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Permission {
    /// The model of its stage.
    Model,
    /// The model of its stage with an ability that not every model offers; one of [`ASKED_FOR`].
    ModelAbility(Ability),
    /// The cache of its stage.
    Cache,
    /// The time of day, and time that passes.
    Clock,
    /// Chance beyond the seed of its call.
    Random,
    /// HTTP requests to a server, through the host.
    Http(Server),
    /// The files of a folder, to read. The component sees it as `/NAME`.
    Read(String),
    /// A folder to write to and read from. The component sees it as `/NAME`.
    Scratch(String),
    /// A variable of the environment.
    Env(String),
    /// A secret that the host puts into the headers of HTTP requests, and that the plugin never sees.
    Secret(SecretName),
}

/// A secret, or several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretName {
    /// Any secret: what a plugin asks for if its configuration names the secrets.
    Any,
    /// The variable of the environment that holds it, or, if there is a `/` in the name, the file.
    Named(String),
}

/// A server, or several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Server {
    /// Any server: what a plugin asks for if its configuration names the servers.
    Any,
    /// A host, or, written with a leading `*.`, every host below it.
    Named {
        /// The name of the host in lower case, without `*.`.
        host: String,
        /// Whether the hosts below it are meant, and not the host itself.
        below: bool,
        /// The port; none for the usual ports of `http` and `https`.
        port: Option<u16>,
    },
}

/// The abilities of a model that a stage asks for by a permission of their own.
pub const ASKED_FOR: [Ability; 5] =
    [Ability::Capture, Ability::Edits, Ability::LogProbs, Ability::Tokenize, Ability::Embed];

/// Why a text is not a permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    /// It begins with none of the known words.
    #[error(
        "`{0}` is not a permission: there are model, model:ABILITY, cache, clock, random, http:HOST, read:NAME, scratch:NAME, \
         env:NAME and secret:NAME"
    )]
    Unknown(String),
    /// What follows the word is not a name that belongs there.
    #[error("`{0}` is not a permission: after `{1}:` comes {2}")]
    Name(String, &'static str, &'static str),
}

impl Permission {
    /// Whether this permission includes `other`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Http(own), Self::Http(other)) => own.covers(other),
            (Self::ModelAbility(_), Self::Model) | (Self::Secret(SecretName::Any), Self::Secret(_)) => true,
            _ => self == other,
        }
    }
}

impl Server {
    /// Whether this includes all servers of `other`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Named { .. }, Self::Any) => false,
            (Self::Named { host, below: false, port }, Self::Named { host: other, below: false, port: other_port }) => {
                host == other && port == other_port
            }
            (Self::Named { below: false, .. }, Self::Named { below: true, .. }) => false,
            (Self::Named { host, below: true, port }, Self::Named { host: other, below, port: other_port }) => {
                port == other_port && (*below && host == other || is_below(other, host))
            }
        }
    }

    /// Whether an address belongs to it: a host in lower case, and a port, none for the usual port of the scheme.
    #[must_use]
    pub fn includes(&self, host: &str, port: Option<u16>) -> bool {
        self.covers(&Self::Named { host: host.to_owned(), below: false, port })
    }
}

fn is_below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

impl FromStr for Server {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (below, text) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // An address of IPv6 stands in brackets.
        let split = if text.ends_with(']') { None } else { text.rsplit_once(':') };
        let (host, port) = match split {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| ())?)),
            None => (text, None),
        };
        let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let known = match inside {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            }),
        };
        if !known || port == Some(0) {
            return Err(());
        }
        Ok(Self::Named { host: host.to_ascii_lowercase(), below, port })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Named { host, below, port } => {
                write!(f, "{}{host}", if *below { "*." } else { "" })?;
                port.map_or(Ok(()), |port| write!(f, ":{port}"))
            }
        }
    }
}

impl FromStr for Permission {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        let (word, name) = match text.split_once(':') {
            Some((word, name)) => (word, Some(name)),
            None => (text, None),
        };
        let folder = |word: &'static str| {
            let name = name.unwrap_or_default();
            let fits = !name.is_empty()
                && name.len() <= 64
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            let wanted = "a name of lower-case letters, digits and hyphens";
            if fits { Ok(name.to_owned()) } else { Err(PermissionError::Name(text.to_owned(), word, wanted)) }
        };
        match (word, name) {
            ("model", None) => Ok(Self::Model),
            ("model", Some(name)) => {
                let ability = Ability::from_name(name).filter(|ability| ASKED_FOR.contains(ability));
                let wanted = "`capture`, `edits`, `logprobs`, `tokenize` or `embed`";
                ability.map(Self::ModelAbility).ok_or_else(|| PermissionError::Name(text.to_owned(), "model", wanted))
            }
            ("cache", None) => Ok(Self::Cache),
            ("clock", None) => Ok(Self::Clock),
            ("random", None) => Ok(Self::Random),
            ("http", None) => Ok(Self::Http(Server::Any)),
            ("http", Some(name)) => {
                let wanted = "a host, such as `api.example.org`, `*.example.org` or `localhost:8080`";
                let server = name.parse().map_err(|()| PermissionError::Name(text.to_owned(), "http", wanted))?;
                Ok(Self::Http(server))
            }
            ("read", Some(_)) => folder("read").map(Self::Read),
            ("scratch", Some(_)) => folder("scratch").map(Self::Scratch),
            ("env", Some(name)) => {
                let fits = !name.is_empty() && !name.contains(['=', '\0']) && !name.contains(char::is_whitespace);
                let wanted = "the name of a variable";
                if fits {
                    Ok(Self::Env(name.to_owned()))
                } else {
                    Err(PermissionError::Name(text.to_owned(), "env", wanted))
                }
            }
            ("secret", None) => Ok(Self::Secret(SecretName::Any)),
            ("secret", Some(name)) => {
                let is_file = name.contains('/');
                let fits = !name.is_empty()
                    && !name.contains(['=', '{', '}', '$'])
                    && !name.contains(char::is_control)
                    && (is_file || !name.contains(char::is_whitespace));
                let wanted = "the name of a variable, or the path of a file";
                if fits {
                    Ok(Self::Secret(SecretName::Named(name.to_owned())))
                } else {
                    Err(PermissionError::Name(text.to_owned(), "secret", wanted))
                }
            }
            _ => Err(PermissionError::Unknown(text.to_owned())),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model => f.write_str("model"),
            Self::ModelAbility(ability) => write!(f, "model:{ability}"),
            Self::Cache => f.write_str("cache"),
            Self::Clock => f.write_str("clock"),
            Self::Random => f.write_str("random"),
            Self::Http(Server::Any) => f.write_str("http"),
            Self::Http(server) => write!(f, "http:{server}"),
            Self::Read(name) => write!(f, "read:{name}"),
            Self::Scratch(name) => write!(f, "scratch:{name}"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Secret(SecretName::Any) => f.write_str("secret"),
            Self::Secret(SecretName::Named(name)) => write!(f, "secret:{name}"),
        }
    }
}

impl TryFrom<String> for Permission {
    type Error = PermissionError;

    fn try_from(text: String) -> Result<Self, PermissionError> {
        text.parse()
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(text: &str) -> Permission {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn every_permission_is_written_as_it_is_read() {
        for text in [
            "model",
            "model:capture",
            "model:edits",
            "model:logprobs",
            "model:tokenize",
            "model:embed",
            "cache",
            "clock",
            "random",
            "http",
            "http:api.example.org",
            "http:*.example.org",
            "http:localhost:8080",
            "http:[::1]:80",
            "http:10.0.0.1",
            "read:corpus",
            "scratch:work-1",
            "env:HOME",
            "secret",
            "secret:WRITER_KEY",
            "secret:/run/keys/the writer's",
        ] {
            assert_eq!(permission(text).to_string(), text);
        }
        assert_eq!(permission("http:API.Example.org").to_string(), "http:api.example.org");
    }

    #[test]
    fn what_is_not_a_permission_is_reported() {
        for text in [
            "",
            "clocks",
            "model:x",
            "model:",
            "model:local",
            "model:complete",
            "http:",
            "http:a b",
            "http:host:99999",
            "http:x/y",
            "http:*",
            "http:*.",
            "read",
            "read:../up",
            "read:a/b",
            "scratch:",
            "env:",
            "env:A=B",
            "http:user@host",
            "secret:",
            "secret:A B",
            "secret:{A}",
            "http:a..b",
        ] {
            let parsed = text.parse::<Permission>();
            match text {
                "http:*" => assert_eq!(parsed, Ok(Permission::Http(Server::Any))),
                _ => assert!(parsed.expect_err(text).to_string().contains(&format!("`{text}`"))),
            }
        }
    }

    #[test]
    fn a_server_covers_what_is_on_it_and_nothing_beside_it() {
        let covers = |mine: &str, theirs: &str| permission(mine).covers(&permission(theirs));
        assert!(covers("http", "http:a.org") && covers("http", "http:*.a.org"));
        assert!(!covers("http:a.org", "http"));
        assert!(covers("model:capture", "model") && covers("model:capture", "model:capture"));
        assert!(covers("secret", "secret:A") && !covers("secret:A", "secret") && !covers("secret:A", "secret:B"));
        assert!(covers("http:*.a.org", "http:b.a.org") && covers("http:*.a.org", "http:c.b.a.org"));
        assert!(covers("http:*.a.org", "http:*.b.a.org") && covers("http:*.a.org", "http:*.a.org"));
        for (mine, theirs) in [
            ("http:*.a.org", "http:a.org"),
            ("http:*.a.org", "http:ba.org"),
            ("http:*.a.org", "http:a.org.evil.org"),
            ("http:a.org", "http:b.a.org"),
            ("http:a.org", "http:a.org:8080"),
            ("http:a.org:8080", "http:a.org"),
            ("read:a", "read:b"),
            ("clock", "random"),
            ("model", "model:capture"),
            ("model:edits", "model:capture"),
        ] {
            assert!(!covers(mine, theirs), "{mine} covers {theirs}");
        }
    }
}
