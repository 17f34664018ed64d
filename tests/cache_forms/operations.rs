//! The operations of a cache, by the library.

#[path = "../plugins/invalid_plugin/src/key_value.rs"]
mod key_value;

use std::{sync::Arc, time::Duration};

use jackfield::bundled;
use jackfield_loader::{
    Digest, Linkage, Plugin, Registry, Trust, load,
    sandbox::{Grant, Limits},
};
use jackfield_pipeline::{CachePlan, ExtensionRef, TierPlan};
use jackfield_plugin_api::{__private::extension_of_cache, Failure, Kind};
use jackfield_services::{Cache, Http, TierParts, open_cache};
use serde_json::{Value, json};

use crate::{key_value_server::KeyValueServer, support::fixture};

/// Opens a cache over one tier, outside of any runtime, as a run does.
fn opened(file: &'static str, name: &'static str, config: Value, limits: Limits) -> Cache {
    let grants = match config["url"].as_str() {
        Some(url) => vec![url.replace("http://", "http:")],
        None => vec!["scratch:values".to_owned(), "clock".to_owned()],
    };
    let open = move || cache(loaded(file, &grants), name, config, limits);
    std::thread::spawn(open).join().expect("opened")
}

/// A plugin from this file.
fn loaded(file: &str, grants: &[String]) -> Plugin {
    let path = fixture(file);
    let sha256 = Digest::of_file(&path).expect("read");
    let grants = grants.iter().map(|grant| Grant::parse(grant, path.parent().expect("a folder")).expect("a grant"));
    let trust = Trust { allow_native: true, sha256: Some(sha256), grants: grants.collect(), ..Trust::default() };
    load("mine", &path, &trust).expect("loaded")
}

/// A cache over one tier of a plugin.
fn cache(plugin: Plugin, name: &str, config: Value, limits: Limits) -> Cache {
    let entry = plugin.extensions.iter().find(|entry| entry.descriptor.name == name).expect("offered");
    let extension = ExtensionRef {
        plugin: plugin.alias.clone(),
        linkage: plugin.linkage,
        kind: Kind::CacheBackend,
        name: name.to_owned(),
        version: entry.descriptor.version.clone(),
        digest: plugin.digest.clone(),
    };
    let tier = TierPlan { extension, config, ttl: None, limits };
    let plan = CachePlan { name: "c".to_owned(), tiers: vec![tier] };
    let registry = Registry::new(vec![bundled(), plugin]);
    open_cache(&plan, &Arc::default(), &registry).unwrap_or_else(|fault| panic!("{fault:?}"))
}

/// The backend `key-value` as a part of this program.
fn linked_in(url: &str) -> Cache {
    let extension = extension_of_cache::<key_value::KeyValue>("0.1.0");
    let grants = jackfield_loader::sandbox::Grants::all("bundled", extension.descriptor());
    let parts = TierParts {
        name: "key-value".to_owned(),
        linkage: Linkage::LinkedIn,
        instance: extension.open(&json!({ "url": url }).to_string()).expect("open"),
        grants: Arc::new(grants),
        ttl: None,
        limits: Limits::of_cache(),
    };
    Cache::new("c", vec![parts], &Arc::new(Http::default())).expect("a cache backend")
}

