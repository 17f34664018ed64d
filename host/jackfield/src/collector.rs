//! What came of items, gathered from what goes on the record.

use std::collections::BTreeMap;

use jackfield_pipeline::Plan;
use jackfield_plugin_api::Values;
use jackfield_store::{CallRecord, Db, ItemDone, ItemRow, NewItem, Record, ResultRow, StoreError, result_json};

use crate::results::ItemResult;

/// An item under way, with its results so far.
struct OpenItem {
    row: ItemRow,
    results: Vec<ResultRow>,
}

/// Puts together what came of each item as the records of a run go by.
pub(crate) struct Collector<'a> {
    plan: &'a Plan,
    /// What earlier sessions of the run have left, if it goes on.
    earlier: Option<Db>,
    open: BTreeMap<u64, OpenItem>,
    /// The values of trials under way.
    params: BTreeMap<u64, Values>,
}

impl<'a> Collector<'a> {
    pub(crate) const fn new(plan: &'a Plan, earlier: Option<Db>) -> Self {
        Self { plan, earlier, open: BTreeMap::new(), params: BTreeMap::new() }
    }

    /// Takes note of records; the items that are done with them, by position.
    ///
    /// # Errors
    /// What earlier sessions have left cannot be read.
    pub(crate) fn take(&mut self, records: &[Record]) -> Result<Vec<(u64, ItemResult)>, StoreError> {
        let mut done = Vec::new();
        for record in records {
            match record {
                Record::Item(item) => self.open_item(item)?,
                Record::Call(call) => {
                    let item = u64::try_from(call.item).ok().and_then(|index| self.open.get_mut(&index));
                    if let Some(item) = item {
                        let row = row_of(call);
                        item.results.retain(|earlier| (earlier.stage, earlier.call) != (row.stage, row.call));
                        item.results.push(row);
                    }
                }
                Record::Trial(trial) => {
                    self.params.insert(trial.item, trial.outcome.values.clone());
                }
                Record::Done(end) => done.extend(self.close_item(end)),
                Record::Completion(_) | Record::Lookups(_) | Record::Route(_) | Record::Files(_) | Record::Event(_) => {
                }
            }
        }
        Ok(done)
    }

    /// An item begins: with what an earlier session has left of it, if one has.
    fn open_item(&mut self, item: &NewItem) -> Result<(), StoreError> {
        let row = ItemRow {
            index: item.index,
            id: item.id.to_string(),
            digest: item.digest.to_vec(),
            state: None,
            fault: None,
            stopped_by: None,
            files_sum: None,
        };
        let results = match &self.earlier {
            Some(db) => db.results(item.index as i64)?,
            None => Vec::new(),
        };
        self.open.insert(item.index, OpenItem { row, results });
        Ok(())
    }

    /// An item is done: what came of it.
    fn close_item(&mut self, end: &ItemDone) -> Option<(u64, ItemResult)> {
        let OpenItem { mut row, mut results } = self.open.remove(&end.index)?;
        let params = self.params.remove(&end.index).filter(|_| self.plan.search.is_some());
        row.state = Some(end.state.name().to_owned());
        row.fault.clone_from(&end.fault);
        row.stopped_by = end.stopped_by;
        results.sort_by_key(|result| (result.stage, result.call));
        let id = row.id.clone();
        let json = result_json(self.plan, &row, params, results);
        let result = serde_json::from_value(json).unwrap_or_else(|error| {
            // A plugin whose schema says nothing may answer JSON that no value can hold.
            let fault = format!("its results cannot be read as JSON values: {error}");
            ItemResult::unreadable(id, end.state, fault)
        });
        Some((end.index, result))
    }
}

fn row_of(call: &CallRecord) -> ResultRow {
    ResultRow {
        stage: call.stage,
        call: call.call,
        session: 0,
        answer: call.answer.clone(),
        attempts: call.attempts,
        began_us: call.began_us,
        took_us: call.took_us,
        memo_hit: call.memo.as_ref().map(|memo| memo.hit),
    }
}
