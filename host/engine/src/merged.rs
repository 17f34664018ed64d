//! Files of the run that hold the members of what a wire gives for each item. They are made of the record, as
//! `results.jsonl` is: the same whatever was done at a time, and whether the run was resumed.

use std::{collections::HashMap, path::Path};

use jackfield_loader::escape_untrusted;
use jackfield_pipeline::{Plan, Source, Wire};
use jackfield_plugin_api::Document;
use jackfield_store::{Db, ItemRow, ItemState, Member, StoreError, export_object};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::{
    export::{NoDocument, document_of},
    index::StageIdx,
    input::{NoInput, SourceValue, excerpt, value_of},
    top_level::Top,
};

/// How many items or keys are named; the others are counted.
const MAX_NAMED: usize = 3;

/// Writes the merged files of a plan into the folder of its run. What is left out of them is reported as a warning.
pub(super) fn export_merged(db: &Db, plan: &Plan, folder: &Path) -> Result<(), StoreError> {
    for (name, wire) in &plan.output.merged {
        let mut merge =
            Merge { db, plan, wire, keys: HashMap::new(), missing: NamedFew::default(), repeated: NamedFew::default() };
        let mut items = 0;
        export_object(db, &folder.join(name), |item| {
            items += 1;
            merge.members_of(item)
        })?;
        if let Some((count, named)) = merge.missing.text() {
            tracing::warn!("`{name}` has nothing of {count} of {items} items: {named}");
        }
        if let Some((count, named)) = merge.repeated.text() {
            let keys = if count == 1 { "key" } else { "keys" };
            tracing::warn!("`{name}`: {count} {keys} came again, and the first value stays: {named}");
        }
    }
    Ok(())
}

/// A merged file, as far as it is made.
struct Merge<'a> {
    db: &'a Db,
    plan: &'a Plan,
    wire: &'a Wire,
    /// The item that gave a key, by half the digest of the key, so that the keys of a million items stay small.
    keys: HashMap<[u8; 16], u64>,
    missing: NamedFew,
    repeated: NamedFew,
}

impl Merge<'_> {
    fn members_of(&mut self, item: &ItemRow) -> Result<Vec<Member>, StoreError> {
        // That a stage is off is no lack.
        let Some(found) = self.value_of(item)? else { return Ok(Vec::new()) };
        let members = match found.and_then(|document| members(&document.json)) {
            Ok(members) => members,
            Err(why) => {
                self.missing.add(|| format!("`{}`, {why}", escape_untrusted(&item.id)));
                return Ok(Vec::new());
            }
        };
        let mut kept = Vec::with_capacity(members.len());
        for (key, value) in members {
            let digest = Sha256::digest(&key);
            let mut half = [0; 16];
            half.copy_from_slice(&digest[..16]);
            match self.keys.get(&half) {
                None => {
                    self.keys.insert(half, item.index);
                    kept.push(Member { key, value });
                }
                Some(first) => {
                    let first = self.db.item(*first)?.map(|first| first.id).unwrap_or_default();
                    self.repeated.add(|| {
                        let ids = [&first, &item.id].map(|id| escape_untrusted(id).into_owned());
                        format!("`{}` of `{}`, which `{}` gave before", escape_untrusted(&key), ids[1], ids[0])
                    });
                }
            }
        }
        Ok(kept)
    }

    /// What the wire gives for an item, or why it gives nothing; none where its stage is off.
    fn value_of(&self, item: &ItemRow) -> Result<Option<Result<Document, String>>, StoreError> {
        let nothing = |why: &str| Ok(Some(Err(why.to_owned())));
        let Source::Stage(index) = self.wire.source else { return nothing("which no stage answers for") };
        let Some(stage) = self.plan.stages.get(index) else { return nothing("which no stage answers for") };
        match item.state.as_deref() {
            None => return nothing("which is not done"),
            Some(state) if state == ItemState::Failed.name() => return nothing("which failed"),
            Some(state) if state == ItemState::Pruned.name() => return nothing("which was pruned"),
            Some(_) => {}
        }
        let rows = self.db.results(item.index as i64)?;
        let document = match document_of(stage, StageIdx::new(index), &rows) {
            Ok(document) => document,
            Err(NoDocument::Off(_)) => return Ok(None),
            Err(why) => return nothing(&format!("as stage `{}` has no result: {}", stage.name, why.words())),
        };
        let value = value_of(self.wire, &|_| SourceValue::Present(&document)).map_err(|why| match why {
            NoInput::NotFound(what) => format!("as {}", escape_untrusted(&what)),
            NoInput::NoResult(_) | NoInput::Off(_) => format!("as stage `{}` failed", stage.name),
        });
        Ok(Some(value))
    }
}

/// The members of an object, in its order.
fn members(json: &str) -> Result<Vec<(String, Box<RawValue>)>, String> {
    match serde_json::from_str(json) {
        Ok(Top::Object(members)) => Ok(members.into_iter().map(|(key, value)| (key, value.to_owned())).collect()),
        _ => Err(format!("as {} is not an object", escape_untrusted(&excerpt(json)))),
    }
}

/// The first few cases in words, and the number of all.
#[derive(Default)]
struct NamedFew {
    count: u64,
    first: Vec<String>,
}

impl NamedFew {
    fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < MAX_NAMED {
            self.first.push(text());
        }
    }

    fn text(&self) -> Option<(u64, String)> {
        let more = self.count - self.first.len() as u64;
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        (self.count > 0).then(|| (self.count, self.first.join("; ") + &more))
    }
}
