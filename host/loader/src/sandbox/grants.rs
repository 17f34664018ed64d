//! Grants: a plugin may do what it asks for and was granted.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::Descriptor;
use serde::{Deserialize, Serialize};

use super::permission::{Permission, PermissionError, SecretName, Server};

/// A permission that is granted, with its folder, its reach or its server: `read:NAME=FOLDER`, `scratch:NAME=FOLDER`,
/// `http:HOST=private`, `secret:NAME=HOST`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// The permission.
    pub permission: Permission,
    /// The folder of `read` and `scratch`, absolute. A scratch folder without one is made for each call and removed after it;
    /// that of a cache backend is there for as long as the backend is open.
    pub folder: Option<PathBuf>,
    /// Whether the server may be on this machine or its network although its name does not say so.
    pub private: bool,
    /// The one server that a secret may be sent to, such as `api.example.org` or `localhost:8080`. Without it, the secret may be
    /// sent to the server that the plugin is granted, if that is a single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

/// Why a text grants nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The text before `=` is not a permission.
    #[error(transparent)]
    Permission(#[from] PermissionError),
    /// A folder to read from has to be named.
    #[error("`{0}` does not say which folder: write `{0}=FOLDER`")]
    NoFolder(String),
    /// Something follows `=` after a permission that takes no value.
    #[error("`{0}` takes nothing after `=`")]
    Value(String),
    /// Only one word may follow a server.
    #[error("`{0}` is followed by `{1}`: the only word after a server is `private`")]
    NotPrivate(String, String),
    /// A server has to be named.
    #[error("`http` alone would grant every server: name one, as in `http:api.example.org`, or write `http:*`")]
    EveryServer,
    /// A secret has to be named.
    #[error("`secret` alone would grant every secret: name one, as in `secret:WRITER_KEY`")]
    EverySecret,
    /// What follows a secret is not a server. It is not shown: it may be the secret itself.
    #[error("`{0}` is followed by something that is not a server, such as `api.example.org` or `localhost:8080`")]
    NotServer(String),
}

impl Grant {
    /// Reads a grant; a folder is relative to `base`.
    ///
    /// # Errors
    /// If the text is not a grant.
    pub fn parse(text: &str, base: &Path) -> Result<Self, GrantError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        match name {
            "http" => return Err(GrantError::EveryServer),
            "secret" => return Err(GrantError::EverySecret),
            _ => {}
        }
        let mut permission: Permission = name.parse()?;
        if let Permission::Secret(SecretName::Named(file)) = &mut permission
            && file.contains('/')
        {
            *file = plain_path(&base.join(&*file));
        }
        // A grant that names an address, or this machine, is meant to reach it.
        let (mut folder, mut private, mut server) = (None, names_an_address(&permission), None);
        match (&permission, value) {
            (Permission::Read(_), None | Some("")) => return Err(GrantError::NoFolder(name.to_owned())),
            (Permission::Read(_) | Permission::Scratch(_), Some(value)) if !value.is_empty() => {
                folder = Some(base.join(value));
            }
            (Permission::Http(_), Some("private")) => private = true,
            (Permission::Http(_), Some(value)) => {
                return Err(GrantError::NotPrivate(name.to_owned(), value.to_owned()));
            }
            (Permission::Secret(_), Some(value)) => match secret_server(value) {
                Some(named) => server = Some(named),
                None => return Err(GrantError::NotServer(name.to_owned())),
            },
            (_, Some(_)) => return Err(GrantError::Value(name.to_owned())),
            (_, None) => {}
        }
        Ok(Self { permission, folder, private, server })
    }
}

impl Grant {
    /// The same grant, with the path of its folder, or of the file of its secret, relative to `base` if it lies below that.
    #[must_use]
    pub fn relative_to(&self, base: &Path) -> Self {
        let relative = |folder: &PathBuf| folder.strip_prefix(base).map_or_else(|_| folder.clone(), Path::to_owned);
        let permission = match &self.permission {
            Permission::Secret(SecretName::Named(file)) if file.contains('/') => {
                let below = Path::new(file).strip_prefix(base).ok().map(|below| format!("./{}", below.display()));
                Permission::Secret(SecretName::Named(below.unwrap_or_else(|| file.clone())))
            }
            other => other.clone(),
        };
        Self { permission, folder: self.folder.as_ref().map(relative), ..self.clone() }
    }
}

/// The path without steps that lead nowhere, so that two spellings of one are equal.
fn plain_path(path: &Path) -> String {
    path.components().collect::<PathBuf>().to_string_lossy().into_owned()
}

