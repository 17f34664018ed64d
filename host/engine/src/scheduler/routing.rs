//! Routed stages: an item gets its arm, and what came of it is learned.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jackfield_pipeline::{ObjectivePlan, RoutePlan, Source, Wire};
use jackfield_plugin_api::{Attempt, Failure, Objective, Outcome, PendingDecision, Question};
use jackfield_services::Route;
use jackfield_store::{Record, RouteRecord};

use super::state::{Call, Scheduler};
use crate::{
    input::{Given, NoInput, excerpt, text_of, value_of},
    item::{Item, Routed, Slot},
    observe::Event,
    router::{Picked, Router},
    seed::{name_of, seed_of},
};

/// A route under way.
pub(crate) struct Routing<'p> {
    pub(crate) plan: &'p RoutePlan,
    pub(crate) route: &'p Route,
    pub(crate) router: Router,
}

impl Scheduler<'_, '_> {
    /// The arm that an item runs a stage with: the first of a stage without a route; none if it has yet to be picked, which
    /// is asked for.
    pub(super) fn arm(&mut self, place: usize, index: usize) -> Result<Option<u32>, NoInput> {
        let Some(routing) = self.routings.get_mut(&index) else { return Ok(Some(0)) };
        let Some(item) = self.items[place].as_ref() else { return Ok(None) };
        if let Some(routed) = item.routed.get(&index) {
            // It was routed in an earlier session, or just now.
            let first = routed.arms.first().and_then(|arm| routing.route.arms.get(*arm as usize));
            match first {
                Some(arm) => {
                    let decision = PendingDecision { context: routed.context.clone(), arm: arm.name.clone() };
                    routing.router.pass_decided(item.index as u64, decision);
                }
                None => routing.router.pass(item.index as u64),
            }
            return Ok(Some(routed.arm()));
        }
        let run = &self.run_slots;
        let context = match &routing.plan.context {
            Some(wire) => text_of(&value_of(wire, &|source| item.given(run, None, source))?),
            None => String::new(),
        };
        let seed = seed_of(self.plan.seed, name_of("route") ^ self.stages[index].seed, item.seed, 0, 0);
        let arms = Arc::clone(&routing.route.arms);
        let question = Question { context, arms, tried: Vec::new(), pending: Vec::new(), seed };
        routing.router.wait(item.index as u64, place, question);
        Ok(None)
    }

    /// The stage is not run for this item.
    pub(super) fn not_routed(&mut self, place: usize, index: usize) {
        let item = self.items[place].as_ref().map(|item| item.index as u64);
        if let (Some(routing), Some(item)) = (self.routings.get_mut(&index), item) {
            routing.router.pass(item);
        }
    }

    /// Begins the stages of items that may be routed now.
    pub(super) fn route(&mut self) {
        let stages: Vec<usize> = self.routings.keys().copied().collect();
        for index in stages {
            let stage = self.stages[index].plan;
            while let Some(routing) = self.routings.get_mut(&index)
                && let Some((place, question, picked)) = routing.router.next(&stage.name)
            {
                match picked {
                    Ok(Picked { arms, scores }) => {
                        if let Some(item) = self.items[place].as_mut() {
                            let routed = Routed { context: question.context, arms, tried: 0, scores };
                            item.routed.insert(index, routed);
                        }
                        self.settle(place, vec![index], Vec::new());
                    }
                    Err(failure) => {
                        let failure = self.of_policy(index, &failure);
                        self.refuse(place, index, 0, &failure);
                        self.fill(place, index, Slot::Failed);
                        self.settle(place, Vec::new(), vec![index]);
                    }
                }
            }
        }
    }

    /// The failure of a decision: it is the policy's, and none of the stage that it stands under.
    fn of_policy(&self, index: usize, failure: &Failure) -> Failure {
        let policy = self.routings.get(&index).map_or("", |routing| routing.plan.extension.name.as_str());
        let stage = &self.stages[index].plan.name;
        let message = format!("the policy `{policy}` of the route of stage `{stage}`: {}", failure.message());
        Failure::new(failure.kind(), message)
    }

    /// Another arm for a call that failed for good, if the policy named one. The call is made again with it.
    pub(super) fn other_arm(&mut self, index: usize, call: &mut Call, failure: &Failure) -> bool {
        if !self.routings.contains_key(&index) || self.stages[index].plan.is_list() || self.draining {
            return false;
        }
        let Some(item) = self.items[call.item].as_mut().filter(|item| item.wants(index)) else { return false };
        let Some(routed) = item.routed.get_mut(&index).filter(|routed| routed.tried + 1 < routed.arms.len()) else {
            return false;
        };
        routed.tried += 1;
        let stage = &mut self.stages[index];
        if let Some(station) = stage.stations.get(routed.arm() as usize) {
            call.station = Arc::clone(station);
        }
        (call.attempt, call.alone) = (1, false);
        stage.stats.retries += 1;
        stage.stats.calls -= 1; // counted when it is sent, as a first try
        self.observer.on(&Event::Retry { stage: index, item: &item.id, failure, after: Duration::ZERO });
        true
    }

