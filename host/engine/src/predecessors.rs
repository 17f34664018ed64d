//! For which stages a stage waits.

use jackfield_pipeline::{Plan, Source};

use super::index::{PerStage, StageIdx};

/// The stages that a stage waits for, for each stage of a plan.
pub(super) type Predecessors = PerStage<Vec<StageIdx>>;

/// For each stage, the stages that come before it: those that it reads, and those of a trial's reports that are not made from
/// it. So what a stopped trial leaves out does not depend on how fast its stages are.
pub(super) fn predecessors_of(plan: &Plan) -> Predecessors {
    let mut predecessors: Predecessors =
        plan.stages.iter().map(|stage| stage.reads.iter().map(|read| StageIdx::new(*read)).collect()).collect();
    let Some(search) = &plan.search else { return predecessors };
    // The first report that a stage is needed for; those that are needed for none come after all.
    let none = search.reports.len();
    let mut first_report: PerStage<usize> = plan.stages.iter().map(|_| none).collect();
    for (at, report) in search.reports.iter().enumerate() {
        let Source::Stage(stage) = report.source else { continue };
        let mut open = vec![stage];
        while let Some(stage) = open.pop() {
            let first = &mut first_report[StageIdx::new(stage)];
            if *first == none {
                *first = at;
                open.extend(&plan.stages[stage].reads);
            }
        }
    }
    for (stage, predecessors) in predecessors.enumerate_mut() {
        let scope = plan.stages[stage.get()].scope;
        for report in &search.reports[..first_report[stage]] {
            let Source::Stage(before) = report.source else { continue };
            let before = StageIdx::new(before);
            if before != stage && plan.stages[before.get()].scope == scope && !predecessors.contains(&before) {
                predecessors.push(before);
            }
        }
    }
    predecessors
}
