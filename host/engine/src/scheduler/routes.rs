//! Routed stages: an item gets its arm, and what came of it is learned.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jackfield_pipeline::{ObjectivePlan, Wire};
use jackfield_plugin_api::{Attempt, Document, Failure, Objective, Outcome, PendingDecision, Question};
use jackfield_store::{Record, RouteRecord};

use super::{
    call::{AnsweredCall, Call, ReadyCall},
    state::Scheduler,
};
use crate::{
    index::{ArmIdx, CallIdx, ItemSlot, StageIdx},
    input::{NoInput, excerpt, text_of, value_of},
    item::{Item, Routed, StageState},
    observe::Event,
    router::{ArmDecision, RoutedItem},
    seed::{name_of, seed_of},
};

/// Whether what came of a route is final.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ItemProgress {
    /// The stage has ended, the item has not.
    InFlight,
    /// The item is done: what there is to learn is there.
    Done,
}

/// How well an item fared.
#[derive(Debug, PartialEq)]
enum Measure {
    Number(f64),
    /// Nothing says it, as it may be of an item that nobody has judged.
    Absent,
    /// What was to say it, which is not a number.
    Unusable(String),
}

impl Measure {
    const fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Absent | Self::Unusable(_) => None,
        }
    }
}

impl Scheduler<'_, '_> {
    /// The arm that an item runs a stage with: the first of a stage without a route; none if it has yet to be picked, for which
    /// the item is entered with the router.
    ///
    /// # Errors
    /// Why there is nothing to pick it by.
    pub(super) fn arm_for(&mut self, slot: ItemSlot, stage: StageIdx) -> Result<Option<ArmIdx>, NoInput> {
        let Some(route) = self.routes.get_mut(&stage) else { return Ok(Some(ArmIdx::FIRST)) };
        let item = &self.items[slot];
        if let Some(routed) = item.routed.get(&stage) {
            // It was routed in an earlier session, or just now.
            let first = routed.arms.first().expect("a routed item has an arm");
            let arm = route.route.arms[first.get()].name.clone();
            let decision = PendingDecision { context: routed.context.clone(), arm };
            route.router.skip_decided(item.index as u64, decision);
            return Ok(Some(routed.arm()));
        }
        let run = &self.run_stages;
        let context = match &route.plan.context {
            Some(wire) => text_of(&value_of(wire, &|source| item.source_value(run, None, source))?),
            None => String::new(),
        };
        let seed = seed_of(self.plan.seed, name_of("route") ^ self.stages[stage].seed, item.seed, 0, 0);
        let arms = Arc::clone(&route.route.arms);
        let question = Question { context, arms, tried: Vec::new(), pending: Vec::new(), seed };
        route.router.enqueue(item.index as u64, slot, question);
        Ok(None)
    }

    /// The stage is not run for this item.
    pub(super) fn skip_route(&mut self, slot: ItemSlot, stage: StageIdx) {
        if let Some(route) = self.routes.get_mut(&stage) {
            route.router.skip(self.items[slot].index as u64);
        }
    }

    /// Begins the routed stages of items that may be routed now.
    pub(super) fn route_waiting_items(&mut self) {
        let stages: Vec<StageIdx> = self.routes.keys().copied().collect();
        for stage in stages {
            while let Some(routed) = self.route_next(stage) {
                self.begin_routed(stage, routed);
            }
        }
    }

    fn route_next(&mut self, stage: StageIdx) -> Option<RoutedItem> {
        self.routes.get_mut(&stage)?.router.route_next(&self.stages[stage].plan.name)
    }

    /// An item has its arms, or none since the policy failed.
    fn begin_routed(&mut self, stage: StageIdx, routed: RoutedItem) {
        let RoutedItem { slot, context, decision } = routed;
        match decision {
            Ok(ArmDecision { arms, scores }) => {
                self.items[slot].routed.insert(stage, Routed { context, arms, failed: 0, scores });
                self.propagate(slot, vec![stage], Vec::new());
            }
            Err(failure) => {
                let failure = self.policy_failure(stage, &failure);
                self.record_refusal(slot, stage, CallIdx::FIRST, &failure);
                self.end_stage(slot, stage, StageState::Failed);
                self.propagate(slot, Vec::new(), vec![stage]);
            }
        }
    }

