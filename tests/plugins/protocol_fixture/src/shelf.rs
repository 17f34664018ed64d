//! The kind `cache-backend`.

use std::{collections::BTreeMap, time::Duration};

use jackfield_plugin_api::{from_hex, prelude::*, to_hex};

/// Keeps values on a server: one JSON object at an address, which is read, changed and written back. For one caller at a
/// time, and for as long as the server keeps it.
#[derive(Config)]
pub struct Shelf {
    /// The address.
    pub url: String,
}

/// Values as hexadecimal digits, by their keys.
type Kept = BTreeMap<String, String>;

impl Shelf {
    async fn read(&self, host: &Host<'_>) -> Result<Kept> {
        let response = host.fetch(HttpRequest::get(&self.url)).await?;
        serde_json::from_slice(&response.body)
            .map_err(|error| Failure::Unavailable(format!("the server holds no values: {error}")))
    }

    async fn write(&self, kept: &Kept, host: &Host<'_>) -> Result<()> {
        let body = serde_json::to_vec(kept).map_err(|error| Failure::Internal(error.to_string()))?;
        let response = host.fetch(HttpRequest { body, ..HttpRequest::new("PUT", &self.url) }).await?;
        match response.status {
            200 => Ok(()),
            status => Err(Failure::Unavailable(format!("the server answers {status}"))),
        }
    }
}

impl CacheBackend for Shelf {
    const NAME: &'static str = "witness-shelf";
    const STABILITY: Stability = Stability::Stable;

    fn permissions() -> Vec<Permission> {
        vec![Permission { name: "http".to_owned(), reason: "to keep values on the server".to_owned() }]
    }

    async fn get(&self, key: &str, host: &Host<'_>) -> Result<Option<CacheValue>> {
        Ok(self.read(host).await?.get(key).and_then(|value| from_hex(value)).map(CacheValue::from))
    }

    async fn put(&self, key: &str, value: CacheValue, ttl: Option<Duration>, host: &Host<'_>) -> Result<()> {
        let mut kept = self.read(host).await?;
        // There is no clock: what is to expire is not kept.
        match ttl {
            None => kept.insert(key.to_owned(), to_hex(&value)),
            Some(_) => kept.remove(key),
        };
        self.write(&kept, host).await
    }

    async fn remove(&self, key: &str, host: &Host<'_>) -> Result<()> {
        let mut kept = self.read(host).await?;
        kept.remove(key);
        self.write(&kept, host).await
    }

    async fn clear(&self, prefix: &str, host: &Host<'_>) -> Result<u64> {
        let mut kept = self.read(host).await?;
        let before = kept.len();
        kept.retain(|key, _| !key.starts_with(prefix));
        self.write(&kept, host).await?;
        Ok((before - kept.len()) as u64)
    }

    async fn size(&self, prefix: &str, host: &Host<'_>) -> Result<CacheSize> {
        let kept = self.read(host).await?;
        let ours = kept.iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(ours.fold(CacheSize::default(), |size, (key, value)| CacheSize {
            entries: size.entries + 1,
            bytes: size.bytes + (key.len() + value.len() / 2) as u64,
        }))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize, host: &Host<'_>) -> Result<Vec<CacheEntry>> {
        let kept = self.read(host).await?;
        let wanted = |key: &str| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let entries = kept.into_iter().filter(|(key, _)| wanted(key)).take(limit);
        let entry = |(key, value): (String, String)| {
            let value = from_hex(&value).unwrap_or_default().into();
            CacheEntry { key, value, ttl: None }
        };
        Ok(entries.map(entry).collect())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

export_plugin!(caches: Shelf);
