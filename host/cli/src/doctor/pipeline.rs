//! Checks of a pipeline: whether it has faults, and whether its cache files and the servers that it needs are usable.

use std::{
    env,
    net::{TcpStream, ToSocketAddrs as _},
    path::Path,
    time::{Duration, Instant},
};

use jackfield::{
    LoadOptions,
    internal::{Compiled, compile},
};
use jackfield_loader::{Registry, is_variable_name};
use jackfield_pipeline::{ExtensionRef, Plan};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde_json::Value;

use super::{
    disk,
    finding::{Finding, State},
};
use crate::table::{counted, ms};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// What is found out about a pipeline, and what its caches take on disk.
pub(super) fn check_pipeline(path: &Path) -> (Vec<Finding>, Vec<Finding>) {
    let faults = |count: usize| {
        Finding::new("file", State::Broken, format!("`{}` has {}", path.display(), counted(count as u64, "fault")))
            .hint(format!("jackfield check {}", path.display()))
    };
    match compile(path, &LoadOptions::new()) {
        Err(found) => (vec![faults(found.list().len())], Vec::new()),
        Ok(Compiled { plan, registry, .. }) => {
            let checked = format!("`{}` is fine: {}", plan.name, counted(plan.stages.len() as u64, "stage"));
            let mut findings = vec![Finding::ok("file", checked)];
            let stages = plan
                .stages
                .iter()
                .chain(&plan.exports)
                .map(|stage| (format!("stage {}", stage.name), &stage.extension));
            let models_of_plan = plan.models.iter().map(|model| (format!("model {}", model.name), &model.extension));
            let tiers = plan.caches.iter().flat_map(|cache| {
                cache.tiers.iter().map(move |tier| (format!("cache {}", cache.name), &tier.extension))
            });
            let users = stages.chain(models_of_plan).chain(tiers);
            findings.extend(users.filter_map(|(user, extension)| missing_permissions(user, extension, &registry)));
            findings.extend(models(&plan, &registry));
            findings.extend(caches(&plan, &registry));
            (findings, disk::caches(&plan, &registry))
        }
    }
}

/// The permissions that the plugin of a stage, a model or a tier asks for and that are not granted.
fn missing_permissions(user: String, extension: &ExtensionRef, registry: &Registry) -> Option<Finding> {
    let entry = extension.entry(registry)?;
    let missing: Vec<String> =
        entry.grants.missing().into_iter().map(|(permission, _)| format!("`{permission}`")).collect();
    let detail = format!("asks for {} and does not have it", missing.join(", "));
    (!missing.is_empty()).then(|| Finding::new(user, State::Warning, detail))
}

/// A value of a configuration, or its default.
pub(crate) fn setting(extension: &ExtensionRef, config: &Value, key: &str, registry: &Registry) -> Option<String> {
    let default =
        || extension.entry(registry)?.descriptor.config["properties"][key]["default"].as_str().map(str::to_owned);
    config[key].as_str().map(str::to_owned).or_else(default)
}

fn models(plan: &Plan, registry: &Registry) -> Vec<Finding> {
    let mut findings = Vec::new();
    for model in &plan.models {
        let name = format!("model {}", model.name);
        let get = |key: &str| setting(&model.extension, &model.config, key, registry);
        let key = get("api_key_env").filter(|key| env::var_os(key).is_none_or(|value| value.is_empty()));
        if let Some(key) = key {
            findings.push(if is_variable_name(&key) {
                let finding = Finding::new(&name, State::Broken, format!("the variable `{key}` is not set"));
                finding.hint(format!("export {key}=..."))
            } else {
                Finding::new(&name, State::Broken, "what `api_key_env` says is not the name of a variable")
                    .hint("put the key into a variable, and the name of the variable into the pipeline")
            });
        }
        let Some(url) = get("base_url") else {
            findings.push(Finding::ok(name, format!("`{}` needs no server", model.extension.name)));
            continue;
        };
        findings.push(match server(&url) {
            Some(address) => reach(name, &address, State::Broken),
            None => Finding::new(name, State::Broken, "its `base_url` is not the address of a server"),
        });
    }
    findings
}

