//! Values of a cache.

use std::{sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value on its way into or out of a cache. Cheap to clone.
pub type CacheValue = Arc<[u8]>;

/// What a cache holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CacheSize {
    /// Values that have not expired, as far as is known.
    pub entries: u64,
    /// Bytes of keys and values, as far as is known.
    pub bytes: u64,
}

/// A value with its key and the time it has left.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheEntry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: CacheValue,
    /// How long it will be kept; none for as long as there is room.
    pub ttl: Option<Duration>,
}
