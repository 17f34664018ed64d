//! The library's side of operations on a cache.

use std::{sync::Arc, time::Duration};

use abi_stable::std_types::{ROption, RResult, RSlice, RStr, RVec};
use async_ffi::BorrowingFfiFuture;

use super::{
    abi::{AbiCacheEntry, AbiCacheSize, AbiFailure, CacheFuture, Handle, LentHost},
    guest::Host,
};
use crate::{
    BoxFuture, CacheCalls, Failure, HostCalls, Instance, Result,
    catch_panic::{CatchPanic, catch_panic},
};

/// Operates on the cache backend that an instance is; a panic is a failure.
fn operated<'a, T: Send + 'a>(
    handle: Handle,
    host: LentHost<'a>,
    operate: impl for<'c> FnOnce(&'c dyn CacheCalls, &'c dyn HostCalls) -> BoxFuture<'c, Result<T>> + Send + 'a,
) -> CacheFuture<'a, T> {
    BorrowingFfiFuture::new(async move {
        // SAFETY: the handle came from `open`, and the host keeps it open while the future of an operation lives.
        let instance: Arc<dyn Instance> = unsafe { Arc::clone(&*handle.pointer()) };
        let host = Host(host);
        let answered = match instance.as_cache() {
            Some(cache) => match catch_panic("call", || operate(cache, &host)) {
                Ok(future) => CatchPanic::new("call", future).await.and_then(|answer| answer),
                Err(failure) => Err(failure),
            },
            None => Err(Failure::Internal("it is not a cache backend".to_owned())),
        };
        answered.map_err(AbiFailure::from).into()
    })
}

pub(super) extern "C" fn get<'a>(
    handle: Handle,
    key: RStr<'a>,
    host: LentHost<'a>,
) -> CacheFuture<'a, ROption<RVec<u8>>> {
    let key = key.as_str().to_owned();
    operated(handle, host, |cache, host| {
        Box::pin(async move {
            let found = cache.get(&key, host).await?;
            Ok(found.map(|value| RVec::from(value.to_vec())).into())
        })
    })
}

pub(super) extern "C" fn put<'a>(
    handle: Handle,
    key: RStr<'a>,
    value: RSlice<'a, u8>,
    ttl_ms: ROption<u64>,
    host: LentHost<'a>,
) -> CacheFuture<'a, ()> {
    let (key, value) = (key.as_str().to_owned(), value.as_slice().into());
    let ttl = ttl_ms.into_option().map(Duration::from_millis);
    operated(handle, host, move |cache, host| Box::pin(async move { cache.put(&key, value, ttl, host).await }))
}

pub(super) extern "C" fn remove<'a>(handle: Handle, key: RStr<'a>, host: LentHost<'a>) -> CacheFuture<'a, ()> {
    let key = key.as_str().to_owned();
    operated(handle, host, |cache, host| Box::pin(async move { cache.remove(&key, host).await }))
}

pub(super) extern "C" fn clear<'a>(handle: Handle, prefix: RStr<'a>, host: LentHost<'a>) -> CacheFuture<'a, u64> {
    let prefix = prefix.as_str().to_owned();
    operated(handle, host, |cache, host| Box::pin(async move { cache.clear(&prefix, host).await }))
}

pub(super) extern "C" fn size<'a>(
    handle: Handle,
    prefix: RStr<'a>,
    host: LentHost<'a>,
) -> CacheFuture<'a, AbiCacheSize> {
    let prefix = prefix.as_str().to_owned();
    operated(handle, host, |cache, host| {
        Box::pin(async move {
            let size = cache.size(&prefix, host).await?;
            Ok(AbiCacheSize { entries: size.entries, bytes: size.bytes })
        })
    })
}

pub(super) extern "C" fn list<'a>(
    handle: Handle,
    prefix: RStr<'a>,
    after: ROption<RStr<'a>>,
    limit: usize,
    host: LentHost<'a>,
) -> CacheFuture<'a, RVec<AbiCacheEntry>> {
    let prefix = prefix.as_str().to_owned();
    let after = after.into_option().map(|after| after.as_str().to_owned());
    operated(handle, host, move |cache, host| {
        Box::pin(async move {
            let page = cache.list(&prefix, after.as_deref(), limit, host).await?;
            let entries = page.into_iter().map(|entry| AbiCacheEntry {
                key: entry.key.into(),
                value: entry.value.to_vec().into(),
                ttl_ms: entry.ttl.map(|ttl| ttl.as_millis() as u64).into(),
            });
            Ok(entries.collect())
        })
    })
}

pub(super) extern "C" fn is_durable(handle: Handle) -> RResult<bool, AbiFailure> {
    // SAFETY: the handle came from `open`, and the host keeps it open while it is asked.
    let instance: Arc<dyn Instance> = unsafe { Arc::clone(&*handle.pointer()) };
    catch_panic("call", || instance.as_cache().is_some_and(|cache| cache.is_durable())).map_err(AbiFailure::from).into()
}
