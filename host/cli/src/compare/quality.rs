//! Whether answers got better or worse: the same numbers of the same items, in two runs or of two stages of one run.
//!
//! Items differ in how hard they are more than runs do. So each item is compared with itself: the mean of the differences has an
//! interval of 95 % by drawing items again, and truth values have McNemar's exact test.

use std::collections::HashMap;

use jackfield_statistics::{Draws, Interval, paired::difference, proportion::McNemar};
use jackfield_store::{Db, RunJson, StoreError};

use crate::results::{
    columns::{Cell, Kind},
    rows::RowReader,
    selection::{Selection, UnknownName},
};

/// What happens by chance less often than this is taken to be no chance.
const SIGNIFICANT: f64 = 0.05;

/// Drawing again begins from here, so that the same runs have the same intervals.
const SEED: u64 = 0;

/// The last parts of the names that graders give their numbers: more of them is better.
const GRADES: [&str; 2] = [".passed", ".score"];

/// Two columns that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) before: String,
    pub(super) after: String,
    /// Whether it is said what is better: a drop then counts.
    pub(super) is_judged: bool,
    /// Whether less is better.
    pub(super) less_is_better: bool,
}

/// Numbers of a run, by item.
pub(super) struct RunNumbers {
    ids: Vec<String>,
    positions: HashMap<String, usize>,
    columns: Vec<NumberColumn>,
}

/// A column of numbers.
struct NumberColumn {
    name: String,
    is_bool: bool,
    /// For each item; not a number where it has none.
    values: Vec<f64>,
}

/// How an item changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) item: String,
    pub(super) before: f64,
    pub(super) after: f64,
}

/// From so many items on, an interval that leaves 0 out says that a difference is not by chance: drawn from fewer, it is too
/// narrow.
const FEWEST_ITEMS: u64 = 6;

/// A column of two runs, item by item.
pub(super) struct Comparison {
    pub(super) pair: Pair,
    /// Whether it holds truth values: 1 stands for true.
    pub(super) is_bool: bool,
    /// Items with a value in both.
    pub(super) items: u64,
    /// Items of both runs with a value in one alone: only before, only after.
    pub(super) one_sided: [u64; 2],
    pub(super) means: [f64; 2],
    /// The mean of the differences, and its interval.
    pub(super) difference: f64,
    pub(super) interval: Interval,
    /// McNemar's p-value, of truth values.
    pub(super) p: Option<f64>,
    pub(super) equal: u64,
    /// Items that got better, those that changed most first.
    pub(super) better: Vec<Change>,
    /// Items that got worse.
    pub(super) worse: Vec<Change>,
    /// How much worse, on the scale of the column, is a regression if it is not by chance.
    threshold: f64,
}

impl Comparison {
    /// Whether the difference is not by chance.
    pub(super) fn is_significant(&self) -> bool {
        match self.p {
            Some(p) => p < SIGNIFICANT,
            None => self.items >= FEWEST_ITEMS && !self.interval.contains(0.0),
        }
    }

    /// Whether it got worse by more than the threshold, and not by chance.
    pub(super) fn is_regression(&self) -> bool {
        let drop = if self.pair.less_is_better { self.difference } else { -self.difference };
        self.pair.is_judged && drop > self.threshold && drop > 0.0 && self.is_significant()
    }
}

/// Items of two runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SharedItems {
    pub(super) both: u64,
    pub(super) only_before: Vec<String>,
    pub(super) only_after: Vec<String>,
}

impl RunNumbers {
    /// Reads the numbers and truth values that stages answered: of these wires, or all.
    pub(super) fn read(run: &RunJson, db: &Db, wires: &[String]) -> Result<Result<Self, UnknownName>, StoreError> {
        let plan = &run.plan;
        let reader = RowReader { plan, db, inputs: None, each: &[], provenance: None };
        let selected = if wires.is_empty() {
            Ok(Selection::of_all(plan, &[], false))
        } else {
            Selection::of_wires(plan, &[], wires)
        };
        let mut selection = match selected {
            Ok(selection) => selection,
            Err(unknown) => return Ok(Err(unknown)),
        };
        reader.each_row(|row| {
            selection.learn(row);
            Ok(true)
        })?;
        if let Some(unknown) = selection.unknown(&run.run, &reader)? {
            return Ok(Err(unknown));
        }
        let columns = selection.settle(&[]).to_vec();
        let numeric: Vec<usize> = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.kind.is_some_and(|kind| kind == Kind::Bool || kind.is_number()))
            .map(|(index, _)| index)
            .collect();
        let mut numbers = Self {
            ids: Vec::new(),
            positions: HashMap::new(),
            columns: numeric
                .iter()
                .map(|index| &columns[*index])
                .map(|column| NumberColumn {
                    name: column.name.clone(),
                    is_bool: column.kind == Some(Kind::Bool),
                    values: Vec::new(),
                })
                .collect(),
        };
        reader.each_row(|row| {
            let values = selection.values(row);
            let mut cells: Vec<Cell<'_>> = Vec::new();
            selection.fill(&values, &mut cells);
            numbers.positions.insert(row.item().to_owned(), numbers.ids.len());
            numbers.ids.push(row.item().to_owned());
            for (column, index) in numbers.columns.iter_mut().zip(&numeric) {
                column.values.push(cells[*index].number().unwrap_or(f64::NAN));
            }
            Ok(true)
        })?;
        Ok(Ok(numbers))
    }

    fn column(&self, name: &str) -> Option<&NumberColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether there are numbers at the end of a wire, or below it.
    pub(super) fn has_below(&self, wire: &str) -> bool {
        let is_below =
            |name: &str| name.strip_prefix(wire).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.names().any(is_below)
    }

    /// The names of its columns.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

