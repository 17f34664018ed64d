//! A cache backend that does what a cache should not, as soon as it is asked for a value.

use std::{hint::spin_loop, time::Duration};

use jackfield_plugin_api::prelude::*;

/// What goes wrong.
#[derive(Document, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Harm {
    /// It panics.
    Panic,
    /// It never answers.
    Hang,
    /// It takes memory without end.
    Hoard,
    /// It answers what nobody has put there.
    Garbage,
    /// It answers more than anybody may.
    Huge,
    /// It lists the same for ever.
    Circle,
}

/// Keeps nothing, and does harm.
#[derive(Config)]
pub struct Shelf {
    /// What goes wrong.
    pub does: Harm,
}

/// Computes for ever where it is in a sandbox, and only waits where nobody could stop it.
fn hang() -> ! {
    loop {
        #[cfg(not(target_family = "wasm"))]
        std::thread::sleep(Duration::from_secs(1));
        spin_loop();
    }
}

/// Memory that is taken, and touched, for as long as there is any.
fn hoard() -> ! {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        taken.push(vec![1; 1 << 20]);
        std::hint::black_box(&taken);
    }
}

impl CacheBackend for Shelf {
    const NAME: &'static str = "shelf";

    async fn get(&self, _key: &str, _host: &Host<'_>) -> Result<Option<CacheValue>> {
        match self.does {
            Harm::Panic => panic!("the shelf gives way"),
            Harm::Hang => hang(),
            Harm::Hoard => hoard(),
            // As a stored value begins.
            Harm::Garbage => Ok(Some(b"JFV\x01 and then something else entirely".as_slice().into())),
            Harm::Huge => Ok(Some(vec![0; 65 << 20].into())),
            Harm::Circle => Ok(None),
        }
    }

    async fn put(&self, _key: &str, _value: CacheValue, _ttl: Option<Duration>, _host: &Host<'_>) -> Result<()> {
        Ok(())
    }

    async fn remove(&self, _key: &str, _host: &Host<'_>) -> Result<()> {
        Ok(())
    }

    async fn clear(&self, _prefix: &str, _host: &Host<'_>) -> Result<u64> {
        Ok(0)
    }

    async fn size(&self, _prefix: &str, _host: &Host<'_>) -> Result<CacheSize> {
        Ok(CacheSize::default())
    }

    async fn list(
        &self,
        prefix: &str,
        _after: Option<&str>,
        _limit: usize,
        _host: &Host<'_>,
    ) -> Result<Vec<CacheEntry>> {
        Ok(vec![CacheEntry { key: format!("{prefix}again"), value: [][..].into(), ttl: None }])
    }

    fn is_durable(&self) -> bool {
        false
    }
}
