//! `sqlite`.

use std::{env, path::Path, process::Command, time::Duration};

use jackfield_caches::Sqlite;
use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::testing::no_host;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    behaviour, model,
    support::{in_file, open, opened, wait},
};

fn plain() -> (TempDir, Sqlite) {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = opened(in_file(&folder.path().join("deep/down/cache.sqlite")));
    (folder, cache)
}

#[test]
fn it_is_as_a_map() {
    model::holds(&plain().1, 48);
}

#[test]
fn odd_keys_are_keys() {
    behaviour::odd_keys_are_keys(&plain().1);
}

#[test]
fn values_of_every_size_come_back() {
    behaviour::values_of_every_size(&plain().1);
}

#[test]
fn what_has_expired_is_gone() {
    behaviour::what_has_expired_is_gone(&plain().1);
}

#[test]
fn sixty_four_tasks_at_once() {
    let (_folder, cache) = plain();
    behaviour::sixty_four_tasks_at_once(cache);
}

#[test]
fn too_large_a_value_is_not_kept_nor_the_one_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache: Sqlite = opened(json!({ "path": folder.path().join("cache"), "max_bytes": 100_000 }));
    behaviour::too_large_a_value_is_not_kept_nor_the_one_before(&cache, 100_000);
}

#[test]
fn values_outlive_the_process_and_expired_ones_are_swept() {
    let (folder, cache) = plain();
    wait(cache.put("kept", b"1"[..].into(), None, &no_host()));
    wait(cache.put("short", b"2"[..].into(), Some(Duration::from_millis(30)), &no_host()));
    assert!(cache.is_durable());
    drop(cache);
    std::thread::sleep(Duration::from_millis(40));
    let path = folder.path().join("deep/down/cache.sqlite");
    let cache: Sqlite = opened(in_file(&path));
    assert_eq!(wait(cache.get("kept", &no_host())).as_deref(), Some(&b"1"[..]));
    assert_eq!(wait(cache.get("short", &no_host())), None);
    wait(cache.put("more", b"3"[..].into(), None, &no_host()));
    drop(cache);
    let rows = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        Connection::open(&path).and_then(|file| file.query_row(&sql, (), |row| row.get(0))).expect("a count")
    };
    assert_eq!((rows("entries"), rows("contents")), (2, 2));
    assert!(!path.with_extension("sqlite-wal").exists(), "the last one tidies up");
}

#[test]
fn the_least_recently_used_go_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache");
    for config in [json!({ "path": path, "max_bytes": 1_000_000 }), json!({ "path": path, "max_entries": 20 })] {
        let cache: Sqlite = opened(config);
        wait(cache.clear("", &no_host()));
        wait(cache.put("000", vec![7; 49_997].into(), None, &no_host()));
        std::thread::sleep(Duration::from_millis(3));
        for index in 1..20 {
            wait(cache.put(&format!("{index:03}"), vec![7; 49_997].into(), None, &no_host()));
        }
        // As if all that were an hour ago: a use is noted once a minute.
        let file = Connection::open(&path).expect("the file");
        file.execute("UPDATE entries SET used_ms = used_ms - 3600000", ()).expect("an update");
        assert!(wait(cache.get("000", &no_host())).is_some());
        for index in 20..30 {
            wait(cache.put(&format!("{index:03}"), vec![7; 49_997].into(), None, &no_host()));
        }
        assert_eq!(wait(cache.size("", &no_host())), CacheSize { entries: 20, bytes: 1_000_000 });
        assert!(wait(cache.get("000", &no_host())).is_some(), "was used");
        assert!(wait(cache.get("001", &no_host())).is_none(), "was not");
        assert!(wait(cache.get("029", &no_host())).is_some(), "is new");
    }
}

#[test]
fn a_lower_limit_holds_from_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache");
    let cache: Sqlite = opened(in_file(&path));
    for index in 0..100 {
        wait(cache.put(&index.to_string(), b"value"[..].into(), None, &no_host()));
    }
    drop(cache);
    let cache: Sqlite = opened(json!({ "path": path, "max_entries": 10 }));
    wait(cache.put("new", b"value"[..].into(), None, &no_host()));
    assert_eq!(wait(cache.size("", &no_host())).entries, 10);
}

#[test]
fn a_limit_of_nothing_is_refused() {
    for config in [json!({ "max_entries": 0 }), json!({ "max_bytes": 0 })] {
        assert!(matches!(open::<Sqlite>(config), Err(Failure::InvalidConfig(_))));
    }
}

/// Where the other process finds the file; set for it alone.
const FILE: &str = "JACKFIELD_CACHES_TEST_FILE";

/// The other process of the next two tests: this function, called in another process. Otherwise it has nothing to do.
#[test]
fn another_process() {
    let Some(path) = env::var_os(FILE) else { return };
    let cache: Sqlite = opened(in_file(Path::new(&path)));
    for round in 0.. {
        for index in 0..300 {
            wait(cache.put(&format!("theirs/{index}"), format!("{round}").as_bytes().into(), None, &no_host()));
            wait(cache.get(&format!("ours/{index}"), &no_host()));
        }
        wait(cache.put("theirs/done", b""[..].into(), None, &no_host()));
    }
}

fn other(path: &Path) -> std::process::Child {
    Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "sqlite::another_process", "--nocapture"])
        .env(FILE, path)
        .spawn()
        .expect("another process")
}

#[test]
fn two_processes_share_a_file_and_one_that_is_killed_leaves_it_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache");
    // Both make the file at the same time.
    let mut other = other(&path);
    let cache: Sqlite = opened(in_file(&path));
    let mut is_done = false;
    for round in 0..2000 {
        let key = format!("ours/{}", round % 300);
        wait(cache.put(&key, key.as_bytes().into(), None, &no_host()));
        assert_eq!(wait(cache.get(&key, &no_host())).as_deref(), Some(key.as_bytes()));
        if round >= 300 && wait(cache.get("theirs/done", &no_host())).is_some() {
            is_done = true;
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    other.kill().expect("killed");
    other.wait().expect("ended");
    assert!(is_done, "the other has written too");
    assert_eq!(wait(cache.size("", &no_host())).entries, 601);
    assert_eq!(wait(cache.size("theirs/", &no_host())).entries, 301);
    drop(cache);
    let file = Connection::open(&path).expect("the file");
    let verdict: String = file.query_row("PRAGMA integrity_check", (), |row| row.get(0)).expect("a verdict");
    assert_eq!(verdict, "ok");
}
