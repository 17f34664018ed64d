//! The cache that a stage may be given (`store`). In a stage without one nothing is found and nothing is stored.

use jackfield_plugin_api::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

/// The value stored under this name. A value that cannot be read any more counts as absent.
pub(crate) async fn load<T: DeserializeOwned>(name: &str, host: &Host<'_>) -> Result<Option<T>> {
    match host.cache_get(name).await {
        Ok(bytes) => Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok())),
        Err(Failure::InvalidConfig(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Stores a value under this name, without an end to its life.
pub(crate) async fn store<T: Serialize + Sync>(name: &str, value: &T, host: &Host<'_>) -> Result<()> {
    let bytes = serde_json::to_vec(value).map_err(|error| Failure::Internal(error.to_string()))?;
    match host.cache_put(name, bytes, None).await {
        Ok(()) | Err(Failure::InvalidConfig(_)) => Ok(()),
        Err(failure) => Err(failure),
    }
}
