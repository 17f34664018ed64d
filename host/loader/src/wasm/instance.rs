//! One extension of a component, called.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};

use futures::{StreamExt as _, stream::FuturesUnordered};
use jackfield_plugin_api::{
    BoxFuture, CacheCalls, Document, Failure, HostCalls, Instance, Kind, Request, Result, sync::lock,
};
use wasmtime::{Store, Trap};
use wasmtime_wasi::I32Exit;

use super::{
    bridge::Bridge,
    clocks_and_chance::Phase,
    convert,
    engine::{is_out_of_memory, no_memory_left},
    exports::{Exports, Prepared},
    health::Health,
    meter::{CpuMeter, Schedule, metered},
    scratch::{ScratchFolders, ScratchFull},
    state::{State, store},
    v0_1::jackfield::plugin::types,
    world::{self, World},
};
use crate::{
    escape_untrusted,
    sandbox::{Admission, Demand, Grants, Limits, QueueClock, limits_to_open, size, took_too_long},
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
    /// The scratch folders of a cache backend: its instances keep values there for each other. An instance of another kind has
    /// folders of its own.
    pub(super) scratch: Option<ScratchFolders>,
    /// Whether the values of a cache backend outlive the process, as it answered when it was opened.
    pub(super) is_durable: bool,
}

impl Guest {
    /// Makes an instance, and opens the extension in it with the configuration.
    pub(super) async fn new_instance(&self, bridge: &Arc<Bridge>) -> Result<(Store<State>, Exports)> {
        let limits = self.limits_and_owner();
        let scratch = match &self.scratch {
            Some(shared) => shared.clone(),
            None => world::scratch_folders(&self.grants, self.limits.scratch, false)?,
        };
        let world = World::new(&self.grants, scratch, bridge)?;
        let (mut store, plugin) = instantiate(&self.prepared, limits, world, bridge).await?;
        store.data_mut().phase = Phase::Opening;
        let opened = plugin.extension.call_open(&mut store, self.kind.name(), &self.name, &self.config).await;
        opened.map_err(|error| trapped(&error, &store, limits))?.map_err(convert::failure)?;
        store.data_mut().phase = Phase::Answering;
        Ok((store, plugin))
    }

