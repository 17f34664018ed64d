//! The rows of a run's results: for each item that is done, or for each element of its lists, the JSON values that columns are
//! made of.

use std::{borrow::Cow, cell::RefCell, sync::Arc};

use jackfield_engine::{InputAgain, InputReader, value_at};
use jackfield_pipeline::{Plan, Scope, StagePlan, Step};
use jackfield_store::{Answer, Db, ItemRow, ResultRow, StoreError};
use serde_json::{Value, json, value::RawValue};

use super::provenance::Provenance;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The id of the item.
    Item,
    /// How the item ended.
    State,
    /// The position of the element in its list, from 0.
    Element,
    /// What failed, in words.
    Error,
    /// The item as it was read.
    Input,
    /// The answer of the stage at this position.
    Stage(usize),
    /// Who answered, and at what cost.
    Provenance,
}

/// A list whose elements have a row each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EachList {
    /// Where it is.
    pub(crate) origin: Origin,
    /// The way to it; empty for the calls of a stage that makes several.
    pub(crate) path: Vec<Step>,
}

/// Reads rows.
pub(crate) struct RowReader<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) db: &'a Db,
    /// What reads the items again; none if no column needs them.
    pub(crate) inputs: Option<&'a dyn InputReader>,
    pub(crate) each: &'a [EachList],
    /// None if no column needs it.
    pub(crate) provenance: Option<&'a Provenance>,
}

/// What was found on the way.
#[derive(Default)]
pub(crate) struct Found {
    /// Items that are done.
    pub(crate) items: u64,
    /// Items that are not.
    pub(crate) unfinished: u64,
    /// Items whose input is not there any more, or is not what it was.
    pub(crate) without_input: u64,
    /// Why the input cannot be read, if so.
    pub(crate) input_fault: Option<String>,
}

/// An item, with all that its rows are made of.
pub(crate) struct ItemValues<'a> {
    reader: &'a RowReader<'a>,
    item: &'a ItemRow,
    rows: &'a [ResultRow],
    /// The results of stages that do not run for each item.
    whole_run: &'a [ResultRow],
    input: Option<Arc<str>>,
    /// The elements of each list.
    lists: Vec<Vec<Option<String>>>,
    provenance: Option<String>,
    /// The answers of stages that make several calls, each as its list.
    joined: RefCell<Vec<(usize, Arc<str>)>>,
}

/// A row.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    values: &'a ItemValues<'a>,
    element: Option<usize>,
}

impl RowReader<'_> {
    /// Calls `visit` for every row of items that are done, in the order of the items. It ends early where `visit` says so.
    pub(crate) fn each_row(
        &self,
        mut visit: impl FnMut(Row<'_>) -> Result<bool, StoreError>,
    ) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let mut inputs = None;
        if let Some(reader) = self.inputs {
            match InputAgain::open(self.plan, reader) {
                Ok(opened) => inputs = Some(opened),
                Err(error) => found.input_fault = Some(error.to_string()),
            }
        }
        let whole_run = self.db.results(-1)?;
        let mut from = 0;
        'pages: loop {
            let page = self.db.items_from(from, 1000)?;
            let Some(last) = page.last() else { break };
            from = last.index + 1;
            for item in &page {
                if item.state.is_none() {
                    found.unfinished += 1;
                    continue;
                }
                found.items += 1;
                let input = match &mut inputs {
                    Some(opened) if item.was_read() => match opened.document_of(self.db, item) {
                        Ok(document) => {
                            found.without_input += u64::from(document.is_none());
                            document
                        }
                        Err(error) => {
                            found.input_fault.get_or_insert_with(|| error.to_string());
                            inputs = None;
                            None
                        }
                    },
                    _ => None,
                };
                let mut rows = self.db.results(item.index as i64)?;
                // As in `results.jsonl`: whether a later stage was done when its item was stopped is a matter of chance.
                rows.retain(|row| item.stopped_by.is_none_or(|stop| row.stage <= stop));
                let provenance = match self.provenance {
                    Some(provenance) => Some(provenance.of_item(self.db, self.plan, item, &rows)?),
                    None => None,
                };
                let mut values = ItemValues {
                    reader: self,
                    item,
                    rows: &rows,
                    whole_run: &whole_run,
                    input,
                    lists: Vec::new(),
                    provenance,
                    joined: RefCell::default(),
                };
                values.lists = self.each.iter().map(|list| values.elements(list)).collect();
                let length = values.lists.iter().map(Vec::len).max();
                // An item without elements has a row all the same: none vanishes.
                let elements = match length {
                    None | Some(0) => vec![None],
                    Some(length) => (0..length).map(Some).collect(),
                };
                for element in elements {
                    if !visit(Row { values: &values, element })? {
                        break 'pages;
                    }
                }
            }
        }
        Ok(found)
    }
}

