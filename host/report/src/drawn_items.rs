//! The items of a run that have something to look at: those first that did not come out well.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_pipeline::Plan;
use jackfield_store::{Answer, Db, ItemRow, ItemState, ResultRow, RunJson, StoreError};
use serde_json::Value;

use super::looks::Looks;

/// The most items that are drawn.
pub(super) const ITEMS: usize = 12;
/// The most drawings of an input, and of a result.
const DRAWINGS: usize = 40;
/// How many items that came out well are looked into, to find those that something was not reached in.
const LOOKED_INTO: u64 = 500;
/// How many bytes of results are looked into for that.
const LOOKED_INTO_BYTES: usize = 64 << 20;

/// Reads the documents of items again, by position; those that cannot be read are left out.
pub type Inputs<'a> = dyn Fn(&[ItemRow]) -> BTreeMap<u64, Arc<str>> + 'a;

/// What is to be looked at.
#[derive(Default)]
pub(super) struct DrawnItems {
    pub(super) items: Vec<DrawnItem>,
}

/// An item with something to look at.
pub(super) struct DrawnItem {
    pub(super) id: String,
    pub(super) state: ItemState,
    /// Whether something in it was wanted and not reached.
    pub(super) is_unsolved: bool,
    /// None where nothing of the input is marked; an error where it cannot be read again.
    pub(super) input: Option<Result<Looks, ()>>,
    /// By position of the stage in the plan.
    pub(super) stages: Vec<(usize, Looks)>,
}

impl DrawnItems {
    /// Reads what there is; nothing of a run in which nothing is marked.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub(super) fn read(run: &RunJson, db: &Db, inputs: &Inputs<'_>) -> Result<Self, StoreError> {
        let plan = &run.plan;
        if plan.item_views.is_empty() && plan.stages.iter().all(|stage| stage.views.is_empty()) {
            return Ok(Self::default());
        }
        let chosen = chosen(plan, db)?;
        let rows: Vec<ItemRow> = chosen.iter().map(|(row, _)| row.clone()).collect();
        let documents = if plan.item_views.is_empty() { BTreeMap::new() } else { inputs(&rows) };
        let mut items = Vec::new();
        for (row, looked) in chosen {
            let document = documents.get(&row.index).and_then(|document| serde_json::from_str::<Value>(document).ok());
            let input = (!plan.item_views.is_empty() && row.was_read())
                .then(|| document.map(|document| Looks::of(&document, &plan.item_views, DRAWINGS)).ok_or(()));
            let is_seen = |looks: &Looks| looks.is_seen();
            if looked.stages.iter().any(|(_, looks)| is_seen(looks))
                || input.as_ref().is_some_and(|input| input.as_ref().is_ok_and(is_seen))
            {
                items.push(DrawnItem { input, ..looked });
            }
        }
        Ok(Self { items })
    }
}

/// The items to draw, without their inputs.
fn chosen(plan: &Plan, db: &Db) -> Result<Vec<(ItemRow, DrawnItem)>, StoreError> {
    let (mut failed, mut unsolved, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let (mut items, mut bytes) = (0, 0);
    db.each_item(|row| {
        let Some(state) = row.state.as_deref().and_then(ItemState::from_name) else { return Ok(()) };
        let is_bad = matches!(state, ItemState::Failed | ItemState::Partial);
        if is_bad && failed.len() < ITEMS {
            let looked = look(plan, db, (&row, state), &mut bytes)?;
            failed.push((row, looked));
        } else if !is_bad && unsolved.len() < ITEMS && items < LOOKED_INTO && bytes < LOOKED_INTO_BYTES {
            items += 1;
            let looked = look(plan, db, (&row, state), &mut bytes)?;
            let place = if looked.is_unsolved { &mut unsolved } else { &mut others };
            if place.len() < ITEMS {
                place.push((row, looked));
            }
        }
        Ok(())
    })?;
    Ok(failed.into_iter().chain(unsolved).chain(others).take(ITEMS).collect())
}

fn look(plan: &Plan, db: &Db, (row, state): (&ItemRow, ItemState), bytes: &mut usize) -> Result<DrawnItem, StoreError> {
    let mut results = db.results(row.index as i64)?;
    results.retain(|result| row.stopped_by.is_none_or(|stop| result.stage <= stop));
    let mut stages = Vec::new();
    for (place, stage) in plan.stages.iter().enumerate().filter(|(_, stage)| !stage.views.is_empty()) {
        let answers = results.iter().filter(|result| result.stage as usize == place);
        let mut values: Vec<Value> = answers.filter_map(|result| value(result, bytes)).collect();
        let value = match (stage.is_list(), values.pop()) {
            (_, None) => continue,
            (false, Some(last)) => last,
            (true, Some(last)) => Value::Array(values.into_iter().chain([last]).collect()),
        };
        stages.push((place, Looks::of(&value, &stage.views, DRAWINGS)));
    }
    // One stage that found a program is enough: another may list those that cannot be read.
    let solved = stages.iter().filter_map(|(_, looks)| looks.is_solved()).reduce(|one, other| one || other);
    let is_unsolved = solved == Some(false);
    Ok(DrawnItem { id: row.id.clone(), state, is_unsolved, input: None, stages })
}

fn value(result: &ResultRow, bytes: &mut usize) -> Option<Value> {
    let Answer::Ok { json, .. } = &result.answer else { return None };
    *bytes += json.len();
    serde_json::from_str(json).ok()
}
