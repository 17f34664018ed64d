//! Secrets and servers that a configuration names: they have to be granted, and the secrets there, before anything runs.

use std::sync::Arc;

use jackfield_loader::sandbox::{Grants, Permission, Server};
use jackfield_plugin_api::{Failure, Result, X_SECRET, X_SERVER};
use reqwest::Url;
use serde_json::Value;

use super::store::{KnownSecret, SecretStore};

/// Reads the secrets that a configuration names, by what its schema says of each property (`x-secret`, `x-server`).
///
/// # Errors
/// [`Failure::InvalidConfig`] for one that is not there, and for one, or a server, that is not granted.
pub(crate) fn read_configured(
    schema: &Value,
    config: &Value,
    grants: &Grants,
    store: &SecretStore,
) -> Result<Vec<Arc<KnownSecret>>> {
    let (mut names, mut servers) = (Vec::new(), Vec::new());
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        match (property[X_SECRET].as_str(), &config[key]) {
            (Some("name"), Value::String(name)) => names.push(name.as_str()),
            (Some("within"), value) => names_within(value, &mut names),
            (_, Value::String(address)) if property[X_SERVER] == true => servers.extend(server_of(address)),
            _ => {}
        }
    }
    for server in &servers {
        let Server::Named { host, port, .. } = server else { continue };
        if grants.server(host, *port).is_none() {
            return Err(Failure::InvalidConfig(grants.denial(&Permission::Http(server.clone()))));
        }
    }
    let read = names.into_iter().map(|name| {
        let denied = match servers.as_slice() {
            [] => grants.check_secret_anywhere(name),
            servers => servers.iter().try_for_each(|server| grants.check_secret(name, server)),
        };
        denied.map_err(Failure::InvalidConfig)?;
        store.read(name)
    });
    read.collect()
}

/// The server of an address; none if it is no address.
fn server_of(address: &str) -> Option<Server> {
    let url = Url::parse(address.trim()).ok()?;
    Some(Server::Named { host: url.host_str()?.to_owned(), below: false, port: url.port() })
}

/// The names that stand in the texts of a value.
fn names_within<'a>(value: &'a Value, names: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => names.extend(SecretStore::names_in(text)),
        Value::Array(values) => values.iter().for_each(|value| names_within(value, names)),
        Value::Object(entries) => entries.values().for_each(|value| names_within(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jackfield_loader::sandbox::Grant;
    use jackfield_plugin_api::{Descriptor, Kind, Permission, Stability};
    use serde_json::json;

    use super::*;

    fn descriptor(asked: &[&str]) -> Descriptor {
        let asked = asked.iter().map(|name| Permission { name: (*name).to_owned(), reason: "to ask".to_owned() });
        Descriptor {
            kind: Kind::Model,
            name: "x".to_owned(),
            version: "1.0.0".to_owned(),
            summary: String::new(),
            config: json!(true),
            input: json!(true),
            output: json!(true),
            permissions: asked.collect(),
            examples: Vec::new(),
            stability: Stability::Beta,
        }
    }

    #[test]
    fn what_a_configuration_names_has_to_be_there_and_granted() {
        let schema = json!({ "properties": {
            "key": { "x-secret": "name" }, "headers": { "x-secret": "within" }, "name": { "type": "string" },
        } });
        let (store, asks) = (SecretStore::default(), Grants::all("x", &descriptor(&["secret"])));
        let read =
            |config: Value, grants: &Grants| read_configured(&schema, &config, grants, &store).map(|all| all.len());
        assert_eq!(read(json!({ "name": "NO_SUCH", "key": null }), &asks), Ok(0));
        assert_eq!(read(json!({ "key": "PATH", "headers": { "x-team": "blue" } }), &asks), Ok(1));
        for config in [json!({ "key": "NO_SUCH" }), json!({ "headers": { "x-team": "a ${secret:NO_SUCH}" } })] {
            let failure = read(config, &asks).expect_err("not set");
            assert!(failure.message().contains("`NO_SUCH` is not set"), "{failure}");
        }
        let asks_none = Grants::all("x", &descriptor(&["http"]));
        let failure = read(json!({ "key": "PATH" }), &asks_none).expect_err("not asked for");
        assert!(failure.message().contains("does not ask for `secret:PATH`"), "{failure}");
    }

    #[test]
    fn the_server_has_to_be_granted_and_the_secrets_for_it() {
        let schema = json!({ "properties": { "url": { "x-server": true }, "key": { "x-secret": "name" } } });
        let config = json!({ "url": "https://api.example.org:8443/v1", "key": "PATH" });
        let asks = descriptor(&["http", "secret"]);
        let read = |grants: &[&str]| {
            let given: Vec<_> =
                grants.iter().map(|text| Grant::parse(text, Path::new("/")).expect("a grant")).collect();
            let grants = Grants::effective("x", &asks, &given);
            read_configured(&schema, &config, &grants, &SecretStore::default()).map(|all| all.len())
        };
        assert_eq!(read(&["http:api.example.org:8443", "secret:PATH"]), Ok(1));
        for (grants, line) in [
            ([].as_slice(), "x=http:api.example.org:8443"),
            (&["http:api.example.org:8443"], "x=secret:PATH"),
            (&["http:*", "secret:PATH"], "x=secret:PATH=api.example.org:8443"),
        ] {
            let denied = read(grants).expect_err("denied");
            assert!(denied.message().ends_with(&format!("`--grant {line}`")), "{denied}");
        }
    }
}
