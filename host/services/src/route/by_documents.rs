//! Policies that are asked by documents: those of native libraries and components.

use std::sync::Arc;

use jackfield_plugin_api::{
    Arm, Context, Failure, FromDocument, HostCalls, Instance, IntoDocument, Level, PolicyAnswer, PolicyByDocuments,
    PolicyRequest, PolicyState, Request, Result, catch_panic,
};
use serde_json::Value;
use tokio::runtime::Builder;

use crate::log_plugin_line;

/// The policy with what it has learned.
pub(super) fn by_documents(
    name: &str,
    policy: &Arc<dyn Instance>,
    arms: &[Arm],
    state: Option<Value>,
) -> Result<Box<dyn PolicyState>> {
    let ask = by_document::<PolicyRequest, PolicyAnswer>(name, policy)?;
    Ok(Box::new(PolicyByDocuments::new(name, arms, state, ask)?))
}

/// A function that has a policy answer a document. Its calls wait in a runtime of its own.
pub(crate) fn by_document<Q: IntoDocument, A: FromDocument>(
    name: &str,
    policy: &Arc<dyn Instance>,
) -> Result<impl Fn(Q) -> Result<A> + Send + use<Q, A>> {
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| Failure::Internal(format!("no runtime: {error}")))?;
    let (host, policy) = (LogOnlyHost { policy: name.to_owned() }, Arc::clone(policy));
    Ok(move |request: Q| {
        let context = Context { stage: "".into(), item: "".into(), element: 0, replicate: 0, seed: 0 };
        let batch = [Request { document: request.into_document()?, context }];
        let mut answers = catch_panic("call", || runtime.block_on(policy.call(&batch, &host)))?;
        match answers.pop() {
            // What the policy wrote does not fit: the fault is its own, and not that of what it was asked.
            Some(answer) if answers.is_empty() => A::from_document(answer?)
                .map_err(|failure| Failure::InvalidOutput(format!("its answer is none: {}", failure.message()))),
            _ => Err(Failure::InvalidOutput("did not answer one document with one".to_owned())),
        }
    })
}

/// A host that takes log lines, and offers nothing else.
struct LogOnlyHost {
    policy: String,
}

impl HostCalls for LogOnlyHost {
    fn log(&self, level: Level, _target: &str, message: &str) {
        log_plugin_line(level, None, Some(&self.policy), message);
    }

    fn progress(&self, _index: u32, _done: u64, _total: Option<u64>, _note: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}
