//! What every backend does, called by the tests of each.

use std::{sync::Arc, thread, time::Duration};

use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::testing::no_host;

use crate::support::{keys, wait};

/// Keys with characters that mean something to one store or another.
pub(crate) fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "%",
        "_",
        "*",
        "?",
        "[",
        "]",
        "\\",
        "{a}b",
        "a b",
        "a\nb",
        "nul\0l",
        "'\"",
        "ключ",
        "鍵🗝",
        "\u{10ffff}",
        "",
        "a:b",
    ]
    .map(str::to_owned)
    .to_vec();
    keys.push("k".repeat(1024));
    keys
}

pub(crate) fn odd_keys_are_keys(cache: &impl CacheBackend) {
    let odd = odd_keys();
    for key in &odd {
        wait(cache.put(key, key.as_bytes().into(), None, &no_host()));
    }
    for key in &odd {
        assert_eq!(wait(cache.get(key, &no_host())).as_deref(), Some(key.as_bytes()), "{key:?}");
        let under: Vec<&str> = odd.iter().map(String::as_str).filter(|other| other.starts_with(key.as_str())).collect();
        assert_eq!(wait(cache.size(key, &no_host())).entries, under.len() as u64, "{key:?}");
        assert_eq!(wait(cache.list(key, None, 100, &no_host())).len(), under.len(), "{key:?}");
    }
    let mut sorted: Vec<&str> = odd.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    assert_eq!(keys(&wait(cache.list("", None, 100, &no_host()))), sorted);
    assert_eq!(wait(cache.clear("*", &no_host())), 1, "a star is a star");
    assert_eq!(wait(cache.clear("%", &no_host())), 1);
    assert_eq!(wait(cache.clear("", &no_host())), sorted.len() as u64 - 2);
    assert_eq!(wait(cache.size("", &no_host())), CacheSize::default());
}

pub(crate) fn values_of_every_size(cache: &impl CacheBackend) {
    for size in [0, 1, 1000, 4096, 70_000, 5_000_000] {
        let value: CacheValue = (0..size).map(|index| (index * 31 % 251) as u8).collect();
        wait(cache.put("value", Arc::clone(&value), None, &no_host()));
        assert!(wait(cache.get("value", &no_host())).as_deref() == Some(&value[..]), "{size} bytes");
        assert_eq!(wait(cache.size("", &no_host())), CacheSize { entries: 1, bytes: size + 5 });
    }
    wait(cache.remove("value", &no_host()));
    assert_eq!(wait(cache.get("value", &no_host())), None);
}

pub(crate) fn what_has_expired_is_gone(cache: &impl CacheBackend) {
    let short = Duration::from_millis(150);
    wait(cache.put("short", b"1"[..].into(), Some(short), &no_host()));
    wait(cache.put("long", b"2"[..].into(), Some(Duration::from_secs(60)), &no_host()));
    wait(cache.put("longest", b"3"[..].into(), Some(Duration::MAX), &no_host()));
    wait(cache.put("kept", b"4"[..].into(), None, &no_host()));
    wait(cache.put("never", b"5"[..].into(), Some(Duration::ZERO), &no_host()));
    wait(cache.put("kept-after-all", b"6"[..].into(), Some(short), &no_host()));
    wait(cache.put("kept-after-all", b"7"[..].into(), None, &no_host()));
    wait(cache.put("gone-after-all", b"8"[..].into(), None, &no_host()));
    wait(cache.put("gone-after-all", b"9"[..].into(), Some(short), &no_host()));
    let entries = wait(cache.list("", None, 10, &no_host()));
    assert_eq!(keys(&entries), ["gone-after-all", "kept", "kept-after-all", "long", "longest", "short"]);
    assert_eq!(entries[1].ttl, None);
    assert!(entries[3].ttl.is_some_and(|left| left <= Duration::from_secs(60) && left > Duration::from_secs(50)));
    thread::sleep(short + Duration::from_millis(20));
    assert_eq!(wait(cache.get("short", &no_host())), None);
    assert_eq!(wait(cache.get("gone-after-all", &no_host())), None);
    assert_eq!(wait(cache.get("long", &no_host())).as_deref(), Some(&b"2"[..]));
    assert_eq!(wait(cache.get("kept-after-all", &no_host())).as_deref(), Some(&b"7"[..]));
    assert_eq!(keys(&wait(cache.list("", None, 10, &no_host()))), ["kept", "kept-after-all", "long", "longest"]);
    assert_eq!(wait(cache.size("", &no_host())).entries, 4);
    assert_eq!(wait(cache.size("kept", &no_host())), CacheSize { entries: 2, bytes: 20 });
    assert_eq!(wait(cache.clear("", &no_host())), 4, "what has expired is not counted");
}

/// Each of 64 tasks reads what it wrote, and the last of what all write is one of it.
pub(crate) fn sixty_four_tasks_at_once<B: CacheBackend>(cache: B) {
    let cache = Arc::new(cache);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().expect("a runtime");
    runtime.block_on(async {
        let task = |task: usize| {
            let cache = Arc::clone(&cache);
            async move {
                for round in 0..20 {
                    let (key, value) = (format!("{task}/{round}"), format!("value {task}/{round}"));
                    cache.put(&key, value.as_bytes().into(), None, &no_host()).await?;
                    assert_eq!(cache.get(&key, &no_host()).await?.as_deref(), Some(value.as_bytes()));
                    cache.put("shared", value.as_bytes().into(), Some(Duration::from_secs(60)), &no_host()).await?;
                    assert!(cache.get("shared", &no_host()).await?.is_some_and(|value| value.starts_with(b"value ")));
                }
                Ok::<(), Failure>(())
            }
        };
        let tasks: Vec<_> = (0..64).map(|number| tokio::spawn(task(number))).collect();
        for task in tasks {
            task.await.expect("no task panics").unwrap_or_else(|failure| panic!("{failure}"));
        }
        assert_eq!(cache.size("", &no_host()).await.map(|size| size.entries), Ok(64 * 20 + 1));
    });
}

pub(crate) fn too_large_a_value_is_not_kept_nor_the_one_before(cache: &impl CacheBackend, limit: usize) {
    wait(cache.put("key", b"old"[..].into(), None, &no_host()));
    wait(cache.put("other", b"here"[..].into(), None, &no_host()));
    wait(cache.put("key", vec![0; limit + 1].into(), None, &no_host()));
    assert_eq!(wait(cache.get("key", &no_host())), None);
    assert_eq!(wait(cache.get("other", &no_host())).as_deref(), Some(&b"here"[..]), "nothing else goes for it");
}
