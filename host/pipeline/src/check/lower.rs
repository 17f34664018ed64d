//! The plan, once nothing is wrong.

use jackfield_loader::Digest;

use super::{
    checker::Checker,
    digest,
    extensions::extension_ref,
    graph::{read_items, reads},
    sources::Edge,
};
use crate::{
    draft::{Expr, ItemSource, StageDraft, WireRef},
    plan::{InputExpr, InputPlan, OutputPlan, Plan, Scope, Source, StagePlan, TableEntry, ViewMarks, Wire},
    schema::{Reads, View},
    syntax::Key,
};

impl Checker<'_> {
    /// The plan with its stages in this order.
    pub(crate) fn lower(&self, order: &[usize], edges: &[Edge]) -> Option<Plan> {
        let draft = self.draft;
        let mut places = vec![0; order.len()];
        // No stage reads one that runs at export alone.
        let (exports, order): (Vec<usize>, Vec<usize>) =
            order.iter().partition(|index| draft.stages[**index].export.is_some());
        order.iter().enumerate().for_each(|(place, index)| places[*index] = place);
        let reads = reads(places.len(), edges);
        let read_items = read_items(places.len(), edges);
        let input = self.input();
        let item_files = draft.output.item_files.unwrap_or(matches!(input, InputPlan::Files { .. }));
        let named = |wires: &[(Key, WireRef)]| {
            let wires = wires.iter();
            wires
                .map(|(name, wire)| Some((name.text.clone(), self.lower_wire(None, wire, &places)?)))
                .collect::<Option<_>>()
        };
        let lower = |index: &usize| {
            let mut reads: Vec<usize> = reads[*index].iter().map(|source| places[*source]).collect();
            reads.sort_unstable();
            let scope = if read_items[*index] { Scope::Item } else { Scope::Run };
            self.lower_stage(*index, &draft.stages[*index], scope, reads, &places)
        };
        let stages = order.iter().map(lower).collect::<Option<_>>()?;
        let exports = exports.iter().map(lower).collect::<Option<_>>()?;
        let mut plan = Plan {
            name: draft.name.clone(),
            digest: Digest::of(""),
            seed: draft.seed,
            input,
            output: OutputPlan {
                item_files,
                files: named(&draft.output.files)?,
                merged: named(&draft.output.merged)?,
                show: named(&draft.output.show)?,
            },
            max_in_flight: draft.max_in_flight,
            sandbox_memory: draft.sandbox_memory.as_ref().map(|memory| memory.value),
            tensor_storage: draft.tensor_storage,
            models: self.lower_models()?,
            caches: self.lower_caches()?,
            stages,
            search: self.lower_search(&places)?,
            item_views: ViewMarks::default(),
            exports,
        };
        // What reads a deferred stage can only be done after it.
        for index in 0..plan.stages.len() {
            plan.stages[index].deferred |= plan.stages[index].reads.iter().any(|read| plan.stages[*read].deferred);
        }
        self.mark_views(&order, &mut plan);
        plan.digest = digest::of(&plan);
        Some(plan)
    }

    /// Marks what is to be looked at: what extensions say of their results, and of what they read, at its source.
    fn mark_views(&self, order: &[usize], plan: &mut Plan) {
        let mut marks = vec![ViewMarks::default(); plan.stages.len()];
        for (place, (index, stage)) in order.iter().zip(&plan.stages).enumerate() {
            let Some((_, offer)) = self.offers[*index] else { continue };
            let of_output = ViewMarks::of_schema(&offer.descriptor.output);
            marks[place].add(if stage.is_list() { of_output.listed() } else { of_output });
        }
        for (index, stage) in order.iter().zip(&plan.stages) {
            let Some((_, offer)) = self.offers[*index] else { continue };
            let of_input = ViewMarks::of_schema(&offer.descriptor.input);
            of_input.of_sources(&stage.input, stage.for_each.as_ref(), &mut |source, found| match source {
                Source::Input => plan.item_views.add(found),
                Source::Stage(place) => marks[place].add(found),
                Source::Each | Source::Spend => {}
            });
        }
        plan.stages.iter_mut().zip(marks).for_each(|(stage, marks)| stage.views = marks);
    }

    fn lower_stage(
        &self,
        index: usize,
        stage: &StageDraft,
        scope: Scope,
        reads: Vec<usize>,
        places: &[usize],
    ) -> Option<StagePlan> {
        let (plugin, offer) = self.offers[index]?;
        let uses = self.uses(stage);
        let descriptor = &offer.descriptor;
        let wanted = View::new(&descriptor.input);
        Some(StagePlan {
            name: stage.name.text.clone(),
            extension: extension_ref((plugin, offer)),
            config: self.configs[index].value.clone(),
            paths: self.configs[index].paths.clone(),
            input: match &stage.input {
                Some((_, expr)) => self.lower_expr(index, expr, Some(wanted), places)?,
                None => InputExpr::Table(Vec::new()),
            },
            scope,
            for_each: match &stage.for_each {
                Some(wire) => Some(self.lower_wire(Some(index), wire, places)?),
                None => None,
            },
            repeat: stage.repeat,
            reads,
            policy: stage.policy.clone(),
            limits: stage.limits.clone(),
            model: uses.model,
            cache: uses.cache,
            store: uses.store,
            deferred: stage.deferred,
            route: self.lower_route(index, places)?,
            views: ViewMarks::default(),
        })
    }

    fn lower_expr(&self, stage: usize, expr: &Expr, wanted: Option<View<'_>>, places: &[usize]) -> Option<InputExpr> {
        Some(match expr {
            Expr::Bad => return None,
            Expr::Wire(wire) => InputExpr::Wire(self.lower_wire(Some(stage), wire, places)?),
            Expr::List(list, _) => {
                let element = match wanted.as_ref().map(View::as_list) {
                    Some(Reads::This(element)) => Some(element),
                    _ => None,
                };
                let list = list.iter().map(|expr| self.lower_expr(stage, expr, element.clone(), places));
                InputExpr::List(list.collect::<Option<_>>()?)
            }
            Expr::Table(table, _) => {
                let object = match wanted.as_ref().map(View::as_object) {
                    Some(Reads::This(object)) => Some(object),
                    _ => None,
                };
                let required = object.as_ref().map(|object| object.required()).unwrap_or_default();
                let entries = table.iter().map(|(key, expr)| {
                    let wanted = object.as_ref().and_then(|object| object.field(&key.text));
                    Some(TableEntry {
                        key: key.text.clone(),
                        required: required.contains(&key.text.as_str()),
                        value: self.lower_expr(stage, expr, wanted, places)?,
                    })
                });
                InputExpr::Table(entries.collect::<Option<_>>()?)
            }
        })
    }

    pub(crate) fn lower_wire(&self, stage: Option<usize>, wire: &WireRef, places: &[usize]) -> Option<Wire> {
        let source = match self.source(stage, wire)? {
            Source::Stage(index) => Source::Stage(places[index]),
            other => other,
        };
        Some(Wire { source, path: wire.text.as_ref()?.path.clone() })
    }

    fn input(&self) -> InputPlan {
        match self.draft.input.as_ref().and_then(|input| input.source.clone()) {
            Some(ItemSource::Files { patterns, max_item_size }) => InputPlan::Files { patterns, max_item_size },
            Some(ItemSource::Jsonl { patterns, id, max_item_size }) => InputPlan::Jsonl { patterns, id, max_item_size },
            Some(ItemSource::Json { patterns, item_keys, id, max_item_size }) => {
                InputPlan::Json { patterns, item_keys, id, max_item_size }
            }
            Some(ItemSource::Csv { patterns, id, delimiter, max_item_size }) => {
                InputPlan::Csv { patterns, id, delimiter, max_item_size }
            }
            Some(ItemSource::Inline { items, id }) => InputPlan::Inline { items, id: id.map(|id| id.value) },
            Some(ItemSource::Trials { count }) => InputPlan::Trials { count },
            // No stage depends on an item, so there is none.
            None => InputPlan::Inline { items: Vec::new(), id: None },
        }
    }
}
