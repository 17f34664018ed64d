//! Catching panics at the edge of foreign code.

use std::{
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use crate::{BoxFuture, Failure, Result};

/// Calls `work`; a panic becomes a failure of `place`.
pub fn guarded<T>(place: &str, work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let failure = Failure::from_panic(place, payload.as_ref());
        // The payload is a value of the plugin's, and its drop may panic as well; the payload of that one is left alone.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(again);
        }
        failure
    })
}

/// A future whose panics, while it is polled or dropped, do not reach the caller.
pub struct Guarded<'a, T> {
    future: Option<BoxFuture<'a, T>>,
    place: &'static str,
}

impl<'a, T> Guarded<'a, T> {
    /// Guards `future`; a panic becomes a failure of `place`.
    pub fn new(place: &'static str, future: BoxFuture<'a, T>) -> Self {
        Self { future: Some(future), place }
    }

    fn discard(&mut self) -> Result<()> {
        let future = self.future.take();
        guarded("drop", move || drop(future))
    }
}

impl<T> Future for Guarded<'_, T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let place = self.place;
        let Some(future) = self.future.as_mut() else {
            return Poll::Ready(Err(Failure::Internal("polled after it was done".to_owned())));
        };
        match guarded(place, || future.as_mut().poll(context)) {
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

impl<T> Drop for Guarded<'_, T> {
    fn drop(&mut self) {
        let _ = self.discard();
    }
}
