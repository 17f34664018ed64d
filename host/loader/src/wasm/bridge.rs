//! The bridge between an instance, which owns its state, and a call, which borrows the host: messages and requests of the
//! guest wait here until the call takes them to the host.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jackfield_plugin_api::{
    CacheValue, Completion, CompletionRequest, HostCalls, HttpRequest, HttpResponse, Level, Result as CallResult,
    TensorReader, TensorRef, sync::lock,
};
use tokio::sync::oneshot;

use super::{
    meter::CpuMeter,
    tensors::{Pieces, make_tensor},
};

/// A log line or a report of progress that a guest has sent.
pub(super) enum GuestMessage {
    Log { level: Level, target: String, message: String },
    Progress { index: u32, done: u64, total: Option<u64>, note: String },
}

impl GuestMessage {
    /// The bytes of its texts.
    fn length(&self) -> usize {
        match self {
            Self::Log { target, message, .. } => target.len() + message.len(),
            Self::Progress { note, .. } => note.len(),
        }
    }
}

/// Where the answer to a request of the guest is sent.
type AnswerSender<T> = oneshot::Sender<CallResult<T>>;

/// What a guest asks of the host's services. `index` is that of the document in its batch.
pub(super) enum HostRequest {
    Complete { index: u32, request: Box<CompletionRequest>, answer: AnswerSender<Completion> },
    CacheGet { index: u32, key: String, answer: AnswerSender<Option<CacheValue>> },
    CachePut { index: u32, key: String, value: CacheValue, ttl: Option<Duration>, answer: AnswerSender<()> },
    Fetch { index: u32, request: Box<HttpRequest>, answer: AnswerSender<HttpResponse> },
    OpenTensor { index: u32, tensor: TensorRef, answer: AnswerSender<Arc<[f32]>> },
    MakeTensor { index: u32, shape: Vec<u64>, pieces: Pieces, begun: AnswerSender<()> },
}

impl HostRequest {
    /// Lets the host answer. A guest that has ended in the meantime needs no answer, so that one is dropped.
    pub(super) async fn answer(self, host: &dyn HostCalls) {
        match self {
            Self::Complete { index, request, answer } => {
                let _ = answer.send(host.complete(index, *request).await);
            }
            Self::CacheGet { index, key, answer } => {
                let _ = answer.send(host.cache_get(index, &key).await);
            }
            Self::CachePut { index, key, value, ttl, answer } => {
                let _ = answer.send(host.cache_put(index, &key, value, ttl).await);
            }
            Self::Fetch { index, request, answer } => {
                let _ = answer.send(host.fetch(index, *request).await);
            }
            Self::OpenTensor { index, tensor, answer } => {
                let opened = host.open_tensor(index, &tensor);
                let opened = opened.and_then(|elements| TensorReader::new(tensor.shape, elements)?.into_shared());
                let _ = answer.send(opened);
            }
            Self::MakeTensor { index, shape, pieces, begun } => make_tensor(host, index, &shape, pieces, begun).await,
        }
    }
}

/// The most messages that a guest may send in one call.
const MOST_MESSAGES: usize = 10_000;
/// The most bytes that their texts may have in all.
const MOST_BYTES: usize = 4 << 20;

/// How much a guest has logged and reported in this call so far.
#[derive(Default)]
struct LogQuota {
    messages: usize,
    bytes: usize,
    is_exceeded: bool,
}

/// Carries messages and requests from an instance to a call, and what the call knows to the instance.
#[derive(Default)]
pub(super) struct Bridge {
    messages: Mutex<Vec<GuestMessage>>,
    log_quota: Mutex<LogQuota>,
    requests: Mutex<Vec<HostRequest>>,
    /// Name of the model of the stage that is called.
    pub(super) model_name: Mutex<Option<String>>,
    /// The CPU time that the guest has used.
    pub(super) meter: CpuMeter,
    cancelled: AtomicBool,
    /// The message of a panic in the guest, which it sends before the panic becomes a trap.
    pub(super) panic_message: Mutex<Option<String>>,
}

impl Bridge {
    /// Hands the guest's messages to the host, and asks it whether the call was cancelled.
    pub(super) fn exchange(&self, host: &dyn HostCalls) {
        self.cancelled.store(host.cancelled(), Ordering::Release);
        for message in self.take_messages() {
            match message {
                GuestMessage::Log { level, target, message } => host.log(level, &target, &message),
                GuestMessage::Progress { index, done, total, note } => host.progress(index, done, total, &note),
            }
        }
    }

    /// Whether the call was cancelled, as the host said at the last exchange.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Adds a request, which is answered after the next poll of the guest.
    pub(super) fn request(&self, request: HostRequest) {
        lock(&self.requests).push(request);
    }

    /// Takes the requests that were added since the last time.
    pub(super) fn take_requests(&self) -> Vec<HostRequest> {
        std::mem::take(&mut *lock(&self.requests))
    }

    /// Takes the messages that were added since the last time.
    pub(super) fn take_messages(&self) -> Vec<GuestMessage> {
        std::mem::take(&mut *lock(&self.messages))
    }

    /// Adds a message. Once a guest has sent too much, a warning stands in place of all that it sends from then on.
    pub(super) fn send(&self, message: GuestMessage) {
        let mut quota = lock(&self.log_quota);
        if quota.is_exceeded {
            return;
        }
        quota.messages += 1;
        quota.bytes += message.length();
        quota.is_exceeded = quota.messages > MOST_MESSAGES || quota.bytes > MOST_BYTES;
        let message = if quota.is_exceeded {
            let message = "it says too much in one call: the rest is left out".to_owned();
            GuestMessage::Log { level: Level::Warn, target: String::new(), message }
        } else {
            message
        };
        lock(&self.messages).push(message);
    }
}
