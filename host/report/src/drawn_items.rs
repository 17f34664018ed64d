//! The items whose inputs and results are drawn: first those that failed or did not reach what was wanted.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_pipeline::Plan;
use jackfield_store::{Answer, Db, ItemRow, ItemState, ResultRow, RunJson, StoreError};
use serde_json::Value;

use super::looks::Looks;

/// The most items that are drawn.
pub(super) const ITEMS: usize = 12;
/// The most drawings of an input, and of a result.
const DRAWINGS: usize = 40;
/// The most items that did not fail whose results are searched for something that was wanted and not reached.
const MAX_SEARCHED: u64 = 500;
/// The most bytes of results that are searched for that.
const MAX_SEARCHED_BYTES: usize = 64 << 20;

/// Reads the documents of items again. Returns them by the position of the item, without those that cannot be read.
pub type Inputs<'a> = dyn Fn(&[ItemRow]) -> BTreeMap<u64, Arc<str>> + 'a;

/// The items that are drawn.
#[derive(Default)]
pub(super) struct DrawnItems {
    pub(super) items: Vec<DrawnItem>,
}

/// An item that is drawn.
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
    /// Reads the items that are drawn; there are none if no schema of the plan marks anything to be drawn.
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
        for (row, drawn) in chosen {
            let document = documents.get(&row.index).and_then(|document| serde_json::from_str::<Value>(document).ok());
            let input = (!plan.item_views.is_empty() && row.was_read())
                .then(|| document.map(|document| Looks::of(&document, &plan.item_views, DRAWINGS)).ok_or(()));
            let is_seen = |looks: &Looks| looks.is_seen();
            if drawn.stages.iter().any(|(_, looks)| is_seen(looks))
                || input.as_ref().is_some_and(|input| input.as_ref().is_ok_and(is_seen))
            {
                items.push(DrawnItem { input, ..drawn });
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
        let is_failed = matches!(state, ItemState::Failed | ItemState::Partial);
        if is_failed && failed.len() < ITEMS {
            let drawn = draw_results(plan, db, (&row, state), &mut bytes)?;
            failed.push((row, drawn));
        } else if !is_failed && unsolved.len() < ITEMS && items < MAX_SEARCHED && bytes < MAX_SEARCHED_BYTES {
            items += 1;
            let drawn = draw_results(plan, db, (&row, state), &mut bytes)?;
            let group = if drawn.is_unsolved { &mut unsolved } else { &mut others };
            if group.len() < ITEMS {
                group.push((row, drawn));
            }
        }
        Ok(())
    })?;
    Ok(failed.into_iter().chain(unsolved).chain(others).take(ITEMS).collect())
}

/// Draws the results of an item, and adds their length to `bytes`.
fn draw_results(
    plan: &Plan,
    db: &Db,
    (row, state): (&ItemRow, ItemState),
    bytes: &mut usize,
) -> Result<DrawnItem, StoreError> {
    let mut results = db.results(row.index as i64)?;
    results.retain(|result| row.stopped_by.is_none_or(|stop| result.stage <= stop));
    let mut stages = Vec::new();
    for (index, stage) in plan.stages.iter().enumerate().filter(|(_, stage)| !stage.views.is_empty()) {
        let answers = results.iter().filter(|result| result.stage as usize == index);
        let mut values: Vec<Value> = answers.filter_map(|result| value(result, bytes)).collect();
        let value = match (stage.is_list(), values.pop()) {
            (_, None) => continue,
            (false, Some(last)) => last,
            (true, Some(last)) => Value::Array(values.into_iter().chain([last]).collect()),
        };
        stages.push((index, Looks::of(&value, &stage.views, DRAWINGS)));
    }
    // One stage that found a program is enough: another may list those that cannot be read.
    let solved = stages.iter().filter_map(|(_, looks)| looks.is_solved()).reduce(|one, other| one || other);
    let is_unsolved = solved == Some(false);
    Ok(DrawnItem { id: row.id.clone(), state, is_unsolved, input: None, stages })
}

/// The value of a result that is a document; its length is added to `bytes`.
fn value(result: &ResultRow, bytes: &mut usize) -> Option<Value> {
    let Answer::Ok { json, .. } = &result.answer else { return None };
    *bytes += json.len();
    serde_json::from_str(json).ok()
}
