//! `redis`, with a server that is there.

use std::{env, fs, time::Duration};

use futures::executor::block_on;
use jackfield_caches::Redis;
use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::testing::no_host;
use serde_json::{Value, json};

use crate::{
    behaviour, model,
    redis_server::{Server, cluster},
    support::{keys, open, opened, wait},
};

fn plain() -> (Server, Redis) {
    let server = Server::start(&[]);
    let cache = opened(json!({ "url": server.url() }));
    (server, cache)
}

#[test]
fn it_is_as_a_map() {
    model::holds(&plain().1, 32);
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
    let (_server, cache) = plain();
    behaviour::sixty_four_tasks_at_once(cache);
}

#[test]
fn too_large_a_value_is_not_kept_nor_the_one_before() {
    let server = Server::start(&[]);
    let cache: Redis = opened(json!({ "url": server.url(), "max_value": 1000 }));
    behaviour::too_large_a_value_is_not_kept_nor_the_one_before(&cache, 1000);
}

#[test]
fn nothing_is_touched_but_what_begins_with_the_prefix() {
    let (server, cache) = plain();
    let other: Redis = opened(json!({ "url": server.url(), "prefix": "jackfield:[*" }));
    server.cli(&["set", "theirs", "1"]);
    wait(cache.put("a", b"1"[..].into(), None, &no_host()));
    wait(other.put("a", b"2"[..].into(), None, &no_host()));
    assert_eq!(server.cli(&["get", "jackfield:a"]), "1\n");
    assert_eq!(keys(&wait(other.list("", None, 9, &no_host()))), ["a"]);
    assert_eq!(wait(other.clear("", &no_host())), 1);
    assert_eq!(wait(cache.clear("", &no_host())), 1);
    assert_eq!(server.cli(&["keys", "*"]), "theirs\n");
}

#[test]
fn many_keys_are_listed_and_cleared_in_steps() {
    let (_server, cache) = plain();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let puts = (0..5000)
            .map(async |index: u32| cache.put(&format!("{index:04}"), b"v"[..].into(), None, &no_host()).await);
        futures::future::try_join_all(puts).await.expect("put");
    });
    assert_eq!(wait(cache.size("", &no_host())), CacheSize { entries: 5000, bytes: 25_000 });
    assert_eq!(keys(&wait(cache.list("1", Some("1233"), 3, &no_host()))), ["1234", "1235", "1236"]);
    assert_eq!(wait(cache.clear("1", &no_host())), 1000);
    assert_eq!(wait(cache.clear("", &no_host())), 4000);
}

#[test]
fn a_database_and_a_socket_can_be_named() {
    let server = Server::start(&["--unixsocket", "redis.sock"]);
    let socket = server.folder.path().join("redis.sock");
    let third: Redis = opened(json!({ "url": format!("{}/3", server.url()) }));
    let through_socket: Redis = opened(json!({ "url": format!("unix://{}", socket.display()) }));
    wait(third.put("a", b"1"[..].into(), None, &no_host()));
    assert_eq!(wait(through_socket.get("a", &no_host())), None);
    wait(through_socket.put("a", b"2"[..].into(), None, &no_host()));
    assert_eq!(server.cli(&["-n", "3", "get", "jackfield:a"]), "1\n");
    assert_eq!(server.cli(&["get", "jackfield:a"]), "2\n");
}

const PASSWORD: &str = "open sesame/@:%";

