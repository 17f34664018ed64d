//! What changes no decision: the order of the arms, a snapshot between, documents between.

use std::sync::Arc;

use jackfield_plugin_api::{Arm, Attempt, Objective, Outcome, PendingDecision, PolicyState, Question, testing};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{alphas, open, policy, question};

/// Every policy, with a configuration under which chance plays a part where it can.
fn policies() -> [(&'static str, Value); 10] {
    let hints = json!({ "key": "alpha", "contexts": { "x": 0.3 }, "other": 0.9 });
    [
        ("thompson", json!({ "discount": 0.9 })),
        ("thompson", json!({ "hints": hints })),
        ("thompson", json!({ "likelihood": "gaussian", "hints": hints, "discount": 0.9 })),
        ("thompson", json!({ "likelihood": "centered-beta" })),
        ("ucb1", json!({})),
        ("epsilon-greedy", json!({ "epsilon": 0.5, "decay": 0.1 })),
        ("pareto", json!({ "preference": { "cost": 0.3, "quality": 0.7 }, "epsilon": 0.2 })),
        ("fallback", json!({ "failures": 2, "probe_after": 3 })),
        ("round-robin", json!({})),
        ("fixed", json!({ "arm": "alpha=0.5" })),
    ]
}

/// Those that go by names alone.
const UNORDERED: [&str; 5] = ["thompson", "ucb1", "epsilon-greedy", "pareto", "fixed"];

fn all_arms() -> Vec<Arm> {
    alphas(&[0.1, 0.3, 0.5, 0.7, 0.9])
}

prop_compose! {
    fn outcome()(
        context in prop::sample::select(vec!["", "x", "y"]),
        attempts in prop::collection::vec((0_usize..5, prop::bool::weighted(0.2)), 1..4),
        reward in prop::option::of(prop::sample::select(vec![0.0, 0.25, 0.5, 1.0])),
        cost in prop::option::of(0_u8..4),
    ) -> Outcome {
        let arms = all_arms();
        let last = attempts.len() - 1;
        let attempts = attempts.iter().enumerate().map(|(index, &(arm, failed))| {
            Attempt { arm: arms[arm].name.clone(), failed: failed || index < last }
        });
        let objective = |name: &str, value: f64, minimize| Objective { name: name.to_owned(), value, minimize };
        let objectives = cost.map_or_else(Vec::new, |cost| {
            vec![objective("cost", cost.into(), true), objective("quality", f64::from(cost % 3), false)]
        });
        Outcome { context: context.to_owned(), attempts: attempts.collect(), reward, objectives, ..Outcome::default() }
    }
}

fn decisions(policy: &dyn PolicyState, arms: &[Arm], seed: u64) -> Vec<(String, Vec<Option<f64>>)> {
    let mut found = Vec::new();
    for context in ["", "x", "y", "unknown"] {
        let pending = |arm: &Arm| Arc::new(PendingDecision { context: "x".to_owned(), arm: arm.name.clone() });
        let question =
            Question { pending: arms.iter().take(3).map(pending).collect(), ..question(context, arms, seed) };
        let first = policy.decide(&question).expect("a decision");
        let again = policy.decide_again(&Question { tried: vec![first.arm], ..question }).expect("an answer");
        for decision in std::iter::once(first).chain(again) {
            found.push((arms[decision.arm as usize].name.clone(), decision.scores));
        }
    }
    found
}

proptest! {
    #[test]
    fn the_order_of_the_arms_changes_nothing_but_indices(
        outcomes in prop::collection::vec(outcome(), 0..40),
        order in Just((0..5).collect::<Vec<usize>>()).prop_shuffle(),
        seed in any::<u64>(),
    ) {
        let arms = all_arms();
        let shuffled: Vec<_> = order.iter().map(|&index| arms[index].clone()).collect();
        for (name, config) in policies().into_iter().filter(|(name, _)| UNORDERED.contains(name)) {
            let mut policy = policy(name, config, &arms);
            for outcome in &outcomes {
                policy.learn(outcome).expect("learned");
            }
            let found = decisions(&*policy, &shuffled, seed);
            for ((arm, scores), (other, others)) in decisions(&*policy, &arms, seed).into_iter().zip(found) {
                prop_assert_eq!(&arm, &other, "{}", name);
                let back: Vec<_> = order.iter().filter_map(|&index| scores.get(index).copied()).collect();
                prop_assert_eq!(back, others, "{}", name);
            }
        }
    }

    #[test]
    fn a_snapshot_and_documents_between_change_nothing(
        before in prop::collection::vec(outcome(), 0..12),
        after in prop::collection::vec(outcome(), 0..12),
        seed in any::<u64>(),
    ) {
        let arms = all_arms();
        for (name, config) in policies() {
            let mut linked_in = policy(name, config.clone(), &arms);
            let mut documents = testing::policy_by_documents(name, &config, &arms).expect("a policy");
            for outcome in &before {
                linked_in.learn(outcome).expect("learned");
                documents.learn(outcome).expect("learned");
            }
            let snapshot = linked_in.snapshot().expect("a snapshot");
            prop_assert_eq!(&snapshot, &documents.snapshot().expect("a snapshot"), "{}", name);
            // By way of text, as it is kept.
            let kept: Value = serde_json::from_str(&snapshot.to_string()).expect("JSON");
            let mut restored = open(name, &config).as_policy().expect("a policy").restore(&kept).expect("restored");
            for outcome in &after {
                linked_in.learn(outcome).expect("learned");
                documents.learn(outcome).expect("learned");
                restored.learn(outcome).expect("learned");
            }
            let expected = decisions(&*linked_in, &arms, seed);
            prop_assert_eq!(&decisions(&*documents, &arms, seed), &expected, "{}", name);
            prop_assert_eq!(&decisions(&*restored, &arms, seed), &expected, "{}", name);
            let text = |policy: &dyn PolicyState| policy.snapshot().expect("a snapshot").to_string();
            prop_assert_eq!(text(&*restored), text(&*linked_in), "{}", name);
        }
    }

    #[test]
    fn an_outcome_without_reward_and_failure_changes_nothing_that_is_learned(
        outcomes in prop::collection::vec(outcome(), 0..20),
        empty in prop::collection::vec(outcome(), 1..20),
    ) {
        for (name, config) in policies().into_iter().filter(|(name, _)| UNORDERED.contains(name)) {
            let mut policy = policy(name, config, &all_arms());
            for outcome in &outcomes {
                policy.learn(outcome).expect("learned");
            }
            let before = policy.snapshot();
            for outcome in &empty {
                let mut outcome = Outcome { reward: None, objectives: Vec::new(), ..outcome.clone() };
                outcome.attempts.iter_mut().for_each(|attempt| attempt.failed = false);
                policy.learn(&outcome).expect("learned");
            }
            prop_assert_eq!(policy.snapshot(), before, "{}", name);
        }
    }
}

#[test]
fn arms_come_and_go_between_runs() {
    for (name, config) in policies() {
        let arms = all_arms();
        let mut policy = policy(name, config, &arms);
        for arm in &arms {
            let objectives = vec![Objective { name: "cost".to_owned(), value: 1.0, minimize: true }];
            let attempts = vec![Attempt { arm: arm.name.clone(), failed: false }];
            let outcome =
                Outcome { context: String::new(), attempts, reward: Some(0.5), objectives, ..Outcome::default() };
            policy.learn(&outcome).expect("learned");
        }
        let before = policy.snapshot();
        for others in [alphas(&[0.5]), alphas(&[0.95, 0.5, 0.05]), alphas(&[0.7, 0.5, 0.3])] {
            assert!(decisions(&*policy, &others, 1).iter().all(|(arm, _)| others.iter().any(|it| it.name == *arm)));
        }
        assert_eq!(policy.snapshot(), before, "{name}: a decision is no outcome");
    }
}
