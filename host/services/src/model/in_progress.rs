//! A completion on its way through the layers of a model.

use std::sync::Arc;

use jackfield_plugin_api::{Completion, Context};
use jackfield_store::{CompletionRecord, HeldTensors};

use super::pending::PendingCompletion;

/// On whose behalf a completion is asked for.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// The context of the stage's call.
    pub context: &'a Context,
    /// The completion, as one of those of that call.
    pub pending: &'a PendingCompletion<'a>,
}

/// A completion, with what holds its tensors.
#[derive(Clone)]
pub struct HeldCompletion {
    /// What the model answered.
    pub completion: Completion,
    /// Keeps the tensors that the completion names from being removed.
    pub tensors: Arc<HeldTensors>,
}

/// A completion that is under way: who asks for it, and what is known of it so far.
pub(super) struct CompletionInProgress<'a> {
    /// On whose behalf it is asked for.
    pub(super) caller: Caller<'a>,
    /// What goes on the record of it. The layers fill it in.
    pub(super) record: CompletionRecord,
    /// Holds the tensors that are made for it.
    pub(super) held: Arc<HeldTensors>,
}
