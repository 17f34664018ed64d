//! What is written to a run's SQLite file as the run goes on: items, results, completions, lookups and events.

use jackfield_plugin_api::Usage;
use rusqlite::{Connection, params_from_iter, types::ValueRef};

use super::{
    Db, StoreError,
    record::{Answer, CacheLookups, CallRecord, CompletionEntry, ItemDone, NewItem, OVER_ALL},
    rows::{FAILED, OFF, OK, SKIPPED},
    tables::{self, BoundValue, integer, optional, optional_bytes, optional_text, text},
    tensors,
};
/// How many results an item has, and the sum of their checksums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ResultTotals {
    pub(super) count: i64,
    pub(super) sum: i64,
}

/// The checksum of the result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResultChecksum {
    pub(super) stage: u32,
    pub(super) call: u32,
    pub(super) checksum: i64,
}

impl Db {
    /// Records that an item was taken up. If it is recorded already, its end is taken back.
    pub(super) fn put_item(&self, item: &NewItem) -> Result<(), StoreError> {
        let index = item.index as i64;
        let values = [integer(index), text(&item.id), ValueRef::Blob(&item.digest)];
        let sums = [tables::ITEMS.checksum_of(&values), tables::ITEM_ENDS.checksum_of(&not_done(index))]
            .map(ValueRef::Integer);
        self.run(|db| {
            let mut insert = db.prepare_cached(
                "INSERT INTO items (idx, id, digest, sum, end_sum) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET id = excluded.id, digest = excluded.digest, sum = excluded.sum, state = NULL,
                   stopped_by = NULL, fault = NULL, rows = NULL, rows_sum = NULL, files_sum = NULL,
                   end_sum = excluded.end_sum",
            )?;
            insert.execute(params_from_iter(values.into_iter().chain(sums).map(BoundValue)))?;
            Ok(())
        })?;
        self.put_item_values(index, &item.values)
    }

    /// Records the result of a call. A result that is recorded already is never written over, unless it is a failure that is
    /// tried again. Returns its checksum; none if nothing was written.
    pub(super) fn put_result(&self, session: i64, record: &CallRecord) -> Result<Option<i64>, StoreError> {
        let encoded;
        let (state, output, bytes, kind, message) = match &record.answer {
            Answer::Ok { json, tensors } => {
                encoded = tensors::encode(tensors);
                (OK, Some(&**json), encoded.as_deref(), None, None)
            }
            Answer::Failed { kind, message } => (FAILED, None, None, Some(kind.as_str()), Some(message.as_str())),
            Answer::Off { message } => (OFF, None, None, None, Some(message.as_str())),
            Answer::Skipped { message } => (SKIPPED, None, None, None, Some(message.as_str())),
        };
        let memo = record.memo.as_ref();
        let values = [
            integer(record.item),
            integer(record.stage),
            integer(record.call),
            integer(session),
            integer(state),
            optional_text(output),
            optional_bytes(bytes),
            optional_text(kind),
            optional_text(message),
            integer(record.attempts),
            integer(record.began_us),
            integer(record.took_us),
            optional(memo, |memo| integer(memo.hit)),
            optional_bytes(memo.map(|memo| &memo.input[..])),
            optional_bytes(memo.map(|memo| &memo.key[..])),
        ];
        self.run(|db| {
            // Most results are the first of their call; a short statement is found sooner among those that are prepared.
            let sum = tables::RESULTS.write(db, INSERT_RESULT, &values)?;
            if db.changes() == 0 {
                tables::RESULTS.write(db, REPLACE_FAILURE, &values)?;
            }
            Ok((db.changes() > 0).then_some(sum))
        })
    }