/// The permission for a secret: that in a variable, or in the file at an absolute path.
fn permission_for_secret(name: &str) -> Permission {
    let name = if name.contains('/') { plain_path(Path::new(name)) } else { name.to_owned() };
    Permission::Secret(SecretName::Named(name))
}

/// The server after the name of a secret. A word that is no address at first sight is none: it may be the secret itself.
fn secret_server(text: &str) -> Option<String> {
    let server: Server = text.parse().ok()?;
    let Server::Named { host, below: false, port } = &server else { return None };
    (host == "localhost" || host.contains(['.', ':']) || port.is_some()).then(|| server.to_string())
}

fn names_an_address(permission: &Permission) -> bool {
    let Permission::Http(Server::Named { host, below: false, .. }) = permission else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok()
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.permission, &self.folder) {
            // `http` alone would not be read as a grant.
            (Permission::Http(Server::Any), _) => f.write_str("http:*")?,
            (permission, _) => write!(f, "{permission}")?,
        }
        match &self.folder {
            Some(folder) => write!(f, "={}", folder.display()),
            None if self.server.is_some() => write!(f, "={}", self.server.as_deref().unwrap_or_default()),
            None if self.private && !names_an_address(&self.permission) => f.write_str("=private"),
            None => Ok(()),
        }
    }
}

/// What an extension may do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grants {
    /// Alias of the plugin, for messages.
    alias: String,
    /// Whether the extension runs in the sandbox.
    sandboxed: bool,
    asked: Vec<(Permission, String)>,
    granted: Vec<Grant>,
}

impl Grants {
    /// Whether the extension asks to talk to any server.
    #[must_use]
    pub fn asks_for_servers(&self) -> bool {
        self.asked.iter().any(|(permission, _)| matches!(permission, Permission::Http(_)))
    }

    /// All that an extension asks for, which it gets if it does not run in the sandbox.
    #[must_use]
    pub fn all(alias: &str, descriptor: &Descriptor) -> Self {
        let asked = asked_permissions(descriptor);
        let granted = asked
            .iter()
            .map(|(permission, _)| Grant { permission: permission.clone(), folder: None, private: true, server: None })
            .collect();
        Self { alias: alias.to_owned(), sandboxed: false, asked, granted }
    }

    /// The grants of a sandboxed extension: what it asks for and was granted.
    #[must_use]
    pub fn effective(alias: &str, descriptor: &Descriptor, granted: &[Grant]) -> Self {
        let asked = asked_permissions(descriptor);
        // If `http:*` is granted and one server is asked for, that one server is granted.
        let granted = granted.iter().flat_map(|grant| {
            let covered = |permission: &Permission| permission.covers(&grant.permission);
            if asked.iter().any(|(permission, _)| covered(permission)) {
                return vec![grant.clone()];
            }
            let narrower = asked.iter().filter(|(permission, _)| grant.permission.covers(permission));
            narrower.map(|(permission, _)| Grant { permission: permission.clone(), ..grant.clone() }).collect()
        });
        let granted = granted.collect();
        Self { alias: alias.to_owned(), sandboxed: true, asked, granted }
    }

    /// Whether something is allowed. A stage that is given a model or a cache grants it thereby. An ability of a model beyond its
    /// answers has to be asked for also outside the sandbox, because only then it was checked whether the model offers it.
    #[must_use]
    pub fn allows(&self, permission: &Permission) -> bool {
        match permission {
            Permission::Model | Permission::Cache => !self.sandboxed || self.asks(permission),
            Permission::ModelAbility(_) => self.asks(permission),
            _ => self.granted.iter().any(|grant| grant.permission.covers(permission)),
        }
    }

    /// The grants, as far as the extension asks for them.
    #[must_use]
    pub fn granted(&self) -> &[Grant] {
        &self.granted
    }

    /// Whether the extension asks for a permission.
    #[must_use]
    pub fn asks(&self, permission: &Permission) -> bool {
        self.asked.iter().any(|(asked, _)| asked.covers(permission))
    }

    /// Where a server may be to which the extension may talk; none if it may not talk to it.
    #[must_use]
    pub fn server(&self, host: &str, port: Option<u16>) -> Option<Reach> {
        let names_server =
            |grant: &&Grant| matches!(&grant.permission, Permission::Http(server) if server.includes(host, port));
        let private = self.granted.iter().filter(names_server).map(|grant| grant.private).reduce(|a, b| a || b)?;
        Some(if private { Reach::Anywhere } else { Reach::Public })
    }

