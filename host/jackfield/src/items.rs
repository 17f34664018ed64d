//! Items that the embedding program hands over, in place of the input that the pipeline names.

use jackfield_engine::{EngineError, InputReader, ItemIds, ItemSender, ItemSource, ReceiverGone};
use jackfield_pipeline::InputPlan;
use jackfield_plugin_api::sync;
use serde_json::Value;
use std::sync::Mutex;

/// An item of a run: a document, and an id if it has one. Without one it is called by its position, from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its id. Of two items with one id, the later one gets a number behind it.
    pub id: Option<String>,
    /// Its document: what wires that begin with `input` read.
    pub document: Value,
}

impl From<Value> for Item {
    fn from(document: Value) -> Self {
        Self { id: None, document }
    }
}

impl<I: Into<String>> From<(I, Value)> for Item {
    fn from((id, document): (I, Value)) -> Self {
        Self { id: Some(id.into()), document }
    }
}

/// Items as they come, of any length.
pub(crate) type AnyItems = Box<dyn Iterator<Item = Item> + Send>;

/// Opens, in place of a pipeline's input, the items that were handed over; once.
pub(crate) struct GivenItems(Mutex<Option<AnyItems>>);

impl GivenItems {
    pub(crate) fn new(items: AnyItems) -> Self {
        Self(Mutex::new(Some(items)))
    }
}

impl InputReader for GivenItems {
    fn check(&self, _input: &InputPlan) -> Result<(), EngineError> {
        Ok(())
    }

    fn open(&self, _input: &InputPlan) -> Result<Box<dyn ItemSource>, EngineError> {
        let items = sync::lock(&self.0).take().expect("a run opens its input once");
        Ok(Box::new(OpenItems(items)))
    }
}

struct OpenItems(AnyItems);

impl ItemSource for OpenItems {
    fn count(&self) -> Option<u64> {
        match self.0.size_hint() {
            (low, Some(high)) if low == high => Some(low as u64),
            _ => None,
        }
    }

    fn ids(&self) -> ItemIds {
        ItemIds { may_repeat: true, ..ItemIds::default() }
    }

    fn send_items(self: Box<Self>, items: &mut ItemSender) -> Result<(), ReceiverGone> {
        for (index, Item { id, document }) in self.0.enumerate() {
            let id = id.filter(|id| !id.is_empty());
            items.send(id.as_deref(), Ok(document.to_string()), &|| format!("item {}", index + 1))?;
            // The next one may be long in coming.
            items.flush()?;
        }
        Ok(())
    }
}