    /// Notes with which arm an item's stage has ended.
    pub(super) fn note_route(&mut self, place: usize, index: usize) {
        if let Some(record) = self.items[place].as_ref().and_then(|item| self.outcome(item, index, false)) {
            self.note(Record::Route(record));
        }
    }

    /// An item is done: what came of its routes is put on the record and will be learned.
    pub(crate) fn settle_routes(&mut self, item: &Item) {
        let stages: Vec<usize> = self.routings.keys().copied().collect();
        for index in stages {
            let record = self.outcome(item, index, true);
            let outcome = record.as_ref().map(|record| record.outcome.clone());
            if let Some(record) = record {
                self.note(Record::Route(record));
            }
            if let Some(routing) = self.routings.get_mut(&index) {
                routing.router.settle(item.index as u64, outcome);
            }
        }
    }

    /// An item that is not taken up: it cannot be read, or is done on the record, with what is known of its routes.
    pub(crate) fn pass_routes(&mut self, item: u64, mut known: Vec<RouteRecord>) {
        for (index, routing) in &mut self.routings {
            let at = known.iter().position(|record| record.stage as usize == *index && record.settled);
            routing.router.settle(item, at.map(|at| known.swap_remove(at).outcome));
        }
    }

    /// What an earlier session decided about an item.
    pub(crate) fn routed_before(&self, known: &[RouteRecord]) -> BTreeMap<usize, Routed> {
        let routed = known.iter().filter_map(|record| {
            let arms = &self.routings.get(&(record.stage as usize))?.route.arms;
            let index = |attempt: &Attempt| arms.iter().position(|arm| arm.name == attempt.arm).map(|arm| arm as u32);
            let tried: Vec<u32> = record.outcome.attempts.iter().map(index).collect::<Option<_>>()?;
            let (context, scores) = (record.outcome.context.clone(), record.scores.clone());
            let last = tried.len().checked_sub(1)?;
            Some((record.stage as usize, Routed { context, arms: tried, tried: last, scores }))
        });
        routed.collect()
    }

    fn outcome(&self, item: &Item, index: usize, settled: bool) -> Option<RouteRecord> {
        let routing = self.routings.get(&index)?;
        let routed = item.routed.get(&index)?;
        let name = |arm: &u32| routing.route.arms.get(*arm as usize).map(|arm| arm.name.clone()).unwrap_or_default();
        let attempt = |(at, arm): (usize, &u32)| Attempt {
            arm: name(arm),
            failed: at < routed.tried || matches!(item.slots[index], Slot::Failed),
        };
        let attempts = routed.arms.iter().take(routed.tried + 1).enumerate().map(attempt).collect();
        let mut outcome = Outcome { context: routed.context.clone(), attempts, ..Outcome::default() };
        if settled {
            outcome.reward = routing.plan.reward.as_ref().and_then(|wire| self.number(item, wire));
            let objective = |one: &ObjectivePlan| {
                let value = self.number(item, &one.wire)?;
                Some(Objective { name: one.name.clone(), value, minimize: one.minimize })
            };
            outcome.objectives = routing.plan.objectives.iter().filter_map(objective).collect();
        }
        let (item, stage, scores) = (item.index as u64, index as u32, routed.scores.clone());
        Some(RouteRecord { item, stage, outcome, scores, settled })
    }

    /// The number at the end of a wire of an item that is done; none if there is none.
    fn number(&self, item: &Item, wire: &Wire) -> Option<f64> {
        self.measured(item, wire).ok()
    }

    /// The number at the end of a wire of an item.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn measured(&self, item: &Item, wire: &Wire) -> Result<f64, NoInput> {
        let given = |source| match source {
            // What a stage did that the item's end does not count is not learned from.
            Source::Stage(stage) if !item.wants(stage) => Given::Absent,
            source => item.given(&self.run_slots, None, source),
        };
        let document = value_of(wire, &given)?;
        let number = match serde_json::from_str::<serde_json::Value>(&document.json) {
            Ok(serde_json::Value::Bool(right)) => Some(f64::from(u8::from(right))),
            Ok(value) => value.as_f64().filter(|number| number.is_finite()),
            Err(_) => None,
        };
        number.ok_or_else(|| NoInput::Nothing(format!("it is {}", excerpt(&document.json))))
    }
}
