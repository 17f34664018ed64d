//! One extension of a component, called.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, PoisonError},
    task::Poll,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use jackfield_plugin_api::{BoxFuture, Document, Failure, HostCalls, Instance, Kind, Request, Result};
use wasmtime::{Store, Trap};
use wasmtime_wasi::I32Exit;

use super::{
    bindings::{Plugin as GuestWorld, PluginPre as GuestPre},
    convert,
    health::Health,
    state::{Bridge, State, store},
    world,
};
use crate::plugin::{
    escape_untrusted,
    sandbox::{Grants, Limits, size},
};

/// An extension of a component with its configuration.
pub(super) struct Guest {
    pub(super) prepared: GuestPre<State>,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) config: String,
    pub(super) limits: Limits,
    pub(super) grants: Arc<Grants>,
    pub(super) health: Health,
}

impl Guest {
    /// An instance of its own, opened with the configuration.
    async fn fresh(&self, bridge: &Arc<Bridge>) -> Result<(Store<State>, GuestWorld)> {
        let (mut store, plugin) = instantiate(&self.prepared, (&self.limits, &self.grants), bridge).await?;
        let opened =
            plugin.jackfield_plugin_extension().call_open(&mut store, self.kind.name(), &self.name, &self.config).await;
        opened.map_err(|error| trapped(&error, &store, &self.limits))?.map_err(convert::failure)?;
        Ok((store, plugin))
    }

    /// Checks the configuration with an instance that is thrown away.
    pub(super) async fn try_open(&self) -> Result<()> {
        let bridge = Arc::default();
        in_time(&self.limits, &bridge, self.fresh(&bridge)).await?.map(|_| ())
    }

    async fn answer(&self, batch: &[Request], bridge: &Arc<Bridge>) -> Result<Vec<Result<Document>>> {
        let (mut store, plugin) = self.fresh(bridge).await?;
        let requests: Vec<_> = batch.iter().map(convert::request).collect();
        let answered = plugin.jackfield_plugin_extension().call_call(&mut store, &requests).await;
        let results = answered.map_err(|error| trapped(&error, &store, &self.limits))?;
        Ok(results.into_iter().map(|result| result.map_err(convert::failure).and_then(convert::document)).collect())
    }
}

impl Instance for Guest {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            if let Some(failure) = self.health.quarantine(self.limits.traps) {
                return vec![Err(failure); batch.len()];
            }
            self.health.back_off().await;
            let bridge = Arc::<Bridge>::default();
            *bridge.model.lock().unwrap_or_else(PoisonError::into_inner) = host.model_name();
            let mut answer = pin!(in_time(&self.limits, &bridge, self.answer(batch, &bridge)));
            let mut asked = FuturesUnordered::new();
            let answered = poll_fn(|context| {
                loop {
                    bridge.exchange(host);
                    if let Poll::Ready(answered) = answer.as_mut().poll(context) {
                        bridge.exchange(host);
                        return Poll::Ready(answered);
                    }
                    bridge.exchange(host);
                    asked.extend(bridge.asked().into_iter().map(|ask| ask.answer(host)));
                    // What the host answers at once is handed on at once.
                    match asked.poll_next_unpin(context) {
                        Poll::Ready(Some(())) => {}
                        Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                    }
                }
            })
            .await;
            let answered = answered.and_then(|answered| answered);
            self.health.ended(answered.as_ref().err());
            match answered {
                Ok(results) => results,
                Err(failure) => vec![Err(failure); batch.len()],
            }
        })
    }

    fn traps(&self) -> u64 {
        self.health.traps()
    }
}

/// A guest that waits burns neither fuel nor epochs: the wall clock bounds it all the same. What it waits for the host's
/// services is not its own time.
pub(super) async fn in_time<T>(limits: &Limits, bridge: &Bridge, work: impl Future<Output = T>) -> Result<T> {
    let mut work = pin!(work);
    let began = Instant::now();
    let mut waited = Duration::ZERO;
    loop {
        let left = (limits.time + waited).min(limits.wall).saturating_sub(began.elapsed());
        if let Ok(answer) = tokio::time::timeout(left, work.as_mut()).await {
            return Ok(answer);
        }
        if began.elapsed() >= limits.wall {
            let limit = humantime::format_duration(limits.wall);
            return Err(Failure::OverBudget(format!("no answer within its limit of {limit}, waiting included")));
        }
        let now = bridge.waited();
        if now <= waited {
            let limit = humantime::format_duration(limits.time);
            return Err(Failure::OverBudget(format!("no answer within its limit of {limit}")));
        }
        waited = now;
    }
}

pub(super) async fn instantiate(
    prepared: &GuestPre<State>,
    (limits, grants): (&Limits, &Grants),
    bridge: &Arc<Bridge>,
) -> Result<(Store<State>, GuestWorld)> {
    let world = world::of(grants)?;
    let mut store = store(prepared.engine(), limits, world, Arc::clone(bridge))
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
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return Failure::Internal(format!("it left with exit code {} in the middle of a call", exit.0));
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
                // Around it stand the names of the guest's own functions, which may be any text.
                let cause = error.root_cause().to_string();
                Failure::Internal(format!(
                    "trapped: {}",
                    escape_untrusted(&cause.chars().take(400).collect::<String>())
                ))
            }
        }
    }
}
