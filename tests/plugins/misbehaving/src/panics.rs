//! An analyzer that panics, wherever it is told to.

use std::{
    future::{Future, pending, poll_fn},
    panic::panic_any,
    task::Poll,
};

use jackfield_plugin_api::prelude::*;
use serde_json::json;

use crate::{Text, bad};

/// Panics.
#[derive(Config)]
pub(crate) struct Panics {
    /// Where.
    pub(crate) at: Place,
}

/// A place to panic in.
#[derive(Document, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    /// While the instance is made.
    Open,
    /// While the instance is made, with a payload that panics when it is dropped.
    OpenPayload,
    /// In the call, before there is a future.
    Method,
    /// In the future, after a wait.
    Future,
    /// In the drop of a value that was held across a wait, once the future is done.
    Held,
    /// In the drop of a value that is held across a wait without end: when the call is cancelled.
    Cancel,
    /// In the future, with a payload that panics when it is dropped.
    Payload,
    /// In the drop of the instance.
    Drop,
}

/// Panics when it is dropped.
struct Grudge(&'static str);

impl Drop for Grudge {
    fn drop(&mut self) {
        panic!("dropped the {}", self.0);
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        if self.at == Place::Drop {
            panic!("dropped the instance");
        }
    }
}

/// Waits once, for nothing.
fn a_turn() -> impl Future<Output = ()> + Send {
    let mut waited = false;
    poll_fn(move |context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

impl Analyzer for Panics {
    const NAME: &str = "panics";
    type Input = Text;
    type Output = Text;

    fn open(self) -> Result<Self> {
        match self.at {
            Place::Open => panic!("cannot be opened"),
            Place::OpenPayload => panic_any(Grudge("payload")),
            _ => Ok(self),
        }
    }

    fn analyze(&self, input: Text, _host: &Host<'_>) -> impl Future<Output = Result<Text>> + Send {
        let at = self.at;
        assert!(!(input.is_bad() && at == Place::Method), "cannot stand {:?}", input.text);
        async move {
            if !input.is_bad() {
                return Ok(input);
            }
            match at {
                Place::Future => {
                    a_turn().await;
                    panic!("cannot stand {:?} after a wait", input.text);
                }
                Place::Held => {
                    let _held = Grudge("held value");
                    a_turn().await;
                }
                Place::Cancel => {
                    let _held = Grudge("held value");
                    pending::<()>().await;
                }
                Place::Payload => panic_any(Grudge("payload")),
                Place::Open | Place::OpenPayload | Place::Method | Place::Drop => {}
            }
            Ok(input)
        }
    }

    fn examples() -> Vec<Example> {
        vec![bad(json!({ "at": "method" }))]
    }
}
