//! A configuration as it is compared: with digests in place of the paths in it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What replaces the paths of a configuration where configurations are compared, by JSON pointer: the digest of the file or
/// folder, or the path as it is written. So a pipeline's folder may be moved, and a file that changed is noticed.
pub type PathIdentities = BTreeMap<String, Value>;

/// A configuration as it is compared, hashed and explained.
pub(crate) fn identity_of(config: &Value, paths: &PathIdentities) -> Value {
    let mut identity = config.clone();
    for (pointer, replacement) in paths {
        if replacement.is_null() {
            remove(&mut identity, pointer);
        } else if let Some(value) = identity.pointer_mut(pointer) {
            *value = replacement.clone();
        }
    }
    identity
}

/// Removes the key that a JSON pointer leads to.
fn remove(value: &mut Value, pointer: &str) {
    let Some((table, key)) = pointer.rsplit_once('/') else { return };
    if let Some(table) = value.pointer_mut(table).and_then(Value::as_object_mut) {
        table.remove(&key.replace("~1", "/").replace("~0", "~"));
    }
}
