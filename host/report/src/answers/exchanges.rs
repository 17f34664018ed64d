//! What stages asked of models for an item, and what they were answered.

use jackfield_store::{Db, StoreError};
use serde::Serialize;

use super::texts::Texts;

/// The exchanges of an item, in order.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(super) struct ItemExchanges(Vec<PageExchange>);

/// An exchange, as the page has it.
#[derive(Serialize)]
struct PageExchange {}

impl ItemExchanges {
    /// Reads what is on record for the item at a position.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub(super) fn read(_db: &Db, _item: u64, _texts: &mut Texts) -> Result<Self, StoreError> {
        Ok(Self::default())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