    /// The checksums of the results that an item has.
    pub(super) fn result_checksums(&self, item: i64) -> Result<Vec<ResultChecksum>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached("SELECT stage, call, sum FROM results WHERE item = ?1")?;
            let rows = query.query_map([item], |row| {
                Ok(ResultChecksum { stage: row.get(0)?, call: row.get(1)?, checksum: row.get(2)? })
            })?;
            rows.collect()
        })
    }

    /// Records a completion, or writes it over as more of it is known.
    pub(super) fn put_completion(&self, session: i64, seq: i64, entry: &CompletionEntry) -> Result<(), StoreError> {
        let completion = &entry.completion;
        let (source, tier) = completion.source.columns();
        let sql =
            "INSERT OR REPLACE INTO model_calls (seq, session, model, stage, item, source, tier, failure, tries, \
             tokens_in, tokens_out, usd, began_us, took_us, open, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
        self.run(|db| {
            let values = [
                integer(seq),
                integer(session),
                text(&completion.model),
                integer(entry.stage),
                text(&completion.item),
                text(source),
                optional_text(tier),
                optional_text(completion.failure.map(|failure| failure.name())),
                integer(completion.tries),
                integer(completion.usage.input),
                integer(completion.usage.output),
                ValueRef::Real(completion.finite_usd()),
                integer(entry.began_us),
                integer(completion.took.as_micros()),
                integer(entry.open),
            ];
            tables::COMPLETIONS.write(db, sql, &values)?;
            let Usage { cached_input, cache_write, reasoning, .. } = completion.usage;
            if cached_input == 0 && cache_write == 0 && reasoning == 0 {
                return Ok(());
            }
            let sql = "INSERT OR REPLACE INTO completion_tokens (seq, tokens_cached, tokens_cache_write, tokens_reasoning, sum) \
                 VALUES (?1, ?2, ?3, ?4, ?5)";
            let values = [integer(seq), integer(cached_input), integer(cache_write), integer(reasoning)];
            tables::COMPLETION_TOKENS.write(db, sql, &values).map(drop)
        })
    }

    /// Records how often caches were asked.
    pub(super) fn put_lookups(&self, session: i64, lookups: &CacheLookups) -> Result<(), StoreError> {
        let CacheLookups { stage, item, asked, found } = lookups;
        self.run(|db| {
            let seq = self.next_number(&self.next_lookup, "SELECT COALESCE(MAX(seq), 0) + 1 FROM lookups")?;
            let sql = "INSERT INTO lookups (seq, session, stage, item, asked, found, sum) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let values =
                [integer(seq), integer(session), integer(*stage), text(item), integer(*asked), integer(*found)];
            tables::LOOKUPS.write(db, sql, &values).map(drop)
        })
    }

    /// Records the end of an item, with what its results come to and the checksum of its files.
    pub(super) fn finish_item(
        &self,
        done: &ItemDone,
        results: ResultTotals,
        files: Option<i64>,
    ) -> Result<(), StoreError> {
        let values = [
            integer(done.index),
            text(done.state.name()),
            optional(done.stopped_by, integer),
            optional_text(done.fault.as_deref()),
            integer(results.count),
            integer(results.sum),
            optional(files, integer),
        ];
        self.run(|db| end_item(db, &values))
    }

    /// Records an event, a JSON object, `at_us` microseconds after its session began.
    pub fn put_event(&self, session: i64, at_us: u64, event: &str) -> Result<(), StoreError> {
        self.run(|db| {
            let seq = self.next_number(&self.next_event, "SELECT COALESCE(MAX(seq), 0) + 1 FROM events")?;
            let sql = "INSERT INTO events (seq, session, at_us, event, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
            tables::EVENTS.write(db, sql, &[integer(seq), integer(session), integer(at_us), text(event)]).map(drop)
        })
    }

    /// The number of the next completion.
    pub(super) fn next_completion(&self) -> Result<i64, StoreError> {
        self.run(|db| db.query_row("SELECT COALESCE(MAX(seq), 0) + 1 FROM model_calls", [], |row| row.get(0)))
    }
}

