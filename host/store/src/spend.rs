//! What was spent: by model, for its budget, and by stage and item, for reports.

use std::collections::BTreeMap;

use jackfield_pipeline::Plan;
use rusqlite::{Params, params};
use serde::{Deserialize, Serialize};

use super::{Db, Recorded, StoreError};
use crate::{AnswerSource, CompletionRecord, ModelCount};

/// What a stage spent, for an item or in all. Its fields are the members of a wire `spend.STAGE`
/// ([`SPEND_MEMBERS`](jackfield_pipeline::SPEND_MEMBERS)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spend {
    /// Completions that a model was called for.
    pub calls: u64,
    /// Completions from a cache, or that shared the call of an equal one.
    pub cached: u64,
    /// Completions that failed for good.
    pub failed: u64,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// Those of `tokens_in` that the server read from its own cache of prompts.
    #[serde(default)]
    pub tokens_cached: u64,
    /// Those of `tokens_in` that the server put into its own cache of prompts.
    #[serde(default)]
    pub tokens_cache_write: u64,
    /// Those of `tokens_out` that the model thought in.
    #[serde(default)]
    pub tokens_reasoning: u64,
    /// US dollars.
    #[serde(serialize_with = "rounded")]
    pub cost_usd: f64,
    /// How often a cache was asked: for completions, and by the stage's extension itself.
    pub cache_lookups: u64,
    /// How often it had what it was asked for.
    pub cache_hits: u64,
    /// Hits over lookups; none without any lookup.
    pub cache_hit_rate: Option<f64>,
}

/// Writes dollars to twelve places: what a sum of prices is exact to.
fn rounded<S: serde::Serializer>(usd: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    let scale = 1e12;
    let rounded = (usd * scale).round() / scale;
    serializer.serialize_f64(if rounded.is_finite() { rounded } else { *usd })
}

impl Spend {
    /// Whether nothing was spent.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether any completion was asked for.
    #[must_use]
    pub const fn has_completions(&self) -> bool {
        self.calls + self.cached + self.failed > 0
    }

    /// Counts a completion that has ended.
    pub fn add_completion(&mut self, completion: &CompletionRecord) {
        match (&completion.failure, &completion.source) {
            (Some(_), _) => self.failed += 1,
            (None, AnswerSource::Call) => self.calls += 1,
            (None, _) => self.cached += 1,
        }
        self.tokens_in = self.tokens_in.saturating_add(completion.usage.input);
        self.tokens_out = self.tokens_out.saturating_add(completion.usage.output);
        self.tokens_cached = self.tokens_cached.saturating_add(completion.usage.cached_input);
        self.tokens_cache_write = self.tokens_cache_write.saturating_add(completion.usage.cache_write);
        self.tokens_reasoning = self.tokens_reasoning.saturating_add(completion.usage.reasoning);
        self.cost_usd += completion.usd;
    }

    /// Counts lookups.
    pub fn add_lookups(&mut self, asked: u64, found: u64) {
        self.cache_lookups += asked;
        self.cache_hits += found;
        self.cache_hit_rate = (self.cache_lookups > 0).then(|| self.cache_hits as f64 / self.cache_lookups as f64);
    }
}

/// What is counted of completions. One that was in progress when its process was killed is not counted as a call that ended,
/// but what it may have spent is.
const COUNTS: &str = "SUM(source = 'call' AND failure IS NULL AND NOT open), SUM(source != 'call' AND failure IS NULL),
    SUM(failure IS NOT NULL), SUM(MAX(tries - 1, 0)), TOTAL(tokens_in), TOTAL(tokens_out), TOTAL(usd), TOTAL(tokens_cached),
    TOTAL(tokens_cache_write), TOTAL(tokens_reasoning)";

/// Completions, with all that is known of their tokens.
pub(super) const COMPLETIONS: &str = "model_calls LEFT JOIN completion_tokens USING (seq)";

impl Db {
    /// What each model was paid so far, in all sessions.
    pub fn spent(&self) -> Result<Vec<(String, ModelCount)>, StoreError> {
        self.run(|db| {
            let sql = format!("SELECT {COUNTS}, model FROM {COMPLETIONS} GROUP BY model ORDER BY model");
            let mut query = db.prepare(&sql)?;
            query.query_map([], |row| Ok((row.get(10)?, count_of(row)?)))?.collect()
        })
    }

    /// What each stage spent so far, by its position.
    pub fn spend_by_stage(&self) -> Result<BTreeMap<u32, Spend>, StoreError> {
        self.spend("", params![])
    }

