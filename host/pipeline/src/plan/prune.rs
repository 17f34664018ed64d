//! A plan cut down to some of its stages and to what these need.

use super::{
    column::ColumnPlan,
    output::OutputPlan,
    pipeline_plan::Plan,
    route::RoutePlan,
    wire::{InputExpr, Source, Wire},
};

/// The plan with these stages and what they read alone, and for each stage of the whole plan its new index, if it was kept.
pub(crate) fn prune(plan: &Plan, wanted: &[usize]) -> (Plan, Vec<Option<usize>>) {
    let mut kept = vec![false; plan.stages.len()];
    let mut to_visit = wanted.to_vec();
    while let Some(stage) = to_visit.pop() {
        if !std::mem::replace(&mut kept[stage], true) {
            to_visit.extend(&plan.stages[stage].reads);
        }
    }
    let stages = new_indices(&kept);
    let mut pruned = plan.clone();
    pruned.requirements = Vec::new();
    // Those into stages that are not kept are read by none that is.
    let is_read = |column: &ColumnPlan| !matches!(column.wire.source, Source::Stage(stage) if !kept[stage]);
    let columns_read: Vec<bool> = plan.columns.iter().map(is_read).collect();
    let columns = new_indices(&columns_read);
    retain(&mut pruned.columns, &columns_read);
    let renumbered = Renumbered { stages: &stages, columns: &columns };
    pruned.columns.iter_mut().for_each(|column| renumbered.wire(&mut column.wire));
    pruned.output = OutputPlan { item_files: false, files: Vec::new(), merged: Vec::new(), show: Vec::new() };
    retain(&mut pruned.stages, &kept);
    for stage in &mut pruned.stages {
        // A test has to see the results that the plugins give now, not cached ones.
        stage.cache = None;
        for read in &mut stage.reads {
            *read = new_index(*read, &stages);
        }
        renumbered.expr(&mut stage.input);
        if let Some(wire) = &mut stage.for_each {
            renumbered.wire(wire);
        }
        if let Some(when) = &mut stage.when {
            renumbered.wire(&mut when.wire);
        }
        if let Some(route) = &mut stage.route {
            prune_route(route, &renumbered);
        }
    }

    let mut used = vec![false; plan.models.len()];
    let arms = pruned.stages.iter().filter_map(|stage| stage.route.as_ref()).flat_map(|route| &route.arms);
    let of_arms = arms.filter_map(|arm| arm.model);
    pruned.stages.iter().filter_map(|stage| stage.model).chain(of_arms).for_each(|model| used[model] = true);
    let models = new_indices(&used);
    retain(&mut pruned.models, &used);
    for stage in &mut pruned.stages {
        stage.model = stage.model.and_then(|model| models[model]);
        for arm in stage.route.iter_mut().flat_map(|route| &mut route.arms) {
            arm.model = arm.model.and_then(|model| models[model]);
        }
    }

    let mut used = vec![false; plan.caches.len()];
    let of_models = pruned.models.iter().filter_map(|model| model.cache);
    pruned.stages.iter().filter_map(|stage| stage.store).chain(of_models).for_each(|cache| used[cache] = true);
    let caches = new_indices(&used);
    retain(&mut pruned.caches, &used);
    pruned.stages.iter_mut().for_each(|stage| stage.store = stage.store.and_then(|cache| caches[cache]));
    pruned.models.iter_mut().for_each(|model| model.cache = model.cache.and_then(|cache| caches[cache]));
    (pruned, stages)
}

/// Leaves out of a route what comes of stages that are not kept: nothing is learned from it. What earlier runs have learned is left
/// out as well, since a test has to see the same each time.
fn prune_route(route: &mut RoutePlan, renumbered: &Renumbered<'_>) {
    let is_kept = |wire: &Wire| !matches!(wire.source, Source::Stage(stage) if renumbered.stages[stage].is_none());
    route.state = None;
    route.reward.take_if(|wire| !is_kept(wire));
    route.objectives.retain(|objective| is_kept(&objective.wire));
    let objectives = route.objectives.iter_mut().map(|objective| &mut objective.wire);
    // The stages that the context comes from are among those that the stage reads.
    for wire in route.context.iter_mut().chain(&mut route.reward).chain(objectives) {
        renumbered.wire(wire);
    }
}

fn new_indices(kept: &[bool]) -> Vec<Option<usize>> {
    let mut next = 0..;
    kept.iter().map(|kept| if *kept { next.next() } else { None }).collect()
}

/// The index that a stage or a column has in the pruned plan.
fn new_index(index: usize, new_indices: &[Option<usize>]) -> usize {
    new_indices[index].expect("a stage is kept together with all that it reads")
}

fn retain<T>(list: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    list.retain(|_| *kept.next().expect("every element is kept or not"));
}

/// The new indices of stages and columns, if they were kept.
struct Renumbered<'a> {
    stages: &'a [Option<usize>],
    columns: &'a [Option<usize>],
}

impl Renumbered<'_> {
    fn expr(&self, input: &mut InputExpr) {
        match input {
            InputExpr::Wire(inner) => self.wire(inner),
            InputExpr::List(list) => list.iter_mut().for_each(|inner| self.expr(inner)),
            InputExpr::Table(entries) => entries.iter_mut().for_each(|entry| self.expr(&mut entry.value)),
            InputExpr::Constant(_) => {}
        }
    }

    fn wire(&self, wire: &mut Wire) {
        match &mut wire.source {
            Source::Stage(stage) => *stage = new_index(*stage, self.stages),
            Source::Column(column) => *column = new_index(*column, self.columns),
            Source::Input | Source::Each | Source::Spend => {}
        }
    }
}
