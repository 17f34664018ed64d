//! Queries of a report on the SQLite file of a run: each hands over its rows one after the other.

use serde_json::Value;

use super::{Db, StoreError, answer_warnings::warnings_of, spend::COMPLETIONS};

/// A call's end, without its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// Position of the item; -1 for a stage that runs once a run, -2 for one that runs over all items.
    pub item: i64,
    /// Position of the stage in the plan.
    pub stage: u32,
    /// The session that made the call.
    pub session: i64,
    /// How it ended.
    pub end: CallEnd,
    /// Tries, the last included.
    pub attempts: u64,
    /// When it began, in microseconds since its session began.
    pub began_us: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Whether the result was in the memo; none for a stage without one.
    pub memo_hit: Option<bool>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// With a document.
    Ok,
    /// With a failure.
    Failed,
    /// It was not made, since a stage that it reads failed.
    Skipped,
    /// It was not made, since its stage was off.
    Off,
}

/// A failure of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureRow {
    /// Position of the stage in the plan.
    pub stage: u32,
    /// Id of the item; none for a stage that runs once a run.
    pub item: Option<String>,
    /// Name of its kind.
    pub kind: String,
    /// What went wrong.
    pub message: String,
}

/// A warning in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarningRow {
    /// Position of the stage in the plan.
    pub stage: u32,
    /// Id of the item; none for a stage that runs once a run.
    pub item: Option<String>,
    /// What it says.
    pub message: String,
}

/// A completion that a stage asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct CompletionRow {
    /// Name of the model.
    pub model: String,
    /// Position of the stage in the plan.
    pub stage: u32,
    /// Where the answer came from: `call`, `cache`, `shared`.
    pub source: String,
    /// The tier of the cache that had it, if one had.
    pub tier: Option<String>,
    /// Whether it failed for good.
    pub failed: bool,
    /// Calls made to the model for it.
    pub tries: u64,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// Those of `tokens_in` that the server read from its own cache of prompts.
    pub tokens_cached: u64,
    /// Those of `tokens_in` that the server put into its own cache of prompts.
    pub tokens_cache_write: u64,
    /// Those of `tokens_out` that the model thought in.
    pub tokens_reasoning: u64,
    /// US dollars.
    pub usd: f64,
    /// How long it took, waiting included, in microseconds.
    pub took_us: u64,
}

/// How long the answers were that a stage had from a model.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerLengths {
    /// Position of the stage in the plan.
    pub stage: u32,
    /// Name of the model.
    pub model: String,
    /// How many completions it was called for.
    pub answers: u64,
    /// Mean of the tokens that it wrote for one.
    pub mean_out: f64,
    /// Their standard deviation.
    pub deviation_out: f64,
    /// The fewest.
    pub least_out: u64,
    /// Mean of the tokens that it read for one.
    pub mean_in: f64,
    /// Completions of an item, cached ones included, over the items that asked for any.
    pub per_item: f64,
}

