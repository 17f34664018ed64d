//! Host calls on record: what one call of a stage asked of the host and what it was answered, so that the call can be made
//! again without the host.

mod format;
mod recorder;
mod redact;
mod replay;

pub use format::{RecordedAnswer, RecordedCall, RecordedDocument, RecordedHostCall, RecordedRequest};
pub use recorder::CallRecorder;
pub use recorder::StageRecorder;
pub use replay::{Divergence, Replayer};
