//! What stages share: models and caches. Plugins ask, the host answers: everything that has to be right around a call is
//! here, once.

mod cache;
mod cache_value;
mod cached_tensors;
mod http;
mod kept_file;
mod model;
mod native_threads;
mod open;
mod patience;
mod plugin_host;
mod plugin_log;
mod recording;
mod route;
mod search;
mod secrets;
mod tensor_scopes;
mod tier;

pub use cache::Cache;
pub use cached_tensors::{keep_tensors, restore_tensors};
pub use http::Http;
pub use model::{Asked, Caller, Exhausted, ExhaustedResource, Model, Sending, abilities};
pub use open::{ServiceFault, Services, open_cache, open_services};
pub use plugin_log::plugin_line;
pub use recording::StageRecorder;
pub use recording::{
    CallRecorder, Divergence, RecordedAnswer, RecordedCall, RecordedDocument, RecordedHostCall, RecordedRequest,
    Replayer,
};
pub use route::{Kept, KeptError, Learned, Route};
pub use search::{KeptStudy, Search, StudyError, StudyStart};
pub use tensor_scopes::TensorScopes;
pub use tier::TierParts;
