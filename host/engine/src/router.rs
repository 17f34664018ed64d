//! Routes: who may be routed, by what was learned so far, and what there is to learn.
//!
//! An item is routed by what came of all items but the last few before it, `in_flight` of them with itself; items are
//! routed in their order, and their outcomes are learned in their order. So what is decided and learned does not depend on
//! how many items are in flight nor on which is done first. Neither do the decisions that a policy is shown as pending: they
//! are those about the items in between.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_pipeline::RoutePlan;
use jackfield_plugin_api::{Outcome, PendingDecision, PolicyState, Question, Result};
use jackfield_services::Route;
use jackfield_store::RouteCount;

use super::index::{ArmIdx, ItemSlot};

/// The route of a stage, with what it has decided and learned in this session.
pub(super) struct RouteInProgress<'p> {
    /// How it stands in the plan.
    pub(super) plan: &'p RoutePlan,
    /// Its policy, opened.
    pub(super) route: &'p Route,
    /// The order of its decisions and outcomes.
    pub(super) router: Router,
}

/// The arms that an item is to be tried with, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ArmDecision {
    /// The arm to begin with, and those for when the one before fails for good. Never empty.
    pub(super) arms: Vec<ArmIdx>,
    /// What the arms were compared by.
    pub(super) scores: Vec<Option<f64>>,
}

/// What was decided about the next item in order.
pub(super) struct RoutedItem {
    pub(super) slot: ItemSlot,
    /// What the item has in common with others that the policy may learn from.
    pub(super) context: String,
    /// Its arms, or the failure of the policy.
    pub(super) decision: Result<ArmDecision>,
}

/// An item that waits for its arm.
struct WaitingItem {
    slot: ItemSlot,
    question: Question,
}

/// The order of decisions and outcomes of one route. Items are known by their position among all.
pub(super) struct Router {
    policy: Box<dyn PolicyState>,
    in_flight: u64,
    /// The item that is to be routed next.
    next: u64,
    /// All items before this one are learned from.
    learned: u64,
    /// Items that are ready to be routed.
    waiting: BTreeMap<u64, WaitingItem>,
    /// Items, from `next` on, that need no decision.
    skipped: BTreeSet<u64>,
    /// What was decided, here or in an earlier session, about items from `learned` on.
    decided: BTreeMap<u64, Arc<PendingDecision>>,
    /// What came of items that are done, from `learned` on.
    outcomes: BTreeMap<u64, Option<Outcome>>,
    count: RouteCount,
    /// Outcomes that the policy did not learn from.
    refused: u64,
    /// Items whose reward or objective is not a number, by its name.
    not_numbers: BTreeMap<String, u64>,
}

impl Router {
    pub(super) fn new(policy: Box<dyn PolicyState>, in_flight: u64) -> Self {
        Self {
            policy,
            in_flight: in_flight.max(1),
            next: 0,
            learned: 0,
            waiting: BTreeMap::new(),
            skipped: BTreeSet::new(),
            decided: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            count: RouteCount::default(),
            refused: 0,
            not_numbers: BTreeMap::new(),
        }
    }

    /// An item is ready to be routed.
    pub(super) fn enqueue(&mut self, item: u64, slot: ItemSlot, question: Question) {
        self.waiting.insert(item, WaitingItem { slot, question });
    }

    /// An item is not routed: its stage is skipped.
    pub(super) fn skip(&mut self, item: u64) {
        if item >= self.next {
            self.skipped.insert(item);
        }
    }

    /// An item was routed in an earlier session.
    pub(super) fn skip_decided(&mut self, item: u64, decision: PendingDecision) {
        self.skip(item);
        if item >= self.learned {
            self.decided.entry(item).or_insert_with(|| Arc::new(decision));
        }
    }