    /// The failure of a decision: it is the policy's, and none of the stage that it stands under.
    fn policy_failure(&self, stage: StageIdx, failure: &Failure) -> Failure {
        let policy = &self.routes[&stage].plan.extension.name;
        let stage = &self.stages[stage].plan.name;
        let message = format!("the policy `{policy}` of the route of stage `{stage}`: {}", failure.message());
        Failure::new(failure.kind(), message)
    }

    /// Whether the policy named another arm for when the call of a stage for an item fails for good.
    pub(super) fn has_next_arm(&self, item: &Item, stage: StageIdx) -> bool {
        self.routes.contains_key(&stage)
            && !self.stages[stage].plan.is_list()
            && item.routed.get(&stage).is_some_and(Routed::has_next_arm)
    }

    /// A call that failed for good is made again with the next arm.
    pub(super) fn call_with_next_arm(&mut self, answered: AnsweredCall<'_>) {
        let AnsweredCall { stage, call, request, result, .. } = answered;
        let failure = result.as_ref().expect_err("only a call that failed is made with the next arm");
        let (queue, item) = (&mut self.stages[stage], &mut self.items[call.item]);
        let routed = item.routed.get_mut(&stage).expect("a stage with a next arm is routed");
        routed.failed += 1;
        let runtime = Arc::clone(queue.arm(routed.arm()));
        let call = Call { runtime, attempt: 1, alone: false, ..call };
        queue.stats.retries += 1;
        queue.stats.calls -= 1; // counted when it is sent, as a first try
        let event = Event::Retry { stage: stage.get(), item: &item.id, failure, after: Duration::ZERO };
        self.observer.on(&event);
        queue.ready.push_back(ReadyCall { call, request: request.clone() });
    }

    /// Records with which arm an item's stage has ended.
    pub(super) fn record_route(&mut self, slot: ItemSlot, stage: StageIdx) {
        if let Some(record) = self.route_record(&self.items[slot], stage, ItemProgress::InFlight) {
            self.record.push(Record::Route(record));
        }
    }

    /// An item is done: what came of its routes is put on the record and will be learned.
    pub(crate) fn finish_routes(&mut self, item: &Item) {
        let stages: Vec<StageIdx> = self.routes.keys().copied().collect();
        for stage in stages {
            let record = self.route_record(item, stage, ItemProgress::Done);
            if record.is_some() {
                self.note_what_is_not_a_number(item, stage);
            }
            let outcome = record.as_ref().map(|record| record.outcome.clone());
            if let Some(record) = record {
                self.record.push(Record::Route(record));
            }
            let route = self.routes.get_mut(&stage).expect("a route lasts as long as the session");
            route.router.finish(item.index as u64, outcome);
        }
    }

    /// Counts what was to say how well an item fared, and is not a number.
    fn note_what_is_not_a_number(&mut self, item: &Item, stage: StageIdx) {
        let plan = self.routes[&stage].plan;
        let reward = plan.reward.iter().map(|wire| ("reward".to_owned(), wire));
        let objectives = plan.objectives.iter().map(|one| (format!("objective `{}`", one.name), &one.wire));
        for (name, wire) in reward.chain(objectives) {
            if let Measure::Unusable(value) = self.measure_at(item, wire) {
                let router = &mut self.routes.get_mut(&stage).expect("a route lasts as long as the session").router;
                router.note_not_a_number(&name, &value, &self.stages[stage].plan.name);
            }
        }
    }

    /// An item is not admitted: it cannot be read, or is done on the record, with what is known of its routes.
    pub(crate) fn skip_routes(&mut self, item: u64, mut known: Vec<RouteRecord>) {
        for (stage, route) in &mut self.routes {
            let at = known.iter().position(|record| record.stage == stage.to_record() && record.settled);
            route.router.finish(item, at.map(|at| known.swap_remove(at).outcome));
        }
    }

