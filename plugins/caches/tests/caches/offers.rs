//! What the crate offers to a host.

use futures::executor::block_on;
use jackfield_caches as _;
use jackfield_plugin_api::testing::FakeHost;
use jackfield_plugin_api::{Failure, Kind, linked_extensions};
use serde_json::Value;

#[test]
fn three_backends_open_with_an_empty_config_and_take_no_other_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache").display().to_string();
    let mut names = Vec::new();
    for extension in linked_extensions() {
        let descriptor = extension.descriptor();
        assert_eq!(descriptor.kind, Kind::CacheBackend);
        let schema: Value = serde_json::to_value(&descriptor.config).expect("a schema");
        assert!(schema["properties"].get("state").is_none(), "{schema}");
        assert_eq!(schema["additionalProperties"], false, "{schema}");
        // The host always gives the path.
        let config = if descriptor.name == "sqlite" { format!(r#"{{ "path": "{path}" }}"#) } else { "{}".to_owned() };
        let instance = extension.open(&config).unwrap_or_else(|failure| panic!("{failure}"));
        let cache = instance.as_cache().expect("a cache");
        assert_eq!(cache.is_durable(), descriptor.name != "memory");
        if descriptor.name != "redis" {
            block_on(cache.put("a", b"1"[..].into(), None, &FakeHost::default())).expect("put");
            assert_eq!(block_on(cache.get("a", &FakeHost::default())).expect("got").as_deref(), Some(&b"1"[..]));
        }
        assert!(matches!(extension.open(r#"{ "state": 1 }"#), Err(Failure::InvalidConfig(_))));
        names.push(descriptor.name.clone());
    }
    names.sort_unstable();
    assert_eq!(names, ["memory", "redis", "sqlite"]);
}