    /// An item is done; with what came of it, if it was routed.
    pub(super) fn finish(&mut self, item: u64, outcome: Option<Outcome>) {
        let first = outcome.as_ref().and_then(|outcome| Some((outcome.context.clone(), outcome.attempts.first()?)));
        match first {
            Some((context, first)) => self.skip_decided(item, PendingDecision { context, arm: first.arm.clone() }),
            None => self.skip(item),
        }
        if item >= self.learned {
            self.outcomes.insert(item, outcome);
        }
    }

    /// What was to say how well an item fared, its reward or an objective, is not a number: it is not learned from.
    pub(super) fn note_not_a_number(&mut self, name: &str, value: &str, stage: &str) {
        let count = self.not_numbers.entry(name.to_owned()).or_default();
        if *count == 0 {
            tracing::warn!(stage, "the {name} of an item is not learned from: {value} is not a number");
        }
        *count += 1;
    }

    /// Decides about the next item in order, if it may be routed now. The stage's name is for the log.
    pub(super) fn route_next(&mut self, stage: &str) -> Option<RoutedItem> {
        loop {
            // Exactly so many are learned from, even if more are done.
            let wanted = (self.next + 1).saturating_sub(self.in_flight);
            if !self.learn_up_to(wanted, stage) {
                return None;
            }
            if self.skipped.remove(&self.next) {
                self.next += 1;
                continue;
            }
            let WaitingItem { slot, mut question } = self.waiting.remove(&self.next)?;
            question.pending = self.decided.range(..self.next).map(|(_, decision)| Arc::clone(decision)).collect();
            let decision = self.decide(question.clone());
            if let Ok(ArmDecision { arms, .. }) = &decision {
                let first = arms.first().expect("a decision names an arm");
                let arm = question.arms[first.get()].name.clone();
                let decision = PendingDecision { context: question.context.clone(), arm };
                self.decided.insert(self.next, Arc::new(decision));
            }
            self.next += 1;
            return Some(RoutedItem { slot, context: question.context, decision });
        }
    }

    /// Learns from all items before this one that are done. False if there is one that is not.
    fn learn_up_to(&mut self, item: u64, stage: &str) -> bool {
        while self.learned < item {
            let Some(outcome) = self.outcomes.remove(&self.learned) else { return false };
            self.decided.remove(&self.learned);
            self.learned += 1;
            let Some(outcome) = outcome else { continue };
            if let Err(failure) = self.policy.learn(&outcome) {
                // The first one says what is wrong, the count at the end how much is.
                if self.refused == 0 {
                    tracing::warn!(stage, "the policy of its route does not learn from an outcome: {failure}");
                }
                self.refused += 1;
            }
            self.count.add(&outcome);
        }
        true
    }

    /// Asks the policy, which is held to the arms of the question: those that it picks are there, and picked once.
    fn decide(&self, mut question: Question) -> Result<ArmDecision> {
        let first = self.policy.decide(&question)?;
        let mut decision = ArmDecision { arms: vec![ArmIdx(first.arm)], scores: first.scores };
        // Where a failure leads is decided now: by then, more may be learned.
        question.tried.push(first.arm);
        while question.tried.len() < question.arms.len()
            && let Some(next) = self.policy.decide_again(&question)?
        {
            decision.arms.push(ArmIdx(next.arm));
            question.tried.push(next.arm);
        }
        Ok(decision)
    }

    /// What came of all items, in their order, up to the first that is not done.
    pub(super) fn into_count(mut self, stage: &str) -> RouteCount {
        self.learn_up_to(u64::MAX, stage);
        if self.refused > 1 {
            let (refused, all) = (self.refused, self.count.outcomes);
            tracing::warn!(stage, "the policy of its route did not learn from {refused} of {all} outcomes");
        }
        for (name, count) in self.not_numbers.iter().filter(|(_, count)| **count > 1) {
            tracing::warn!(stage, "the {name} of {count} items is not a number");
        }
        self.count.state = self.policy.snapshot().ok();
        self.count
    }
}
