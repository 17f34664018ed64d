//! Any sequence of calls gives what a plain map gives.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::testing::no_host;
use proptest::{collection::vec, prelude::*, sample::select, test_runner::TestRunner};

use crate::{behaviour::odd_keys, support::wait};

#[derive(Clone, Debug)]
enum Call {
    Put(String, Vec<u8>),
    Get(String),
    Remove(String),
    Clear(String),
    Size(String),
    List(String, Option<String>, usize),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let key = || prop_oneof![3 => "[ab/]{0,3}", 1 => select(odd_keys())];
    let value = vec(any::<u8>(), 0..40);
    let call = prop_oneof![
        6 => (key(), value).prop_map(|(key, value)| Call::Put(key, value)),
        4 => key().prop_map(Call::Get),
        2 => key().prop_map(Call::Remove),
        1 => key().prop_map(Call::Clear),
        1 => key().prop_map(Call::Size),
        2 => (key(), proptest::option::of(key()), 0..6_usize).prop_map(|(under, after, limit)| Call::List(under, after, limit)),
    ];
    vec(call, 1..40)
}

/// Holds the cache against the map, `cases` times; it is emptied before each.
pub(crate) fn holds(cache: &impl CacheBackend, cases: u32) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&calls(), |calls| {
        wait(cache.clear("", &no_host()));
        let mut map: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for call in calls {
            one(cache, &mut map, call)?;
        }
        one(cache, &mut map, Call::List(String::new(), None, 1000))?;
        one(cache, &mut map, Call::Size(String::new()))
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

fn one(cache: &impl CacheBackend, map: &mut BTreeMap<String, Vec<u8>>, call: Call) -> Result<(), TestCaseError> {
    let under = |prefix: &str| -> Vec<(String, Vec<u8>)> {
        map.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    match call {
        Call::Put(key, value) => {
            wait(cache.put(&key, value.as_slice().into(), None, &no_host()));
            map.insert(key, value);
        }
        Call::Get(key) => {
            prop_assert_eq!(wait(cache.get(&key, &no_host())).map(|value| value.to_vec()), map.get(&key).cloned())
        }
        Call::Remove(key) => {
            wait(cache.remove(&key, &no_host()));
            map.remove(&key);
        }
        Call::Clear(prefix) => {
            prop_assert_eq!(wait(cache.clear(&prefix, &no_host())), under(&prefix).len() as u64);
            map.retain(|key, _| !key.starts_with(&prefix));
        }
        Call::Size(prefix) => {
            let wanted = under(&prefix);
            let bytes = wanted.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
            prop_assert_eq!(wait(cache.size(&prefix, &no_host())), CacheSize { entries: wanted.len() as u64, bytes });
        }
        Call::List(prefix, after, limit) => {
            let wanted = under(&prefix).into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
            let wanted: Vec<_> = wanted.take(limit).collect();
            let entries = wait(cache.list(&prefix, after.as_deref(), limit, &no_host()));
            prop_assert!(entries.iter().all(|entry| entry.ttl.is_none()));
            let got: Vec<_> = entries.into_iter().map(|entry| (entry.key, entry.value.to_vec())).collect();
            prop_assert_eq!(got, wanted);
        }
    }
    Ok(())
}