/// The columns that both runs have, those of graders first. If they were asked for by name, all are judged.
pub(super) fn common_pairs(
    before: &RunNumbers,
    after: &RunNumbers,
    are_asked_for: bool,
    is_less_better: impl Fn(&str) -> bool,
) -> Vec<Pair> {
    let rank = |name: &str| GRADES.iter().position(|grade| name.ends_with(grade)).unwrap_or(GRADES.len());
    let common = before.names().filter(|name| after.column(name).is_some());
    let mut pairs: Vec<Pair> = common
        .map(|name| Pair {
            before: name.to_owned(),
            after: name.to_owned(),
            is_judged: are_asked_for || rank(name) < GRADES.len() || is_less_better(name),
            less_is_better: is_less_better(name),
        })
        .collect();
    if !are_asked_for {
        pairs.sort_by_key(|pair| rank(&pair.before));
    }
    pairs
}

/// Which items are in both runs.
pub(super) fn shared_items(before: &RunNumbers, after: &RunNumbers) -> SharedItems {
    let only = |one: &RunNumbers, other: &RunNumbers| {
        one.ids.iter().filter(|id| !other.positions.contains_key(*id)).cloned().collect::<Vec<_>>()
    };
    let (only_before, only_after) = (only(before, after), only(after, before));
    SharedItems { both: (before.ids.len() - only_before.len()) as u64, only_before, only_after }
}

/// Compares two columns. None if one of them is not there, or no item has both.
pub(super) fn compare(before: &RunNumbers, after: &RunNumbers, pair: &Pair, threshold: f64) -> Option<Comparison> {
    let (first, second) = (before.column(&pair.before)?, after.column(&pair.after)?);
    let mut differences = Vec::new();
    let (mut sums, mut one_sided, mut equal) = ([0.0, 0.0], [0, 0], 0);
    let (mut better, mut worse) = (Vec::new(), Vec::new());
    for (position, id) in before.ids.iter().enumerate() {
        let Some(other) = after.positions.get(id) else { continue };
        let (old, new) = (first.values[position], second.values[*other]);
        match (old.is_nan(), new.is_nan()) {
            (false, false) => {}
            (false, true) => one_sided[0] += 1,
            (true, false) => one_sided[1] += 1,
            (true, true) => {}
        }
        if old.is_nan() || new.is_nan() {
            continue;
        }
        sums = [sums[0] + old, sums[1] + new];
        differences.push(new - old);
        let change = Change { item: id.clone(), before: old, after: new };
        match (new - old > 0.0, new - old < 0.0) {
            (false, false) => equal += 1,
            (more, _) if more != pair.less_is_better => better.push(change),
            _ => worse.push(change),
        }
    }
    let estimate = difference(&differences, &Draws::new(SEED))?;
    let is_bool = first.is_bool && second.is_bool;
    let (gained, lost) = (better.len() as u64, worse.len() as u64);
    for changes in [&mut better, &mut worse] {
        // Those that changed equally stay in the order of the items.
        changes.sort_by(|a, b| (b.after - b.before).abs().total_cmp(&(a.after - a.before).abs()));
    }
    let count = differences.len() as f64;
    Some(Comparison {
        pair: pair.clone(),
        is_bool,
        items: differences.len() as u64,
        one_sided,
        means: sums.map(|sum| sum / count),
        difference: estimate.mean,
        interval: estimate.interval,
        p: is_bool.then(|| McNemar { only_first: lost, only_second: gained }.exact()),
        equal,
        better,
        worse,
        threshold,
    })
}
