//! What is on the record of a stage's calls for an item: their keys, what they were given, and the answers of models.

use std::path::{Path, PathBuf};

use jackfield::internal::RunInputs;
use jackfield_engine::{common_parts, recorded_inputs};
use jackfield_pipeline::{Scope, StagePlan};
use jackfield_store::{
    Answer, CompletionRow, Db, ItemRow, MemoNote, OF_RUN, OVER_ALL, RunJson, StoreError, list_runs, read_record,
};
use serde_json::{Value, json};

/// A stage's calls for an item of a run.
pub(super) struct RecordedStageCalls {
    pub(super) run: RunJson,
    /// Index of the stage in the plan.
    stage: usize,
    /// Id of the item; empty for a stage that runs once a run.
    pub(super) item: String,
    row: Option<ItemRow>,
    db: Db,
    /// What opens the input of the run again.
    inputs: RunInputs,
    /// What all calls of the stage have in common and their results depend on, by name.
    pub(super) parts: Vec<(&'static str, Value)>,
    /// What the memo says of each call, for a stage with one.
    pub(super) notes: Vec<MemoNote>,
    /// How many calls have ended.
    pub(super) calls: usize,
    /// Why none of them was made, if none was: that a stage that they read has no result.
    pub(super) skipped: Option<String>,
    /// Whether one of them failed.
    pub(super) failed: bool,
    /// How often a cache was asked for them, that of the stage itself or that of a model.
    pub(super) lookups: u64,
    /// The completions that the calls asked for, and how each failed that did.
    pub(super) answers: Vec<(CompletionRow, Option<String>)>,
}

impl RecordedStageCalls {
    /// Reads what is recorded of a stage for an item, or for the first item if `id` is none. None if there is no result.
    pub(super) fn read(run: RunJson, folder: &Path, name: &str, id: Option<&str>) -> Result<Option<Self>, StoreError> {
        let Some(index) = run.plan.stages.iter().position(|stage| stage.name == name) else { return Ok(None) };
        let stage = &run.plan.stages[index];
        let db = read_record(folder, &run)?;
        let row = match (id, stage.scope) {
            (_, Scope::Run | Scope::All) => None,
            (Some(id), Scope::Item) => db.item_by_id(id)?,
            (None, Scope::Item) => db.first_items(1)?.pop(),
        };
        if row.is_none() && stage.scope == Scope::Item {
            return Ok(None);
        }
        let position =
            row.as_ref().map_or(if stage.scope == Scope::All { OVER_ALL } else { OF_RUN }, |row| row.index as i64);
        db.verify_item(position, &run)?;
        let notes = db.memo_notes(position, index as u32)?.into_iter().map(|(_, note)| note).collect();
        let answers = db.results(position)?.into_iter().filter(|result| result.stage == index as u32);
        let answers: Vec<Answer> = answers.map(|result| result.answer).collect();
        let calls = answers.len();
        if calls == 0 {
            return Ok(None);
        }
        let failed = answers.iter().any(|answer| matches!(answer, Answer::Failed { .. }));
        let skipped = why_skipped(&answers);
        let item = row.as_ref().map(|row| row.id.clone()).unwrap_or_default();
        let mut answers = Vec::new();
        db.each_completion_of(index as u32, &item, |answer, failure| answers.push((answer, failure)))?;
        let lookups = db.spend_of_item(&item)?.get(&(index as u32)).map_or(0, |spend| spend.cache_lookups);
        let parts = parts(&run, stage, index, &db, row.as_ref())?;
        Ok(Some(Self {
            stage: index,
            item,
            row,
            parts,
            notes,
            calls,
            skipped,
            failed,
            lookups,
            answers,
            db,
            inputs: RunInputs::in_folder(folder),
            run,
        }))
    }

