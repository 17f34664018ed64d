//! A plan cut down to some of its stages and to what these need.

use super::{
    output::OutputPlan,
    pipeline_plan::Plan,
    wire::{InputExpr, Source, Wire},
};

/// The plan with these stages and what they read alone, and for each stage of the whole plan its new place.
pub(crate) fn prune(plan: &Plan, wanted: &[usize]) -> (Plan, Vec<Option<usize>>) {
    let mut kept = vec![false; plan.stages.len()];
    let mut open = wanted.to_vec();
    while let Some(stage) = open.pop() {
        if !std::mem::replace(&mut kept[stage], true) {
            open.extend(&plan.stages[stage].reads);
        }
    }
    let stages = places(&kept);
    let mut small = plan.clone();
    small.output = OutputPlan { item_files: false, files: Vec::new(), merged: Vec::new(), show: Vec::new() };
    retain(&mut small.stages, &kept);
    for stage in &mut small.stages {
        // A test is to see what the plugins do now.
        stage.cache = None;
        stage.reads.iter_mut().for_each(|read| *read = stages[*read].unwrap_or_default());
        expr(&mut stage.input, &stages);
        stage.for_each.iter_mut().for_each(|wire| self::wire(wire, &stages));
    }

    let mut used = vec![false; plan.models.len()];
    small.stages.iter().filter_map(|stage| stage.model).for_each(|model| used[model] = true);
    let models = places(&used);
    retain(&mut small.models, &used);
    small.stages.iter_mut().for_each(|stage| stage.model = stage.model.and_then(|model| models[model]));

    let mut used = vec![false; plan.caches.len()];
    let of_models = small.models.iter().filter_map(|model| model.cache);
    small.stages.iter().filter_map(|stage| stage.store).chain(of_models).for_each(|cache| used[cache] = true);
    let caches = places(&used);
    retain(&mut small.caches, &used);
    small.stages.iter_mut().for_each(|stage| stage.store = stage.store.and_then(|cache| caches[cache]));
    small.models.iter_mut().for_each(|model| model.cache = model.cache.and_then(|cache| caches[cache]));
    (small, stages)
}

fn places(kept: &[bool]) -> Vec<Option<usize>> {
    let mut next = 0..;
    kept.iter().map(|kept| if *kept { next.next() } else { None }).collect()
}

fn retain<T>(list: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    list.retain(|_| kept.next().copied().unwrap_or_default());
}

fn expr(input: &mut InputExpr, stages: &[Option<usize>]) {
    match input {
        InputExpr::Wire(inner) => wire(inner, stages),
        InputExpr::List(list) => list.iter_mut().for_each(|inner| expr(inner, stages)),
        InputExpr::Table(entries) => entries.iter_mut().for_each(|entry| expr(&mut entry.value, stages)),
    }
}

fn wire(wire: &mut Wire, stages: &[Option<usize>]) {
    if let Source::Stage(stage) = &mut wire.source {
        *stage = stages[*stage].unwrap_or_default();
    }
}
