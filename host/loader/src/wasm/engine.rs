//! The two engines: one for speed, and one that counts instructions. Each is made when it is first needed.

use std::{sync::OnceLock, thread, time::Duration};

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{
    no_thread,
    sandbox::{address_space, size},
};

/// The length of an epoch. A guest that computes is interrupted after each, so limits on time are exact to about this.
const TICK: Duration = Duration::from_millis(10);

/// The most memory of one guest in bytes, whatever its limit says.
pub(super) const MOST_MEMORY: usize = 4 << 30;

/// The most memory that a free slot of the pool keeps for the next guest, in bytes. Each thread fills slots of its own.
const KEPT_MEMORY: usize = 512 << 10;
/// The same for a table.
const KEPT_TABLE: usize = 64 << 10;
/// The most free slots that are kept for the plugin that used them last.
const MOST_WARM_SLOTS: u32 = 8;

/// The engine, with its pool of instances.
///
/// # Errors
/// If the system has no addresses or no thread for it, as a message.
pub(super) fn engine(counts_fuel: bool) -> Result<&'static Engine, String> {
    static PLAIN: OnceLock<Result<Engine, String>> = OnceLock::new();
    static FUEL: OnceLock<Result<Engine, String>> = OnceLock::new();
    let cell = if counts_fuel { &FUEL } else { &PLAIN };
    cell.get_or_init(|| make(counts_fuel)).as_ref().map_err(Clone::clone)
}

fn make(counts_fuel: bool) -> Result<Engine, String> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    config.consume_fuel(counts_fuel);
    // The same bytes everywhere, down to the payload of a NaN.
    config.cranelift_nan_canonicalization(true);
    config.wasm_relaxed_simd(false);

    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(1024);
    pool.total_core_instances(8192);
    pool.total_memories(1024);
    pool.total_tables(4096);
    pool.total_stacks(1024);
    pool.max_core_instances_per_component(64);
    pool.max_memories_per_module(16);
    pool.max_tables_per_module(16);
    pool.max_memory_size(MOST_MEMORY);
    // Pages that an instance wrote are reset and stay, so that the next instance in the slot does not fault them in. If the
    // kernel cannot tell which pages were written, they are given back instead.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.linear_memory_keep_resident(KEPT_MEMORY);
        pool.table_keep_resident(KEPT_TABLE);
        pool.max_unused_warm_slots(MOST_WARM_SLOTS);
        pool.pagemap_scan(Enabled::Yes);
    }
    // The pool reserves terabytes of addresses, but no memory. If addresses are limited, or the system refuses them, instances
    // are made one by one.
    let engine = if address_space().is_none() {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        Engine::new(&config).or_else(|_| Engine::new(with_few_addresses(&mut config)))
    } else {
        Engine::new(with_few_addresses(&mut config))
    };
    let engine = engine.map_err(|error| format!("{error:#}"))?;
    let ticking = engine.weak();
    let tick = move || {
        while let Some(engine) = ticking.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("wasm-clock".to_owned()).spawn(tick).map_err(|error| no_thread(&error))?;
    Ok(engine)
}

/// Settings with which an instance takes no more addresses than it has memory. Then bounds are checked in code instead of by the
/// machine, and a memory that grows may have to move.
fn with_few_addresses(config: &mut Config) -> &Config {
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    config.memory_reservation(0).memory_guard_size(64 << 10).guard_before_linear_memory(false);
    config.memory_reservation_for_growth(0).memory_may_move(true)
}

/// Whether the system refused memory or addresses, for which the guest is not at fault.
pub(super) fn is_out_of_memory(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|error| error.kind() == std::io::ErrorKind::OutOfMemory) || is_refusal(cause)
    })
}

#[cfg(unix)]
fn is_refusal(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.downcast_ref::<rustix::io::Errno>() == Some(&rustix::io::Errno::NOMEM)
}

#[cfg(not(unix))]
fn is_refusal(_: &(dyn std::error::Error + 'static)) -> bool {
    false
}

/// The message if the system refuses memory, with what can be done about it.
pub(super) fn no_memory_left() -> String {
    match address_space() {
        Some(limit) => format!(
            "no addresses are left for its instance, within the limit of {}: raise it (`ulimit -v`), or run fewer at a \
             time (`--jobs`)",
            size(limit)
        ),
        None => "the system has no memory left for its instance: run fewer at a time (`--jobs`), or set \
                 `[pipeline] sandbox_memory` to less"
            .to_owned(),
    }
}
