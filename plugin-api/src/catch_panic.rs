//! Catching panics at the edge of foreign code.

use std::{
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use crate::{BoxFuture, Failure, Result};

/// Calls `work`; a panic becomes a failure that names `operation`.
pub fn catch_panic<T>(operation: &str, work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let failure = Failure::from_panic(operation, payload.as_ref());
        // The payload is a value of the plugin's, and its drop may panic as well; the payload of that one is left alone.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(again);
        }
        failure
    })
}

/// A future whose panics, while it is polled or dropped, do not reach the caller.
pub struct CatchPanic<'a, T> {
    future: Option<BoxFuture<'a, T>>,
    operation: &'static str,
}

impl<'a, T> CatchPanic<'a, T> {
    /// Guards `future`; a panic becomes a failure that names `operation`.
    pub fn new(operation: &'static str, future: BoxFuture<'a, T>) -> Self {
        Self { future: Some(future), operation }
    }

    fn discard(&mut self) -> Result<()> {
        let future = self.future.take();
        catch_panic("drop", move || drop(future))
    }
}

impl<T> Future for CatchPanic<'_, T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = self.operation;
        let Some(future) = self.future.as_mut() else {
            return Poll::Ready(Err(Failure::Internal("polled after it was done".to_owned())));
        };
        match catch_panic(operation, || future.as_mut().poll(context)) {
            Ok(Poll::Pending) => Poll::Pending,
            // What a drop does after the answer is there cannot take the answer back, but is a fault all the same.
            Ok(Poll::Ready(answer)) => Poll::Ready(self.discard().map(|()| answer)),
            Err(failure) => {
                let _ = self.discard();
                Poll::Ready(Err(failure))
            }
        }
    }
}

impl<T> Drop for CatchPanic<'_, T> {
    fn drop(&mut self) {
        let _ = self.discard();
    }
}