fn refused(config: Value) -> String {
    match open::<Redis>(config) {
        Err(Failure::InvalidConfig(message)) => message,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_password_is_read_from_a_file_and_never_shown() {
    let server = Server::start(&["--requirepass", PASSWORD]);
    let file = server.folder.path().join("password");
    fs::write(&file, format!("{PASSWORD}\n")).expect("a file");
    let cache: Redis = opened(json!({ "url": server.url(), "password_file": file }));
    wait(cache.put("a", b"1"[..].into(), None, &no_host()));
    assert!(!format!("{cache:?}").contains("sesame"), "{cache:?}");

    let without: Redis = opened(json!({ "url": server.url() }));
    let failure = block_on(without.get("a", &no_host())).expect_err("no password");
    assert!(matches!(&failure, Failure::InvalidConfig(message) if message.contains("password_env")), "{failure}");

    fs::write(&file, "wrong").expect("a file");
    let wrong: Redis = opened(json!({ "url": server.url(), "password_file": file }));
    let failure = block_on(wrong.get("a", &no_host())).expect_err("the wrong password");
    assert!(matches!(&failure, Failure::InvalidConfig(_)) && !failure.message().contains("wrong"), "{failure}");
}

#[test]
fn a_password_is_read_from_the_environment() {
    // A variable that is set everywhere: a test cannot set one without `unsafe`.
    let server = Server::start(&["--requirepass", &env::var("PATH").expect("PATH is set")]);
    let cache: Redis = opened(json!({ "url": server.url(), "password_env": "PATH" }));
    wait(cache.put("a", b"1"[..].into(), None, &no_host()));
}

#[test]
fn a_password_in_the_address_is_refused_and_not_repeated() {
    let addresses = [
        "redis://:sesame@localhost",
        "redis://me:sesame@localhost:1/0",
        "rediss://me:sesa/me@host",
        "redis+cluster://a:1,me:sesame@b:2",
        "unix:///a?pass=sesame",
        "redis://me:ses@me@host",
        "me:sesame@host",
    ];
    for url in addresses {
        let message = refused(json!({ "url": url }));
        assert!(message.contains("password_env") && !message.contains("ses"), "{url}: {message}");
    }
    assert!(refused(json!({ "urls": ["redis://me:sesame@a"] })).contains("password_env"));
}

#[test]
fn a_config_that_makes_no_sense_is_refused_with_the_fix() {
    assert!(refused(json!({ "url": "localhost" })).contains("expected `redis://"));
    assert!(refused(json!({ "url": "http://localhost" })).contains("expected `redis://"));
    assert!(refused(json!({ "url": "redis://localhost:port" })).contains("expected `redis://"));
    assert!(refused(json!({ "password_env": "JACKFIELD_NO_SUCH" })).contains("JACKFIELD_NO_SUCH"));
    assert!(refused(json!({ "password_env": "A", "password_file": "/b" })).contains("leave one out"));
    assert!(refused(json!({ "password_file": "/no/such/file" })).contains("/no/such/file"));
    assert!(refused(json!({ "ca_file": "/no/such/file" })).contains("/no/such/file"));
    assert!(refused(json!({ "timeout_ms": 0 })).contains("timeout_ms"));
    assert!(env::var_os("JACKFIELD_NO_SUCH").is_none());
}

#[test]
fn tls_with_a_private_authority() {
    let server = Server::start_tls(&[]);
    let url = format!("rediss://127.0.0.1:{}", server.port);
    let cache: Redis = opened(json!({ "url": url, "ca_file": server.ca() }));
    behaviour::odd_keys_are_keys(&cache);
    let stranger: Redis = opened(json!({ "url": url }));
    let failure = block_on(stranger.get("a", &no_host())).expect_err("an unknown authority");
    assert!(matches!(&failure, Failure::Unavailable(message) if message.contains("certificate")), "{failure}");
    let plain: Redis = opened(json!({ "url": server.url() }));
    assert!(matches!(block_on(plain.get("a", &no_host())), Err(Failure::Unavailable(_))));
    assert!(refused(json!({ "url": server.url(), "ca_file": server.ca() })).contains("rediss"));
}

#[test]
fn a_cluster_of_three_is_one_cache() {
    let servers = cluster();
    let nodes: Vec<String> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    let cache: Redis = opened(json!({ "url": format!("redis+cluster://{}", nodes[..2].join(",")) }));
    model::holds(&cache, 12);
    wait(cache.clear("", &no_host()));
    behaviour::odd_keys_are_keys(&cache);
    behaviour::what_has_expired_is_gone(&cache);
    let urls: Vec<String> = servers.iter().map(Server::url).collect();
    behaviour::sixty_four_tasks_at_once(opened::<Redis>(json!({ "urls": urls })));
    for server in &servers {
        assert_ne!(server.cli(&["dbsize"]).trim(), "0", "every node has its part");
    }
    assert_eq!(wait(cache.clear("", &no_host())), 64 * 20 + 1);
}

#[test]
fn a_full_server_says_so() {
    let server = Server::start(&["--maxmemory", "2mb", "--maxmemory-policy", "noeviction"]);
    let cache: Redis = opened(json!({ "url": server.url() }));
    let puts = (0..64).map(|index| block_on(cache.put(&index.to_string(), vec![0; 100_000].into(), None, &no_host())));
    let failure = puts.filter_map(Result::err).next().expect("6 MB do not fit into 2 MB");
    assert!(matches!(&failure, Failure::Unavailable(message) if message.contains("maxmemory")), "{failure}");
    assert!(wait(cache.get("0", &no_host())).is_some(), "reading goes on");
    wait(cache.remove("0", &no_host()));
}

#[test]
fn a_foreign_kind_of_value_is_said() {
    let (server, cache) = plain();
    server.cli(&["rpush", "jackfield:list", "1"]);
    let failure = block_on(cache.get("list", &no_host())).expect_err("a list");
    assert!(matches!(&failure, Failure::Unavailable(message) if message.contains("prefix")), "{failure}");
    wait(cache.put("list", b"1"[..].into(), Some(Duration::from_secs(9)), &no_host()));
    assert!(wait(cache.get("list", &no_host())).is_some());
}
