//! The decisions of routes about items, and their outcomes, in the SQLite file of a run.

use jackfield_plugin_api::{Attempt, Objective, Outcome};
use rusqlite::{OptionalExtension as _, params, types::ValueRef};
use serde_json::Value;

use super::{
    Db, StoreError,
    tables::{ROUTE_ROWS, ROUTE_STARTS, integer, optional, text},
};

/// A decision, with its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteRecord {
    /// Position of the item.
    pub item: u64,
    /// Position of the routed stage in the plan.
    pub stage: u32,
    /// Its outcome: context, attempts, and what there is to learn from once it is settled.
    pub outcome: Outcome,
    /// What the arms were compared by, one number per arm; empty where the policy compares nothing.
    pub scores: Vec<Option<f64>>,
    /// Whether the item was done.
    pub settled: bool,
}

impl Db {
    /// Records what was decided about an item and what came of it; what was recorded before is written over.
    pub(super) fn put_route(&self, record: &RouteRecord) -> Result<(), StoreError> {
        let RouteRecord { item, stage, outcome, scores, settled } = record;
        let json = |value: serde_json::Result<String>| value.unwrap_or_else(|_| "[]".to_owned());
        self.run(|db| {
            let (attempts, scores, objectives) = (
                json(serde_json::to_string(&outcome.attempts)),
                json(serde_json::to_string(scores)),
                json(serde_json::to_string(&outcome.objectives)),
            );
            let sql = "INSERT OR REPLACE INTO routes (item, stage, context, attempts, scores, reward, objectives, settled, sum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            let reward = outcome.reward.filter(|reward| reward.is_finite());
            let values = [
                integer(*item),
                integer(*stage),
                text(&outcome.context),
                text(&attempts),
                text(&scores),
                optional(reward, ValueRef::Real),
                text(&objectives),
                integer(*settled),
            ];
            ROUTE_ROWS.write(db, sql, &values).map(drop)
        })
    }

    /// The decisions about an item, by stage.
    pub fn routes_of(&self, item: u64) -> Result<Vec<RouteRecord>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(
                "SELECT item, stage, context, attempts, scores, reward, objectives, settled FROM routes
                 WHERE item = ?1 ORDER BY stage",
            )?;
            query.query_map([item as i64], route_record)?.collect()
        })
    }

    /// Calls `visit` with the outcome of each item that was routed by a stage, in the order of the items, up to the first
    /// item that is not done.
    pub fn each_outcome(
        &self,
        stage: u32,
        mut visit: impl FnMut(RouteRecord) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut from = 0_i64;
        loop {
            let page: Vec<RouteRecord> = self.run(|db| {
                let mut query = db.prepare_cached(
                    "SELECT item, stage, context, attempts, scores, reward, objectives, settled FROM routes
                     WHERE stage = ?1 AND settled AND item >= ?2
                       AND item < COALESCE((SELECT MIN(idx) FROM items WHERE state IS NULL), 9223372036854775807)
                     ORDER BY item LIMIT 1000",
                )?;
                query.query_map(params![stage, from], route_record)?.collect()
            })?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.item as i64 + 1;
            for record in page {
                visit(record)?;
            }
        }
    }

    /// What a route had learned before the run; none if that is not recorded yet.
    ///
    /// # Errors
    /// If it is not recorded, and yet something was decided: a route that began anew would decide otherwise.
    pub fn route_start(&self, stage: u32) -> Result<Option<Option<Value>>, StoreError> {
        let stored: Option<String> = self.run(|db| {
            db.query_row("SELECT state FROM route_starts WHERE stage = ?1", [stage], |row| row.get(0)).optional()
        })?;
        let damaged = |message: &str| StoreError::Damaged { path: self.path.clone(), message: message.to_owned() };
        if let Some(text) = stored {
            // `null` is nothing learned.
            let state = serde_json::from_str(&text);
            return state.map(Some).map_err(|_| damaged("what a route began with is not JSON"));
        }
        let decided = self.run(|db| {
            db.query_row("SELECT EXISTS (SELECT 1 FROM routes WHERE stage = ?1)", [stage], |row| row.get(0))
        })?;
        if decided { Err(damaged("what a route began with is missing, and cannot be made again")) } else { Ok(None) }
    }

    /// Records what a route had learned before the run.
    pub fn begin_route(&self, stage: u32, state: Option<&Value>) -> Result<(), StoreError> {
        let text = state.map_or_else(|| "null".to_owned(), Value::to_string);
        self.run(|db| {
            let sql = "INSERT OR IGNORE INTO route_starts (stage, state, sum) VALUES (?1, ?2, ?3)";
            ROUTE_STARTS.write(db, sql, &[integer(stage), ValueRef::Text(text.as_bytes())]).map(drop)
        })
    }
}

fn route_record(row: &rusqlite::Row<'_>) -> rusqlite::Result<RouteRecord> {
    let json = |at: usize| row.get::<_, String>(at);
    let attempts: Vec<Attempt> = serde_json::from_str(&json(3)?).unwrap_or_default();
    let objectives: Vec<Objective> = serde_json::from_str(&json(6)?).unwrap_or_default();
    Ok(RouteRecord {
        item: row.get::<_, i64>(0)? as u64,
        stage: row.get(1)?,
        outcome: Outcome { context: row.get(2)?, attempts, reward: row.get(5)?, objectives, ..Outcome::default() },
        scores: serde_json::from_str(&json(4)?).unwrap_or_default(),
        settled: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::STORE;

    #[test]
    fn a_route_whose_beginning_is_gone_does_not_begin_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&folder.path().join(STORE)).expect("a record");
        assert_eq!(db.route_start(3).expect("read"), None);
        db.begin_route(3, None).expect("noted");
        assert_eq!(db.route_start(3).expect("read"), Some(None));
        let state = serde_json::json!({ "arms": 2 });
        db.begin_route(4, Some(&state)).expect("noted");
        assert_eq!(db.route_start(4).expect("read"), Some(Some(state)));
        let outcome = Outcome::default();
        let record = RouteRecord { item: 0, stage: 4, outcome, scores: Vec::new(), settled: false };
        db.put_route(&record).expect("noted");
        db.run(|db| db.execute_batch("DELETE FROM route_starts")).expect("deleted");
        assert_eq!(db.route_start(3).expect("nothing was decided"), None);
        assert!(db.route_start(4).expect_err("refused").to_string().contains("is missing"));
    }
}
