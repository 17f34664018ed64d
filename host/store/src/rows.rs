//! Rows of a run's SQLite file, as they are read.

use std::sync::Arc;

use rusqlite::types::Type;

use super::{record::Answer, tensors};

pub(super) const OK: i64 = 0;
pub(super) const FAILED: i64 = 1;
pub(super) const SKIPPED: i64 = 2;
pub(super) const OFF: i64 = 3;

/// An item on the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    /// Position among all items, from 0.
    pub index: u64,
    /// Its id.
    pub id: String,
    /// SHA-256 of its document.
    pub digest: Vec<u8>,
    /// How it ended, if it did.
    pub state: Option<String>,
    /// Why it could not be read, or its files not written, if so.
    pub fault: Option<String>,
    /// The stage that stopped it, if one did.
    pub stopped_by: Option<u32>,
    /// The checksum of its files, where it has any.
    pub files_sum: Option<i64>,
}

impl ItemRow {
    /// Whether its document could be read: then, and only then, there is a digest of it.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.digest.iter().any(|byte| *byte != 0)
    }
}

/// A call's end on the record.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultRow {
    /// Position of the stage in the plan.
    pub stage: u32,
    /// Position of the call in the stage.
    pub call: u32,
    /// The session that made the call.
    pub session: i64,
    /// How it ended.
    pub answer: Answer,
    /// Tries, the last included.
    pub attempts: u32,
    /// When it began, in microseconds since its session began.
    pub began_us: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Whether the result was in the memo; none for a stage without one.
    pub memo_hit: Option<bool>,
}

/// A session: one process at work on the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its number, from 1.
    pub id: i64,
    /// When it began (RFC 3339).
    pub began: String,
    /// When it ended, if it did so in order.
    pub ended: Option<String>,
    /// How it ended.
    pub state: String,
}

/// Results of a stage on the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageCounts {
    /// With a document.
    pub ok: u64,
    /// With a failure.
    pub failed: u64,
    /// Not made, since a source had failed.
    pub skipped: u64,
    /// Not made, since the stage was off.
    pub off: u64,
}

pub(super) fn item_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ItemRow> {
    Ok(ItemRow {
        index: row.get::<_, i64>(0)? as u64,
        id: row.get(1)?,
        digest: row.get(2)?,
        state: row.get(3)?,
        fault: row.get(4)?,
        stopped_by: row.get(5)?,
        files_sum: row.get(6)?,
    })
}

pub(super) fn result_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ResultRow> {
    let message = || row.get::<_, Option<String>>(7).map(Option::unwrap_or_default);
    let answer = match row.get::<_, i64>(3)? {
        OK => {
            let bytes: Option<Vec<u8>> = row.get(5)?;
            let tensors = bytes.as_deref().map_or(Some(Vec::new()), tensors::decode);
            let tensors = tensors.ok_or_else(|| {
                rusqlite::Error::FromSqlConversionFailure(5, Type::Blob, "it holds no tensors".into())
            })?;
            Answer::Ok { json: row.get::<_, Arc<str>>(4)?, tensors }
        }
        FAILED => Answer::Failed { kind: row.get(6)?, message: message()? },
        OFF => Answer::Off { message: message()? },
        _ => Answer::Skipped { message: message()? },
    };
    Ok(ResultRow {
        stage: row.get(0)?,
        call: row.get(1)?,
        session: row.get(2)?,
        answer,
        attempts: row.get(8)?,
        began_us: row.get::<_, i64>(9)? as u64,
        took_us: row.get::<_, i64>(10)? as u64,
        memo_hit: row.get(11)?,
    })
}