    /// The limits, and the table of the pipeline in which they can be raised.
    pub(super) fn limits_and_owner(&self) -> OwnedLimits<'_> {
        let owner = match self.kind {
            kind if kind.is_for_stages() => Some("stage"),
            Kind::Model => Some("model"),
            Kind::CacheBackend => Some("tier"),
            _ => None,
        };
        OwnedLimits { limits: &self.limits, owner }
    }

    /// The traps in a row after which it is called no more, 0 for no such number. The service that uses a cache backend counts
    /// for itself.
    fn most_traps(&self) -> u32 {
        if self.kind == Kind::CacheBackend { 0 } else { self.limits.traps }
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
            let (mut store, plugin) = self.new_instance(&bridge).await?;
            let Some(cache) = plugin.cache.filter(|_| self.kind == Kind::CacheBackend) else { return Ok(false) };
            let is_durable = cache.call_is_durable(&mut store).await;
            is_durable.map_err(|error| trapped(&error, &store, self.limits_and_owner()))
        })
        .await??;
        Ok(())
    }

    async fn answer(&self, batch: &[Request], bridge: &Arc<Bridge>) -> Result<Vec<Result<Document>>> {
        let (mut store, plugin) = self.new_instance(bridge).await?;
        let requests: Vec<_> = batch.iter().map(convert::request).collect();
        let answered = plugin.extension.call_call(&mut store, &requests).await;
        let results = answered.map_err(|error| trapped(&error, &store, self.limits_and_owner()))?;
        let failure = |failure| guest_failure(failure, store.data());
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
        // Dropped after the instance, so that its memory is given back when it is free.
        let _memory = admitted.memory;
        let schedule = Schedule { admission: &admission, clock, turn: admitted.turn };
        run(&self.limits, &bridge.meter, schedule, work).await?
    }

    /// Does some work with an instance, while the host answers what the instance asks of it.
    pub(super) async fn hosted<T>(
        &self,
        host: &dyn HostCalls,
        bridge: &Arc<Bridge>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        *lock(&bridge.model_name) = host.model_name();
        let clock = QueueClock::within_current();
        let mut answer = pin!(self.admitted(bridge, &clock, work));
        let mut requests = FuturesUnordered::new();
        let answered = poll_fn(|context| {
            loop {
                bridge.exchange(host);
                if let Poll::Ready(answered) = answer.as_mut().poll(context) {
                    bridge.exchange(host);
                    return Poll::Ready(answered);
                }
                bridge.exchange(host);
                requests.extend(bridge.take_requests().into_iter().map(|request| request.answer(host)));
                // An answer that is there at once is handed to the guest at once.
                match clock.during(|| requests.poll_next_unpin(context)) {
                    Poll::Ready(Some(())) => {}
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
        match self.health.record(answered.as_ref().err(), self.most_traps()) {
            Some(quarantined) => Err(quarantined),
            None => answered,
        }
    }
}

/// A failure that a guest answers itself. If the machine has no memory left, that is its cause, and the plugin is not at
/// fault.
pub(super) fn guest_failure(failure: types::Failure, state: &State) -> Failure {
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
            if let Some(failure) = self.health.quarantine() {
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

/// Runs the work of a guest that belongs to no run, so that it need not wait for a turn or for memory.
pub(super) async fn in_time<T>(limits: &Limits, bridge: &Bridge, work: impl Future<Output = T>) -> Result<T> {
    let (admission, clock) = (Admission::current(), QueueClock::within_current());
    run(limits, &bridge.meter, Schedule { admission: &admission, clock: &clock, turn: None }, work).await
}

/// Runs the work of a guest within its CPU time and its time by the wall clock. While it waits in a queue of the host, neither
/// passes.
async fn run<T>(limits: &Limits, meter: &CpuMeter, schedule: Schedule<'_>, work: impl Future<Output = T>) -> Result<T> {
    let clock = schedule.clock;
    let work = metered(meter, limits.time, schedule, work);
    let in_time = clock.timeout(limits.wall, work).await;
    in_time.unwrap_or_else(|| Err(Failure::OverBudget(took_too_long(limits.wall))))
}

/// Limits, and the table of a pipeline that sets them.
#[derive(Clone, Copy)]
pub(super) struct OwnedLimits<'a> {
    pub(super) limits: &'a Limits,
    /// `stage`, `model` or `tier`; none if no table sets them.
    pub(super) owner: Option<&'static str>,
}

/// Makes an instance of a component.
///
/// # Errors
/// If the machine has no room for it, or its start function ends in a trap.
pub(super) async fn instantiate(
    prepared: &Prepared,
    limits: OwnedLimits<'_>,
    world: World,
    bridge: &Arc<Bridge>,
) -> Result<(Store<State>, Exports)> {
    let mut store = store(prepared.engine(), limits.limits, world, Arc::clone(bridge))
        .map_err(|error| Failure::Internal(format!("no sandbox: {error:#}")))?;
    match prepared.instantiate(&mut store).await {
        Ok(plugin) => Ok((store, plugin)),
        Err(error) if error.is::<wasmtime::PoolConcurrencyLimitError>() => {
            Err(Failure::Unavailable("every sandbox is in use".to_owned()))
        }
        Err(error) => Err(trapped(&error, &store, limits)),
    }
}

/// The failure of a call whose guest was ended by this error.
pub(super) fn trapped(error: &wasmtime::Error, store: &Store<State>, limits: OwnedLimits<'_>) -> Failure {
    let (state, OwnedLimits { limits, owner }) = (store.data(), limits);
    if let Some(full) = error.downcast_ref::<ScratchFull>() {
        return Failure::OverBudget(full.to_string());
    }
    if let Some(denied) = &state.denied {
        return denied.clone();
    }
    if let Some(limit) = &state.limit_hit {
        return Failure::OverBudget(limit.clone());
    }
    // A guest that did not get the memory that it may have is not at fault.
    if state.machine_is_short || is_out_of_memory(error) {
        return Failure::Unavailable(no_memory_left());
    }
    let gave_up = error.downcast_ref::<Trap>().is_none_or(|trap| *trap == Trap::UnreachableCodeReached);
    if gave_up && let Some(refused) = state.refused_memory {
        let (wanted, limit) = (size(refused.wanted), size(limits.memory));
        let mut what = format!("asked for {wanted} of memory, beyond its limit of {limit}");
        if let Some(owner) = owner {
            let more = refused.wanted.max(limits.memory.saturating_add(1));
            let enough = size(more.checked_next_power_of_two().unwrap_or(more)).replace(' ', "");
            what += &format!("; `limits = {{ memory = \"{enough}\" }}` in its {owner} allows more");
        }
        return Failure::OverBudget(what);
    }
    if let Some(message) = lock(&state.bridge.panic_message).take() {
        return Failure::Internal(message);
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
                // The causes around the root hold names of the guest's functions, which may be any text.
                let cause = error.root_cause().to_string();
                Failure::Internal(format!(
                    "trapped: {}",
                    escape_untrusted(&cause.chars().take(400).collect::<String>())
                ))
            }
        }
    }
}