    /// Whether the host may send a secret to a server on behalf of the extension. `name` is that of a variable, or the path of
    /// a file; `server` is a host in lower case, with its port if that is not the usual one.
    ///
    /// # Errors
    /// The message to the plugin, with the line that would grant it.
    pub fn check_secret(&self, name: &str, server: &Server) -> Result<(), String> {
        let asked = permission_for_secret(name);
        if !self.sandboxed && self.asks(&asked) {
            return Ok(());
        }
        let server = server.to_string();
        let mut is_granted = false;
        for grant in self.granted.iter().filter(|grant| grant.permission.covers(&asked)) {
            is_granted = true;
            let is_meant = match &grant.server {
                Some(named) => *named == server,
                None => self.only_server().is_some_and(|only| only.to_string() == server),
            };
            if is_meant {
                return Ok(());
            }
        }
        if is_granted || self.asks(&asked) && self.only_server().is_none() {
            return Err(self.denied(&asked, &format!("={server}"), &format!(" for {server}")));
        }
        Err(self.denial(&asked))
    }

    /// Whether some grant gives a secret to the extension, for whatever server.
    ///
    /// # Errors
    /// The message to the plugin, with the line that would grant it.
    pub fn check_secret_anywhere(&self, name: &str) -> Result<(), String> {
        let asked = permission_for_secret(name);
        if self.allows(&asked) { Ok(()) } else { Err(self.denial(&asked)) }
    }

    /// The server that is granted, if there is one alone and no grant is for several.
    fn only_server(&self) -> Option<&Server> {
        let mut servers = self.granted.iter().filter_map(|grant| match &grant.permission {
            Permission::Http(server) => Some(server),
            _ => None,
        });
        let first = servers.next().filter(|server| matches!(server, Server::Named { below: false, .. }))?;
        servers.next().is_none().then_some(first)
    }

    /// The folders that were granted.
    pub fn folders(&self) -> impl Iterator<Item = GrantedFolder<'_>> {
        self.granted.iter().filter_map(|grant| {
            let path = grant.folder.as_deref();
            match &grant.permission {
                Permission::Read(name) => Some(GrantedFolder { name, path, is_writable: false }),
                Permission::Scratch(name) => Some(GrantedFolder { name, path, is_writable: true }),
                _ => None,
            }
        })
    }

    /// The variables of the environment.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.granted.iter().filter_map(|grant| match &grant.permission {
            Permission::Env(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The permissions that the extension asks for and was not granted, with its reasons, but for a model and a cache, which a
    /// stage gives, and for secrets, which it may do without.
    #[must_use]
    pub fn missing(&self) -> Vec<(&Permission, &str)> {
        let is_given = |asked: &Permission| {
            matches!(asked, Permission::Model | Permission::ModelAbility(_) | Permission::Cache)
                || matches!(asked, Permission::Secret(SecretName::Any))
                || self.granted.iter().any(|grant| asked.covers(&grant.permission))
        };
        let missing = self.asked.iter().filter(|(asked, _)| !is_given(asked));
        missing.map(|(asked, reason)| (asked, reason.as_str())).collect()
    }

    /// The message to a plugin that does what it may not do. It has the line that would grant it, if the plugin asks for it.
    #[must_use]
    pub fn denial(&self, permission: &Permission) -> String {
        let value = if matches!(permission, Permission::Read(_)) { "=FOLDER" } else { "" };
        self.denied(permission, value, "")
    }

    /// The message about a permission that is granted with this value, and is not granted to this purpose.
    fn denied(&self, permission: &Permission, value: &str, purpose: &str) -> String {
        let alias = &self.alias;
        if !self.asks(permission) {
            return format!(
                "plugin `{alias}` does not ask for `{permission}` in its descriptor, so it cannot be granted"
            );
        }
        format!(
            "`{permission}` is not granted to plugin `{alias}`{purpose}: add `grant = [\"{permission}{value}\"]` to \
             `[plugins.{alias}]`, or run with `--grant {alias}={permission}{value}`"
        )
    }
}

/// A folder that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantedFolder<'a> {
    /// The name in the permission.
    pub name: &'a str,
    /// The path; none for a scratch folder that the host makes.
    pub path: Option<&'a Path>,
    /// Whether it may be written to.
    pub is_writable: bool,
}

/// Where a server may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On the public internet.
    Public,
    /// Anywhere, this machine and its network included.
    Anywhere,
}

