//! Items that were asked for by their ids: they are looked for in the input before anything is run.

use std::collections::{BTreeMap, BTreeSet};

use crossbeam_channel::{RecvError, select};
use jackfield_store::ItemRow;

use super::Session;
use crate::{
    error::EngineError,
    run_record::RunRecord,
    source::{self, ItemChunk, ItemStream, SourceItem},
};

/// The most ids of the input that a message names.
const NAMED: usize = 8;

impl Session<'_, '_> {
    /// Reads the input until each item is found that was asked for. They come in the order of the input. None if it was asked
    /// to stop meanwhile.
    ///
    /// # Errors
    /// [`EngineError::UnknownItems`] if the input ends before that.
    pub(super) fn select_items(&mut self) -> Result<Option<Vec<SourceItem>>, EngineError> {
        let mut wanted: BTreeSet<String> = self.only.iter().cloned().collect();
        let mut others = OtherIds::new(&wanted);
        let mut found = Vec::new();
        let ItemStream { items, .. } = source::read(self.inputs, &self.plan.input)?;
        while !wanted.is_empty() {
            let signal = self.scheduler.cancel().signal();
            let chunk: Result<ItemChunk, RecvError> = select! {
                recv(items) -> chunk => chunk,
                recv(signal) -> _ => return Ok(None),
            };
            let Ok(chunk) = chunk else {
                return Err(EngineError::UnknownItems {
                    hint: others.hint(&wanted),
                    ids: wanted.into_iter().collect(),
                });
            };
            for item in chunk? {
                let folder = self.folder_of(&item.id);
                if wanted.remove(&*item.id) {
                    self.selected_folders.insert(item.index, folder);
                    found.push(item);
                } else {
                    others.look_at(&item.id);
                    // Routes decide in the order of the items: they need not wait for this one.
                    self.scheduler.skip_routes(item.index, Vec::new());
                }
            }
        }
        Ok(Some(found))
    }

    /// The folders of the items, by their positions, that are on the record and are made again: not those that cannot be read
    /// now, whose results are all that there is of them.
    ///
    /// # Errors
    /// If the record has another item in a position, or another document of an item: then nothing is forgotten.
    pub(super) fn items_to_forget(
        &self,
        record: &RunRecord,
        items: &[SourceItem],
    ) -> Result<BTreeMap<u64, String>, EngineError> {
        let positions: BTreeMap<&str, u64> = items.iter().map(|item| (&*item.id, item.index)).collect();
        let mut moved = None;
        record.db.each_item(|row| {
            let now = positions.get(row.id.as_str());
            if now.is_some_and(|now| *now != row.index) {
                moved.get_or_insert((row.index, row.id, now.copied().unwrap_or_default()));
            }
            Ok(())
        })?;
        if let Some((index, was, now)) = moved {
            let now = format!("item {}", now + 1);
            return Err(EngineError::ItemsDiffer { place: index + 1, was, now, run: record.folder.id() });
        }
        let mut forgotten = self.selected_folders.clone();
        for item in items {
            let Some(row) = record.db.item(item.index)?.filter(ItemRow::was_read) else { continue };
            let run = record.folder.id();
            if row.id != *item.id {
                let (was, now) = (row.id, item.id.to_string());
                return Err(EngineError::ItemsDiffer { place: item.index + 1, was, now, run });
            }
            match &item.document {
                Ok(document) if row.digest != self.inputs.digest(&self.plan.input, document) => {
                    return Err(EngineError::ItemChanged { item: row.id, run });
                }
                Ok(_) => {}
                Err(_) => {
                    forgotten.remove(&item.index);
                }
            }
        }
        Ok(forgotten)
    }

    /// The name of the folder of an item's files. It depends on the ids before it, so it is asked for of every item, in order.
    pub(super) fn folder_of(&mut self, id: &str) -> String {
        if self.writes_files() { self.folders.name(id) } else { String::new() }
    }
}

/// Ids of the input that were not asked for: the nearest to each that was, and the first few.
struct OtherIds {
    /// What was asked for, with the nearest id so far and its distance.
    nearest: Vec<(String, Option<(usize, String)>)>,
    first: Vec<String>,
    count: u64,
}

impl OtherIds {
    fn new(wanted: &BTreeSet<String>) -> Self {
        let nearest = wanted.iter().map(|wanted| (wanted.clone(), None)).collect();
        Self { nearest, first: Vec::new(), count: 0 }
    }

    fn look_at(&mut self, id: &str) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(id.to_owned());
        }
        for (wanted, nearest) in &mut self.nearest {
            let distance = distance(wanted, id);
            if nearest.as_ref().is_none_or(|(least, _)| distance < *least) {
                *nearest = Some((distance, id.to_owned()));
            }
        }
    }

    /// What was probably meant by the ids that were not found, or else what there is.
    fn hint(&self, unknown: &BTreeSet<String>) -> String {
        let near = self.nearest.iter().filter_map(|(wanted, nearest)| {
            let (distance, id) = nearest.as_ref().filter(|_| unknown.contains(wanted))?;
            (*distance <= (wanted.chars().count() / 3).max(1)).then(|| format!("`{id}`"))
        });
        let near: Vec<String> = near.collect();
        if !near.is_empty() {
            return format!("did you mean {}?", near.join(", "));
        }
        if self.first.is_empty() {
            return "the input has no other item".to_owned();
        }
        let first: Vec<String> = self.first.iter().map(|id| format!("`{id}`")).collect();
        let more = match self.count - self.first.len() as u64 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("the input has {}{more}", first.join(", "))
    }
}

/// Slips between two ids; none where one is the other but for its folders, its ending or its case.
fn distance(wanted: &str, id: &str) -> usize {
    let (wanted, id) = (wanted.to_lowercase(), id.to_lowercase());
    let is_part = |long: &str, short: &str| {
        short.len() > 2
            && long
                .strip_suffix(short)
                .map(|before| before.ends_with('/'))
                .or_else(|| long.strip_prefix(short).map(|after| after.starts_with('.')))
                == Some(true)
    };
    if is_part(&wanted, &id) || is_part(&id, &wanted) { 0 } else { strsim::damerau_levenshtein(&wanted, &id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(wanted: &str, ids: &[&str]) -> String {
        let wanted = BTreeSet::from([wanted.to_owned()]);
        let mut others = OtherIds::new(&wanted);
        ids.iter().for_each(|id| others.look_at(id));
        others.hint(&wanted)
    }

    #[test]
    fn an_unknown_item_is_answered_with_the_nearest_or_with_what_there_is() {
        assert_eq!(hint("talk-12", &["talk-1", "talk-13", "other"]), "did you mean `talk-1`?");
        assert_eq!(hint("Budget.txt", &["budget", "retro"]), "did you mean `budget`?");
        assert_eq!(hint("data/retro", &["budget", "retro"]), "did you mean `retro`?");
        assert_eq!(hint("zzzzzz", &["budget", "retro"]), "the input has `budget`, `retro`");
        let ids: Vec<String> = (0..20).map(|number| format!("item {number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        assert!(hint("nothing like it", &ids).ends_with("`item 7` and 12 more"));
        assert_eq!(hint("x", &[]), "the input has no other item");
    }
}
