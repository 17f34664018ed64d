//! One extension of a component, called.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, PoisonError},
    task::Poll,
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use jackfield_plugin_api::{BoxFuture, CacheCalls, Document, Failure, HostCalls, Instance, Kind, Request, Result};
use wasmtime::{Store, Trap};
use wasmtime_wasi::I32Exit;

use super::{
    convert,
    engine::{is_out_of_memory, no_memory_left},
    exports::{Exports, Prepared},
    health::Health,
    meter::{CpuMeter, metered},
    scratch::{ScratchFolders, ScratchFull},
    state::{Bridge, State, store},
    v0_1::jackfield::plugin::types,
    world::{self, World},
};
use crate::{
    escape_untrusted,
    sandbox::{Admission, Demand, Grants, Limits, QueueClock, Turn, limits_to_open, size, took_too_long},
};

/// An extension of a component with its configuration.
pub(super) struct Guest {
    pub(super) prepared: Prepared,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) config: String,
    pub(super) limits: Limits,
    pub(super) grants: Arc<Grants>,
    pub(super) health: Health,
    /// The scratch folders of a cache backend, which its instances keep values in for each other. Those of other kinds have
    /// folders of their own.
    pub(super) scratch: Option<ScratchFolders>,
    /// What a cache backend answered when it was opened: whether its values outlive the process.
    pub(super) is_durable: bool,
}

impl Guest {
    /// An instance of its own, opened with the configuration.
    pub(super) async fn fresh(&self, bridge: &Arc<Bridge>) -> Result<(Store<State>, Exports)> {
        let whose = self.whose();
        let scratch = match &self.scratch {
            Some(kept) => kept.clone(),
            None => world::scratch_folders(&self.grants, self.limits.scratch, false)?,
        };
        let world = world::of(&self.grants, scratch)?;
        let (mut store, plugin) = instantiate(&self.prepared, whose, world, bridge).await?;
        let opened = plugin.extension.call_open(&mut store, self.kind.name(), &self.name, &self.config).await;
        opened.map_err(|error| trapped(&error, &store, whose))?.map_err(convert::failure)?;
        Ok((store, plugin))
    }

    /// The limits, and whose they are: what has `limits` in a pipeline can raise them.
    pub(super) fn whose(&self) -> Whose<'_> {
        let of = match self.kind {
            kind if kind.is_for_stages() => Some("stage"),
            Kind::Model => Some("model"),
            Kind::CacheBackend => Some("tier"),
            _ => None,
        };
        Whose { limits: &self.limits, of }
    }

    fn demand(&self) -> Demand {
        match self.kind {
            kind if kind.is_for_stages() => Demand::Stage,
            Kind::RoutingPolicy => Demand::Policy,
            _ => Demand::Model,
        }
    }

    /// Checks the configuration with an instance that is thrown away, and asks a cache backend whether its values last.
    pub(super) async fn try_open(&mut self) -> Result<()> {
        let (bridge, limits) = (Arc::default(), limits_to_open(&self.limits));
        self.is_durable = in_time(&limits, &bridge, async {
            let (mut store, plugin) = self.fresh(&bridge).await?;
            let Some(cache) = plugin.cache.filter(|_| self.kind == Kind::CacheBackend) else { return Ok(false) };
            let asked = cache.call_is_durable(&mut store).await;
            asked.map_err(|error| trapped(&error, &store, self.whose()))
        })
        .await??;
        Ok(())
    }

    async fn answer(&self, batch: &[Request], bridge: &Arc<Bridge>) -> Result<Vec<Result<Document>>> {
        let (mut store, plugin) = self.fresh(bridge).await?;
        let requests: Vec<_> = batch.iter().map(convert::request).collect();
        let answered = plugin.extension.call_call(&mut store, &requests).await;
        let results = answered.map_err(|error| trapped(&error, &store, self.whose()))?;
        let failure = |failure| said_itself(failure, store.data());
        Ok(results.into_iter().map(|result| result.map_err(failure).and_then(convert::document)).collect())
    }

    /// Does some work with an instance as soon as there is memory for it and a turn to compute.
    async fn admitted<T>(
        &self,
        bridge: &Bridge,
        clock: &Arc<QueueClock>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let admission = Admission::current();
        let admitted = admission.begin(self.demand(), self.limits.memory, clock).await?;
        // The instance is gone before its memory is given back.
        let _memory = admitted.memory;
        run(&self.limits, &bridge.meter, (&admission, clock, admitted.turn), work).await?
    }

    /// Does some work with an instance, while the host answers what the instance asks of it.
    pub(super) async fn hosted<T>(
        &self,
        host: &dyn HostCalls,
        bridge: &Arc<Bridge>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        *bridge.model.lock().unwrap_or_else(PoisonError::into_inner) = host.model_name();
        let clock = QueueClock::within_current();
        let mut answer = pin!(self.admitted(bridge, &clock, work));
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
                match clock.during(|| asked.poll_next_unpin(context)) {
                    Poll::Ready(Some(())) => {}
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
        self.health.ended(answered.as_ref().err());
        answered
    }
}

