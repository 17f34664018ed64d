//! Work that must not be done on a thread of an async runtime.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake},
    thread::{self, Thread},
};

use tokio::{runtime::Handle, sync::oneshot};

use crate::error::Error;

/// Whether the calling thread belongs to an async runtime.
pub(crate) fn is_in_runtime() -> bool {
    Handle::try_current().is_ok()
}

/// Does something on a thread of its own, and waits for it.
pub(crate) fn on_own_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work)?;
    thread.join().map_err(|_| ended(name))
}

/// Does something on a thread of its own, without blocking the caller's.
pub(crate) async fn on_own_thread_async<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let (done, result) = oneshot::channel();
    thread::Builder::new().name(name.to_owned()).spawn(move || done.send(work()).is_ok())?;
    result.await.map_err(|_| ended(name))
}

/// The thread panicked; the panic has been printed.
pub(crate) fn ended(name: &str) -> Error {
    Error::thread(format!("the thread `{name}` panicked: this is a bug in Jackfield"))
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on whatever thread: one of an async runtime too, which is blocked for as long.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
