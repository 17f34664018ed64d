//! The cache backend `{{name}}`: keeps values on a server that takes the commands of Redis over HTTP.

use std::time::Duration;

use jackfield_plugin_api::{from_hex, prelude::*, to_hex};

/// Keeps values on a server that takes the commands of Redis over HTTP.
///
/// A command is a JSON list, as in `["GET", "key"]`, and its answer `{"result": "value"}`, as Upstash has it. Each key has the
/// namespace before it, and each value is written in hexadecimal digits. The server forgets a value when its time is over.
#[derive(Config)]
pub struct Shelf {
    /// Where the server listens.
    #[config(default = "http://127.0.0.1:8079".to_owned())]
    pub url: String,
    /// What each key on the server begins with, so that several can share it.
    #[config(default = "{{name}}:".to_owned())]
    pub namespace: String,
}

impl CacheBackend for Shelf {
    const NAME: &'static str = "{{name}}";

    fn open(self) -> Result<Self> {
        if !self.url.starts_with("http://") && !self.url.starts_with("https://") {
            let why = format!("`url`: {} does not begin with `http://` or `https://`", self.url);
            return Err(Failure::InvalidConfig(why));
        }
        Ok(self)
    }

    async fn get(&self, key: &str, host: &Host<'_>) -> Result<Option<CacheValue>> {
        self.value(&self.ask(host, &["GET", &self.name(key)]).await?)
    }

    async fn put(&self, key: &str, value: CacheValue, ttl: Option<Duration>, host: &Host<'_>) -> Result<()> {
        let (name, digits) = (self.name(key), to_hex(&value));
        match ttl.map(|ttl| ttl.as_millis()) {
            None => self.ask(host, &["SET", &name, &digits]).await?,
            Some(0) => self.ask(host, &["DEL", &name]).await?,
            Some(left) => self.ask(host, &["SET", &name, &digits, "PX", &left.to_string()]).await?,
        };
        Ok(())
    }

    async fn remove(&self, key: &str, host: &Host<'_>) -> Result<()> {
        self.ask(host, &["DEL", &self.name(key)]).await?;
        Ok(())
    }

    async fn clear(&self, prefix: &str, host: &Host<'_>) -> Result<u64> {
        let keys = self.keys(prefix, host).await?;
        if keys.is_empty() {
            return Ok(0);
        }
        let removed = self.ask_of_all(host, "DEL", &keys).await?;
        Ok(removed.as_u64().unwrap_or_default())
    }

    async fn size(&self, prefix: &str, host: &Host<'_>) -> Result<CacheSize> {
        let held = self.held(self.keys(prefix, host).await?, host).await?;
        let bytes = held.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
        Ok(CacheSize { entries: held.len() as u64, bytes })
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize, host: &Host<'_>) -> Result<Vec<CacheEntry>> {
        let mut keys = self.keys(prefix, host).await?;
        keys.retain(|key| after.is_none_or(|after| key.as_str() > after));
        keys.truncate(limit);
        let mut entries = Vec::with_capacity(keys.len());
        for (key, value) in self.held(keys, host).await? {
            let left = self.ask(host, &["PTTL", &self.name(&key)]).await?;
            entries.push(CacheEntry { key, value, ttl: left.as_u64().map(Duration::from_millis) });
        }
        Ok(entries)
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn permissions() -> Vec<Permission> {
        vec![Permission { name: "http:*".to_owned(), reason: "to reach the server that `url` names".to_owned() }]
    }
}

impl Shelf {
    /// A key as the server knows it.
    fn name(&self, key: &str) -> String {
        format!("{}{key}", self.namespace)
    }

    /// The keys that begin so, without the namespace, in order of their bytes.
    async fn keys(&self, prefix: &str, host: &Host<'_>) -> Result<Vec<String>> {
        let mut pattern = String::new();
        for one in self.name(prefix).chars() {
            if matches!(one, '*' | '?' | '[' | ']' | '\\') {
                pattern.push('\\');
            }
            pattern.push(one);
        }
        pattern.push('*');
        let found = self.ask(host, &["KEYS", &pattern]).await?;
        let names = found.as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut keys: Vec<String> =
            names.filter_map(|name| name.strip_prefix(&self.namespace)).map(str::to_owned).collect();
        keys.sort();
        Ok(keys)
    }

