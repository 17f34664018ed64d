//! The state that the host holds for one instance: its limits, what it has used of them, and what it may reach.

use std::sync::Arc;

use jackfield_plugin_api::{Failure, Result as CallResult};
use tokio::sync::oneshot;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::{
    bridge::{Bridge, HostRequest},
    clocks_and_chance::Phase,
    engine::is_out_of_memory,
    scratch::CountedView,
    world::World,
};
use crate::sandbox::{Grants, Limits, used_up};

/// A request for memory beyond the limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct RefusedMemory {
    /// The memory that the instance would have had with it, in bytes.
    pub(super) wanted: u64,
}

/// State of one instance.
pub(super) struct State {
    pub(super) limits: Limits,
    /// Bytes of its memories and tables.
    memory: usize,
    /// Calls to the host so far.
    host_calls: u64,
    /// The limit that ended the guest, as a message.
    pub(super) limit_hit: Option<String>,
    /// The last request for memory that was refused. Most guests end because of it, but they need not.
    pub(super) refused_memory: Option<RefusedMemory>,
    /// How far it has come.
    pub(super) phase: Phase,
    /// The failure of a guest that did what it was not granted.
    pub(super) denied: Option<Failure>,
    /// Whether the machine refused memory that the limit allows.
    pub(super) machine_is_short: bool,
    pub(super) bridge: Arc<Bridge>,
    /// Bytes that were sent to servers.
    pub(super) bytes_sent: u64,
    /// Bytes of the tensors that it made, or began to make.
    pub(super) tensor_bytes: u64,
    world: World,
    /// The resources that the guest has handles to.
    pub(super) table: ResourceTable,
}

/// A store for one instance, with its limits in force.
pub(super) fn store(
    engine: &Engine,
    limits: &Limits,
    world: World,
    bridge: Arc<Bridge>,
) -> wasmtime::Result<Store<State>> {
    let state = State {
        limits: limits.clone(),
        memory: 0,
        host_calls: 0,
        limit_hit: None,
        refused_memory: None,
        phase: Phase::SettingUp,
        denied: None,
        machine_is_short: false,
        bridge,
        bytes_sent: 0,
        tensor_bytes: 0,
        world,
        table: ResourceTable::new(),
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| state);
    store.set_hostcall_fuel(usize::try_from(limits.output).unwrap_or(usize::MAX));
    if let Some(fuel) = limits.fuel {
        store.set_fuel(fuel)?;
    }
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| {
        let state = context.data_mut();
        let limit = state.limits.time;
        if state.bridge.meter.used() < limit {
            state.bridge.meter.interrupt();
            return Ok(UpdateDeadline::Yield(1));
        }
        state.limit_hit = Some(used_up(limit));
        Err(wasmtime::Error::msg("out of time"))
    });
    Ok(store)
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.world.wasi, table: &mut self.table }
    }
}

impl State {
    /// What the extension may do.
    pub(super) fn grants(&self) -> &Arc<Grants> {
        &self.world.grants
    }

    /// The files of the instance. What is written to scratch folders is counted.
    pub(super) fn counted_files(&mut self) -> CountedView<'_> {
        CountedView { wasi: &mut self.world.wasi, table: &mut self.table, scratch: &mut self.world.scratch }
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory.saturating_add(desired.saturating_sub(current));
        if wanted as u64 > self.limits.memory {
            self.refused_memory = Some(RefusedMemory { wanted: wanted as u64 });
            return Ok(false);
        }
        self.memory = wanted;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.machine_is_short |= is_out_of_memory(&error);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        // An element of a table takes a pointer and its tag.
        let bytes = |elements: usize| elements.saturating_mul(16);
        self.memory_growing(bytes(current), bytes(desired), None)
    }
}

impl State {
    /// Counts a host call.
    pub(super) fn count_host_call(&mut self) -> wasmtime::Result<()> {
        self.host_calls += 1;
        if self.host_calls > self.limits.host_calls {
            self.limit_hit = Some(format!("made more than {} host calls", self.limits.host_calls));
            return Err(wasmtime::Error::msg("too many host calls"));
        }
        Ok(())
    }

    /// Sends a request to the host, and waits for the answer.
    pub(super) async fn ask<T>(
        &mut self,
        request: impl FnOnce(oneshot::Sender<CallResult<T>>) -> HostRequest,
    ) -> wasmtime::Result<CallResult<T>> {
        self.count_host_call()?;
        let (sender, answer) = oneshot::channel();
        self.bridge.request(request(sender));
        answer.await.map_err(|_| wasmtime::Error::msg("the host is gone"))
    }
}
