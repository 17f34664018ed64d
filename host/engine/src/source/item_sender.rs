//! Where a source hands its items over.

use std::{path::Path, sync::Arc};

use crossbeam_channel::Sender;
use jackfield_loader::escape_untrusted;

use super::{
    composed::composed,
    source_item::{ItemChunk, ItemIds, SourceItem},
    unique_ids::{Named, UniqueIds},
};
use crate::{
    error::{EngineError, ItemFault},
    input::field_of,
    seed::name_of,
};

/// The most items, and the most bytes, that wait to be sent while the receiver is busy.
const CHUNK_ITEMS: usize = 64;
const CHUNK_BYTES: usize = 64 << 10;

/// How many items of a kind are named in warnings of their own.
const MAX_NAMED: u64 = 3;

/// Takes the items of a source, gives each its id and its seed, and sends them on in chunks.
pub struct ItemSender {
    send: Sender<ItemChunk>,
    waiting: Vec<SourceItem>,
    bytes: usize,
    /// Position of the next item.
    next: u64,
    /// How ids come about.
    ids: ItemIds,
    /// The ids given so far; none where those that the source gives tell items apart by themselves.
    unique: Option<UniqueIds>,
    /// Items that came with the id of an earlier one.
    repeated: u64,
    /// Items without the field that holds an id.
    nameless: u64,
}

/// Nobody takes items any more: the source stops.
#[derive(Debug)]
pub struct ReceiverGone;

impl ItemSender {
    pub(super) fn new(send: Sender<ItemChunk>, ids: ItemIds) -> Self {
        let unique = ids.may_repeat.then(UniqueIds::default);
        Self { send, waiting: Vec::new(), bytes: 0, next: 0, ids, unique, repeated: 0, nameless: 0 }
    }

    /// Sends the next item: a document, JSON text, or why there is none. One without an id of its own is called by its position;
    /// the characters of an id are [`composed`].
    /// `place` says where it stands, for warnings.
    ///
    /// # Errors
    /// Nobody takes items any more.
    pub fn send(
        &mut self,
        id: Option<&str>,
        document: Result<String, String>,
        place: &dyn Fn() -> String,
    ) -> Result<(), ReceiverGone> {
        let index = self.next;
        self.next += 1;
        let position = (index + 1).to_string();
        if let (None, Some(field), true) = (id, &self.ids.field, document.is_ok()) {
            self.nameless += 1;
            if self.nameless == 1 {
                let (place, field) = (place(), escape_untrusted(field));
                tracing::warn!(
                    "{place} has no field `{field}` that could be its id: it is called `{position}`, by its position"
                );
            }
        }
        let id = composed(id.unwrap_or(&position));
        let Named { id, seed, renamed } = match &mut self.unique {
            Some(ids) => ids.name(&id),
            None => Named { seed: name_of(&id), id: id.into_owned(), renamed: false },
        };
        if renamed {
            self.repeated += 1;
            if self.repeated <= MAX_NAMED {
                let came = id.rsplit_once('#').map_or(id.as_str(), |(came, _)| came);
                let (place, came, id) = (place(), escape_untrusted(came), escape_untrusted(&id));
                tracing::warn!("{place} has the same id as an earlier item, `{came}`: it is called `{id}`");
            }
        }
        let document = document.map(|text| if self.ids.is_added { with_id(text, &id) } else { text });
        let document = document.map(Arc::from).map_err(|message| ItemFault { message });
        self.bytes += document.as_ref().map_or(0, |text: &Arc<str>| text.len());
        self.waiting.push(SourceItem { index, id: id.into(), seed, document });
        let full = self.waiting.len() >= CHUNK_ITEMS || self.bytes >= CHUNK_BYTES;
        if full || self.send.is_empty() { self.flush() } else { Ok(()) }
    }

    /// Hands over at once what was sent so far: for a source that may wait for its next item.
    ///
    /// # Errors
    /// Nobody takes items any more.
    pub fn flush(&mut self) -> Result<(), ReceiverGone> {
        let items = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        if items.is_empty() {
            return Ok(());
        }
        self.send.send(Ok(items)).map_err(|_| ReceiverGone)
    }

    /// The source cannot go on: after the items that were sent, the run ends with this error of a file.
    pub fn fail(&mut self, path: &Path, message: impl ToString) -> ReceiverGone {
        let _ = self.flush();
        let _ = self.send.send(Err(EngineError::Source { path: path.to_owned(), message: message.to_string() }));
        ReceiverGone
    }

    /// Warns of how many items there were of what was named for the first few alone.
    pub(super) fn conclude(&self) {
        if self.repeated > MAX_NAMED {
            tracing::warn!(
                "{} items in all have the same id as an earlier one and are called otherwise",
                self.repeated
            );
        }
        if let Some(field) = self.ids.field.as_deref().filter(|_| self.nameless > 1) {
            let (count, field) = (self.nameless, escape_untrusted(field));
            tracing::warn!("{count} items in all have no field `{field}` and are called by their positions");
        }
    }
}

/// An item that is an object, with its id as the member `id`, unless it has one.
fn with_id(json: String, id: &str) -> String {
    let Some(members) = json.strip_prefix('{').filter(|_| field_of(&json, "id").is_none()) else { return json };
    let comma = if members.trim_ascii_start().starts_with('}') { "" } else { "," };
    format!("{{\"id\":{}{comma}{members}", serde_json::Value::from(id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::with_id;

    proptest! {
        #[test]
        fn an_item_with_its_id_is_the_item_and_its_id(members in prop::collection::btree_map("[a-z]{1,3}", 0..9, 0..4), id in "\\PC{0,6}") {
            let text = serde_json::to_string(&members).expect("JSON");
            let mut wanted = serde_json::json!(members);
            wanted.as_object_mut().expect("an object").entry("id").or_insert_with(|| id.as_str().into());
            let given: serde_json::Value = serde_json::from_str(&with_id(text, &id)).expect("JSON");
            prop_assert_eq!(given, wanted);
        }
    }
}