    /// What an earlier session decided about an item.
    pub(crate) fn routed_before(&self, known: &[RouteRecord]) -> BTreeMap<StageIdx, Routed> {
        let routed = known.iter().filter_map(|record| {
            let stage = StageIdx::from_record(record.stage);
            let arms = &self.routes.get(&stage)?.route.arms;
            let position = |attempt: &Attempt| arms.iter().position(|arm| arm.name == attempt.arm);
            let arm = |attempt: &Attempt| position(attempt).map(|arm| ArmIdx(arm as u32));
            let tried: Vec<ArmIdx> = record.outcome.attempts.iter().map(arm).collect::<Option<_>>()?;
            let (context, scores) = (record.outcome.context.clone(), record.scores.clone());
            let failed = tried.len().checked_sub(1)?;
            Some((stage, Routed { context, arms: tried, failed, scores }))
        });
        routed.collect()
    }

    /// What came of a route for an item; none if the stage is not routed, or the item was not.
    fn route_record(&self, item: &Item, stage: StageIdx, progress: ItemProgress) -> Option<RouteRecord> {
        let route = self.routes.get(&stage)?;
        let routed = item.routed.get(&stage)?;
        let attempt = |(at, arm): (usize, &ArmIdx)| Attempt {
            arm: route.route.arms[arm.get()].name.clone(),
            failed: at < routed.failed || matches!(item.stages[stage], StageState::Failed),
        };
        let attempts = routed.arms.iter().take(routed.failed + 1).enumerate().map(attempt).collect();
        let mut outcome = Outcome { context: routed.context.clone(), attempts, ..Outcome::default() };
        let settled = progress == ItemProgress::Done;
        if settled {
            outcome.reward = route.plan.reward.as_ref().and_then(|wire| self.measure_at(item, wire).number());
            let objective = |objective: &ObjectivePlan| {
                let value = self.measure_at(item, &objective.wire).number()?;
                Some(Objective { name: objective.name.clone(), value, minimize: objective.minimize })
            };
            outcome.objectives = route.plan.objectives.iter().filter_map(objective).collect();
        }
        let (item, stage, scores) = (item.index as u64, stage.to_record(), routed.scores.clone());
        Some(RouteRecord { item, stage, outcome, scores, settled })
    }

    /// How well an item fared, at the end of a wire of a route. Numbers of a CSV file are texts: they count as well.
    fn measure_at(&self, item: &Item, wire: &Wire) -> Measure {
        let Ok(document) = self.value_at(item, wire) else { return Measure::Absent };
        let text = match serde_json::from_str::<serde_json::Value>(&document.json) {
            Ok(serde_json::Value::Null) => return Measure::Absent,
            Ok(serde_json::Value::String(text)) if text.trim().is_empty() => return Measure::Absent,
            Ok(serde_json::Value::String(text)) => text,
            _ => document.json.to_string(),
        };
        let number =
            number_of(&document.json).or_else(|| text.trim().parse().ok().filter(|number: &f64| number.is_finite()));
        number.map_or_else(|| Measure::Unusable(excerpt(&document.json)), Measure::Number)
    }

    /// The number at the end of a wire of an item.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn number_at(&self, item: &Item, wire: &Wire) -> Result<f64, NoInput> {
        let document = self.value_at(item, wire)?;
        number_of(&document.json).ok_or_else(|| NoInput::NotFound(format!("it is {}", excerpt(&document.json))))
    }

    fn value_at(&self, item: &Item, wire: &Wire) -> Result<Document, NoInput> {
        // What a stage did that the item's end does not count is not learned from.
        value_of(wire, &|source| item.counted_value(&self.run_stages, source))
    }
}

/// The number that a JSON value is; right and wrong are 1 and 0.
fn number_of(json: &str) -> Option<f64> {
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(serde_json::Value::Bool(right)) => Some(f64::from(u8::from(right))),
        Ok(value) => value.as_f64().filter(|number| number.is_finite()),
        Err(_) => None,
    }
}
