//! An item on its way from its source to the session.

use std::sync::Arc;

use crate::error::{EngineError, ItemFault};

/// How the ids of a source's items come about. An item without an id is called by its position, from 1.
#[derive(Clone, Debug, Default)]
pub struct ItemIds {
    /// Whether two items may come with the same id: the later one then gets a number behind it.
    pub may_repeat: bool,
    /// The field that holds an item's id, for warnings about items that lack it.
    pub field: Option<String>,
    /// Whether an item that is an object gets its id as the member `id`, unless it has one.
    pub is_added: bool,
}

impl ItemIds {
    /// Ids from this field, if from any.
    #[must_use]
    pub fn from_field(field: Option<String>) -> Self {
        Self { may_repeat: field.is_some(), field, is_added: false }
    }
}

/// An item as it was read.
pub(crate) struct SourceItem {
    /// Position among all items, from 0.
    pub(crate) index: u64,
    /// Its id, which is no other item's.
    pub(crate) id: Arc<str>,
    /// What its random choices derive from.
    pub(crate) seed: u64,
    /// Its document, or why there is none.
    pub(crate) document: Result<Arc<str>, ItemFault>,
}

/// Items that travel together, or why there are no more.
pub(crate) type ItemChunk = Result<Vec<SourceItem>, EngineError>;
