//! A plan cut down to some of its stages and to what these need.

use super::{
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
    pruned.output = OutputPlan { item_files: false, files: Vec::new(), merged: Vec::new(), show: Vec::new() };
    retain(&mut pruned.stages, &kept);
    for stage in &mut pruned.stages {
        // A test has to see the results that the plugins give now, not cached ones.
        stage.cache = None;
        for read in &mut stage.reads {
            *read = new_index(*read, &stages);
        }
        renumber_expr(&mut stage.input, &stages);
        if let Some(wire) = &mut stage.for_each {
            renumber_wire(wire, &stages);
        }
        if let Some(route) = &mut stage.route {
            prune_route(route, &stages);
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
fn prune_route(route: &mut RoutePlan, stages: &[Option<usize>]) {
    let is_kept = |wire: &Wire| !matches!(wire.source, Source::Stage(stage) if stages[stage].is_none());
    route.state = None;
    route.reward.take_if(|wire| !is_kept(wire));
    route.objectives.retain(|objective| is_kept(&objective.wire));
    let objectives = route.objectives.iter_mut().map(|objective| &mut objective.wire);
    // The stages that the context comes from are among those that the stage reads.
    for wire in route.context.iter_mut().chain(&mut route.reward).chain(objectives) {
        renumber_wire(wire, stages);
    }
}

fn new_indices(kept: &[bool]) -> Vec<Option<usize>> {
    let mut next = 0..;
    kept.iter().map(|kept| if *kept { next.next() } else { None }).collect()
}

/// The index that a stage has in the pruned plan.
fn new_index(stage: usize, new_indices: &[Option<usize>]) -> usize {
    new_indices[stage].expect("a stage is kept together with the stages that it reads")
}

fn retain<T>(list: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    list.retain(|_| *kept.next().expect("every element is kept or not"));
}

fn renumber_expr(input: &mut InputExpr, stages: &[Option<usize>]) {
    match input {
        InputExpr::Wire(inner) => renumber_wire(inner, stages),
        InputExpr::List(list) => list.iter_mut().for_each(|inner| renumber_expr(inner, stages)),
        InputExpr::Table(entries) => entries.iter_mut().for_each(|entry| renumber_expr(&mut entry.value, stages)),
        InputExpr::Constant(_) => {}
    }
}

fn renumber_wire(wire: &mut Wire, stages: &[Option<usize>]) {
    if let Source::Stage(stage) = &mut wire.source {
        *stage = new_index(*stage, stages);
    }
}
