//! Where the answers of an item come from: for each stage the extension, the model, whether it was cached, tokens, cost, tries and
//! time.

use std::collections::{BTreeMap, HashMap};

use jackfield_pipeline::{Plan, Scope};
use jackfield_store::{CompletionRow, Db, ItemRow, ResultRow, StoreError};
use serde::Serialize;

/// The completions of a run's stages, by item.
pub(crate) enum Provenance {
    /// Asked of the record, item by item.
    Indexed,
    /// Gathered beforehand, for a record that would have to be searched for each item: that of a run that is at work, or was
    /// killed.
    Gathered(HashMap<String, BTreeMap<u32, Completions>>),
}

/// The completions that a stage asked for on behalf of an item.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Completions {
    models: Vec<String>,
    count: u64,
    cached: u64,
    tokens_in: u64,
    tokens_out: u64,
    usd: f64,
}

impl Completions {
    fn add(&mut self, row: CompletionRow) {
        self.count += 1;
        self.cached += u64::from(row.source != "call");
        self.tokens_in += row.tokens_in;
        self.tokens_out += row.tokens_out;
        self.usd += row.usd;
        if !self.models.contains(&row.model) {
            self.models.push(row.model);
        }
    }
}

/// What is said of a stage.
#[derive(Serialize)]
struct OfStage {
    /// The extension, with its version.
    extension: String,
    /// The models that were asked, or that the stage may ask.
    model: Option<String>,
    /// Whether all answers came from a cache; none where no cache was involved.
    cached: Option<bool>,
    tokens_in: u64,
    tokens_out: u64,
    cost_usd: f64,
    /// Tries of the stage's calls, the last included.
    attempts: u64,
    /// Time of the stage's calls.
    ms: f64,
}

impl Provenance {
    /// Prepares to be asked about every item.
    pub(crate) fn of(db: &Db) -> Result<Self, StoreError> {
        if db.has_index_of_completions()? {
            return Ok(Self::Indexed);
        }
        let mut gathered: HashMap<String, BTreeMap<u32, Completions>> = HashMap::new();
        db.each_completion_with_item(|item, row| {
            gathered.entry(item).or_default().entry(row.stage).or_default().add(row);
        })?;
        Ok(Self::Gathered(gathered))
    }

    /// What is said of an item: an object, by the names of the stages that were called for it.
    pub(crate) fn of_item(
        &self,
        db: &Db,
        plan: &Plan,
        item: &ItemRow,
        rows: &[ResultRow],
    ) -> Result<String, StoreError> {
        let completions = self.completions_of(db, &item.id)?;
        // The stages stay in the order of the plan.
        let mut stages: Vec<String> = Vec::new();
        for (index, stage) in plan.stages.iter().enumerate().filter(|(_, stage)| stage.scope == Scope::Item) {
            let calls: Vec<&ResultRow> = rows.iter().filter(|row| row.stage as usize == index).collect();
            if calls.is_empty() {
                continue;
            }
            let asked = completions.get(&(index as u32)).cloned().unwrap_or_default();
            let of_plan = stage.model.and_then(|model| plan.models.get(model)).map(|model| model.name.clone());
            let memo: Vec<bool> = calls.iter().filter_map(|call| call.memo_hit).collect();
            let cached = if asked.count > 0 {
                Some(asked.cached == asked.count)
            } else if memo.is_empty() {
                None
            } else {
                Some(memo.iter().all(|hit| *hit))
            };
            let micros: u64 = calls.iter().map(|call| call.took_us).sum();
            let of_stage = OfStage {
                extension: format!("{}/{}@{}", stage.extension.plugin, stage.extension.name, stage.extension.version),
                model: if asked.models.is_empty() { of_plan } else { Some(asked.models.join("+")) },
                cached,
                tokens_in: asked.tokens_in,
                tokens_out: asked.tokens_out,
                cost_usd: asked.usd,
                attempts: calls.iter().map(|call| u64::from(call.attempts)).sum(),
                ms: micros as f64 / 1000.0,
            };
            let (name, of_stage) = (serde_json::to_string(&stage.name), serde_json::to_string(&of_stage));
            stages.push(format!("{}:{}", name.unwrap_or_default(), of_stage.unwrap_or_default()));
        }
        Ok(format!("{{{}}}", stages.join(",")))
    }

    fn completions_of(&self, db: &Db, item: &str) -> Result<BTreeMap<u32, Completions>, StoreError> {
        match self {
            Self::Gathered(gathered) => Ok(gathered.get(item).cloned().unwrap_or_default()),
            Self::Indexed => {
                let mut found: BTreeMap<u32, Completions> = BTreeMap::new();
                db.each_completion_of_item(item, |row| found.entry(row.stage).or_default().add(row))?;
                Ok(found)
            }
        }
    }
}