    /// The keys whose values are still there, with these.
    async fn held(&self, keys: Vec<String>, host: &Host<'_>) -> Result<Vec<(String, CacheValue)>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.ask_of_all(host, "MGET", &keys).await?;
        let mut held = Vec::with_capacity(keys.len());
        for (key, digits) in keys.into_iter().zip(found.as_array().into_iter().flatten()) {
            if let Some(value) = self.value(digits)? {
                held.push((key, value));
            }
        }
        Ok(held)
    }

    fn value(&self, digits: &Value) -> Result<Option<CacheValue>> {
        if digits.is_null() {
            return Ok(None);
        }
        let none = || Failure::Unavailable(format!("a value at {} is not in hexadecimal digits", self.url));
        digits.as_str().and_then(from_hex).map(|value| Some(value.into())).ok_or_else(none)
    }

    /// What the server answers to a command about all of these keys.
    async fn ask_of_all(&self, host: &Host<'_>, command: &str, keys: &[String]) -> Result<Value> {
        let names: Vec<String> = keys.iter().map(|key| self.name(key)).collect();
        let parts: Vec<&str> = [command].into_iter().chain(names.iter().map(String::as_str)).collect();
        self.ask(host, &parts).await
    }

    /// What the server answers to a command.
    async fn ask(&self, host: &Host<'_>, command: &[&str]) -> Result<Value> {
        let answer = host.fetch(HttpRequest::post(&self.url, json!(command).to_string())).await?;
        let mut found: Value =
            String::from_utf8(answer.body).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
        if let Some(why) = found["error"].as_str() {
            return Err(Failure::Unavailable(format!("{} refused {}: {why}", self.url, command[0])));
        }
        match found.as_object_mut().and_then(|found| found.remove("result")) {
            Some(result) => Ok(result),
            None => {
                let (url, status) = (&self.url, answer.status);
                Err(Failure::Unavailable(format!("{url} does not answer as Redis does (status {status})")))
            }
        }
    }
}

export_plugin!(caches: Shelf);

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::{
            Arc, Mutex,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    use jackfield_plugin_api::{
        prelude::*,
        testing::{FakeHost, OpenedCache, cache},
    };

    /// A server that knows a few commands, and whose clock the test moves.
    #[derive(Default)]
    struct Server {
        now: AtomicU64,
        values: Mutex<BTreeMap<String, (String, Option<u64>)>>,
    }

    impl Server {
        fn host(self: &Arc<Self>) -> FakeHost {
            let server = Arc::clone(self);
            FakeHost::default().with_server(move |request| {
                let command: Value = String::from_utf8_lossy(&request.body).parse().expect("JSON");
                let command: Vec<&str> =
                    command.as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
                let body = json!({ "result": server.answer(&command) }).to_string().into_bytes();
                Ok(HttpResponse { status: 200, headers: Vec::new(), body })
            })
        }

        fn answer(&self, command: &[&str]) -> Value {
            let now = self.now.load(Ordering::Relaxed);
            let mut values = self.values.lock().unwrap();
            values.retain(|_, (_, until)| until.is_none_or(|until| until > now));
            match *command {
                ["GET", key] => json!(values.get(key).map(|(value, _)| value)),
                ["MGET", ref keys @ ..] => {
                    keys.iter().map(|key| json!(values.get(*key).map(|(value, _)| value))).collect()
                }
                ["SET", key, value, ref ttl @ ..] => {
                    let until = ttl.last().map(|ttl| now + ttl.parse::<u64>().unwrap());
                    values.insert(key.to_owned(), (value.to_owned(), until));
                    json!("OK")
                }
                ["DEL", ref keys @ ..] => json!(keys.iter().filter(|key| values.remove(**key).is_some()).count()),
                ["KEYS", pattern] => {
                    let prefix = pattern.strip_suffix('*').expect("a prefix").replace('\\', "");
                    values.keys().filter(|key| key.starts_with(&prefix)).map(|key| json!(key)).collect()
                }
                ["PTTL", key] => json!(values[key].1.map_or(-1, |until| until as i64 - now as i64)),
                _ => panic!("an unknown command: {command:?}"),
            }
        }
    }

    fn shelf(host: &FakeHost) -> OpenedCache<'_> {
        cache("{{name}}", &json!({}), host).expect("opens")
    }

