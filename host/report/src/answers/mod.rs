//! The page of answers: every item of a run, with what each stage answered, beside another run if there is one to compare with.
//!
//! The page holds its data as JSON: `columns` are the items, and `texts` what they say. A script draws the rows that are seen.
//!
//! - `cells` reads what is on record of an item; `exchanges` what was asked of models; `grade` knows the answers of graders;
//!   `value_text` writes a value as a person would.
//! - `totals` adds all items up; `selection` picks those that are on the page.
//! - `columns` and `texts` are the data. Texts are cut such that the page has at most [`MOST_BYTES`].
//! - `head` and `markup` are what is there before the script runs; `readable` shortens numbers for the head.

mod cells;
mod columns;
mod exchanges;
mod grade;
mod head;
mod markup;
mod readable;
mod selection;
mod texts;
mod totals;
mod value_text;

use std::collections::HashMap;

use jackfield_pipeline::InputPlan;
use jackfield_store::{Db, ItemRow, RunJson, StoreError};
use serde_json::Value;

use self::{
    columns::{Columns, OtherItem, PageItem},
    exchanges::ItemExchanges,
    selection::Selection,
    texts::{ShownText, Texts},
    totals::Totals,
    value_text::{members_text, value_text},
};

use self::cells::ItemCells;
pub use self::cells::ReadInput;
use crate::html::Html;

/// The most bytes of the page.
const MOST_BYTES: usize = 14_500_000;
/// What of it is neither columns nor texts.
const MARKUP_BYTES: usize = 400_000;

/// The run that a run is compared with.
#[derive(Clone, Copy)]
pub struct OtherRun<'a> {
    /// Its description.
    pub run: &'a RunJson,
    /// Its record.
    pub db: &'a Db,
}

/// What there is to say of the page beside its items.
struct Notes {
    /// Items that are not on it.
    left_out: u64,
    /// Texts that are cut.
    cut: usize,
    /// Whether any request to a model is on record; none where the pipeline has no model.
    has_exchanges: Option<bool>,
}

/// The page of a run's answers, as one HTML text. `input` reads items again, which are not on record.
///
/// # Errors
/// If a record cannot be read.
pub fn answers_page(
    run: &RunJson,
    db: &Db,
    other: Option<OtherRun<'_>>,
    input: &mut ReadInput<'_>,
) -> Result<String, StoreError> {
    db.in_one_transaction(|| match other {
        Some(other) => other.db.in_one_transaction(|| write_page(run, db, Some(other), input)),
        None => write_page(run, db, None, input),
    })
}

fn write_page(
    run: &RunJson,
    db: &Db,
    other: Option<OtherRun<'_>>,
    input: &mut ReadInput<'_>,
) -> Result<String, StoreError> {
    let mut texts = Texts::new(MOST_BYTES);
    let other_run = other.map(|other| other.run);
    let mut columns = Columns::new(run, other_run, &mut texts);
    let selection = Selection::of(run, db, columns.width())?;
    let mut totals = Totals::default();
    let mut has_exchanges = false;
    let mut places = HashMap::new();
    if let Some(other) = other {
        other.db.each_item(|row| {
            places.entry(row.id).or_insert(row.index);
            Ok(())
        })?;
    }
    db.each_item(|row| {
        let cells = ItemCells::read(run, db, &row)?;
        let other_item = match (other, places.get(&row.id)) {
            (Some(other), Some(place)) => other_item(other, *place, &row)?,
            _ => None,
        };
        totals.add(row.state.as_deref(), &cells, run, other_run.map(|run| (run, other_item.as_ref())));
        if !selection.has(row.index) {
            return Ok(());
        }
        let input = if row.was_read() {
            input(&row).map(|document| texts.add_shown(&input_text(run, &document, &row.id)))
        } else {
            None
        };
        let exchanges = ItemExchanges::read(run, db, row.index, &mut texts)?;
        has_exchanges |= !exchanges.is_empty();
        let other_exchanges = match (other, &other_item) {
            (Some(other), Some(item)) => ItemExchanges::read(other.run, other.db, item.index, &mut texts)?,
            _ => ItemExchanges::default(),
        };
        let other_exchanges = other_exchanges.unless_as_in(&exchanges);
        let item = PageItem { row, input, cells, exchanges, other: other_item, other_exchanges };
        columns.push(item, &mut texts);
        Ok(())
    })?;
    let mut data = Html::new();
    data.write_json(&columns);
    let room = MOST_BYTES.saturating_sub(MARKUP_BYTES + data.len());
    let left_out = totals.items - columns.len() as u64;
    let page_texts = texts.finish(room);
    let notes = Notes {
        left_out,
        cut: page_texts.cut(),
        has_exchanges: (!run.plan.models.is_empty()).then_some(has_exchanges),
    };
    let head = head::head(run, db, other_run, &totals)?;
    Ok(markup::page(run, &head, &notes, &data, &page_texts))
}

/// The same item in the other run, where it has this place.
fn other_item(other: OtherRun<'_>, place: u64, row: &ItemRow) -> Result<Option<OtherItem>, StoreError> {
    let Some(before) = other.db.item(place)? else { return Ok(None) };
    let cells = ItemCells::read(other.run, other.db, &before)?;
    Ok(Some(OtherItem { index: before.index, cells, has_same_input: before.digest == row.digest }))
}

/// The input of an item. The member that its id is of comes last: a row has the id already, and room for the others' beginning.
fn input_text(run: &RunJson, document: &str, id: &str) -> ShownText {
    match serde_json::from_str(document).unwrap_or_default() {
        Value::Object(mut members) if members.len() > 1 => {
            if matches!(run.plan.input, InputPlan::Files { .. }) {
                // Where it was run is nobody else's business.
                members.remove("path");
            }
            let named = members.iter().find(|(_, value)| value.as_str() == Some(id)).map(|(name, _)| name.clone());
            let last = named.and_then(|name| members.remove_entry(&name));
            members_text(&members, last.as_ref().map(|(name, value)| (name.as_str(), value)))
        }
        value => value_text(&value),
    }
}
