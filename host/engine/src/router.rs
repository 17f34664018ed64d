//! Routes: who may be routed, by what was learned so far, and what there is to learn.
//!
//! An item is routed by what came of all items but the last few before it, `in_flight` of them with itself; items are
//! routed in their order, and their outcomes are learned in their order. So what is decided and learned does not depend on
//! how many items are in work nor on which is done first. Neither do the decisions that a policy is told of as pending: they
//! are those about the items in between.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_plugin_api::{Outcome, PendingDecision, PolicyState, Question, Result};
use jackfield_store::RouteCount;

/// The arms that an item is to be tried with, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picked {
    /// Index of the arm to begin with, and of those for when the one before fails for good.
    pub(super) arms: Vec<u32>,
    /// What the arms were compared by.
    pub(super) scores: Vec<Option<f64>>,
}

/// An item that waits for its arm.
struct Waiting {
    place: usize,
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
    waiting: BTreeMap<u64, Waiting>,
    /// Items, from `next` on, that need no decision.
    passed: BTreeSet<u64>,
    /// What was decided, here or in an earlier session, about items from `learned` on.
    decided: BTreeMap<u64, Arc<PendingDecision>>,
    /// What came of items that are done, from `learned` on.
    outcomes: BTreeMap<u64, Option<Outcome>>,
    count: RouteCount,
}

impl Router {
    pub(super) fn new(policy: Box<dyn PolicyState>, in_flight: u64) -> Self {
        Self {
            policy,
            in_flight: in_flight.max(1),
            next: 0,
            learned: 0,
            waiting: BTreeMap::new(),
            passed: BTreeSet::new(),
            decided: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            count: RouteCount::default(),
        }
    }

    /// An item that is ready to be routed.
    pub(super) fn wait(&mut self, item: u64, place: usize, question: Question) {
        self.waiting.insert(item, Waiting { place, question });
    }

    /// An item that is not routed: its stage is skipped.
    pub(super) fn pass(&mut self, item: u64) {
        if item >= self.next {
            self.passed.insert(item);
        }
    }

    /// An item that was routed in an earlier session.
    pub(super) fn pass_decided(&mut self, item: u64, decision: PendingDecision) {
        self.pass(item);
        if item >= self.learned {
            self.decided.entry(item).or_insert_with(|| Arc::new(decision));
        }
    }

    /// An item is done; with what came of it, if it was routed.
    pub(super) fn settle(&mut self, item: u64, outcome: Option<Outcome>) {
        let first = outcome.as_ref().and_then(|outcome| Some((outcome.context.clone(), outcome.attempts.first()?)));
        match first {
            Some((context, first)) => self.pass_decided(item, PendingDecision { context, arm: first.arm.clone() }),
            None => self.pass(item),
        }
        if item >= self.learned {
            self.outcomes.insert(item, outcome);
        }
    }

    /// The next item that may be routed, if there is one, with its place and its arms. The stage's name is for the log.
    pub(super) fn next(&mut self, stage: &str) -> Option<(usize, Question, Result<Picked>)> {
        loop {
            // Exactly so many are learned from, even if more are done.
            let wanted = (self.next + 1).saturating_sub(self.in_flight);
            if !self.learn_up_to(wanted, stage) {
                return None;
            }
            if self.passed.remove(&self.next) {
                self.next += 1;
                continue;
            }
            let Waiting { place, mut question } = self.waiting.remove(&self.next)?;
            question.pending = self.decided.range(..self.next).map(|(_, decision)| Arc::clone(decision)).collect();
            let picked = self.pick(question.clone());
            let arm = picked.as_ref().ok().and_then(|picked| question.arms.get(*picked.arms.first()? as usize));
            if let Some(arm) = arm {
                let decision = PendingDecision { context: question.context.clone(), arm: arm.name.clone() };
                self.decided.insert(self.next, Arc::new(decision));
            }
            self.next += 1;
            return Some((place, question, picked));
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
                tracing::warn!(stage, "the policy of its route does not learn from an outcome: {failure}");
            }
            self.count.add(&outcome);
        }
        true
    }

    fn pick(&self, mut question: Question) -> Result<Picked> {
        let first = self.policy.decide(&question)?;
        let mut picked = Picked { arms: vec![first.arm], scores: first.scores };
        // Where a failure leads is decided now: by then, more may be learned.
        question.tried.push(first.arm);
        while question.tried.len() < question.arms.len()
            && let Some(other) = self.policy.decide_again(&question)?
        {
            picked.arms.push(other.arm);
            question.tried.push(other.arm);
        }
        Ok(picked)
    }

    /// What came of all items, in their order, up to the first that is not done.
    pub(super) fn end(mut self, stage: &str) -> RouteCount {
        self.learn_up_to(u64::MAX, stage);
        self.count.state = self.policy.snapshot().ok();
        self.count
    }
}
