//! What a plugin may ask of its host.

use std::fmt;

use crate::{Context, Random};

/// Weight of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warn,
    /// Something worth knowing happened.
    Info,
    /// For the plugin's author.
    Debug,
    /// For the plugin's author, in bulk.
    Trace,
}

impl Level {
    /// The level of this rank, 0 for [`Level::Error`] to 4 for [`Level::Trace`]; anything beyond is `Trace`.
    #[must_use]
    pub const fn from_rank(rank: u8) -> Self {
        match rank {
            0 => Self::Error,
            1 => Self::Warn,
            2 => Self::Info,
            3 => Self::Debug,
            _ => Self::Trace,
        }
    }
}

/// The host's side of the calls. A host implements it; a plugin sees [`Host`].
pub trait HostCalls: Send + Sync {
    /// Hands on a log line.
    fn log(&self, level: Level, target: &str, message: &str);
    /// Says how far the request at `index` of the batch has come.
    fn progress(&self, index: u32, done: u64, total: Option<u64>, note: &str);
    /// Whether the batch is no longer wanted.
    fn cancelled(&self) -> bool;
}

/// A plugin's view of the host during one call for one document.
pub struct Host<'a> {
    calls: &'a dyn HostCalls,
    context: &'a Context,
    index: u32,
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("context", self.context).field("index", &self.index).finish_non_exhaustive()
    }
}

impl<'a> Host<'a> {
    /// The view for the document at `index` of a batch.
    #[must_use]
    pub fn new(calls: &'a dyn HostCalls, context: &'a Context, index: u32) -> Self {
        Self { calls, context, index }
    }

    /// Where in the run the document belongs.
    #[must_use]
    pub fn context(&self) -> &Context {
        self.context
    }

    /// A generator seeded for this call: the only source of chance that leaves results reproducible.
    #[must_use]
    pub fn random(&self) -> Random {
        Random::new(self.context.seed)
    }

    /// Hands a line to the host's log.
    pub fn log(&self, level: Level, message: impl AsRef<str>) {
        self.calls.log(level, "plugin", message.as_ref());
    }

    /// Says how far a long call has come, in a unit of the plugin's choice.
    pub fn progress(&self, done: u64, total: Option<u64>, note: impl AsRef<str>) {
        self.calls.progress(self.index, done, total, note.as_ref());
    }

    /// Whether the answer is no longer wanted: a long computation asks now and then and returns
    /// [`Failure::Cancelled`](crate::Failure::Cancelled).
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.calls.cancelled()
    }
}
