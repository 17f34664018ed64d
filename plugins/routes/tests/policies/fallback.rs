//! Order, circuits and probes.

use jackfield_plugin_api::{Arm, PolicyState, Question};
use serde_json::json;

use crate::support::{arms, attempted, learn, picked, policy, question};

fn again(policy: &dyn PolicyState, arms: &[Arm], tried: &[u32]) -> Option<u32> {
    let question = Question { tried: tried.to_vec(), ..question("", arms, 0) };
    policy.decide_again(&question).expect("an answer").map(|decision| decision.arm)
}

#[test]
fn arms_are_tried_in_their_order_until_there_is_none() {
    let arms = arms(&["c", "a", "b"]);
    let policy = policy("fallback", json!({}), &arms);
    assert_eq!(picked(&*policy, "", &arms, 0), "c");
    assert_eq!(again(&*policy, &arms, &[0]), Some(1));
    assert_eq!(again(&*policy, &arms, &[0, 1]), Some(2));
    assert_eq!(again(&*policy, &arms, &[1]), Some(0));
    assert_eq!(again(&*policy, &arms, &[2, 0, 1]), None);
}

#[test]
fn failures_in_a_row_open_a_circuit_and_a_probe_closes_it() {
    let arms = arms(&["first", "second"]);
    let mut policy = policy("fallback", json!({ "failures": 3, "probe_after": 4 }), &arms);
    let failed = attempted(&["first"], Some("second"));
    // Two failures, a success, two failures: never three in a row.
    learn(
        &mut *policy,
        &[failed.clone(), failed.clone(), attempted(&[], Some("first")), failed.clone(), failed.clone()],
    );
    assert_eq!(picked(&*policy, "", &arms, 0), "first");
    learn(&mut *policy, std::slice::from_ref(&failed));
    for _ in 0..4 {
        assert_eq!(picked(&*policy, "", &arms, 0), "second");
        assert_eq!(picked(&*policy, "another context", &arms, 0), "second");
        learn(&mut *policy, &[attempted(&[], Some("second"))]);
    }
    // A probe that fails keeps it open, at once and as long again.
    assert_eq!(picked(&*policy, "", &arms, 0), "first");
    learn(&mut *policy, &[failed]);
    for _ in 0..4 {
        assert_eq!(picked(&*policy, "", &arms, 0), "second");
        learn(&mut *policy, &[attempted(&[], Some("second"))]);
    }
    assert_eq!(picked(&*policy, "", &arms, 0), "first");
    learn(&mut *policy, &[attempted(&[], Some("first"))]);
    assert_eq!(policy.snapshot().expect("a snapshot")["arms"], json!({}));
    assert_eq!(picked(&*policy, "", &arms, 0), "first");
}

#[test]
fn where_every_circuit_is_open_the_first_arm_not_tried_is_probed() {
    let arms = arms(&["a", "b", "c"]);
    let mut policy = policy("fallback", json!({ "failures": 1, "probe_after": 100 }), &arms);
    learn(&mut *policy, &[attempted(&["a", "b"], Some("c"))]);
    assert_eq!(picked(&*policy, "", &arms, 0), "c");
    assert_eq!(again(&*policy, &arms, &[2]), Some(0));
    learn(&mut *policy, &[attempted(&["c", "a", "b"], None)]);
    assert_eq!(picked(&*policy, "", &arms, 0), "a");
    assert_eq!(again(&*policy, &arms, &[0]), Some(1));
    assert_eq!(again(&*policy, &arms, &[0, 1, 2]), None);
}
