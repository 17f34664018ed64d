//! Columns of the record: what is read of every item that is done, in the order of the items.

use rusqlite::types::ValueRef;

use super::{
    Db, ItemState, StoreError,
    rows::OK,
    tables::{self, integer, text},
};

/// What a stage gave for an item that is done.
pub struct StageValue<'a> {
    /// Id of the item.
    pub item: &'a str,
    /// What its calls answered, in their order, without those that failed or were not made.
    pub outputs: &'a [String],
    /// Whether the stage had its turn: it is not behind one that stopped the item, and the item was read and not pruned before.
    pub had_its_turn: bool,
    /// Whether anything is on record of its calls: nothing is of a stage over an empty list.
    pub has_calls: bool,
}

/// An item of a column whose rows are being read.
struct OpenItem {
    index: i64,
    id: String,
    outputs: Vec<String>,
    is_behind_stop: bool,
    may_lack_calls: bool,
    has_calls: bool,
}

impl OpenItem {
    fn value(&self) -> StageValue<'_> {
        let had_its_turn = !self.is_behind_stop && (self.has_calls || self.may_lack_calls);
        StageValue { item: &self.id, outputs: &self.outputs, had_its_turn, has_calls: self.has_calls }
    }
}

impl Db {
    /// Calls `visit` with what the stage of this index gave for each item that is done, in the order of the items.
    pub fn each_stage_value(&self, stage: u32, mut visit: impl FnMut(StageValue<'_>)) -> Result<(), StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(
                "SELECT items.idx, items.id, items.state, items.stopped_by, items.fault IS NOT NULL, results.state, results.output
                 FROM items LEFT JOIN results ON results.item = items.idx AND results.stage = ?1
                 WHERE items.state IS NOT NULL ORDER BY items.idx, results.call",
            )?;
            let mut rows = query.query([stage])?;
            let mut open: Option<OpenItem> = None;
            while let Some(row) = rows.next()? {
                let index: i64 = row.get(0)?;
                if open.as_ref().is_none_or(|open| open.index != index) {
                    if let Some(done) = open.take() {
                        visit(done.value());
                    }
                    let stopped_by: Option<u32> = row.get(3)?;
                    let is_pruned = row.get_ref(2)?.as_str_or_null().ok().flatten() == Some(ItemState::Pruned.name());
                    open = Some(OpenItem {
                        index,
                        id: row.get(1)?,
                        outputs: Vec::new(),
                        is_behind_stop: stopped_by.is_some_and(|stop| stage > stop),
                        may_lack_calls: !is_pruned && !row.get::<_, bool>(4)?,
                        has_calls: false,
                    });
                }
                let item = open.as_mut().expect("the item of this row is open");
                match row.get_ref(5)? {
                    ValueRef::Null => {}
                    ValueRef::Integer(OK) => {
                        item.has_calls = true;
                        item.outputs.push(row.get(6)?);
                    }
                    _ => item.has_calls = true,
                }
            }
            if let Some(done) = open {
                visit(done.value());
            }
            Ok(())
        })
    }

    /// Calls `visit` with the id of each item that is done and with what was kept of its input at the end of this wire, in the order of
    /// the items.
    pub fn each_input_value(&self, wire: &str, mut visit: impl FnMut(&str, Option<&str>)) -> Result<(), StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(
                "SELECT items.id, item_values.value FROM items
                 LEFT JOIN item_values ON item_values.item = items.idx AND item_values.wire = ?1
                 WHERE items.state IS NOT NULL ORDER BY items.idx",
            )?;
            let mut rows = query.query([wire])?;
            while let Some(row) = rows.next()? {
                let id = row.get_ref(0)?.as_str()?;
                visit(id, row.get_ref(1)?.as_str_or_null()?);
            }
            Ok(())
        })
    }

    /// Keeps what stages over all items read of the input of an item: wires and the values at their ends.
    pub(super) fn put_item_values(
        &self,
        item: i64,
        values: &[(String, std::sync::Arc<str>)],
    ) -> Result<(), StoreError> {
        self.run(|db| {
            let sql = "INSERT OR REPLACE INTO item_values (item, wire, value, sum) VALUES (?1, ?2, ?3, ?4)";
            values.iter().try_for_each(|(wire, value)| {
                tables::ITEM_VALUES.write(db, sql, &[integer(item), text(wire), text(value)]).map(drop)
            })
        })
    }
}
