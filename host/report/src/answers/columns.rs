//! The items as columns, as the script of the page reads them: of texts, their positions among the page's texts.

use std::collections::BTreeMap;

use jackfield_pipeline::Scope;
use jackfield_store::{ItemRow, RunJson};
use serde::Serialize;

use super::{
    cells::{Cell, ItemCells},
    exchanges::ItemExchanges,
    texts::{TextId, Texts},
};

/// The most members of an answer that rows can be ordered by.
const NUMBERS: usize = 8;

/// All items on the page.
#[derive(Serialize)]
pub(super) struct Columns {
    id: Vec<TextId>,
    state: Vec<TextId>,
    /// Why it could not be read, or its files not written.
    fault: Vec<Option<TextId>>,
    input: Vec<Option<TextId>>,
    /// Whether the other run has the item: `0` no, `1` yes, `2` with another input.
    in_other: String,
    stages: Vec<StageColumns>,
    /// What was asked of models for each item; in the other run, where that is not the same.
    exchanges: Vec<ItemExchanges>,
    other_exchanges: Vec<ItemExchanges>,
}

/// The stages of one name in both runs.
#[derive(Serialize)]
struct StageColumns {
    name: TextId,
    /// Its number in the plan, from 1.
    number: usize,
    own: Option<CellColumns>,
    other: Option<CellColumns>,
}

/// What a stage came to, item by item.
#[derive(Serialize)]
struct CellColumns {
    /// The position of the stage in the plan of its run.
    #[serde(skip)]
    at: usize,
    /// A letter an item: [`Status::letter`](super::cells::Status::letter).
    status: String,
    text: Vec<Option<TextId>>,
    score: Vec<Option<f64>>,
    /// `0` or `1`, or `-` where there is no grade.
    passed: String,
    /// Members of the answers that are numbers.
    numbers: Vec<NumberColumn>,
}

#[derive(Serialize)]
struct NumberColumn {
    name: TextId,
    values: Vec<Option<f64>>,
    #[serde(skip)]
    member: String,
}

/// An item of the other run.
pub(super) struct OtherItem {
    /// Its position there.
    pub(super) index: u64,
    pub(super) cells: ItemCells,
    pub(super) has_same_input: bool,
}

/// An item, with all that the page has of it.
pub(super) struct PageItem {
    pub(super) row: ItemRow,
    pub(super) input: Option<TextId>,
    pub(super) cells: ItemCells,
    pub(super) exchanges: ItemExchanges,
    pub(super) other: Option<OtherItem>,
    pub(super) other_exchanges: ItemExchanges,
}

impl Columns {
    /// No items of a run, which may be compared with another.
    pub(super) fn new(run: &RunJson, other: Option<&RunJson>, texts: &mut Texts) -> Self {
        let mut stages: Vec<StageColumns> = Vec::new();
        for (index, stage) in of_items(run) {
            let own = Some(CellColumns::new(index));
            stages.push(StageColumns { name: texts.add_name(stage), number: index + 1, own, other: None });
        }
        for (index, stage) in other.into_iter().flat_map(of_items) {
            let name = texts.add_name(stage);
            let cells = Some(CellColumns::new(index));
            match stages.iter_mut().find(|stage| stage.name == name) {
                Some(stage) => stage.other = cells,
                None => stages.push(StageColumns { name, number: index + 1, own: None, other: cells }),
            }
        }
        Self {
            id: Vec::new(),
            state: Vec::new(),
            fault: Vec::new(),
            input: Vec::new(),
            in_other: String::new(),
            stages,
            exchanges: Vec::new(),
            other_exchanges: Vec::new(),
        }
    }

    /// How many columns an item has.
    pub(super) fn width(&self) -> usize {
        self.stages.iter().map(|stage| usize::from(stage.own.is_some()) + usize::from(stage.other.is_some())).sum()
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.id.len()
    }

    /// Adds an item of the runs that the columns were made for.
    pub(super) fn push(&mut self, item: PageItem, texts: &mut Texts) {
        self.id.push(texts.add_name(&item.row.id));
        self.state.push(texts.add_name(item.row.state.as_deref().unwrap_or("not done")));
        self.fault.push(item.row.fault.as_deref().map(|fault| texts.add(fault)));
        self.input.push(item.input);
        self.in_other.push(match &item.other {
            None => '0',
            Some(other) if other.has_same_input => '1',
            Some(_) => '2',
        });
        let mut own: BTreeMap<usize, Cell> = item.cells.0.into_iter().collect();
        self.exchanges.push(item.exchanges);
        self.other_exchanges.push(item.other_exchanges);
        let mut others: BTreeMap<usize, Cell> =
            item.other.map(|other| other.cells.0.into_iter().collect()).unwrap_or_default();
        for stage in &mut self.stages {
            let cells = [(&mut stage.own, &mut own), (&mut stage.other, &mut others)];
            for (columns, cells) in cells {
                if let Some(columns) = columns {
                    columns.push(cells.remove(&columns.at), texts);
                }
            }
        }
    }
}

/// The stages that run once an item, by position.
fn of_items(run: &RunJson) -> impl Iterator<Item = (usize, &str)> {
    let stages = run.plan.stages.iter().enumerate().filter(|(_, stage)| stage.scope == Scope::Item);
    stages.map(|(index, stage)| (index, stage.name.as_str()))
}

impl CellColumns {
    /// No items of the stage at this position.
    const fn new(at: usize) -> Self {
        Self {
            at,
            status: String::new(),
            text: Vec::new(),
            score: Vec::new(),
            passed: String::new(),
            numbers: Vec::new(),
        }
    }

    fn push(&mut self, cell: Option<Cell>, texts: &mut Texts) {
        let before = self.text.len();
        let Some(cell) = cell else {
            self.status.push('-');
            self.passed.push('-');
            self.text.push(None);
            self.score.push(None);
            self.numbers.iter_mut().for_each(|column| column.values.push(None));
            return;
        };
        self.status.push(cell.status.letter());
        self.passed.push(cell.grade.map_or('-', |grade| if grade.passed { '1' } else { '0' }));
        self.score.push(cell.grade.map(|grade| grade.score));
        self.text.push((!cell.text.is_empty()).then(|| texts.add_shown(&cell.text)));
        for member in cell.numbers.keys() {
            let is_known = self.numbers.iter().any(|column| column.member == *member);
            if !is_known && self.numbers.len() < NUMBERS {
                let (name, values) = (texts.add_name(member), vec![None; before]);
                self.numbers.push(NumberColumn { name, values, member: member.clone() });
            }
        }
        for column in &mut self.numbers {
            column.values.push(cell.numbers.get(&column.member).copied());
        }
    }
}
