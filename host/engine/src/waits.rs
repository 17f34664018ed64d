//! For which stages a stage waits.

use jackfield_pipeline::{Plan, Source};

/// For each stage, the stages that come before it: those that it reads, and those of a trial's reports that are not made from
/// it. So what a stopped trial leaves out does not depend on how fast its stages are.
pub(super) fn waits_of(plan: &Plan) -> Vec<Vec<usize>> {
    let mut waits: Vec<Vec<usize>> = plan.stages.iter().map(|stage| stage.reads.clone()).collect();
    let Some(search) = &plan.search else { return waits };
    // The first report that a stage is needed for; those that are needed for none come after all.
    let none = search.reports.len();
    let mut level = vec![none; plan.stages.len()];
    for (at, report) in search.reports.iter().enumerate() {
        let Source::Stage(stage) = report.source else { continue };
        let mut open = vec![stage];
        while let Some(stage) = open.pop() {
            if level[stage] == none {
                level[stage] = at;
                open.extend(&plan.stages[stage].reads);
            }
        }
    }
    for (stage, waits) in waits.iter_mut().enumerate() {
        let scope = plan.stages[stage].scope;
        for report in &search.reports[..level[stage]] {
            let Source::Stage(before) = report.source else { continue };
            if before != stage && plan.stages[before].scope == scope && !waits.contains(&before) {
                waits.push(before);
            }
        }
    }
    waits
}
