//! Columns: what stages over all items read of each, as one list in the order of the items.
//!
//! Of a run with a record they are made of it, so that they are the same whatever was done at a time, and whether the run was
//! resumed. A run without a record keeps the values of its items until its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_pipeline::{ColumnPlan, Plan, Source, Wire};
use jackfield_plugin_api::Document;
use jackfield_store::{Db, StoreError};

use super::{
    document_list::list_text,
    index::{PerStage, StageIdx},
    input::{value_at, value_of},
    item::{Item, StageState},
};

/// What the values of an item that lack one are.
const ABSENT: &str = "null";

/// The longest list, in bytes.
pub(super) const MOST_COLUMN_BYTES: usize = 1 << 30;

/// The text of a list that grows.
struct ColumnText {
    text: String,
    with_item: bool,
    count: u64,
}

impl ColumnText {
    fn new(column: &ColumnPlan) -> Self {
        Self { text: String::from("["), with_item: column.with_item, count: 0 }
    }

    /// Adds the value of the next item; none for one without.
    fn add(&mut self, item: &str, value: Option<&str>) {
        if self.text.len() > MOST_COLUMN_BYTES {
            return;
        }
        if self.count > 0 {
            self.text.push(',');
        }
        self.count += 1;
        let value = value.unwrap_or(ABSENT);
        if self.with_item {
            let id = serde_json::Value::from(item);
            self.text.push_str("{\"item\":");
            self.text.push_str(&id.to_string());
            self.text.push_str(",\"value\":");
            self.text.push_str(value);
            self.text.push('}');
        } else {
            self.text.push_str(value);
        }
    }

    /// The list; none if it is longer than what a stage may read.
    fn into_document(mut self) -> Option<Document> {
        self.text.push(']');
        (self.text.len() <= MOST_COLUMN_BYTES).then(|| Document::new(self.text))
    }
}

/// The columns of a plan, each as a list, and of how many items.
pub(super) struct Columns {
    pub(super) documents: Vec<Option<Document>>,
    /// How many items there are: those that are done, well or not.
    pub(super) items: u64,
}

impl Columns {
    /// The columns of a record: of the items that are done on it.
    pub(super) fn of_record(db: &Db, plan: &Plan) -> Result<Self, StoreError> {
        let mut lists: Vec<ColumnText> = plan.columns.iter().map(ColumnText::new).collect();
        // What a stage answered is read once, however many columns are of it.
        let sources: BTreeSet<Option<usize>> = plan.columns.iter().map(stage_of).collect();
        for stage in sources.into_iter().flatten() {
            add_stage_values(db, plan, stage, &mut lists)?;
        }
        for (column, list) in plan.columns.iter().zip(&mut lists).filter(|(column, _)| stage_of(column).is_none()) {
            db.each_input_value(&plan.wire_text(&column.wire), |item, value| list.add(item, value))?;
        }
        let documents = lists.into_iter().map(ColumnText::into_document).collect();
        let items = db.item_counts()?.into_iter().filter(|(state, _)| state != "running").map(|(_, count)| count).sum();
        Ok(Self { documents, items })
    }
}

/// The stage that a column is of; none for one of the input.
const fn stage_of(column: &ColumnPlan) -> Option<usize> {
    match column.wire.source {
        Source::Stage(stage) => Some(stage),
        _ => None,
    }
}

/// Adds what a stage answered for each item to the columns that are of it.
fn add_stage_values(db: &Db, plan: &Plan, stage: usize, lists: &mut [ColumnText]) -> Result<(), StoreError> {
    let (is_list, index) = (plan.stages[stage].is_list(), StageIdx::new(stage).to_record());
    db.each_stage_value(index, |found| {
        let outputs = || found.outputs.iter().map(String::as_str);
        let document = match (is_list, found.outputs) {
            _ if !found.had_its_turn => None,
            (false, [output, ..]) => Some(output.clone()),
            (false, []) => None,
            (true, []) if found.has_calls => None,
            (true, _) => Some(list_text(outputs())),
        };
        for (column, list) in plan.columns.iter().zip(&mut *lists).filter(|(column, _)| stage_of(column) == Some(stage))
        {
            let value = document.as_ref().and_then(|document| value_at(document, &column.wire.path));
            list.add(found.item, value.as_deref());
        }
    })
}

