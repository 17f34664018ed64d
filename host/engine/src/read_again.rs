//! Items are read again: what a run read of its input is not on record, but for a digest.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_loader::escape_untrusted;
use jackfield_pipeline::Plan;
use jackfield_plugin_api::Document;
use jackfield_store::{Db, ItemRow};
use serde_json::json;

use super::{
    export_error::ExportError,
    source::{self, InputReader},
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
        match db.trial(row.index)? {
            Some(trial) => {
                let number = trial.outcome.trial.unwrap_or(row.index);
                let document = json!({ "trial": number, "params": trial.outcome.values }).to_string();
                found.insert(row.index, Arc::from(document));
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