impl ItemValues<'_> {
    fn stage(&self, index: usize) -> Option<&StagePlan> {
        self.reader.plan.stages.get(index)
    }

    fn rows_of(&self, index: usize) -> impl Iterator<Item = &ResultRow> {
        let of_item = self.stage(index).is_some_and(|stage| stage.scope == Scope::Item);
        let rows = if of_item { self.rows } else { self.whole_run };
        rows.iter().filter(move |row| row.stage as usize == index)
    }

    /// What a stage answered, as JSON text.
    fn answer(&self, index: usize) -> Option<Arc<str>> {
        if !self.stage(index)?.is_list() {
            return self.rows_of(index).find_map(answer_of).cloned();
        }
        if let Some((_, known)) = self.joined.borrow().iter().find(|(stage, _)| *stage == index) {
            return Some(Arc::clone(known));
        }
        let answers: Vec<&str> = self.rows_of(index).filter_map(answer_of).map(AsRef::as_ref).collect();
        // A stage over an empty list made no call: its result is the empty list. Where all failed, there is none.
        if answers.is_empty() && (self.rows_of(index).next().is_some() || !self.item.was_read()) {
            return None;
        }
        let list: Arc<str> = format!("[{}]", answers.join(",")).into();
        self.joined.borrow_mut().push((index, Arc::clone(&list)));
        Some(list)
    }

    /// The elements of a list, by position.
    fn elements(&self, list: &EachList) -> Vec<Option<String>> {
        if let (Origin::Stage(index), true) = (&list.origin, list.path.is_empty())
            && self.stage(*index).is_some_and(StagePlan::is_list)
        {
            let mut elements = Vec::new();
            for row in self.rows_of(*index) {
                elements.resize(elements.len().max(row.call as usize + 1), None);
                elements[row.call as usize] = answer_of(row).map(ToString::to_string);
            }
            return elements;
        }
        let whole = match &list.origin {
            Origin::Input => self.input.clone(),
            Origin::Stage(index) => self.answer(*index),
            _ => None,
        };
        let found = whole.and_then(|whole| value_at(&whole, &list.path));
        let elements: Vec<&RawValue> =
            found.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        elements.into_iter().map(|element| Some(element.get().to_owned())).collect()
    }

    /// What failed of an item, or of one element of it.
    fn error(&self, element: Option<usize>) -> Option<String> {
        let mut parts: Vec<String> = self.item.fault.iter().cloned().collect();
        for row in self.rows {
            let Some(stage) = self.stage(row.stage as usize) else { continue };
            let is_each = self.reader.each.iter().any(|list| list.origin == Origin::Stage(row.stage as usize));
            if let (true, true, Some(element)) = (is_each, stage.is_list(), element)
                && row.call as usize != element
            {
                continue;
            }
            let name = if stage.is_list() { format!("{}[{}]", stage.name, row.call) } else { stage.name.clone() };
            match &row.answer {
                Answer::Failed { kind, message } => parts.push(format!("{name}: {kind}: {message}")),
                Answer::Skipped { message } => parts.push(format!("{name}: skipped: {message}")),
                _ => {}
            }
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

const fn answer_of(row: &ResultRow) -> Option<&Arc<str>> {
    match &row.answer {
        Answer::Ok { json, .. } => Some(json),
        _ => None,
    }
}

impl<'a> Row<'a> {
    /// The id of the item.
    pub(crate) fn item(self) -> &'a str {
        &self.values.item.id
    }

    /// The value at the end of a path from an origin, as JSON text. A path that leads to a list whose elements have rows leads to
    /// the element.
    pub(crate) fn value(self, origin: &Origin, path: &[Step]) -> Option<Cow<'a, str>> {
        let values = self.values;
        for (list, elements) in values.reader.each.iter().zip(&values.lists) {
            if list.origin == *origin
                && let Some(rest) = path.strip_prefix(list.path.as_slice())
                && (!list.path.is_empty() || values.is_of_calls(origin))
            {
                let element = elements.get(self.element?)?.as_deref()?;
                return at(Cow::Borrowed(element), rest);
            }
        }
        let whole: Cow<'a, str> = match origin {
            Origin::Item => Cow::Owned(Value::from(values.item.id.as_str()).to_string()),
            Origin::State => Cow::Owned(Value::from(values.item.state.as_deref().unwrap_or_default()).to_string()),
            Origin::Element => Cow::Owned(json!(self.element?).to_string()),
            Origin::Error => Cow::Owned(Value::from(values.error(self.element)?).to_string()),
            Origin::Input => Cow::Borrowed(values.input.as_deref()?),
            Origin::Stage(index) => Cow::Owned(values.answer(*index)?.to_string()),
            Origin::Provenance => Cow::Borrowed(values.provenance.as_deref()?),
        };
        at(whole, path)
    }
}

impl ItemValues<'_> {
    /// Whether the value is the list of a stage's calls.
    fn is_of_calls(&self, origin: &Origin) -> bool {
        matches!(origin, Origin::Stage(index) if self.stage(*index).is_some_and(StagePlan::is_list))
    }
}

fn at<'a>(whole: Cow<'a, str>, path: &[Step]) -> Option<Cow<'a, str>> {
    if path.is_empty() { Some(whole) } else { value_at(&whole, path).map(Cow::Owned) }
}