/// What stages over all items read of the input of an item, for the record: wires and the values at their ends.
pub(super) fn input_values(plan: &Plan, document: &str) -> Vec<(String, Arc<str>)> {
    let mut wires: Vec<&Wire> = Vec::new();
    for column in plan.columns.iter().filter(|column| column.wire.source == Source::Input) {
        // The same may be read with ids and without.
        if !wires.contains(&&column.wire) {
            wires.push(&column.wire);
        }
    }
    let value = |wire: &Wire| Some((plan.wire_text(wire), Arc::from(value_at(document, &wire.path)?)));
    wires.into_iter().filter_map(value).collect()
}

/// The values of the items of a run without a record, until its end.
#[derive(Default)]
pub(super) struct KeptValues {
    /// By the position of the item.
    items: BTreeMap<u64, KeptItem>,
}

/// An item that is done.
struct KeptItem {
    id: Arc<str>,
    /// A value a column.
    values: Vec<Option<Box<str>>>,
}

impl KeptValues {
    /// Keeps what the columns read of an item that is done.
    pub(super) fn keep(&mut self, plan: &Plan, item: &Item, run: &PerStage<StageState>) {
        let value = |column: &ColumnPlan| {
            let value_in = |source| item.counted_value(run, source);
            value_of(&column.wire, &value_in).ok().map(|document| Box::from(&*document.json))
        };
        let values = plan.columns.iter().map(value).collect();
        self.items.insert(item.index as u64, KeptItem { id: Arc::clone(&item.id), values });
    }

    /// Keeps that an item could not be read.
    pub(super) fn keep_unreadable(&mut self, plan: &Plan, index: u64, id: &Arc<str>) {
        let values = vec![None; plan.columns.len()];
        self.items.insert(index, KeptItem { id: Arc::clone(id), values });
    }

    /// The columns of the items that are done.
    pub(super) fn into_columns(self, plan: &Plan) -> Columns {
        let items = self.items.len() as u64;
        let mut lists: Vec<ColumnText> = plan.columns.iter().map(ColumnText::new).collect();
        for KeptItem { id, values } in self.items.into_values() {
            lists.iter_mut().zip(values).for_each(|(list, value)| list.add(&id, value.as_deref()));
        }
        Columns { documents: lists.into_iter().map(ColumnText::into_document).collect(), items }
    }
}

#[cfg(test)]
mod tests {
    use jackfield_pipeline::Step;

    use super::*;

    fn column(with_item: bool) -> ColumnPlan {
        let wire = jackfield_pipeline::Wire { source: Source::Input, path: vec![Step::Field("x".to_owned())] };
        ColumnPlan { wire, with_item }
    }

    #[test]
    fn an_item_without_the_value_is_null_in_place() {
        let mut plain = ColumnText::new(&column(false));
        let mut with_item = ColumnText::new(&column(true));
        for list in [&mut plain, &mut with_item] {
            let values = [("a", Some("1")), ("b\"", None), ("c", Some("[2]"))];
            values.into_iter().for_each(|(item, value)| list.add(item, value));
        }
        assert_eq!(&*plain.into_document().expect("short").json, "[1,null,[2]]");
        let wanted = r#"[{"item":"a","value":1},{"item":"b\"","value":null},{"item":"c","value":[2]}]"#;
        assert_eq!(&*with_item.into_document().expect("short").json, wanted);
        assert_eq!(&*ColumnText::new(&column(false)).into_document().expect("short").json, "[]");
    }
}
