//! The cache backend `redis`.

mod address;
mod bounded;
mod circuit;
mod connection;
mod connector;
mod error;
mod scan;
mod secret;

use std::time::Duration;

use ::redis::{Cmd, cmd};
use jackfield_plugin_api::prelude::*;

use self::{
    address::Address,
    connection::{RedisConnection, Timeouts},
};
use crate::{lifetime::Lifetime, state::State};

/// Keeps values in a Redis server or cluster, which several machines may share.
///
/// A server that is unreachable, at the start or later, makes every call fail at once with `unavailable`; the backend comes back
/// by itself when the server does, after five seconds at the most. Nothing is kept but under keys that begin with
/// `prefix`. How much there is room for is the server's to say: set its `maxmemory`, and an eviction policy such as
/// `allkeys-lru`.
#[derive(Debug, Config)]
pub struct Redis {
    /// One server, `redis://HOST:PORT/DATABASE`, or `rediss://…` for TLS; `unix:///PATH` for a socket; a cluster,
    /// `redis+cluster://HOST:PORT,HOST:PORT,…` or `rediss+cluster://…`, of which some nodes are enough. Port 6379 and
    /// database 0 may be left out. A user may be named (`redis://USER@HOST`), a password may not.
    #[config(default = "redis://127.0.0.1:6379")]
    pub url: String,
    /// The nodes of a cluster, in place of `url`: `redis://HOST:PORT` or `rediss://HOST:PORT` each.
    #[config(default)]
    pub urls: Vec<String>,
    /// The environment variable that holds the password.
    pub password_env: Option<String>,
    /// The file that holds the password; white space at its end is left out.
    pub password_file: Option<FilePath>,
    /// The certificates, as PEM, that a server's certificate must go back to, for TLS. Without it, the system's.
    pub ca_file: Option<FilePath>,
    /// What every key on the server begins with. It keeps apart those who share a server.
    #[config(default = "jackfield:")]
    pub prefix: String,
    /// How long to wait for a connection, in milliseconds. At least 1.
    #[config(default = 500)]
    #[schemars(range(min = 1))]
    pub connect_timeout_ms: u64,
    /// How long to wait for an answer, in milliseconds, 1 or more; `clear`, `size` and `list` ask the server many times.
    #[config(default = 1000)]
    #[schemars(range(min = 1))]
    pub timeout_ms: u64,
    /// Largest value that is kept, in bytes. At most 512 MiB, as Redis has it.
    #[config(default = 16 << 20)]
    #[schemars(range(min = 1, max = 536_870_912))]
    pub max_value: u64,
    #[serde(skip)]
    state: State<RedisConnection>,
}

impl Redis {
    fn key(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }

    /// # Errors
    /// [`Failure::InvalidConfig`], with a hint how to fix it.
    fn address(&self) -> Result<Address> {
        let password = secret::read(self.password_env.as_deref(), self.password_file.as_ref())?;
        let ca = self.ca_file.as_ref().map(secret::read_certificates).transpose()?;
        Address::parse(&self.url, &self.urls, password, ca)
    }
}

fn forget(key: &str) -> Cmd {
    let mut command = cmd("UNLINK");
    command.arg(key);
    command
}

impl CacheBackend for Redis {
    const NAME: &str = "redis";

    fn open(mut self) -> Result<Self> {
        if self.connect_timeout_ms == 0 || self.timeout_ms == 0 {
            return Err(Failure::InvalidConfig("`connect_timeout_ms` and `timeout_ms` are at least 1".to_owned()));
        }
        if self.max_value > 512 << 20 {
            return Err(Failure::InvalidConfig("`max_value` is at most 536870912: Redis takes no more".to_owned()));
        }
        let timeouts = Timeouts {
            connect: Duration::from_millis(self.connect_timeout_ms),
            answer: Duration::from_millis(self.timeout_ms),
        };
        // What others have put may be larger than what is kept here, and is no more than usual. With what the host adds.
        let longest = self.max_value.max(16 << 20) + 1024;
        self.state = State::open(RedisConnection::new(self.address()?, timeouts, longest)?);
        Ok(self)
    }

    async fn get(&self, key: &str, _: &Host<'_>) -> Result<Option<CacheValue>> {
        let mut command = cmd("GET");
        command.arg(self.key(key));
        let value: Option<Vec<u8>> = self.state.get()?.ask(&command).await?;
        Ok(value.map(Into::into))
    }

    async fn put(&self, key: &str, value: CacheValue, ttl: Option<Duration>, _: &Host<'_>) -> Result<()> {
        let connection = self.state.get()?;
        let name = self.key(key);
        let lifetime = Lifetime::of(ttl);
        let is_too_large = value.len() as u64 > self.max_value;
        if is_too_large {
            tracing::debug!(key, bytes = value.len(), limit = self.max_value, "too large for the cache in Redis");
        }
        if is_too_large || lifetime == Lifetime::Expired {
            return connection.ask(&forget(&name)).await;
        }
        let mut command = cmd("SET");
        command.arg(name).arg(&*value);
        if let Lifetime::Millis(millis) = lifetime {
            command.arg("PX").arg(millis);
        }
        connection.ask(&command).await
    }

    async fn remove(&self, key: &str, _: &Host<'_>) -> Result<()> {
        self.state.get()?.ask(&forget(&self.key(key))).await
    }

    async fn clear(&self, prefix: &str, _: &Host<'_>) -> Result<u64> {
        scan::clear(self.state.get()?, &self.key(prefix)).await
    }

    async fn size(&self, prefix: &str, _: &Host<'_>) -> Result<CacheSize> {
        scan::size(self.state.get()?, &self.prefix, prefix).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize, _: &Host<'_>) -> Result<Vec<CacheEntry>> {
        scan::list(self.state.get()?, &self.prefix, prefix, after, limit).await
    }

    fn is_durable(&self) -> bool {
        true
    }
}
