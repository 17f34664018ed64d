//! `memory`.

use jackfield_caches::Memory;
use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::testing::no_host;
use serde_json::json;

use crate::{
    behaviour, model,
    support::{open, opened, wait},
};

fn plain() -> Memory {
    opened(json!({}))
}

#[test]
fn it_is_as_a_map() {
    model::holds(&plain(), 128);
}

#[test]
fn odd_keys_are_keys() {
    behaviour::odd_keys_are_keys(&plain());
}

#[test]
fn values_of_every_size_come_back() {
    behaviour::values_of_every_size(&plain());
}

#[test]
fn what_has_expired_is_gone() {
    behaviour::what_has_expired_is_gone(&plain());
}

#[test]
fn sixty_four_tasks_at_once() {
    behaviour::sixty_four_tasks_at_once(plain());
}

#[test]
fn too_large_a_value_is_not_kept_nor_the_one_before() {
    behaviour::too_large_a_value_is_not_kept_nor_the_one_before(
        &opened::<Memory>(json!({ "max_bytes": 100_000 })),
        100_000,
    );
}

#[test]
fn no_more_entries_than_allowed_and_the_last_used_stay() {
    let cache: Memory = opened(json!({ "max_entries": 10 }));
    for index in 0..50 {
        wait(cache.put(&format!("{index:02}"), b"value"[..].into(), None, &no_host()));
        assert!(wait(cache.get("00", &no_host())).is_some(), "used all the time: {index}");
    }
    let entries = wait(cache.list("", None, 100, &no_host()));
    assert_eq!(entries.len(), 10);
    assert_eq!(entries[1].key, "41");
}

#[test]
fn no_more_bytes_than_allowed() {
    let cache: Memory = opened(json!({ "max_bytes": 1_024_000 }));
    for index in 0..100 {
        wait(cache.put(&format!("{index:03}"), vec![7; 51_197].into(), None, &no_host()));
    }
    assert_eq!(wait(cache.size("", &no_host())), CacheSize { entries: 20, bytes: 1_024_000 });
}

#[test]
fn a_limit_of_nothing_is_refused() {
    for config in [json!({ "max_entries": 0 }), json!({ "max_bytes": 0 }), json!({ "max": 1 })] {
        assert!(matches!(open::<Memory>(config), Err(Failure::InvalidConfig(_))));
    }
}
