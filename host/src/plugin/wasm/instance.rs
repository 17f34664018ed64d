//! One extension of a component, called.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, PoisonError},
};

use jackfield_plugin_api::{BoxFuture, Document, Failure, HostCalls, Instance, Request, Result};
use wasmtime::{Store, Trap};

use super::{
    bindings::{AnalyzerPlugin, AnalyzerPluginPre},
    convert,
    state::{Bridge, State, store},
};
use crate::plugin::sandbox::{Limits, size};

/// An analyzer of a component with its configuration.
pub(super) struct Guest {
    pub(super) prepared: AnalyzerPluginPre<State>,
    pub(super) name: String,
    pub(super) config: String,
    pub(super) limits: Limits,
}

impl Guest {
    /// An instance of its own, opened with the configuration.
    async fn fresh(&self, bridge: &Arc<Bridge>) -> Result<(Store<State>, AnalyzerPlugin)> {
        let (mut store, plugin) = instantiate(&self.prepared, &self.limits, bridge).await?;
        let opened = plugin.jackfield_plugin_analyzer().call_open(&mut store, &self.name, &self.config).await;
        opened.map_err(|error| trapped(&error, &store, &self.limits))?.map_err(convert::failure)?;
        Ok((store, plugin))
    }

    /// Checks the configuration with an instance that is thrown away.
    pub(super) async fn try_open(&self) -> Result<()> {
        in_time(&self.limits, self.fresh(&Arc::default())).await?.map(|_| ())
    }

    async fn answer(&self, batch: &[Request], bridge: &Arc<Bridge>) -> Result<Vec<Result<Document>>> {
        let (mut store, plugin) = self.fresh(bridge).await?;
        let requests: Vec<_> = batch.iter().map(convert::request).collect();
        let answered = plugin.jackfield_plugin_analyzer().call_call(&mut store, &requests).await;
        let results = answered.map_err(|error| trapped(&error, &store, &self.limits))?;
        Ok(results.into_iter().map(|result| result.map_err(convert::failure).and_then(convert::document)).collect())
    }
}

impl Instance for Guest {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            let bridge = Arc::<Bridge>::default();
            let mut answer = pin!(in_time(&self.limits, self.answer(batch, &bridge)));
            let answered = poll_fn(|context| {
                bridge.exchange(host);
                let polled = answer.as_mut().poll(context);
                bridge.exchange(host);
                polled
            })
            .await;
            match answered.and_then(|answered| answered) {
                Ok(results) => results,
                Err(failure) => vec![Err(failure); batch.len()],
            }
        })
    }
}

/// A guest that waits burns neither fuel nor epochs: the wall clock bounds it all the same.
pub(super) async fn in_time<T>(limits: &Limits, work: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(limits.time, work).await.map_err(|_| {
        Failure::OverBudget(format!("no answer within its limit of {}", humantime::format_duration(limits.time)))
    })
}

pub(super) async fn instantiate(
    prepared: &AnalyzerPluginPre<State>,
    limits: &Limits,
    bridge: &Arc<Bridge>,
) -> Result<(Store<State>, AnalyzerPlugin)> {
    let mut store = store(prepared.engine(), limits, Arc::clone(bridge))
        .map_err(|error| Failure::Internal(format!("no sandbox: {error:#}")))?;
    match prepared.instantiate_async(&mut store).await {
        Ok(plugin) => Ok((store, plugin)),
        Err(error) if error.is::<wasmtime::PoolConcurrencyLimitError>() => {
            Err(Failure::Unavailable("every sandbox is in use".to_owned()))
        }
        Err(error) => Err(trapped(&error, &store, limits)),
    }
}

/// What ended a guest, as a failure.
pub(super) fn trapped(error: &wasmtime::Error, store: &Store<State>, limits: &Limits) -> Failure {
    let state = store.data();
    if let Some(hit) = &state.hit {
        return Failure::OverBudget(hit.clone());
    }
    let gave_up = error.downcast_ref::<Trap>().is_none_or(|trap| *trap == Trap::UnreachableCodeReached);
    if gave_up && let Some(refused) = &state.refused {
        return Failure::OverBudget(refused.clone());
    }
    if let Some(words) = state.bridge.last_words.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Failure::Internal(words);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => {
            let fuel = limits.fuel.unwrap_or_default();
            Failure::OverBudget(format!("used up its fuel of {fuel} instructions"))
        }
        Some(Trap::StackOverflow) => Failure::OverBudget("used up its stack".to_owned()),
        Some(trap) => Failure::Internal(format!("trapped: {trap}")),
        None => {
            let causes = format!("{error:#}");
            if causes.contains("hostcall") && causes.contains("fuel") {
                Failure::OverBudget(format!("answered more than its limit of {}", size(limits.output)))
            } else {
                Failure::Internal(format!("trapped: {}", causes.chars().take(400).collect::<String>()))
            }
        }
    }
}
