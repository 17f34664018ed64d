//! Makes the plan, once nothing is wrong.

use super::{checker::Checker, digest, extensions::extension_ref, graph::reads, scopes::Scopes, sources::Edge};
use crate::{
    parsed::{Expr, ParsedStage, WireRef},
    plan::{ColumnPlan, InputExpr, InputPlan, OutputPlan, Plan, Scope, Source, StagePlan, TableEntry, ViewMarks, Wire},
    schema::{Reads, View},
    syntax::Key,
};
use jackfield_loader::Digest;

/// What is known of a stage beside its text.
struct Lowering<'a> {
    scope: Scope,
    /// The stages that it reads, by index in the plan.
    reads: Vec<usize>,
    /// The index in the plan of each stage of the parsed pipeline.
    plan_indices: &'a [usize],
}

impl Checker<'_> {
    /// The plan with its stages in this order.
    pub(crate) fn lower(&self, order: &[usize], edges: &[Edge], scopes: &Scopes) -> Option<Plan> {
        let parsed = self.parsed;
        let mut plan_indices = vec![0; order.len()];
        // No stage reads one that runs at export alone.
        let (exports, order): (Vec<usize>, Vec<usize>) =
            order.iter().partition(|index| parsed.stages[**index].export.is_some());
        for (plan_index, index) in order.iter().enumerate() {
            plan_indices[*index] = plan_index;
        }
        let reads = reads(plan_indices.len(), edges);
        let input = self.lower_input();
        let item_files = parsed.output.item_files.unwrap_or(matches!(input, InputPlan::Files { .. }));
        let named = |wires: &[(Key, WireRef)]| {
            let wires = wires.iter();
            wires
                .map(|(name, wire)| Some((name.text.clone(), self.lower_wire(None, wire, &plan_indices)?)))
                .collect::<Option<_>>()
        };
        let mut columns = Vec::new();
        let mut lower = |index: &usize| {
            let mut reads: Vec<usize> = reads[*index].iter().map(|source| plan_indices[*source]).collect();
            reads.sort_unstable();
            let lowering = Lowering { scope: scopes.of(*index), reads, plan_indices: &plan_indices };
            self.lower_stage(*index, &parsed.stages[*index], lowering, &mut columns)
        };
        let stages = order.iter().map(&mut lower).collect::<Option<_>>()?;
        let exports = exports.iter().map(&mut lower).collect::<Option<_>>()?;
        let mut plan = Plan {
            name: parsed.name.clone(),
            digest: Digest::of(""),
            seed: parsed.seed,
            input,
            output: OutputPlan {
                item_files,
                files: named(&parsed.output.files)?,
                merged: named(&parsed.output.merged)?,
                show: named(&parsed.output.show)?,
            },
            max_in_flight: parsed.max_in_flight,
            sandbox_memory: parsed.sandbox_memory.as_ref().map(|memory| memory.value),
            tensor_storage: parsed.tensor_storage,
            keep_runs: parsed.keep_runs,
            max_usd: parsed.max_usd.as_ref().map(|most| most.value),
            recorded_calls: parsed.recorded_calls,
            models: self.lower_models()?,
            caches: self.lower_caches()?,
            stages,
            columns,
            requirements: self.lower_requirements(&plan_indices)?,
            search: self.lower_search(&plan_indices)?,
            item_views: ViewMarks::default(),
            exports,
            variables: parsed.variables.clone(),
        };
        // What reads a deferred stage can only be done after it.
        for index in 0..plan.stages.len() {
            let is_of_item = plan.stages[index].scope == Scope::Item;
            plan.stages[index].deferred |=
                is_of_item && plan.stages[index].reads.iter().any(|read| plan.stages[*read].deferred);
        }
        self.mark_views(&order, &mut plan);
        plan.digest = digest::digest_of(&plan);
        Some(plan)
    }

    /// Marks the parts of results and items that are drawn for a person: extensions mark parts of their results, and of what they
    /// read, which is marked at its source.
    fn mark_views(&self, order: &[usize], plan: &mut Plan) {
        let mut marks = vec![ViewMarks::default(); plan.stages.len()];
        for (plan_index, (index, stage)) in order.iter().zip(&plan.stages).enumerate() {
            let Some((_, entry)) = self.extensions[*index] else { continue };
            let output = self.wire_schemas[*index].get().unwrap_or(&entry.descriptor.output);
            let of_output = ViewMarks::of_schema(output);
            marks[plan_index].add(if stage.is_list() { of_output.in_list() } else { of_output });
        }
        for (index, stage) in order.iter().zip(&plan.stages) {
            let Some((_, entry)) = self.extensions[*index] else { continue };
            let of_input = ViewMarks::of_schema(&entry.descriptor.input);
            of_input.for_each_source(&stage.input, stage.for_each.as_ref(), &mut |source, found| match source {
                Source::Input => plan.item_views.add(found),
                Source::Stage(plan_index) => marks[plan_index].add(found),
                Source::Each | Source::Spend | Source::Column(_) => {}
            });
        }
        for (stage, marks) in plan.stages.iter_mut().zip(marks) {
            stage.views = marks;
        }
    }

    fn lower_stage(
        &self,
        index: usize,
        stage: &ParsedStage,
        lowering: Lowering<'_>,
        columns: &mut Vec<ColumnPlan>,
    ) -> Option<StagePlan> {
        let Lowering { scope, reads, plan_indices } = lowering;
        let (plugin, entry) = self.extensions[index]?;
        let uses = self.services_of_stage(stage);
        let descriptor = &entry.descriptor;
        let wanted = View::new(&descriptor.input);
        Some(StagePlan {
            name: stage.name.text.clone(),
            extension: extension_ref(plugin, entry),
            config: self.configs[index].value.clone(),
            paths: self.configs[index].paths.clone(),
            input: match &stage.input {
                Some((_, expr)) => self.lower_expr(index, expr, Some(wanted), plan_indices, columns)?,
                None => InputExpr::Table(Vec::new()),
            },
            scope,
            for_each: match &stage.for_each {
                Some(wire) => Some(self.lower_wire(Some(index), wire, plan_indices)?),
                None => None,
            },
            when: self.lower_when(index, plan_indices)?,
            repeat: stage.repeat,
            reads,
            policy: stage.policy.clone(),
            limits: stage.limits.clone(),
            model: uses.model,
            cache: uses.cache,
            store: uses.store,
            deferred: stage.deferred,
            route: self.lower_route(index, plan_indices)?,
            views: ViewMarks::default(),
            output: self.answer_schema(index),
        })
    }

    fn lower_expr(
        &self,
        stage: usize,
        expr: &Expr,
        wanted: Option<View<'_>>,
        plan_indices: &[usize],
        columns: &mut Vec<ColumnPlan>,
    ) -> Option<InputExpr> {
        Some(match expr {
            Expr::Bad => return None,
            Expr::Constant(constant) => InputExpr::Constant(constant.value.clone()),
            Expr::Wire(wire) if wire.is_over_all() => {
                self.lower_column(wire, wanted.as_ref(), plan_indices, columns)?
            }
            Expr::Wire(wire) => InputExpr::Wire(self.lower_wire(Some(stage), wire, plan_indices)?),
            Expr::List(list, _) => {
                let element = match wanted.as_ref().map(View::as_list) {
                    Some(Reads::Known(element)) => Some(element),
                    _ => None,
                };
                let list = list.iter().map(|expr| self.lower_expr(stage, expr, element.clone(), plan_indices, columns));
                InputExpr::List(list.collect::<Option<_>>()?)
            }
            Expr::Table(table, _) => {
                let object = match wanted.as_ref().map(View::as_object) {
                    Some(Reads::Known(object)) => Some(object),
                    _ => None,
                };
                let required = object.as_ref().map(|object| object.required()).unwrap_or_default();
                let entries = table.iter().map(|(key, expr)| {
                    let wanted = object.as_ref().and_then(|object| object.field(&key.text));
                    Some(TableEntry {
                        key: key.text.clone(),
                        required: required.contains(&key.text.as_str()),
                        value: self.lower_expr(stage, expr, wanted, plan_indices, columns)?,
                    })
                });
                InputExpr::Table(entries.collect::<Option<_>>()?)
            }
        })
    }

    pub(crate) fn lower_wire(&self, stage: Option<usize>, wire: &WireRef, plan_indices: &[usize]) -> Option<Wire> {
        let source = match self.wire_source(stage, wire)? {
            Source::Stage(index) => Source::Stage(plan_indices[index]),
            other => other,
        };
        Some(Wire { source, path: wire.text.as_ref()?.path.clone() })
    }

    fn lower_input(&self) -> InputPlan {
        // Without items, no stage depends on one.
        self.parsed.input_plan().unwrap_or(InputPlan::Inline { items: Vec::new(), id: None })
    }
}