    fn keys(entries: &[CacheEntry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.key.as_str()).collect()
    }

    #[test]
    fn any_bytes_are_found_under_any_key() {
        let host = Arc::new(Server::default()).host();
        let cache = shelf(&host);
        let all: Vec<u8> = (0..=255).collect();
        for (key, value) in [("a", all.as_slice()), ("a/b.c ä🦀*?[x]\\", b"x"), ("", b"")] {
            cache.put(key, value, None).unwrap();
            assert_eq!(cache.get(key).unwrap().as_deref(), Some(value));
        }
        assert_eq!(cache.get("b"), Ok(None));
        assert_eq!(cache.is_durable(), Ok(true));
    }

    #[test]
    fn a_value_is_gone_when_its_time_is_over() {
        let server = Arc::new(Server::default());
        let host = server.host();
        let cache = shelf(&host);
        cache.put("a", b"1", Some(Duration::from_millis(150))).unwrap();
        cache.put("b", b"2", Some(Duration::from_secs(60))).unwrap();
        server.now.store(150, Ordering::Relaxed);
        assert_eq!(cache.get("a"), Ok(None));
        assert_eq!(cache.get("b").unwrap().as_deref(), Some(&b"2"[..]));
        cache.put("b", b"3", Some(Duration::ZERO)).unwrap();
        assert_eq!(cache.get("b"), Ok(None));
    }

    #[test]
    fn operations_keep_to_their_prefix() {
        let server = Arc::new(Server::default());
        let host = server.host();
        let cache = shelf(&host);
        for key in ["a*2", "b1", "a*1", "ab"] {
            cache.put(key, key.as_bytes(), Some(Duration::from_secs(9))).unwrap();
        }
        server.values.lock().unwrap().insert("another:a*3".to_owned(), ("00".to_owned(), None));
        assert_eq!(cache.size("a*"), Ok(CacheSize { entries: 2, bytes: 12 }));
        let value: CacheValue = b"a*1".as_slice().into();
        let first = CacheEntry { key: "a*1".to_owned(), value, ttl: Some(Duration::from_secs(9)) };
        assert_eq!(cache.list("a*", None, 1), Ok(vec![first]));
        assert_eq!(keys(&cache.list("a", Some("a*1"), 9).unwrap()), ["a*2", "ab"]);
        assert_eq!([cache.clear("a*"), cache.clear("a*")], [Ok(2), Ok(0)]);
        cache.remove("b1").unwrap();
        assert_eq!(keys(&cache.list("", None, 9).unwrap()), ["ab"]);
        assert!(server.values.lock().unwrap().contains_key("another:a*3"));
    }

    #[test]
    fn a_server_of_another_kind_counts_as_unreachable() {
        for body in ["<html>", "{}", "[]", r#"{"error": "ERR"}"#, r#"{"result": "xy"}"#] {
            let host = FakeHost::default()
                .with_server(move |_| Ok(HttpResponse { status: 200, headers: Vec::new(), body: body.into() }));
            assert!(matches!(shelf(&host).get("a"), Err(Failure::Unavailable(_))), "{body}");
        }
    }

    #[test]
    fn an_address_of_no_server_is_refused() {
        let opened = cache("{{name}}", &json!({ "url": "127.0.0.1" }), &FakeHost::default()).err();
        assert!(matches!(opened, Some(Failure::InvalidConfig(why)) if why.contains("does not begin with")));
    }
}
