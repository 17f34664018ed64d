//! What the host keeps of one instance: its limits, and what it may reach.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jackfield_plugin_api::{
    CacheValue, Completion, CompletionRequest, Failure, HostCalls, HttpRequest, HttpResponse, Level,
    Result as CallResult, TensorReader, TensorRef,
};
use tokio::sync::oneshot;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::{
    convert,
    engine::is_out_of_memory,
    meter::CpuMeter,
    scratch::CountedView,
    tensors::{Pieces, make_tensor},
    v0_1::jackfield::plugin::{cache, host, http, model, types},
    world::World,
};
use crate::{
    escape_untrusted,
    sandbox::{Limits, size, used_up},
};

/// The longest log line or note that is taken; the rest is cut off.
const LONGEST_LINE: usize = 16 << 10;

/// Something the guest said.
enum Said {
    Log(Level, String, String),
    Progress(u32, u64, Option<u64>, String),
}

/// Something the guest asked of the host's services, and the way back.
pub(super) enum Ask {
    Complete(u32, Box<CompletionRequest>, oneshot::Sender<CallResult<Completion>>),
    Get(u32, String, oneshot::Sender<CallResult<Option<CacheValue>>>),
    Put(u32, String, CacheValue, Option<Duration>, oneshot::Sender<CallResult<()>>),
    Fetch(u32, Box<HttpRequest>, oneshot::Sender<CallResult<HttpResponse>>),
    OpenTensor(u32, TensorRef, oneshot::Sender<CallResult<Arc<[f32]>>>),
    MakeTensor(u32, Vec<u64>, Pieces, oneshot::Sender<CallResult<()>>),
}

impl Ask {
    /// Has the host answer. A guest that is gone needs no answer.
    pub(super) async fn answer(self, host: &dyn HostCalls) {
        match self {
            Self::Complete(index, request, back) => {
                let _ = back.send(host.complete(index, *request).await);
            }
            Self::Get(index, key, back) => {
                let _ = back.send(host.cache_get(index, &key).await);
            }
            Self::Put(index, key, value, ttl, back) => {
                let _ = back.send(host.cache_put(index, &key, value, ttl).await);
            }
            Self::Fetch(index, request, back) => {
                let _ = back.send(host.fetch(index, *request).await);
            }
            Self::OpenTensor(index, tensor, back) => {
                let opened = host.open_tensor(index, &tensor);
                let opened = opened.and_then(|elements| TensorReader::new(tensor.shape, elements)?.into_shared());
                let _ = back.send(opened);
            }
            Self::MakeTensor(index, shape, pieces, back) => make_tensor(host, (index, &shape), pieces, back).await,
        }
    }
}

/// The most lines, progress included, that a call may say.
const MOST_LINES: usize = 10_000;
/// The most bytes that they may have in all.
const MOST_BYTES: usize = 4 << 20;

/// What a guest has said so far.
#[derive(Default)]
struct Spoken {
    lines: usize,
    bytes: usize,
    silenced: bool,
}

/// Carries words between an instance, which owns its state, and a call, which borrows the host.
#[derive(Default)]
pub(super) struct Bridge {
    said: Mutex<Vec<Said>>,
    spoken: Mutex<Spoken>,
    asked: Mutex<Vec<Ask>>,
    /// What the stage's model is.
    pub(super) model: Mutex<Option<String>>,
    /// What it has computed.
    pub(super) meter: CpuMeter,
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

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Vec<Ask> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A guest that says too much is heard no further, and that is said.
    fn say(&self, said: Said) {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        if spoken.silenced {
            return;
        }
        spoken.lines += 1;
        spoken.bytes += match &said {
            Said::Log(_, target, message) => target.len() + message.len(),
            Said::Progress(_, _, _, note) => note.len(),
        };
        spoken.silenced = spoken.lines > MOST_LINES || spoken.bytes > MOST_BYTES;
        let said = if spoken.silenced {
            Said::Log(Level::Warn, String::new(), "it says too much in one call: the rest is left out".to_owned())
        } else {
            said
        };
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push(said);
    }
}

/// A request for memory beyond the limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    /// What the instance would have had then, in bytes.
    pub(super) wanted: u64,
}