    /// What each stage spent so far for an item, by its position; the empty id is that of the stages that run once a run.
    pub fn spend_of_item(&self, id: &str) -> Result<BTreeMap<u32, Spend>, StoreError> {
        self.spend("WHERE item = ?1", params![id])
    }

    /// How much the record holds.
    pub fn recorded(&self) -> Result<Recorded, StoreError> {
        self.run(|db| {
            let count = |table: &str| {
                let sql = format!("SELECT COUNT(*) FROM {table}");
                db.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(|count| count as u64)
            };
            Ok(Recorded {
                items: count("items")?,
                results: count("results")?,
                completions: count("model_calls")?,
                decisions: count("routes")? + count("trials")?,
                lookups: count("lookups")?,
                events: count("events")?,
            })
        })
    }

    /// Makes [`spend_of_item`](Self::spend_of_item) quick, for a run that asks for every item.
    pub fn index_spend(&self) -> Result<(), StoreError> {
        self.run(|db| {
            db.execute_batch(
                "CREATE INDEX IF NOT EXISTS model_calls_by_item ON model_calls (item);
                 CREATE INDEX IF NOT EXISTS lookups_by_item ON lookups (item);",
            )
        })
    }

    fn spend(&self, condition: &str, values: impl Params + Copy) -> Result<BTreeMap<u32, Spend>, StoreError> {
        self.run(|db| {
            let mut spend: BTreeMap<u32, Spend> = BTreeMap::new();
            let sql = format!("SELECT {COUNTS}, stage FROM {COMPLETIONS} {condition} GROUP BY stage");
            let mut query = db.prepare_cached(&sql)?;
            let mut rows = query.query(values)?;
            while let Some(row) = rows.next()? {
                let count = count_of(row)?;
                let of_stage = Spend {
                    calls: count.calls,
                    cached: count.cached,
                    failed: count.failed,
                    tokens_in: count.tokens_in,
                    tokens_out: count.tokens_out,
                    tokens_cached: count.tokens_cached,
                    tokens_cache_write: count.tokens_cache_write,
                    tokens_reasoning: count.tokens_reasoning,
                    cost_usd: count.usd,
                    ..Spend::default()
                };
                spend.insert(row.get(10)?, of_stage);
            }
            let sql = format!("SELECT stage, TOTAL(asked), TOTAL(found) FROM lookups {condition} GROUP BY stage");
            let mut query = db.prepare_cached(&sql)?;
            let mut rows = query.query(values)?;
            while let Some(row) = rows.next()? {
                let stage = spend.entry(row.get(0)?).or_default();
                stage.add_lookups(row.get::<_, f64>(1)? as u64, row.get::<_, f64>(2)? as u64);
            }
            Ok(spend)
        })
    }

    /// What the stages spent for an item, by name.
    pub fn spend_of_item_by_name(&self, id: &str, plan: &Plan) -> Result<BTreeMap<String, Spend>, StoreError> {
        Ok(by_stage_name(self.spend_of_item(id)?, plan))
    }

    /// What the stages spent, by name.
    pub fn spend_by_name(&self, plan: &Plan) -> Result<BTreeMap<String, Spend>, StoreError> {
        Ok(by_stage_name(self.spend_by_stage()?, plan))
    }
}

/// The same by the names of the stages.
pub(super) fn by_stage_name(spend: BTreeMap<u32, Spend>, plan: &Plan) -> BTreeMap<String, Spend> {
    let name = |(stage, spend): (u32, Spend)| Some((plan.stages.get(stage as usize)?.name.clone(), spend));
    spend.into_iter().filter_map(name).collect()
}

/// The counts of a row whose first columns are [`COUNTS`]. Sums are floating-point: those of whole numbers are an error in
/// SQLite where they overflow, and these hold at their end.
fn count_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<ModelCount> {
    let count = |at| row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or_default());
    let total = |at| row.get::<_, f64>(at).map(|total| total as u64);
    Ok(ModelCount {
        calls: count(0)?,
        cached: count(1)?,
        failed: count(2)?,
        retries: count(3)?,
        tokens_in: total(4)?,
        tokens_out: total(5)?,
        usd: row.get(6)?,
        tokens_cached: total(7)?,
        tokens_cache_write: total(8)?,
        tokens_reasoning: total(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::Spend;

    #[test]
    fn the_members_of_a_wire_are_the_fields_that_there_are() {
        let fields = serde_json::to_value(Spend::default()).expect("JSON");
        let fields: std::collections::BTreeSet<&str> =
            fields.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, jackfield_pipeline::SPEND_MEMBERS.iter().copied().collect());
    }
}
