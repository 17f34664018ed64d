//! Which columns a table has: those of all stages, or those that wires name.

use std::{borrow::Cow, collections::HashSet};

use jackfield_pipeline::{Plan, Scope, Step, hint_for, source_and_path};
use jackfield_store::StoreError;

use super::{
    columns::{Cell, Column, Node},
    rows::{EachList, Origin, Row, RowReader},
};

/// A name that is not one of this run, and what to do about it.
#[derive(Debug)]
pub(crate) struct UnknownName {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// A table, as far as its columns go. First it learns of all rows, then it is settled, then rows are put into its columns.
pub(crate) struct Selection {
    roots: Vec<Root>,
    columns: Vec<Column>,
}

/// A place that columns are made of.
struct Root {
    name: String,
    origin: Origin,
    path: Vec<Step>,
    /// Whether somebody asks for it by name.
    is_wanted: bool,
    /// Whether there was a value that the path could have led into.
    has_origin: bool,
    node: Node,
}

impl Root {
    fn new(name: impl Into<String>, origin: Origin, path: Vec<Step>) -> Self {
        Self { name: name.into(), origin, path, is_wanted: false, has_origin: false, node: Node::default() }
    }
}

/// Reads the lists whose elements are rows.
pub(crate) fn each_lists(plan: &Plan, wires: &[String]) -> Result<Vec<EachList>, UnknownName> {
    let mut lists = Vec::with_capacity(wires.len());
    for wire in wires {
        let (origin, mut path) = origin_of(plan, wire, &["input"])?;
        // Whether every element is asked for, or the list: it is the same.
        path.pop_if(|last| *last == Step::All);
        if path.contains(&Step::All) {
            let message = format!("`{wire}` leads through every element of a list");
            let hint = Some("name the list itself: each of its elements becomes a row".to_owned());
            return Err(UnknownName { message, hint });
        }
        if let (Origin::Stage(index), true) = (&origin, path.is_empty())
            && !plan.stages[*index].is_list()
        {
            let lists = plan.stages.iter().filter(|stage| stage.is_list()).map(|stage| stage.name.as_str());
            let message = format!("stage `{wire}` makes one call for an item, which is one row");
            let list = hint_for("", "stages that make several", lists);
            let hint = list.or_else(|| Some(format!("name a list in what it answers: `--each {wire}.FIELD`")));
            return Err(UnknownName { message, hint });
        }
        lists.push(EachList { origin, path });
    }
    Ok(lists)
}

/// Where a wire begins, and the way from there. `others`: what there is apart from stages.
fn origin_of(plan: &Plan, wire: &str, others: &[&str]) -> Result<(Origin, Vec<Step>), UnknownName> {
    let (source, path) = source_and_path(wire)
        .map_err(|(message, hint)| UnknownName { message: format!("`{wire}` is no column: {message}"), hint })?;
    let stage = plan.stages.iter().position(|stage| stage.name == source);
    let origin = match (stage, source.as_str()) {
        (Some(index), _) => Origin::Stage(index),
        (None, name) if !others.contains(&name) => {
            let stages = plan.stages.iter().map(|stage| stage.name.as_str());
            let known: Vec<&str> = others.iter().copied().chain(stages).collect();
            return Err(UnknownName {
                message: format!("`{source}` is neither a stage of the run nor a column"),
                hint: hint_for(&source, "there are", known),
            });
        }
        (None, "item") => Origin::Item,
        (None, "state") => Origin::State,
        (None, "element") => Origin::Element,
        (None, "error") => Origin::Error,
        (None, "provenance") => Origin::Provenance,
        (None, _) => Origin::Input,
    };
    Ok((origin, path))
}

impl Selection {
    /// All columns: the item, its input, what each stage answered, and what failed.
    pub(crate) fn of_all(plan: &Plan, each: &[EachList], has_provenance: bool) -> Self {
        let mut roots =
            vec![Root::new("item", Origin::Item, Vec::new()), Root::new("state", Origin::State, Vec::new())];
        if !each.is_empty() {
            roots.push(Root::new("element", Origin::Element, Vec::new()));
        }
        let stages = plan.stages.iter().enumerate().filter(|(_, stage)| stage.scope == Scope::Item);
        let stages = stages.map(|(index, stage)| (stage.name.as_str(), Origin::Stage(index)));
        for (name, origin) in [("input", Origin::Input)].into_iter().chain(stages) {
            for list in each.iter().filter(|list| list.origin == origin && !list.path.is_empty()) {
                let path: String = list.path.iter().map(ToString::to_string).collect();
                roots.push(Root::new(format!("{name}{path}"), origin.clone(), list.path.clone()));
            }
            roots.push(Root::new(name, origin, Vec::new()));
        }
        roots.push(Root::new("error", Origin::Error, Vec::new()));
        if has_provenance {
            roots.push(Root::new("provenance", Origin::Provenance, Vec::new()));
        }
        for root in &mut roots {
            // These are there whether or not there is anything in them.
            root.is_wanted = matches!(root.origin, Origin::Item | Origin::State | Origin::Element | Origin::Error);
        }
        Self { roots, columns: Vec::new() }
    }