/// State of one instance.
pub(super) struct State {
    pub(super) limits: Limits,
    memory: usize,
    calls: u64,
    /// The limit that ended the guest, as a message.
    pub(super) hit: Option<String>,
    /// The last request for memory that was refused: most guests end over it, but they need not.
    pub(super) refused: Option<Refused>,
    /// Whether the machine refused memory that the limit allows.
    pub(super) machine_is_short: bool,
    pub(super) bridge: Arc<Bridge>,
    /// Bytes that were sent to servers.
    sent: u64,
    /// Bytes of the tensors that it made, or began to make.
    pub(super) made: u64,
    world: World,
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
        calls: 0,
        hit: None,
        refused: None,
        machine_is_short: false,
        bridge,
        sent: 0,
        made: 0,
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
        state.hit = Some(used_up(limit));
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
    /// Its files, with what is put into scratch folders counted.
    pub(super) fn counted_files(&mut self) -> CountedView<'_> {
        CountedView { wasi: &mut self.world.wasi, table: &mut self.table, scratch: &mut self.world.scratch }
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory.saturating_add(desired.saturating_sub(current));
        if wanted as u64 > self.limits.memory {
            self.refused = Some(Refused { wanted: wanted as u64 });
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
        // An element takes a pointer and some.
        let bytes = |elements: usize| elements.saturating_mul(16);
        self.memory_growing(bytes(current), bytes(desired), None)
    }
}

impl State {
    /// Counts a host call.
    pub(super) fn count(&mut self) -> wasmtime::Result<()> {
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

impl State {
    /// Asks the host and waits.
    pub(super) async fn ask<T>(
        &mut self,
        ask: impl FnOnce(oneshot::Sender<CallResult<T>>) -> Ask,
    ) -> wasmtime::Result<CallResult<T>> {
        self.count()?;
        let (back, answer) = oneshot::channel();
        self.bridge.asked.lock().unwrap_or_else(PoisonError::into_inner).push(ask(back));
        answer.await.map_err(|_| wasmtime::Error::msg("the host is gone"))
    }
}

impl model::Host for State {
    async fn complete(&mut self, index: u32, request: String) -> wasmtime::Result<Result<String, types::Failure>> {
        let request = match CompletionRequest::from_json(&request) {
            Ok(request) => Box::new(request),
            Err(failure) => {
                self.count()?;
                return Ok(Err(convert::failure_out(failure)));
            }
        };
        let answer = self.ask(|back| Ask::Complete(index, request, back)).await?;
        let text = answer.and_then(|completion| {
            serde_json::to_string(&completion).map_err(|error| Failure::Internal(error.to_string()))
        });
        Ok(text.map_err(convert::failure_out))
    }

    fn name(&mut self) -> wasmtime::Result<Option<String>> {
        self.count()?;
        Ok(self.bridge.model.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl cache::Host for State {
    async fn get(&mut self, index: u32, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, types::Failure>> {
        let found = self.ask(|back| Ask::Get(index, key, back)).await?;
        Ok(found.map(|value| value.map(|value| value.to_vec())).map_err(convert::failure_out))
    }

    async fn put(
        &mut self,
        index: u32,
        key: String,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        let ttl = ttl_ms.map(Duration::from_millis);
        let put = self.ask(|back| Ask::Put(index, key, value.into(), ttl, back)).await?;
        Ok(put.map_err(convert::failure_out))
    }
}

impl http::Host for State {
    async fn fetch(
        &mut self,
        index: u32,
        request: http::HttpRequest,
    ) -> wasmtime::Result<Result<http::HttpResponse, types::Failure>> {
        let request = HttpRequest {
            method: request.method,
            url: request.url,
            headers: request.headers.into_iter().map(|header| (header.name, header.value)).collect(),
            body: request.body,
            timeout: request.timeout_ms.map(Duration::from_millis),
        };
        self.sent = self.sent.saturating_add((request.url.len() + request.body.len()) as u64);
        if self.sent > self.limits.output {
            self.hit = Some(format!("sent more than its limit of {}", size(self.limits.output)));
            return Err(wasmtime::Error::msg("too much sent"));
        }
        let fetched = self.ask(|back| Ask::Fetch(index, Box::new(request), back)).await?;
        let response = fetched.map(|response| http::HttpResponse {
            status: response.status,
            headers: response.headers.into_iter().map(|(name, value)| http::Header { name, value }).collect(),
            body: response.body,
        });
        Ok(response.map_err(convert::failure_out))
    }
}

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
        let message = escape_untrusted(&cut(message)).into_owned();
        if target == "panic" {
            *self.bridge.last_words.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        } else {
            self.bridge.say(Said::Log(level, cut(target), message));
        }
        Ok(())
    }

    fn progress(&mut self, index: u32, done: u64, total: Option<u64>, note: String) -> wasmtime::Result<()> {
        self.count()?;
        self.bridge.say(Said::Progress(index, done, total, escape_untrusted(&cut(note)).into_owned()));
        Ok(())
    }

    fn cancelled(&mut self) -> wasmtime::Result<bool> {
        self.count()?;
        Ok(self.bridge.cancelled.load(Ordering::Acquire))
    }
}
