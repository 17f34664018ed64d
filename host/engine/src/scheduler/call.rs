//! Calls, and the batches that they are made in.

use std::{sync::Arc, time::Instant};

use jackfield_plugin_api::{Document, Request, Result as CallResult};
use jackfield_store::{ExchangeRecord, MemoNote};

use crate::{
    batch_control::BatchControl,
    index::{CallIdx, ItemSlot, StageIdx},
    pool::Job,
    stage_runtime::StageRuntime,
};

/// A call of a stage for an item. It lives from when its stage begins until it is answered for good.
pub(super) struct Call {
    /// The item that it is made for, which is in flight as long as the call is.
    pub(super) item: ItemSlot,
    /// Which of the stage's calls for the item it is.
    pub(super) index: CallIdx,
    /// What it is made with: the stage with an arm of its route, or with the values of its trial.
    pub(super) runtime: Arc<StageRuntime>,
    /// How often it is made with this runtime, this time included: 1 at first.
    pub(super) attempt: u32,
    /// It was in a batch that failed as a whole: from then on it goes alone, so that the call to blame is found.
    pub(super) alone: bool,
}

/// A call that is ready to be made.
pub(super) struct ReadyCall {
    pub(super) call: Call,
    pub(super) request: Request,
}

/// The calls of a batch, as they were sent.
pub(super) struct SentCalls {
    pub(super) stage: StageIdx,
    pub(super) calls: Vec<Call>,
    /// What the calls are made with, in their order. Shared with the worker, so that a call that is made again has its request.
    pub(super) requests: Arc<Vec<Request>>,
    /// How the batch is followed and cancelled.
    pub(super) control: Arc<BatchControl>,
}

impl SentCalls {
    /// The calls, to be made again.
    pub(super) fn into_ready(self) -> Vec<ReadyCall> {
        let requests = self.requests.iter().cloned();
        self.calls.into_iter().zip(requests).map(|(call, request)| ReadyCall { call, request }).collect()
    }
}

/// A batch that was sent and is not answered. It lives until its answers come, or until it is given up.
pub(super) struct InFlightBatch {
    pub(super) sent: SentCalls,
    /// What computes it.
    pub(super) job: Job,
}

impl InFlightBatch {
    /// The batch was answered: whatever computes it comes to its end by itself.
    pub(super) fn into_answered(self) -> SentCalls {
        self.job.detach();
        self.sent
    }

    /// The batch is given up: its plugin is asked to stop, and its future is dropped at its next wait.
    pub(super) fn give_up(self) -> SentCalls {
        self.sent.control.cancel();
        drop(self.job);
        self.sent
    }
}

/// When a call was made, and how long it took.
pub(super) struct CallTiming {
    /// When its batch was begun.
    pub(super) began: Instant,
    /// When it began itself, in microseconds since the session began.
    pub(super) began_us: u64,
    /// Its share of the batch's time, in microseconds.
    pub(super) took_us: u64,
}

/// A call with what it was answered.
pub(super) struct AnsweredCall<'r> {
    pub(super) stage: StageIdx,
    pub(super) call: Call,
    /// What it was made with.
    pub(super) request: &'r Request,
    pub(super) result: CallResult<Document>,
    /// The result is a failure, since there was no answer in time.
    pub(super) timed_out: bool,
    pub(super) timing: CallTiming,
    /// What the memo says of it, for a stage with one.
    pub(super) memo: Option<MemoNote>,
    /// What was asked of models for it.
    pub(super) exchanges: Vec<ExchangeRecord>,
}
