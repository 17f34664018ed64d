//! What is damaged in a run's SQLite file, and how it is named in messages.

use jackfield_pipeline::Plan;
use rusqlite::{Row, types::Value};

use crate::{folder::Recorded, tables::ChecksummedColumns};

/// So many damaged rows are named in a message, one by one.
const NAMED_ROWS: usize = 5;

/// A row that is not what was written.
pub(super) struct DamagedRow {
    pub(super) columns: &'static ChecksummedColumns,
    /// The values of the columns that are the key.
    pub(super) key: Vec<Value>,
}

/// A result that is what was written, but names a tensor that is not.
pub(super) struct DamagedResult {
    pub(super) row: DamagedRow,
    /// Which tensor, and what is wrong with it.
    pub(super) fault: String,
}

/// What a file holds, and what of it is damaged.
#[derive(Default)]
pub(crate) struct Inspection {
    pub(super) row_count: u64,
    pub(super) recorded: Recorded,
    pub(super) damaged_rows: Vec<DamagedRow>,
    pub(super) results_without_tensors: Vec<DamagedResult>,
    /// Positions of items that are done and lack some of their results.
    pub(super) incomplete_items: Vec<i64>,
}

impl Inspection {
    pub(super) fn is_clean(&self) -> bool {
        self.damaged_rows.is_empty() && self.results_without_tensors.is_empty() && self.incomplete_items.is_empty()
    }

    /// What the file holds, damaged rows included.
    pub(super) fn recorded(&self) -> Recorded {
        self.recorded
    }

    /// The results that have to be made again.
    pub(super) fn damaged_results(&self) -> impl Iterator<Item = &DamagedRow> {
        let damaged = self.damaged_rows.iter().filter(|row| row.columns.table == "results");
        damaged.chain(self.results_without_tensors.iter().map(|result| &result.row))
    }

    /// What is damaged, in words: the first few rows, and how many more there are.
    pub(super) fn describe(&self, plan: &Plan) -> String {
        let rows = self.damaged_rows.iter().map(|row| row.describe(plan));
        let results = self.results_without_tensors.iter();
        let results = results.map(|result| format!("{} ({})", result.row.describe(plan), result.fault));
        let items = self.incomplete_items.iter().map(|item| format!("some results of item {}", item + 1));
        let named: Vec<String> = rows.chain(results).chain(items).take(NAMED_ROWS).collect();
        let all = self.damaged_rows.len() + self.results_without_tensors.len() + self.incomplete_items.len();
        match all - named.len() {
            0 => named.join(", "),
            others => format!("{}, and {others} more", named.join(", ")),
        }
    }
}

impl DamagedRow {
    /// The damaged row of a query whose first columns are the key.
    pub(super) fn of_row(columns: &'static ChecksummedColumns, row: &Row<'_>) -> rusqlite::Result<Self> {
        let key = (0..columns.key_columns).map(|index| row.get(index)).collect::<rusqlite::Result<_>>()?;
        Ok(Self { columns, key })
    }

    /// A column of the key; a number that no row has where the key is damaged.
    pub(super) fn key_number(&self, index: usize) -> i64 {
        match self.key.get(index) {
            Some(Value::Integer(number)) => *number,
            _ => i64::MIN,
        }
    }

    fn describe(&self, plan: &Plan) -> String {
        let stage = |column: usize| {
            let index = usize::try_from(self.key_number(column)).ok();
            index.and_then(|index| plan.stages.get(index)).map_or("?", |stage| stage.name.as_str())
        };
        let number = self.key_number(0).saturating_add(1);
        match self.columns.table {
            "results" if self.key_number(0) < 0 => format!("the result of stage `{}`", stage(1)),
            "results" => format!("the result of stage `{}` for item {number}", stage(1)),
            "exchanges" => format!("what stage `{}` asked of a model for item {number}", stage(1)),
            "routes" => format!("the decision of stage `{}` for item {number}", stage(1)),
            "item_values" => format!("a value of item {number}"),
            "items" | "trials" => format!("{} ({number})", self.columns.label),
            _ => self.columns.label.to_owned(),
        }
    }
}