/// The permissions that an extension asks for, with the reasons, but for those that this host does not know.
fn asked_permissions(descriptor: &Descriptor) -> Vec<(Permission, String)> {
    let asked = descriptor
        .permissions
        .iter()
        .filter_map(|permission| Some((permission.name.parse().ok()?, permission.reason.clone())));
    asked.collect::<BTreeMap<_, _>>().into_iter().collect()
}

/// The grants that none of the extensions asks for.
#[must_use]
pub fn unasked<'a>(grants: &'a [Grant], descriptors: &[&Descriptor]) -> Vec<&'a Grant> {
    let asked: Vec<Permission> = descriptors
        .iter()
        .flat_map(|descriptor| asked_permissions(descriptor))
        .map(|(permission, _)| permission)
        .collect();
    let overlap = |grant: &Grant, asked: &Permission| asked.covers(&grant.permission) || grant.permission.covers(asked);
    grants.iter().filter(|grant| !asked.iter().any(|asked| overlap(grant, asked))).collect()
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{Ability, Kind, Permission as Asked, Stability};
    use serde_json::json;

    use super::*;

    fn descriptor(permissions: &[&str]) -> Descriptor {
        let asked = |name: &&str| Asked { name: (*name).to_owned(), reason: format!("for {name}") };
        Descriptor {
            kind: Kind::Analyzer,
            name: "x".to_owned(),
            version: "1.0.0".to_owned(),
            summary: String::new(),
            config: json!(true),
            input: json!(true),
            output: json!(true),
            permissions: permissions.iter().map(asked).collect(),
            examples: Vec::new(),
            stability: Stability::Beta,
        }
    }

    fn grants(texts: &[&str]) -> Vec<Grant> {
        texts.iter().map(|text| Grant::parse(text, Path::new("/base")).expect(text)).collect()
    }

    #[test]
    fn only_what_is_both_asked_for_and_granted_is_allowed() {
        let asks = descriptor(&["clock", "http:*.example.org", "env:HOME", "read:corpus"]);
        let given = grants(&["clock", "random", "http:api.example.org", "http:other.org", "read:corpus=data"]);
        let grants = Grants::effective("x", &asks, &given);
        let allows = |text: &str| grants.allows(&text.parse().expect(text));
        assert!(allows("clock") && allows("read:corpus") && allows("http:api.example.org"));
        for text in ["random", "env:HOME", "http:other.org", "http:www.example.org", "http", "model", "scratch:corpus"]
        {
            assert!(!allows(text), "{text}");
        }
        assert_eq!(grants.server("api.example.org", None), Some(Reach::Public));
        assert_eq!(grants.server("api.example.org", Some(22)), None);
        let corpus = GrantedFolder { name: "corpus", path: Some(Path::new("/base/data")), is_writable: false };
        assert_eq!(grants.folders().collect::<Vec<_>>(), [corpus]);
        let missing: Vec<String> = grants.missing().iter().map(|(permission, _)| permission.to_string()).collect();
        assert_eq!(missing, ["env:HOME"]);
    }

    #[test]
    fn a_wide_grant_gives_no_more_than_is_asked_for() {
        let asks = descriptor(&["http:api.example.org"]);
        let grants = Grants::effective("x", &asks, &grants(&["http:*=private"]));
        assert_eq!(grants.server("api.example.org", None), Some(Reach::Anywhere));
        assert_eq!(grants.server("evil.org", None), None);
    }

    #[test]
    fn a_model_and_a_cache_are_for_those_that_ask() {
        let grants = Grants::effective("x", &descriptor(&["model"]), &[]);
        assert!(grants.allows(&Permission::Model) && !grants.allows(&Permission::Cache));
        assert!(grants.missing().is_empty(), "the stage gives it");
        assert!(Grants::all("bundled", &descriptor(&[])).allows(&Permission::Cache));
    }

    #[test]
    fn more_of_a_model_than_its_answers_is_for_those_that_ask_in_every_form() {
        let [capture, edits] = [Ability::Capture, Ability::Edits].map(Permission::ModelAbility);
        let asks = descriptor(&["model:capture"]);
        for grants in [Grants::effective("x", &asks, &[]), Grants::all("x", &asks)] {
            assert!(grants.allows(&capture) && grants.allows(&Permission::Model) && !grants.allows(&edits));
            assert!(grants.missing().is_empty(), "the stage gives it");
            assert!(grants.denial(&edits).contains("does not ask for `model:edits`"));
        }
        let given = Grants::effective("x", &descriptor(&["model"]), &grants(&["model:capture"]));
        assert!(!given.allows(&capture), "a grant gives no more than is asked for");
    }

    #[test]
    fn a_denial_says_how_to_grant() {
        let grants = Grants::effective("x", &descriptor(&["http"]), &[]);
        let denied = grants.denial(&"http:api.example.org".parse().expect("a permission"));
        assert!(
            denied.contains("grant = [\"http:api.example.org\"]") && denied.contains("--grant x=http:api"),
            "{denied}"
        );
        assert!(grants.denial(&Permission::Clock).contains("does not ask"));
    }

    #[test]
    fn a_secret_goes_to_the_server_that_it_was_granted_for_and_to_no_other() {
        let asks = descriptor(&["http", "secret"]);
        let check = |given: &[&str], server: &str| {
            Grants::effective("x", &asks, &grants(given)).check_secret("KEY", &server.parse().expect(server))
        };
        for (given, server) in [
            (["http:a.org", "secret:KEY"].as_slice(), "a.org"),
            (&["http:a.org", "http:b.org", "secret:KEY=b.org"], "b.org"),
            (&["http:*", "secret:KEY=b.org"], "b.org"),
            (&["http:localhost:8080", "secret:KEY"], "localhost:8080"),
        ] {
            assert_eq!(check(given, server), Ok(()), "{given:?}");
        }
        for (given, server, line) in [
            (["http:a.org", "secret:OTHER"].as_slice(), "a.org", "\"secret:KEY\""),
            (&["http:a.org", "secret:KEY"], "a.org:8080", "\"secret:KEY=a.org:8080\""),
            (&["http:a.org", "http:b.org", "secret:KEY"], "b.org", "\"secret:KEY=b.org\""),
            (&["http:*", "secret:KEY"], "b.org", "\"secret:KEY=b.org\""),
            (&["http:*.b.org", "secret:KEY"], "a.b.org", "\"secret:KEY=a.b.org\""),
            (&["http:a.org", "http:b.org", "secret:KEY=b.org"], "a.org", "\"secret:KEY=a.org\""),
        ] {
            let denied = check(given, server).expect_err(server);
            assert!(denied.contains(line), "{denied}");
        }
        let unasked = Grants::effective("x", &descriptor(&["http"]), &grants(&["http:a.org", "secret:KEY"]));
        let denied = unasked.check_secret("KEY", &"a.org".parse().expect("a server")).expect_err("not asked for");
        assert!(denied.contains("does not ask for `secret:KEY`"), "{denied}");
        let linked = Grants::all("x", &asks);
        assert_eq!(linked.check_secret("KEY", &"a.org".parse().expect("a server")), Ok(()));
        assert!(Grants::effective("x", &asks, &grants(&["http:a.org"])).missing().is_empty(), "it may need none");
    }

    #[test]
    fn the_file_of_a_secret_is_relative_to_the_pipeline() {
        let grant = &grants(&["secret:keys/writer=a.org"])[0];
        assert_eq!(grant.to_string(), "secret:/base/keys/writer=a.org");
        let relative = grant.relative_to(Path::new("/base"));
        assert_eq!(relative.to_string(), "secret:./keys/writer=a.org");
        assert_eq!(&Grant::parse(&relative.to_string(), Path::new("/base")).expect("a grant"), grant);
        let failure = Grant::parse("secret:KEY=hunter-2", Path::new("/")).expect_err("a value").to_string();
        assert!(!failure.contains("hunter"), "{failure}");
    }

    #[test]
    fn grants_are_written_as_they_are_read() {
        for text in [
            "secret:A_KEY",
            "secret:A_KEY=a.org",
            "clock",
            "http:a.org=private",
            "http:*",
            "read:corpus=/data/corpus",
            "scratch:work",
            "scratch:w=/tmp/w",
        ] {
            assert_eq!(Grant::parse(text, Path::new("/base")).expect(text).to_string(), text);
        }
        for text in [
            "http",
            "secret",
            "secret:A=*",
            "secret:A=",
            "read:corpus",
            "read:corpus=",
            "clock=now",
            "http:a.org=public",
            "nonsense",
            "env:A=1",
        ] {
            Grant::parse(text, Path::new("/base")).expect_err(text);
        }
        assert_eq!(unasked(&grants(&["clock", "random"]), &[&descriptor(&["clock"])]), [&grants(&["random"])[0]]);
    }
}
