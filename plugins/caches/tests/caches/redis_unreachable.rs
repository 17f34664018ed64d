//! `redis`, with a server that comes and goes.

use std::{
    future::Future as _,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use futures::executor::block_on;
use jackfield_caches::Redis;
use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::testing::no_host;
use serde_json::json;

use crate::{
    redis_server::{Server, cluster, free_port},
    support::{opened, wait},
};

fn is_unavailable<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Failure::Unavailable(_)))
}

/// How long it takes until the cache answers again.
fn comes_back(cache: &Redis) -> Duration {
    let started = Instant::now();
    while block_on(cache.get("a", &no_host())).is_err() {
        assert!(started.elapsed() < Duration::from_secs(15), "it does not come back");
        thread::sleep(Duration::from_millis(5));
    }
    started.elapsed()
}

#[test]
fn a_server_that_is_unreachable_costs_no_time() {
    let cache: Redis = opened(json!({ "url": format!("redis://127.0.0.1:{}", free_port()) }));
    assert!(is_unavailable(&block_on(cache.get("a", &no_host()))));
    let started = Instant::now();
    for _ in 0..10_000 {
        assert!(is_unavailable(&block_on(cache.get("a", &no_host()))));
    }
    assert!(started.elapsed() < Duration::from_secs(1), "{:?} for 10,000 calls", started.elapsed());
    assert!(is_unavailable(&block_on(cache.put("a", b""[..].into(), None, &no_host()))));
    assert!(is_unavailable(&block_on(cache.clear("", &no_host()))));
    assert!(is_unavailable(&block_on(cache.size("", &no_host()))));
    assert!(is_unavailable(&block_on(cache.list("", None, 1, &no_host()))));
}

#[test]
fn a_server_that_is_killed_and_started_again_is_found_again() {
    let mut server = Server::start(&[]);
    let cache: Redis = opened(json!({ "url": server.url() }));
    wait(cache.put("a", b"1"[..].into(), None, &no_host()));
    server.kill();
    assert!(is_unavailable(&block_on(cache.get("a", &no_host()))));
    thread::sleep(Duration::from_millis(300));
    assert!(is_unavailable(&block_on(cache.put("a", b"2"[..].into(), None, &no_host()))));
    server.restart();
    let took = comes_back(&cache);
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(wait(cache.get("a", &no_host())), None, "it was only in memory");
    wait(cache.put("a", b"3"[..].into(), None, &no_host()));
}

#[test]
fn a_restart_that_nobody_saw_costs_no_call() {
    let mut server = Server::start(&[]);
    let cache: Redis = opened(json!({ "url": server.url() }));
    wait(cache.put("a", b"1"[..].into(), None, &no_host()));
    server.kill();
    server.restart();
    wait(cache.put("a", b"2"[..].into(), None, &no_host()));
    assert!(wait(cache.get("a", &no_host())).is_some());
}

#[test]
fn killed_amid_sixty_four_tasks_nobody_hangs() {
    let mut server = Server::start(&[]);
    let cache: Arc<Redis> = Arc::new(opened(json!({ "url": server.url() })));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let until = Instant::now() + Duration::from_millis(1500);
    let task = |number: u32| {
        let cache = Arc::clone(&cache);
        async move {
            let (mut good, mut bad) = (0_u64, 0_u64);
            while Instant::now() < until {
                let key = number.to_string();
                let result = cache.put(&key, key.as_bytes().into(), None, &no_host()).await;
                match result.and(cache.get(&key, &no_host()).await) {
                    Ok(value) => {
                        assert!(value.is_none_or(|value| *value == *key.as_bytes()));
                        good += 1;
                    }
                    Err(Failure::Unavailable(_)) => {
                        bad += 1;
                        tokio::task::yield_now().await;
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            (good, bad)
        }
    };
    let tasks: Vec<_> = (0..64).map(|number| runtime.spawn(task(number))).collect();
    thread::sleep(Duration::from_millis(300));
    server.kill();
    thread::sleep(Duration::from_millis(200));
    server.restart();
    for task in tasks {
        let (good, bad) = runtime.block_on(task).expect("no task panics");
        assert!(good > 0 && bad > 0, "{good} good, {bad} bad");
    }
    comes_back(&cache);
    runtime.block_on(async { drop(cache) });
}

#[test]
fn a_server_that_does_not_answer_is_given_up_in_time() {
    let server = Server::start(&[]);
    let cache: Redis = opened(json!({ "url": server.url(), "timeout_ms": 200, "connect_timeout_ms": 200 }));
    wait(cache.put("a", b"1"[..].into(), None, &no_host()));
    server.freeze(true);
    let started = Instant::now();
    assert!(is_unavailable(&block_on(cache.get("a", &no_host()))));
    assert!((150..600).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    let started = Instant::now();
    assert!(is_unavailable(&block_on(cache.get("a", &no_host()))));
    assert!(started.elapsed() < Duration::from_millis(50), "at once now");
    thread::sleep(Duration::from_millis(120));
    assert!(
        is_unavailable(&block_on(cache.get("a", &no_host()))),
        "a connection is taken by the system, but the server says nothing"
    );
    server.freeze(false);
    comes_back(&cache);
    assert_eq!(wait(cache.get("a", &no_host())).as_deref(), Some(&b"1"[..]));
}

#[test]
fn a_probe_that_is_dropped_is_no_loss() {
    let mut server = Server::start(&[]);
    let cache: Redis = opened(json!({ "url": server.url() }));
    server.kill();
    assert!(is_unavailable(&block_on(cache.get("a", &no_host()))));
    server.restart();
    thread::sleep(Duration::from_millis(120));
    // Not even a fast server answers before the probe is dropped.
    server.freeze(true);
    let host = no_host();
    let mut probe = Box::pin(cache.get("a", &host));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(probe.as_mut().poll(&mut context).is_pending());
    drop(probe);
    server.freeze(false);
    assert_eq!(wait(cache.get("a", &no_host())), None);
}

#[test]
fn a_cluster_that_is_lost_is_found_again() {
    let mut servers = cluster();
    let urls: Vec<String> = servers.iter().map(Server::url).collect();
    let cache: Redis = opened(json!({ "urls": urls, "timeout_ms": 500 }));
    wait(cache.put("a", b"1"[..].into(), None, &no_host()));
    servers.iter_mut().for_each(Server::kill);
    let started = Instant::now();
    assert!(is_unavailable(&block_on(cache.get("a", &no_host()))));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    servers.iter_mut().for_each(Server::restart);
    comes_back(&cache);
}
