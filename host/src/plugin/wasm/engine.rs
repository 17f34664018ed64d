//! The engines: one for speed, one that counts instructions, each made when it is first needed.

use std::{sync::OnceLock, thread, time::Duration};

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How often a computing guest is looked after: time limits are kept to about this.
const TICK: Duration = Duration::from_millis(10);

/// Memory of one guest at the most, whatever its limit says.
pub(super) const MOST_MEMORY: usize = 4 << 30;

/// Memory that the place of a guest that is gone keeps for the next one, at the most. Each thread fills places of its own.
const KEPT: usize = 512 << 10;
/// The same of a table.
const KEPT_TABLE: usize = 64 << 10;
/// How many places that are free may be kept for the plugin that was last in them.
const MOST_WARM: u32 = 8;

/// The engine, with its prepared pool.
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
    pool.max_memory_size(MOST_MEMORY);
    // Pages that an instance wrote are made as they were, and stay: the next one in its place need not fault them in. Where
    // the kernel cannot tell which were written, they are given back instead.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.linear_memory_keep_resident(KEPT);
        pool.table_keep_resident(KEPT_TABLE);
        pool.max_unused_warm_slots(MOST_WARM);
        pool.pagemap_scan(Enabled::Yes);
    }
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    // The pool reserves addresses, not memory; where even that is refused, instances are made one by one.
    let engine = Engine::new(&config).or_else(|_| {
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    });
    let engine = engine.map_err(|error| format!("{error:#}"))?;
    let ticking = engine.weak();
    let tick = move || {
        while let Some(engine) = ticking.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("wasm-clock".to_owned()).spawn(tick).map_err(|error| error.to_string())?;
    Ok(engine)
}