impl Db {
    /// How many results these items have.
    pub fn count_results_of(&self, items: &[u64]) -> Result<u64, StoreError> {
        self.run(|db| {
            let mut query = db.prepare("SELECT COUNT(*) FROM results WHERE item = ?1")?;
            items.iter().map(|item| query.query_row([*item as i64], |row| row.get::<_, i64>(0))).sum::<Result<i64, _>>()
        })
        .map(|count| u64::try_from(count).unwrap_or_default())
    }

    /// Forgets the results of these items, so that all their calls are made again. What was paid for them stays on the record.
    pub fn forget_results_of(&self, items: &[u64]) -> Result<(), StoreError> {
        self.in_transaction(|db| {
            let mut delete = db.prepare("DELETE FROM results WHERE item = ?1")?;
            let mut delete_exchanges = db.prepare("DELETE FROM exchanges WHERE item = ?1")?;
            items.iter().try_for_each(|item| {
                delete.execute([*item as i64])?;
                delete_exchanges.execute([*item as i64])?;
                reopen_item(db, *item as i64)
            })
        })
    }

    /// How many results there are of stages that run over all items.
    pub fn count_results_over_all(&self) -> Result<u64, StoreError> {
        self.run(|db| {
            db.query_row("SELECT COUNT(*) FROM results WHERE item = ?1", [OVER_ALL], |row| row.get::<_, i64>(0))
        })
        .map(|count| u64::try_from(count).unwrap_or_default())
    }

    /// Forgets the results of stages that run over all items: they are made again, over those that there are now.
    pub fn forget_results_over_all(&self) -> Result<(), StoreError> {
        self.in_transaction(|db| db.execute("DELETE FROM results WHERE item = ?1", [OVER_ALL]).map(drop))
    }

    fn in_transaction(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), StoreError> {
        self.begin()?;
        match self.run(write) {
            Ok(()) => self.commit(),
            Err(error) => {
                let _ = self.run(|db| db.execute_batch("ROLLBACK"));
                Err(error)
            }
        }
    }
}

/// A statement that writes a result: `INSERT`, its conflict clause, and what becomes of a result that is recorded already.
macro_rules! insert_result {
    ($or:literal, $conflict:literal) => {
        concat!(
            "INSERT ",
            $or,
            "INTO results (item, stage, call, session, state, output, tensors, kind, message, attempts, began_us, \
             took_us, memo_hit, memo_input, memo_key, sum) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            $conflict
        )
    };
}

/// Writes a result of a call that has none.
const INSERT_RESULT: &str = insert_result!("OR IGNORE ", "");

/// Writes a result of a call that has one, if that is a failure.
const REPLACE_FAILURE: &str = insert_result!(
    "",
    " ON CONFLICT DO UPDATE SET session = excluded.session, state = excluded.state, output = excluded.output,
       tensors = excluded.tensors, kind = excluded.kind, message = excluded.message, attempts = excluded.attempts,
       began_us = excluded.began_us, took_us = excluded.took_us, memo_hit = excluded.memo_hit,
       memo_input = excluded.memo_input, memo_key = excluded.memo_key, sum = excluded.sum
     WHERE results.state != 0"
);

fn end_item(db: &Connection, values: &[ValueRef<'_>]) -> rusqlite::Result<()> {
    let sql = "UPDATE items SET state = ?2, stopped_by = ?3, fault = ?4, rows = ?5, rows_sum = ?6, files_sum = ?7, \
         end_sum = ?8 WHERE idx = ?1";
    tables::ITEM_ENDS.write(db, sql, values).map(drop)
}

/// Records that an item is not done.
pub(super) fn reopen_item(db: &Connection, index: i64) -> rusqlite::Result<()> {
    end_item(db, &not_done(index))
}

/// The end of an item that has none.
fn not_done(index: i64) -> [ValueRef<'static>; 7] {
    let mut values = [ValueRef::Null; 7];
    values[0] = integer(index);
    values
}