    /// The columns that wires lead to, in their order.
    pub(crate) fn of_wires(plan: &Plan, each: &[EachList], wires: &[String]) -> Result<Self, UnknownName> {
        let mut names = vec!["item", "state", "input", "error", "provenance"];
        if !each.is_empty() {
            names.push("element");
        }
        let mut roots = Vec::with_capacity(wires.len());
        for wire in wires {
            let (origin, path) = origin_of(plan, wire, &names)?;
            roots.push(Root { is_wanted: true, ..Root::new(wire.as_str(), origin, path) });
        }
        Ok(Self { roots, columns: Vec::new() })
    }

    /// Whether some column comes from there.
    pub(crate) fn has(&self, origin: &Origin) -> bool {
        self.roots.iter().any(|root| root.origin == *origin)
    }

    /// Learns of a row.
    pub(crate) fn learn(&mut self, row: Row<'_>) {
        for root in &mut self.roots {
            match row.value(&root.origin, &root.path) {
                Some(value) => {
                    root.has_origin = true;
                    root.node.learn(&value);
                }
                None if !root.has_origin => root.has_origin = row.value(&root.origin, &[]).is_some(),
                None => {}
            }
        }
    }

    /// Whether something has been seen of each column that somebody asks for by name.
    pub(crate) fn has_seen_all(&self) -> bool {
        self.roots.iter().all(|root| !root.is_wanted || root.path.is_empty() || root.node.is_seen())
    }

    /// What to say of the first column that somebody asks for by name and no row has, though it could.
    pub(crate) fn unknown(&self, run: &str, reader: &RowReader<'_>) -> Result<Option<UnknownName>, StoreError> {
        let is_missing = |root: &&Root| root.is_wanted && root.has_origin && !root.node.is_seen();
        let Some(root) = self.roots.iter().filter(|root| !root.path.is_empty()).find(is_missing) else {
            return Ok(None);
        };
        let mut all = Self::of_all(reader.plan, reader.each, reader.provenance.is_some());
        reader.each_row(|row| {
            all.learn(row);
            Ok(true)
        })?;
        let known: Vec<&str> = all.settle(reader.each).iter().map(|column| column.name.as_str()).collect();
        let hint = hint_for(&root.name, "its columns", known);
        Ok(Some(UnknownName { message: format!("no item of run `{run}` has `{}`", root.name), hint }))
    }

    /// Says which columns there are; nothing is learned any more.
    pub(crate) fn settle(&mut self, each: &[EachList]) -> &[Column] {
        for root in &mut self.roots {
            for list in each.iter().filter(|list| list.origin == root.origin && !list.path.is_empty()) {
                // The elements have columns of their own.
                if let Some(rest) = list.path.strip_prefix(root.path.as_slice())
                    && !rest.is_empty()
                {
                    root.node.leave_out(rest);
                }
            }
            root.node.add_columns(&root.name, root.is_wanted, &mut self.columns);
        }
        let mut taken: HashSet<String> = HashSet::new();
        for column in &mut self.columns {
            // A stage may be called as one of the columns that are always there.
            let plain = column.name.clone();
            let mut number = 2;
            while !taken.insert(column.name.clone()) {
                column.name = format!("{plain}#{number}");
                number += 1;
            }
        }
        &self.columns
    }

    /// The values that the cells of a row are made of.
    pub(crate) fn values<'a>(&self, row: Row<'a>) -> Vec<Option<Cow<'a, str>>> {
        self.roots.iter().map(|root| row.value(&root.origin, &root.path)).collect()
    }

    /// Puts the values of a row into their columns.
    pub(crate) fn fill<'a>(&self, values: &'a [Option<Cow<'_, str>>], cells: &mut Vec<Cell<'a>>) {
        cells.clear();
        cells.resize(self.columns.len(), Cell::Null);
        for (root, value) in self.roots.iter().zip(values) {
            if let Some(value) = value {
                root.node.fill(value, cells);
            }
        }
    }
}
