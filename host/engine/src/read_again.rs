//! Items are read again: what a run read of its input is not on record, but for a digest.

use std::{collections::BTreeMap, iter::Peekable, sync::Arc, vec};

use crossbeam_channel::Receiver;
use jackfield_loader::escape_untrusted;
use jackfield_pipeline::Plan;
use jackfield_plugin_api::Document;
use jackfield_store::{Db, ItemRow, StoreError};
use serde_json::json;

use super::{
    error::EngineError,
    export_error::ExportError,
    source::{self, InputReader, ItemChunk, SourceItem},
};

/// The documents of items of a run, by position: those of trials are on record, any other is read again. Items that are not
/// in the input any more or are not what they were have none; neither have those that lie behind `most_bytes` of others.
///
/// # Errors
/// A record or an input that cannot be read.
pub fn read_again(
    plan: &Plan,
    inputs: &dyn InputReader,
    db: &Db,
    rows: &[ItemRow],
    most_bytes: u64,
) -> Result<BTreeMap<u64, Arc<str>>, ExportError> {
    let mut found = BTreeMap::new();
    let mut wanted: BTreeMap<u64, &ItemRow> = BTreeMap::new();
    for row in rows {
        match trial_document(db, row)? {
            Some(document) => {
                found.insert(row.index, document);
            }
            None => {
                wanted.insert(row.index, row);
            }
        }
    }
    if wanted.is_empty() {
        return Ok(found);
    }
    let items = source::read(inputs, &plan.input)?.items;
    let mut bytes = 0_u64;
    for chunk in items {
        for item in chunk? {
            bytes += item.document.as_ref().map_or(0, |document| document.len() as u64);
            if let (Some(row), Ok(document)) = (wanted.remove(&item.index), item.document)
                && inputs.digest(&plan.input, &document)[..] == row.digest
            {
                found.insert(row.index, document);
            }
            if wanted.is_empty() || bytes > most_bytes {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// The document of a trial, which is on record.
fn trial_document(db: &Db, row: &ItemRow) -> Result<Option<Arc<str>>, StoreError> {
    Ok(db.trial(row.index)?.map(|trial| {
        let number = trial.outcome.trial.unwrap_or(row.index);
        Arc::from(json!({ "trial": number, "params": trial.outcome.values }).to_string())
    }))
}

/// The documents of a run's items, read again from the first to the last: never more than a few of them are held.
pub struct InputAgain<'a> {
    plan: &'a Plan,
    inputs: &'a dyn InputReader,
    items: Receiver<ItemChunk>,
    chunk: Peekable<vec::IntoIter<SourceItem>>,
}

impl<'a> InputAgain<'a> {
    /// Opens the input of a run.
    ///
    /// # Errors
    /// An input that cannot be read.
    pub fn open(plan: &'a Plan, inputs: &'a dyn InputReader) -> Result<Self, EngineError> {
        let items = source::read(inputs, &plan.input)?.items;
        Ok(Self { plan, inputs, items, chunk: Vec::new().into_iter().peekable() })
    }

    /// The document of an item, which must be behind all that were asked for before. None if it is not in the input any more, or
    /// is not what it was.
    ///
    /// # Errors
    /// A record or an input that cannot be read.
    pub fn document_of(&mut self, db: &Db, row: &ItemRow) -> Result<Option<Arc<str>>, ExportError> {
        if self.plan.search.is_some()
            && let Some(document) = trial_document(db, row)?
        {
            return Ok(Some(document));
        }
        loop {
            while self.chunk.next_if(|item| item.index < row.index).is_some() {}
            if self.chunk.peek().is_none() {
                match self.items.recv() {
                    Ok(chunk) => self.chunk = chunk?.into_iter().peekable(),
                    Err(_) => return Ok(None),
                }
                continue;
            }
            let item = self.chunk.next_if(|item| item.index == row.index);
            let document = item.and_then(|item| item.document.ok());
            return Ok(document.filter(|document| self.inputs.digest(&self.plan.input, document)[..] == row.digest));
        }
    }
}

/// The document of one item, which is what it was.
pub(super) fn read_one_again(
    plan: &Plan,
    inputs: &dyn InputReader,
    db: &Db,
    row: &ItemRow,
) -> Result<Document, ExportError> {
    let found = read_again(plan, inputs, db, std::slice::from_ref(row), u64::MAX)?.remove(&row.index);
    found.map(Document::new).ok_or_else(|| ExportError::ItemChanged { item: escape_untrusted(&row.id).into_owned() })
}
