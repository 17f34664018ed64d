//! The server of a conformance run that keeps values: a cache backend that keeps them on one can be held to the contract
//! without any server on this machine.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use jackfield_plugin_api::sync::lock;
use serde_json::{Value, json};

/// Takes commands of Redis as JSON lists (`["GET", "key"]`) and answers `{"result": …}` or `{"error": …}`, as servers do that
/// speak Redis over HTTP. Whatever the address.
#[derive(Default)]
pub(super) struct KeyValueServer(Mutex<BTreeMap<String, StoredValue>>);

struct StoredValue {
    value: String,
    until: Option<Instant>,
}

impl KeyValueServer {
    /// The answer to the body of a request; none to one that is not a command.
    pub(super) fn answer(&self, body: &[u8]) -> Option<Vec<u8>> {
        let command: Vec<String> = serde_json::from_slice(body).ok()?;
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let (name, arguments) = words.split_first()?;
        let answer = match self.result(&name.to_ascii_uppercase(), arguments) {
            Ok(result) => json!({ "result": result }),
            Err(why) => json!({ "error": format!("ERR {why}") }),
        };
        Some(answer.to_string().into_bytes())
    }

    fn result(&self, name: &str, arguments: &[&str]) -> Result<Value, String> {
        let now = Instant::now();
        let mut values = lock(&self.0);
        values.retain(|_, kept| kept.until.is_none_or(|until| until > now));
        let value = |key: &str| json!(values.get(key).map(|kept| &kept.value));
        Ok(match (name, arguments) {
            ("PING", []) => json!("PONG"),
            ("GET", [key]) => value(key),
            ("MGET", keys) => keys.iter().map(|key| value(key)).collect(),
            ("PTTL", [key]) => match values.get(*key).map(|kept| kept.until) {
                None => json!(-2),
                Some(None) => json!(-1),
                Some(Some(until)) => json!((until - now).as_millis() as u64),
            },
            ("KEYS", [pattern]) => values.keys().filter(|key| matches(pattern, key)).map(|key| json!(key)).collect(),
            ("SET", [key, value, options @ ..]) => {
                let until = until(options, now)?;
                values.insert((*key).to_owned(), StoredValue { value: (*value).to_owned(), until });
                json!("OK")
            }
            ("DEL" | "UNLINK", keys) => json!(keys.iter().filter(|key| values.remove(**key).is_some()).count()),
            _ => return Err(format!("unknown command or wrong number of arguments: {name}")),
        })
    }
}

/// When a value ends that is put with these options.
fn until(options: &[&str], now: Instant) -> Result<Option<Instant>, String> {
    let [unit, number] = options else {
        return if options.is_empty() { Ok(None) } else { Err("syntax error".to_owned()) };
    };
    let number = number.parse::<u64>().ok().filter(|number| *number > 0).ok_or("invalid expire time")?;
    match &*unit.to_ascii_uppercase() {
        "PX" => Ok(now.checked_add(Duration::from_millis(number))),
        "EX" => Ok(now.checked_add(Duration::from_secs(number))),
        _ => Err("syntax error".to_owned()),
    }
}

/// Whether a pattern of `*`, `?` and characters after a backslash means this key.
fn matches(pattern: &str, key: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => key.is_empty(),
        Some('*') => {
            let ends = key.char_indices().map(|(at, _)| at).chain([key.len()]);
            ends.into_iter().any(|at| matches(rest.as_str(), &key[at..]))
        }
        Some(first) => {
            let mut characters = key.chars();
            let wanted = if first == '\\' { rest.next() } else { Some(first) };
            let found = characters.next();
            found.is_some() && (first == '?' || found == wanted) && matches(rest.as_str(), characters.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(store: &KeyValueServer, command: &[&str]) -> Value {
        serde_json::from_slice(&store.answer(json!(command).to_string().as_bytes()).expect("a command")).expect("JSON")
    }

    #[test]
    fn commands_are_answered_as_redis_answers_them() {
        let store = KeyValueServer::default();
        assert_eq!(ask(&store, &["SET", "a*1", "one"]), json!({ "result": "OK" }));
        assert_eq!(ask(&store, &["set", "ab", "two", "PX", "60000"]), json!({ "result": "OK" }));
        assert_eq!(ask(&store, &["GET", "a*1"]), json!({ "result": "one" }));
        assert_eq!(ask(&store, &["MGET", "ab", "b"]), json!({ "result": ["two", null] }));
        assert_eq!(ask(&store, &["KEYS", "a*"]), json!({ "result": ["a*1", "ab"] }));
        assert_eq!(ask(&store, &["KEYS", "a\\**"]), json!({ "result": ["a*1"] }));
        assert_eq!(ask(&store, &["KEYS", "a?"]), json!({ "result": ["ab"] }));
        assert_eq!(ask(&store, &["PTTL", "a*1"]), json!({ "result": -1 }));
        assert!(ask(&store, &["PTTL", "ab"])["result"].as_u64().is_some_and(|left| left <= 60_000));
        assert_eq!(ask(&store, &["DEL", "ab", "b"]), json!({ "result": 1 }));
        assert_eq!(ask(&store, &["PTTL", "ab"]), json!({ "result": -2 }));
        for wrong in [&["SET", "a", "b", "PX", "0"][..], &["SET", "a", "b", "NX"], &["FLUSHALL"]] {
            assert!(ask(&store, wrong)["error"].is_string(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_not_a_command_is_not_answered() {
        for body in ["", "{}", "[]", "[1]", "GET a"] {
            assert_eq!(KeyValueServer::default().answer(body.as_bytes()), None, "{body}");
        }
    }
}
