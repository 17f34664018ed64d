//! What the host keeps of one instance: its limits, and what it may reach.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jackfield_plugin_api::{HostCalls, Level, Random};
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use super::bindings::jackfield::plugin::{host, types};
use crate::plugin::sandbox::{Limits, size};

/// The longest log line or note that is taken; the rest is cut off.
const LONGEST_LINE: usize = 16 << 10;

/// Something the guest said.
enum Said {
    Log(Level, String, String),
    Progress(u32, u64, Option<u64>, String),
}

/// Carries words between an instance, which owns its state, and a call, which borrows the host.
#[derive(Default)]
pub(super) struct Bridge {
    said: Mutex<Vec<Said>>,
    cancelled: AtomicBool,
    /// What a panic in the guest said before it became a trap.
    pub(super) last_words: Mutex<Option<String>>,
}

impl Bridge {
    /// Hands on what was said, and learns whether the answer is still wanted.
    pub(super) fn exchange(&self, host: &dyn HostCalls) {
        self.cancelled.store(host.cancelled(), Ordering::Release);
        let said = std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner));
        for said in said {
            match said {
                Said::Log(level, target, message) => host.log(level, &target, &message),
                Said::Progress(index, done, total, note) => host.progress(index, done, total, &note),
            }
        }
    }

    fn say(&self, said: Said) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push(said);
    }
}

/// State of one instance.
pub(super) struct State {
    limits: Limits,
    deadline: Instant,
    memory: usize,
    calls: u64,
    /// The limit that ended the guest, as a message.
    pub(super) hit: Option<String>,
    /// The last request for memory that was refused: most guests end over it, but they need not.
    pub(super) refused: Option<String>,
    pub(super) bridge: Arc<Bridge>,
    wasi: WasiCtx,
    table: ResourceTable,
}

/// A store for one instance, with its limits in force.
pub(super) fn store(engine: &Engine, limits: &Limits, bridge: Arc<Bridge>) -> wasmtime::Result<Store<State>> {
    let state = State {
        limits: limits.clone(),
        deadline: Instant::now() + limits.time,
        memory: 0,
        calls: 0,
        hit: None,
        refused: None,
        bridge,
        wasi: nothing(),
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
        if Instant::now() < state.deadline {
            return Ok(UpdateDeadline::Yield(1));
        }
        let limit = humantime::format_duration(state.limits.time);
        state.hit = Some(format!("computed for longer than its limit of {limit}"));
        Err(wasmtime::Error::msg("out of time"))
    });
    Ok(store)
}

/// A WASI with nothing in it: no arguments, environment, files or sockets; output goes nowhere, clocks stand still and
/// random numbers are the same every time.
fn nothing() -> WasiCtx {
    let mut builder = WasiCtx::builder();
    builder.wall_clock(Still).monotonic_clock(Still).insecure_random_seed(0);
    builder.secure_random(seeded()).insecure_random(seeded());
    builder.build()
}

fn seeded() -> impl rand_core::Rng + Send + 'static {
    Seeded(Random::new(0))
}

struct Seeded(Random);

impl rand_core::TryRng for Seeded {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.0.next_u64() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.next_u64().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

struct Still;

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory.saturating_add(desired.saturating_sub(current));
        if wanted as u64 > self.limits.memory {
            let (wanted, limit) = (size(wanted as u64), size(self.limits.memory));
            self.refused = Some(format!("asked for {wanted} of memory, beyond its limit of {limit}"));
            return Ok(false);
        }
        self.memory = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        // An element takes a pointer and some.
        let bytes = |elements: usize| elements.saturating_mul(16);
        self.memory_growing(bytes(current), bytes(desired), None)
    }
}

impl State {
    /// Counts a host call.
    fn count(&mut self) -> wasmtime::Result<()> {
        self.calls += 1;
        if self.calls > self.limits.host_calls {
            self.hit = Some(format!("made more than {} host calls", self.limits.host_calls));
            return Err(wasmtime::Error::msg("too many host calls"));
        }
        Ok(())
    }
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST_LINE {
        let end = (0..=LONGEST_LINE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

impl types::Host for State {}

impl host::Host for State {
    fn log(&mut self, level: host::Level, target: String, message: String) -> wasmtime::Result<()> {
        self.count()?;
        let level = match level {
            host::Level::Error => Level::Error,
            host::Level::Warn => Level::Warn,
            host::Level::Info => Level::Info,
            host::Level::Debug => Level::Debug,
            host::Level::Trace => Level::Trace,
        };
        let (target, message) = (cut(target), cut(message));
        if target == "panic" {
            *self.bridge.last_words.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        } else {
            self.bridge.say(Said::Log(level, target, message));
        }
        Ok(())
    }

    fn progress(&mut self, index: u32, done: u64, total: Option<u64>, note: String) -> wasmtime::Result<()> {
        self.count()?;
        self.bridge.say(Said::Progress(index, done, total, cut(note)));
        Ok(())
    }

    fn cancelled(&mut self) -> wasmtime::Result<bool> {
        self.count()?;
        Ok(self.bridge.cancelled.load(Ordering::Acquire))
    }
}
