//! Recorded calls: what a call of a stage was given, what it asked of the host and what the host answered, so that the call can
//! be made again without the host.

mod format;
mod host_requests;
mod recorder;
mod redact;
mod replay;

pub use format::{RecordedAnswer, RecordedCall, RecordedDocument, RecordedHostCall, RecordedRequest};
pub use recorder::{CallRecorder, StageRecorder};
pub use replay::{Divergence, Replayer};
