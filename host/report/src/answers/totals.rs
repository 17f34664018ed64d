//! What the items come to, all of them, also those that the page leaves out.

use std::collections::BTreeMap;

use jackfield_store::RunJson;

use super::{
    cells::{ItemCells, Status},
    columns::OtherItem,
};

/// All items of the record.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) items: u64,
    /// By state.
    pub(super) states: BTreeMap<String, u64>,
    /// By position of the stage in the plan: those with any answer that is a grade.
    pub(super) grades: BTreeMap<usize, GradeTotals>,
    /// By position of the stage in the plan: how many items it failed for.
    pub(super) failures: BTreeMap<usize, u64>,
    /// Items of which any answer differs from that of the other run.
    pub(super) changed: u64,
    /// Items that the other run has not.
    pub(super) only_here: u64,
    /// Items whose input is not that of the other run.
    pub(super) other_input: u64,
}

/// The grades of a stage.
#[derive(Default)]
pub(super) struct GradeTotals {
    pub(super) own: GradeSum,
    /// Those of the other run, for the same items.
    pub(super) other: GradeSum,
    /// Items that both runs graded, by whether they passed in the other run and in this one.
    pub(super) now_passed: u64,
    pub(super) no_longer_passed: u64,
}

/// Grades, added up.
#[derive(Default)]
pub(super) struct GradeSum {
    pub(super) count: u64,
    pub(super) passed: u64,
    score: f64,
}

impl GradeSum {
    fn add(&mut self, score: f64, passed: bool) {
        self.count += 1;
        self.passed += u64::from(passed);
        self.score += score;
    }

    /// The mean score.
    pub(super) fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.score / self.count as f64 }
    }

    /// The share that passed.
    pub(super) fn pass_rate(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.passed as f64 / self.count as f64 }
    }
}

impl Totals {
    /// Counts an item. `other` is the same item in the other run, if there is one.
    pub(super) fn add(
        &mut self,
        state: Option<&str>,
        cells: &ItemCells,
        run: &RunJson,
        other: Option<(&RunJson, Option<&OtherItem>)>,
    ) {
        self.items += 1;
        *self.states.entry(state.unwrap_or("not done").to_owned()).or_default() += 1;
        for (stage, cell) in &cells.0 {
            if matches!(cell.status, Status::Failed | Status::Partial) {
                *self.failures.entry(*stage).or_default() += 1;
            }
            if let Some(grade) = cell.grade {
                self.grades.entry(*stage).or_default().own.add(grade.score, grade.passed);
            }
        }
        let Some((other_run, other)) = other else { return };
        let Some(other) = other else {
            self.only_here += 1;
            return;
        };
        self.other_input += u64::from(!other.has_same_input);
        let mut is_changed = false;
        for (stage, cell) in &cells.0 {
            let name = &run.plan.stages[*stage].name;
            let mut others = other.cells.0.iter();
            let Some((_, before)) = others.find(|(stage, _)| other_run.plan.stages[*stage].name == *name) else {
                continue;
            };
            is_changed |= before.differs_from(cell);
            if let Some(grade) = before.grade {
                let totals = self.grades.entry(*stage).or_default();
                totals.other.add(grade.score, grade.passed);
                if let Some(now) = cell.grade {
                    totals.now_passed += u64::from(now.passed && !grade.passed);
                    totals.no_longer_passed += u64::from(!now.passed && grade.passed);
                }
            }
        }
        self.changed += u64::from(is_changed);
    }
}