impl Db {
    /// How long the answers were so far, by stage and model.
    pub fn answer_lengths(&self) -> Result<Vec<AnswerLengths>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare(
                "SELECT stage, model, SUM(made), AVG(CASE WHEN made THEN tokens_out END),
                   AVG(CASE WHEN made THEN 1.0 * tokens_out * tokens_out END), MIN(CASE WHEN made THEN tokens_out END),
                   AVG(CASE WHEN made THEN tokens_in END),
                   1.0 * COUNT(*) / COUNT(DISTINCT item)
                 FROM (SELECT *, source = 'call' AND failure IS NULL AS made FROM model_calls WHERE NOT open)
                 GROUP BY stage, model HAVING SUM(made) > 0 ORDER BY stage, model",
            )?;
            let rows = query.query_map([], |row| {
                let (mean_out, mean_of_squares): (f64, f64) = (row.get(3)?, row.get(4)?);
                Ok(AnswerLengths {
                    stage: row.get(0)?,
                    model: row.get(1)?,
                    answers: unsigned(row, 2)?,
                    mean_out,
                    deviation_out: (mean_of_squares - mean_out * mean_out).max(0.0).sqrt(),
                    least_out: unsigned(row, 5)?,
                    mean_in: row.get(6)?,
                    per_item: row.get(7)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Runs queries that all see the file as it is at one moment, also while a run is at work on it.
    pub fn in_one_transaction<T>(&self, read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.run(|db| db.execute_batch("BEGIN"))?;
        let result = read();
        self.run(|db| db.execute_batch("ROLLBACK"))?;
        result
    }

    /// Calls `visit` for the end of every call, by item, stage and call; those of the run-wide stages first.
    pub fn each_call(&self, visit: impl FnMut(CallRow)) -> Result<(), StoreError> {
        self.each(
            "SELECT item, stage, session, state, attempts, began_us, took_us, memo_hit FROM results ORDER BY item, stage, call",
            |row| {
                Ok(CallRow {
                    item: row.get(0)?,
                    stage: row.get(1)?,
                    session: row.get(2)?,
                    end: match row.get::<_, i64>(3)? {
                        0 => CallEnd::Ok,
                        1 => CallEnd::Failed,
                        3 => CallEnd::Off,
                        _ => CallEnd::Skipped,
                    },
                    attempts: unsigned(row, 4)?,
                    began_us: unsigned(row, 5)?,
                    took_us: unsigned(row, 6)?,
                    memo_hit: row.get(7)?,
                })
            },
            visit,
        )
    }

    /// Calls `visit` for every failure of a call, by item, stage and call.
    pub fn each_failure(&self, visit: impl FnMut(FailureRow)) -> Result<(), StoreError> {
        self.each(
            "SELECT stage, (SELECT id FROM items WHERE idx = item), COALESCE(kind, ''), COALESCE(message, '') FROM results
             WHERE state = 1 ORDER BY item, stage, call",
            |row| {
                Ok(FailureRow { stage: row.get(0)?, item: row.get(1)?, kind: row.get(2)?, message: row.get(3)? })
            },
            visit,
        )
    }

    /// Calls `visit` for every warning in an answer, by item, stage and call: what the list `warnings` of an answer holds, which
    /// is texts, or objects with a member `text`.
    pub fn each_warning(&self, mut visit: impl FnMut(WarningRow)) -> Result<(), StoreError> {
        self.each(
            "SELECT stage, (SELECT id FROM items WHERE idx = item), output FROM results
             WHERE state = 0 AND instr(output, '\"warnings\"') > 0 ORDER BY item, stage, call",
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            |(stage, item, output): (u32, Option<String>, String)| {
                let answer: Value = serde_json::from_str(&output).unwrap_or_default();
                for message in warnings_of(&answer) {
                    visit(WarningRow { stage, item: item.clone(), message: message.to_owned() });
                }
            },
        )
    }

    /// Calls `visit` for every completion, in the order in which they ended.
    pub fn each_completion(&self, visit: impl FnMut(CompletionRow)) -> Result<(), StoreError> {
        self.each(&format!("SELECT {COMPLETION_COLUMNS} FROM {COMPLETIONS} ORDER BY seq"), completion_row, visit)
    }

    /// Calls `visit` for every completion that a stage asked for on behalf of an item (empty for a stage that runs once a run), in
    /// the order in which they ended, with the kind of its failure if it failed for good.
    pub fn each_completion_of(
        &self,
        stage: u32,
        item: &str,
        mut visit: impl FnMut(CompletionRow, Option<String>),
    ) -> Result<(), StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT {COMPLETION_COLUMNS}, failure FROM {COMPLETIONS} WHERE stage = ?1 AND item = ?2 ORDER BY seq"
            ))?;
            let mut rows = query.query(rusqlite::params![stage, item])?;
            while let Some(row) = rows.next()? {
                visit(completion_row(row)?, row.get(13)?);
            }
            Ok(())
        })
    }

    /// Whether [`each_completion_of_item`](Self::each_completion_of_item) is quick: in the record of a run whose last session
    /// ended in order.
    pub fn has_index_of_completions(&self) -> Result<bool, StoreError> {
        self.run(|db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'model_calls_by_item')";
            db.query_row(sql, [], |row| row.get(0))
        })
    }

    /// Calls `visit` for every completion on behalf of an item, in the order in which they ended.
    pub fn each_completion_of_item(&self, item: &str, mut visit: impl FnMut(CompletionRow)) -> Result<(), StoreError> {
        self.run(|db| {
            let sql = format!("SELECT {COMPLETION_COLUMNS} FROM {COMPLETIONS} WHERE item = ?1 ORDER BY seq");
            let mut query = db.prepare_cached(&sql)?;
            let mut rows = query.query([item])?;
            while let Some(row) = rows.next()? {
                visit(completion_row(row)?);
            }
            Ok(())
        })
    }

    /// Calls `visit` for every completion, with the id of the item that it is for, in the order in which they ended.
    pub fn each_completion_with_item(&self, mut visit: impl FnMut(String, CompletionRow)) -> Result<(), StoreError> {
        self.each(
            &format!("SELECT {COMPLETION_COLUMNS}, item FROM {COMPLETIONS} ORDER BY seq"),
            |row| Ok((row.get(13)?, completion_row(row)?)),
            |(item, row)| visit(item, row),
        )
    }

    /// When the last call of each session ended, in microseconds since the session began.
    pub fn session_ends(&self) -> Result<Vec<(i64, u64)>, StoreError> {
        let mut ends = Vec::new();
        self.each(
            "SELECT session, MAX(began_us + took_us) FROM results WHERE state < 2 GROUP BY session ORDER BY session",
            |row| Ok((row.get(0)?, unsigned(row, 1)?)),
            |end| ends.push(end),
        )?;
        Ok(ends)
    }

    /// Whether a route began with what earlier runs had learned.
    pub fn began_with_learned_state(&self, stage: u32) -> Result<bool, StoreError> {
        self.run(|db| {
            db.query_row(
                "SELECT EXISTS (SELECT 1 FROM route_starts WHERE stage = ?1 AND state != 'null')",
                [stage],
                |row| row.get(0),
            )
        })
    }

    fn each<T>(
        &self,
        sql: &str,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
        mut visit: impl FnMut(T),
    ) -> Result<(), StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(sql)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                visit(read(row)?);
            }
            Ok(())
        })
    }
}

/// The columns that [`completion_row`] reads.
const COMPLETION_COLUMNS: &str =
    "model, stage, source, tier, failure IS NOT NULL, tries, tokens_in, tokens_out, usd, took_us,
    COALESCE(tokens_cached, 0), COALESCE(tokens_cache_write, 0), COALESCE(tokens_reasoning, 0)";

fn completion_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<CompletionRow> {
    Ok(CompletionRow {
        model: row.get(0)?,
        stage: row.get(1)?,
        source: row.get(2)?,
        tier: row.get(3)?,
        failed: row.get(4)?,
        tries: unsigned(row, 5)?,
        tokens_in: unsigned(row, 6)?,
        tokens_out: unsigned(row, 7)?,
        usd: row.get(8)?,
        took_us: unsigned(row, 9)?,
        tokens_cached: unsigned(row, 10)?,
        tokens_cache_write: unsigned(row, 11)?,
        tokens_reasoning: unsigned(row, 12)?,
    })
}

/// A count; a damaged file may hold anything.
fn unsigned(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}