/// A failure that a guest answers in words of its own: where the machine has no memory left, that is why.
pub(super) fn said_itself(failure: types::Failure, state: &State) -> Failure {
    match convert::failure(failure) {
        Failure::Internal(_) | Failure::OverBudget(_) if state.machine_is_short => {
            Failure::Unavailable(no_memory_left())
        }
        failure => failure,
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
            match self.hosted(host, &bridge, self.answer(batch, &bridge)).await {
                Ok(results) => results,
                Err(failure) => vec![Err(failure); batch.len()],
            }
        })
    }

    fn as_cache(&self) -> Option<&dyn CacheCalls> {
        (self.kind == Kind::CacheBackend).then_some(self as &dyn CacheCalls)
    }

    fn traps(&self) -> u64 {
        self.health.traps()
    }
}

/// Runs the work of a guest outside of a run: alone, so that it waits for neither a turn nor memory.
pub(super) async fn in_time<T>(limits: &Limits, bridge: &Bridge, work: impl Future<Output = T>) -> Result<T> {
    run(limits, &bridge.meter, (&Admission::current(), &QueueClock::within_current(), None), work).await
}

/// Runs the work of a guest within its CPU time. A guest that waits uses none: the clock on the wall bounds it all the same,
/// from now on and but for what it queues.
async fn run<T>(
    limits: &Limits,
    meter: &CpuMeter,
    (admission, clock, turn): (&Arc<Admission>, &Arc<QueueClock>, Option<Turn>),
    work: impl Future<Output = T>,
) -> Result<T> {
    let work = metered(meter, limits.time, (admission, clock, turn), work);
    let in_time = clock.timeout(limits.wall, work).await;
    in_time.unwrap_or_else(|| Err(Failure::OverBudget(took_too_long(limits.wall))))
}

/// Limits, and what of a pipeline they are of, if of anything.
#[derive(Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) limits: &'a Limits,
    pub(super) of: Option<&'static str>,
}

pub(super) async fn instantiate(
    prepared: &Prepared,
    whose: Whose<'_>,
    world: World,
    bridge: &Arc<Bridge>,
) -> Result<(Store<State>, Exports)> {
    let mut store = store(prepared.engine(), whose.limits, world, Arc::clone(bridge))
        .map_err(|error| Failure::Internal(format!("no sandbox: {error:#}")))?;
    match prepared.instantiate(&mut store).await {
        Ok(plugin) => Ok((store, plugin)),
        Err(error) if error.is::<wasmtime::PoolConcurrencyLimitError>() => {
            Err(Failure::Unavailable("every sandbox is in use".to_owned()))
        }
        Err(error) => Err(trapped(&error, &store, whose)),
    }
}

/// What ended a guest, as a failure.
pub(super) fn trapped(error: &wasmtime::Error, store: &Store<State>, whose: Whose<'_>) -> Failure {
    let (state, limits) = (store.data(), whose.limits);
    if let Some(full) = error.downcast_ref::<ScratchFull>() {
        return Failure::OverBudget(full.to_string());
    }
    if let Some(hit) = &state.hit {
        return Failure::OverBudget(hit.clone());
    }
    // What a guest does without the memory that it needed is no fault of its own.
    if state.machine_is_short || is_out_of_memory(error) {
        return Failure::Unavailable(no_memory_left());
    }
    let gave_up = error.downcast_ref::<Trap>().is_none_or(|trap| *trap == Trap::UnreachableCodeReached);
    if gave_up && let Some(refused) = state.refused {
        let (wanted, limit) = (size(refused.wanted), size(limits.memory));
        let mut what = format!("asked for {wanted} of memory, beyond its limit of {limit}");
        if let Some(of) = whose.of {
            let more = refused.wanted.max(limits.memory.saturating_add(1));
            let enough = size(more.checked_next_power_of_two().unwrap_or(more)).replace(' ', "");
            what += &format!("; `limits = {{ memory = \"{enough}\" }}` in its {of} allows more");
        }
        return Failure::OverBudget(what);
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
