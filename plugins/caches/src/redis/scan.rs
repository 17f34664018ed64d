//! Operations that go over all keys with a prefix: `clear`, `size` and `list`.

use std::{collections::BTreeSet, time::Duration};

use ::redis::{Value, cmd};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jackfield_plugin_api::prelude::*;

use super::connection::{Node, RedisConnection};

/// Keys that the server looks at per step: each step is a pause for everybody else.
const STEP: usize = 1000;
/// Keys in one `UNLINK`.
const BATCH: usize = 500;
/// Requests under way at once.
const AT_ONCE: usize = 64;

/// Forgets what begins with `beginning`, and says how many there were.
pub(super) async fn clear(connection: &RedisConnection, beginning: &str) -> Result<u64> {
    let mut cleared = 0;
    for node in nodes(connection).await? {
        // Keys that are there throughout a scan are found, so one pass is enough.
        let mut cursor = 0_u64;
        loop {
            let (next, keys) = step(connection, node, cursor, beginning).await?;
            for batch in keys.chunks(BATCH) {
                cleared += forget(connection, batch).await?;
            }
            if next == 0 {
                break;
            }
            cursor = next;
        }
    }
    Ok(cleared)
}

async fn forget(connection: &RedisConnection, keys: &[String]) -> Result<u64> {
    if !connection.is_cluster() {
        return connection.ask(cmd("UNLINK").arg(keys)).await;
    }
    // Keys of one command must be of one slot.
    let forget_one = async |key: &String| connection.ask::<u64>(cmd("UNLINK").arg(key)).await;
    stream::iter(keys).map(forget_one).buffer_unordered(AT_ONCE).try_fold(0, async |sum, gone| Ok(sum + gone)).await
}

/// What is held under keys that begin with `beginning`, after `prefix`, which is ours.
pub(super) async fn size(connection: &RedisConnection, prefix: &str, beginning: &str) -> Result<CacheSize> {
    let keys = keys(connection, &[prefix, beginning].concat()).await?;
    let size_of_one = async |key: String| -> Result<CacheSize> {
        let length: u64 = connection.ask(cmd("STRLEN").arg(&key)).await?;
        // Only a second request distinguishes an empty value from one that has just expired.
        let is_there = length > 0 || connection.ask::<u64>(cmd("EXISTS").arg(&key)).await? > 0;
        let entries = u64::from(is_there);
        Ok(CacheSize { entries, bytes: entries * (length + (key.len() - prefix.len()) as u64) })
    };
    let sum = async |sum: CacheSize, one: CacheSize| {
        Ok(CacheSize { entries: sum.entries + one.entries, bytes: sum.bytes + one.bytes })
    };
    stream::iter(keys).map(size_of_one).buffer_unordered(AT_ONCE).try_fold(CacheSize::default(), sum).await
}

/// See [`CacheBackend::list`].
pub(super) async fn list(
    connection: &RedisConnection,
    prefix: &str,
    beginning: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<CacheEntry>> {
    let keys = keys(connection, &[prefix, beginning].concat()).await?;
    let wanted = keys.into_iter().filter(|key| after.is_none_or(|after| &key[prefix.len()..] > after));
    let read_one = async |name: String| -> Result<Option<CacheEntry>> {
        let value: Option<Vec<u8>> = connection.ask(cmd("GET").arg(&name)).await?;
        let left: i64 = connection.ask(cmd("PTTL").arg(&name)).await?;
        // -1 is for ever, -2 is gone.
        let (Some(value), -1..) = (value, left) else { return Ok(None) };
        let key = name[prefix.len()..].to_owned();
        Ok(Some(CacheEntry { key, value: value.into(), ttl: u64::try_from(left).ok().map(Duration::from_millis) }))
    };
    // Values may be large: a few at once.
    let mut found = Box::pin(stream::iter(wanted).map(read_one).buffered(8.min(limit.max(1))));
    let mut entries = Vec::new();
    while entries.len() < limit
        && let Some(entry) = found.try_next().await?
    {
        entries.extend(entry);
    }
    Ok(entries)
}

/// All keys that begin so, in order. A scan may name a key twice.
async fn keys(connection: &RedisConnection, beginning: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for node in nodes(connection).await? {
        let mut cursor = 0_u64;
        loop {
            let (next, keys) = step(connection, node, cursor, beginning).await?;
            found.extend(keys);
            if next == 0 {
                break;
            }
            cursor = next;
        }
    }
    Ok(found)
}

/// One step of a scan: where to go on, 0 at the end, and keys. A key that is not text is not one of ours.
async fn step(connection: &RedisConnection, node: Node, cursor: u64, beginning: &str) -> Result<(u64, Vec<String>)> {
    let mut command = cmd("SCAN");
    command.arg(cursor).arg("MATCH").arg(pattern(beginning)).arg("COUNT").arg(STEP);
    let (next, keys): (u64, Vec<Vec<u8>>) = connection.ask_node(node, &command).await?;
    Ok((next, keys.into_iter().filter_map(|key| String::from_utf8(key).ok()).collect()))
}

/// The pattern of all that begins so.
fn pattern(beginning: &str) -> String {
    let mut pattern = String::with_capacity(beginning.len() + 8);
    for character in beginning.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('*');
    pattern
}

/// The nodes that hold keys: the server, or one slot of every primary.
async fn nodes(connection: &RedisConnection) -> Result<Vec<Node>> {
    if !connection.is_cluster() {
        return Ok(vec![Node::Any]);
    }
    let ranges: Vec<Vec<Value>> = connection.ask(cmd("CLUSTER").arg("SLOTS")).await?;
    let mut primaries = BTreeSet::new();
    let mut nodes = Vec::new();
    for range in ranges {
        // First slot, last slot, the primary, its replicas.
        let [first, _, primary, ..] = &range[..] else { continue };
        if primaries.insert(format!("{primary:?}")) {
            nodes.push(Node::OfSlot(connection.parse_answer(first.clone())?));
        }
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_every_character_for_itself() {
        assert_eq!(pattern("a*[x]?\\%_"), "a\\*\\[x\\]\\?\\\\%_*");
    }
}
