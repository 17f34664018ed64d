//! The cache of a stage (`store`). A stage without one finds and keeps nothing.

use jackfield_plugin_api::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

/// What was kept under this name, if it still reads.
pub(crate) async fn kept<T: DeserializeOwned>(name: &str, host: &Host<'_>) -> Result<Option<T>> {
    match host.cache_get(name).await {
        Ok(value) => Ok(value.and_then(|value| serde_json::from_slice(&value).ok())),
        Err(Failure::InvalidConfig(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A value of more bytes is not kept: it would cost more to read than to find out anew, and a cache may refuse it.
const LARGEST: usize = 32 << 20;

/// Keeps a value under this name, unless it is too large.
pub(crate) async fn keep<T: Serialize + Sync>(name: &str, value: &T, host: &Host<'_>) -> Result<()> {
    let value = serde_json::to_vec(value).map_err(|error| Failure::Internal(error.to_string()))?;
    if value.len() > LARGEST {
        return Ok(());
    }
    match host.cache_put(name, value, None).await {
        Ok(()) | Err(Failure::InvalidConfig(_)) => Ok(()),
        Err(failure) => Err(failure),
    }
}