    /// The newest earlier run of the pipeline in which the stage had a result for the item.
    pub(super) fn before(&self, runs: &Path) -> Result<Option<Self>, StoreError> {
        let (runs, _) = list_runs(runs);
        // They come in the order in which they were made.
        let before = runs.into_iter().take_while(|(_, run)| run.run != self.run.run);
        let mut before: Vec<(PathBuf, RunJson)> = before.filter(|(_, run)| run.pipeline == self.run.pipeline).collect();
        before.reverse();
        let name = self.stage().name.clone();
        let item = Some(self.item.as_str()).filter(|item| !item.is_empty());
        for (folder, run) in before {
            let keeps = run.plan.stages.iter().any(|stage| stage.name == name && stage.cache.is_some());
            // A result that is kept is compared with one that was kept.
            if (keeps || !self.keeps_results())
                && let Some(seen) = Self::read(run, &folder, &name, item)?
            {
                return Ok(Some(seen));
            }
        }
        Ok(None)
    }

    pub(super) fn stage(&self) -> &StagePlan {
        &self.run.plan.stages[self.stage]
    }

    /// Whether the stage has a cache of its own.
    pub(super) fn keeps_results(&self) -> bool {
        self.stage().cache.is_some()
    }

    /// How many of its results were in the cache.
    pub(super) fn hits(&self) -> usize {
        self.notes.iter().filter(|note| note.hit).count()
    }

    /// What each call was given, or why that cannot be told any more.
    pub(super) fn inputs(&self) -> Result<Vec<Value>, String> {
        let documents = recorded_inputs(&self.run.plan, &self.inputs, self.stage(), &self.db, self.row.as_ref())
            .map_err(|error| error.to_string())?;
        let parse = |document: &jackfield_plugin_api::Document| {
            serde_json::from_str(&document.json).map_err(|error| error.to_string())
        };
        documents.iter().map(parse).collect()
    }

    /// The cache of a model of the run.
    pub(super) fn cache_of_model(&self, model: &str) -> Option<&str> {
        let plan = &self.run.plan;
        let model = plan.models.iter().find(|known| known.name == model)?;
        model.cache.map(|cache| plan.caches[cache].name.as_str())
    }
}

/// Why no call was made, if none was.
fn why_skipped(answers: &[Answer]) -> Option<String> {
    let messages = answers.iter().map(|answer| match answer {
        Answer::Skipped { message } => Some(message.clone()),
        Answer::Off { message } => Some(format!("the stage is off: {message}")),
        Answer::Ok { .. } | Answer::Failed { .. } => None,
    });
    messages.collect::<Option<Vec<_>>>()?.into_iter().next()
}

/// What all calls of a stage have in common and their results depend on, by name.
fn parts(
    run: &RunJson,
    stage: &StagePlan,
    index: usize,
    db: &Db,
    row: Option<&ItemRow>,
) -> Result<Vec<(&'static str, Value)>, StoreError> {
    // The configuration with the values that the search chose for this trial.
    let trial = match (run.plan.search.as_ref(), row) {
        (Some(search), Some(row)) => db.trial(row.index)?.map(|trial| (search, trial)),
        _ => None,
    };
    let mut parts = match trial {
        Some((search, trial)) => common_parts(&run.plan, &stage.with_values(search, index, &trial.outcome.values)),
        None => common_parts(&run.plan, stage),
    };
    // By name, so that a difference can be told by the key that differs.
    if let Some((_, model)) = parts.iter_mut().find(|(name, _)| *name == "model")
        && let Some([name, version, artifact, config]) = model.as_array().map(Vec::as_slice)
    {
        *model = json!({ "name": name, "version": version, "artifact": artifact, "config": config });
    }
    if stage.cache.is_none() {
        // What is kept does not depend on it, unless the extension asks for random numbers.
        parts.push(("seed", json!(run.plan.seed)));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_skipped_if_none_of_its_calls_was_made() {
        let skipped = |message: &str| Answer::Skipped { message: message.to_owned() };
        let failed = Answer::Failed { kind: "failed".to_owned(), message: "too long".to_owned() };
        assert_eq!(why_skipped(&[]), None);
        assert_eq!(why_skipped(&[skipped("`a` has no result"), skipped("b")]).as_deref(), Some("`a` has no result"));
        assert_eq!(why_skipped(&[skipped("`a` has no result"), failed]), None);
    }
}
