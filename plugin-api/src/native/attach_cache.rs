//! The host's side of operations on a cache.

use std::time::Duration;

use abi_stable::std_types::{ROption, RResult, RSlice};

use super::{
    abi::AbiFailure,
    attach::{CallHost, ForeignInstance},
};
use crate::{BoxFuture, CacheCalls, CacheEntry, CacheSize, CacheValue, Failure, HostCalls, Result};

fn answer<T>(answer: RResult<T, AbiFailure>) -> Result<T> {
    answer.into_result().map_err(Failure::from)
}

impl CacheCalls for ForeignInstance {
    fn get<'a>(&'a self, key: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        Box::pin(async move {
            let host = CallHost::new(host);
            let found = answer(self.table.cache_get()(self.handle, key.into(), host.lent()).await)?;
            Ok(found.into_option().map(|value| value.as_slice().into()))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: CacheValue,
        ttl: Option<Duration>,
        host: &'a dyn HostCalls,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let host = CallHost::new(host);
            let ttl_ms = ROption::from(ttl.map(|ttl| ttl.as_millis() as u64));
            let put = self.table.cache_put();
            answer(put(self.handle, key.into(), RSlice::from(&*value), ttl_ms, host.lent()).await)
        })
    }

    fn remove<'a>(&'a self, key: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let host = CallHost::new(host);
            answer(self.table.cache_remove()(self.handle, key.into(), host.lent()).await)
        })
    }

    fn clear<'a>(&'a self, prefix: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let host = CallHost::new(host);
            answer(self.table.cache_clear()(self.handle, prefix.into(), host.lent()).await)
        })
    }

    fn size<'a>(&'a self, prefix: &'a str, host: &'a dyn HostCalls) -> BoxFuture<'a, Result<CacheSize>> {
        Box::pin(async move {
            let host = CallHost::new(host);
            let size = answer(self.table.cache_size()(self.handle, prefix.into(), host.lent()).await)?;
            Ok(CacheSize { entries: size.entries, bytes: size.bytes })
        })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
        host: &'a dyn HostCalls,
    ) -> BoxFuture<'a, Result<Vec<CacheEntry>>> {
        Box::pin(async move {
            let host = CallHost::new(host);
            let after = ROption::from(after.map(Into::into));
            let page = answer(self.table.cache_list()(self.handle, prefix.into(), after, limit, host.lent()).await)?;
            let entries = page.iter().map(|entry| CacheEntry {
                key: entry.key.as_str().to_owned(),
                value: entry.value.as_slice().into(),
                ttl: entry.ttl_ms.into_option().map(Duration::from_millis),
            });
            Ok(entries.collect())
        })
    }

    fn is_durable(&self) -> bool {
        // One that panics over it is taken for one whose values do not last.
        answer(self.table.cache_is_durable()(self.handle)).unwrap_or_default()
    }
}