/// Does the same with every cache; all that was answered, as text.
async fn answers(cache: &Cache) -> String {
    let every_byte: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = (0..1_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let long = "k".repeat(4000);
    let cases: [(&str, &[u8]); 8] = [
        ("", b"under nothing"),
        ("nothing", b""),
        ("every byte", &every_byte),
        ("1 MiB", &large),
        ("schlüssel 東京 👩‍🚀", "wert €".as_bytes()),
        ("../a\nb\0c%2F?*", b"odd"),
        ("a", b"first"),
        (&long, b"long"),
    ];
    let mut said = String::new();
    for (key, value) in cases {
        cache.put(key, value, None).await;
    }
    cache.put("a", b"second", Some(Duration::from_secs(600))).await;
    cache.put("over", b"at once", Some(Duration::ZERO)).await;
    for (key, value) in cases.iter().rev() {
        let found = cache.get(key).await.map(|(found, _)| found);
        let expected: &[u8] = if *key == "a" { b"second" } else { value };
        assert_eq!(found.as_deref(), Some(expected), "{key:?}");
    }
    said += &format!("{:?}\n", (cache.get("over").await.is_none(), cache.get("never put").await.is_none()));
    let sizes: Vec<_> = cache.size("").await.into_iter().map(|(_, size)| size.expect("a size")).collect();
    said += &format!("{sizes:?}\n");
    let (mut after, mut keys) = (None::<String>, Vec::new());
    loop {
        let page = cache.list("", after.as_deref(), 3).await.expect("a page");
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        keys.extend(page.into_iter().map(|entry| (entry.key, entry.value.len(), entry.ttl.is_some())));
    }
    said += &format!("{keys:?}\n");
    let cleared: Vec<_> = [cache.clear("e").await, cache.clear("").await].into_iter().flatten().collect();
    let cleared: Vec<_> = cleared.into_iter().map(|(_, count)| count).collect();
    said += &format!("{cleared:?} {:?}\n", cache.get("a").await.is_none());
    let count = &cache.counts()[0];
    said + &format!("{} {} {}", count.hits, count.misses, count.errors)
}

#[tokio::test]
async fn every_form_keeps_the_same() {
    let server = KeyValueServer::start();
    let own = |file| opened(file, "key-value", json!({ "url": server.url() }), Limits::of_cache());
    let (native, wasm) = (own("jackfield_test_invalid_plugin.so"), own("jackfield_test_invalid_plugin.wasm"));
    let expected = answers(&linked_in(&server.url())).await;
    assert!(expected.ends_with(" 0"), "{expected}");
    assert_eq!(answers(&native).await, expected);
    assert_eq!(answers(&wasm).await, expected);
    assert_eq!(answers(&shelf(Limits::of_cache())).await, expected);
}

/// The guest in C, with a folder that the host makes.
fn shelf(limits: Limits) -> Cache {
    opened("red_team/shelf.wasm", "shelf-c", json!({}), limits)
}

#[tokio::test]
async fn operations_run_beside_each_other_and_share_the_limit_on_scratch() {
    let shelf = Arc::new(shelf(Limits { scratch: 256 << 10, traps: 0, ..Limits::of_cache() }));
    let one = |caller: usize| {
        let shelf = Arc::clone(&shelf);
        tokio::spawn(async move {
            for n in 0..4 {
                shelf.put(&format!("{caller}/{n}"), format!("{caller} {n}").as_bytes(), None).await;
                shelf.put("all", &[b'x'; 2000], None).await;
            }
        })
    };
    let callers: Vec<_> = (0..6).map(one).collect();
    for caller in callers {
        caller.await.expect("done");
    }
    for caller in 0..6 {
        for n in 0..4 {
            let (found, _) = shelf.get(&format!("{caller}/{n}")).await.expect("a value");
            assert_eq!(&*found, format!("{caller} {n}").as_bytes());
        }
    }
    assert_eq!(shelf.get("all").await.expect("a value").0.len(), 2000);
    assert_eq!(shelf.counts()[0].errors, 0, "files that were replaced take no room");
    // What does not fit is an error of the tier, and leaves what is there.
    shelf.put("large", &vec![0; 300 << 10], None).await;
    assert_eq!(shelf.counts()[0].errors, 1);
    assert!(shelf.get("large").await.is_none() && shelf.get("0/0").await.is_some());
}

#[tokio::test]
async fn an_operation_that_is_given_up_breaks_nothing() {
    let shelf = shelf(Limits::of_cache());
    let large = vec![7; 1 << 20];
    for wait in 0..8 {
        let put = shelf.put("a", &large, None);
        let _ = tokio::time::timeout(Duration::from_micros(wait * 300), put).await;
    }
    shelf.put("a", b"whole", None).await;
    assert_eq!(&*shelf.get("a").await.expect("a value").0, b"whole");
    assert_eq!(shelf.counts()[0].errors, 0);
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let server = KeyValueServer::start();
    let config = json!({ "url": server.url() });
    let cache = opened("jackfield_test_invalid_plugin.wasm", "key-value", config, Limits::of_cache());
    cache.put("a", b"1", None).await;
    assert!(cache.get("a").await.is_some());
    let address = server.address;
    drop(server);
    for _ in 0..20 {
        assert!(cache.get("a").await.is_none());
    }
    assert_eq!(cache.counts()[0].errors, 20);
    let listed = cache.list("", None, 1).await.expect_err("it is away");
    assert!(matches!(listed, Failure::Unavailable(_)), "{listed}");
    let _again = KeyValueServer::start_at(address);
    let back = async {
        while cache.get("a").await.is_none() {
            cache.put("a", b"2", None).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), back).await.expect("it is asked again");
}

#[tokio::test]
async fn a_backend_that_hands_out_the_values_of_other_keys_is_not_believed() {
    let server = KeyValueServer::start();
    let config = json!({ "url": server.url(), "confused": true });
    let cache = opened("jackfield_test_invalid_plugin.wasm", "key-value", config, Limits::of_cache());
    cache.put("a", b"of a", None).await;
    cache.put("b", b"of b", None).await;
    assert!(cache.get("a").await.is_none());
    assert_eq!(&*cache.get("b").await.expect("its own").0, b"of b");
    let count = &cache.counts()[0];
    assert_eq!((count.hits, count.misses, count.errors), (1, 0, 1));
}