/// What is wrong with the file of a cache, if it exists. Nothing is created or changed.
fn cache_file(name: &str, path: &Path) -> Option<Finding> {
    let shown = path.display();
    let open = || -> rusqlite::Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = Connection::open_with_flags(path, flags)?;
        file.busy_timeout(CONNECT_TIMEOUT)?;
        file.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)).and_then(|verdict| match &*verdict {
            "ok" => Ok(()),
            _ => Err(rusqlite::Error::InvalidColumnName(verdict)),
        })
    };
    let metadata = path.metadata().ok()?;
    if !metadata.is_file() {
        // Opening a FIFO would wait for a writer.
        let what = format!("`{shown}` is not a regular file: a run goes on without it");
        return Some(Finding::new(name, State::Warning, what).hint("name another `path`, or remove it".to_owned()));
    }
    let error = open().err()?;
    let (what, hint) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            (format!("`{shown}` is not a SQLite file: a run goes on without it"), "name another `path`, or delete it")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => return None,
        _ => (format!("`{shown}` is damaged"), "delete it; a new one will be made"),
    };
    Some(Finding::new(name, State::Warning, what).hint(hint.to_owned()))
}

fn caches(plan: &Plan, registry: &Registry) -> Vec<Finding> {
    let mut findings = Vec::new();
    for cache in &plan.caches {
        for tier in cache.tiers.iter().filter(|tier| tier.extension.name == "sqlite") {
            let path = setting(&tier.extension, &tier.config, "path", registry);
            let name = format!("cache {}", cache.name);
            findings.extend(path.and_then(|path| cache_file(&name, Path::new(&path))));
        }
        for tier in cache.tiers.iter().filter(|tier| tier.extension.name == "redis") {
            let name = format!("cache {}", cache.name);
            let listed = tier.config["urls"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let mut urls: Vec<String> = listed.map(str::to_owned).collect();
            if urls.is_empty() {
                urls.extend(setting(&tier.extension, &tier.config, "url", registry));
            }
            for url in urls {
                if let Some(path) = url.strip_prefix("unix://") {
                    let state = if Path::new(path).exists() { State::Ok } else { State::Warning };
                    findings.push(Finding::new(&name, state, format!("socket `{path}`")));
                    continue;
                }
                // Some nodes of a cluster are enough, so each has a finding of its own, and none is worse than a warning.
                for address in nodes(&url) {
                    let finding = reach(name.clone(), &address, State::Warning);
                    findings.push(finding);
                }
            }
        }
    }
    findings
}

/// The host and port of an address. Its other parts may be secrets.
fn server(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let usual = match scheme {
        "https" => "443",
        "http" => "80",
        _ => "6379",
    };
    with_port(host, usual)
}

fn with_port(host: &str, usual: &str) -> Option<String> {
    let has_port = host.rsplit_once(':').is_some_and(|(before, port)| {
        !port.is_empty()
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && (!before.contains(':') || before.ends_with(']'))
    });
    match (host, has_port) {
        ("", _) => None,
        (host, true) => Some(host.to_owned()),
        (host, false) => Some(format!("{host}:{usual}")),
    }
}

/// The nodes that an address of Redis names.
fn nodes(url: &str) -> Vec<String> {
    let Some((_, rest)) = url.split_once("://") else { return Vec::new() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let hosts = authority.rsplit('@').next().unwrap_or_default();
    hosts.split(',').filter_map(|host| with_port(host.trim(), "6379")).collect()
}

/// Whether a server accepts connections.
fn reach(name: String, address: &str, otherwise: State) -> Finding {
    let began = Instant::now();
    let addresses = match address.to_socket_addrs() {
        Ok(addresses) => addresses,
        Err(error) => {
            return Finding::new(name, otherwise, format!("{address} is unknown: {error}"))
                .hint("look at the address, and at the network");
        }
    };
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(_) => {
                let took = ms(began.elapsed().as_secs_f64() * 1000.0);
                return Finding::ok(name, format!("{address} answers, in {took}"));
            }
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(|| "it has no address".to_owned(), |error| error.to_string());
    Finding::new(name, otherwise, format!("{address} does not answer: {why}"))
        .hint("start the server, or look at the address")
}

#[cfg(test)]
mod tests {
    use super::{nodes, server};

    #[test]
    fn an_address_is_reported_without_its_secrets() {
        let found = |url: &str| server(url).unwrap_or_default();
        assert_eq!(found("https://user:secret@api.example.org/v1?key=secret"), "api.example.org:443");
        assert_eq!(found("http://127.0.0.1:8080/v1"), "127.0.0.1:8080");
        assert_eq!(found("http://[::1]/v1"), "[::1]:80");
        assert_eq!(found("http://[::1]:9"), "[::1]:9");
        assert_eq!(found("nonsense"), "");
        assert_eq!(nodes("redis+cluster://me:secret@a:1,b,c:3/0"), ["a:1", "b:6379", "c:3"]);
    }
}
