//! What each stage of an item came to, as it is on record.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_pipeline::Scope;
use jackfield_store::{Db, ItemRow, RunJson, StoreError, item_json};
use serde_json::Value;

use super::{
    grade::{Grade, grade_of, grade_text, rounded},
    texts::ShownText,
    value_text::value_text,
};

/// How a stage of an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    /// Of several calls, some failed.
    Partial,
    Failed,
    /// It was not made, since a stage that it reads failed.
    Skipped,
    /// Its condition does not hold.
    Off,
    /// Nothing is on record.
    Absent,
}

impl Status {
    /// As the page's script has it.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Ok => 'o',
            Self::Partial => 'p',
            Self::Failed => 'f',
            Self::Skipped => 's',
            Self::Off => 'x',
            Self::Absent => '-',
        }
    }
}

/// A stage of an item.
pub(super) struct Cell {
    pub(super) status: Status,
    pub(super) grade: Option<Grade>,
    /// The members of the answer that are numbers, by name.
    pub(super) numbers: BTreeMap<String, f64>,
    /// The answer; of a grade, what there is beside the score. What failed is below.
    pub(super) text: ShownText,
}

impl Cell {
    /// Whether anything that is shown of the stage is another in the other run.
    pub(super) fn differs_from(&self, other: &Self) -> bool {
        self.status != other.status || self.grade != other.grade || self.text != other.text
    }
}

/// The stages of an item that belong to it, by position in the plan.
pub(super) struct ItemCells(pub(super) Vec<(usize, Cell)>);

impl ItemCells {
    /// Reads what is on record of an item.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub(super) fn read(run: &RunJson, db: &Db, row: &ItemRow) -> Result<Self, StoreError> {
        let line = item_json(db, &run.plan, row)?;
        let stages = run.plan.stages.iter().enumerate().filter(|(_, stage)| stage.scope == Scope::Item);
        Ok(Self(stages.map(|(index, stage)| (index, cell(&line, &stage.name))).collect()))
    }

    /// Whether somebody would want to see the item before others: something failed, or did not pass.
    pub(super) fn is_flawed(&self) -> bool {
        self.0.iter().any(|(_, cell)| {
            matches!(cell.status, Status::Failed | Status::Partial) || cell.grade.is_some_and(|grade| !grade.passed)
        })
    }
}

fn cell(line: &Value, stage: &str) -> Cell {
    let answer = line["outputs"].get(stage);
    let failures = line["failures"].get(stage).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_off = line["off"].as_array().is_some_and(|off| off.iter().any(|name| name == stage));
    let all_skipped = failures.iter().all(|failure| failure["kind"] == "skipped");
    // A list that some calls are missing from may be empty.
    let has_answer =
        answer.is_some_and(|answer| failures.is_empty() || answer.as_array().is_none_or(|list| !list.is_empty()));
    let status = match (has_answer, failures.is_empty()) {
        (true, true) => Status::Ok,
        (true, false) => Status::Partial,
        (false, true) if is_off => Status::Off,
        (false, true) => Status::Absent,
        (false, false) if all_skipped => Status::Skipped,
        (false, false) => Status::Failed,
    };
    let answer = answer.filter(|_| has_answer);
    let grade = answer.and_then(grade_of);
    let mut text = match (answer, grade) {
        (Some(answer), Some(_)) => grade_text(answer),
        (Some(answer), None) => value_text(answer),
        (None, _) => ShownText::default(),
    };
    for failure in failures {
        write_failure(&mut text, failure);
    }
    let members = answer.and_then(Value::as_object).into_iter().flatten();
    let numbers = members
        .filter(|(name, _)| grade.is_none() || !matches!(name.as_str(), "score" | "passed"))
        .filter_map(|(name, value)| Some((name.clone(), rounded(number_of(value)?))))
        .collect();
    Cell { status, grade, numbers, text }
}

/// What rows can be ordered by: a number, or a boolean as 0 or 1.
fn number_of(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_bool().map(|is| f64::from(u8::from(is))))
}

fn write_failure(out: &mut ShownText, failure: &Value) {
    if !out.is_empty() {
        out.push("\n");
    }
    if let Some(call) = failure["call"].as_u64() {
        out.push(&format!("call {call}: "));
    }
    let text = |key: &str| failure[key].as_str().unwrap_or_default().to_owned();
    match text("kind").as_str() {
        // Its state says so.
        "skipped" => out.push(&text("message")),
        kind => out.push(&format!("{kind}: {}", text("message"))),
    }
}

/// Reads an item's document. It is called for items in order, and gives none where the item cannot be read again.
pub type ReadInput<'a> = dyn FnMut(&ItemRow) -> Option<Arc<str>> + 'a;
